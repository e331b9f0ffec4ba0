"""The restricted Boltzmann machine as a layer: free energy, and either side given the other."""

import keras
from keras import ops

from tfgan_zoo.serialization import serializable


@serializable
class RestrictedBoltzmann(keras.Layer):
    """Free energy of binary visible units: F(v) = -b'v - sum softplus(c + W'v).

    Smolensky 1986; Hinton 2012 (A practical guide), Sec. 2. Parameters may be kept around offsets of the units' means
    (Melchior et al. 2016), which leaves the model and changes its gradient's direction: `recentre` moves offsets, and
    biases with them, so that no probability changes.

    Args:
        units: hidden units.
        centred: whether there are offsets.
    """

    def __init__(self, units, centred=True, **arguments):
        super().__init__(**arguments | {"dtype": "float32"})  # log Z sums thousands of terms
        self.units, self.centred = units, bool(centred)

    def build(self, bits_shape):
        """Make the weights: couplings of 0.01 (Hinton 2012, Sec. 8), no biases, offsets at 0."""

        def vector(name, size, **arguments):
            return self.add_weight(name=name, shape=(size,), initializer="zeros", **arguments)

        size = bits_shape[-1]
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.kernel = self.add_weight(name="kernel", shape=(size, self.units), initializer=normal)
        self.visible_bias, self.hidden_bias = vector("visible_bias", size), vector("hidden_bias", self.units)
        self.visible_mean = vector("visible_mean", size, trainable=False)  # of the data: AIS starts from it
        if self.centred:
            self.visible_offset = vector("visible_offset", size, trainable=False)
            self.hidden_offset = vector("hidden_offset", self.units, trainable=False)

    def parameters(self):
        """W, b and c of F(v) = -b'v - sum softplus(c + W'v), whatever the offsets are."""
        if not self.centred:
            return [ops.convert_to_tensor(weight) for weight in (self.kernel, self.visible_bias, self.hidden_bias)]
        visible = self.visible_bias - ops.matmul(self.kernel, self.hidden_offset)
        hidden = self.hidden_bias - ops.matmul(self.visible_offset, self.kernel)
        return ops.convert_to_tensor(self.kernel), visible, hidden

    def call(self, bits):
        """Visible units (N, D) in {0, 1} -> free energy (N,)."""
        kernel, visible, hidden = self.parameters()
        bits = ops.cast(bits, "float32")
        return self.free_energy(bits, hidden + ops.matmul(bits, kernel), visible)

    @staticmethod
    def free_energy(bits, inputs, visible):
        """F (N,) of v (N, D), where the total inputs c + W'v of hidden units are known, (N, units)."""
        return -ops.matmul(bits, visible) - ops.sum(ops.softplus(inputs), axis=-1)

    @staticmethod
    def flipped(bits, inputs, chosen, kernel, visible):
        """F(v with one unit flipped) - F(v), (N,), by a row of W each.

        Args:
            bits: v, (N, D) in {0, 1}.
            inputs: c + W'v, (N, units).
            chosen: which visible unit of each v, integers (N,).
            kernel: W.
            visible: b.
        """
        sign = 1.0 - 2.0 * ops.take_along_axis(bits, chosen[:, None], axis=1)
        after = inputs + sign * ops.take(kernel, chosen, axis=0)
        apart = ops.sum(ops.softplus(after) - ops.softplus(inputs), axis=-1)
        return -sign[:, 0] * ops.take(visible, chosen) - apart

    def recentre(self, visible_mean, hidden_mean, rate):
        """Offsets a share of the way to the units' means, and biases so that no probability changes."""
        change = rate * (visible_mean - self.visible_offset)
        self.hidden_bias.assign_add(ops.matmul(change, self.kernel))
        self.visible_offset.assign_add(change)
        change = rate * (hidden_mean - self.hidden_offset)
        self.visible_bias.assign_add(ops.matmul(self.kernel, change))
        self.hidden_offset.assign_add(change)

    def compute_output_spec(self, bits):
        return keras.KerasTensor(bits.shape[:1], "float32")

    def get_config(self):
        return super().get_config() | {"units": self.units, "centred": self.centred}
