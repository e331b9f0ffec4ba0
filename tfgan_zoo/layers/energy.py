"""The energy of autoencoder discriminators: how badly they reconstruct an image."""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

_UNDER_THE_ROOT = 1e-12  # the root's slope at 0 is infinite


@serializable
class ReconstructionEnergy(layers.Layer):
    """The distance of images from their reconstructions: low for what the autoencoder takes for real.

    order=2 is Zhao et al. 2017 (EBGAN), Sec. 2.3: ||x - y||_2 of a whole image, not squared; their margins are
    for that norm. order=1 is Berthelot et al. 2017 (BEGAN), Eq. 1: the mean of |x - y| over an image's values. At
    x = y both have gradient 0.

    Args:
        order: 1 or 2.
        **keras_arguments: name, dtype and so on.

    Input [images, reconstructions], both (N, ...) of one shape; output (N, 1), always float32.

    Raises:
        ValueError: if order is neither 1 nor 2, or the inputs are not two of one shape.
    """

    def __init__(self, order=2, **keras_arguments):
        if order not in (1, 2):
            raise ValueError(f"order={order!r}: take 2 for EBGAN's Euclidean norm or 1 for BEGAN's mean of |x - y|.")
        super().__init__(autocast=False, **keras_arguments)  # images are compared as they come
        self.order = order

    def build(self, input_shape):
        shapes = [tuple(shape[1:]) for shape in input_shape] if isinstance(input_shape[0], (list, tuple)) else []
        if len(shapes) != 2 or shapes[0] != shapes[1]:
            raise ValueError(
                f"inputs of shape {input_shape}: ReconstructionEnergy takes [images, reconstructions], "
                "two tensors of one shape."
            )

    def call(self, inputs):
        images, reconstructions = (ops.cast(x, "float32") for x in inputs)
        axes = tuple(range(1, len(images.shape)))
        if self.order == 1:
            energy = ops.mean(ops.abs(images - reconstructions), axes)
        else:
            energy = ops.sqrt(ops.sum((images - reconstructions) ** 2, axes) + _UNDER_THE_ROOT)
        return energy[:, None]

    def compute_output_shape(self, input_shape):
        return input_shape[0][0], 1

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape([one.shape for one in inputs]), "float32")

    def get_config(self):
        return super().get_config() | {"order": self.order}
