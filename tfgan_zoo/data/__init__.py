"""One `load(...)` for every source of images: bundled digits, TFDS names, folders, idx, .npz, arrays, toy densities."""

from tfgan_zoo.data.order import set_epoch
from tfgan_zoo.data.pipeline import arrays, info, load, shape_of
from tfgan_zoo.data.source import Info

__all__ = ["Info", "arrays", "info", "load", "set_epoch", "shape_of"]
