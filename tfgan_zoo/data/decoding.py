"""Pictures of any mode and size become arrays of one shape."""

import contextlib
import math

import numpy as np

from tfgan_zoo.data.source import Wanted

_WHITE = 255
_BLOCK = 2**22  # values converted at a time, which become floats


def decode(path, wanted):
    """One picture file as uint8 (H, W, C).

    The picture is turned as its EXIF says, converted to `wanted.channels`, and fitted to `wanted.image_size`
    as `fit` describes. Transparent pixels are laid over the background unless four channels are wanted. Grey of 12 or
    16 bits is scaled to 8.

    Args:
        path: the file.
        wanted: a `Wanted` whose channels are given.

    Raises:
        OSError, SyntaxError, ValueError: for a file that Pillow cannot read, or whose pixels have no known range.
    """
    from PIL import ImageOps

    with _opened(path) as picture:
        picture.load()
        white = _white(picture)
        return fit(_converted(ImageOps.exif_transpose(picture), white, wanted)[None], wanted)[0]


def header(path):
    """(height, width, channels) of a picture file, read from its header alone."""
    with _opened(path) as picture:
        width, height = picture.size
        lies = (
            picture.getexif().get(0x0112) in (5, 6, 7, 8) and picture.format != "TIFF"
        )  # whose size is turned already
        return (*((width, height) if lies else (height, width)), _channels(picture))


@contextlib.contextmanager
def _opened(path):
    """A picture file; what damage makes Pillow raise, whatever it is, becomes a ValueError."""
    from PIL import Image

    try:
        # Not by its path: Pillow would map a TIFF into memory by its turned size, and mix its pixels up.
        with open(path, "rb") as file, Image.open(file) as picture:
            yield picture
    except (OSError, SyntaxError, ValueError):
        raise
    except Exception as error:  # of decoders that trust the file, and of pictures that are too large to be meant
        raise ValueError(f"{type(error).__name__}: {error}") from error


