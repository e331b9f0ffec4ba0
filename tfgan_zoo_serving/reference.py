"""reference.npz: a few of the model's own latents, labels and images, read as what comes from a stranger.

It is what `numpy.savez` writes, plain arrays without compression: so nothing in it grows while it is read, and no
Python object is made of it.
"""

import io
import math
import zipfile

import numpy as np

from tfgan_zoo_serving.card import DamagedError

REFERENCE = "reference.npz"
_MOST_ROWS = 1 << 20  # of the draw whose rows were kept


def read(path, model):
    """The arrays of a reference by name.

    Args:
        path: of the file.
        model: what the card says of the model.

    Returns:
        Dict with "rows" (N,) of which the others are, "images" (N, *image_shape), what they start from, and "labels".

    Raises:
        DamagedError: if it is no such file, or not one of this model.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            plain = all(one.compress_type == zipfile.ZIP_STORED for one in members)
            if not plain or sum(one.file_size for one in members) > path.stat().st_size:
                raise ValueError("it is compressed")
            found = {one.filename.removesuffix(".npy"): _array(archive.read(one)) for one in members}
    except (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, SyntaxError, zipfile.BadZipFile) as error:
        raise DamagedError(
            f"{path} is damaged: {str(error).rstrip('.') or 'it is no archive'}. Export again."
        ) from error
    if fault := _fault(found, model):
        raise DamagedError(f"{path} is not of this model: {fault}. Export again.")
    return found


def start_of(model):
    """Name -> shape of one, of what the model's images start from; in older cards always latents."""
    return model.get("start", {"latents": [model["latent_dim"]]})


def _array(content):
    file = io.BytesIO(content)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read_header[np.lib.format.read_magic(file)](file)
    if dtype.kind not in "iuf":
        raise ValueError("it holds something else than numbers")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError("an array is cut short")
    array = np.frombuffer(content, dtype, offset=file.tell())
    return array.reshape(shape, order="F" if fortran else "C")


def _fault(found, model):
    rows, images = found.get("rows"), found.get("images")
    if rows is None or rows.ndim != 1 or not len(rows) or rows.dtype.kind not in "iu":
        return "it does not say of which rows it is"
    if rows.min() < 0 or rows.max() >= _MOST_ROWS:
        return f"it says that it is of row {rows.max()}"
    wanted = {"images": model["image_shape"], **start_of(model)}
    wanted |= {} if model["num_classes"] is None else {"labels": []}
    for name, shape in wanted.items():
        if name not in found or found[name].shape != (len(rows), *shape):
            return f"it has no {name} of shape ({', '.join(map(str, [len(rows), *shape]))})"
        if (found[name].dtype.kind in "iu") != (name == "labels") or not np.isfinite(found[name]).all():
            return f"its {name} are no numbers of their kind"
    if images.dtype != np.float32:
        return f"its images are {images.dtype}"
    return None
