"""One `load(...)` for every source of images: bundled digits, TFDS names, folders, idx, .npz, arrays, toy densities."""

from tfgan_zoo.data.checking import check
from tfgan_zoo.data.order import set_epoch
from tfgan_zoo.data.pipeline import arrays, info, load, shape_of
from tfgan_zoo.data.source import Info
from tfgan_zoo.data.writing import write

__all__ = ["Info", "arrays", "check", "info", "load", "set_epoch", "shape_of", "write"]