def fit(images, wanted):
    """Images of one shape, converted to the channels and the size that are wanted.

    Images of other proportions are cropped, squashed or padded as `wanted.resize` says, and resized with Pillow's
    Lanczos filter, which averages over all the pixels it takes away (antialiased). Colours of transparent images are
    weighted by their opacity.

    Args:
        images: uint8 in [0, 255] or float32 in [-1, 1], (N, H, W, C).
        wanted: a `Wanted`.

    Returns:
        The images, dtype unchanged, (N, height, width, channels).
    """
    size, channels = wanted.size or images.shape[1:3], wanted.channels or images.shape[3]
    if images.shape[1:] == (*size, channels):
        return images
    block = max(1, _BLOCK // math.prod(images.shape[1:]))
    fitted = np.empty((len(images), *size, channels), images.dtype)
    for start in range(0, len(images), block):
        fitted[start : start + block] = _fitted(images[start : start + block], size, wanted)
    return fitted


def _fitted(images, size, wanted):
    if wanted.channels not in (None, images.shape[3]):
        images = _rechannelled(images, wanted)
    if images.shape[1:3] == size:
        return images
    if wanted.resize == "crop":
        return _resized(_centre(images, size), size)
    if wanted.resize == "squash":
        return _resized(images, size)
    return _padded(images, size, wanted.colour)


def _centre(images, size):
    """The middle of the images, as much of it as has the proportions of the size."""
    height, width = images.shape[1:3]
    high = min(height, max(1, round(width * size[0] / size[1])))
    wide = min(width, max(1, round(height * size[1] / size[0])))
    top, left = (height - high) // 2, (width - wide) // 2
    return images[:, top : top + high, left : left + wide]


def _padded(images, size, colour):
    """All of the images, as large as the size allows, in the middle of the background."""
    height, width, channels = images.shape[1:]
    scale = min(size[0] / height, size[1] / width)
    high, wide = (max(1, round(side * scale)) for side in (height, width))
    paper = np.array([[[(*colour, _WHITE)]]], "uint8")
    paper = paper if channels == 4 else _rechannelled(paper[..., :3], Wanted(channels=channels))
    paper = paper if images.dtype == np.uint8 else (paper / 127.5 - 1.0).astype("float32")
    framed = np.broadcast_to(paper, (len(images), *size, channels)).copy()
    top, left = (size[0] - high) // 2, (size[1] - wide) // 2
    framed[:, top : top + high, left : left + wide] = _resized(images, (high, wide))
    return framed


def _resized(images, size):
    if images.shape[1:3] == size:
        return images
    if images.shape[3] == 4:
        return _resized_transparent(images, size)
    resized = np.empty((len(images), *size, images.shape[3]), images.dtype)
    for target, image in zip(resized, images, strict=True):
        for channel in range(images.shape[3]):
            target[..., channel] = _resize_plane(image[..., channel], size)
    return resized


def _resized_transparent(images, size):
    """RGBA, with colours weighted by their opacity: transparent pixels have a colour too, which nobody sees."""
    low, high = (0.0, 255.0) if images.dtype == np.uint8 else (-1.0, 1.0)
    opacity = (images[..., 3:].astype("float32") - low) / (high - low)
    weighted = np.concatenate([images[..., :3] * opacity, opacity], axis=3)
    resized = np.empty((len(images), *size, 4), "float32")
    for target, image in zip(resized, weighted, strict=True):
        for channel in range(4):
            target[..., channel] = _lanczos(image[..., channel], size)
    resized[..., :3] /= np.maximum(resized[..., 3:], 1e-3)
    resized[..., 3] = low + (high - low) * resized[..., 3]
    resized = np.clip(resized, low, high)
    return np.round(resized).astype("uint8") if images.dtype == np.uint8 else resized


def _resize_plane(plane, size):
    values = _lanczos(plane, size)
    return values if plane.dtype == np.uint8 else np.clip(values, -1.0, 1.0)  # Lanczos overshoots at edges


def _lanczos(plane, size):
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(plane)).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _rechannelled(images, wanted):
    """Arrays from 1, 3 or 4 channels to another of these; grey is ITU-R 601 luma, as in Pillow."""
    channels = wanted.channels
    white = _WHITE if images.dtype == np.uint8 else 1.0
    black = 0 if images.dtype == np.uint8 else -1.0
    values = images.astype("float32")
    if values.shape[3] == 4:
        alpha = (values[..., 3:] - black) / (white - black)
        paper = np.array(wanted.colour, "float32") / _WHITE * (white - black) + black
        values = values[..., :3] * alpha + paper * (1.0 - alpha)
    if channels == 1 and values.shape[3] == 3:
        values = values @ np.array([[0.299], [0.587], [0.114]], "float32")
    if channels > 1 and values.shape[3] == 1:
        values = np.repeat(values, 3, axis=3)
    if channels == 4:
        values = np.concatenate([values, np.full_like(values[..., :1], white)], axis=3)
    return np.round(values).astype("uint8") if images.dtype == np.uint8 else values


def _channels(picture):
    """1, 3 or 4: the channels that lose nothing of a Pillow picture (grey with transparency loses it)."""
    if picture.mode in ("1", "L", "LA", "La", "F") or picture.mode.startswith("I"):
        return 1
    if picture.mode in ("RGBA", "RGBa", "PA") or "transparency" in picture.info:
        return 4
    return 3


def _white(picture):
    """The level of white in a picture file, by which its pixels are scaled to 8 bits.

    Raises:
        ValueError: if its numbers have no known range.
    """
    if picture.mode == "F":
        raise ValueError("its pixels are floats, which have no known range; save it with 8 bits a channel")
    if picture.mode == "I" and picture.format != "PPM":  # which Pillow brings to 16 bits
        raise ValueError("its pixels are 32-bit or signed integers of no known range; save it with 8 bits a channel")
    if not picture.mode.startswith("I"):
        return _WHITE
    return 2 ** picture.tag_v2.get(258, (16,))[0] - 1 if picture.format == "TIFF" else 2**16 - 1  # 258: BitsPerSample


def _converted(picture, white, wanted):
    """uint8 (H, W, channels) from a Pillow picture of any mode, and its level of white."""
    from PIL import Image

    if picture.mode.startswith("I"):  # Pillow's own conversion would clip at 255 instead of scaling
        picture = Image.fromarray(np.round(np.asarray(picture) * (255.0 / white)).astype("uint8"))
    if picture.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if wanted.channels != 4:
            paper = Image.new("RGBA", picture.size, (*wanted.colour, _WHITE))
            picture = Image.alpha_composite(paper, picture)
    picture = picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[wanted.channels])
    pixels = np.asarray(picture)
    return pixels[..., None] if wanted.channels == 1 else pixels
