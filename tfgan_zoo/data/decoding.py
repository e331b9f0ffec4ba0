"""Pictures of any mode and size become arrays of one shape."""

import numpy as np

_WHITE = 255


def decode(path, wanted):
    """One picture file as uint8 (H, W, C).

    The picture is turned as its EXIF says, converted to `wanted.channels`, and fitted to `wanted.image_size`
    as `fit` describes. Transparent pixels are laid over white unless four channels are wanted.

    Args:
        path: the file.
        wanted: a `Wanted` whose channels are given.

    Raises:
        OSError, SyntaxError, ValueError: what Pillow raises for a file it cannot read.
    """
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        picture.load()
        picture = ImageOps.exif_transpose(picture)
        return _squared(_converted(picture, wanted.channels), wanted.image_size)


def header(path):
    """(height, width, channels) of a picture file, read from its header alone."""
    from PIL import Image

    with Image.open(path) as picture:
        width, height = picture.size
        turned = picture.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5 to 8 lie on their side
        return (*((width, height) if turned else (height, width)), _channels(picture))


def fit(images, wanted):
    """Images of one shape, converted to the channels and the size that are wanted.

    Images are cropped at their centre to a square, then resized with Pillow's Lanczos filter, which averages over
    all the pixels it takes away (antialiased).

    Args:
        images: uint8 in [0, 255] or float32 in [-1, 1], (N, H, W, C).
        wanted: a `Wanted`.

    Returns:
        The images, dtype unchanged, (N, image_size, image_size, channels).
    """
    height, width, channels = images.shape[1:]
    if wanted.channels not in (None, channels):
        images = _rechannelled(images, wanted.channels)
    if wanted.image_size is None or (height, width) == (wanted.image_size, wanted.image_size):
        return images
    square = _centre(images, height, width)
    shape = (len(images), wanted.image_size, wanted.image_size, images.shape[3])
    resized = np.empty(shape, images.dtype)
    for target, image in zip(resized, square, strict=True):
        for channel in range(shape[3]):
            target[..., channel] = _resize_plane(image[..., channel], wanted.image_size)
    return resized


def _centre(images, height, width):
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side, :]


def _resize_plane(plane, size):
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(plane)).resize((size, size), Image.Resampling.LANCZOS)
    values = np.asarray(picture)
    return values if plane.dtype == np.uint8 else np.clip(values, -1.0, 1.0)  # Lanczos overshoots at edges


def _rechannelled(images, channels):
    """Arrays from 1, 3 or 4 channels to another of these; grey is ITU-R 601 luma, as in Pillow."""
    white = _WHITE if images.dtype == np.uint8 else 1.0
    black = 0 if images.dtype == np.uint8 else -1.0
    values = images.astype("float32")
    if values.shape[3] == 4:
        alpha = (values[..., 3:] - black) / (white - black)
        values = values[..., :3] * alpha + white * (1.0 - alpha)
    if channels == 1 and values.shape[3] == 3:
        values = values @ np.array([[0.299], [0.587], [0.114]], "float32")
    if channels > 1 and values.shape[3] == 1:
        values = np.repeat(values, 3, axis=3)
    if channels == 4:
        values = np.concatenate([values, np.full_like(values[..., :1], white)], axis=3)
    return np.round(values).astype("uint8") if images.dtype == np.uint8 else values


def _channels(picture):
    """1, 3 or 4: the channels that lose nothing of a Pillow picture (grey with transparency is laid over white)."""
    if picture.mode in ("1", "L", "LA", "La", "F") or picture.mode.startswith("I"):
        return 1
    if picture.mode in ("RGBA", "RGBa", "PA") or "transparency" in picture.info:
        return 4
    return 3


def _converted(picture, channels):
    """uint8 (H, W, channels) from a Pillow picture of any mode."""
    from PIL import Image

    if picture.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if picture.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip at 255 instead of scaling
        sixteen = np.asarray(picture).astype("float64")
        picture = Image.fromarray(np.clip(np.round(sixteen / 257.0), 0, 255).astype("uint8"))
    if picture.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if channels != 4:
            paper = Image.new("RGBA", picture.size, (_WHITE, _WHITE, _WHITE, _WHITE))
            picture = Image.alpha_composite(paper, picture)
    picture = picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    pixels = np.asarray(picture)
    return pixels[..., None] if channels == 1 else pixels


def _squared(pixels, image_size):
    from tfgan_zoo.data.source import Wanted

    return pixels if image_size is None else fit(pixels[None], Wanted(image_size))[0]
