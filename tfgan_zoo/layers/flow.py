"""Invertible layers of a normalising flow: affine couplings on halves that alternate, in several scales."""

import math

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

_SHIFT = 2.0  # a coupling's scale starts at sigmoid(2), near 1
_LEAST = 0.01  # of a scale: back towards images a coupling magnifies by 100 at most, or some rows would overflow
_PACE = 3.0  # Kingma & Dhariwal 2018, their code: log-scales of a channel move three times as fast as weights
_COLOURS = ((0, 3), (1, 2))  # of a block's four pixels: one colour of the checkerboard, and the other


@serializable
class Coupling(keras.Layer):
    """One half of the channels scaled and shifted by a network of the other, which then change places.

    Dinh et al. 2017, Sec. 3.2 and 3.3. The scale is sigmoid(s + 2), kept above 0.01: never above 1, because a
    product of scales above 1 costs the inverse its digits; what must grow, grows by a log-scale of each channel (Kingma
    & Dhariwal 2018, Sec. 3.1, from zeros), which also stands where the paper has batch normalisation.

    Args:
        width: maps (units) of the network's hidden layers.
        depth: residual blocks in it.
    """

    def __init__(self, width, depth=1, **arguments):
        super().__init__(**{"autocast": False} | arguments)
        self.width, self.depth = width, depth

    def build(self, kept_shape, moved_shape=None):
        """Make the network of a half, of convolutions for images and dense layers for points."""
        shape, half = kept_shape, kept_shape[-1]
        self.scale = self.add_weight(name="scale", shape=(2 * half,), initializer="zeros", dtype="float32")
        self.shift = self.add_weight(name="shift", shape=(2 * half,), initializer="zeros", dtype="float32")
        self.pixels = math.prod(shape[1:-1])

        def maps(units, size, **arguments):
            if len(shape) == 2:
                return layers.Dense(units, dtype=self.dtype_policy, **arguments)
            return layers.Conv2D(units, size, padding="same", dtype=self.dtype_policy, **arguments)

        self.first = maps(self.width, 3)
        self.blocks = [(maps(self.width, 3), maps(self.width, 1)) for _ in range(self.depth)]
        self.blocks = [layer for pair in self.blocks for layer in pair]
        self.last = maps(2 * half, 3, kernel_initializer="zeros")
        for layer in (*self.blocks, self.last):
            layer.build((*shape[:-1], self.width))
        self.first.build((*shape[:-1], half))

    def _scale_and_shift(self, kept):
        x = ops.relu(self.first(kept))
        for one, other in zip(self.blocks[::2], self.blocks[1::2], strict=True):
            x = ops.relu(x + other(ops.relu(one(x))))
        gate, shift = ops.split(ops.cast(self.last(x), "float32"), 2, axis=-1)
        return _LEAST + (1.0 - _LEAST) * ops.sigmoid(gate + _SHIFT), shift

    def _of_channels(self):
        """Scales and shifts of the channels that are kept, and of those that are moved."""
        scales, shifts = ops.exp(_PACE * self.scale), ops.convert_to_tensor(self.shift)
        return zip(ops.split(scales, 2), ops.split(shifts, 2), strict=True)

    def call(self, kept, moved):
        """Towards latents: what was moved, what was kept, and the log-determinant (N,) of the change."""
        (scale, shift), (other_scale, other_shift) = self._of_channels()
        kept, moved = (kept + shift) * scale, (moved + other_shift) * other_scale
        scale, shift = self._scale_and_shift(kept)
        log_det = ops.sum(ops.log(scale), axis=tuple(range(1, len(kept.shape))))
        return (moved + shift) * scale, kept, log_det + self.pixels * _PACE * ops.sum(self.scale)

    def inverse(self, moved, kept):
        """Back towards images: what is kept, and what is moved."""
        scale, shift = self._scale_and_shift(kept)
        moved = moved / scale - shift
        (scale, shift), (other_scale, other_shift) = self._of_channels()
        return kept / scale - shift, moved / other_scale - other_shift

    def compute_output_spec(self, kept, moved):
        kept, moved, rows = (keras.KerasTensor(shape, "float32") for shape in (kept.shape, moved.shape, kept.shape[:1]))
        return moved, kept, rows

    def get_config(self):
        return super().get_config() | {"width": self.width, "depth": self.depth}


