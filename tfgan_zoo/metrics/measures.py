"""The table of metrics: a name, what it needs, which way is better, and how it is computed.

To add one, write a function of `MetricInputs` below `@measure(...)`: `evaluate` then knows it, by name and in "all".
A function returns {key: value} or {key: (value, standard deviation)}; its key carries what decides it.
"""

import collections.abc
import dataclasses
import inspect

import numpy as np
import tensorflow as tf

from tfgan_zoo import errors, pixels
from tfgan_zoo.data.bundled import MIXTURES
from tfgan_zoo.geometry import lerp, slerp
from tfgan_zoo.metrics import distances, paired, points, scores, similarity, sliced
from tfgan_zoo.metrics.frechet import Moments
from tfgan_zoo.metrics.gan_train import SETTINGS, accuracy_of_training_on
from tfgan_zoo.metrics.kernel import kernel_distance
from tfgan_zoo.metrics.likelihoods import bits_per_dim, log_likelihood
from tfgan_zoo.metrics.memorisation import authentic, copied
from tfgan_zoo.metrics.metric_inputs import DENSITY_NEIGHBOUR, NEEDS, NEIGHBOUR
from tfgan_zoo.metrics.ndb import different_bins
from tfgan_zoo.metrics.parzen import VALIDATION_ROWS, parzen_log_likelihood
from tfgan_zoo.metrics.path_length import perceptual_path_length

MEASURES = {}


@dataclasses.dataclass(frozen=True)
class Measure:
    """A row of the table.

    Args:
        needs: keys of `metric_inputs.NEEDS`, all of which must be there.
        best: beginning of a score's key -> min or max, whichever is better; None where neither is.
        usual: whether it is computed without being asked for.
        instead: whether it is so where there is no extractor.
        generates: whether it looks at generated images.
        settings: numbers that decide it, keywords of the function.
        function: (inputs, **settings) -> {key: value, or (value, standard deviation)}.
    """

    needs: tuple
    best: dict
    usual: bool
    instead: bool
    generates: bool
    settings: dict
    function: collections.abc.Callable

    def lacks(self, inputs):
        """The first sentence that says why it does not apply; None if it does."""
        return next(filter(None, (NEEDS[need](inputs) for need in self.needs)), None)

    def __call__(self, inputs):
        return self.function(inputs, **self.settings)


def measure(*needs, best, usual=False, instead=False, generates=True, **settings):
    """Enter a function into the table, under its own name."""

    def enter(function):
        MEASURES[function.__name__] = Measure(needs, best, usual, instead, generates, settings, function)
        return function

    return enter


def best(score):
    """Which way a score is better.

    Args:
        score: its name, with what decides it or without: "fd_classifier_10000", "fd_classifier", "recall".

    Returns:
        min or max; None where neither is better.

    Raises:
        ValueError: if no metric gives such a score.

    Example:

    >>> from tfgan_zoo.metrics import best
    >>> best("kid_inception2015_50000_clean"), best("recall_classifier_360"), best("ms_ssim_360")
    (<built-in function min>, <built-in function max>, None)
    """
    directions = {stem: way for one in MEASURES.values() for stem, way in one.best.items()}
    stems = [stem for stem in directions if score == stem or score.startswith(f"{stem}_")]
    if not stems:
        raise errors.unknown("score", score, directions)
    return directions[max(stems, key=len)]


def look_at_generated(metrics):
    """Whether any of the metrics asked for, as in `chosen`, looks at generated images."""
    names = (metrics,) if isinstance(metrics, str) else metrics
    return not names or any(name not in MEASURES or MEASURES[name].generates for name in names)


