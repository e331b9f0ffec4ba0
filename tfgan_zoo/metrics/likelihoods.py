"""How likely are real images under a model? Nats per image, and bits per dimension."""

import numpy as np


def log_likelihood(log_prob, images, batch_size=256, seed=0):
    """Mean log-density, or log-probability, of images under a model.

    Source: Theis et al. 2016, Sec. 3.1. Natural logarithms, summed over an image's dimensions.

    Args:
        log_prob: a function (images (n, ...), seed) -> nats per image (n,), such as a model's verb.
        images: (N, ...) held-out images, N ≥ 2.
        batch_size: images per call.
        seed: of what a bound draws; a batch that begins with image i has seed + i.

    Returns:
        (mean, standard_error) over the images, in nats per image.

    Raises:
        ValueError: fewer than 2 images, or nats that are not one finite number for each.
    """
    if len(images) < 2:
        raise ValueError(f"A mean with its error needs at least 2 images, and there are {len(images)}.")
    parts = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        nats = np.asarray(log_prob(batch, seed=seed + start), np.float64)
        if nats.shape != (len(batch),) or not np.isfinite(nats).all():
            raise ValueError(
                f"log_prob must give one finite number of nats for each of {len(batch)} images; it gave "
                f"{nats.shape}{'' if np.isfinite(nats).all() else ' with NaN or infinity'}."
            )
        parts.append(nats)
    nats = np.concatenate(parts)
    return float(nats.mean()), float(nats.std(ddof=1) / np.sqrt(len(nats)))


def bits_per_dim(nats, dimensions, data_scale=1):
    """Nats per image as bits per dimension: -nats / (D ln 2) + log2(data_scale).

    Source: Theis et al. 2016, Sec. 3.1: of an image that stands in cells of volume V = data_scale^-D, the levels of
    its file, a model of the levels has the probability ∫ p(x + u) du ≈ p(x) V, and -log2 of that over D is the formula.
    It is exact for a density of uniformly dequantised images, of which it bounds the bits from above. A uniform model
    of 256 levels has 8 bits, whichever scale it works on.

    Args:
        nats: log-density or log-probability of an image.
        dimensions: D, how many numbers an image has.
        data_scale: how many levels of the file lie in one unit of the variable whose density it is. 256 where the model
            works on level / 256, which adds 8; 127.5 on the zoo's [-1, 1], which adds 6.99; 1 for probabilities of the
            levels themselves, or of bits, which adds nothing.

    Returns:
        Bits, a float.

    Raises:
        ValueError: dimensions or a scale that are not positive.

    Example:

    >>> import math
    >>> bits_per_dim(3 * math.log(1 / 256), dimensions=3), bits_per_dim(0.0, dimensions=3, data_scale=256)
    (8.0, 8.0)
    """
    if not (dimensions > 0 and data_scale > 0):
        raise ValueError(f"dimensions={dimensions} and data_scale={data_scale} must be positive, such as 784 and 256.")
    return float(-nats / (dimensions * np.log(2)) + np.log2(data_scale))
