"""All that a metric may look at, and the sentences that say what is missing for it."""

import dataclasses
import functools
import re

import numpy as np

from tfgan_zoo import pixels
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.metrics import fakes
from tfgan_zoo.metrics.neighbours import neighbour_scores
from tfgan_zoo.metrics.reference import Reference

NEIGHBOUR = 3  # k of precision and recall, as in Kynkäänniemi et al. 2019
DENSITY_NEIGHBOUR = 5  # k of density and coverage, as in Naeem et al. 2020

NEEDS = {}  # what a metric can need -> a function of evidence: None, or the sentence that says why it is not there


@dataclasses.dataclass
class Evidence:
    """Generated images and real ones. Everything about real images is found when it is first asked for.

    Args:
        source: what is scored, a folder already opened.
        reference: the real images.
        split: of the reference.
        num_real: real images of that split.
        count: generated images.
        seed: of what is drawn.
        shape: (height, width, channels) of the generated images; None until the first batch of some models.
        labels: (count,) what the images were asked or said to show; None without labels.
        floor_split: real images that play the generated ones; None for no floor.
        features, probabilities, images: of the generated images: (count, d), (count, C) or None, uint8 or None.
    """

    source: object
    reference: Reference
    split: str
    num_real: int
    count: int
    seed: int
    shape: tuple | None
    labels: np.ndarray | None
    floor_split: str | None
    features: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    images: np.ndarray | None = None

    @property
    def extractor(self):
        """The network whose features these are."""
        return self.reference.extractor

    @property
    def model(self):
        """The model that is scored; None for images."""
        return self.source if fakes.is_model(self.source) else None

    @property
    def is_labelled(self):
        """Whether the generated images will have labels: given ones, or those that a conditional model is told."""
        classes = getattr(self.model, "num_classes", None)
        return self.labels is not None or (isinstance(classes, int) and not isinstance(classes, bool))

    @functools.cached_property
    def real(self):
        """(n, d) features of the real images."""
        return self.reference.features(self.split, self.num_real)["features"]

    @functools.cached_property
    def floor_count(self):
        """How many real images play the generated ones; None for no floor."""
        return min(self.count, self.reference.size(self.floor_split)) if self.floor_split else None

    @functools.cached_property
    def neighbour_scores(self):
        """Precision, recall, density and coverage: one pass over the distances answers all four."""
        known = self.reference.neighbour_distances(self.split, self.num_real, max(NEIGHBOUR, DENSITY_NEIGHBOUR))
        return neighbour_scores(self.real, self.features, NEIGHBOUR, DENSITY_NEIGHBOUR, known)

    def real_images(self, split=None, count=None):
        """Images float32 in [-1, 1] of the generated images' size, and labels, of this split or another."""
        images, labels = self.reference.images(split or self.split, count or self.num_real, self.shape)
        return _floats(images), labels

    @property
    def generated_images(self):
        """Images float32 in [-1, 1], as they would come out of PNG files."""
        return _floats(self.images)

    def in_features(self, score):
        """A score's key, with the extractor's word: "kid_classifier_10000"."""
        return self.extractor.key(score, self.count)

    def in_pixels(self, score):
        """A score's key, where no extractor decides it: "ms_ssim_10000"."""
        return f"{score}_{self.count}"


def need(function):
    """Enter a function of evidence into NEEDS by its name."""
    NEEDS[function.__name__] = function
    return function


@need
def covariance(evidence):
    """Twice as many images as features, on both sides."""
    width = evidence.extractor.width
    return _enough(
        evidence,
        2 * width,
        f"A Fréchet distance in {width} features needs at least {{}} images (twice as many, or the covariance is next "
        "to singular)",
        ' The kernel distance needs no covariance: metrics=("kid",).',
    )


@need
def neighbours(evidence):
    """A few images more than the neighbours that are looked for, and enough for two subsets."""
    return _enough(evidence, 6, "Nearest neighbours and subsets need at least {} images")


@need
def probabilities(evidence):
    """A classifier as extractor."""
    if evidence.extractor.classes is None:
        return (
            f"The extractor {evidence.extractor.name!r} gives no probabilities: end it in "
            '{"features": ..., "probabilities": ...}.'
        )


@need
def modes(evidence):
    """A mixture of points whose modes are known."""
    info = evidence.reference.info
    if not info.is_points or len(MIXTURES.get(info.name, ([],))[0]) < 2:
        return f"The modes of {info.name} are not known: only those of {', '.join(sorted(MIXTURES))} can be counted."


@need
def images(evidence):
    """Pixels, and not points."""
    if evidence.reference.info.is_points:
        return f"{evidence.reference.info.name} is points, which have no pixels to compare."


@need
def alike(evidence):
    """Generated and real images of one size and one number of channels."""
    info = evidence.reference.info
    if evidence.shape is None or info.is_points or evidence.shape == tuple(info.image_shape):
        return None
    height, width, _ = evidence.shape
    if evidence.reference.has_splits and height == width:
        return None  # the reference is read at that size, as it is for training
    wanted = "x".join(map(str, info.image_shape))
    return (
        f"The images are {'x'.join(map(str, evidence.shape))} and the reference is {wanted}, so their pixels cannot be "
        f"compared: give both in one size with as many channels."
    )


@need
def labels(evidence):
    """Classes of generated images and of the reference."""
    info = evidence.reference.info
    if not info.num_classes:
        return f"{info.name} has no labels to train a classifier on."
    if not evidence.is_labelled:
        return (
            "The generated images have no labels: score a conditional model, give labels=, one per image, or a folder "
            "of class folders."
        )


@need
def judge(evidence):
    """An extractor that classifies into the reference's classes."""
    classes, info = evidence.extractor.classes, evidence.reference.info
    if classes is None or classes != info.num_classes:
        return (
            f"The extractor {evidence.extractor.name!r} knows {classes or 'no'} classes and {info.name} has "
            f"{info.num_classes or 'none'}: gan_test needs a classifier of the reference."
        )


@need
def training(evidence):
    """Training images that are not the ones scored against."""
    if not evidence.reference.has_splits or "train" not in evidence.reference.info.num_images:
        return f"{evidence.reference.info.name} has no training split: name a data source that has one."
    if re.search(r"\btrain\b", evidence.split):
        return f"split={evidence.split!r} is the training split itself: score against held-out images, split='test'."


@need
def latents(evidence):
    """A model that can be asked for the image of a latent."""
    if not callable(getattr(evidence.model, "draw_latents", None)):
        return "A path through latent space needs a model with .draw_latents, and these are images."


@need
def convergence(evidence):
    """BEGAN's discriminator."""
    if "convergence" not in getattr(evidence.model, "state", {}):
        return "The measure of convergence (Berthelot et al. 2017) is that of a model with a BoundaryEquilibrium loss."


def _enough(evidence, needed, what, instead=""):
    named = "the array gives" if isinstance(evidence.source, np.ndarray) else "num_images is"
    sides = {
        f"the split {evidence.split!r} of the reference has": evidence.num_real,
        named: evidence.count,
    }
    for whose, count in sides.items():
        if count < needed:
            return f"{what.format(needed)}, and {whose} {count}.{instead}"
    return None


def _floats(images):
    return images if images.dtype != np.uint8 else np.asarray(pixels.from_uint8(images))
