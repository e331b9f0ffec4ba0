"""Spectral normalisation: layers whose kernel, read as a matrix, stretches nothing by more than 1."""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

# kinds of layers -> the axis of their kernel that counts outputs
_OUTPUT_AXIS = {
    (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.Embedding): -1,
    (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose): -2,
}


@serializable
class SpectralNorm(layers.Wrapper):
    """A layer that computes with W / σ(W), its kernel divided by an estimate of its largest singular value.

    Miyato et al. 2018, Sec. 2.1 and Algorithm 1. The kernel is read as a matrix W (outputs, everything else). A call
    with training=True first takes `steps` power iterations, v = W'u / ||W'u|| and u = Wv / ||Wv||. Any call then
    divides by σ = u'Wv with v = W'u / ||W'u||. Only u is stored, and nothing but training=True moves it.

    u and v are constants to the gradient, σ is not: it flows to W through both sides of the fraction (Sec. 2.3). Keras'
    SpectralNormalization instead overwrites the kernel in the forward pass, which drops that term. Here the layer
    keeps the W that the optimizer moves; regularisers and constraints of the layer see W, not W / σ. A W of zeros,
    which has no direction, is left as it is.

    Args:
        layer: a Dense, Embedding, Conv or ConvTranspose layer. It computes in the wrapper's dtype.
        steps: power iterations in a training call, >= 1; one is enough, because W moves slowly.
        **keras_arguments: name, dtype and so on; dtype is the layer's unless given.

    Raises:
        ValueError: if layer has no kernel that is known here, or steps is not a positive integer.
    """

    def __init__(self, layer, steps=1, **keras_arguments):
        axes = [axis for kinds, axis in _OUTPUT_AXIS.items() if isinstance(layer, kinds)]
        if not axes:
            raise ValueError(
                f"layer={type(layer).__name__}: SpectralNorm wraps Dense, Embedding, Conv and ConvTranspose layers; "
                "wrap the layers inside it one by one."
            )
        if type(steps) is not int or steps < 1:
            raise ValueError(f"steps={steps!r}: the number of power iterations is an integer >= 1; the paper takes 1.")
        super().__init__(layer, **({"dtype": layer.dtype_policy, "name": f"spectral_{layer.name}"} | keras_arguments))
        layer.dtype_policy = self.dtype_policy  # a copy of the wrapper in another precision is one altogether
        self.steps = steps
        self._output_axis = axes[0]

    @property
    def kernel(self):
        """The variable W that is trained, not normalised."""
        return self.layer.embeddings if isinstance(self.layer, layers.Embedding) else self.layer.kernel

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self.kernel.shape[self._output_axis], 1),
            initializer=_random_direction,
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # W is the same on all of them, and so is u
        )

    def call(self, inputs, training=False):
        values = [(variable, variable.value) for variable in self.layer.variables]
        values.append((self.kernel, self._normalized_kernel(training)))  # the later entry counts
        with keras.StatelessScope(values, collect_losses=True) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:  # of an activity regulariser
            self.add_loss(loss)
        return outputs

    def _normalized_kernel(self, training):
        kernel = ops.cast(self.kernel, "float32")
        matrix = ops.moveaxis(kernel, self._output_axis, 0)
        matrix = ops.reshape(matrix, (matrix.shape[0], -1))
        u = self.u.value
        if training:
            for _ in range(self.steps):
                u = _direction(ops.matmul(matrix, _direction(ops.matmul(ops.transpose(matrix), u))))
            u = ops.stop_gradient(u)
            self.u.assign(u)
        squared = ops.sum(ops.matmul(ops.transpose(matrix), u) ** 2)
        sigma = ops.sqrt(ops.where(squared > 0, squared, 1.0))  # u'Wv; its gradient is uv', as if v were a constant
        return kernel / sigma

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return super().get_config() | {"steps": self.steps}


def _direction(column):
    return column / ops.maximum(ops.norm(column), 1e-12)


def _random_direction(shape, dtype):
    return _direction(keras.initializers.RandomNormal()(shape, dtype))
