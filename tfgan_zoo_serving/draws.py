"""The latents and labels of `model.generate`, drawn by NumPy alone: Philox bits, and the same way from them to floats.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Sec. 3.3 (Philox4x32-10); Box & Muller 1958.
`tfgan_zoo.noise` and `tfgan_zoo.priors` are the same draws in TensorFlow; a test holds them together, bit by bit.
"""

import math
import zlib

import numpy as np

BLOCK = 256  # rows of one seed
_GENERATE = zlib.crc32(b"generate") & 0x7FFFFFFF  # the purpose of latents
_LABELS = 0x1ABE15  # the purpose of labels
_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_WEYL = np.array([[0x9E3779B9], [0xBB67AE85]], np.uint64)
_TENSORFLOW_KEY = (0x3EC8F720, 0x02461E29)  # under which it scrambles a stateless seed
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def latents(prior, num_images, latent_dim, seed):
    """Latents whose row i depends on (seed, i) alone.

    Args:
        prior: as in a card: {"class": "Normal", "stddev"}, {"class": "Uniform", "low", "high"} or {"class": "Codes",
            "categorical", "continuous", "noise"}.
        num_images: rows.
        latent_dim: coordinates of a latent.
        seed: integer in [0, 2**31).

    Returns:
        float32 array (num_images, latent_dim).

    Raises:
        ValueError: if the prior is another one.
    """
    return rows(prior, num_images, (latent_dim,), seed)


def rows(prior, num_images, shape, seed):
    """What images start from, in blocks of `BLOCK` rows, each with a seed of its own; row i from (seed, i) alone.

    Args:
        prior: as in `latents`.
        num_images: rows.
        shape: of one row.
        seed: integer in [0, 2**31).

    Returns:
        float32 array (num_images, *shape).

    Raises:
        ValueError: if the prior is another one.
    """
    counts = [min(BLOCK, num_images - first) for first in range(0, num_images, BLOCK)]
    return np.concatenate([block(prior, number, count, shape, seed) for number, count in enumerate(counts)])


def block(prior, number, count, shape, seed):
    """The first rows of one block.

    Args:
        prior: as in `latents`.
        number: of the block: its first row is number * `BLOCK`.
        count: rows, at most `BLOCK`.
        shape: of one row.
        seed: integer in [0, 2**31).

    Returns:
        float32 array (count, *shape).

    Raises:
        ValueError: if the prior is another one.
    """
    own = _folded((seed, _GENERATE), number) if number else (seed, _GENERATE)
    return _drawn(prior, (count, *shape), own)


def beside(name, num_images, shape, seed):
    """Uniform numbers that images start from beside latents, such as a fraction for each pixel.

    Args:
        name: of what they are, by which they are others than the latents' own.
        num_images, shape, seed: as in `rows`.

    Returns:
        float32 array (num_images, *shape) in [0, 1).
    """
    counts = [min(BLOCK, num_images - first) for first in range(0, num_images, BLOCK)]
    return np.concatenate([block_beside(name, number, count, shape, seed) for number, count in enumerate(counts)])


def block_beside(name, number, count, shape, seed):
    """The first rows of one block of `beside`.

    Args:
        name, shape, seed: as in `beside`.
        number, count: as in `block`.

    Returns:
        float32 array (count, *shape) in [0, 1).
    """
    own = _folded((seed, _GENERATE), number) if number else (seed, _GENERATE)
    return _fractions((count, *shape), _folded(own, zlib.crc32(name.encode()) & 0x7FFFFFFF))


def labels(num_images, num_classes, seed, first=0):
    """The labels that `generate` draws where none are given: label i depends on (seed, i) alone.

    Args:
        num_images: rows.
        num_classes: of the model.
        seed: integer in [0, 2**31).
        first: the row to begin with.

    Returns:
        int32 array (num_images,) in [0, num_classes).
    """
    fractions = _fractions((num_images,), (seed, _LABELS), first)
    return np.floor(np.float32(num_classes) * fractions).astype(np.int32)


def _drawn(prior, shape, seed):
    kind = (prior or {}).get("class")
    if kind == "Normal":
        return np.float32(prior["stddev"]) * _normal(shape, seed)
    if kind == "Uniform":
        return _uniform(shape, seed, prior["low"], prior["high"])
    if kind == "Codes":
        count, width = shape
        parts = [_drawn(prior["noise"], (count, width - sum(prior["categorical"]) - prior["continuous"]), seed)]
        for index, values in enumerate(prior["categorical"]):
            chosen = np.floor(_uniform((count,), _folded(seed, 1 + index), 0.0, float(values)))
            parts.append(np.eye(values, dtype=np.float32)[chosen.astype(int)])
        parts.append(_uniform((count, prior["continuous"]), _folded(seed, 0), -1.0, 1.0))
        return np.concatenate(parts, axis=1)
    raise ValueError(f"Latents of the prior {kind or 'of this model'} cannot be drawn here: call it with latents.")


def _uniform(shape, seed, low, high):
    return np.float32(low) + np.float32(high - low) * _fractions(shape, seed)


def _normal(shape, seed):
    *outer, width = shape
    pairs = -(-width // 2)
    fractions = _fractions((*outer, pairs, 2), seed).astype(np.float64)
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - fractions[..., 0])), 2.0 * np.pi * fractions[..., 1]
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return both.reshape(*outer, 2 * pairs)[..., :width].astype(np.float32)


def _fractions(shape, seed, first=0):
    bits = _bits(math.prod(shape), seed, first)
    return (bits >> np.uint32(8)).astype(np.float32).reshape(shape) * np.float32(2.0**-24)


def _folded(seed, number):
    return int(_bits(1, seed).view(np.int32)[0]), number


def _bits(count, seed, first=0):
    """`count` random uint32 from number `first` on, for a stateless seed of two integers, as TensorFlow draws them."""
    seed = np.array(seed, np.int64).astype(np.uint64)
    scrambled = _philox(np.stack([seed & _LOW, seed >> _HALF], axis=1).reshape(4, 1), _TENSORFLOW_KEY)[:, 0]
    four = np.arange(first // 4, -(-(first + count) // 4), dtype=np.uint64)
    counters = [four & _LOW, four >> _HALF, *np.broadcast_to(scrambled[2:, None], (2, len(four)))]
    return _philox(np.stack(counters), scrambled[:2]).T.astype(np.uint32).ravel()[first % 4 :][:count]


def _philox(counters, key):
    """Ten rounds over counters (4, N), words of 32 bits in uint64, whose products need 64."""
    even, odd = counters[::2], counters[1::2]
    key = np.array(key, np.uint64).reshape(2, 1)
    for _ in range(10):
        product = _MULTIPLIERS * even
        even, odd = (product[::-1] >> _HALF) ^ odd ^ key, product[::-1] & _LOW
        key = (key + _WEYL) & _LOW
    return np.stack([even[0], odd[0], even[1], odd[1]])
