"""What grows into a network: a branch that is faded in."""

from keras import layers, ops

from tfgan_zoo.serialization import serializable


@serializable
class FadeIn(layers.Layer):
    """(1 - alpha) old + alpha new, of [old, new] (Karras et al. 2018, Fig. 2).

    alpha is a variable in [0, 1] that the model moves, not the optimizer. At 0 the result is the old branch and at 1
    the new one, to the bit.

    Args:
        **keras_arguments: name, dtype and so on.
    """

    def build(self, input_shape):
        self.alpha = self.add_weight(
            name="alpha",
            shape=(),
            initializer="ones",
            dtype="float32",
            autocast=False,
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs):
        old, new = inputs
        alpha = ops.cast(self.alpha, new.dtype)
        return (1.0 - alpha) * old + alpha * new

    def compute_output_shape(self, input_shape):
        return input_shape[1]
