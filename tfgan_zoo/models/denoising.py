"""What diffusion, flow matching and their kin share: a denoiser is learned once, and any sampler draws with it."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfgan_zoo import noise as draws
from tfgan_zoo import runtime
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.samplers import SAMPLERS, Sampling


class Denoising(GenerativeModel):
    """A network that takes the noise out of what it is shown, images or codes, and what is drawn with it.

    Ho et al. 2020, Algorithm 1 and 2; with labels, classifier-free guidance (Ho & Salimans 2022): a share of the
    examples is trained without its label, which has a row of its own in the network's embedding.

    Args:
        denoiser: functional Keras model, [noisy images (N, *space), times (N,)] and labels (N,) int32 where there is a
            condition -> (N, *space), such as `networks.unet.unet` makes.
        schedule: one of `tfgan_zoo.schedules`, such as `Linear()`.
        prediction: what the network gives, such as `schedules.Epsilon()`.
        min_snr: gamma of min-SNR weighting (Hang et al. 2023; 5 there); None for the mean squared error of the
            network's own output, L_simple.
        label_dropout: share of examples that are trained without their label.
        sampling: how images are drawn, a `samplers.Sampling`; None for 50 steps of DDIM.
        ema_half_life: images after which what the average remembers has halved, whatever the batch (Karras et al. 2022,
            App. F.2), and at most a twentieth of those seen; None averages by `ema_decay` a step.
        even_times: whether the times of a batch are spread evenly around one random start (Kingma et al. 2021, App.
            I.1), which makes the loss less noisy; otherwise each is drawn by itself.
        condition: `conditions.Classes`, or None.
        networks: dict name -> further networks that are trained.
        image_shape: of the images, where these are not what is noised; None where they are.
        state: as in `GenerativeModel`.
        ema_decay: as in `GenerativeModel`.

    Raises:
        ValueError: if the network reads other things than these, or a number is out of its range.
    """

    denoiser_is_told = True  # what images are told, where they are told anything
    samplers = tuple(SAMPLERS)  # those that suit it

    def __init__(
        self,
        denoiser,
        *,
        schedule,
        prediction,
        min_snr=None,
        label_dropout=0.1,
        sampling=None,
        ema_half_life=None,
        even_times=True,
        condition=None,
        networks=None,
        image_shape=None,
        state=None,
        ema_decay=0.999,
        **model,
    ):
        inputs, told = len(getattr(denoiser, "inputs", None) or ()), condition is not None and self.denoiser_is_told
        if inputs != (3 if told else 2):
            takes = "images, times and labels" if told else "images and times"
            raise ValueError(f"denoiser has {inputs} inputs: give a functional model of {takes}.")
        if not 0.0 <= label_dropout < 1.0:
            raise ValueError(
                f"label_dropout={label_dropout!r}: the share of examples without their label is in [0, 1)."
            )
        for name, value in (("min_snr", min_snr), ("ema_half_life", ema_half_life)):
            if value is not None and not value > 0:
                raise ValueError(f"{name}={value!r}: give a positive number, or None.")
        self._must_be(
            ema_half_life is None or ema_decay, "ema_half_life is given, but ema_decay is 0: no average is kept."
        )
        super().__init__(
            {"denoiser": denoiser} | (networks or {}),
            image_shape=denoiser.output_shape[1:] if image_shape is None else image_shape,
            condition=condition,
            ema_decay=ema_decay,
            state=({"images_seen": 0.0} if ema_half_life else {}) | (state or {}),
            **model,
        )
        self.space = tuple(denoiser.output_shape[1:])
        self.schedule, self.prediction, self.min_snr = schedule, prediction, min_snr
        self.label_dropout, self.ema_half_life, self.even_times = label_dropout, ema_half_life, even_times
        self.sampling = self._fitting(Sampling() if sampling is None else sampling)

    @staticmethod
    def usual_optimizer():
        """Adam as Ho et al. 2020, App. B, have it."""
        return keras.optimizers.Adam(2e-4)

    @staticmethod
    def _must_be(holds, sentence):
        if not holds:
            raise ValueError(sentence)

    @property
    def ema_network(self):
        """The denoiser's average, which is asked, scored and exported."""
        return self.inference["denoiser"]

    @property
    def learners(self):
        """Names of the networks that a step updates."""
        return self._names

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """The weighted squared error."""
        return ("denoising_loss",)

    def batch_losses(self, images, condition, training):
        """Algorithm 1: the network's squared error at a random time of each image.

        Args:
            images: (N, *space) float32.
            condition: labels (N,), or None.
            training: False when nothing is to change.
        """
        rows = tf.shape(images)[0]
        times = self.schedule.times(self._fractions(rows))
        eps = draws.shared(lambda count: draws.normal((count, *self.space), self.noise_seed("eps")), rows)
        eps = self.coupled(images, eps)
        signal, noise = self._levels_of(times)
        target = self.prediction.target(images, eps, signal, noise)
        labels = None if condition is None else self._some_dropped(condition, rows)
        output = self._ask(self.denoiser, signal * images + noise * eps, times, labels, training)
        errors = tf.square(tf.cast(output, tf.float32) - target)
        if self.min_snr is not None:
            errors *= self.prediction.weight(signal, noise, self.min_snr)
        return {"denoising_loss": tf.reduce_mean(errors)}

    def coupled(self, images, eps):
        """The noise that each image is paired with: drawn for it alone."""
        return eps

    def train_step(self, data):
        """One update, after which the images are counted by which the average moves."""
        images, condition = self.unpack(data)
        results = self.minimize(self.learners, lambda: self.batch_losses(images, condition, training=True))
        if self.ema_half_life:
            self._count = tf.cast(tf.shape(images)[0] * runtime.replicas(), tf.float32)
            self.state["images_seen"].assign_add(self._count)
        return self.end_step(results)

    def update_averages(self):
        """Move the average towards the network, by the images of the step where a half-life is given."""
        if not self.ema_half_life:
            return super().update_averages()
        half_life = tf.minimum(float(self.ema_half_life), self.state["images_seen"] / 20.0)
        rate = 1.0 - tf.pow(0.5, self._count / half_life)
        for name in self.learners:
            for average, weight in zip(self.inference[name].weights, self.networks[name].weights, strict=True):
                if weight.trainable:
                    average.assign_sub(rate * (average - weight))
                else:
                    average.assign(weight)
        return None

    def _fractions(self, rows):
        """Where in [0, 1) the times of a batch are drawn."""
        seed = self.noise_seed("times")

        def drawn(count):
            if not self.even_times:
                return draws.uniform((count,), seed)
            first = draws.uniform((1,), seed)
            return tf.math.floormod(first + tf.range(count, dtype=tf.float32) / tf.cast(count, tf.float32), 1.0)

        return draws.shared(drawn, rows)

    def _some_dropped(self, labels, rows):
        """Labels, of which a share is that for no label; drawn for each example."""
        seed = self.noise_seed("label dropout")
        kept = draws.shared(lambda count: draws.uniform((count,), seed), rows) >= self.label_dropout
        return tf.where(kept, labels, self.null_label)

    @property
    def null_label(self):
        """The label that stands for none: a row of its own behind the classes'."""
        return self.condition.num_classes

    # ---- denoising --------------------------------------------------------------------------------------------

    def denoise(self, x, times, condition=None, *, guidance_scale=1.0):
        """x_0 as the averaged network sees it in noisy images.

        Args:
            x: (N, *image_shape), signal x_0 + noise eps.
            times: of the schedule, a number or (N,).
            condition: labels (N,), or None; a model with labels then answers for none.
            guidance_scale: as in `samplers.Sampling`.

        Returns:
            float32 (N, *image_shape), not clipped.
        """
        x, times = self._rows(x, times)
        if self.condition is None:
            return self._clean(x, times, None)
        nothing = tf.fill((tf.shape(x)[0],), self.null_label)
        if condition is None or guidance_scale == 0.0:
            return self._clean(x, times, nothing)
        told = self._clean(x, times, tf.cast(condition, tf.int32))
        if guidance_scale == 1.0:
            return told
        untold = self._clean(x, times, nothing)
        return untold + guidance_scale * (told - untold)

    @staticmethod
    def _rows(x, times):
        """Images as float32, and a time for each."""
        x = tf.cast(x, tf.float32)
        return x, tf.broadcast_to(tf.cast(times, tf.float32), (tf.shape(x)[0],))

    def _clean(self, x, times, labels):
        """x_0 as the averaged network sees it, told labels (N,) or None."""
        signal, noise = self._levels_of(times)
        output = self._ask(self.ema_network, x, times, labels, training=False)
        return self.prediction.denoised(tf.cast(output, tf.float32), x, signal, noise)

    def _ask(self, network, x, times, labels, training):
        signal, noise = self._levels_of(times)
        inputs = [self.prediction.scaled(x, signal, noise), self.schedule.network_times(times)]
        return network(inputs if labels is None else [*inputs, labels], training=training)

    def _levels_of(self, times):
        """Signal and noise at times (N,), shaped so that they multiply images."""
        shape = (-1, *[1] * len(self.space))
        return tuple(tf.reshape(one(times), shape) for one in (self.schedule.signal, self.schedule.noise))

    # ---- drawing ----------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """Standard normal noise; of a sampler that adds some on its way, two uniform numbers too, the key of that."""
        noise, fractions = self.noise_and_fractions(rows, seed)
        return {"noise": noise} | ({"fractions": fractions} if self.sampling.draws_noise else {})

    def noise_and_fractions(self, rows, seed):
        """Standard normal noise (rows, *space), and uniform numbers (rows, 2) from which more of it follows."""
        own = draws.fold(seed, draws.purpose("fractions"))
        return draws.normal((rows, *self.space), seed), draws.uniform((rows, 2), own)

    def noise_by_step(self, fractions):
        """Function step -> standard normal noise (N, *space), of each row by its two numbers."""
        keys = draws.keys(tf.cast(fractions, tf.float32))
        return lambda step: tf.reshape(draws.normal_of_rows(keys, step, math.prod(self.space)), (-1, *self.space))

    def draw(self, noise, fractions=None, condition=None):
        """Images for what they start from, by `sampling`.

        Args:
            noise: (N, *space) standard normal.
            fractions: (N, 2) in [0, 1), of a sampler that adds noise on its way: all of an image's follows from them.
            condition: labels (N,), or None.

        Returns:
            float32 (N, *image_shape).
        """
        levels, fresh = self.levels(), None
        if self.sampling.draws_noise:
            self._must_be(fractions is not None, f"{self.sampling} draws noise on its way: give draw its fractions=.")
            fresh = self.noise_by_step(fractions)
        x = float(levels.noise[0]) * tf.cast(noise, tf.float32)
        return self.finished(self.sampling.run(self.denoiser_for(condition), x, levels, fresh))

    def levels(self):
        """The levels of `sampling`."""
        return self.schedule.levels(self.sampling.steps, self.sampling.rho)

    def denoiser_for(self, condition=None):
        """Function (x, time) -> x_0 as samplers take it: guided and clipped as `sampling` says."""

        def denoise(x, time):
            clean = self.denoise(x, time, condition, guidance_scale=self.sampling.guidance_scale)
            return tf.clip_by_value(clean, -1.0, 1.0) if self._clips else clean

        return denoise

    def finished(self, x):
        """What a sampler ends with, as images."""
        return tf.clip_by_value(x, -1.0, 1.0) if self._clips else x

    @property
    def _clips(self):
        return self.sampling.clip and len(self.space) == 3

    def with_sampling(self, **changes):
        """The same model with the same weights, which draws otherwise: for scores and exports of another sampler.

        Args:
            **changes: fields of `samplers.Sampling`, such as `sampler="dpmpp_2m", steps=10, rho=None`; the rest stays,
                `rho` too, which was chosen for its number of steps.

        Returns:
            A shallow copy; what one of them learns the other knows.
        """
        sampling = self._fitting(dataclasses.replace(self.sampling, **changes))
        twins = self.__dict__.setdefault("_twins", {})
        if sampling not in twins:
            twin = object.__new__(type(self))
            twin.__dict__.update(vars(self))
            twin.__dict__.update(sampling=sampling, _twins={}, _draw_functions={})
            twins[sampling] = twin
        return twins[sampling]

    def generate(self, num_images, labels=None, seed=None, **sampling) -> np.ndarray:
        """Images as `GenerativeModel.generate` gives them.

        Args:
            num_images, labels, seed: as there.
            **sampling: as in `with_sampling`, for these images alone.
        """
        if sampling:
            return self.with_sampling(**sampling).generate(num_images, labels=labels, seed=seed)
        return super().generate(num_images, labels=labels, seed=seed)

    def call(self, inputs, training=False):
        """Outputs of the averaged network, in inference mode: [noisy images, the network's times] and labels."""
        return self.ema_network(inputs, training=False)

    def _fitting(self, sampling):
        """The sampling, once it is known to suit the model."""
        self._must_be(
            sampling.sampler in self.samplers,
            f"sampler={sampling.sampler!r}: {self.name} draws by {' or '.join(map(repr, self.samplers))}.",
        )
        self.schedule.levels(sampling.steps, sampling.rho)
        self._must_be(
            self.condition is not None or sampling.guidance_scale == 1.0,
            f"guidance_scale={sampling.guidance_scale}, but {self.name} is unconditional: nothing is there to be "
            "guided by. Leave it at 1, or create the model with num_classes=.",
        )
        return sampling

    # ---- what a served model answers --------------------------------------------------------------------------

    def endpoints(self):
        """ "denoise": x_0 from noisy images at a time, one step for a loop of one's own."""
        images = tf.TensorSpec((None, *self.space), tf.float32, name="images")
        specs = [images, tf.TensorSpec((), tf.float32, name="time")]
        example = {"images": ops.convert_to_numpy(draws.normal((1, *self.space), (0, 0)))}
        example["time"] = ops.convert_to_numpy(tf.constant(self.levels().times[0], tf.float32))
        if self.condition is not None:
            specs.append(tf.TensorSpec((None,), self.condition.dtype, name=self.condition.name))
            example[self.condition.name] = self.condition.examples(1)[0][:1]

        def denoise(images, time, **told):
            condition = next(iter(told.values()), None)
            scale = self.sampling.guidance_scale
            return {"images": self.denoise(images, time, condition, guidance_scale=scale)}

        return {"denoise": (denoise, tuple(specs), example)}

    def get_config(self):
        """As for `GenerativeModel`, and what is the family's own."""
        objects = ("schedule", "prediction", "sampling", "condition")
        numbers = ("min_snr", "label_dropout", "ema_half_life", "even_times")
        return super().get_config() | self.config_of(*objects, *numbers)
