"""Truncated latents: less variety for images that are more like the typical ones."""

import numpy as np

from tfgan_zoo.latents import drawing
from tfgan_zoo.priors import Normal


def truncated(latents, threshold):
    """Standard normal numbers moved into [-threshold, threshold], where they follow the truncated normal distribution.

    Brock et al. 2019 (BigGAN), Sec. 3.1, draw again what lies outside; the law is the same. Here every number keeps
    its rank, z -> F^-1(F(-t) + (F(t) - F(-t)) F(z)) with F the normal distribution function, so that the images of a
    seed change smoothly with the threshold, and not at all for a large one.

    Args:
        latents: array of draws from a standard normal distribution.
        threshold: t, positive.

    Returns:
        float64 array of their shape.

    Raises:
        ValueError: if the threshold is not positive.
    """
    from scipy.special import ndtr, ndtri

    if not threshold > 0:
        raise ValueError(f"threshold={threshold!r}: give a positive number of standard deviations, such as 0.5.")
    latents = np.asarray(latents, "float64")
    low = ndtr(-float(threshold))
    below = ndtri(low + (1.0 - 2.0 * low) * ndtr(-np.abs(latents)))  # by symmetry, in the tail that has the digits
    return np.copysign(below, latents)


def truncate(model, threshold, num_images=8, labels=None, seed=0, to=None):
    """Images of truncated latents: a row for each threshold, the latents of one seed in each.

    Brock et al. 2019 (BigGAN), Sec. 3.1 and Fig. 2a: the lower the threshold, the better each and the more alike all.

    Args:
        model: a generative model whose prior is `tz.priors.Normal`.
        threshold: in standard deviations of the prior, positive; one, or (rows,).
        num_images: images in a row.
        labels: (num_images,) for a conditional model; None draws them from the seed.
        seed: integer, of the latents.
        to: the PNG to write, or None.

    Returns:
        float32 array (rows * num_images, *image_shape), row after row.

    Raises:
        ValueError: if the prior is another one, or threshold, num_images or labels are none of these.
    """
    count = drawing.count_of("num_images", num_images)
    prior = getattr(model, "prior", None)
    if not isinstance(prior, Normal):
        raise ValueError(
            f"{model.name} draws its latents from {prior!r}: truncation is for tz.priors.Normal, whose tails are rare; "
            "create the model with prior=tz.priors.Normal()."
        )
    thresholds = np.atleast_1d(np.asarray(threshold, "float64"))
    if thresholds.ndim > 1 or not len(thresholds):
        raise ValueError(f"threshold has shape {thresholds.shape}: give one, or (rows,).")
    condition = drawing.tiled(drawing.condition_of(model, count, labels, seed), len(thresholds))
    drawn = np.asarray(drawing.latents_drawn(model, count, seed), "float64") / prior.stddev
    latents = np.concatenate([prior.stddev * truncated(drawn, one) for one in thresholds])
    images = drawing.images_of(model, latents, condition)
    drawing.save(images, to, count, [f"{one:g}" for one in thresholds], title="left: threshold, in standard deviations")
    return images
