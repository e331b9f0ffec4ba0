"""The sliced Wasserstein distance between patches of Laplacian pyramids: which scale looks wrong?"""

import numpy as np

from tfgan_zoo.metrics import image_sources

BATCH = 256
DIRECTIONS = 16  # projected and sorted at once


def sliced_wasserstein(
    real_images, fake_images, patches_per_image=128, patch_size=7, num_projections=512, smallest=16, seed=0
):
    """Distance between local patches of real and generated images, for each scale of their detail.

    Source: Karras et al. 2018, Sec. 5: 7x7 patches at random places of each level of a Laplacian pyramid, each
    channel normalised by its mean and deviation over all patches of a set, compared along random directions. The paper
    takes 16,384 images and reports 1000 times the distance. (TF-GAN normalises each patch by itself instead.) Patches
    of both sets come from the same places, so that a set is at distance 0 from itself.

    Args:
        real_images: (N, height, width, channels) float32 in [-1, 1] or uint8.
        fake_images: (N, height, width, channels) of the same shape, as many.
        patches_per_image: from each level.
        patch_size: side of a patch, odd.
        num_projections: random directions.
        smallest: no level of the pyramid is lower than this, but for images that are lower themselves.
        seed: of places and directions.

    Returns:
        {height of a level: distance}, from the finest detail to the coarsest; the paper's average is their mean.

    Raises:
        ValueError: images outside [-1, 1], of two shapes or counts, or smaller than a patch.
    """
    real_images, fake_images = _checked(real_images, "real_images"), _checked(fake_images, "fake_images")
    if real_images.shape != fake_images.shape:
        raise ValueError(
            f"real_images is {real_images.shape} and fake_images {fake_images.shape}: as many are needed, of one size "
            "and with the same channels."
        )
    height, width = real_images.shape[1:3]
    if patch_size % 2 == 0 or patch_size < 1:
        raise ValueError(f"patch_size={patch_size} must be odd, such as 7.")
    if min(height, width) < patch_size:
        raise ValueError(f"patch_size={patch_size} does not fit into images of {height}x{width}.")
    levels = 1
    while min(height, width) // 2**levels >= max(smallest, patch_size):
        levels += 1
    random = np.random.default_rng(seed)
    by_scale = {}
    for level in range(levels):
        size = [-(-side // 2**level) for side in (height, width)]
        places = [random.integers(side - patch_size + 1, size=(len(real_images), patches_per_image)) for side in size]
        real, fake = (_patches(images, level, levels, places, patch_size) for images in (real_images, fake_images))
        directions = random.normal(size=(num_projections, real.shape[1])).astype(np.float32)
        by_scale[size[0]] = _distance(real, fake, directions)
    return by_scale


def laplacian_pyramid(images, levels):
    """Images as a sum of details: each level less what of it the next, half as large, can tell.

    Source: Burt & Adelson 1983; the 5x5 binomial filter of Karras et al. 2018.

    Args:
        images: float (N, height, width, channels).
        levels: how many; the last is not a difference.

    Returns:
        A list of `levels` arrays, the finest first.
    """
    pyramid = [np.asarray(images)]
    for _ in range(1, levels):
        fine = pyramid[-1]
        coarse = _blurred(fine, 1)[:, ::2, ::2]
        wide = np.zeros_like(fine)
        wide[:, ::2, ::2] = coarse
        pyramid[-1] = fine - _blurred(wide, 4)
        pyramid.append(coarse)
    return pyramid


def _blurred(images, gain):
    from scipy.ndimage import correlate1d

    weights = np.array([1, 4, 6, 4, 1]) / 16 * np.sqrt(gain)
    return correlate1d(correlate1d(images, weights, axis=1, mode="mirror"), weights, axis=2, mode="mirror")


def _patches(images, level, levels, places, size):
    """(N · patches, channels · size²) float32, each channel with mean 0 and deviation 1 over all of them."""
    parts = []
    for start in range(0, len(images), BATCH):
        batch = image_sources.checked(images[start : start + BATCH])
        detail = laplacian_pyramid(batch, min(level + 2, levels))[level]  # a level needs only the one below it
        windows = np.lib.stride_tricks.sliding_window_view(detail, (size, size), axis=(1, 2))
        rows = np.arange(len(batch))[:, None]
        parts.append(windows[rows, places[0][start : start + BATCH], places[1][start : start + BATCH]])
    over, count = (0, 1, 3, 4), sum(part.size for part in parts) / images.shape[3]
    mean = sum(part.sum(over, dtype=np.float64, keepdims=True) for part in parts) / count
    for part in parts:
        part -= mean.astype(np.float32)
    deviation = np.sqrt(sum(np.square(part).sum(over, dtype=np.float64, keepdims=True) for part in parts) / count)
    for part in parts:
        part /= np.where(deviation > 0, deviation, 1).astype(np.float32)  # flat images have no detail
    patches = np.concatenate(parts)
    return patches.reshape(-1, np.prod(patches.shape[2:]))


def _distance(real, fake, directions):
    """Mean over directions of the Wasserstein-1 distance between two clouds of as many points, projected on them."""
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    total = 0.0
    for start in range(0, len(directions), DIRECTIONS):
        some = directions[start : start + DIRECTIONS]
        gaps = np.sort(some @ real.T, axis=1) - np.sort(some @ fake.T, axis=1)
        total += np.abs(gaps).mean(1, dtype=np.float64).sum()
    return float(total / len(directions))


def _checked(images, name):
    """Images as they are, if they are images in [-1, 1]; or the sentence of `checked` with the argument's name."""
    images = np.asarray(images)
    try:
        image_sources.check_all(images)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not len(images):
        raise ValueError(f"{name} has no image.")
    return image_sources.checked(images) if images.shape[3] == 4 else images