@serializable
class CouplingFlow(keras.Layer):
    """Images (or points) to latents and back, through scales of couplings; half leaves after each scale.

    Dinh et al. 2017, Sec. 3.4 to 3.6. Each scale squeezes blocks of 2 x 2 pixels into channels, couples the two colours
    of the checkerboard, then the two rows of each block ("channel-wise"). A checkerboard coupling on squeezed images is
    the same map as on masked ones, with a network that works at half the resolution.

    Args:
        width, depth: of each coupling's network.
        couplings: of either kind, in each scale.
        scales: how often images are squeezed; their sides must be divisible by 2 ** scales. Points have one.
    """

    def __init__(self, width, depth=1, couplings=2, scales=2, **arguments):
        super().__init__(**{"autocast": False} | arguments)
        self.width, self.depth, self.couplings, self.scales = width, depth, couplings, scales

    def build(self, shape):
        """Make the couplings."""
        self.points = len(shape) == 2
        self.shapes, here = [], tuple(shape[1:])
        for index in range(1 if self.points else self.scales):
            if not self.points:
                height, width, channels = here
                if height % 2 or width % 2:
                    raise ValueError(f"scales={self.scales}: {height} x {width} pixels cannot be squeezed by two.")
                here = (height // 2, width // 2, 4 * channels)
            self.shapes.append(here)
            if index < self.scales - 1:
                here = (*here[:-1], here[-1] - here[-1] // 2)
        self.coupled = []
        for here in self.shapes:
            for _ in range((1 if self.points else 2) * self.couplings):
                coupling = Coupling(
                    self.width, self.depth, dtype=self.dtype_policy, name=f"coupling_{len(self.coupled)}"
                )
                coupling.build((None, *here[:-1], here[-1] // 2))
                self.coupled.append(coupling)

    def _of_scale(self, index):
        count = len(self.coupled) // len(self.shapes)
        return self.coupled[index * count : (index + 1) * count]

    def call(self, x):
        """Latents (N, D) and the log-determinant (N,) of the change."""
        x, log_det, latents = ops.cast(x, "float32"), 0.0, []
        for index in range(len(self.shapes)):
            halves = ops.split(x, 2, axis=-1) if self.points else _squeeze(x)
            for number, coupling in enumerate(self._of_scale(index)):
                if not self.points and number == self.couplings:
                    halves = _rows_apart(*halves)
                *halves, change = coupling(*halves)
                log_det = log_det + change
            x = halves[0] if index < len(self.shapes) - 1 else ops.concatenate(halves, axis=-1)
            latents.append(_flat(halves[1]))
        return ops.concatenate([*latents[:-1], _flat(x)], axis=-1), log_det

    def inverse(self, latents):
        """Images for latents (N, D)."""
        sizes = [math.prod(shape) // 2 for shape in self.shapes[:-1]]
        ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
        *parts, x = ops.split(latents, ends, axis=-1) if ends else [latents]
        x = ops.reshape(x, (-1, *self.shapes[-1]))
        for index in reversed(range(len(self.shapes))):
            shape = self.shapes[index]
            if index < len(self.shapes) - 1:
                halves = x, ops.reshape(parts[index], (-1, *shape[:-1], shape[-1] // 2))
            else:
                halves = ops.split(x, 2, axis=-1)
            for number, coupling in reversed([*enumerate(self._of_scale(index))]):
                halves = coupling.inverse(*halves)
                if not self.points and number == self.couplings:
                    halves = _rows_apart(*halves)  # which is its own inverse
            x = ops.concatenate(halves, axis=-1) if self.points else _unsqueeze(*halves, shape)
        return x

    def compute_output_spec(self, x):
        size = math.prod(x.shape[1:])
        return keras.KerasTensor((x.shape[0], size), "float32"), keras.KerasTensor(x.shape[:1], "float32")

    def get_config(self):
        numbers = {name: getattr(self, name) for name in ("width", "depth", "couplings", "scales")}
        return super().get_config() | numbers


def _flat(x):
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def _squeeze(x):
    """Blocks of 2 x 2 pixels as channels, in halves: one colour of the checkerboard, and the other."""
    height, width, channels = x.shape[1] // 2, x.shape[2] // 2, x.shape[3]
    x = ops.transpose(ops.reshape(x, (-1, height, 2, width, 2, channels)), (0, 1, 3, 2, 4, 5))
    pixels = ops.split(ops.reshape(x, (-1, height, width, 4 * channels)), 4, axis=-1)
    return [ops.concatenate([pixels[i] for i in colour], axis=-1) for colour in _COLOURS]


def _unsqueeze(first, second, shape):
    height, width, channels = shape
    pixels = [*ops.split(first, 2, axis=-1), *ops.split(second, 2, axis=-1)]
    order = [*_COLOURS[0], *_COLOURS[1]]
    x = ops.concatenate([pixels[order.index(i)] for i in range(4)], axis=-1)
    x = ops.transpose(ops.reshape(x, (-1, height, width, 2, 2, channels // 4)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels // 4))


def _rows_apart(first, second):
    """Of top left and bottom right, top right and bottom left: both of the top, and both of the bottom."""
    pairs = zip(ops.split(first, 2, axis=-1), ops.split(second, 2, axis=-1), strict=True)
    return [ops.concatenate(pair, axis=-1) for pair in pairs]
