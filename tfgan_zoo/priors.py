"""Priors: what the generator is fed.

A draw is a pure function of a stateless seed, the same with and without XLA, and its rows nest: the first rows of a
long draw are the rows of a short one, so that image i of a seed is the same in any batch size.
"""

import dataclasses

from keras import ops

from tfgan_zoo import noise
from tfgan_zoo.serialization import serializable


@serializable
@dataclasses.dataclass(frozen=True)
class Normal:
    """Independent standard normal latents, scaled.

    Args:
        stddev: standard deviation of each coordinate, positive.
    """

    stddev: float = 1.0

    def __post_init__(self):
        if not self.stddev > 0:
            raise ValueError(f"stddev={self.stddev}: a Normal prior needs a positive standard deviation.")

    def sample(self, num_images, latent_dim, seed):
        """Latents (num_images, latent_dim) float32 for a stateless seed of two integers; both sizes may be tensors."""
        return self.stddev * noise.normal((num_images, latent_dim), seed)


@serializable
@dataclasses.dataclass(frozen=True)
class Uniform:
    """Independent uniform latents; Radford et al. 2016 and Goodfellow et al. 2014 draw from [-1, 1].

    Args:
        low, high: bounds, low < high.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self):
        if not self.low < self.high:
            raise ValueError(f"low={self.low}, high={self.high}: a Uniform prior needs low < high.")

    def sample(self, num_images, latent_dim, seed):
        """Latents (num_images, latent_dim) float32 for a stateless seed of two integers; both sizes may be tensors."""
        return noise.uniform((num_images, latent_dim), seed, self.low, self.high)


@serializable
@dataclasses.dataclass(frozen=True)
class Codes:
    """Noise, then categorical codes as one-hot vectors, then continuous codes uniform in [-1, 1].

    Chen et al. 2016 (InfoGAN), Sec. 7.2 and App. C.1. The noise has what coordinates of the latent the codes leave.

    Args:
        categorical: number of values of each categorical code, each at least 2.
        continuous: number of continuous codes.
        noise: prior of the incompressible noise.
    """

    categorical: tuple = (10,)
    continuous: int = 2
    noise: Normal | Uniform = Normal()

    def __post_init__(self):
        tuple_of = isinstance(self.categorical, tuple) and all(type(values) is int for values in self.categorical)
        if not tuple_of or min(self.categorical, default=2) < 2:
            raise ValueError(
                f"categorical={self.categorical}: give a tuple with the number of values of each code, such as (10,)."
            )
        if type(self.continuous) is not int or self.continuous < 0 or not self.code_dim:
            raise ValueError(f"continuous={self.continuous}: give at least one code of either kind, in whole numbers.")

    @property
    def code_dim(self):
        """Coordinates of a latent that are codes, the last ones."""
        return sum(self.categorical) + self.continuous

    def sample(self, num_images, latent_dim, seed):
        """Latents (num_images, latent_dim) float32 for a stateless seed of two integers; num_images may be a tensor."""
        parts = [self.noise.sample(num_images, latent_dim - self.code_dim, seed)]
        for index, values in enumerate(self.categorical):
            drawn = noise.uniform((num_images, 1), noise.fold(seed, 1 + index), 0.0, float(values))
            parts.append(ops.one_hot(ops.cast(ops.floor(drawn[:, 0]), "int32"), values, dtype="float32"))
        if self.continuous:
            parts.append(noise.uniform((num_images, self.continuous), noise.fold(seed, 0), -1.0, 1.0))
        return ops.concatenate(parts, axis=1)

    def split(self, latents):
        """The codes in a tensor (N, >= code_dim): a list of categorical blocks (N, values), and the continuous (N, c).

        Of latents these are what the generator was told; of D's "codes" head, logits and means.
        """
        at, blocks = latents.shape[-1] - self.code_dim, []
        for values in self.categorical:
            blocks.append(latents[:, at : at + values])
            at += values
        return blocks, latents[:, at:]
