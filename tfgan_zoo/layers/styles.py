"""What generators with styles are made of: a style per layer scales and shifts its maps, or the weights themselves."""

import math

import keras
import numpy as np
from keras import layers, ops

from tfgan_zoo import noise
from tfgan_zoo.layers.filters import Blur
from tfgan_zoo.layers.noisy import Noisy
from tfgan_zoo.serialization import serializable


@serializable
class PixelNorm(layers.Layer):
    """Every pixel's vector of features divided by its root mean square (Karras et al. 2018, Eq. 2).

    Args:
        epsilon: added to the mean square.
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, epsilon=1e-8, **keras_arguments):
        super().__init__(**keras_arguments)
        self.epsilon = epsilon

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return ops.cast(x * ops.rsqrt(ops.mean(x * x, axis=-1, keepdims=True) + self.epsilon), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}


@serializable
class AdaIN(layers.Layer):
    """Adaptive instance normalisation: each map of each image gets the mean and deviation that a style says.

    Huang & Belongie 2017, Eq. 8; Karras et al. 2019, Eq. 1. Called on [maps (N, H, W, C), styles (N, 2 C)], where the
    first half of a style is the deviation's distance from 1 and the second half the mean.

    Args:
        epsilon: added to the variance.
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, epsilon=1e-8, **keras_arguments):
        super().__init__(**keras_arguments)
        self.epsilon = epsilon

    def call(self, inputs):
        maps, styles = inputs
        x = ops.cast(maps, "float32")
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        scale, shift = ops.split(ops.cast(styles, "float32")[:, None, None], 2, axis=-1)
        return ops.cast((x - mean) * (ops.rsqrt(variance + self.epsilon) * (1.0 + scale)) + shift, maps.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}


