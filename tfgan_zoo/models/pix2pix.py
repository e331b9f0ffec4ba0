"""Image to image from pairs: pix2pix."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data, noise, pixels
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary, Opposed
from tfgan_zoo.models.optimisation import frozen_call, training_call
from tfgan_zoo.models.translation import (
    PairTranslator,
    absolute_error,
    check_networks,
    check_seen,
    check_weights,
    side_by_side,
)
from tfgan_zoo.serialization import serializable


@serializable
class Pix2Pix(Opposed, PairTranslator):
    """A conditional GAN on pairs, with the absolute error beside it (Isola et al. 2017, Eq. 4).

    D sees an image beside its source. What G's dropout leaves is all that is random, also where it is asked: `start`
    and `translate` draw it from their seed.

    Args:
        generator: functional Keras model, sources -> images in [-1, 1]; or [sources, factors (N, d)] -> images, where
            factors multiply units: 0 for a dropped one, and else what `dropout` says.
        discriminator: functional Keras model, [images, sources] -> logits of patches (N, h, w, 1), or (N, 1).
        objective: what the two minimise.
        dropout: share of the factors that are 0, in [0, 1); the others are 1 / (1 - dropout).
        l1_weight: of the mean absolute error; 100 in the paper. 0 for none.
        adversarial_weight: of G's loss in the game; 1 in the paper, 0 for a regression.
        discriminator_weight: of D's loss, 1/2 in the paper, to slow it beside G.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    example = "give pairs, such as tz.data.load(tz.data.Pairs(sources, targets)), or fit(sources, targets)"

    def __init__(
        self,
        generator,
        discriminator,
        *,
        objective,
        dropout=0.5,
        l1_weight=100.0,
        adversarial_weight=1.0,
        discriminator_weight=0.5,
        **model,
    ):
        check_networks({"generator": generator, "discriminator": discriminator})
        checks.objective(objective, discriminator)
        check_weights(l1_weight=l1_weight, adversarial_weight=adversarial_weight)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout={dropout!r}: the share of units that is dropped lies in [0, 1).")
        source_shape, image_shape = generator.inputs[0].shape[1:], generator.output_shape[1:]
        check_seen(discriminator, (image_shape, source_shape))
        super().__init__(
            {"generator": generator, "discriminator": discriminator},
            source_shape=source_shape,
            image_shape=image_shape,
            kept={"sources": source_shape, "targets": image_shape},
            **{"averaged": ("generator",), "state": objective.initial_state()} | model,
        )
        self.dropout, self.l1_weight = float(dropout), l1_weight
        self.adversarial_weight, self.discriminator_weight = adversarial_weight, discriminator_weight
        self.adversary = Adversary(discriminator, objective, owner=self)

    # ---- learning ---------------------------------------------------------------------------------------------

    def train_step(self, data):
        """Isola et al. 2017, Sec. 3.3: one update of D, then one of G, on the same pairs."""
        sources, targets = self.unpack(data)
        results = self.minimize("discriminator", lambda: self.critic_losses(sources, targets))
        results |= self.minimize("generator", lambda: self.generator_losses(sources, targets))
        self.keep(sources, targets)
        return self.end_step(results)

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        sources, targets = self.unpack(data)
        fake = frozen_call(self.generator, self._given(sources))
        heads = [self.adversary.discriminate(images, sources, advance=()) for images in (targets, fake)]
        found = {"discriminator_loss": self.discriminator_weight * self.adversary.loss(*heads)}
        return self.track(found | self.generator_losses(sources, targets))

    def unpack(self, data):
        """Sources and targets of one batch."""
        sources, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
        return sources, targets

    def critic_losses(self, sources, targets):
        """D's losses on pairs and on their translations.

        Args:
            sources: (N, *source_shape).
            targets: (N, *image_shape).
        """
        fake = frozen_call(self.generator, self._given(sources))
        real_heads = self.adversary.learn(targets, sources)
        fake_heads = self.adversary.discriminate(fake, sources)
        losses = self.adversary.losses(targets, fake, real_heads, fake_heads, sources)
        return losses | {"discriminator_loss": self.discriminator_weight * losses["discriminator_loss"]}

    def generator_losses(self, sources, targets):
        """G's losses on pairs: the game's, and the absolute error. Arguments as in `critic_losses`."""
        fake = training_call(self.generator, self._given(sources))
        heads = self.adversary.discriminate(fake, sources)
        real_heads = self.adversary.discriminate(targets, sources) if self.objective.needs_real else None
        losses = {
            "generator_loss": self.adversarial_weight * self.adversary.loss_of_opponent(heads, real_heads),
            "l1_loss": self.l1_weight * absolute_error(targets, fake),
        }
        return losses | self.adversary.means(generated=heads)

    def loss_names(self):
        """The two players' losses, and the absolute error, weighted."""
        return ("discriminator_loss", "generator_loss", "l1_loss")

    # ---- drawing ----------------------------------------------------------------------------------------------

    @property
    def drops(self):
        """Whether the generator is given factors of its units."""
        return len(self.generator.inputs) > 1

    def beside(self, rows, seed):
        """The key of each image's dropout, uniform (N, 2), if there is any."""
        return {"dropout": noise.uniform((rows, 2), seed)} if self.drops else {}

    def draw(self, sources, dropout=None, condition=None):
        """Translations, by the averaged generator.

        Args:
            sources: (N, *source_shape).
            dropout: (N, 2) in [0, 1), the key of each image's dropout; None drops nothing.
            condition: None.
        """
        return self.inference["generator"](self._with_factors(sources, dropout), training=False)

    def _given(self, sources):
        """What G is given in training: the same dropout in both updates of a step."""
        if not self.drops:
            return sources
        seed, width = self.noise_seed("dropout"), self.generator.inputs[1].shape[-1]
        drawn = noise.shared(lambda count: noise.uniform((count, width), seed), tf.shape(sources)[0])
        return [sources, self._factors(drawn)]

    def _with_factors(self, sources, dropout):
        if not self.drops:
            return sources
        width = self.generator.inputs[1].shape[-1]
        if dropout is None:
            return [sources, tf.ones((tf.shape(sources)[0], width))]
        return [sources, self._factors(noise.of_rows(noise.keys(dropout), 0, width))]

    def _factors(self, drawn):
        """What units are multiplied by, for uniform numbers (N, d)."""
        return tf.cast(drawn >= self.dropout, tf.float32) / (1.0 - self.dropout)

    def panels(self, sources, beside, seed=0):
        """Each source, its translation and its target (N, *image_shape), four triples in a row."""
        return {"": side_by_side([sources, self.translate(sources, seed=seed), beside], most=4)}

    def source_of(self, images, labels):
        """A data source of arrays."""
        return data.Pairs(_to_uint8(images), _to_uint8(labels))

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        weights = ("l1_weight", "adversarial_weight", "discriminator_weight")
        return super().get_config() | self.config_of("objective", "dropout", *weights)


def _to_uint8(images):
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else np.asarray(pixels.to_uint8(images))
