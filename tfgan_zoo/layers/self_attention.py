"""Self-attention between far pixels of maps."""

from keras import layers, ops

from tfgan_zoo.layers.spectral import SpectralNorm
from tfgan_zoo.serialization import serializable


@serializable
class SelfAttention(layers.Layer):
    """Maps plus what each pixel gathers from all others: x + sigma o(softmax(theta phi') g), with sigma 0 at first.

    Zhang et al. 2019, Sec. 3, in the form of the authors' code: theta and phi have an eighth of the channels and g a
    half; phi and g are pooled 2 x 2; every product is a spectrally normalised 1 x 1 convolution without bias. The
    softmax is over keys, in float32.

    Args:
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if maps have fewer than 8 channels, or sides that are odd.
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if channels < 8 or height % 2 or width % 2:
            raise ValueError(
                f"maps of {height} x {width} x {channels}: SelfAttention takes an eighth of the channels and pools "
                "2 x 2, so give at least 8 channels and even sides."
            )

        def product(units, name):
            layer = layers.Dense(units, use_bias=False, name=name, dtype=self.dtype_policy)
            layer = SpectralNorm(layer)
            return layer

        self.theta, self.phi = product(channels // 8, "theta"), product(channels // 8, "phi")
        self.g, self.o = product(channels // 2, "g"), product(channels, "o")
        for layer in (self.theta, self.phi, self.g):
            layer.build(input_shape)
        self.o.build((*input_shape[:-1], channels // 2))
        self.sigma = self.add_weight(name="sigma", shape=(), initializer="zeros")

    def attention(self, maps, training=False):
        """Shares (N, H W, H W / 4): what each pixel takes from each pooled one; they sum to 1 over the last axis."""
        theta = _pixels(self.theta(maps, training=training))
        phi = _pixels(_pooled(self.phi(maps, training=training)))
        scores = ops.matmul(theta, ops.transpose(phi, (0, 2, 1)))
        return ops.softmax(ops.cast(scores, "float32"), axis=-1)

    def call(self, inputs, training=False):
        _, height, width, channels = inputs.shape
        shares = ops.cast(self.attention(inputs, training), inputs.dtype)
        gathered = ops.matmul(shares, _pixels(_pooled(self.g(inputs, training=training))))
        gathered = ops.reshape(gathered, (-1, height, width, channels // 2))
        return inputs + ops.cast(self.sigma, inputs.dtype) * self.o(gathered, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape


def _pooled(maps):
    return ops.max_pool(maps, 2, strides=2, padding="valid")


def _pixels(maps):
    _, height, width, channels = maps.shape
    return ops.reshape(maps, (-1, height * width, channels))
