"""Images on the way from one latent to another."""

import numpy as np

from tfgan_zoo.geometry import slerp
from tfgan_zoo.latents import drawing


def interpolate(model, pairs, columns=10, path=slerp, labels=None, to=None):
    """Images on the way from one latent to another: a row for each pair of seeds.

    Source: Radford et al. 2016, Sec. 6.1 and Fig. 4: on a learned manifold nothing changes abruptly on the way.

    Args:
        model: any generative model with latents.
        pairs: (rows, 2) seeds; a row leads from the image `generate(1, seed=)` of its first to that of its second.
        columns: images in a row, at least 2, both ends counted.
        path: function (start, end, shares) -> latents: `slerp` or `lerp`.
        labels: (rows,) for a conditional model, which keeps it along a row; None takes that of the first seed.
        to: the PNG to write, or None.

    Returns:
        float32 array (rows * columns, *image_shape), row after row.

    Raises:
        ValueError: if pairs, columns or labels are none of these, or the model has no latents.
    """
    pairs = np.asarray(pairs)
    if pairs.dtype.kind not in "iu" or pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs) or pairs.min() < 0:
        raise ValueError(f"pairs={pairs.tolist()!r}: give pairs of seeds >= 0, such as [(0, 1), (2, 3)].")
    if drawing.count_of("columns", columns) < 2:
        raise ValueError("columns=1: a way has a start and an end, so at least 2 images.")
    starts, ends = (np.concatenate([drawing.latents_drawn(model, 1, int(seed)) for seed in row]) for row in pairs.T)
    condition = drawing.condition_of(model, len(pairs), labels, 0)
    if condition is not None and labels is None:
        condition = np.concatenate([drawing.condition_of(model, 1, None, int(first)) for first, _ in pairs])
    shares = np.linspace(0.0, 1.0, columns)
    latents = path(starts, ends, shares).reshape(-1, model.latent_dim)
    images = drawing.images_of(model, latents, drawing.repeated(condition, columns))
    titles = [f"{first} → {second}" for first, second in pairs]
    drawing.save(images, to, columns, titles, [f"{share:.2f}" for share in shares], f"{path.__name__} between seeds")
    return images
