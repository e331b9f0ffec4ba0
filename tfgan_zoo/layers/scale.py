"""One learned standard deviation for all values of an image, behind the means that a Gaussian likelihood reads."""

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class SharedScale(keras.layers.Layer):
    """Means (N, ..., c) with log sigma beside them, (N, ..., 2c), where sigma is one weight.

    Of probabilistic PCA (Tipping & Bishop 1999), and of VAEs that learn how noisy images are (Rybkin et al. 2021).

    Args:
        initial: sigma at the start, > 0.
    """

    def __init__(self, initial=1.0, **arguments):
        super().__init__(**arguments)
        if not initial > 0:
            raise ValueError(f"initial={initial}: give a standard deviation > 0.")
        self.initial = float(initial)

    def build(self, input_shape):
        start = keras.initializers.Constant(float(ops.log(self.initial)))
        self.log_scale = self.add_weight(shape=(), initializer=start, name="log_scale")

    def call(self, means):
        """Means and log sigma."""
        return ops.concatenate([means, ops.zeros_like(means) + ops.cast(self.log_scale, means.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        """Twice the channels."""
        return (*input_shape[:-1], 2 * input_shape[-1])

    def get_config(self):
        """The initial sigma."""
        return super().get_config() | {"initial": self.initial}
