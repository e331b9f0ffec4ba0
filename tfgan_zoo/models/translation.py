"""Image to image: what translators share, whatever they learn from. `pix2pix`, `cyclegan` and `stargan` are beside it.

What these models draw begins with an image: `start` takes one of the few that training has kept, `draw` translates it.
`translate` takes images of one's own.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from tfgan_zoo import noise, pixels, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.base import GenerativeModel

AT_A_TIME = 64  # images translated
KEPT = 16  # images of the first batches, to look at while it trains and to draw from when nobody gives any


class Translator(GenerativeModel):
    """A model whose images are translations of others.

    It keeps the first images it is trained on, `KEPT` of them, which `generate` begins with: they are in what is saved
    and exported. Train it on a few that may be seen first, where the data is private.

    Args:
        networks: as for `GenerativeModel`.
        source_shape: (height, width, channels) of what is translated.
        kept: name -> shape of what is kept of the first images, "sources" and what stands beside them.
        state: as for `GenerativeModel`.
        **model: as for `GenerativeModel`.
    """

    def __init__(self, networks, *, source_shape, kept, state=None, **model):
        self._kept = tuple(kept)
        state = (state or {}) | {name: np.zeros((KEPT, *shape), "float32") for name, shape in kept.items()}
        super().__init__(networks, state=state, **model)
        self._source_shape = tuple(source_shape)

    @staticmethod
    def usual_optimizer():
        """Adam as all three papers have it but for the rate, which is that of Isola et al. 2017."""
        return Adam(2e-4, beta_1=0.5)

    @property
    def source_shape(self):
        """(height, width, channels) of what is translated."""
        return self._source_shape

    def keep(self, *rows):
        """Keep the first images that training sees, and what stands beside them."""
        for name, new in zip(self._kept, rows, strict=True):
            kept, new = self.state[name], runtime.all_gather(tf.cast(new, "float32"))
            more = tf.concat([new, kept.value], axis=0)[:KEPT]
            first = tf.cast(self.step.value, tf.int64) * tf.shape(new, tf.int64)[0] < KEPT
            kept.assign(tf.where(first, more, kept.value))

    # ---- drawing ----------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """Sources among those that training has kept, one after the other from one that the seed chooses."""
        first = tf.cast(noise.uniform((1,), noise.fold(seed, noise.purpose("first"))) * float(KEPT), tf.int32)
        sources = tf.gather(self.state["sources"].value, (first + tf.range(rows)) % KEPT)
        return {"sources": sources} | self.beside(rows, seed)

    def translate(self, images, condition=None, seed=0):
        """Translations of images.

        Args:
            images: (N, *source_shape) in [-1, 1]; image i's depends on it, and on (seed, i) where it is drawn at all.
            condition: what each is to become, as `condition` takes it, or names of classes; None for a model without.
            seed: integer >= 0.

        Returns:
            float32 (N, *image_shape), a NumPy array; a tensor for a tensor inside a graph.
        """
        if not tf.executing_eagerly():
            start = {"sources": images} | self._beside(tf.shape(images)[0], seed)
            return self.draw(**start) if condition is None else self.draw(**start, condition=condition)
        images = self._floats(images, self.source_shape)
        if self.condition is not None:
            condition = self.checked_condition(condition, len(images))
        elif condition is not None:
            raise ValueError(f"condition was given, but {self.name} is told nothing beside images: leave it out.")
        seed = checks.seed(np.asarray(seed).item() if tf.is_tensor(seed) else seed)
        rows = {"sources": images} | self._beside(len(images), seed)
        rows |= {} if condition is None else {"condition": condition}
        parts = range(0, len(images), AT_A_TIME)
        cut = ({name: tf.constant(one[at : at + AT_A_TIME]) for name, one in rows.items()} for at in parts)
        return np.concatenate([self._drawn(part) for part in cut])

    def _floats(self, images, shape):
        """Images as float32 (N, *shape) in [-1, 1], or a sentence about why they are none."""
        images = np.asarray(images)
        images = np.asarray(pixels.from_uint8(images)) if images.dtype == np.uint8 else images
        checks.images(tf.convert_to_tensor(images), self.name, shape, least=1)
        return images.astype("float32", copy=False)

    def beside(self, rows, seed):
        """What `start` draws beside sources, name -> tensor; nothing here."""
        return {}

    def _beside(self, count, seed):
        """The same for so many images of a seed, block by block."""

        def draw(name):
            return lambda block, first, rows: self.beside(rows, noise.block_seed(seed, block))[name]

        some = self.beside(1, noise.block_seed(0, 0))
        return {
            name: noise.in_blocks(count, draw(name), tf.TensorSpec((None, *one.shape[1:])))
            for name, one in some.items()
        }

    def preview(self, seed, num_images=None):
        """The `panels` of images that training has kept."""
        count = min(KEPT, num_images or KEPT)
        return self.panels(*(np.asarray(self.state[name].value)[:count] for name in self._kept), seed=seed)

    def panels(self, sources, beside, seed=0):
        """What to look at: images, and what becomes of them.

        Args:
            sources: (N, *source_shape) float32.
            beside: what stands beside them in a batch that `fit` takes, N of it.
            seed: integer >= 0.

        Returns:
            Dict caption -> (images, images in a row), as `preview` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no panels(sources, beside, seed).")

    # ---- what it is given -------------------------------------------------------------------------------------

    def check_images(self, images):
        """Raise unless sources are float32 (N >= 1, *source_shape), finite and in [-1, 1]."""
        checks.images(images, self.name, self.source_shape, least=1)


