"""Diffusion that knows no classes, led to one by a classifier of noisy images."""

import tensorflow as tf

from tfgan_zoo import noise as draws
from tfgan_zoo.models.conditional import accuracy, class_loss
from tfgan_zoo.models.diffusion import Diffusion
from tfgan_zoo.models.optimisation import training_call
from tfgan_zoo.serialization import serializable


@serializable
class ClassifierGuided(Diffusion):
    """Unconditional diffusion, and a classifier told the noise level whose gradient leads it to a class.

    Dhariwal & Nichol 2021, Sec. 4.2 (Algorithm 2): eps - s noise grad log p(y | x_t), which moves x_0 by
    s noise^2 / signal grad log p(y | x_t). The classifier reads y = signal x_t / (signal^2 + noise^2), the best linear
    guess of an image of unit variance, so that x_0 moves by s noise^2 / (signal^2 + noise^2) grad_y log p: no division
    by a signal that is nearly nothing, and the same for every schedule and every sampler. `guidance_scale` is s: 0 is
    unconditional, 1 the class as the classifier knows it, more is more typical of it.

    Both networks learn in one `fit`, each from its own loss; or, beside a denoiser that has been trained before, the
    classifier alone, with `learn_denoiser=False`.

    Args:
        denoiser: functional Keras model, as for `Denoising` without a condition.
        classifier: functional Keras model, [guesses (N, *image_shape), times (N,)] -> logits (N, num_classes), such as
            `networks.unet.classifier` makes.
        condition: `conditions.Classes`.
        learn_denoiser: False trains the classifier alone.
        **diffusion: as for `Diffusion`: schedule, prediction, sampling, ...

    Raises:
        ValueError: if the networks do not fit each other or the classes.
    """

    denoiser_is_told = False
    draws_by_gradients = True  # in every step, which LiteRT does not express of a batch whose size is open

    def __init__(self, denoiser, classifier, *, condition, learn_denoiser=True, **diffusion):
        read = [tuple(one.shape[1:]) for one in getattr(classifier, "inputs", None) or ()]
        gives, classes = getattr(classifier, "output_shape", None), getattr(condition, "num_classes", None)
        self._must_be(classes, f"condition={condition!r}: a classifier needs classes, such as conditions.Classes(10).")
        self._must_be(
            read == [tuple(denoiser.output_shape[1:]), ()] and gives == (None, classes),
            f"classifier reads {read} and gives {gives}: it must read {tuple(denoiser.output_shape[1:])} and times (), "
            f"and give one logit for each of {classes} classes.",
        )
        super().__init__(denoiser, networks={"classifier": classifier}, condition=condition, **diffusion)
        self.learn_denoiser = bool(learn_denoiser)

    @property
    def learners(self):
        """Names of the networks that a step updates."""
        return self._names if self.learn_denoiser else ("classifier",)

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """The denoiser's weighted squared error, and the classifier's cross-entropy."""
        return (*(("denoising_loss",) if self.learn_denoiser else ()), "class_loss")

    def monitor_names(self):
        """The classifier's accuracy over all noise levels."""
        return ("class_accuracy",)

    def batch_losses(self, images, condition, training):
        """The denoiser's loss, without labels, and the cross-entropy of the noisy images' classes.

        Args:
            images: (N, *image_shape) float32.
            condition: labels (N,).
            training: False when nothing is to change.
        """
        losses = super().batch_losses(images, None, training) if self.learn_denoiser else {}
        rows = tf.shape(images)[0]
        times = self.schedule.times(self._fractions(rows))
        eps = draws.shared(lambda count: draws.normal((count, *self.space), self.noise_seed("classifier")), rows)
        signal, noise = self._levels_of(times)
        inputs = [self._guess(signal * images + noise * eps, signal, noise), self.schedule.network_times(times)]
        classes = training_call(self.classifier, inputs) if training else self.classifier(inputs, training=False)
        return losses | {"class_loss": class_loss(classes, condition), "class_accuracy": accuracy(classes, condition)}

    @staticmethod
    def _guess(x, signal, noise):
        return x * (signal / (tf.square(signal) + tf.square(noise)))

    # ---- denoising --------------------------------------------------------------------------------------------

    def denoise(self, x, times, condition=None, *, guidance_scale=1.0):
        """x_0 as the averaged denoiser sees it, moved towards a class; arguments as in `Denoising.denoise`."""
        x, times = self._rows(x, times)
        clean = self._clean(x, times, None)
        if condition is None or guidance_scale == 0.0:
            return clean
        return clean + guidance_scale * self.towards(x, times, condition)

    def towards(self, x, times, labels):
        """How far x_0 moves at scale 1: noise^2 / (signal^2 + noise^2) times the gradient of log p(label | guess).

        Args:
            x: noisy images (N, *image_shape).
            times: of the schedule, a number or (N,).
            labels: (N,).

        Returns:
            float32 (N, *image_shape).
        """
        x, times = self._rows(x, times)
        signal, noise = self._levels_of(times)
        guess = self._guess(x, signal, noise)
        with tf.GradientTape() as tape:
            tape.watch(guess)
            classes = self._classes(guess, times)
            chosen = tf.one_hot(tf.cast(labels, tf.int32), self.num_classes)
            of_label = tf.reduce_sum(chosen * tf.nn.log_softmax(classes), axis=-1)
        return tf.square(noise) / (tf.square(signal) + tf.square(noise)) * tape.gradient(of_label, guess)

    def classify(self, x, times):
        """Logits (N, num_classes) of noisy images (N, *image_shape) at times of the schedule, a number or (N,)."""
        x, times = self._rows(x, times)
        return self._classes(self._guess(x, *self._levels_of(times)), times)

    def _classes(self, guess, times):
        network = self.inference["classifier"]
        return tf.cast(network([guess, self.schedule.network_times(times)], training=False), tf.float32)

    def get_config(self):
        """As for `Diffusion`, and whether the denoiser learns."""
        return super().get_config() | {"learn_denoiser": self.learn_denoiser}
