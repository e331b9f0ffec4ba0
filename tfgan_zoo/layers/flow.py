"""Invertible layers of a normalising flow: affine couplings on halves that alternate, in several scales."""

import math

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

_SHIFT = 2.0  # a coupling's scale starts at sigmoid(2), near 1
_LEAST = 0.01  # of a scale: back towards images a coupling magnifies by 100 at most, or some rows would overflow
_PACE = 3.0  # Kingma & Dhariwal 2018, their code: log-scales of a channel move three times as fast as weights
_DIAGONALS_FIRST = (0, 3, 1, 2)  # of a block's four pixels: one colour of the checkerboard, then the other


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

    def build(self, shape):
        """Make the network, of convolutions for images and dense layers for points."""
        channels, half = shape[-1], shape[-1] // 2
        self.scale = self.add_weight(name="scale", shape=(channels,), initializer="zeros", dtype="float32")
        self.shift = self.add_weight(name="shift", shape=(channels,), initializer="zeros", dtype="float32")
        self.pixels = math.prod(shape[1:-1])

        def maps(units, size, **arguments):
            if len(shape) == 2:
                return layers.Dense(units, dtype=self.dtype_policy, **arguments)
            return layers.Conv2D(units, size, padding="same", dtype=self.dtype_policy, **arguments)

        self.first = maps(self.width, 3)
        self.blocks = [(maps(self.width, 3), maps(self.width, 1)) for _ in range(self.depth)]
        self.blocks = [layer for pair in self.blocks for layer in pair]
        self.last = maps(2 * (channels - half), 3, kernel_initializer="zeros")
        for layer in (*self.blocks, self.last):
            layer.build((*shape[:-1], self.width))
        self.first.build((*shape[:-1], half))

    def _scale_and_shift(self, kept):
        x = ops.relu(self.first(kept))
        for one, other in zip(self.blocks[::2], self.blocks[1::2], strict=True):
            x = ops.relu(x + other(ops.relu(one(x))))
        log_scale, shift = ops.split(ops.cast(self.last(x), "float32"), 2, axis=-1)
        return ops.log(_LEAST + (1.0 - _LEAST) * ops.sigmoid(log_scale + _SHIFT)), shift

    def call(self, x):
        """Towards latents: outputs like x, and the log-determinant (N,) of the change."""
        x = (x + self.shift) * ops.exp(_PACE * self.scale)
        kept, moved = ops.split(x, [x.shape[-1] // 2], axis=-1)
        log_scale, shift = self._scale_and_shift(kept)
        log_det = ops.sum(log_scale, axis=tuple(range(1, len(x.shape)))) + self.pixels * _PACE * ops.sum(self.scale)
        return ops.concatenate([(moved + shift) * ops.exp(log_scale), kept], axis=-1), log_det

    def inverse(self, x):
        """Back towards images."""
        moved, kept = ops.split(x, [x.shape[-1] - x.shape[-1] // 2], axis=-1)
        log_scale, shift = self._scale_and_shift(kept)
        x = ops.concatenate([kept, moved * ops.exp(-log_scale) - shift], axis=-1)
        return x * ops.exp(-_PACE * self.scale) - self.shift

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, "float32"), keras.KerasTensor(x.shape[:1], "float32")

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
                coupling.build((None, *here))
                self.coupled.append(coupling)

    def _of_scale(self, index):
        count = len(self.coupled) // len(self.shapes)
        return self.coupled[index * count : (index + 1) * count]

    def call(self, x):
        """Latents (N, D) and the log-determinant (N,) of the change."""
        x, log_det, latents = ops.cast(x, "float32"), 0.0, []
        for index, shape in enumerate(self.shapes):
            couplings = self._of_scale(index)
            x = x if self.points else _squeeze(x, shape)
            for number, coupling in enumerate(couplings):
                if not self.points and number == self.couplings:
                    x = _rows_apart(x, shape)
                x, change = coupling(x)
                log_det = log_det + change
            if index < len(self.shapes) - 1:
                x, out = ops.split(x, [shape[-1] - shape[-1] // 2], axis=-1)
                latents.append(_flat(out))
        return ops.concatenate([*latents, _flat(x)], axis=-1), log_det

    def inverse(self, latents):
        """Images for latents (N, D)."""
        sizes = [math.prod(shape[:-1]) * (shape[-1] // 2) for shape in self.shapes[:-1]]
        *parts, x = (
            ops.split(latents, [sum(sizes[: i + 1]) for i in range(len(sizes))], axis=-1) if sizes else [latents]
        )
        x = ops.reshape(x, (-1, *self.shapes[-1]))
        for index in reversed(range(len(self.shapes))):
            shape = self.shapes[index]
            if index < len(self.shapes) - 1:
                x = ops.concatenate([x, ops.reshape(parts[index], (-1, *shape[:-1], shape[-1] // 2))], axis=-1)
            for number, coupling in reversed([*enumerate(self._of_scale(index))]):
                x = coupling.inverse(x)
                if not self.points and number == self.couplings:
                    x = _rows_together(x, shape)
            x = x if self.points else _unsqueeze(x, shape)
        return x

    def compute_output_spec(self, x):
        size = math.prod(x.shape[1:])
        return keras.KerasTensor((x.shape[0], size), "float32"), keras.KerasTensor(x.shape[:1], "float32")

    def get_config(self):
        numbers = {name: getattr(self, name) for name in ("width", "depth", "couplings", "scales")}
        return super().get_config() | numbers


def _flat(x):
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def _squeeze(x, shape):
    """Blocks of 2 x 2 pixels as channels, one colour of the checkerboard before the other."""
    height, width, channels = shape
    x = ops.reshape(x, (-1, height, 2, width, 2, channels // 4))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height, width, 4, channels // 4))
    return ops.reshape(ops.stack([x[..., i, :] for i in _DIAGONALS_FIRST], axis=-2), (-1, *shape))


def _unsqueeze(x, shape):
    height, width, channels = shape
    x = ops.reshape(x, (-1, height, width, 4, channels // 4))
    x = ops.stack([x[..., _DIAGONALS_FIRST.index(i), :] for i in range(4)], axis=-2)
    x = ops.transpose(ops.reshape(x, (-1, height, width, 2, 2, channels // 4)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels // 4))


def _rows_apart(x, shape):
    """Of [top left, bottom right, top right, bottom left]: both of the top, then both of the bottom."""
    x = ops.reshape(x, (-1, *shape[:-1], 4, shape[-1] // 4))
    return ops.reshape(ops.stack([x[..., i, :] for i in (0, 2, 1, 3)], axis=-2), (-1, *shape))


_rows_together = _rows_apart  # which is its own inverse
