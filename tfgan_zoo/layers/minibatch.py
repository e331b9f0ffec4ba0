"""Layers that let a discriminator compare the examples of a batch, so that it sees a generator repeat itself.

They mix examples: the output for one depends on all. A gradient penalty, which takes the slope at each image from the
gradient of the summed logits, then gets a gradient in which the examples are mixed too.
"""

import math

from keras import layers, ops

from tfgan_zoo.serialization import serializable


@serializable
class MinibatchDiscrimination(layers.Layer):
    """Appends to each example how close it is to the examples of its batch, by `kernels` learned measures.

    Salimans et al. 2016, Sec. 3.2: M = xT is (kernels, dimensions) for an example, and feature b of example i is
    o(x_i)_b = sum over j of exp(-||M_ib - M_jb||_1). As in the paper j = i is counted, a constant 1; as in the authors'
    code T starts with columns of about unit length. Memory grows with N * N * kernels * dimensions. It mixes the
    examples of a batch, and so does a gradient penalty's gradient then.

    Args:
        kernels: number of features B that are appended, >= 1.
        dimensions: coordinates C of the space in which a feature measures distance, >= 1.
        **keras_arguments: name, dtype and so on.

    Input (N, features), output (N, features + kernels).

    Raises:
        ValueError: if kernels or dimensions is not a positive integer, or the input is not (N, features).
    """

    def __init__(self, kernels=50, dimensions=5, **keras_arguments):
        super().__init__(**keras_arguments)
        for name, number in (("kernels", kernels), ("dimensions", dimensions)):
            if type(number) is not int or number < 1:
                raise ValueError(f"{name}={number!r}: give an integer >= 1; 50 kernels of 5 dimensions are usual.")
        self.kernels = kernels
        self.dimensions = dimensions

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                f"input of shape {tuple(input_shape)}: MinibatchDiscrimination takes (N, features); "
                "put a Flatten layer before it."
            )
        self.projection = self.add_weight(
            name="projection",
            shape=(input_shape[-1], self.kernels * self.dimensions),
            initializer="lecun_normal",
            dtype="float32",
            autocast=False,
        )

    def call(self, inputs):
        projected = ops.matmul(ops.cast(inputs, "float32"), self.projection)
        measures = ops.reshape(ops.transpose(projected), (self.kernels, self.dimensions, -1))
        coordinates = ops.unstack(measures, self.dimensions, axis=1)  # with examples innermost, where loops are fast
        distances = sum(ops.abs(one[:, :, None] - one[:, None]) for one in coordinates)
        closeness = ops.transpose(ops.sum(ops.exp(-distances), axis=-1))
        return ops.concatenate([inputs, ops.cast(closeness, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        return super().get_config() | {"kernels": self.kernels, "dimensions": self.dimensions}


@serializable
class MinibatchStdDev(layers.Layer):
    """Appends one channel: how much a group of examples varies, on average over features and places.

    Karras et al. 2018, Sec. 3. The standard deviation over the group, averaged to one number, is repeated for all of
    the group and at all places. Examples i, i + N/G, i + 2N/G, ... make a group of G = group_size; if N is no multiple
    of it, the whole batch is one group. It mixes the examples of a group, and so does a gradient penalty's gradient
    then.

    Args:
        group_size: examples in a group, >= 2; 4 in the authors' code.
        epsilon: added to the variance under the root, > 0, which keeps the gradient finite for equal examples.
        **keras_arguments: name, dtype and so on.

    Input (N, features) or (N, height, width, channels), N >= 2; output has one feature or channel more.

    Raises:
        ValueError: if group_size is not an integer >= 2, or epsilon is not positive.
    """

    def __init__(self, group_size=4, epsilon=1e-8, **keras_arguments):
        super().__init__(**keras_arguments)
        if type(group_size) is not int or group_size < 2:
            raise ValueError(
                f"group_size={group_size!r}: examples are compared in groups of an integer >= 2; the usual is 4."
            )
        if not epsilon > 0.0:
            raise ValueError(f"epsilon={epsilon}: it keeps the root's gradient finite and must be > 0; 1e-8 is usual.")
        self.group_size = group_size
        self.epsilon = epsilon

    def call(self, inputs):
        batch, *places, _ = ops.shape(inputs)
        if isinstance(batch, int):  # static shapes, which XLA needs
            group = batch if batch % self.group_size else self.group_size
        else:
            group = ops.where(batch % self.group_size == 0, self.group_size, batch)
        grouped = ops.reshape(ops.cast(inputs, "float32"), (group, batch // group, math.prod(inputs.shape[1:])))
        deviation = ops.mean(ops.sqrt(ops.var(grouped, axis=0) + self.epsilon), axis=-1)
        channel = ops.reshape(ops.tile(deviation, [group]), (-1, *(1 for _ in places), 1))
        channel = ops.broadcast_to(channel, (batch, *places, 1))
        return ops.concatenate([inputs, ops.cast(channel, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return super().get_config() | {"group_size": self.group_size, "epsilon": self.epsilon}
