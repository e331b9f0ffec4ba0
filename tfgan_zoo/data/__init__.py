"""One `load(...)` for every source of images: bundled digits, TFDS names, folders, idx, .npz, arrays, toy densities."""

from .order import set_epoch
from .pipeline import arrays, info, load
from .source import Info

__all__ = ["Info", "arrays", "info", "load", "set_epoch"]
