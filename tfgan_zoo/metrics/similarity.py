"""Do the images of a class look alike? MS-SSIM between random pairs: the higher, the less diverse."""

import numpy as np
import tensorflow as tf

from tfgan_zoo.metrics import image_sources

WINDOW = 11
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, Sec. 3.2
BATCH = 64


def ms_ssim(images, labels=None, num_pairs=100, seed=0):
    """Multi-scale structural similarity of random pairs of images: near 1 for a generator that repeats itself.

    Source: Wang et al. 2003; as a measure of diversity Odena et al. 2017, Sec. 4.2. Compare with the same of real
    images. Its value depends on the number of scales, `ms_ssim_scales(image_shape)`: where five do not fit, below
    176 pixels, the first few are used and their weights brought to the sum of five, so say how many. (Wang's msssim.m
    gives -Inf there; TensorFlow Models' msssim.py keeps five scales and shrinks the window, for another value.)

    Args:
        images: (N, height, width, channels) float32 in [-1, 1] or uint8.
        labels: (N,) integers: both images of a pair are from one class. None for pairs of any two.
        num_pairs: pairs of each class, or of all.
        seed: of the pairs.

    Returns:
        (mean, standard_error). Without labels over the pairs; with labels the mean of the classes' means, and its
        standard error. Classes with fewer than two images are left out.

    Raises:
        ValueError: no images in [-1, 1], labels that do not fit, or no two images to compare.
    """
    images, num_pairs = np.asarray(images), int(num_pairs)
    image_sources.check_all(images)
    scales = ms_ssim_scales(images.shape[1:])
    if num_pairs < 2:
        raise ValueError(f"num_pairs={num_pairs} must be at least 2.")
    if labels is None:
        groups = [np.arange(len(images))]
    else:
        labels = np.asarray(labels)
        if labels.shape != (len(images),):
            raise ValueError(f"labels has the shape {labels.shape} for {len(images)} images: give one for each.")
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    groups = [group for group in groups if len(group) >= 2]
    if not groups:
        raise ValueError("Similarity is of pairs, and there are no two images (of one class) to compare.")
    random = np.random.default_rng(seed)
    values = []
    for group in groups:
        first = random.integers(len(group), size=num_pairs)
        second = (first + random.integers(1, len(group), size=num_pairs)) % len(group)  # never the same image
        values.append(_similarities(images, group[first], group[second], scales))
    values = np.stack(values)
    error = np.sqrt(np.sum(values.var(1, ddof=1) / num_pairs)) / len(values)
    return float(values.mean()), float(error)


def ms_ssim_scales(image_shape):
    """How many scales `ms_ssim` has room for: the image is halved while a window of 11 still fits, five times at most.

    Args:
        image_shape: (height, width, channels).

    Returns:
        An int from 1 to 5: 5 from 176 pixels on, 4 from 88, 3 from 44, 2 from 22. Below 11 pixels there is one scale
        and the window is as large as the image.
    """
    side = min(image_shape[:2])
    return 1 + sum(side // 2**scale >= WINDOW for scale in range(1, len(WEIGHTS)))


def _similarities(images, first, second, scales):
    weights = np.array(WEIGHTS[:scales])
    weights *= sum(WEIGHTS) / weights.sum()
    window = min(WINDOW, *images.shape[1:3])

    def compare(rows):
        return (tf.convert_to_tensor(image_sources.checked(images[rows])) + 1) / 2  # SSIM is of positive values

    values = [
        tf.image.ssim_multiscale(
            compare(first[start : start + BATCH]),
            compare(second[start : start + BATCH]),
            1.0,
            power_factors=tuple(weights),
            filter_size=window,
        ).numpy()
        for start in range(0, len(first), BATCH)
    ]
    return np.concatenate(values).astype(np.float64)
