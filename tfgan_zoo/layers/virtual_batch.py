"""Virtual batch normalisation: batch statistics without a batch, so that images do not depend on one another.

Three layers make it. A network puts the fixed reference batch in front of its input, normalises with it wherever it
would have used BatchNormalization, and drops it at the end:

>>> import keras
>>> from tfgan_zoo.layers import VirtualBatchNormalization, WithoutReference, WithReference
>>> latents = keras.Input((8,))
>>> x = keras.layers.Dense(32)(WithReference(64)(latents))
>>> x = keras.layers.ReLU()(VirtualBatchNormalization(64)(x))
>>> points = WithoutReference(64)(keras.layers.Dense(2)(x))
>>> keras.Model(latents, points).output_shape
(None, 2)
"""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable


@serializable
class WithReference(layers.Layer):
    """Puts a reference batch, chosen once and never trained, in front of the batch.

    Salimans et al. 2016, Sec. 3.5. The reference is the non-trainable weight `reference`; for images of a
    discriminator, assign real ones to it before training: `layer.reference.assign(images)`.

    Args:
        reference_size: rows R of the reference, >= 2; the paper's runs take the batch size.
        initializer: what the reference is drawn from; None for the standard normal distribution, as latents are.
            (Keras' "random_normal" has standard deviation 0.05.)
        **keras_arguments: name, dtype and so on.

    Input (N, ...), output (R + N, ...).

    Raises:
        ValueError: if reference_size is not an integer >= 2.
    """

    def __init__(self, reference_size, initializer=None, **keras_arguments):
        super().__init__(**keras_arguments)
        self.reference_size = _checked(reference_size)
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=1.0))

    def build(self, input_shape):
        self.reference = self.add_weight(
            name="reference",
            shape=(self.reference_size, *input_shape[1:]),
            initializer=self.initializer,
            trainable=False,
        )

    def call(self, inputs):
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def compute_output_shape(self, input_shape):
        return _more_rows(input_shape, self.reference_size)

    def get_config(self):
        return super().get_config() | {
            "reference_size": self.reference_size,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@serializable
class VirtualBatchNormalization(layers.Layer):
    """Normalises each example with the statistics of the reference batch and of that example itself.

    Salimans et al. 2016, Sec. 3.5. The first R rows are the reference and are normalised with their own moments, per
    channel over rows and places. Any other row is normalised with the moments of the R + 1 rows that it makes with the
    reference: mean = (R * reference's mean + its own mean) / (R + 1), and the same for second moments. Then come a
    trained scale and offset. Training and inference are the same.

    Args:
        reference_size: rows R of the reference, as in `WithReference`.
        epsilon: added to the variance, > 0.
        **keras_arguments: name, dtype and so on.

    Input and output (R + N, channels) or (R + N, height, width, channels).

    Raises:
        ValueError: if reference_size is not an integer >= 2, or epsilon is not positive.
    """

    def __init__(self, reference_size, epsilon=1e-3, **keras_arguments):
        super().__init__(**keras_arguments)
        self.reference_size = _checked(reference_size)
        if not epsilon > 0.0:
            raise ValueError(f"epsilon={epsilon}: it keeps the variance from 0 and must be > 0; 1e-3 is usual.")
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = {"shape": (input_shape[-1],), "dtype": "float32", "autocast": False}
        self.scale = self.add_weight(name="scale", initializer="ones", **channels)
        self.offset = self.add_weight(name="offset", initializer="zeros", **channels)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        reference, rows = x[: self.reference_size], x[self.reference_size :]
        places = tuple(range(1, len(inputs.shape) - 1))
        mean, variance = ops.mean(reference, (0, *places), True), ops.var(reference, (0, *places), True)
        own_mean, own_variance = (ops.mean(rows, places, True), ops.var(rows, places, True)) if places else (rows, 0.0)
        # The pooled second moments, less the square of the pooled mean, without the cancellation of that difference
        share = 1.0 / (self.reference_size + 1)
        both_mean = mean + share * (own_mean - mean)
        both_variance = variance + share * (own_variance - variance) + share * (1 - share) * (own_mean - mean) ** 2
        normalized = [self._normalize(reference, mean, variance), self._normalize(rows, both_mean, both_variance)]
        return ops.cast(ops.concatenate(normalized, axis=0), self.compute_dtype)

    def _normalize(self, x, mean, variance):
        return (x - mean) * ops.rsqrt(variance + self.epsilon) * self.scale + self.offset

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"reference_size": self.reference_size, "epsilon": self.epsilon}


@serializable
class WithoutReference(layers.Layer):
    """Drops the reference batch that `WithReference` put in front.

    Salimans et al. 2016, Sec. 3.5.

    Args:
        reference_size: rows R of the reference, as in `WithReference`.
        **keras_arguments: name, dtype and so on.

    Input (R + N, ...), output (N, ...).

    Raises:
        ValueError: if reference_size is not an integer >= 2.
    """

    def __init__(self, reference_size, **keras_arguments):
        super().__init__(**keras_arguments)
        self.reference_size = _checked(reference_size)

    def call(self, inputs):
        return inputs[self.reference_size :]

    def compute_output_shape(self, input_shape):
        return _more_rows(input_shape, -self.reference_size)

    def get_config(self):
        return super().get_config() | {"reference_size": self.reference_size}


def _checked(reference_size):
    if type(reference_size) is not int or reference_size < 2:
        raise ValueError(
            f"reference_size={reference_size!r}: the reference batch has an integer number of rows >= 2; "
            "take the batch size, such as 64."
        )
    return reference_size


def _more_rows(shape, rows):
    return (None if shape[0] is None else shape[0] + rows, *shape[1:])
