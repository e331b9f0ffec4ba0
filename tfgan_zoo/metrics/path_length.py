"""How smooth is a latent space? The length of a path through it, as a feature extractor sees it."""

import numpy as np

from tfgan_zoo.geometry import slerp


def perceptual_path_length(sample, features, latents, epsilon=1e-4, interpolate=None, batch_size=64, seed=0):
    """Mean squared speed of the features along paths between latents.

    Source: Karras et al. 2019, Sec. 4.1, Eq. 2, with the squared distance between features of an extractor where the
    paper has LPIPS of VGG: the values compare within one extractor, and never with published path lengths.

    As there, each pair of latents gives one place t, drawn from U(0, 1), and the distance from t to t + epsilon, over
    epsilon²; the lowest and the highest 1 % are left out: P // 100 at either end, where StyleGAN's code, which rounds
    its percentiles outwards, leaves out one fewer of 1,000.

    Args:
        sample: a function from latents (n, latent_dim) float32 to images, such as
            `lambda z: model.draw(latents=z, condition=None)`. It must give the same image for the same latents.
        features: a function from images to features (n, d), such as a keras.Model.
        latents: (2 P, latent_dim) drawn from the prior; the first half are the paths' beginnings, the second the ends.
        epsilon: the step along a path whose length is 1.
        interpolate: a function of (a, b, t), with t (n, 1), between latents; None for `latents.slerp`, which suits
            normal latents; `latents.lerp` suits uniform ones.
        batch_size: pairs per forward pass.
        seed: of the places.

    Returns:
        (mean, standard_error) over the pairs that were kept.

    Raises:
        ValueError: latents that make no pairs, or features that are no finite matrix (n, d).
    """
    latents = np.asarray(latents, np.float64)
    if latents.ndim != 2 or len(latents) % 2 or len(latents) < 4:
        raise ValueError(f"latents must be (2 P, latent_dim), two for each of P ≥ 2 paths; they are {latents.shape}.")
    if not epsilon > 0:
        raise ValueError(f"epsilon={epsilon} must be a step > 0, such as 1e-4.")
    interpolate = interpolate or slerp
    begin, end = np.split(latents, 2)
    place = np.random.default_rng(seed).uniform(size=(len(begin), 1))
    lengths = []
    for start in range(0, len(begin), batch_size):
        part = slice(start, start + batch_size)
        here, there = (
            _features(sample, features, interpolate(begin[part], end[part], t))
            for t in (place[part], place[part] + epsilon)
        )
        lengths.append(np.sum((there - here) ** 2, 1) / epsilon**2)
    lengths = np.sort(np.concatenate(lengths))
    cut = len(lengths) // 100
    kept = lengths[cut : len(lengths) - cut]
    return float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(len(kept)))


def _features(sample, features, latents):
    result = np.asarray(features(sample(latents.astype(np.float32))), np.float64)
    if result.ndim != 2 or len(result) != len(latents) or not np.isfinite(result).all():
        raise ValueError(
            f"features must give a finite matrix (n, d), one row for each of {len(latents)} images; it gave "
            f"{result.shape}{'' if np.isfinite(result).all() else ' with NaN or infinity'}."
        )
    return result
