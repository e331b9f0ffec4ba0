"""The table of metrics: a name, what it needs, what is best, and how it is found from the evidence.

To add one, write a function of `Evidence` below `@measure(...)`: it is then known to `evaluate`, by name and in "all".
A function returns {key: value} or {key: (value, standard deviation)}; its key carries what decides it.
"""

import collections.abc
import dataclasses

import numpy as np

from tfgan_zoo import errors
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.metrics import clouds, paths, points, scores, similarity, sliced, transfer
from tfgan_zoo.metrics.bins import different_bins
from tfgan_zoo.metrics.evidence import DENSITY_NEIGHBOUR, NEEDS, NEIGHBOUR
from tfgan_zoo.metrics.frechet import Moments
from tfgan_zoo.metrics.kernel import kernel_distance
from tfgan_zoo.metrics.memorisation import authentic, copied
from tfgan_zoo.metrics.parzen import JUDGES, parzen_log_likelihood

MEASURES = {}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A row of the table.

    Args:
        needs: keys of `evidence.NEEDS`, all of which must be there.
        best: beginning of a score's key -> min or max, whichever is better; None where neither is.
        usual: whether it is found without being asked for.
        settings: numbers that decide it, keywords of the function.
        function: (evidence, **settings) -> {key: value, or (value, standard deviation)}.
    """

    needs: tuple
    best: dict
    usual: bool
    settings: dict
    function: collections.abc.Callable

    def lacks(self, evidence):
        """The first sentence that says why it cannot be found; None if it can."""
        return next(filter(None, (NEEDS[need](evidence) for need in self.needs)), None)

    def __call__(self, evidence):
        return self.function(evidence, **self.settings)


def measure(*needs, best, usual=False, **settings):
    """Enter a function into the table, under its own name."""

    def enter(function):
        MEASURES[function.__name__] = Measure(needs, best, usual, settings, function)
        return function

    return enter


def chosen(metrics, evidence):
    """The metrics that are asked for and can be found.

    Args:
        metrics: names; "all"; None for the usual ones.
        evidence: what there will be to look at.

    Returns:
        ({name: Measure}, {name: the sentence that says why it was left out}).

    Raises:
        ValueError: an unknown name, one asked for by name that cannot be found, or nothing asked for.
    """
    if isinstance(metrics, str) and metrics != "all":
        metrics = (metrics,)
    by_name = metrics is not None and metrics != "all"
    names = tuple(metrics) if by_name else tuple(n for n, m in MEASURES.items() if m.usual or metrics == "all")
    for name in names:
        if name not in MEASURES:
            raise errors.unknown("metric", name, [*MEASURES, "all"])
    if not names:
        raise ValueError(f'metrics is empty: name some of {", ".join(MEASURES)}, or "all", or leave it out.')
    left_out = {name: sentence for name in names if (sentence := MEASURES[name].lacks(evidence))}
    for name, sentence in left_out.items():
        if by_name or (name == "fd" and metrics is None):
            raise ValueError(sentence)
    return {name: MEASURES[name] for name in names if name not in left_out}, left_out


@measure("covariance", best={"fd": min, "fid": min}, usual=True)
def fd(evidence):
    """Fréchet distance, and the same for real images: Heusel et al. 2017, Eq. 6."""
    key = evidence.in_features("fid" if evidence.extractor.is_inception else "fd")
    real = evidence.split, evidence.num_real
    found = {key: evidence.reference.distance_to(Moments.of(evidence.features), *real)}
    if evidence.floor_split:
        found[f"{key}_floor"] = evidence.reference.floor(*real, evidence.floor_split, evidence.floor_count)
    return found


@measure("neighbours", best={"precision": max, "recall": max}, usual=True, k=NEIGHBOUR)
def precision_recall(evidence, k):
    """Kynkäänniemi et al. 2019, Eq. 1 and 2."""
    return {evidence.in_features(name): evidence.neighbour_scores[name] for name in ("precision", "recall")}


@measure("neighbours", best={"kid": min}, subset_size=1000, num_subsets=100)
def kid(evidence, subset_size, num_subsets):
    """Kernel distance, unbiased: Binkowski et al. 2018, Sec. 3.1. Subsets of half the images, where those are few."""
    subset_size = max(2, min(subset_size, len(evidence.real) // 2, evidence.count // 2))
    found = kernel_distance(evidence.real, evidence.features, subset_size, num_subsets, seed=evidence.seed)
    return {evidence.in_features("kid"): found}


@measure("neighbours", best={"density": max, "coverage": max}, k=DENSITY_NEIGHBOUR)
def density_coverage(evidence, k):
    """Naeem et al. 2020, Eq. 4 and 5."""
    return {evidence.in_features(name): evidence.neighbour_scores[name] for name in ("density", "coverage")}


@measure("probabilities", best={"classifier_score": max, "inception_score": max}, usual=True)
def classifier_score(evidence):
    """Salimans et al. 2016, Sec. 4; by Inception's ten splits where it is the Inception Score."""
    if evidence.extractor.is_inception:
        return {evidence.in_features("inception_score"): scores.inception_score(evidence.probabilities)}
    return {evidence.in_pixels("classifier_score"): scores.classifier_score(evidence.probabilities)[0]}


