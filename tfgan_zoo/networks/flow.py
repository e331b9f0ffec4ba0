"""RealNVP's network: affine couplings in several scales, one way as a graph and back by its layer."""

import keras

from tfgan_zoo.layers.flow import CouplingFlow


def realnvp(image_shape, width, depth=1, couplings=2, scales=2):
    """Logits of pixels (or points) -> latents, and the log-determinant of the change.

    Dinh et al. 2017, Sec. 3; see `layers.CouplingFlow`.

    Args:
        image_shape: (height, width, channels), sides divisible by 2 ** scales; or (2,) for points.
        width: maps (units) of the hidden layers in each coupling's network.
        depth: its residual blocks.
        couplings: of either kind in each scale.
        scales: how often images are squeezed.

    Returns:
        Functional keras.Model: images (N, *image_shape) -> {"latents": (N, D), "log_det": (N,)}; its layer "flow" has
        the inverse.

    Raises:
        ValueError: if images of this size cannot be squeezed so often.
    """
    step = 2**scales
    if len(image_shape) == 3 and (scales < 1 or image_shape[0] % step or image_shape[1] % step):
        near = " x ".join(str(max(step, round(side / step) * step)) for side in image_shape[:2])
        raise ValueError(
            f"image_shape={tuple(image_shape)}: scales={scales} squeezes each side by {step}, which must divide it. "
            f"The nearest is {near}; or give fewer scales, at least 1."
        )
    logits = keras.Input(image_shape, name="logits")
    latents, log_det = CouplingFlow(width, depth, couplings, scales, name="flow")(logits)
    return keras.Model(logits, {"latents": latents, "log_det": log_det}, name="flow")
