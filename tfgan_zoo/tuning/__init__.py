"""Hyper-parameter search with keras-tuner, over the zoo's own signatures.

spaces             dimensions over an entry's keywords
data_splits        training, validation and test images that share none
objective          the score that a search is about, and which way is better
trial_callback     a run that is scored as it goes, and ended when there is no hope
interrupts         Ctrl-C that Python drops
hypermodel         a zoo entry as keras-tuner wants it
tuners             its oracles and its loop, made crash-proof
report             the live table, the ranking, the pictures
searching          the story
"""

from tfgan_zoo.tuning.searching import search
from tfgan_zoo.tuning.spaces import narrow, wide

__all__ = ["ZooHyperModel", "narrow", "search", "wide"]


def __getattr__(name):
    if name == "ZooHyperModel":  # it inherits from keras-tuner, which is not loaded before somebody asks for it
        from tfgan_zoo.tuning.hypermodel import ZooHyperModel

        return ZooHyperModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
