"""All that a metric may look at, and the sentences that say what is missing for it."""

import dataclasses
import functools
import re

import numpy as np

from tfgan_zoo import pixels
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.metrics import features, image_sources
from tfgan_zoo.metrics.neighbours import neighbour_scores
from tfgan_zoo.metrics.reference import Reference

NEIGHBOUR = 3  # k of precision and recall, as in Kynkäänniemi et al. 2019
DENSITY_NEIGHBOUR = 5  # k of density and coverage, as in Naeem et al. 2020

NEEDS = {}  # what a metric can need -> a function of inputs: None, or the sentence that says why it is not there


@dataclasses.dataclass
class MetricInputs:
    """Generated images and real ones. What is known of real images is computed when it is first asked for.

    Args:
        source: what is scored, a folder already opened.
        reference: the real images.
        split: of the reference.
        num_real: real images of that split.
        count: generated images.
        seed: of what is drawn.
        shape: (height, width, channels) of the generated images; None until the first batch of some models.
        labels: (count,) classes the images were asked or said to show; None without labels.
        floor_split: real images that play the generated ones; None for no floor.
        held_out: how many images were held out because there is no test split; None where there is one.
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
    held_out: int | None = None
    features: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    images: np.ndarray | None = None

    @property
    def extractor(self):
        """The network whose features these are; None where nobody has one, or looks at them."""
        return self.reference.extractor

    @property
    def model(self):
        """The model that is scored; None for images."""
        return self.source if image_sources.is_model(self.source) else None

    @property
    def condition(self):
        """What the model is given beside noise, a value of `conditions`; None without."""
        return getattr(self.model, "condition", None)

    @property
    def is_labelled(self):
        """Whether the generated images will have labels: given ones, or the classes of a conditional model."""
        return self.labels is not None or hasattr(self.condition, "num_classes")

    def condition_rows(self, count):
        """`count` rows of what a conditional model is given, its labels over and over; None for any other model."""
        if self.condition is None:
            return None
        return (
            np.asarray(self.condition.sample(count, self.seed))
            if self.labels is None
            else np.resize(self.labels, count)
        )

    @property
    def likelihood_protocol(self):
        """How the model's `log_prob` is to be read: "kind", "samples", "dequantisation", "data_scale"; None if unsaid.

        The kind is "exact" or "bound"; the data's scale is that of `likelihoods.bits_per_dim`.
        """
        kind = "bound" if getattr(self.model, "is_bound", False) else "exact"
        unsaid = dict.fromkeys(("samples", "dequantisation", "data_scale"))
        return {"kind": kind} | unsaid | dict(getattr(self.model, "likelihood_protocol", None) or {})

    def in_batches(self, function, *rows):
        """What a function of images, and of what goes with each, gives, a batch at a time."""
        size = self.reference.batch_size
        parts = ([one[at : at + size] for one in rows] for at in range(0, len(rows[0]), size))
        return np.concatenate([np.asarray(function(*part)) for part in parts])

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

    def real_pairs(self, count):
        """Images float32 in [-1, 1] and the target of each, of a reference of pairs."""
        asked = self.split, min(count, self.num_real), self.shape
        return _floats(self.reference.sources(*asked)), _floats(self.reference.images(*asked)[0])

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
    """Enter a function of inputs into NEEDS by its name."""
    NEEDS[function.__name__] = function
    return function


@need
def extractor(inputs):
    """A network to take features in."""
    if inputs.extractor is None:
        return features.no_extractor(inputs.reference.info.name)


@need
def covariance(inputs):
    """Twice as many images as features, on both sides."""
    if sentence := extractor(inputs):
        return sentence
    width = inputs.extractor.width
    return _enough(
        inputs,
        2 * width,
        f"A Fréchet distance in {width} features needs at least {{}} images (twice as many, or the covariance is next "
        "to singular)",
        ' The kernel distance needs no covariance: metrics=("kid",).',
    )


@need
def neighbours(inputs):
    """A few images more than the neighbours that are looked for, and enough for two subsets."""
    return extractor(inputs) or _enough(inputs, 6, "Nearest neighbours and subsets need at least {} images")


@need
def probabilities(inputs):
    """A classifier as extractor."""
    if sentence := extractor(inputs):
        return sentence
    if inputs.extractor.classes is None:
        return (
            f"The extractor {inputs.extractor.name!r} gives no probabilities: end it in "
            '{"features": ..., "probabilities": ...}.'
        )


@need
def modes(inputs):
    """A mixture of points whose modes are known."""
    info = inputs.reference.info
    if not info.is_points or len(MIXTURES.get(info.name, ([],))[0]) < 2:
        return f"The modes of {info.name} are not known: only those of {', '.join(sorted(MIXTURES))} can be counted."


@need
def images(inputs):
    """Pixels, and not points."""
    if inputs.reference.info.is_points:
        return f"{inputs.reference.info.name} is points, which have no pixels to compare."


@need
def patches(inputs):
    """Pixels with room for the patches of 7 x 7 that are compared."""
    shape = inputs.shape or inputs.reference.image_shape
    if inputs.reference.info.is_points or None in shape or min(shape[:2]) >= 7:
        return images(inputs)
    return f"The images are {shape[0]}x{shape[1]}, and the patches that are compared are 7x7."


@need
def alike(inputs):
    """Generated and real images of one size and one number of channels."""
    reference = inputs.reference
    if inputs.shape is None or reference.info.is_points or inputs.shape == reference.image_shape:
        return None
    if reference.has_splits:
        return None  # the reference is read at that size, as it is for training
    wanted = "x".join(map(str, reference.image_shape))
    return (
        f"The images are {'x'.join(map(str, inputs.shape))} and the reference is {wanted}, so their pixels cannot be "
        f"compared: give both in one size with as many channels."
    )


@need
def labels(inputs):
    """Classes of generated images and of the reference."""
    info = inputs.reference.info
    if not info.num_classes:
        return f"{info.name} has no labels to train a classifier on."
    if not inputs.is_labelled:
        return (
            "The generated images have no labels: score a conditional model, give labels=, one per image, or a folder "
            "of class folders."
        )


@need
def classifier(inputs):
    """An extractor that classifies into the reference's classes."""
    if sentence := extractor(inputs):
        return sentence
    classes, info = inputs.extractor.classes, inputs.reference.info
    if classes is None or classes != info.num_classes:
        return (
            f"The extractor {inputs.extractor.name!r} knows {classes or 'no'} classes and {info.name} has "
            f"{info.num_classes or 'none'}: gan_test needs a classifier of the reference."
        )