@measure("probabilities", best={"class_histogram": None}, usual=True)
def class_histogram(evidence):
    """The share of each class, to see dropped ones."""
    return {"class_histogram": scores.class_histogram(evidence.probabilities).tolist()}


@measure("probabilities", best={"modes_present": max}, share=0.0)
def mode_count(evidence, share):
    """Metz et al. 2017, Sec. 3.3.1: the classes of which there is an image."""
    return {
        evidence.in_features("modes_present"): scores.modes_present(
            scores.class_histogram(evidence.probabilities), share
        )
    }


@measure("modes", best={"modes_covered": max, "high_quality": max}, usual=True)
def modes(evidence):
    """Srivastava et al. 2017, Sec. 4.1."""
    mixture = MIXTURES[evidence.reference.info.name]
    return {
        evidence.in_pixels("modes_covered"): points.modes_covered(evidence.features, *mixture),
        evidence.in_pixels("high_quality"): points.high_quality(evidence.features, *mixture),
    }


@measure(
    "images", "alike", best={"sliced_wasserstein": min}, num_images=2048, patches_per_image=128, num_projections=512
)
def sliced_wasserstein(evidence, num_images, **numbers):
    """Karras et al. 2018, Sec. 5, of fewer images than there: the mean over the scales, and each, finest first."""
    real, fake = evidence.real_images(count=num_images)[0], evidence.generated_images[:num_images]
    count = min(len(real), len(fake))
    by_scale = sliced.sliced_wasserstein(real[:count], fake[:count], seed=evidence.seed, **numbers)
    return {
        f"sliced_wasserstein_{count}": sum(by_scale.values()) / len(by_scale),
        "scales_of_sliced_wasserstein": list(by_scale.values()),
    }


