"""Values drawn one after another, each given those before it in raster order: sampling of a PixelCNN."""

import dataclasses

import keras
import tensorflow as tf

from tfgan_zoo.likelihoods import Likelihood


@dataclasses.dataclass(frozen=True)
class Raster:
    """How values are drawn from a network that tells the distribution of each given those before it.

    Args:
        network: values (N, H, W, C) or [values, condition] -> parameters (N, H, W, C, likelihood.channels(1)).
        likelihood: of a value.
        num_classes: of the condition, if it is labels; None without.
    """

    network: keras.Model
    likelihood: Likelihood
    num_classes: int | None = None

    def values(self, fractions, condition=None, images=None, known=None):
        """Each value as the quantile of its fraction, where it is not known.

        Args:
            fractions: (N, H, W, C) in [0, 1).
            condition: labels (N,); numbers of an image (N, d) or of its pixels (N, H, W, d); or None.
            images: (N, H, W, C), whose values hold where they are known; None if none are.
            known: 1 where a value is known, of the images' shape.

        Returns:
            (N, H, W, C) in [-1, 1].
        """
        way = self.by_cache if "pixelcnn" in [layer.name for layer in self.network.layers] else self.naively
        return way(fractions, condition, images, known)

    def _value(self, parameters, fractions, image, known):
        """Values (N, 1) of one channel of one pixel: drawn, or as they are known."""
        value = self.likelihood.quantile(fractions, parameters)
        return value if known is None else known * image + (1.0 - known) * value

    def naively(self, fractions, condition=None, images=None, known=None):
        """One pass through the network for each value."""
        height, width, channels = shape = fractions.shape[1:]
        size = height * width * channels
        flat = [None if one is None else tf.reshape(one, (-1, size)) for one in (fractions, images, known)]

        def step(at, drawn):
            given = tf.reshape(drawn, (-1, *shape))
            parameters = self.network(given if condition is None else [given, condition], training=False)
            parameters = tf.gather(tf.reshape(parameters, (-1, size, parameters.shape[-1])), at, axis=1)
            here = [None if one is None else tf.gather(one, at, axis=1)[:, None] for one in flat]
            value = self._value(parameters, *here)
            return at + 1, drawn + value * tf.one_hot(at, size)

        _, drawn = tf.while_loop(lambda at, _: at < size, step, (0, tf.zeros_like(flat[0])))
        return tf.reshape(drawn, (-1, *shape))

    def by_cache(self, fractions, condition=None, images=None, known=None):
        """The vertical stack once a row, the horizontal one once a pixel."""
        layer, (height, width, channels) = self.network.get_layer("pixelcnn"), fractions.shape[1:]
        count = tf.shape(fractions)[0]
        condition = condition if self.num_classes is None else tf.one_hot(condition, self.num_classes)
        by_pixel = condition is not None and len(condition.shape) == 4
        given = [one for one in (fractions, images, known) if one is not None]

        def of_pixel(said, here, at, pixels, row):
            features, pixels = layer.next_pixel(pixels, [tf.gather(one, at, axis=2)[:, :, None] for one in said])
            told = [tf.gather(one, at, axis=1) for one in here]  # (N, C) each
            drawn = []
            for channel in range(channels):
                before = tf.concat(drawn, axis=1)[:, None, None] if drawn else None
                parameters = layer.parameters(features, before)
                mine = [one[:, channel][:, None] for one in told]
                drawn.append(self._value(parameters[:, 0, 0], *mine, *[None] * (3 - len(mine))))
            drawn = tf.concat(drawn, axis=1)
            row = row + drawn[:, None, :] * tf.one_hot(at, width)[None, :, None]
            return at + 1, layer.pixel_seen(pixels, tf.reshape(drawn, (-1, 1, 1, channels))), row

        def of_row(at, rows, drawn):
            said, rows = layer.next_row(rows, tf.gather(condition, at, axis=1)[:, None] if by_pixel else condition)
            here = [tf.gather(one, at, axis=1) for one in given]  # (N, W, C) each
            state = (0, layer.start_pixels(count), tf.zeros_like(here[0]))
            *_, row = tf.while_loop(
                lambda at, *_: at < width, lambda *state: of_pixel(said, here, *state), state, parallel_iterations=1
            )
            drawn = drawn + row[:, None] * tf.one_hot(at, height)[None, :, None, None]
            return at + 1, layer.row_seen(rows, row[:, None]), drawn

        state = (0, layer.start_rows(count), tf.zeros_like(fractions))
        *_, drawn = tf.while_loop(lambda at, *_: at < height, of_row, state, parallel_iterations=1)
        return drawn