@serializable
class ModulatedConv2D(layers.Layer):
    """A convolution whose weights an image's style scales, channel by channel of the input, and then normalises.

    Karras et al. 2020, Eq. 1 and 3. An image's own weights are w'_kio = s_i w_kio and w''_kio = w'_kio / |w'_o|. No
    weights are made for each image: s scales what goes in and 1 / |w'_o| what comes out, which is the same, since a
    convolution is linear. The kernel starts as N(0, 1) and is divided by sqrt(fan-in) (Karras et al. 2018, Sec. 4.1).

    Called on [maps (N, H, W, C), styles (N, C)].

    Args:
        filters: channels of the output.
        kernel_size: of both sides, odd.
        demodulate: whether the weights are normalised; not for the layer that makes colours.
        use_bias: whether a bias is added to what comes out.
        up: whether maps are doubled in size, by a transposed convolution and the filter [1, 3, 3, 1].
        epsilon: added to |w'_o|^2.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if filters or kernel_size is none of these.
    """

    def __init__(
        self, filters, kernel_size=3, demodulate=True, up=False, use_bias=True, epsilon=1e-8, **keras_arguments
    ):
        super().__init__(**keras_arguments)
        if type(filters) is not int or filters < 1:
            raise ValueError(f"filters={filters!r}: give the number of channels, an integer >= 1.")
        if type(kernel_size) is not int or kernel_size < 1 or kernel_size % 2 == 0 or (up and kernel_size != 3):
            raise ValueError(f"kernel_size={kernel_size!r}: give an odd integer; 3 where maps are doubled.")
        self.filters, self.kernel_size, self.demodulate, self.up = filters, kernel_size, demodulate, up
        self.use_bias, self.epsilon = use_bias, epsilon
        self.blur = Blur(4, padding=1, dtype=self.dtype_policy) if up else None

    def build(self, input_shape):
        (*_, channels), (*_, styled) = input_shape
        if channels != styled:
            raise ValueError(f"styles have {styled} numbers for maps of {channels} channels: give one for each.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            dtype="float32",
            autocast=False,
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        maps, styles = inputs
        styles = ops.cast(styles, "float32")
        kernel = self.kernel * (1.0 / math.sqrt(math.prod(self.kernel.shape[:-1])))  # a Python number: float32 stays
        x = maps * ops.cast(styles, maps.dtype)[:, None, None]
        weights = ops.cast(kernel, maps.dtype)
        if self.up:
            x = ops.conv_transpose(x, ops.transpose(weights, (0, 1, 3, 2)), strides=2, padding="valid")
            x = self.blur(x)
        else:
            x = ops.conv(x, weights, padding="same")
        factor = 4.0 if self.up else 1.0
        if self.demodulate:
            squared = ops.matmul(styles**2, ops.sum(kernel**2, axis=(0, 1)))
            x = x * ops.cast(factor * ops.rsqrt(squared + self.epsilon), maps.dtype)[:, None, None]
        elif self.up:
            x = factor * x
        return x + ops.cast(self.bias, maps.dtype) if self.use_bias else x

    def compute_output_shape(self, input_shape):
        rows, height, width, _ = input_shape[0]
        times = 2 if self.up else 1
        return rows, times * height, times * width, self.filters

    def get_config(self):
        own = ("filters", "kernel_size", "demodulate", "up", "use_bias", "epsilon")
        return super().get_config() | {name: getattr(self, name) for name in own}


@serializable
class NoiseInjection(Noisy):
    """Adds one map of normal noise to all channels, times a learned strength that starts at 0.

    Karras et al. 2019, Sec. 2 (a strength for each channel); Karras et al. 2020, App. B (one for all). Noise is new in
    every training call; otherwise it is one fixed map, so that a latent has one image.

    Args:
        number: of the fixed map; give each layer of a network another.
        per_channel: whether every channel has a strength of its own.
        use_bias: whether a bias is added beside it.
        seed: integer of the noise of training; None takes one from Python's generator.
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, number=0, per_channel=False, use_bias=False, seed=None, **keras_arguments):
        super().__init__(seed, **keras_arguments)
        self.number, self.per_channel, self.use_bias = number, per_channel, use_bias

    def build(self, input_shape):
        _, height, width, channels = input_shape
        shape = (channels,) if self.per_channel else ()
        self.strength = self.add_weight(name="strength", shape=shape, initializer="zeros")
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")
        self.fixed = np.random.RandomState(self.number).standard_normal((height, width, 1)).astype("float32")

    def call(self, inputs, training=False):
        drawn = self.drawn(noise.normal, inputs[..., :1]) if training else self.fixed
        outputs = inputs + ops.cast(drawn, inputs.dtype) * ops.cast(self.strength, inputs.dtype)
        return outputs + ops.cast(self.bias, inputs.dtype) if self.use_bias else outputs

    def get_config(self):
        return super().get_config() | {name: getattr(self, name) for name in ("number", "per_channel", "use_bias")}


@serializable
class LearnedMap(layers.Layer):
    """The same learned maps for every example of a batch, however it is called (Karras et al. 2019, Sec. 2).

    Args:
        shape: (height, width, channels).
        initializer: of the maps.
        **keras_arguments: name, dtype and so on.

    Input (N, ...), output (N, height, width, channels).
    """

    def __init__(self, shape, initializer="ones", **keras_arguments):
        super().__init__(**keras_arguments)
        self.shape, self.initializer = tuple(shape), keras.initializers.get(initializer)

    def build(self, input_shape):
        self.maps = self.add_weight(name="maps", shape=self.shape, initializer=self.initializer)

    def call(self, inputs):
        return ops.tile(ops.cast(self.maps, self.compute_dtype)[None], (ops.shape(inputs)[0], 1, 1, 1))

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return super().get_config() | {"shape": list(self.shape), "initializer": initializer}


@serializable
class MovingMean(layers.Layer):
    """Passes its inputs on, and remembers their mean over the training calls: w-bar of the truncation trick.

    Karras et al. 2019, Sec. 3.1 and App. B.

    Args:
        momentum: of the mean, in [0, 1).
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, momentum=0.995, **keras_arguments):
        super().__init__(**keras_arguments)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum={momentum}: it lies in [0, 1); 0.995 is usual.")
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            name="mean",
            shape=(input_shape[-1],),
            initializer="zeros",
            dtype="float32",
            autocast=False,
            trainable=False,
            aggregation="mean",  # of replicas' batches
        )

    def call(self, inputs, training=False):
        if training:
            now = ops.mean(ops.cast(inputs, "float32"), axis=tuple(range(len(inputs.shape) - 1)))
            self.mean.assign(self.mean + (1.0 - self.momentum) * (ops.stop_gradient(now) - self.mean))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum}


@serializable
class Clipped(layers.Layer):
    """Values beyond [low, high] are cut off, but in training they pass, so that they can be learned from.

    For generators whose last layer is linear (Karras et al. 2018, App. A).

    Args:
        low, high: bounds; images lie in [-1, 1].
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, low=-1.0, high=1.0, **keras_arguments):
        super().__init__(**keras_arguments)
        self.low, self.high = low, high

    def call(self, inputs, training=False):
        return inputs if training else ops.clip(inputs, self.low, self.high)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"low": self.low, "high": self.high}
