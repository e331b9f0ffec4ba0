"""How near are images to the very images they should be? Of reconstructions, and of translations with a target."""

import numpy as np
import tensorflow as tf

_PEAK = 2.0  # from -1 to 1
_MOST = 100.0  # dB of an image that is the other to round-off, where the formula has infinity


def mean_squared_error(real, made):
    """Mean squared difference of pixels in [-1, 1]; of pixels in [0, 1] it would be a quarter.

    Args:
        real: (N, ...) images in [-1, 1], or points.
        made: the same of what should be like them, in their order.

    Returns:
        A float ≥ 0.

    Raises:
        ValueError: shapes that differ, no image, or a value that is not finite.
    """
    return float(_per_image(real, made, np.square).mean())


def mean_absolute_error(real, made):
    """Mean absolute difference of pixels in [-1, 1], the L1 of Isola et al. 2017, Eq. 3; as in `mean_squared_error`."""
    return float(_per_image(real, made, np.abs).mean())


def peak_signal_to_noise(real, made):
    """Peak signal-to-noise ratio in dB, 10 log10(4 / MSE), of each image; the mean over them.

    It is that of pixels from 0 to 255 whose peak is 255. An image that is exactly the other counts 100 dB.

    Args:
        real: (N, height, width, channels) in [-1, 1].
        made: the same of what should be like them, in their order.

    Returns:
        A float.

    Raises:
        ValueError: as in `mean_squared_error`.
    """
    errors = np.maximum(_per_image(real, made, np.square), _PEAK**2 * 10 ** (-_MOST / 10))
    return float(np.mean(10 * np.log10(_PEAK**2 / errors)))


def structural_similarity(real, made, batch_size=256):
    """Structural similarity (Wang et al. 2004, Eq. 13) with a Gaussian window of 11 pixels, the mean over images.

    Args:
        real, made: as in `peak_signal_to_noise`; of smaller images the window is the whole side.
        batch_size: images at a time.

    Returns:
        A float from -1 to 1; 1 for images that are the same.

    Raises:
        ValueError: as in `mean_squared_error`.
    """
    _per_image(real, made, np.abs)
    window, found = min(11, *np.shape(real)[1:3]), []
    for at in range(0, len(real), batch_size):
        both = (tf.convert_to_tensor(one[at : at + batch_size], tf.float32) + 1.0 for one in (real, made))
        found.append(np.asarray(tf.image.ssim(*both, max_val=_PEAK, filter_size=window)))
    return float(np.concatenate(found).mean(dtype=np.float64))


def _per_image(real, made, size):
    real, made = np.asarray(real), np.asarray(made)
    if real.shape != made.shape or real.ndim < 2 or not len(real):
        raise ValueError(f"The images are {real.shape} and what should be like them {made.shape}: give as many alike.")
    errors = size(real.reshape(len(real), -1).astype(np.float64) - made.reshape(len(made), -1)).mean(1)
    if not np.isfinite(errors).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(errors))} of {len(errors)} images contain NaN or infinity.")
    return errors
