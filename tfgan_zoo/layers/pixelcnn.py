"""PixelCNN's two stacks: every pixel from those above it and to its left, as a whole image or a pixel at a time."""

import keras
from keras import layers, ops

from tfgan_zoo.serialization import serializable

_REACH = 3  # rows above, pixels to the left and to either side that the first layer sees; later layers see 1


@serializable
class GatedPixelCNN(keras.Layer):
    """Parameters of p(pixel | pixels before it), by gated convolutions in a vertical and a horizontal stack.

    Van den Oord et al. 2016 (Conditional image generation with PixelCNN decoders), Sec. 2. No kernel is masked: images
    are padded above and to the left, so that a kernel reaches only what came before. The vertical stack sees all rows
    above, the horizontal one the pixels to the left, and no pixel is left out. Channels of a pixel are told one
    another in order (R, then G given R, ...) in the last layers.

    A batch of images at once is `call`; `start_rows`, `next_row`, `next_pixel` and `parameters` keep of each layer only
    its last row or pixel, and give the same numbers a pixel at a time.

    Args:
        width: maps of each layer.
        depth: layers.
        kinds: parameters of a pixel's channel.
        num_classes: of labels, given as one-hot vectors (N, num_classes); None for none.
        levels: of images whose values are numbers of things without an order, such as codes, spread over [-1, 1]: each
            is read as a vector of its own. None for values that are what they say.
        told: numbers that each image (N, told) or each pixel (N, H, W, told) is told in place of labels, such as the
            maps that a decoder makes of a code; None for none.
    """

    def __init__(self, width, depth, kinds, num_classes=None, levels=None, told=None, **arguments):
        super().__init__(**{"autocast": False} | arguments)
        if num_classes and told:
            raise ValueError(f"num_classes={num_classes}, told={told}: labels or other numbers; give one of them.")
        self.width, self.depth, self.kinds, self.num_classes = width, depth, kinds, num_classes
        self.levels, self.numbers_told = levels, told

    def build(self, images_shape, condition_shape=None):
        """Make the layers."""
        self.size = tuple(images_shape[1:])
        channels, policy = images_shape[-1], {"dtype": self.dtype_policy}

        def made(layer, read):
            layer.build((None, None, None, read))
            return layer

        self.seen = channels if self.levels is None else channels * self.width
        if self.levels:
            self.vectors = layers.Embedding(self.levels, self.width, **policy)
            self.vectors.build((None,))
        read = [self.seen] + (self.depth - 1) * [self.width]
        reach = [_REACH] + (self.depth - 1) * [1]
        sizes = [(one if i == 0 else one + 1, 2 * one + 1) for i, one in enumerate(reach)]
        double, single = 2 * self.width, self.width
        self.vertical = [
            made(layers.Conv2D(double, size, **policy), one) for size, one in zip(sizes, read, strict=True)
        ]
        self.horizontal = [
            made(layers.Conv2D(double, (1, size[0]), **policy), one) for size, one in zip(sizes, read, strict=True)
        ]
        self.links = [made(layers.Conv2D(double, 1, **policy), double) for _ in read]
        self.outs = [made(layers.Conv2D(single, 1, **policy), single) for _ in read]
        self.hidden = made(layers.Dense(single, **policy), single)
        self.lasts = [made(layers.Dense(self.kinds, **policy), single) for _ in range(channels)]
        self.earlier = [made(layers.Dense(single, **policy), one) for one in range(1, channels)]
        self.told, numbers = [], self.num_classes or self.numbers_told
        if numbers:
            self.told = [made(layers.Dense(2 * double, use_bias=False, **policy), numbers) for _ in read]

    # ---- a whole image ----------------------------------------------------------------------------------------

    def call(self, images, condition=None):
        """Images (N, H, W, C) [and what they are told: (N, d), or (N, H, W, d)] -> parameters (N, H, W, C, kinds)."""
        seen, images = self._read(images), ops.cast(images, self.compute_dtype)
        down, right = seen, seen
        for index, (of_down, of_right) in enumerate(self._conditions(condition)):
            reach = _REACH if index == 0 else 1
            down = ops.pad(down, ((0, 0), (reach, 0), (reach, reach), (0, 0)))
            left = ops.pad(right, ((0, 0), (0, 0), (reach, 0), (0, 0)))
            if index == 0:  # which does not see the pixel itself
                down, left = down[:, :-1], left[:, :, :-1]
            down = self.vertical[index](down)
            left = self.horizontal[index](left) + self.links[index](down) + of_right
            right = self._added(index, right, left)
            down = _gate(down + of_down)
        channels = [None, *(images[..., :c] for c in range(1, images.shape[-1]))]
        each = [self.parameters(right, one) for one in channels]
        return ops.stack(each, axis=-2) if len(each) > 1 else each[0][..., None, :]  # a stack of one is a copy

    def _read(self, pixels):
        """What the first layers see of pixels (N, H, W, C)."""
        if self.levels is None:
            return ops.cast(pixels, self.compute_dtype)
        numbers = ops.round((ops.clip(ops.cast(pixels, "float32"), -1.0, 1.0) + 1.0) * ((self.levels - 1) / 2.0))
        vectors = self.vectors(ops.cast(numbers, "int32"))
        return ops.reshape(vectors, (*ops.shape(pixels)[:3], self.seen))

    def _added(self, index, before, activation):
        out = self.outs[index](_gate(activation))
        return out if index == 0 else before + out

    def _conditions(self, condition):
        """What a condition adds in each layer, to the vertical and to the horizontal stack."""
        if condition is None:
            return [(0.0, 0.0)] * self.depth
        condition = ops.cast(condition, self.compute_dtype)
        condition = condition[:, None, None, :] if len(condition.shape) == 2 else condition
        return [ops.split(one(condition), 2, axis=-1) for one in self.told]

    def parameters(self, features, channels):
        """Of p(next channel | pixels before, this pixel's channels so far).

        Args:
            features: (..., width), of the horizontal stack.
            channels: (..., c), the first c of the pixel; None for none.

        Returns:
            (..., kinds) float32.
        """
        count, hidden = 0, self.hidden(ops.relu(features))
        if channels is not None:
            count = channels.shape[-1]
            hidden = hidden + self.earlier[count - 1](ops.cast(channels, self.compute_dtype))
        return ops.cast(self.lasts[count](ops.relu(hidden)), "float32")

    # ---- a pixel at a time ------------------------------------------------------------------------------------

    def start_rows(self, count):
        """What the layers remember above an image: the last rows they saw, none.

        Args:
            count: of images; may be a tensor.
        """
        width = self.size[1]
        shapes = [(count, _REACH, width, self.seen)] + (self.depth - 1) * [(count, 1, width, self.width)]
        return [ops.zeros(shape, self.compute_dtype) for shape in shapes]

    def next_row(self, rows, condition=None):
        """What the vertical stack says of the next row.

        Args:
            rows: as `start_rows` or `row_seen` gave them.
            condition: as in `call`; of what is told pixel by pixel this row's, (N, 1, W, d).

        Returns:
            (list of (N, 1, W, 2 width), one for each layer of the horizontal stack; rows to remember).
        """
        said, kept, down = [], [rows[0]], None
        for index, (of_down, of_right) in enumerate(self._conditions(condition)):
            reach = _REACH if index == 0 else 1
            seen = rows[0] if index == 0 else ops.concatenate([rows[index], down], axis=1)
            if index:
                kept.append(down)
            activation = self.vertical[index](ops.pad(seen, ((0, 0), (0, 0), (reach, reach), (0, 0))))
            said.append(self.links[index](activation) + of_right)
            down = _gate(activation + of_down)
        return said, kept

    def row_seen(self, rows, row):
        """Rows to remember when a row (N, 1, W, C) of pixels is known."""
        return [ops.concatenate([rows[0][:, 1:], self._read(row)], axis=1), *rows[1:]]

    def start_pixels(self, count):
        """What the layers remember to the left of a row: nothing."""
        shapes = [(count, 1, _REACH, self.seen)] + (self.depth - 1) * [(count, 1, 1, self.width)]
        return [ops.zeros(shape, self.compute_dtype) for shape in shapes]

    def next_pixel(self, pixels, said):
        """Features (N, 1, 1, width) of the next pixel, and pixels to remember.

        Args:
            pixels: as `start_pixels` or `pixel_seen` gave them.
            said: list of (N, 1, 1, 2 width), this pixel's of what `next_row` said.
        """
        kept, right = [pixels[0]], None
        for index in range(self.depth):
            seen = pixels[0] if index == 0 else ops.concatenate([pixels[index], right], axis=2)
            if index:
                kept.append(right)
            right = self._added(index, right, self.horizontal[index](seen) + said[index])
        return right, kept

    def pixel_seen(self, pixels, pixel):
        """Pixels to remember when a pixel (N, 1, 1, C) is known."""
        return [ops.concatenate([pixels[0][:, :, 1:], self._read(pixel)], axis=2), *pixels[1:]]

    def compute_output_spec(self, images, condition=None):
        return keras.KerasTensor((*images.shape, self.kinds), "float32")

    def get_config(self):
        numbers = {name: getattr(self, name) for name in ("width", "depth", "kinds", "num_classes", "levels")}
        return super().get_config() | numbers | {"told": self.numbers_told}


def _gate(x):
    """Van den Oord et al. 2016, Eq. 2."""
    value, gate = ops.split(x, 2, axis=-1)
    return ops.tanh(value) * ops.sigmoid(gate)
