"""Batch normalisation whose scale and offset are read from what an image is told."""

from keras import layers

from tfgan_zoo.layers.batch_norm import BatchNormalization
from tfgan_zoo.layers.spectral import SpectralNorm
from tfgan_zoo.serialization import serializable


@serializable
class ConditionalBatchNormalization(layers.Layer):
    """Maps normalised over the batch, then scaled by 1 + A v and shifted by B v, with v what each image is told.

    Dumoulin et al. 2017; with v an embedding shared by all layers, and a part of the latent beside it, Brock et al.
    2019, App. B.1. A and B start small, have no bias, and are spectrally normalised if asked for.

    Called on [maps (N, H, W, C), vectors (N, d)].

    Args:
        spectral: whether A and B are divided by their largest singular value.
        momentum: of the moving moments.
        epsilon: added to the variance.
        **keras_arguments: name, dtype and so on.
    """

    def __init__(self, spectral=False, momentum=0.9, epsilon=1e-5, **keras_arguments):
        super().__init__(**keras_arguments)
        self.spectral, self.momentum, self.epsilon = spectral, momentum, epsilon

    def build(self, input_shape):
        maps, vectors = input_shape
        own = {"dtype": self.dtype_policy, "name": "norm", "momentum": self.momentum, "epsilon": self.epsilon}
        self.norm = BatchNormalization(center=False, scale=False, **own)
        self.norm.build(maps)

        def linear(name):
            start = "orthogonal" if self.spectral else "zeros"
            layer = layers.Dense(maps[-1], use_bias=False, kernel_initializer=start, name=name, dtype=self.dtype_policy)
            layer = SpectralNorm(layer) if self.spectral else layer
            layer.build(vectors)
            return layer

        self.scale, self.shift = linear("scale"), linear("shift")

    def call(self, inputs, training=False):
        maps, vectors = inputs
        told = {"training": training} if self.spectral else {}
        scale, shift = (layer(vectors, **told)[:, None, None] for layer in (self.scale, self.shift))
        return self.norm(maps, training=training) * (1.0 + scale) + shift

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        own = ("spectral", "momentum", "epsilon")
        return super().get_config() | {name: getattr(self, name) for name in own}
