"""Models that learn classes from few labels and many images: a GAN, and an adversarial autoencoder."""

import numpy as np
import tensorflow as tf
from keras import ops

from tfgan_zoo import noise, runtime
from tfgan_zoo.conditions import Classes
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary
from tfgan_zoo.models.autoencoder import NormalCodes
from tfgan_zoo.models.conditional import accuracy, class_loss, head_of
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.models.optimisation import frozen_call
from tfgan_zoo.priors import Codes
from tfgan_zoo.serialization import serializable


@serializable
class SemiSupervisedGAN(GAN):
    """D is also a classifier that learns from few labels and many images (Salimans et al. 2016, Sec. 5).

    Labels are integers in [0, num_classes), and -1 where an image has none. The generator is unconditional.

    Args:
        generator: functional Keras model, latents -> images.
        discriminator: functional Keras model, images -> {"logits", "classes", "features"}, such as
            `networks.heads.classifier` makes.
        num_classes: C.
        class_weight: of the labelled images' class loss.
        **gan: as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, num_classes, class_weight=1.0, **gan):
        checks.head(discriminator, "classes", Classes(num_classes).num_classes)
        if not class_weight > 0:
            raise ValueError(f"class_weight={class_weight}: D names classes with a positive weight; 1 in the paper.")
        super().__init__(generator, discriminator, **gan)
        self.known, self.class_weight = Classes(num_classes, unknown=True), class_weight

    def read_condition(self, labels):
        """The labels of the images, for D's class loss only; neither network has an input for them."""
        return self.known.as_tensor(labels)

    def auxiliary(self, heads, condition, latents=None):
        """The class loss and the accuracy on labelled real images."""
        if latents is not None:
            return {}
        labels, classes = (
            runtime.all_gather(condition),
            runtime.all_gather(heads["classes"]),
        )
        return {
            "class_loss": self.class_weight * class_loss(classes, labels),
            "class_accuracy": accuracy(classes, labels),
        }

    def classify(self, images, batch_size=500):
        """Logits of the classes, (N, num_classes), in inference mode."""
        return head_of(self.discriminator, images, "classes", batch_size)

    def check_labels(self, labels, count):
        """Raise unless labels are `count` integers in [-1, num_classes), -1 for none."""
        self.known.check(labels, count, self.name)

    def loss_names(self):
        """Those of `GAN`, and the class loss."""
        return (*super().loss_names(), "class_loss")

    def monitor_names(self):
        """Those of `GAN`, and the accuracy on labelled images."""
        return (*super().monitor_names(), "class_accuracy")

    def get_config(self):
        """As for `GAN`, the number of classes and the weight."""
        return super().get_config() | {"num_classes": self.known.num_classes, "class_weight": self.class_weight}


