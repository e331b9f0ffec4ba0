"""Objectives: what the discriminator and the generator minimise, as functions of the discriminator's output.

An objective knows nothing of networks, optimizers or steps. Logits are (N, 1) and not squashed: the sigmoid of the
papers is inside the softplus, log sigmoid(x) = -softplus(-x), which neither overflows nor rounds log(1 - 1) to -inf.
Energies are (N, 1) and not negative: low for images that the discriminator takes for real.
"""

import dataclasses
import inspect

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@dataclasses.dataclass(frozen=True)
class Objective:
    """What every objective is: two losses over one of the discriminator's heads, and no variables.

    `needs_real` is True where the generator's loss compares with the real pass; others do not pay for that pass.
    `compares_images` is True where a loss is no mean over images, each by itself, but compares with a mean of others:
    replicas that share a batch then see the whole of it.
    `head` names what of the discriminator's outputs is judged, "logits" or "energy"; `generator_head` what the
    generator's loss looks at, where that is another one.

    An objective with state says how it begins, by `initial_state()`, and how it goes on, by `next_state(...)`; the
    model keeps it, saves it, and hands it to `discriminator_loss(real, fake, state)`.
    """

    def __init_subclass__(cls, **arguments):
        """Whoever writes an objective gets one that is saved with its model: its constructor's arguments, by name."""
        super().__init_subclass__(**arguments)
        keras.saving.register_keras_serializable(cls.__module__)(cls)

    def get_config(self):
        """The constructor's arguments, read off the attributes of their names."""
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config):
        """The objective that `get_config` described."""
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    needs_real = False  # facts about the class, not fields
    compares_images = False
    head = "logits"
    generator_head = property(lambda self: self.head)

    def initial_state(self):
        """The state before the first step, name -> number; empty for most."""
        return {}

    def next_state(self, state, real, fake, generated):
        """The state after a step.

        Args:
            state: dict name -> scalar.
            real, fake: means of the head over the last discriminator update's real and generated images.
            generated: its mean over the images of the generator's own update.

        Returns:
            A dict with the names of `state`.
        """
        return {}

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
    compares_images = True

    def discriminator_loss(self, real_logits, fake_logits):
        return _relativistic(real_logits, fake_logits)

    def generator_loss(self, fake_logits, real_logits=None):
        return _relativistic(fake_logits, real_logits)


def _relativistic(more_real, less_real):
    above = more_real - ops.mean(less_real)
    below = less_real - ops.mean(more_real)
    return ops.mean(ops.softplus(-above)) + ops.mean(ops.softplus(below))


