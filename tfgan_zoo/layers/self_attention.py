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
        ValueError: if maps have sides that are odd.
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if height % 2 or width % 2:
            raise ValueError(f"maps of {height} x {width}: SelfAttention pools them 2 x 2, so give even sides.")
        few, half = max(1, channels // 8), max(1, channels // 2)

        def product(units, name):
            return SpectralNorm(layers.Dense(units, use_bias=False, name=name, dtype=self.dtype_policy))

        self.theta, self.phi = product(few, "theta"), product(few, "phi")
        self.g, self.o = product(half, "g"), product(channels, "o")
        for layer in (self.theta, self.phi, self.g):
            layer.build(input_shape)
        self.o.build((*input_shape[:-1], half))
        self.sigma = self.add_weight(name="sigma", shape=(), initializer="zeros")

    def attention(self, maps, training=False):
        """Shares (N, H W, H W / 4): what each pixel takes from each pooled one; they sum to 1 over the last axis."""
        theta = _pixels(self.theta(maps, training=training))
        phi = _pixels(_pooled(self.phi(maps, training=training)))
        scores = ops.matmul(theta, ops.transpose(phi, (0, 2, 1)))
        return ops.softmax(ops.cast(scores, "float32"), axis=-1)

    def call(self, inputs, training=False):
        _, height, width, _ = inputs.shape
        shares = ops.cast(self.attention(inputs, training), inputs.dtype)
        gathered = ops.matmul(shares, _pixels(_pooled(self.g(inputs, training=training))))
        gathered = ops.reshape(gathered, (-1, height, width, gathered.shape[-1]))
        return inputs + ops.cast(self.sigma, inputs.dtype) * self.o(gathered, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape


def _pooled(maps):
    return ops.max_pool(maps, 2, strides=2, padding="valid")


def _pixels(maps):
    _, height, width, channels = maps.shape
    return ops.reshape(maps, (-1, height * width, channels))
