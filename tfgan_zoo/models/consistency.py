"""Consistency models: from noise to an image in one pass, or in a few."""

import dataclasses

import tensorflow as tf

from tfgan_zoo import noise as draws
from tfgan_zoo.models.denoising import Denoising
from tfgan_zoo.samplers import Sampling
from tfgan_zoo.serialization import serializable


@serializable
class Consistency(Denoising):
    """A network that sees the same image in all noisy images of one way: Song et al. 2023, Definition 1.

    It is tuned as Geng et al. 2024 tune ("easy consistency tuning"): f(x_t, t) is to be what f, standing still, says of
    x_r, the same image with less of the same noise. At first r is the clean image, so that f learns to denoise, which
    is diffusion; then r comes to lie ever nearer to t, in stages: r = t (1 - 2^-stage). Distances are pseudo-Huber
    (Song & Dhariwal 2024, Eq. 7), weighed by the root of 2^-stage / (t - r). The paper's 1 / (t - r) itself, as times
    of a cosine schedule are spaced, left too little to much noise; with no weights means drifted. At the clean image f
    changes nothing, if the prediction says so, as `schedules.Preconditioned` does.

    Args:
        denoiser: as for `Denoising`.
        schedule: of whole steps, such as `schedules.Cosine()`; t counts them from 1, and 0 is the clean image.
        pretraining_steps: of training before the first stage, as diffusion; 0 for a denoiser that is trained.
        stage_steps: of training in each stage.
        stages: the last of them, which goes on for ever.
        sampling: `Sampling("consistency", steps)`; None for two steps.
        **denoising: as for `Denoising`: prediction, label_dropout, condition, ema_half_life, ...

    Raises:
        ValueError: if a number is out of its range, the schedule is of no steps, or the sampler another.
    """

    samplers = ("consistency",)  # it sees images at once and follows no way

    def __init__(
        self, denoiser, *, schedule, pretraining_steps, stage_steps, stages=8, sampling=None, min_snr=None, **denoising
    ):
        for name, value, least in (
            ("pretraining_steps", pretraining_steps, 0),
            ("stage_steps", stage_steps, 1),
            ("stages", stages, 1),
        ):
            self._must_be(
                isinstance(value, int) and not isinstance(value, bool) and value >= least,
                f"{name}={value!r}: give a whole number, at least {least}.",
            )
        self._must_be(
            schedule.is_discrete, f"schedule={schedule}: give one of whole steps, such as schedules.Cosine()."
        )
        self._must_be(min_snr is None, f"min_snr={min_snr!r}: distances have weights of their own. Leave it out.")
        sampling = Sampling("consistency", 2) if sampling is None else sampling
        super().__init__(denoiser, schedule=schedule, sampling=sampling, **denoising)
        self.pretraining_steps, self.stage_steps, self.stages = pretraining_steps, stage_steps, stages

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """The weighted distance between what is seen at two times."""
        return ("consistency_loss",)

    def monitor_names(self):
        """The stage: 0 is diffusion."""
        return ("stage",)

    def batch_losses(self, images, condition, training):
        """The distance of f(x_t, t) from f(x_r, r), for a random t of each image and one noise.

        Args:
            images: (N, *space) float32.
            condition: labels (N,), or None.
            training: False when nothing is to change.
        """
        rows, stage = tf.shape(images)[0], self.stage()
        times = self.schedule.times(self._fractions(rows))
        before = self.before(times, stage)
        eps = draws.shared(lambda count: draws.normal((count, *self.space), self.noise_seed("eps")), rows)
        labels = None if condition is None else self._some_dropped(condition, rows)
        seen = self._seen(self.denoiser, images, eps, times, labels, training)
        nearer = self._seen(self.denoiser, images, eps, tf.maximum(before, 0.0), labels, training)
        is_clean = tf.reshape(before < 0.0, (-1, *[1] * len(self.space)))
        target = tf.stop_gradient(tf.where(is_clean, images, nearer))
        weights = tf.sqrt(self.schedule.num_steps * tf.pow(2.0, -stage) / (times - before))
        return {"consistency_loss": tf.reduce_mean(weights * self._distance(seen, target)), "stage": stage}

    def stage(self):
        """How near the two times lie, float32: 0 before the first stage, and `stages` at most."""
        after = tf.cast(self.step.value, tf.float32) - self.pretraining_steps
        return tf.clip_by_value(tf.floor(after / self.stage_steps) + 1.0, 0.0, float(self.stages))

    @staticmethod
    def before(times, stage):
        """The earlier times r (N,) of times t (N,), one step before them at least; -1 is the clean image."""
        return tf.floor((times + 1.0) * (1.0 - tf.pow(2.0, -stage))) - 1.0

    def _seen(self, network, images, eps, times, labels, training):
        signal, noise = self._levels_of(times)
        x = signal * images + noise * eps
        output = self._ask(network, x, times, labels, training)
        return self.prediction.denoised(tf.cast(output, tf.float32), x, signal, noise)

    @staticmethod
    def _distance(ones, others):
        """Pseudo-Huber (N,), as a share of the root of the number of values."""
        squares = tf.reduce_mean(tf.square(ones - others), axis=list(range(1, len(ones.shape))))
        bend = 0.00054  # c = 0.00054 sqrt(D)
        return tf.sqrt(squares + bend**2) - bend

    # ---- drawing ----------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """Standard normal noise for each step (rows, steps, *space)."""
        return {"noise": draws.normal((rows, self.sampling.steps, *self.space), seed)}

    def draw(self, noise, condition=None):
        """Images for the noise they start from, and that of the steps behind the first."""
        levels, noise = self.levels(), tf.cast(noise, tf.float32)
        again = lambda step: tf.gather(noise, tf.minimum(step + 1, self.sampling.steps - 1), axis=1)  # noqa: E731
        x = float(levels.noise[0]) * noise[:, 0]
        return self.finished(self.sampling.run(self.denoiser_for(condition), x, levels, again))

    def levels(self):
        """Times from the last on, evenly; the least noise of all, where nothing is left to see, is not among them."""
        more = self.schedule.levels(self.sampling.steps + 1)
        kept = [*range(self.sampling.steps), -1]
        return dataclasses.replace(more, times=more.times[:-1], signal=more.signal[kept], noise=more.noise[kept])

    def get_config(self):
        """As for `Denoising`, with the stages."""
        own = ("pretraining_steps", "stage_steps", "stages")
        return super().get_config() | self.config_of(*own)
