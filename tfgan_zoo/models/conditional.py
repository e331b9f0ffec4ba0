"""GANs that know classes or codes; each overrides hooks of `GAN` and nothing of its training step."""

import keras
import numpy as np
from keras import ops

from tfgan_zoo.conditions import Classes
from tfgan_zoo.models import checks
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.serialization import serializable


@serializable
class ConditionalGAN(GAN):
    """A GAN whose networks are condition the class of every image (Mirza & Osindero 2014, Eq. 2).

    How a network takes the label is the network's own matter: one-hot or embedded beside its input
    (`networks.labels`), or by projection (Miyato & Koyama 2018, `networks.heads.projection`).

    Args:
        generator: functional Keras model, [latents (N, latent_dim), labels (N,)] -> images.
        discriminator: functional Keras model, [images, labels (N,)] -> logits (N, 1).
        num_classes: labels are integers in [0, num_classes).
        **gan: as for `GAN`.

    Raises:
        ValueError: if a network has no input for labels, or as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, num_classes, **gan):
        condition = Classes(num_classes)
        self._check_inputs(generator, discriminator)
        super().__init__(generator, discriminator, condition=condition, **gan)

    def _check_inputs(self, generator, discriminator):
        checks.takes_labels("generator", generator)
        checks.takes_labels("discriminator", discriminator)

    def get_config(self):
        """As for `GAN`, and the number of classes."""
        config = super().get_config() | {"num_classes": self.num_classes}
        del config["condition"]
        return config


@serializable
class ACGAN(ConditionalGAN):
    """D names the class of every image, and G makes images whose class D names right (Odena et al. 2017, Eq. 2 and 3).

    D maximises L_S + L_C and G maximises L_C - L_S, where L_S is the objective and L_C the log-likelihood of the class.

    Args:
        generator: functional Keras model, [latents, labels (N,)] -> images.
        discriminator: functional Keras model, images -> {"logits" (N, 1), "classes" (N, num_classes)}.
        num_classes: labels are integers in [0, num_classes).
        class_weight: of the log-likelihood of the class, positive; 1 in the paper.
        **gan: as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, num_classes, class_weight=1.0, **gan):
        if not class_weight > 0:
            raise ValueError(f"class_weight={class_weight}: D names classes with a positive weight; 1 in the paper.")
        checks.head(discriminator, "classes", Classes(num_classes).num_classes)
        super().__init__(generator, discriminator, num_classes=num_classes, **gan)
        self.class_weight = class_weight

    def _check_inputs(self, generator, discriminator):
        checks.takes_labels("generator", generator)
        if len(discriminator.inputs) > 1:
            raise ValueError(
                "discriminator takes labels, but ACGAN's is asked for them: give one that sees images only."
            )

    def auxiliary(self, heads, condition, latents=None):
        """The class loss of real and of generated images."""
        kind = "real" if latents is None else "fake"
        monitors = {"class_accuracy": accuracy(heads["classes"], condition)} if latents is None else {}
        return {f"{kind}_class_loss": self.class_weight * class_loss(heads["classes"], condition)} | monitors

    def generator_auxiliary(self, heads, condition, latents):
        """The class loss of G's own images."""
        return {"generator_class_loss": self.class_weight * class_loss(heads["classes"], condition)}

    def loss_names(self):
        """Those of `GAN`, and three class losses."""
        return (*super().loss_names(), "real_class_loss", "fake_class_loss", "generator_class_loss")

    def monitor_names(self):
        """Those of `GAN`, and D's accuracy on real images."""
        return (*super().monitor_names(), "class_accuracy")

    def get_config(self):
        """As for `ConditionalGAN`, and the weight."""
        return super().get_config() | {"class_weight": self.class_weight}