@serializable
class SemiSupervisedAutoencoder(NormalCodes):
    """An adversarial autoencoder whose code is a style and a class, learned from few labels (Makhzani et al. 2016).

    Their Sec. 5 and Fig. 6. The encoder gives a style and, by a softmax, a class; the decoder reads both. One adversary
    holds styles to a normal distribution, another one classes to one-hot vectors, each class as often. A step has their
    three phases on one batch: reconstruction; the two games, first their discriminators, then the encoder against both;
    and the class of the images that have a label. The encoder's optimizer serves all of them.

    A latent is a style and behind it a one-hot class: what `draw` takes, `encode` gives (with shares of classes), and
    the export's `sample_codes` names. Labels are integers in [0, num_classes), and -1 where an image has none.

    Args:
        encoder: functional Keras model, images -> (N, style + num_classes): the style, then logits of the classes.
        decoder: functional Keras model, codes (N, style + num_classes) -> parameters of the likelihood.
        discriminator: functional Keras model, styles -> logits (N, 1).
        class_discriminator: functional Keras model, classes (N, num_classes) -> logits (N, 1).
        num_classes: C.
        likelihood: one of `tz.likelihoods`.
        objective: of both games, one of `tz.objectives` without a state of its own.
        class_weight: of the labelled images' class loss.
        adversarial_weight: of the encoder's losses in the games.
        corruption: what is done to images on their way into the encoder while it learns, as in `Autoencoder`.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, the objective keeps a state, or a weight is not positive.
    """

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        class_discriminator,
        *,
        num_classes,
        likelihood,
        objective,
        class_weight=1.0,
        adversarial_weight=1.0,
        corruption=(),
        **model,
    ):
        self.known = Classes(num_classes, unknown=True)
        players = {"discriminator": discriminator, "class_discriminator": class_discriminator}
        self._check_players(players, encoder, objective)
        for name, value in (("class_weight", class_weight), ("adversarial_weight", adversarial_weight)):
            if not value > 0:
                raise ValueError(f"{name}={value}: give a positive one, such as 1.")
        super().__init__(encoder, decoder, likelihood=likelihood, networks=players, **model)
        self.prior = Codes((self.known.num_classes,), continuous=0)
        self.class_weight, self.adversarial_weight = float(class_weight), float(adversarial_weight)
        self.objective, self.corruption = objective, tuple(corruption)
        self.adversaries = {name: Adversary(one, objective, owner=self, name=name) for name, one in players.items()}

    def _check_players(self, players, encoder, objective):
        classes, codes = self.known.num_classes, encoder.output.shape[-1]
        if codes <= classes:
            raise ValueError(
                f"encoder gives {codes} numbers, and the classes alone are {classes}: give it {classes} more than the "
                "coordinates of a style."
            )
        for (name, network), width in zip(players.items(), (codes - classes, classes), strict=True):
            Adversary.check(network, objective, ())
            if (read := tuple(network.inputs[0].shape[1:])) != (width,):
                raise ValueError(f"{name} reads {read}, but what it is to judge is ({width},): give both one shape.")
        if objective.initial_state():
            raise ValueError(
                f"objective={objective!r} keeps a state, which two games cannot share: take one without, such as "
                "tz.objectives.NonSaturating()."
            )

    @property
    def style_dim(self):
        """Coordinates of a style."""
        return self.latent_dim - self.known.num_classes

    # ---- learning ---------------------------------------------------------------------------------------------

    def loss_names(self):
        """The reconstruction's, both discriminators', the encoder's against each, and the classes'."""
        games = ("discriminator_loss", "class_discriminator_loss", "style_loss", "category_loss")
        return ("reconstruction_loss", *games, "class_loss")

    def monitor_names(self):
        """The accuracy on labelled images."""
        return ("class_accuracy",)

    def train_step(self, data):
        """The three phases of Makhzani et al. 2016, Sec. 5."""
        images, labels = self.unpack(data)
        clean = self.observed(images)
        seen = self.corrupted(clean)
        results = self.minimize(("encoder", "decoder"), lambda: self.reconstruction_losses(clean, seen, True))
        fakes = {name: ops.stop_gradient(one) for name, one in self.judged(self.codes_at_rest(seen)).items()}
        reals = self.judged(self.prior_codes(tf.shape(images)[0]))
        results |= self.minimize_each(tuple(self.adversaries), lambda: self.critic_losses(reals, fakes))
        results |= self.minimize("encoder", lambda: self.encoder_losses(reals, seen))
        results |= self.minimize("encoder", lambda: self.class_losses(seen, labels))
        return self.end_step(results)

    def batch_losses(self, images, condition, training):
        """All losses on a batch as they stand, labels as the condition; nothing changes unless it is training."""
        images = self.observed(images)
        reals = self.judged(self.prior_codes(tf.shape(images)[0]))
        fakes = self.judged(self.codes_at_rest(images))
        losses = self.reconstruction_losses(images, images, training)
        for name, one in self.adversaries.items():
            real, fake = (one.discriminate(side[name], advance=()) for side in (reals, fakes))
            losses[f"{name}_loss"] = one.loss(real, fake)
        return losses | self.encoder_losses(reals, images) | self.class_losses(images, condition)

    def reconstruction_losses(self, images, seen, training):
        """What encoder and decoder minimise together: the likelihood of images (N, ...) given what is seen of them."""
        codes = self._as_codes(self.passed("encoder", seen, None, training))
        return {
            "reconstruction_loss": self.negative_log_likelihood(images, self.passed("decoder", codes, None, training))
        }

    def critic_losses(self, reals, fakes):
        """What each discriminator minimises, by its name; codes of the prior are real."""
        losses = {}
        for name, one in self.adversaries.items():
            real, fake = reals[name], fakes[name]
            losses[name] = one.losses(real, fake, one.learn(real), one.discriminate(fake))
        return losses

    def encoder_losses(self, reals, images):
        """What the encoder minimises against both discriminators."""
        fakes, losses = self.judged(self.codes_at_rest(images)), {}
        for name, loss in (("discriminator", "style_loss"), ("class_discriminator", "category_loss")):
            one = self.adversaries[name]
            real = one.discriminate(reals[name]) if self.objective.needs_real else None
            losses[loss] = self.adversarial_weight * one.loss_of_opponent(one.discriminate(fakes[name]), real)
        return losses

    def class_losses(self, images, labels):
        """The cross-entropy of the images that have a label, and the accuracy on them."""
        logits = self._numbers_at_rest(images)[:, self.style_dim :]
        classes, labels = runtime.all_gather(logits), runtime.all_gather(labels)
        return {
            "class_loss": self.class_weight * class_loss(classes, labels),
            "class_accuracy": accuracy(classes, labels),
        }

    def judged(self, codes):
        """What each discriminator looks at in codes (N, latent_dim), by its name."""
        return {"discriminator": codes[:, : self.style_dim], "class_discriminator": codes[:, self.style_dim :]}

    def codes_at_rest(self, images):
        """Codes of images, differentiable; the encoder's state rests."""
        return self._as_codes(self._numbers_at_rest(images))

    def corrupted(self, images):
        """What the encoder sees of a batch while it learns."""
        for number, corrupt in enumerate(self.corruption):
            images = corrupt(images, self.noise_seed(f"corrupt {number}"), self.step.value)
        return images

    def prior_codes(self, rows):
        """Codes of this step from the prior, this replica's rows."""
        seed = self.noise_seed("prior")
        return noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), rows)

    def _numbers_at_rest(self, images):
        return frozen_call(self.encoder, images, self.random_states)

    def _as_codes(self, numbers):
        """The encoder's numbers with shares of classes in place of their logits."""
        style, logits = numbers[:, : self.style_dim], numbers[:, self.style_dim :]
        return ops.concatenate([style, ops.softmax(logits, axis=-1)], axis=-1)

    # ---- labels -----------------------------------------------------------------------------------------------

    def read_condition(self, labels):
        """The labels of the images, for the class loss only; no network has an input for them."""
        return self.known.as_tensor(labels)

    def check_labels(self, labels, count):
        """Raise unless labels are `count` integers in [-1, num_classes), -1 for none."""
        self.known.check(labels, count, self.name)

    # ---- the verbs --------------------------------------------------------------------------------------------

    def encode(self, images, condition=None):
        """Codes (N, style_dim + num_classes) of images: the style, and shares of the classes that sum to 1."""
        return self._as_codes(super().encode(images))

    def classify(self, images, batch_size=500):
        """Logits of the classes, (N, num_classes), in inference mode."""
        starts = range(0, len(images), batch_size)
        parts = [super(SemiSupervisedAutoencoder, self).encode(images[at : at + batch_size]) for at in starts]
        return np.concatenate([np.asarray(part) for part in parts])[:, self.style_dim :]

    def get_config(self):
        """As for every autoencoder, with classes, game, weights and corruption."""
        own = self.config_of("objective", "corruption", "class_weight", "adversarial_weight")
        return super().get_config() | own | {"num_classes": self.known.num_classes}