@serializable
@dataclasses.dataclass(frozen=True)
class Relativistic(Objective):
    """Is this real image more real than this fake one? Pairs, in the order of the batch.

    Jolicoeur-Martineau 2018, Eq. 3 (RpGAN), with which Huang et al. 2024 (R3GAN, Eq. 2) and two gradient penalties
    need no other trick. D minimises E softplus(D(G(z)) - D(x)) and G minimises E softplus(D(x) - D(G(z))).
    """

    needs_real = True

    def discriminator_loss(self, real_logits, fake_logits):
        return ops.mean(ops.softplus(fake_logits - real_logits))

    def generator_loss(self, fake_logits, real_logits=None):
        return ops.mean(ops.softplus(real_logits - fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class EnergyMargin(Objective):
    """Low energy for real images, at least a margin of it for generated ones: E(x) + max(0, m - E(G(z))).

    Zhao et al. 2017 (EBGAN), Eq. 1 and 2. The discriminator has an "energy" head, such as an autoencoder's error.

    Args:
        margin: m, positive, in units of the energy; it depends on the data (10 for the paper's MNIST).
    """

    head = "energy"
    margin: float = 10.0

    def __post_init__(self):
        if not self.margin > 0:
            raise ValueError(f"margin={self.margin}: with no positive margin D gains nothing from generated images.")

    def discriminator_loss(self, real_energy, fake_energy):
        return ops.mean(real_energy) + ops.mean(ops.relu(self.margin - fake_energy))

    def generator_loss(self, fake_energy, real_energy=None):
        return ops.mean(fake_energy)


@serializable
@dataclasses.dataclass(frozen=True)
class BoundaryEquilibrium(Objective):
    """Energies of real and generated images, held in proportion by a control variable k.

    Berthelot et al. 2017 (BEGAN), Sec. 3.3 and 3.4: D minimises L(x) - k L(G(z)), G minimises L(G(z)), and
    k <- clip(k + rate (gamma L(x) - L(G(z))), 0, 1) from k = 0. The state holds k and the measure of convergence,
    L(x) + |gamma L(x) - L(G(z))|.

    Args:
        gamma: diversity ratio E L(G(z)) / E L(x), in (0, 1]; lower means sharper and less diverse images.
        rate: lambda_k of the control, positive.
    """

    head = "energy"
    gamma: float = 0.5
    rate: float = 1e-3

    def __post_init__(self):
        if not 0.0 < self.gamma <= 1.0:
            raise ValueError(f"gamma={self.gamma}: the diversity ratio lies in (0, 1]; the paper takes 0.3 to 0.7.")
        if not self.rate > 0:
            raise ValueError(f"rate={self.rate}: the control of k needs a positive rate; the paper takes 0.001.")

    def initial_state(self):
        return {"k": 0.0, "convergence": 0.0}

    def discriminator_loss(self, real_energy, fake_energy, state):
        return ops.mean(real_energy) - state["k"] * ops.mean(fake_energy)

    def generator_loss(self, fake_energy, real_energy=None):
        return ops.mean(fake_energy)

    def next_state(self, state, real, fake, generated):
        balance = self.gamma * real - generated
        return {
            "k": ops.clip(state["k"] + self.rate * balance, 0.0, 1.0),
            "convergence": real + ops.abs(balance),
        }


@dataclasses.dataclass(frozen=True)
class _Around(Objective):
    """An objective around another one, whose losses, head and state it keeps."""

    objective: Objective = NonSaturating()
    needs_real = property(lambda self: self.objective.needs_real)
    compares_images = property(lambda self: self.objective.compares_images)
    head = property(lambda self: self.objective.head)
    generator_head = property(lambda self: self.objective.generator_head)

    def __post_init__(self):
        if not isinstance(self.objective, Objective):
            raise ValueError(
                f"objective={self.objective!r}: {type(self).__name__} goes around an objective such as Hinge()."
            )

    def initial_state(self):
        return self.objective.initial_state()

    def next_state(self, state, real, fake, generated):
        return self.objective.next_state(state, real, fake, generated)

    def discriminator_loss(self, real_logits, fake_logits, state=None):
        given = (state,) if self.objective.initial_state() else ()
        return self.objective.discriminator_loss(real_logits, fake_logits, *given)

    def generator_loss(self, fake_logits, real_logits=None):
        return self.objective.generator_loss(fake_logits, real_logits)


@serializable
@dataclasses.dataclass(frozen=True)
class LeCam(_Around):
    """An objective whose discriminator is held near the average of its own output on the other kind of image.

    Tseng et al. 2021, Eq. 4: R = E (D(x) - a_fake)^2 + E (D(G(z)) - a_real)^2, with the anchors a moving averages of
    D's mean outputs. It helps where data are few.

    Args:
        objective: the objective around which it stands.
        weight: lambda, positive; the paper takes 0.3 (CIFAR) and 0.01 (ImageNet).
        decay: of the anchors, in [0, 1).
    """

    weight: float = 0.3
    decay: float = 0.99

    def __post_init__(self):
        super().__post_init__()
        if not self.weight > 0:
            raise ValueError(f"weight={self.weight}: LeCam has a positive weight; leave it out for none.")
        if not 0.0 <= self.decay < 1.0:
            raise ValueError(f"decay={self.decay}: the anchors' decay lies in [0, 1); the paper takes 0.99.")

    def initial_state(self):
        return super().initial_state() | {"real_anchor": 0.0, "fake_anchor": 0.0}

    def discriminator_loss(self, real_logits, fake_logits, state):
        to_fake = ops.mean((real_logits - state["fake_anchor"]) ** 2)
        to_real = ops.mean((fake_logits - state["real_anchor"]) ** 2)
        return super().discriminator_loss(real_logits, fake_logits, state) + self.weight * (to_fake + to_real)

    def next_state(self, state, real, fake, generated):
        return super().next_state(state, real, fake, generated) | {
            "real_anchor": self.decay * state["real_anchor"] + (1.0 - self.decay) * real,
            "fake_anchor": self.decay * state["fake_anchor"] + (1.0 - self.decay) * fake,
        }


@serializable
@dataclasses.dataclass(frozen=True)
class FeatureMatching(_Around):
    """The generator matches the mean of the discriminator's features: |E f(x) - E f(G(z))|^2.

    Salimans et al. 2016, Sec. 3.1; the discriminator plays the objective inside and has a "features" head.

    Args:
        objective: what the discriminator plays.
    """

    needs_real = True
    compares_images = True
    generator_head = "features"

    def generator_loss(self, fake_features, real_features=None):
        return ops.sum((ops.mean(real_features, axis=0) - ops.mean(fake_features, axis=0)) ** 2)
