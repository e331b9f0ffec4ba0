"""Transposed convolutions as convolutions: the same function, by kernels that phones have been tuned for.

Source: Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?". Each of the s x s phases of
what a transposed convolution of stride s gives is a convolution of its input, so that all of them are one convolution
with s^2 times the channels, which `depth_to_space` spreads. The kernel holds zeros where the phases differ in size, 36
numbers instead of 25 for 5 x 5 at stride 2; LiteRT is more than twice as fast with it all the same
(`benchmarks/export.py`).
"""

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo.keras_private import all_layers


class _Subpixel(keras.layers.Conv2D):
    """A convolution to block^2 times the channels, spread over blocks of pixels."""

    def __init__(self, block, **conv):
        super().__init__(**conv)
        self.block = block

    def call(self, inputs):
        return tf.nn.depth_to_space(super().call(inputs), self.block)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = super().compute_output_shape(input_shape)
        return count, height * self.block, width * self.block, channels // self.block**2


def with_convolutions(network):
    """The same functional network and weights, with its transposed convolutions written as convolutions.

    Args:
        network: a functional keras.Model.

    Returns:
        A keras.Model of the same inputs and, up to rounding, outputs; transposed convolutions other than of equal
        strides above 1 and "same" padding, or inside a wrapper, stay as they are. The network itself where there is
        nothing to turn, or a Lambda layer.
    """
    turned = [layer for layer in _layers(network) if _can_turn(layer)]
    code = any(isinstance(layer, keras.layers.Lambda) for layer in all_layers(network))
    if not turned or code:  # Keras does not clone a Python function
        return network

    def turn(layer):
        if not _can_turn(layer):
            return type(layer).from_config(layer.get_config())
        block = layer.strides[0]
        return _Subpixel(
            block,
            filters=layer.filters * block**2,
            kernel_size=_kernel(np.zeros((*layer.kernel_size, 1, 1)), block).shape[:2],
            padding="same",
            activation=layer.activation,
            use_bias=layer.use_bias,
            dtype=layer.dtype_policy,
            name=layer.name,
        )

    copy = keras.models.clone_model(network, clone_function=turn, recursive=True)
    change = {id(layer.kernel): lambda kernel, block=layer.strides[0]: _kernel(kernel, block) for layer in turned}
    change |= {
        id(layer.bias): lambda bias, block=layer.strides[0]: np.tile(bias, block**2)
        for layer in turned
        if layer.use_bias
    }
    values = zip(network.weights, network.get_weights(), strict=True)
    copy.set_weights([change.get(id(weight), np.asarray)(value) for weight, value in values])
    return copy


def _layers(network):
    """The layers of a network and of networks in it, which `clone_model` reaches; not those inside a wrapper."""
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _can_turn(layer):
    return (
        type(layer) is keras.layers.Conv2DTranspose
        and layer.strides[0] == layer.strides[1] > 1
        and layer.padding == "same"
        and layer.output_padding is None
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.data_format == "channels_last"
    )


def _kernel(kernel, block):
    """The kernel of the convolution, (rows, columns, in, block^2 * out), from a transposed one's (k, k, out, in).

    Along one axis pixel o of the output takes kernel[o + before - block * i] from pixel i of the input; so the phase r
    of o = block * p + r takes kernel[r + before - block * j] from the input's pixel p + j.
    """
    sizes = kernel.shape[:2]
    before = [max(size - block, 0) // 2 for size in sizes]
    taps = [
        {
            (r, j): r + b - block * j
            for r in range(block)
            for j in range(-size, size + 1)
            if 0 <= r + b - block * j < size
        }
        for size, b in zip(sizes, before, strict=True)
    ]
    reach = [max(abs(j) for _, j in axis) for axis in taps]
    turned = np.zeros(
        (2 * reach[0] + 1, 2 * reach[1] + 1, kernel.shape[3], block, block, kernel.shape[2]), kernel.dtype
    )
    for (row, down), y in taps[0].items():
        for (column, right), x in taps[1].items():
            turned[reach[0] + down, reach[1] + right, :, row, column] = kernel[y, x].T
    return turned.reshape(*turned.shape[:3], -1)
