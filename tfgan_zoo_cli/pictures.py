"""Images as pictures, with NumPy and Pillow alone."""

import math
import pathlib

import numpy as np

_SHORTEST_SIDE = 448  # pixels; small grids are enlarged by a whole factor


def save(images, path, columns=None):
    """Write images as one PNG grid, as single PNGs in a folder, or as an array; points as an array.

    Args:
        images: float32 (N, height, width, channels) in [-1, 1], or points (N, 2).
        path: ends in .png, in .npz, or in nothing: a folder.
        columns: images in a row of the grid; None for about a square.

    Raises:
        ValueError: for another ending, or points that are asked for as a picture.
    """
    path = pathlib.Path(path)
    if path.suffix not in (".png", ".npz", ""):
        raise ValueError(f"--out {path}: give a name that ends in .png or .npz, or the name of a folder.")
    if path.suffix == ".npz":
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, images=images)
        return
    if np.ndim(images) == 2:
        raise ValueError(f"--out {path}: the generator draws points, which are saved as an array: give a name in .npz.")
    from PIL import Image

    shown = np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)
    if path.suffix == "":
        path.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(shown):
            Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(path / f"{number:05d}.png")
        return
    sheet = _grid(shown, columns)
    picture = Image.fromarray(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet)
    factor = max(1, math.ceil(_SHORTEST_SIDE / min(picture.size)))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST).save(path)


def _grid(shown, columns):
    """The images in rows, on a thin white lattice."""
    count, height, width, channels = shown.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 255, np.uint8)
    for number, image in enumerate(shown):
        top, left = (number // columns) * (height + 1) + 1, (number % columns) * (width + 1) + 1
        sheet[top : top + height, left : left + width] = image
    return sheet
