"""One `load(...)` for every source of images: names, folders, files, arrays; with attributes, paired, unpaired."""

from tfgan_zoo.data import shapes
from tfgan_zoo.data.attributes import WithAttributes
from tfgan_zoo.data.checking import check
from tfgan_zoo.data.clusters import Clustered
from tfgan_zoo.data.few_labels import few_of_each, half_labelled, labelled
from tfgan_zoo.data.finding import name_of, underlying, with_test
from tfgan_zoo.data.held_out import HeldOut
from tfgan_zoo.data.order import set_epoch
from tfgan_zoo.data.pairs import Pairs, Unpaired
from tfgan_zoo.data.pipeline import arrays, fingerprint, info, is_ours, load, shape_of
from tfgan_zoo.data.source import Info
from tfgan_zoo.data.writing import write

__all__ = [
    "Clustered",
    "HeldOut",
    "Info",
    "Pairs",
    "Unpaired",
    "WithAttributes",
    "arrays",
    "check",
    "few_of_each",
    "fingerprint",
    "half_labelled",
    "info",
    "is_ours",
    "labelled",
    "load",
    "name_of",
    "set_epoch",
    "shape_of",
    "shapes",
    "underlying",
    "with_test",
    "write",
]
