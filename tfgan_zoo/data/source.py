"""What every source of data is, once it is found: a description and a way to read it."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Info:
    """What is known about a source without reading its images.

    Args:
        name: what the source is called in messages.
        image_shape: (height, width, channels), None for sides that differ between images; (2,) for points.
        num_classes: how many classes the labels name; None without labels.
        class_names: their names, in the order of the labels; None without labels.
        num_images: dict of split to count; empty for a TFDS dataset that is not prepared yet.
    """

    name: str
    image_shape: tuple
    num_classes: int | None
    class_names: tuple | None
    num_images: dict

    @property
    def is_points(self):
        """True for 2-D points, which have no pixels to convert."""
        return len(self.image_shape) == 1


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How the images are to come out.

    Args:
        image_size: side of the square images in pixels; None keeps the size they have.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA); None keeps what they have.
        skip_corrupt: leave unreadable files out and say how many, instead of raising.
    """

    image_size: int | None = None
    channels: int | None = None
    skip_corrupt: bool = False

    def check(self):
        """Raise ValueError for a size or a number of channels that no image can have."""
        size = self.image_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ValueError(f"image_size={size!r} is not a side in pixels. Give a positive int such as 32, or None")
        if self.channels not in (None, 1, 3, 4):
            raise ValueError(f"channels={self.channels!r} is not 1 (grey), 3 (RGB) or 4 (RGBA)")


@dataclasses.dataclass(frozen=True)
class Rows:
    """The images of a split where they lie, each read when it is asked for.

    Args:
        name: of source and split, for messages.
        shape: (N, H, W, C) of all of them as they come out, uint8.
        labelled: whether images have labels.
        read: function of a sequence of rows, integers in [0, N), that returns (uint8 (n, H, W, C), int32 (n,)) and may
            be called from several threads; without labels the second is zeros.
        header: function of a row that returns (height, width, channels) as stored.
        origin: function of a row that says where it lies, for messages.
        fingerprint: function that returns a hexadecimal string; another one when the source has changed.
        encoded: whether reading decodes pictures, rather than copies pixels.
        whole: function that returns all (images, labels or None) at once, where that is faster than row by row.
    """

    name: str
    shape: tuple
    labelled: bool
    read: Callable
    header: Callable
    origin: Callable
    fingerprint: Callable
    encoded: bool = True
    whole: Callable | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """A found source: either `read`, for what is in memory by its nature, or `rows`, for what may be larger.

    Args:
        info: its description.
        read: function of (split, wanted) that returns (images or points, labels or None) as NumPy arrays.
        rows: function of (split, wanted) that returns `Rows`; reads no image.
    """

    info: Info
    read: Callable | None = None
    rows: Callable | None = None