@serializable
class InfoGAN(GAN):
    """Part of the latent is a code that can be read off the image (Chen et al. 2016, Eq. 5 and 6).

    Both players minimise -lambda L_I, a bound on the mutual information of code and image: the cross-entropy of
    categorical codes, and for continuous ones half the squared error, the likelihood of a Gaussian of variance 1 up to
    a constant. Q is D's "codes" head and belongs to D's optimizer.

    Args:
        generator: functional Keras model, latents (N, latent_dim) -> images; the codes are the latents' end.
        discriminator: functional Keras model, images -> {"logits" (N, 1), "codes" (N, prior.code_dim)}.
        prior: a `priors.Codes`.
        categorical_weight: lambda of categorical codes; 1 in the paper.
        continuous_weight: lambda of continuous codes.
        **gan: as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, prior, categorical_weight=1.0, continuous_weight=0.1, **gan):
        if not hasattr(prior, "code_dim"):
            raise ValueError(f"prior={prior!r}: InfoGAN needs codes, such as tz.priors.Codes((10,), continuous=2).")
        read = generator.inputs[0].shape[-1] if getattr(generator, "inputs", None) else prior.code_dim
        if read < prior.code_dim:
            raise ValueError(
                f"generator reads latents of {read} coordinates, but the codes alone are {prior.code_dim}: "
                f"give it latent_dim >= {prior.code_dim}."
            )
        checks.head(discriminator, "codes", prior.code_dim)
        if not min(categorical_weight, continuous_weight) >= 0:
            raise ValueError(
                f"categorical_weight={categorical_weight}, continuous_weight={continuous_weight}: "
                "weights of the mutual information are not negative."
            )
        super().__init__(generator, discriminator, prior=prior, **gan)
        self.categorical_weight, self.continuous_weight = categorical_weight, continuous_weight

    def auxiliary(self, heads, condition, latents=None):
        """Q reads the codes of generated images."""
        return {} if latents is None else {"information_loss": self.information_loss(heads["codes"], latents)}

    def generator_auxiliary(self, heads, condition, latents):
        """G makes images whose codes Q can read."""
        return {"generator_information_loss": self.information_loss(heads["codes"], latents)}

    def codes(self, images, batch_size=500):
        """What Q reads off images: a list of logits (N, values), one of each categorical code, and means (N, c)."""
        return self.prior.split(head_of(self.discriminator, images, "codes", batch_size))

    def information_loss(self, codes, latents):
        """-lambda L_I up to a constant, for Q's outputs and the latents that were drawn."""
        (read, means), (drawn, values) = self.prior.split(codes), self.prior.split(latents)
        losses = [-self.categorical_weight * _log_likelihood(q, c) for q, c in zip(read, drawn, strict=True)]
        if self.prior.continuous:
            losses.append(self.continuous_weight * ops.mean(ops.sum((values - means) ** 2, axis=-1)) / 2)
        return sum(losses)

    def loss_names(self):
        """Those of `GAN`, and the information as each player sees it."""
        return (*super().loss_names(), "information_loss", "generator_information_loss")

    def get_config(self):
        """As for `GAN`, and the two weights."""
        return super().get_config() | self.config_of("categorical_weight", "continuous_weight")


def class_loss(classes, labels):
    """Mean cross-entropy of class logits (N, C) over the images that have a label >= 0; 0 if none has."""
    known = ops.cast(labels >= 0, "float32")
    losses = keras.losses.sparse_categorical_crossentropy(ops.maximum(labels, 0), classes, from_logits=True)
    return ops.sum(known * losses) / ops.maximum(ops.sum(known), 1.0)


def head_of(discriminator, images, head, batch_size):
    """A head of a discriminator for images, (N, ...) NumPy, in inference mode."""
    starts = range(0, len(images), batch_size)
    parts = [discriminator(images[at : at + batch_size], training=False)[head] for at in starts]
    return np.concatenate([np.asarray(part) for part in parts])


def accuracy(classes, labels):
    """Share of the images with a label >= 0 whose class logits (N, C) name it; 0 if none has one."""
    known = ops.cast(labels >= 0, "float32")
    right = ops.cast(ops.cast(ops.argmax(classes, axis=-1), "int32") == labels, "float32")
    return ops.sum(known * right) / ops.maximum(ops.sum(known), 1.0)


def _log_likelihood(logits, one_hot):
    return ops.mean(ops.sum(one_hot * ops.log_softmax(logits), axis=-1))
