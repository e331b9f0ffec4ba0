"""Flow matching: the velocity along lines from noise to images."""

import tensorflow as tf

from tfgan_zoo import errors, schedules
from tfgan_zoo import noise as draws
from tfgan_zoo.models.diffusion import Diffusion
from tfgan_zoo.serialization import serializable

_COUPLINGS = ("independent", "optimal")


@serializable
class FlowMatching(Diffusion):
    """A network that gives the velocity along lines from noise at time 0 to images at time 1.

    Lipman et al. 2023; Liu et al. 2023; Tong et al. 2024: noise and image are paired at random (I-CFM), or by the
    optimal transport between the batch's images and as much noise (OT-CFM), so that lines cross less.

    Args:
        denoiser: functional Keras model, as for `Diffusion`; it gives the velocity.
        coupling: "independent", or "optimal": each image of a replica's batch takes one of the batch's noises, drawn
            from Sinkhorn's plan (Cuturi 2013) for the squared distance.
        schedule: None for `schedules.Straight()`.
        prediction: None for `schedules.Flow()`.
        **diffusion: as for `Diffusion`.

    Raises:
        ValueError: if there is no such coupling, or it would mix what images of different classes start from.
    """

    def __init__(self, denoiser, *, coupling="independent", schedule=None, prediction=None, **diffusion):
        if coupling not in _COUPLINGS:
            raise errors.unknown("coupling", coupling, _COUPLINGS)
        schedule = schedules.Straight() if schedule is None else schedule
        prediction = schedules.Flow() if prediction is None else prediction
        super().__init__(denoiser, schedule=schedule, prediction=prediction, **diffusion)
        self._must_be(
            coupling == "independent" or self.condition is None,
            'coupling="optimal" with labels: each class would start from noise of its own, but is drawn from all. '
            'Take "independent".',
        )
        self.coupling = coupling

    def coupled(self, images, eps):
        """The noise that each image is paired with, of the batch's."""
        if self.coupling == "independent":
            return eps
        plan = transport_plan(tf.reshape(images, (tf.shape(images)[0], -1)), tf.reshape(eps, (tf.shape(eps)[0], -1)))
        fractions = draws.uniform((tf.shape(images)[0], 1), self.noise_seed("coupling"))
        reached = tf.cumsum(plan, axis=1)
        chosen = tf.reduce_sum(tf.cast(reached <= fractions * reached[:, -1:], tf.int32), axis=1)
        return tf.gather(eps, tf.minimum(chosen, tf.shape(eps)[0] - 1))

    def loss_names(self):
        """The squared error of the velocity."""
        return ("velocity_loss",)

    def batch_losses(self, images, condition, training):
        """|u(x_t, t) - (x_1 - x_0)|^2 at a random time of each image; arguments as in `Diffusion`."""
        return {"velocity_loss": super().batch_losses(images, condition, training)["denoising_loss"]}

    def velocity(self, x, times, condition=None):
        """The velocity of x (N, *image_shape) at times in [0, 1), a number or (N,)."""
        clean = self.denoise(x, times, condition)
        return (clean - x) / (1.0 - tf.reshape(tf.cast(times, tf.float32), (-1, *[1] * len(self.space))))

    def get_config(self):
        """As for `Diffusion`, with the coupling."""
        return super().get_config() | {"coupling": self.coupling}


def transport_plan(ones, others, steps=50, softness=0.05):
    """The plan between two clouds of as many points that costs least squared distance, nearly: Cuturi 2013, Alg. 1.

    Args:
        ones, others: (N, d).
        steps: of Sinkhorn's iteration, in logarithms.
        softness: of the entropy, in standard deviations of the products of all pairs; 0 would be exact.

    Returns:
        (N, N) whose rows and columns each sum to 1 / N.
    """
    products = tf.matmul(ones, others, transpose_b=True)
    logits = products / (softness * tf.math.reduce_std(products) + 1e-12)
    size = tf.math.log(tf.cast(tf.shape(ones)[0], tf.float32))

    def step(_, logits):
        logits -= tf.reduce_logsumexp(logits, axis=0, keepdims=True) + size
        return _ + 1, logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True) - size

    return tf.exp(tf.while_loop(lambda at, _: at < steps, step, (0, logits))[1])
