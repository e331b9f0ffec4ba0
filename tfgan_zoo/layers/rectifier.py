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
        gain: what both slopes are multiplied by; sqrt(2) keeps the variance in networks of equalised rates.
        **keras_arguments: name, dtype and so on.

    Raises:
        ValueError: if slope is not in [0, 1), or gain not positive.

    Example:

    >>> import numpy as np
    >>> from tfgan_zoo import layers
    >>> print(layers.Rectifier(0.5)(np.array([[-1.0, 2.0]])).numpy())
    [[-0.5  2. ]]
    """

    def __init__(self, slope=0.0, gain=1.0, **keras_arguments):
        if not 0.0 <= slope < 1.0:
            raise ValueError(f"slope={slope!r} of negative inputs: give a number from 0 to below 1, such as 0.2.")
        if not gain > 0.0:
            raise ValueError(f"gain={gain!r}: give a number above 0; 1 leaves the slopes alone.")
        super().__init__(**keras_arguments)
        self.slope, self.gain = float(slope), float(gain)

    def build(self, input_shape):
        pass

    def call(self, inputs):
        slopes = ops.cast(ops.where(inputs > 0, self.gain, self.gain * self.slope), inputs.dtype)
        return inputs * ops.stop_gradient(slopes)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"slope": self.slope, "gain": self.gain}