def chosen(metrics, inputs):
    """The metrics that are asked for and apply.

    Args:
        metrics: names; "all"; None for the usual ones.
        inputs: what there will be to look at.

    Returns:
        ({name: Measure}, {name: the sentence that says why it was left out}).

    Raises:
        ValueError: an unknown name, one asked for by name that does not apply, nothing that applies or is asked for.
    """
    if isinstance(metrics, str) and metrics != "all":
        metrics = (metrics,)
    by_name = metrics is not None and metrics != "all"
    blind = inputs.extractor is None
    usual = tuple(n for n, m in MEASURES.items() if m.usual or (m.instead and blind) or metrics == "all")
    names = tuple(metrics) if by_name else usual
    for name in names:
        if name not in MEASURES:
            raise errors.unknown("metric", name, [*MEASURES, "all"])
    if not names:
        raise ValueError(f'metrics is empty: name some of {", ".join(MEASURES)}, or "all", or leave it out.')
    left_out = {name: sentence for name in names if (sentence := MEASURES[name].lacks(inputs))}
    lenient = metrics == "all" or (metrics is None and (blind or inputs.held_out))
    for name, sentence in left_out.items():
        if by_name or (name == "fd" and not lenient) or len(left_out) == len(names):
            raise ValueError(sentence)
    return {name: MEASURES[name] for name in names if name not in left_out}, left_out


@measure("covariance", best={"fd": min, "fid": min}, usual=True)
def fd(inputs):
    """Fréchet distance, and the same for real images: Heusel et al. 2017, Eq. 6."""
    key = inputs.in_features("fid" if inputs.extractor.is_inception else "fd")
    real = inputs.split, inputs.num_real
    result = {key: inputs.reference.distance_to(Moments.of(inputs.features), *real)}
    if inputs.floor_split:
        result[f"{key}_floor"] = inputs.reference.floor(*real, inputs.floor_split, inputs.floor_count)
    return result


@measure("neighbours", best={"precision": max, "recall": max}, usual=True, k=NEIGHBOUR)
def precision_recall(inputs, k):
    """Kynkäänniemi et al. 2019, Eq. 1 and 2."""
    return {inputs.in_features(name): inputs.neighbour_scores[name] for name in ("precision", "recall")}


