"""Grouped convolutions that can be trained on a CPU."""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

_BY_HAND = 16  # groups; more are left to the kernel that GPUs have


@serializable
class GroupedConv2D(layers.Layer):
    """A 3 x 3 convolution of groups of channels, each by itself (Xie et al. 2017, Sec. 3).

    TensorFlow has no gradient of a grouped convolution on CPUs. Up to 16 groups are convolved one by one, which is what
    a CPU does fastest (a fifth of a block-diagonal kernel's time); more are one call, for GPUs.

    Args:
        group_size: channels of a group; it divides those of the input.
        initializer: of the kernel.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if group_size does not divide the channels.
    """

    def __init__(self, group_size=16, initializer="he_normal", **keras_arguments):
        super().__init__(**keras_arguments)
        self.group_size, self.initializer = group_size, keras.initializers.get(initializer)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels % self.group_size:
            raise ValueError(f"group_size={self.group_size} does not divide {channels} channels: give a divisor.")
        self.groups = channels // self.group_size
        self.kernel = self.add_weight(
            name="kernel", shape=(3, 3, self.group_size, channels), initializer=self.initializer
        )
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")

    def call(self, inputs):
        kernel = ops.cast(self.kernel, inputs.dtype)
        if 1 < self.groups <= _BY_HAND:
            pairs = zip(ops.split(inputs, self.groups, -1), ops.split(kernel, self.groups, -1), strict=True)
            outputs = ops.concatenate([ops.conv(x, part, padding="same") for x, part in pairs], axis=-1)
        else:
            outputs = ops.conv(inputs, kernel, padding="same")
        return outputs + ops.cast(self.bias, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return super().get_config() | {"group_size": self.group_size, "initializer": initializer}
