"""Equalised learning rate: weights of unit variance, scaled where they are used."""

import math

import keras
from keras import layers

from tfgan_zoo.serialization import serializable


@serializable
class EqualizedRate(layers.Wrapper):
    """A Dense or Conv2D layer whose kernel starts as N(0, 1) and is scaled by gain / sqrt(fan-in) at every call.

    Karras et al. 2018, Sec. 4.1. Adam moves every weight by about its rate, whatever the weight's scale; so scaled,
    all layers learn at one speed. With `lr_multiplier` m (Karras et al. 2019, App. C) kernel and bias are stored m
    times smaller, and so move m times slower relative to their size.

    Args:
        layer: a Dense or Conv2D layer; its kernel's initialiser is replaced. It computes in the wrapper's dtype.
        gain: standard deviation of the output for inputs of independent values with variance 1.
        lr_multiplier: m > 0; 1 leaves the rate alone, mapping networks take 0.01.
        **keras_arguments: name, dtype and so on; dtype is the layer's unless given.

    Raises:
        ValueError: if layer is of another kind, or a number is not positive.
    """

    def __init__(self, layer, gain=1.0, lr_multiplier=1.0, **keras_arguments):
        if not isinstance(layer, (layers.Dense, layers.Conv2D)):
            raise ValueError(
                f"layer={type(layer).__name__}: EqualizedRate wraps Dense and Conv2D layers; wrap them one by one."
            )
        if not (gain > 0 and lr_multiplier > 0):
            raise ValueError(f"gain={gain}, lr_multiplier={lr_multiplier}: both are positive; 1 is usual.")
        super().__init__(layer, **({"dtype": layer.dtype_policy, "name": f"equalized_{layer.name}"} | keras_arguments))
        layer.dtype_policy = self.dtype_policy
        layer.kernel_initializer = keras.initializers.RandomNormal(stddev=1.0 / lr_multiplier)
        self.gain, self.lr_multiplier = float(gain), float(lr_multiplier)

    @property
    def scale(self):
        """What the stored kernel is multiplied by."""
        return self.gain * self.lr_multiplier / math.sqrt(math.prod(self.layer.kernel.shape[:-1]))

    def call(self, inputs):
        values = [(self.layer.kernel, self.layer.kernel.value * self.scale)]
        if self.lr_multiplier != 1.0 and self.layer.bias is not None:
            values.append((self.layer.bias, self.layer.bias.value * self.lr_multiplier))
        with keras.StatelessScope(values):
            return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return super().get_config() | {"gain": self.gain, "lr_multiplier": self.lr_multiplier}
