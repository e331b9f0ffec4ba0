"""What every source of data is, once it is found: a description and a way to read it."""

import dataclasses
import numbers
from collections.abc import Callable

import numpy as np

from tfgan_zoo import errors
from tfgan_zoo.data import splits


@dataclasses.dataclass(frozen=True)
class Info:
    """What is known about a source without reading its images.

    Args:
        name: what the source is called in messages.
        image_shape: (height, width, channels), None for sides that differ between images; (2,) for points.
        num_classes: how many classes the labels name; None without labels.
        class_names: their names, in the order of the labels; None without labels.
        num_images: dict of split to count; empty for a TFDS dataset that is not prepared yet.
        attribute_names: names of the attributes that come in place of labels, in the order of the columns; or None.
        is_pairs: True if each example is two images of `image_shape`, a source and its target.
    """

    name: str
    image_shape: tuple
    num_classes: int | None
    class_names: tuple | None
    num_images: dict
    attribute_names: tuple | None = None
    is_pairs: bool = False

    @property
    def is_points(self):
        """True for 2-D points, which have no pixels to convert."""
        return len(self.image_shape) == 1

    def count(self, split):
        """How many images a split such as "train" or "train[:200]" has, as the source lists them.

        Raises:
            ValueError: for a split that is not there or is not understood.
        """
        return sum(max(stop - start, 0) for _, start, stop in splits.pieces(split, self.num_images, self.name))


RESIZES = ("crop", "squash", "pad")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How the images are to come out.

    Args:
        image_size: side of square images in pixels, or (height, width); None keeps the size they have.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA); None keeps what they have.
        skip_corrupt: leave unreadable files out and say how many, instead of raising.
        resize: how an image of other proportions comes to the size: "crop" cuts away what is too high or too wide,
            alike on both sides; "squash" stretches; "pad" shows all of it, with bars of the background's colour.
        background: what transparent pixels are laid over and bars are filled with: a grey level or (red, green, blue),
            0 to 255.
    """

    image_size: int | tuple | None = None
    channels: int | None = None
    skip_corrupt: bool = False
    resize: str = "crop"
    background: int | tuple = 255

    def __post_init__(self):
        for name in ("image_size", "channels", "background"):
            value = getattr(self, name)
            if isinstance(value, np.generic | np.ndarray):  # or numbers that are the same would be told apart
                object.__setattr__(self, name, value.tolist())

    @property
    def size(self):
        """(height, width) in pixels, or None to keep the size."""
        if self.image_size is None:
            return None
        sides = (self.image_size,) * 2 if isinstance(self.image_size, numbers.Integral) else self.image_size
        return tuple(map(int, sides))

    @property
    def colour(self):
        """(red, green, blue) of the background."""
        levels = self.background
        return (int(levels),) * 3 if isinstance(levels, numbers.Integral) else tuple(map(int, levels))

    @property
    def key(self):
        """Tuple of all that decides what the pixels are, for caches."""
        return self.size, self.channels, self.resize, self.colour

    def check(self):
        """Raise ValueError for a size, a number of channels, a way to resize or a colour that no image can have."""
        if self.image_size is not None and not _are_positive(self.image_size):
            raise ValueError(
                f"image_size={self.image_size!r} is not a side in pixels. Give a positive int such as 32, "
                "(height, width), or None"
            )
        if self.channels is not None and not (_is_integer(self.channels) and self.channels in (1, 3, 4)):
            raise ValueError(f"channels={self.channels!r} is not 1 (grey), 3 (RGB) or 4 (RGBA)")
        if self.resize not in RESIZES:
            raise errors.unknown("resize", self.resize, RESIZES)
        levels = self.background if isinstance(self.background, tuple | list) else (self.background,) * 3
        if len(levels) != 3 or not all(_is_integer(level) and 0 <= level <= 255 for level in levels):
            raise ValueError(f"background={self.background!r} is no colour. Give 0 to 255, or (red, green, blue)")


def _are_positive(image_size):
    sides = image_size if isinstance(image_size, tuple | list) else (image_size,) * 2
    return len(sides) == 2 and all(_is_integer(side) and side > 0 for side in sides)


def _is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class Rows:
    """The images of a split where they lie, each read when it is asked for.

    Args:
        name: of source and split, for messages.
        shape: (N, H, W, C) of all of them as they come out, uint8; (N, 2, H, W, C) for pairs.
        labelled: whether images have labels, or attributes.
        read: function of a sequence of rows, integers in [0, N), that returns (uint8 (n, H, W, C), labels (n,)) and may
            be called from several threads; without labels the second is zeros.
        headers: function of a row that returns (height, width, channels) as stored, for each of its images.
        origin: function of a row that says where it lies, for messages.
        fingerprint: function that returns a hexadecimal string; another one when the source has changed.
        encoded: whether reading decodes pictures, rather than copies pixels.
        read_all: function that returns all (images, labels or None) at once, where that is faster than row by row.
        attributes: how many there are, if labels are attributes: float32 (n, attributes); else None: int32 (n,).
        file_name: function of a row that returns the path of its file within the source; None if it is no file.
    """

    name: str
    shape: tuple
    labelled: bool
    read: Callable
    headers: Callable
    origin: Callable
    fingerprint: Callable
    encoded: bool = True
    read_all: Callable | None = None
    attributes: int | None = None
    file_name: Callable | None = None

    @property
    def label_shape(self):
        """The shape of one image's label."""
        return () if self.attributes is None else (self.attributes,)

    @property
    def label_dtype(self):
        """The dtype of labels: int32 of classes, float32 of attributes."""
        return "int32" if self.attributes is None else "float32"


@dataclasses.dataclass(frozen=True)
class Source:
    """A found source: either `read`, for what is in memory by its nature, or `rows`, for what may be larger.

    Args:
        info: its description.
        read: function of (split, wanted) that returns (images or points, labels or None) as NumPy arrays.
        rows: function of (split, wanted) that returns `Rows`; reads no image.
        with_attributes: function of names (None for all) that returns the `Source` with the attributes it keeps itself
            in place of labels; None if it keeps none.
    """

    info: Info
    read: Callable | None = None
    rows: Callable | None = None
    with_attributes: Callable | None = None


def rows_of(found, split, wanted):
    """The `Rows` of any source, also of one that is in memory by its nature.

    Args:
        found: a `Source`.
        split: such as "train".
        wanted: a `Wanted`.

    Raises:
        ValueError: if it is points, or images that are not uint8.
    """
    if found.rows is not None:
        return found.rows(split, wanted)
    name = f"{found.info.name}/{split}"
    images, labels = found.read(split, wanted)
    if images.dtype != np.uint8:
        raise ValueError(f"{name} is {images.dtype} of shape {images.shape}, and images of uint8 pixels are needed")
    given = np.zeros(len(images), "int32") if labels is None else labels
    return Rows(
        name,
        images.shape,
        labels is not None,
        read=lambda rows: (images[np.asarray(rows)], given[np.asarray(rows)]),
        headers=lambda row: (found.info.image_shape,),
        origin=lambda row: f"{name}, image {row}",
        fingerprint=lambda: "0" * 16,
        encoded=False,
        attributes=given.shape[1] if given.ndim == 2 else None,
    )
