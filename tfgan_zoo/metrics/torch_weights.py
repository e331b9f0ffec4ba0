"""Named arrays out of a file: PyTorch's .pth, .npz or .h5, without PyTorch and without running what a pickle says."""

import collections
import io
import pathlib
import pickle
import zipfile

import numpy as np

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # begins the files of torch.save before 1.6


def read(path):
    """The arrays of a file, by name.

    A .pth is a pickle, which may name any function to be called on reading it. Here only those that stand for tensors
    are known, and they make NumPy arrays; every other name is refused.

    Args:
        path: .pth or .pt of a state_dict, in the layout of torch.save since 1.6 (zip) or before; .npz; .h5 or .hdf5,
            where a group stands for a dot in the name.

    Returns:
        dict name -> NumPy array.

    Raises:
        ValueError: another kind of file, a damaged one, or a pickle with something else than tensors in it.
        FileNotFoundError: there is no such file.
    """
    path = pathlib.Path(path).expanduser()
    readers = {".pth": _torch, ".pt": _torch, ".npz": _npz, ".h5": _hdf5, ".hdf5": _hdf5}
    if path.suffix not in readers:
        raise ValueError(f"{path} is not {', '.join(readers)}: weights are read from these.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        return readers[path.suffix](path)
    except (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, KeyError, IndexError, TypeError, OSError) as error:
        raise ValueError(f"{path} is damaged or no state_dict of tensors: {error}") from error


def _npz(path):
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _hdf5(path):
    import h5py

    arrays = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: arrays.update({name.replace("/", "."): item[()]}) if hasattr(item, "dtype") else None
        )
    return arrays


def _torch(path):
    with open(path, "rb") as file:
        value = _zipped(file) if zipfile.is_zipfile(file) else _legacy(file)
    if not isinstance(value, dict) or not all(isinstance(array, np.ndarray) for array in value.values()):
        raise ValueError(f"{path} holds something else than a state_dict, a dict of name -> tensor.")
    return dict(value)


def _zipped(file):
    """Since PyTorch 1.6: <name>/data.pkl, and each storage's bytes in <name>/data/<key>."""
    with zipfile.ZipFile(file) as archive:
        pickled = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if pickled is None:
            raise ValueError("there is no data.pkl inside.")
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("the bytes are in big-endian order.")

        def storage(dtype, key, count):
            return _numbers(archive.read(f"{folder}data/{key}"), dtype, count)

        return _Tensors(io.BytesIO(archive.read(pickled)), storage).load()


def _legacy(file):
    """Before: pickles of a magic number, a version, the machine and the value; the storages' keys; their bytes."""
    file.seek(0)
    if _Tensors(file, None).load() != _LEGACY_MAGIC:
        raise ValueError("it does not begin like a file of torch.save.")
    _Tensors(file, None).load(), _Tensors(file, None).load()
    storages = {}

    def storage(dtype, key, count):
        return storages.setdefault(key, np.empty(count, dtype))  # its bytes come after the value

    value = _Tensors(file, storage).load()
    for key in _Tensors(file, None).load():
        (count,) = np.frombuffer(file.read(8), "<i8")
        content = file.read(count * storages[key].itemsize)
        storages[key][:] = _numbers(content, storages[key].dtype, len(storages[key]))
    return value


def _numbers(content, dtype, count):
    if len(content) != count * dtype.itemsize:
        raise EOFError(f"a storage has {len(content)} bytes and not {count * dtype.itemsize}.")
    return np.frombuffer(content, dtype)


class _Tensors(pickle.Unpickler):
    """A pickle in which nothing but tensors, plain values and ordered dicts may stand."""

    def __init__(self, file, storage):
        super().__init__(file)
        self._storage = storage

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter")):
            return _tensor if name == "_rebuild_tensor_v2" else _parameter
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor and is not loaded.")

    def persistent_load(self, identity):
        kind, dtype, key, _, count, *_ = identity
        if kind != "storage" or self._storage is None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it refers to {kind!r}, which is no storage of a tensor.")
        return self._storage(dtype, str(key), int(count))


def _tensor(storage, offset, shape, strides, *_):
    reach = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if 0 in shape:
        return np.empty(shape, storage.dtype)
    if offset < 0 or min(strides, default=0) < 0 or reach >= len(storage):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage.")
    strides = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides, writeable=False)


def _parameter(tensor, *_):
    return tensor
