"""The rectifier of a network that a penalty may differentiate twice."""

from keras import layers, ops

from tfgan_zoo.serialization import serializable


@serializable
class Rectifier(layers.Layer):
    """max(x, slope · x), whose derivative is a constant wherever it is differentiated again.

    A gradient penalty (Gulrajani et al. 2017, Eq. 3) differentiates ∇ₓD, in which a rectifier stands as its slopes.
    They are flat almost everywhere, but TensorFlow's own rectifiers answer with an array of zeros rather than with
    nothing, and those zeros then travel back through every convolution below. Here nothing does.

    Args:
        slope: of negative inputs, in [0, 1); 0 for a plain rectifier.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if slope is not in [0, 1).

    Example:

    >>> import numpy as np
    >>> from tfgan_zoo import layers
    >>> print(layers.Rectifier(0.5)(np.array([[-1.0, 2.0]])).numpy())
    [[-0.5  2. ]]
    """

    def __init__(self, slope=0.0, **keras_arguments):
        if not 0.0 <= slope < 1.0:
            raise ValueError(f"slope={slope!r} of negative inputs: give a number from 0 to below 1, such as 0.2.")
        super().__init__(**keras_arguments)
        self.slope = float(slope)

    def build(self, input_shape):
        pass

    def call(self, inputs):
        slopes = ops.cast(ops.where(inputs > 0, 1.0, self.slope), inputs.dtype)
        return inputs * ops.stop_gradient(slopes)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"slope": self.slope}
