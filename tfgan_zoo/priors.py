"""Priors: what the generator is fed.

A draw is a pure function of a stateless seed, the same with and without XLA, and its rows nest: the first rows of a
long draw are the rows of a short one, so that image i of a seed is the same in any batch size.
"""

import dataclasses

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