class PairTranslator(Translator):
    """A translator that is told nothing: from sources to targets, or from one domain to another."""

    def check_labels(self, labels, count):
        """Raise unless the other images are there, as many and as they must be."""
        if labels is None:
            raise ValueError(f"{self.name} learns from two images at a time: {self.example}.")
        labels = tf.convert_to_tensor(labels)
        if labels.dtype == tf.uint8:
            labels = tf.cast(labels, tf.float32) / 127.5 - 1.0
        if len(labels.shape) != 4:
            raise ValueError(
                f"{self.name} learns from two images at a time, and beside images come {labels.dtype.name} "
                f"{tuple(labels.shape)}: {self.example}."
            )
        checks.images(labels, self.name, self.image_shape, least=1)
        if len(labels) != count:
            raise ValueError(f"There are {count} images and {len(labels)} others: {self.name} takes as many of both.")


def absolute_error(images, others):
    """Mean absolute difference of images, a scalar (Isola et al. 2017, Eq. 3)."""
    return ops.mean(ops.abs(ops.cast(images, "float32") - ops.cast(others, "float32")))


def side_by_side(shown, most):
    """Images side by side, and so many such groups in a row: (images, columns); grey ones become colour."""
    channels = max(one.shape[-1] for one in shown)
    alike = [np.broadcast_to(one, (*one.shape[:3], channels)) if one.shape[-1] == 1 else one for one in shown]
    together = np.stack(alike, axis=1)
    return together.reshape(-1, *together.shape[2:]), len(shown) * most


def check_networks(networks):
    """Raise unless each of {role: network} is a functional model that reads images."""
    for role, network in networks.items():
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise ValueError(
                f"{role} is {type(network).__name__}: give a functional model, keras.Model(inputs, outputs)."
            )
        if len(network.inputs[0].shape) != 4:
            raise ValueError(f"{role} reads {tuple(network.inputs[0].shape)}: translators read images (N, H, W, C).")


def check_seen(discriminator, shapes):
    """Raise unless a discriminator reads images of these shapes, in their order."""
    read = [tuple(one.shape[1:]) for one in discriminator.inputs]
    if read != [tuple(shape) for shape in shapes]:
        wanted = " and ".join(map(str, shapes))
        raise ValueError(f"discriminator reads {' and '.join(map(str, read))}: it must read {wanted}.")


def check_weights(**weights):
    """Raise if a weight of a loss, by its name, is negative."""
    for name, weight in weights.items():
        if not weight >= 0.0:
            raise ValueError(f"{name}={weight!r}: a weight is not negative.")
