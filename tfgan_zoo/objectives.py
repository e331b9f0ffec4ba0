"""Objectives: what the discriminator and the generator minimise, as functions of the discriminator's logits.

An objective knows nothing of networks, optimizers or steps. Logits are (N, 1) and not squashed: the sigmoid of the
papers is inside the softplus, log sigmoid(x) = -softplus(-x), which neither overflows nor rounds log(1 - 1) to -inf.
"""

import dataclasses

from keras import ops

from tfgan_zoo.serialization import serializable


@dataclasses.dataclass(frozen=True)
class Objective:
    """What every objective is: two losses over logits, and no variables.

    `needs_real` is True where the generator's loss compares with the real logits; others do not pay for that pass.
    """

    needs_real = False  # a fact about the class, not a field

    def discriminator_loss(self, real_logits, fake_logits):
        """The scalar that the discriminator minimises; real_logits and fake_logits are (N, 1)."""
        raise TypeError(f"{type(self).__name__} defines no discriminator_loss.")

    def generator_loss(self, fake_logits, real_logits=None):
        """The scalar that the generator minimises; real_logits are given when `needs_real`."""
        raise TypeError(f"{type(self).__name__} defines no generator_loss.")


@dataclasses.dataclass(frozen=True)
class _CrossEntropy(Objective):
    """Goodfellow et al. 2014, Eq. 1, the discriminator's side: -E log D(x) - E log(1 - D(G(z)))."""

    real_label: float = 1.0

    def __post_init__(self):
        if not 0.5 < self.real_label <= 1.0:
            raise ValueError(
                f"real_label={self.real_label}: one-sided label smoothing takes a value in (0.5, 1]; "
                "Salimans et al. 2016 use 0.9."
            )

    def discriminator_loss(self, real_logits, fake_logits):
        real = ops.mean(ops.softplus(-real_logits) + (1.0 - self.real_label) * real_logits)
        return real + ops.mean(ops.softplus(fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class MinimaxGAN(_CrossEntropy):
    """The zero-sum game: the generator minimises E log(1 - D(G(z))).

    Goodfellow et al. 2014, Eq. 1. Its gradient vanishes where the discriminator is sure, so it stalls early;
    `NonSaturating` is what that paper, and everyone since, trains with.

    Args:
        real_label: target for real images, in (0.5, 1]; below 1 is one-sided label smoothing (Salimans et al. 2016).

    Example:

    >>> import numpy as np
    >>> from tfgan_zoo.objectives import MinimaxGAN
    >>> undecided = np.zeros((4, 1), "float32")                 # D says 1/2 everywhere
    >>> round(float(MinimaxGAN().discriminator_loss(undecided, undecided)), 4)      # -log 1/2 - log 1/2 = log 4
    1.3863
    """

    def generator_loss(self, fake_logits, real_logits=None):
        return -ops.mean(ops.softplus(fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class NonSaturating(_CrossEntropy):
    """The heuristic game that is played in practice: the generator minimises -E log D(G(z)).

    Goodfellow et al. 2014, Sec. 3: the same fixed point as `MinimaxGAN`, with a gradient where the generator is bad.

    Args:
        real_label: target for real images, in (0.5, 1]; below 1 is one-sided label smoothing (Salimans et al. 2016).
    """

    def generator_loss(self, fake_logits, real_logits=None):
        return ops.mean(ops.softplus(-fake_logits))