@need
def training(inputs):
    """Training images that are not the ones scored against."""
    if not inputs.reference.has_splits or "train" not in inputs.reference.info.num_images:
        return f"{inputs.reference.info.name} has no training split: name a data source that has one."
    if re.search(r"\btrain\b", inputs.split):
        return f"split={inputs.split!r} is the training split itself: score against held-out images, split='test'."


@need
def latents(inputs):
    """A model that can be asked for the image of a latent."""
    if getattr(inputs.model, "draws_levels", False) and hasattr(inputs.model, "draw_latents"):
        return "A path through latent space is as long as images change smoothly, and this model draws levels."
    return _lacking(inputs, "A path through latent space", "draw_latents", "draw")


@need
def convergence(inputs):
    """BEGAN's discriminator, with the state that its loss keeps."""
    state, networks = (getattr(inputs.model, name, {}) for name in ("state", "networks"))
    if "convergence" not in state or "discriminator" not in networks:
        return "The measure of convergence (Berthelot et al. 2017) is that of a model with a BoundaryEquilibrium loss."


@need
def likelihood(inputs):
    """A model that says how likely an image is."""
    return _lacking(inputs, "A likelihood", "log_prob") or _translucent(inputs) or alike(inputs)


@need
def reconstruction(inputs):
    """A model that brings images back from their codes."""
    return _lacking(inputs, "Reconstruction", "reconstruct") or _translucent(inputs) or alike(inputs)


@need
def pairs(inputs):
    """A model that translates images, and a reference that has the target of each."""
    if sentence := _lacking(inputs, "Translation", "translate"):
        return sentence
    if not getattr(inputs.reference.info, "is_pairs", False):
        return f"{inputs.reference.info.name} has no pairs: translation is scored against the target of each image."


@need
def cycle(inputs):
    """A model that translates there and back, and a reference of two domains."""
    if sentence := _lacking(inputs, "A cycle", "translate", "translate_back"):
        return sentence
    if not inputs.reference.is_two:
        return f"{inputs.reference.info.name} is one domain: give two, tz.data.Unpaired(a, b)."


def _lacking(inputs, what, *verbs):
    """The sentence that names the first verb a model does not have; None if it has them all."""
    verb = next((verb for verb in verbs if not callable(getattr(inputs.model, verb, None))), None)
    if verb is not None:
        whose = "these are images" if inputs.model is None else "this one has none"
        return f"{what} needs a model with .{verb}, and {whose}."


def _translucent(inputs):
    shape = getattr(inputs.model, "image_shape", None)
    if shape is not None and len(shape) == 3 and shape[2] == 4:
        return "The model's images are RGBA, and real images are laid over white: it is not asked about those."


def _enough(inputs, needed, what, instead=""):
    named = "the array gives" if isinstance(inputs.source, np.ndarray) else "num_images is"
    sides = {
        f"the split {inputs.split!r} of the reference has": inputs.num_real,
        named: inputs.count,
    }
    for whose, count in sides.items():
        if count < needed:
            return f"{what.format(needed)}, and {whose} {count}.{instead}"
    return None


def _floats(images):
    return images if images.dtype != np.uint8 else np.asarray(pixels.from_uint8(images))