@measure("images", best={"ms_ssim": None}, num_pairs=1000)
def ms_ssim(evidence, num_pairs):
    """Odena et al. 2017, Sec. 4.2, within classes where labels are known: near 1 for images that are all alike."""
    fake = evidence.generated_images
    groups = len(np.unique(evidence.labels)) if evidence.labels is not None else 1
    pairs = max(2, num_pairs // groups)
    found = {evidence.in_pixels("ms_ssim"): similarity.ms_ssim(fake, evidence.labels, pairs, evidence.seed)}
    if evidence.floor_split and NEEDS["alike"](evidence) is None:
        real, labels = evidence.real_images()
        labels = None if evidence.labels is None else labels
        found[f"{evidence.in_pixels('ms_ssim')}_floor"] = similarity.ms_ssim(real, labels, pairs, evidence.seed)[0]
    return found


@measure("images", "alike", best={"parzen": max}, num_images=10_000)
def parzen(evidence, num_images):
    """Goodfellow et al. 2014, Sec. 5: nats per held-out image, of pixels in [0, 1] as in its table."""
    real, fake = evidence.real_images(count=num_images)[0], evidence.generated_images[:num_images]
    other = evidence.floor_split or evidence.reference.other_split(evidence.split)
    judges = evidence.real_images(other, JUDGES)[0] if other else None
    rows = [None if images is None else _rows(images) for images in (fake, real, judges)]
    *found, bandwidth = parzen_log_likelihood(*rows[:2], validation=rows[2])
    return {f"parzen_{len(fake)}": tuple(found), "bandwidth_of_parzen": bandwidth}


@measure("neighbours", best={"ndb": min}, num_bins=100, significance=0.05)
def ndb(evidence, num_bins, significance):
    """Richardson & Weiss 2018, Sec. 3, in features; fewer bins where there are not ten real images for each."""
    num_bins = max(2, min(num_bins, len(evidence.real) // 10))
    found = different_bins(evidence.real, evidence.features, num_bins, significance, evidence.seed)
    return {evidence.in_features("ndb"): found.share, "divergence_of_bins": found.divergence}


@measure("training", best={"copying": None, "authenticity": None}, num_train=20_000)
def memorisation(evidence, num_train):
    """Meehan et al. 2020, Sec. 3.1 (0.5: no nearer to training images than held-out ones), and Alaa et al. 2022.

    Of a larger training set only the copies of these many images show, which is enough for the test.
    """
    reference = evidence.reference
    num_train = min(num_train, reference.size("train"))
    train = reference.features("train", num_train)["features"]
    own = reference.neighbour_distances("train", num_train, 1)[:, 0]

    def build():
        return dict(zip(("squared", "index"), clouds.nearest(evidence.real, train), strict=True))

    splits = evidence.split, "train"
    held_out = reference.kept("nearest", build, splits, count=evidence.num_real, num_train=num_train)
    squared, index = clouds.nearest(evidence.features, train)
    share, p_value = copied(squared, held_out["squared"])
    found = {
        evidence.in_features("copying"): share,
        "p_of_copying": p_value,
        evidence.in_features("authenticity"): authentic(squared, index, own),
    }
    if evidence.floor_split:
        found[f"{evidence.in_features('authenticity')}_floor"] = authentic(held_out["squared"], held_out["index"], own)
    return found


@measure("latents", best={"path_length": min}, num_paths=1000, epsilon=1e-4)
def path_length(evidence, num_paths, epsilon):
    """Karras et al. 2019, Sec. 4.1, Eq. 2, without LPIPS: in features of the extractor. Each path keeps its class."""
    model = evidence.model
    latents = np.asarray(model.draw_latents(2 * num_paths, evidence.seed))
    told = np.zeros((len(latents), 0)) if evidence.labels is None else np.resize(evidence.labels, (len(latents), 1))
    width = latents.shape[1]
    interpolate = paths.slerp if hasattr(getattr(model, "prior", None), "stddev") else paths.lerp

    def between(a, b, t):
        return np.concatenate([interpolate(a[:, :width], b[:, :width], t), a[:, width:]], 1)

    def sample(rows):
        z, labels = rows[:, :width].astype(np.float32), rows[:, width:].astype(np.int32)[:, :1]
        return np.asarray(model([z, labels[:, 0]] if labels.size else z))

    found = paths.perceptual_path_length(
        sample,
        lambda images: evidence.extractor(images)["features"],
        np.concatenate([latents, told], 1),
        epsilon,
        between,
        evidence.reference.batch_size,
        evidence.seed,
    )
    return {f"path_length_{evidence.extractor.kind}_{num_paths}": found}


@measure("images", "alike", "labels", best={"gan_train": max}, **transfer.SETTINGS)
def gan_train(evidence, **numbers):
    """Shmelkov et al. 2018, Sec. 3: a small classifier learns from the samples and is tested on real images."""
    reference = evidence.reference
    classes = reference.info.num_classes
    test = evidence.real_images()
    found = {
        evidence.in_pixels("gan_train"): transfer.accuracy_of_training_on(
            (evidence.generated_images, evidence.labels), test, classes, evidence.seed, **numbers
        )
    }
    if evidence.floor_split:

        def build():
            train = evidence.real_images(evidence.floor_split, evidence.count)
            found = transfer.accuracy_of_training_on(train, test, classes, evidence.seed, **numbers)
            return {"accuracy": found}

        splits = evidence.floor_split, evidence.split
        key = {"count": evidence.count, "tested": evidence.num_real, "size": list(evidence.shape)}
        key |= {"settings": numbers, "seed": evidence.seed}
        kept = reference.kept("gan_train", build, splits, **key)
        found[f"{evidence.in_pixels('gan_train')}_floor"] = float(kept["accuracy"])
    return found


@measure("judge", "labels", best={"gan_test": max})
def gan_test(evidence):
    """Shmelkov et al. 2018, Sec. 3: a classifier of real images, the extractor, finds the class each one was told."""
    found = evidence.probabilities.argmax(1) == evidence.labels
    return {evidence.in_features("gan_test"): float(found.mean())}


@measure("images", "alike", "convergence", best={"convergence": min})
def convergence(evidence):
    """Berthelot et al. 2017, Sec. 3.4: L(x) + |γ L(x) - L(G(z))|, over all images instead of one batch."""
    real, fake = (_energy(evidence.model, images) for images in (evidence.real_images()[0], evidence.generated_images))
    return {evidence.in_pixels("convergence"): real + abs(evidence.model.objective.gamma * real - fake)}


def _energy(model, images, batch_size=256):
    parts = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
    energies = [np.asarray(model.discriminator(part, training=False)["energy"]) for part in parts]
    return float(np.concatenate(energies).mean(dtype=np.float64))


def _rows(images):
    """Pixels in [0, 1], an image a row."""
    return (images.reshape(len(images), -1) + 1) / 2
