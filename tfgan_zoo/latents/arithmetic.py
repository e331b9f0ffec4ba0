"""Vector arithmetic: what a sum of latents looks like."""

import numpy as np

from tfgan_zoo import pictures
from tfgan_zoo.latents import drawing

_NOISE = 0.25  # Radford et al. 2016, Sec. 6.3.2
_RESULTS = 9


def turn(left, right):
    """The vector from one kind of latents to another: the average of `left` minus that of `right`.

    Radford et al. 2016, Sec. 6.3.2 and Fig. 8: of four faces that look to either side; `along` applies it.

    Args:
        left: (n, latent_dim) latents of images of one kind.
        right: (m, latent_dim) latents of images of the other.

    Returns:
        (latent_dim,) float32.

    Raises:
        ValueError: if they are not latents of one width.
    """
    left, right = drawing.latents_of("left", left), drawing.latents_of("right", right)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"left has {left.shape[1]} coordinates and right {right.shape[1]}: give latents of one model.")
    return left.mean(0) - right.mean(0)


def arithmetic(model, a, b, c, noise=_NOISE, labels=None, names=("a", "b", "c"), seed=0, to=None):
    """Nine images of average(a) - average(b) + average(c); all but the middle one with some noise added to the sum.

    Radford et al. 2016, Sec. 6.3.2 and Fig. 7: averages of three, and uniform noise in [-0.25, 0.25]; a single latent
    in place of an average was unstable.

    Args:
        model: any generative model with latents.
        a, b, c: (n, latent_dim) latents of images of one kind each; three in the paper.
        noise: largest size of the uniform noise, not negative.
        labels: for a conditional model: four integers, the classes of a, b, c and the result; None draws them.
        names: of the three kinds, for the picture.
        seed: of the noise, and of labels that are drawn.
        to: the PNG to write, or None: under each name its images and, last, that of their average; then the nine.

    Returns:
        float32 array (9, *image_shape); image 4 is that of the sum itself.

    Raises:
        ValueError: if a, b or c is not latents of the model, or noise or labels are none of these.
    """
    groups = [drawing.latents_of(name, group, model) for name, group in zip("abc", (a, b, c), strict=True)]
    if not noise >= 0:
        raise ValueError(f"noise={noise!r}: give the largest size of the noise, 0.25 in the paper, or 0 for none.")
    conditions = drawing.condition_of(model, 4, labels, seed)
    averages = [group.mean(0, keepdims=True) for group in groups]
    added = np.random.default_rng(seed).uniform(-noise, noise, (_RESULTS, model.latent_dim))
    added[_RESULTS // 2] = 0.0
    total = averages[0] - averages[1] + averages[2]
    images = drawing.images_of(model, total + added, _repeated(conditions, 3, _RESULTS))
    if to is not None:
        panels = {}
        for number, (sign, name) in enumerate(zip(("", "− ", "+ "), names, strict=True)):
            latents = np.concatenate([groups[number], averages[number]])
            shown = drawing.images_of(model, latents, _repeated(conditions, number, len(latents)))
            panels[f"{sign}{name}"] = shown, 1
        panels["="] = images, 3
        if images.ndim > 2:
            pictures.save_panels(panels, to)
        else:
            pictures.save_scatter({title: points for title, (points, _) in panels.items()}, to)
    return images


def _repeated(conditions, number, count):
    return None if conditions is None else drawing.repeated(conditions[number : number + 1], count)
