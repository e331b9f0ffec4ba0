"""Resampling of maps by the binomial filter, of which every derivative exists: averages of 2 x 2 pixels, repeated.

[1, 3, 3, 1] is [1, 1] convolved with itself twice. So a blur is three averages of neighbours, which every compiler and
LiteRT has kernels for, and costs what one depthwise convolution costs.
"""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable


@serializable
class NearestUpsampling(keras.Operation):
    """Maps of twice the height and width, each pixel four times.

    The values of `ops.image.resize(..., interpolation="nearest")`, whose gradient XLA has no CPU kernel for. It is one
    node of a graph, as that is: Keras orders the layers of a network, and so its saved weights, by depth in nodes.
    """

    def call(self, x):
        """(N, 2 H, 2 W, C) from (N, H, W, C); H, W and C are known."""
        _, height, width, channels = x.shape
        x = ops.tile(ops.reshape(x, (-1, height, 1, width * channels)), (1, 1, 2, 1))
        x = ops.tile(ops.reshape(x, (-1, 2 * height * width, 1, channels)), (1, 1, 2, 1))
        return ops.reshape(x, (-1, 2 * height, 2 * width, channels))

    def compute_output_spec(self, x):
        """The shape and dtype of what `call` returns."""
        rows, height, width, channels = x.shape
        return keras.KerasTensor((rows, 2 * height, 2 * width, channels), dtype=x.dtype)


class _Binomial(layers.Layer):
    """What the filters share: the number of taps."""

    def __init__(self, taps=4, **keras_arguments):
        super().__init__(**keras_arguments)
        if type(taps) is not int or taps < 2:
            raise ValueError(f"taps={taps!r}: a binomial filter has at least 2; [1, 3, 3, 1] has 4, [1, 2, 1] has 3.")
        self.taps = taps

    def averaged(self, x, times):
        """x after so many averages of 2 x 2 neighbours, each of which takes a row and a column away."""
        for _ in range(times):
            x = ops.average_pool(x, 2, strides=1, padding="valid")
        return x

    def get_config(self):
        return super().get_config() | {"taps": self.taps}


@serializable
class Blur(_Binomial):
    """Maps under the binomial filter of `taps` values a side, with zeros around them.

    Karras et al. 2019, App. C ([1, 2, 1]); Zhang 2019. With padding p, a side of n pixels becomes n + 2p - taps + 1.

    Args:
        taps: values of the filter, >= 2.
        padding: zeros on each side, >= 0.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if taps is not an integer >= 2, or padding not one >= 0.
    """

    def __init__(self, taps=4, padding=1, **keras_arguments):
        super().__init__(taps, **keras_arguments)
        if type(padding) is not int or padding < 0:
            raise ValueError(f"padding={padding!r}: give the number of zeros on each side, an integer >= 0.")
        self.padding = padding

    def call(self, inputs):
        return self.averaged(_padded(inputs, self.padding), self.taps - 1)

    def compute_output_shape(self, input_shape):
        rows, height, width, channels = input_shape
        more = 2 * self.padding - self.taps + 1
        return rows, height + more, width + more, channels

    def get_config(self):
        return super().get_config() | {"padding": self.padding}


@serializable
class FilteredUpsampling(_Binomial):
    """Maps of twice the size: zeros between the pixels, then the binomial filter, times 4 (upfirdn by 2).

    Karras et al. 2020, App. B, whose filter has 4 taps; it equals bilinear interpolation inside.

    Args:
        taps: values of the filter, even.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if taps is not an even integer >= 2.
    """

    def __init__(self, taps=4, **keras_arguments):
        super().__init__(taps, **keras_arguments)
        _check_even(taps)

    def call(self, inputs):
        x = NearestUpsampling()(inputs)  # which is the first of the averages, between zeros, times 4
        return self.averaged(_padded(x, (self.taps - 2) // 2), self.taps - 2)

    def compute_output_shape(self, input_shape):
        rows, height, width, channels = input_shape
        return rows, 2 * height, 2 * width, channels


@serializable
class FilteredDownsampling(_Binomial):
    """Maps of half the size: the binomial filter, then every second pixel (upfirdn down by 2).

    Karras et al. 2020, App. B, whose filter has 4 taps.

    Args:
        taps: values of the filter, even.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if taps is not an even integer >= 2.
    """

    def __init__(self, taps=4, **keras_arguments):
        super().__init__(taps, **keras_arguments)
        _check_even(taps)

    def call(self, inputs):
        x = self.averaged(_padded(inputs, (self.taps - 2) // 2), self.taps - 2)
        return ops.average_pool(x, 2, strides=2, padding="valid")

    def compute_output_shape(self, input_shape):
        rows, height, width, channels = input_shape
        return rows, height // 2, width // 2, channels


def _padded(x, zeros):
    return ops.pad(x, ((0, 0), (zeros, zeros), (zeros, zeros), (0, 0))) if zeros else x


def _check_even(taps):
    if taps % 2:
        raise ValueError(f"taps={taps}: a filter that changes the size by 2 has an even number of them; 4 is usual.")