@measure("neighbours", best={"kid": min}, subset_size=1000, num_subsets=100)
def kid(inputs, subset_size, num_subsets):
    """Kernel distance, unbiased: Binkowski et al. 2018, Sec. 3.1. Subsets of half the images, where those are few."""
    subset_size = max(2, min(subset_size, len(inputs.real) // 2, inputs.count // 2))
    result = kernel_distance(inputs.real, inputs.features, subset_size, num_subsets, seed=inputs.seed)
    return {inputs.in_features("kid"): result}


@measure("neighbours", best={"density": max, "coverage": max}, k=DENSITY_NEIGHBOUR)
def density_coverage(inputs, k):
    """Naeem et al. 2020, Eq. 4 and 5."""
    return {inputs.in_features(name): inputs.neighbour_scores[name] for name in ("density", "coverage")}


@measure("probabilities", best={"classifier_score": max, "inception_score": max}, usual=True)
def classifier_score(inputs):
    """Salimans et al. 2016, Sec. 4; by Inception's ten splits where it is the Inception Score."""
    if inputs.extractor.is_inception:
        return {inputs.in_features("inception_score"): scores.inception_score(inputs.probabilities)}
    return {inputs.in_pixels("classifier_score"): scores.classifier_score(inputs.probabilities)[0]}


@measure("probabilities", best={"class_histogram": None}, usual=True)
def class_histogram(inputs):
    """The share of each class, to see dropped ones."""
    return {"class_histogram": scores.class_histogram(inputs.probabilities).tolist()}


@measure("probabilities", best={"modes_present": max}, share=0.0)
def mode_count(inputs, share):
    """Metz et al. 2017, Sec. 3.3.1: the classes of which there is an image."""
    return {
        inputs.in_features("modes_present"): scores.modes_present(scores.class_histogram(inputs.probabilities), share)
    }


@measure("modes", best={"modes_covered": max, "high_quality": max}, usual=True)
def modes(inputs):
    """Srivastava et al. 2017, Sec. 4.1."""
    mixture = MIXTURES[inputs.reference.info.name]
    return {
        inputs.in_pixels("modes_covered"): points.modes_covered(inputs.features, *mixture),
        inputs.in_pixels("high_quality"): points.high_quality(inputs.features, *mixture),
    }


@measure(
    "patches",
    "alike",
    instead=True,
    best={"sliced_wasserstein": min, "scales_of_sliced_wasserstein": min},
    num_images=2048,
    patches_per_image=128,
    num_projections=512,
)
def sliced_wasserstein(inputs, num_images, **numbers):
    """Karras et al. 2018, Sec. 5, of fewer images than there: the mean over the scales, and each, finest first."""
    real, fake = pixels.to_uint8(inputs.real_images(count=num_images)[0]), inputs.images[:num_images]
    count = min(len(real), len(fake))
    by_scale = sliced.sliced_wasserstein(real[:count], fake[:count], seed=inputs.seed, **numbers)
    return {
        f"sliced_wasserstein_{count}": sum(by_scale.values()) / len(by_scale),
        "scales_of_sliced_wasserstein": list(by_scale.values()),
    }


@measure("images", instead=True, best={"ms_ssim": None}, num_pairs=1000)
def ms_ssim(inputs, num_pairs):
    """Odena et al. 2017, Sec. 4.2, within classes where labels are known: near 1 for images that are all alike."""
    fake = inputs.images
    groups = len(np.unique(inputs.labels)) if inputs.labels is not None else 1
    pairs = max(2, num_pairs // groups)
    result = {inputs.in_pixels("ms_ssim"): similarity.ms_ssim(fake, inputs.labels, pairs, inputs.seed)}
    if inputs.floor_split and NEEDS["alike"](inputs) is None:
        real, labels = inputs.real_images()
        labels = None if inputs.labels is None else labels
        floor = similarity.ms_ssim(np.asarray(pixels.to_uint8(real)), labels, pairs, inputs.seed)[0]
        result[f"{inputs.in_pixels('ms_ssim')}_floor"] = floor
    return result


@measure("images", "alike", best={"parzen": max, "bandwidth_of_parzen": None}, num_images=10_000)
def parzen(inputs, num_images):
    """Goodfellow et al. 2014, Sec. 5: nats per held-out image, of pixels in [0, 1] as in its table."""
    real, fake = inputs.real_images(count=num_images)[0], inputs.generated_images[:num_images]
    other = inputs.floor_split or inputs.reference.other_split(inputs.split)
    validation = inputs.real_images(other, VALIDATION_ROWS)[0] if other else None
    rows = [None if images is None else _rows(images) for images in (fake, real, validation)]
    mean, error, bandwidth = parzen_log_likelihood(*rows[:2], validation=rows[2])
    return {f"parzen_{len(fake)}": (mean, error), "bandwidth_of_parzen": bandwidth}


@measure("neighbours", best={"ndb": min, "divergence_of_bins": min}, num_bins=100, significance=0.05)
def ndb(inputs, num_bins, significance):
    """Richardson & Weiss 2018, Sec. 3, in features; fewer bins where there are not ten real images for each."""
    num_bins = max(2, min(num_bins, len(inputs.real) // 10))
    result = different_bins(inputs.real, inputs.features, num_bins, significance, inputs.seed)
    return {inputs.in_features("ndb"): result.share, "divergence_of_bins": result.divergence}


@measure("extractor", "training", best={"copying": None, "p_of_copying": None, "authenticity": None}, num_train=20_000)
def memorisation(inputs, num_train):
    """Meehan et al. 2020, Sec. 3.1 (0.5: no nearer to training images than held-out ones), and Alaa et al. 2022.

    Of a larger training set only the copies of these many images show, which is enough for the test.
    """
    reference = inputs.reference
    num_train = min(num_train, reference.size("train"))
    train = reference.features("train", num_train)["features"]
    own = reference.neighbour_distances("train", num_train, 1)[:, 0]

    def build():
        return dict(zip(("squared", "index"), distances.nearest(inputs.real, train), strict=True))

    splits = inputs.split, "train"
    held_out = reference.kept("nearest", build, splits, count=inputs.num_real, num_train=num_train)
    squared, index = distances.nearest(inputs.features, train)
    share, p_value = copied(squared, held_out["squared"])
    result = {
        inputs.in_features("copying"): share,
        "p_of_copying": p_value,
        inputs.in_features("authenticity"): authentic(squared, index, own),
    }
    if inputs.floor_split:
        result[f"{inputs.in_features('authenticity')}_floor"] = authentic(held_out["squared"], held_out["index"], own)
    return result


@measure("latents", "extractor", best={"path_length": min}, num_paths=1000, epsilon=1e-4)
def path_length(inputs, num_paths, epsilon):
    """Karras et al. 2019, Sec. 4.1, Eq. 2, without LPIPS: in features of the extractor. Each path keeps its class."""
    model = inputs.model
    latents = np.asarray(model.draw_latents(2 * num_paths, inputs.seed))
    count, width = latents.shape
    condition = inputs.condition_rows(count)
    beside = np.zeros((count, 0)) if condition is None else condition.reshape(count, -1)
    is_normal = hasattr(getattr(model, "prior", None), "stddev") and width > 1
    interpolate = slerp if is_normal else lerp

    def between(a, b, t):
        return np.concatenate([interpolate(a[:, :width], b[:, :width], t), a[:, width:]], 1)

    def sample(rows):
        given = None
        if condition is not None:
            given = tf.constant(rows[:, width:].reshape(-1, *condition.shape[1:]).astype(condition.dtype))
        return np.asarray(model.draw(latents=tf.constant(rows[:, :width], tf.float32), condition=given))

    result = perceptual_path_length(
        sample,
        lambda images: inputs.extractor(images)["features"],
        np.concatenate([latents, beside], 1),
        epsilon,
        between,
        inputs.reference.batch_size,
        inputs.seed,
    )
    return {f"path_length_{inputs.extractor.kind}_{num_paths}": result}


@measure("images", "alike", "labels", best={"gan_train": max}, **SETTINGS)
def gan_train(inputs, **numbers):
    """Shmelkov et al. 2018, Sec. 3: a small classifier learns from the samples and is tested on real images."""
    reference = inputs.reference
    classes = reference.info.num_classes
    test = inputs.real_images()
    result = {
        inputs.in_pixels("gan_train"): accuracy_of_training_on(
            (inputs.generated_images, inputs.labels), test, classes, inputs.seed, **numbers
        )
    }
    if inputs.floor_split:

        def build():
            train = inputs.real_images(inputs.floor_split, inputs.count)
            return {"accuracy": accuracy_of_training_on(train, test, classes, inputs.seed, **numbers)}

        splits = inputs.floor_split, inputs.split
        key = {"count": inputs.count, "tested": inputs.num_real, "size": list(inputs.shape)}
        key |= {"settings": numbers, "seed": inputs.seed}
        kept = reference.kept("gan_train", build, splits, **key)
        result[f"{inputs.in_pixels('gan_train')}_floor"] = float(kept["accuracy"])
    return result


@measure("classifier", "labels", best={"gan_test": max})
def gan_test(inputs):
    """Shmelkov et al. 2018, Sec. 3: a classifier of real images, the extractor, finds the class each was to show."""
    return {inputs.in_features("gan_test"): float(np.mean(inputs.probabilities.argmax(1) == inputs.labels))}


@measure("images", "alike", "convergence", best={"convergence": min})
def convergence(inputs):
    """Berthelot et al. 2017, Sec. 3.4: L(x) + |γ L(x) - L(G(z))|, over all images instead of one batch."""
    real, fake = (_energy(inputs.model, images) for images in (inputs.real_images()[0], inputs.generated_images))
    return {inputs.in_pixels("convergence"): real + abs(inputs.model.objective.gamma * real - fake)}


@measure("likelihood", generates=False, best={"nats": max, "bits_per_dim": min}, num_images=10_000)
def likelihood(inputs, num_images):
    """Theis et al. 2016, Sec. 3.1: nats per held-out image, and bits per dimension where the model says its scale."""
    images = inputs.real_images(count=min(num_images, inputs.num_real))[0]
    mean, error = log_likelihood(inputs.model.log_prob, images, inputs.reference.batch_size, inputs.seed)
    result, scale = {f"nats_{len(images)}": (mean, error)}, inputs.likelihood_protocol["data_scale"]
    if scale is not None:
        dimensions = images[0].size
        in_bits = bits_per_dim(mean, dimensions, scale), bits_per_dim(-error, dimensions)
        result[f"bits_per_dim_{len(images)}"] = in_bits
    return result


@measure(
    "reconstruction",
    generates=False,
    best={"reconstruction_mse": min, "reconstruction_psnr": max, "reconstruction_ssim": max},
    num_images=10_000,
)
def reconstruction(inputs, num_images):
    """How near held-out images come back from their codes: squared error of pixels in [-1, 1]; of images also PSNR, and
    SSIM (Wang et al. 2004, Eq. 13)."""
    real, labels = inputs.real_images(count=min(num_images, inputs.num_real))
    takes_condition = len(inspect.signature(inputs.model.reconstruct).parameters) > 1
    beside = [labels] if takes_condition and inputs.condition is not None else []
    again = inputs.in_batches(inputs.model.reconstruct, real, *beside)
    result = {f"reconstruction_mse_{len(real)}": paired.mean_squared_error(real, again)}
    if real.ndim == 4:
        result[f"reconstruction_psnr_{len(real)}"] = paired.peak_signal_to_noise(real, again)
        result[f"reconstruction_ssim_{len(real)}"] = paired.structural_similarity(real, again)
    return result


@measure(
    "pairs",
    usual=True,
    generates=False,
    best={"paired_mae": min, "paired_psnr": max, "paired_ssim": max},
    num_images=10_000,
)
def translation(inputs, num_images):
    """How near images come to their targets: Isola et al. 2017, Eq. 3; PSNR; and SSIM, Wang et al. 2004."""
    source, target = inputs.real_pairs(num_images)
    made = inputs.in_batches(inputs.model.translate, source)
    return {
        f"paired_mae_{len(target)}": paired.mean_absolute_error(target, made),
        f"paired_psnr_{len(target)}": paired.peak_signal_to_noise(target, made),
        f"paired_ssim_{len(target)}": paired.structural_similarity(target, made),
    }


@measure("cycle", usual=True, generates=False, best={"cycle_mae": min, "identity_mae": min}, num_images=1000)
def cycle_consistency(inputs, num_images):
    """Zhu et al. 2017, Eq. 2 and App. 6.1: how far there and back ends from where it began; and how far one moves who
    is there already. The mean of both domains; the second only where both have as many channels."""
    a, b = inputs.real_pairs(num_images)
    there, back = inputs.model.translate, inputs.model.translate_back
    cycles = [(a, inputs.in_batches(lambda x: back(there(x)), a)), (b, inputs.in_batches(lambda x: there(back(x)), b))]
    result = {f"cycle_mae_{len(a)}": float(np.mean([paired.mean_absolute_error(*two) for two in cycles]))}
    if a.shape[1:] == b.shape[1:]:
        stays = [(b, inputs.in_batches(there, b)), (a, inputs.in_batches(back, a))]
        result[f"identity_mae_{len(a)}"] = float(np.mean([paired.mean_absolute_error(*two) for two in stays]))
    return result


def _energy(model, images, batch_size=256):
    parts = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
    energies = [np.asarray(model.networks["discriminator"](part, training=False)["energy"]) for part in parts]
    return float(np.concatenate(energies).mean(dtype=np.float64))


def _rows(images):
    """Pixels in [0, 1], an image a row."""
    return (images.reshape(len(images), -1) + 1) / 2
