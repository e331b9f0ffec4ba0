"""The FID Inception a second time: names, a file of weights as PyTorch writes it, and the network in NumPy."""

import collections
import contextlib
import functools
import io
import pickle
import sys
import types
import zipfile

import numpy as np

STEM = {
    "Conv2d_1a_3x3": (32, 3, 3, 3),
    "Conv2d_2a_3x3": (32, 32, 3, 3),
    "Conv2d_2b_3x3": (64, 32, 3, 3),
    "Conv2d_3b_1x1": (80, 64, 1, 1),
    "Conv2d_4a_3x3": (192, 80, 3, 3),
}


def block_a(i, pooled):
    return {
        "branch1x1": (64, i, 1, 1),
        "branch5x5_1": (48, i, 1, 1),
        "branch5x5_2": (64, 48, 5, 5),
        "branch3x3dbl_1": (64, i, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
        "branch_pool": (pooled, i, 1, 1),
    }


def block_c(c):
    return {
        "branch1x1": (192, 768, 1, 1),
        "branch7x7_1": (c, 768, 1, 1),
        "branch7x7_2": (c, c, 1, 7),
        "branch7x7_3": (192, c, 7, 1),
        "branch7x7dbl_1": (c, 768, 1, 1),
        "branch7x7dbl_2": (c, c, 7, 1),
        "branch7x7dbl_3": (c, c, 1, 7),
        "branch7x7dbl_4": (c, c, 7, 1),
        "branch7x7dbl_5": (192, c, 1, 7),
        "branch_pool": (192, 768, 1, 1),
    }


def block_e(i):
    return {
        "branch1x1": (320, i, 1, 1),
        "branch3x3_1": (384, i, 1, 1),
        "branch3x3_2a": (384, 384, 1, 3),
        "branch3x3_2b": (384, 384, 3, 1),
        "branch3x3dbl_1": (448, i, 1, 1),
        "branch3x3dbl_2": (384, 448, 3, 3),
        "branch3x3dbl_3a": (384, 384, 1, 3),
        "branch3x3dbl_3b": (384, 384, 3, 1),
        "branch_pool": (192, i, 1, 1),
    }


BLOCKS = {
    "Mixed_5b": block_a(192, 32),
    "Mixed_5c": block_a(256, 64),
    "Mixed_5d": block_a(288, 64),
    "Mixed_6a": {
        "branch3x3": (384, 288, 3, 3),
        "branch3x3dbl_1": (64, 288, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
    },
    "Mixed_6b": block_c(128),
    "Mixed_6c": block_c(160),
    "Mixed_6d": block_c(160),
    "Mixed_6e": block_c(192),
    "Mixed_7a": {
        "branch3x3_1": (192, 768, 1, 1),
        "branch3x3_2": (320, 192, 3, 3),
        "branch7x7x3_1": (192, 768, 1, 1),
        "branch7x7x3_2": (192, 192, 1, 7),
        "branch7x7x3_3": (192, 192, 7, 1),
        "branch7x7x3_4": (192, 192, 3, 3),
    },
    "Mixed_7b": block_e(1280),
    "Mixed_7c": block_e(2048),
}


@functools.cache
def weights(seed=0):
    """Random arrays under the file's names, in PyTorch's layout."""
    random = np.random.default_rng(seed)
    convolutions = STEM | {f"{b}.{name}": shape for b, block in BLOCKS.items() for name, shape in block.items()}
    found = collections.OrderedDict()
    for name, shape in convolutions.items():
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        found[f"{name}.conv.weight"] = random.normal(0, deviation, shape).astype(np.float32)
        found[f"{name}.bn.weight"] = random.uniform(0.8, 1.2, shape[0]).astype(np.float32)
        found[f"{name}.bn.bias"] = random.normal(0, 0.1, shape[0]).astype(np.float32)
        found[f"{name}.bn.running_mean"] = random.normal(0, 0.1, shape[0]).astype(np.float32)
        found[f"{name}.bn.running_var"] = random.uniform(0.8, 1.2, shape[0]).astype(np.float32)
        found[f"{name}.bn.num_batches_tracked"] = np.array(7)
    found["fc.weight"] = random.normal(0, 0.02, (1008, 2048)).astype(np.float32)
    found["fc.bias"] = random.normal(0, 1, 1008).astype(np.float32)
    return found


def features(images, arrays):
    """(N, 2048) for images (N, 3, 299, 299) in (x - 128) / 128, by NumPy alone."""

    def layer(x, name, stride=1, same=True):
        kernel = arrays[f"{name}.conv.weight"]
        if same:
            high, wide = kernel.shape[2] // 2, kernel.shape[3] // 2
            x = np.pad(x, ((0, 0), (0, 0), (high, high), (wide, wide)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], (2, 3))[:, :, ::stride, ::stride]
        x = np.tensordot(windows, kernel, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
        mean, variance, scale, shift = (
            arrays[f"{name}.bn.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return np.maximum((x - mean) / np.sqrt(variance + 0.001) * scale + shift, 0)

    def chain(x, name, *parts):
        for part in parts:
            x = layer(x, f"{name}.{part}")
        return x

    def block(x, name):
        def branch(*parts):
            return chain(x, name, *parts)

        if name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            found = [branch("branch1x1"), branch("branch5x5_1", "branch5x5_2")]
            found += [branch("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")]
        elif name == "Mixed_6a":
            double = layer(branch("branch3x3dbl_1", "branch3x3dbl_2"), f"{name}.branch3x3dbl_3", 2, False)
            return np.concatenate([layer(x, f"{name}.branch3x3", 2, False), double, strided_pool(x)], 1)
        elif name == "Mixed_7a":
            three = layer(branch("branch3x3_1"), f"{name}.branch3x3_2", 2, False)
            seven = branch("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3")
            return np.concatenate([three, layer(seven, f"{name}.branch7x7x3_4", 2, False), strided_pool(x)], 1)
        elif name.startswith("Mixed_6"):
            found = [branch("branch1x1"), branch("branch7x7_1", "branch7x7_2", "branch7x7_3")]
            found += [branch(*(f"branch7x7dbl_{number}" for number in range(1, 6)))]
        else:
            three, double = branch("branch3x3_1"), branch("branch3x3dbl_1", "branch3x3dbl_2")
            found = [branch("branch1x1"), *(chain(three, name, f"branch3x3_2{end}") for end in "ab")]
            found += [chain(double, name, f"branch3x3dbl_3{end}") for end in "ab"]
        pooled = largest(x) if name == "Mixed_7c" else mean_without_padding(x)
        return np.concatenate([*found, chain(pooled, name, "branch_pool")], 1)

    x = layer(layer(images, "Conv2d_1a_3x3", 2, False), "Conv2d_2a_3x3", 1, False)
    x = strided_pool(layer(x, "Conv2d_2b_3x3"))
    x = strided_pool(layer(layer(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3", 1, False))
    for name in BLOCKS:
        x = block(x, name)
    return x.mean((2, 3))


def strided_pool(x):
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2].max((4, 5))


def largest(x):
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).max((4, 5))


def mean_without_padding(x):
    def sums(x):
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).sum((4, 5))

    return sums(x) / sums(np.ones_like(x))


class Storage:
    """What a storage is in PyTorch's pickles: a type, a key and a count."""

    def __init__(self, key, array):
        self.key, self.array = key, array


@contextlib.contextmanager
def torch_names():
    """Modules with the names that a pickle of tensors refers to, and with nothing in them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for dtype in ("FloatStorage", "LongStorage"):
        setattr(torch, dtype, type(dtype, (), {"__module__": "torch"}))

    def rebuild(*_):
        raise AssertionError("only PyTorch makes tensors of it")

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", *("_rebuild_tensor_v2",) * 2
    utils._rebuild_tensor_v2 = rebuild
    torch._utils = utils
    held = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        yield torch
    finally:
        for name, module in held.items():
            sys.modules.pop(name) if module is None else sys.modules.__setitem__(name, module)


def save_torch(arrays, path):
    """A state_dict as torch.save writes it since 1.6: a zip of one pickle, and of each storage's bytes."""
    storages = [Storage(str(number), np.asarray(array, order="C")) for number, array in enumerate(arrays.values())]

    with torch_names() as torch:

        class Pickler(pickle.Pickler):
            def persistent_id(self, value):
                if not isinstance(value, Storage):
                    return None
                kind = torch.LongStorage if value.array.dtype == np.int64 else torch.FloatStorage
                return ("storage", kind, value.key, "cpu", value.array.size)

        class Tensor:
            def __init__(self, storage):
                self.storage = storage

            def __reduce__(self):
                array = self.storage.array
                strides = tuple(stride // array.itemsize for stride in array.strides)
                extra = (False, collections.OrderedDict())
                return torch._utils._rebuild_tensor_v2, (self.storage, 0, array.shape, strides, *extra)

        tensors = zip(arrays, storages, strict=True)
        pickled = io.BytesIO()
        Pickler(pickled, 2).dump(collections.OrderedDict((name, Tensor(storage)) for name, storage in tensors))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        archive.writestr("archive/byteorder", "little")
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.array.tobytes())
        archive.writestr("archive/version", "3\n")
