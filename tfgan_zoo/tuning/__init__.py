"""Hyper-parameter search with keras-tuner, over the zoo's own signatures.

spaces         dimensions over an entry's keywords; the ranges of Lucic et al. 2018
material       training, validation and test images that share none
watch          a run that is scored as it goes, and ended when there is no hope
hypermodel     a zoo entry as keras-tuner wants it
tuners         its oracles and its loop, made crash-proof
report         the live table, the ranking, the pictures
searching      the story
"""

from tfgan_zoo.tuning.searching import search
from tfgan_zoo.tuning.spaces import narrow, wide

__all__ = ["ZooHyperModel", "narrow", "search", "wide"]


def __getattr__(name):
    if name == "ZooHyperModel":  # it inherits from keras-tuner, which is not loaded before somebody asks for it
        from tfgan_zoo.tuning.hypermodel import ZooHyperModel

        return ZooHyperModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
