"""A pool of earlier translations, which a discriminator sees among the newest."""

import numpy as np
import tensorflow as tf

from tfgan_zoo import noise, runtime
from tfgan_zoo.errors import whole_number


class ImagePool:
    """The last so many translations of one domain (Shrivastava et al. 2017, Sec. 2.3; Zhu et al. 2017, Sec. 4).

    While it fills, images are given as they come. Then each new one is given with probability 1/2; or else it takes the
    place of one in the pool, which is given instead. The pool is a variable of its owner: saved and resumed, and not
    exported.

    Args:
        owner: the model, which makes the variables.
        name: of the domain.
        size: images in it; 0 for no pool.
        image_shape: of an image.
    """

    def __init__(self, owner, name, size, image_shape):
        whole_number("pool_size", size, at_least=0)
        self.size = int(size)
        if self.size:
            self.images = owner._state_variable(f"pool_{name}", np.zeros((self.size, *image_shape), "float32"))
            self.count = owner._state_variable(f"pool_{name}_count", 0, "int64")

    def query(self, images, seed):
        """What the discriminator sees in place of this replica's newest translations.

        Args:
            images: (N, *image_shape) float32.
            seed: stateless seed of two integers, of this query.

        Returns:
            (N, *image_shape); no gradient passes.
        """
        images = tf.stop_gradient(images)
        if not self.size:
            return images
        rows, everyones = tf.shape(images)[0], runtime.all_gather(images)  # the pool is one, whoever has made what
        total = tf.shape(everyones)[0]
        draws = noise.uniform((total, 2), seed)

        def one(row, pool, count, given):
            new, filling = everyones[row], count < self.size
            place = tf.where(filling, count, tf.cast(draws[row, 1] * float(self.size), tf.int32))
            swapped = tf.logical_and(tf.logical_not(filling), draws[row, 0] < 0.5)
            old = pool[place]
            given = tf.tensor_scatter_nd_update(given, [[row]], [tf.where(swapped, old, new)])
            kept = tf.where(tf.logical_or(filling, swapped), new, old)
            pool = tf.tensor_scatter_nd_update(pool, [[place]], [kept])
            return row + 1, pool, count + tf.cast(filling, tf.int32), given

        start = (0, self.images.value, tf.cast(self.count.value, tf.int32), everyones)
        _, pool, count, given = tf.while_loop(lambda row, *_: row < total, one, start)
        self.images.assign(pool)
        self.count.assign(tf.cast(count, tf.int64))
        return given if runtime.replicas() == 1 else noise.shared(lambda _: given, rows)
