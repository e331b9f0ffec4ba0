"""Image to image by what an image is told to become: StarGAN."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from tfgan_zoo import noise, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary, Opposed
from tfgan_zoo.models.optimisation import frozen_call, training_call
from tfgan_zoo.models.translation import (
    Translator,
    absolute_error,
    check_networks,
    check_seen,
    check_weights,
)
from tfgan_zoo.serialization import serializable

_ROWS = 8  # images of a picture that shows each changed in every way


@serializable
class StarGAN(Opposed, Translator):
    """One generator for all domains, told which one an image is to move to (Choi et al. 2018, Eq. 5 and 6).

    D names what an image shows beside whether it is real. In training an image is told what another of the batch shows;
    what it is told of its own must lead back.

    Args:
        generator: functional Keras model, [sources, attributes (N, A) or labels (N,)] -> images.
        discriminator: images -> {"logits" (N, h, w, 1) or (N, 1), "classes" (N, A)}.
        condition: what an image is told: `conditions.Attributes`, or `conditions.Classes`.
        objective: what the two minimise.
        penalties: as for `GAN`.
        n_critic: discriminator updates for one of the generator, each on its own slice of the batch.
        class_weight: of what D names; 1 in the paper.
        reconstruction_weight: of the way back; 10 in the paper.
        identity_weight: of |G(x, what x shows) - x|: an image that is told what it shows stays as it is, and with that
            all that nobody speaks of (Siddiquee et al. 2019, "fixed points"); 0 in the paper.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other or the condition, or a number is out of its range.
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        condition,
        objective,
        penalties=(),
        n_critic=1,
        class_weight=1.0,
        reconstruction_weight=10.0,
        identity_weight=0.0,
        **model,
    ):
        check_networks({"generator": generator, "discriminator": discriminator})
        checks.takes_labels("generator", generator)
        checks.head(discriminator, "classes", getattr(condition, "num_classes", None) or len(condition.names))
        Adversary.check(discriminator, objective, penalties)
        checks.numbers(n_critic, 0.0)
        check_weights(
            class_weight=class_weight,
            reconstruction_weight=reconstruction_weight,
            identity_weight=identity_weight,
        )
        shape = generator.output_shape[1:]
        if generator.inputs[0].shape[1:] != shape or generator.inputs[1].shape[1:] != condition.shape:
            came = [tuple(one.shape[1:]) for one in generator.inputs]
            raise ValueError(
                f"generator reads {came[0]} and {came[1]} and makes {shape}: it must make what it reads, and be told "
                f"{condition.name} {condition.shape}."
            )
        check_seen(discriminator, (shape,))
        super().__init__(
            {"generator": generator, "discriminator": discriminator},
            source_shape=shape,
            image_shape=shape,
            condition=condition,
            kept={"sources": shape, condition.name: condition.shape},
            **{"averaged": ("generator",), "state": objective.initial_state()} | model,
        )
        self.n_critic = self.updates_per_step = int(n_critic)
        self.class_weight, self.reconstruction_weight = class_weight, reconstruction_weight
        self.identity_weight = identity_weight
        self.adversary = Adversary(discriminator, objective, penalties, owner=self)

    @staticmethod
    def usual_optimizer():
        """Adam as Choi et al. 2018 have it."""
        return Adam(1e-4, beta_1=0.5)

    # ---- learning ---------------------------------------------------------------------------------------------

    def train_step(self, data):
        """Choi et al. 2018, Sec. 3.3: n_critic updates of D on slices of the batch, then one of G."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)

        def update(index):
            real, known = self.critic_batch(images, labels, index)
            return self.minimize("discriminator", lambda: self.critic_losses(real, known, index))

        results = self.repeated(update, self.n_critic)
        real, known = self.critic_batch(images, labels, self.n_critic - 1)
        results |= self.minimize("generator", lambda: self.generator_losses(real, known))
        self.keep(images, labels)
        return self.end_step(results)

    def test_step(self, data):
        """The losses on a batch, as training would see them, without penalties; nothing changes."""
        real, known = self.unpack(data)
        asked = self.targets(known, 0)
        fake = frozen_call(self.generator, [real, asked])
        real_heads, fake_heads = (self.adversary.discriminate(images, advance=()) for images in (real, fake))
        found = {"discriminator_loss": self.adversary.loss(real_heads, fake_heads)}
        found["class_loss"] = self.class_weight * self.naming_loss(real_heads["classes"], known)
        return self.track(found | self.generator_losses(real, known))

    def critic_losses(self, real, known, index):
        """D's losses on one slice.

        Args:
            real: (N, *image_shape).
            known: what they show, as `condition` has it.
            index: number of the update in this step.
        """
        fake = frozen_call(self.generator, [real, self.targets(known, index)])
        real_heads, fake_heads = self.adversary.learn(real), self.adversary.discriminate(fake)
        losses = self.adversary.losses(real, fake, real_heads, fake_heads, index=index)
        return losses | {"class_loss": self.class_weight * self.naming_loss(real_heads["classes"], known)}

    def generator_losses(self, real, known):
        """G's losses: the game's, what D names its images, and the way back. Arguments as in `critic_losses`."""
        asked = self.targets(known, "generator")
        fake = training_call(self.generator, [real, asked])
        heads = self.adversary.discriminate(fake)
        again = training_call(self.generator, [fake, known])
        real_heads = self.adversary.discriminate(real) if self.objective.needs_real else None
        losses = {
            "generator_loss": self.adversary.loss_of_opponent(heads, real_heads),
            "generator_class_loss": self.class_weight * self.naming_loss(heads["classes"], asked),
            "reconstruction_loss": self.reconstruction_weight * absolute_error(real, again),
        }
        if self.identity_weight:
            same = training_call(self.generator, [real, known])
            losses["identity_loss"] = self.identity_weight * absolute_error(real, same)
        return losses | self.adversary.means(generated=heads)

    def targets(self, known, index):
        """What images are to become: what others of the batch show, in an order drawn for this update."""
        seed = self.noise_seed("targets", index)

        def permuted(total):
            return tf.gather(runtime.all_gather(known), tf.argsort(noise.uniform((total,), seed)))

        return noise.shared(permuted, tf.shape(known)[0])

    def naming_loss(self, classes, known):
        """Cross-entropy of what D names: of the class, or of each attribute and summed over them.

        Args:
            classes: logits (N, C).
            known: labels (N,) or attributes (N, C).
        """
        if hasattr(self.condition, "num_classes"):
            return ops.mean(keras.losses.sparse_categorical_crossentropy(known, classes, from_logits=True))
        return ops.mean(ops.sum(ops.softplus(classes) - known * classes, axis=-1))

    def loss_names(self):
        """The two players' losses, what D names, the way back, the identity, and the penalties'."""
        named = ("class_loss", "generator_class_loss", "reconstruction_loss")
        identity = ("identity_loss",) if self.identity_weight else ()
        return ("discriminator_loss", "generator_loss", *named, *identity, *(one.name for one in self.penalties))

    def check_images(self, images):
        """As for every translator; and a batch must hold a slice for each critic step."""
        super().check_images(images)
        checks.slices(images, self.n_critic, runtime.replicas())

    # ---- drawing ----------------------------------------------------------------------------------------------

    def draw(self, sources, condition):
        """Images that show what they are told, by the averaged generator."""
        return self.inference["generator"]([sources, condition], training=False)

    def panels(self, sources, beside, seed=0):
        """A row for each of eight images, a column for what it may become: each class, or each attribute changed.

        `beside` is what they show, labels (N,) or attributes (N, A).
        """
        sources, beside = sources[:_ROWS], beside[:_ROWS]
        asked, names = self.condition.changes(beside)
        asked, columns = asked.reshape(-1, *self.condition.shape), len(names)
        made = self.translate(np.repeat(sources, columns, axis=0), asked)
        shown = [sources[:, None], made.reshape(len(sources), columns, *self.image_shape)]
        return {"": (np.concatenate(shown, axis=1).reshape(-1, *self.image_shape), columns + 1)}

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        numbers = ("n_critic", "class_weight", "reconstruction_weight", "identity_weight")
        return super().get_config() | self.config_of("condition", "objective", "penalties", *numbers)
