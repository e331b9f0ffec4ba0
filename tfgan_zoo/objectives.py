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


@serializable
@dataclasses.dataclass(frozen=True)
class LeastSquares(Objective):
    """Regression of D's output to codes for fake and real; G regresses it to what it wants to be taken for.

    Mao et al. 2017, Eq. 2. The defaults are its 0-1 coding (Eq. 9); -1, 1, 0 makes it minimise Pearson's chi-squared
    divergence (Eq. 8).

    Args:
        fake: code a of generated images.
        real: code b of real images.
        wanted: code c that the generator wants its images to get.
    """

    fake: float = 0.0
    real: float = 1.0
    wanted: float = 1.0

    def discriminator_loss(self, real_logits, fake_logits):
        return (ops.mean((real_logits - self.real) ** 2) + ops.mean((fake_logits - self.fake) ** 2)) / 2

    def generator_loss(self, fake_logits, real_logits=None):
        return ops.mean((fake_logits - self.wanted) ** 2) / 2


@serializable
@dataclasses.dataclass(frozen=True)
class Wasserstein(Objective):
    """The critic's estimate of the Wasserstein-1 distance, E D(x) - E D(G(z)), with its sign turned to be minimised.

    Arjovsky et al. 2017, Eq. 2 and Algorithm 1. It is a distance only for a critic whose slope is bounded: use it with
    clipped weights or with `penalties.GradientPenalty`.

    Args:
        drift: weight of E D(x)^2, which keeps the critic's output near 0 (Karras et al. 2018, App. A.1: 0.001).
    """

    drift: float = 0.0

    def discriminator_loss(self, real_logits, fake_logits):
        distance = ops.mean(real_logits) - ops.mean(fake_logits)
        return self.drift * ops.mean(real_logits**2) - distance if self.drift else -distance

    def generator_loss(self, fake_logits, real_logits=None):
        return -ops.mean(fake_logits)


@serializable
@dataclasses.dataclass(frozen=True)
class Hinge(Objective):
    """A margin on both sides for D, no margin for G.

    Lim & Ye 2017; Miyato et al. 2018, Eq. 16 and 17.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return ops.mean(ops.relu(1.0 - real_logits)) + ops.mean(ops.relu(1.0 + fake_logits))

    def generator_loss(self, fake_logits, real_logits=None):
        return -ops.mean(fake_logits)


@serializable
@dataclasses.dataclass(frozen=True)
class RelativisticAverage(Objective):
    """Is the real image more real than the average fake, and the fake less than the average real?

    Jolicoeur-Martineau 2018, Eq. 7 and 8 (RaSGAN). Both losses need both kinds of logits.
    """

    needs_real = True

    def discriminator_loss(self, real_logits, fake_logits):
        return _relativistic(real_logits, fake_logits)

    def generator_loss(self, fake_logits, real_logits=None):
        return _relativistic(fake_logits, real_logits)


def _relativistic(more_real, less_real):
    above = more_real - ops.mean(less_real)
    below = less_real - ops.mean(more_real)
    return ops.mean(ops.softplus(-above)) + ops.mean(ops.softplus(below))
