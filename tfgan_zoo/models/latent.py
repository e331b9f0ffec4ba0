"""Models whose images come from one latent vector each, drawn from a prior."""

import tensorflow as tf

from tfgan_zoo import noise


class FromLatents:
    """The verb `draw_latents`, and `start`, for a model with a `prior` and a `latent_dim`.

    A model whose images start from more than latents overrides `start`, calls this one's and gives the rest beside it;
    its `draw` then has a default for the rest, by which images of different latents differ by these alone.
    """

    def start(self, rows, seed):
        """Latents (rows, latent_dim) for a stateless seed, by their name."""
        return {"latents": self.prior.sample(rows, self.latent_dim, seed)}

    def draw_latents(self, num_images, seed):
        """Latents (num_images, latent_dim) whose row i depends on (seed, i) alone; works inside a graph."""

        def draw(block, first, rows):
            return self.start(rows, noise.block_seed(seed, block))["latents"]

        return noise.in_blocks(num_images, draw, tf.TensorSpec((None, self.latent_dim), tf.float32))
