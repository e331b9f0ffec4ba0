"""Generative adversarial networks: two networks trained in alternation."""

import functools

import keras
import tensorflow as tf
from keras.optimizers import Adam

from tfgan_zoo import noise, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary, Opposed, initial_state, with_condition
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.latent import FromLatents
from tfgan_zoo.models.optimisation import averaged_copy, frozen_call, training_call
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable


@serializable
class GAN(Opposed, FromLatents, GenerativeModel):
    """Two networks trained in alternation, the generator averaged (Goodfellow et al. 2014, Algorithm 1).

    Args:
        generator: functional Keras model, latents (N, latent_dim) -> images (N, *image_shape).
        discriminator: functional Keras model, images -> logits (N, 1) without a sigmoid; or a dict with the head that
            the objective looks at, "logits" or "energy" (N, 1), and others.
        objective: what the two minimise, such as `tz.objectives.NonSaturating()`.
        penalties: terms added to the discriminator's loss that need its gradient with respect to images; each is called
            as penalty(critic, real, fake, seed=...) and has a `name`.
        prior: what latents are drawn from; None for `Normal()`.
        n_critic: discriminator updates for one of the generator; each takes its own slice of the batch.
        simultaneous: both players descend at once, from one pass of images through G and through D, as Nowozin et al.
            2016 (Algorithm 1) do: cheaper by a pass of each, but another game than the alternation, in which G
            answers the D that has just moved; in `recipes.game_dynamics` its orbits end farther from the
            equilibrium. D's batch moments still advance on real images alone, and G's once.
        ema_decay: of the generator's average, in [0, 1); 0 or None keeps no average.
        augmentations: transformations of what the discriminator sees, real and generated alike; each is called as
            augmentation(images, seed, step), such as `tz.augmentations.DiffAugment()`; one with a state gets it.
        freeze_d: layers of D, from the images on, that are not trained (Mo et al. 2020, Freeze-D), for models that
            begin with another's weights; a block that is a network of its own counts once.
        historical_averaging: weight of |theta - mean of theta so far|^2 for both networks (Salimans et al. 2016,
            Sec. 3.3); 0 for none.
        condition: what both are told of an image, one of `tfgan_zoo.conditions`; None for nothing.
        generator_optimizer, discriminator_optimizer: what `compile()` without arguments uses; None for Adam(2e-4, 0.5).
        state: what a subclass keeps beside the state of objective and augmentations, dict name -> number.
        seed: integer for all noise of training; None takes one from Python's generator.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        objective,
        penalties=(),
        prior=None,
        n_critic=1,
        simultaneous=False,
        ema_decay=0.999,
        augmentations=(),
        historical_averaging=0.0,
        freeze_d=0,
        generator_optimizer=None,
        discriminator_optimizer=None,
        condition=None,
        state=None,
        seed=None,
        **keras_arguments,
    ):
        checks.networks(generator, discriminator, condition)
        Adversary.check(discriminator, objective, penalties)
        checks.numbers(n_critic, historical_averaging)
        checks.simultaneous(simultaneous, n_critic)
        weighted = [layer for layer in discriminator.layers if layer.weights]
        checks.frozen_layers(freeze_d, len(weighted))
        for layer in weighted[:freeze_d]:
            layer.trainable = False
        networks = {"generator": generator, "discriminator": discriminator}
        past = {name: averaged_copy(network) for name, network in networks.items() if historical_averaging}
        super().__init__(
            networks,
            image_shape=generator.output_shape[1:],
            condition=condition,
            ema_decay=ema_decay,
            averaged=("generator",),
            state=initial_state([objective, *augmentations]) | (state or {}),
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
            seed=seed,
            **keras_arguments,
        )
        self.past = past
        self.prior = Normal() if prior is None else prior
        self.n_critic = self.updates_per_step = int(n_critic)
        self.simultaneous, self.historical_averaging, self.freeze_d = simultaneous, historical_averaging, freeze_d
        self.adversary = Adversary(discriminator, objective, penalties, augmentations, owner=self)

    @staticmethod
    def usual_optimizer():
        """Adam as Radford et al. 2016 have it."""
        return Adam(2e-4, beta_1=0.5)

    @property
    def ema_network(self):
        """The generator's average, which is called, scored and exported."""
        return self.inference["generator"]

    # ---- learning ---------------------------------------------------------------------------------------------

    def train_step(self, data):
        """One round of the game, and what follows from it."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.end_step((self.simultaneous_step if self.simultaneous else self.alternating_step)(images, labels))

    def alternating_step(self, images, labels):
        """Algorithm 1: n_critic updates of D on fresh slices of the batch, then one of G."""

        def update(index):
            return self.update_discriminator(*self.critic_batch(images, labels, index), index)

        results = self.repeated(update, self.n_critic)
        return results | self.update_generator(*self.critic_batch(images, labels, self.n_critic - 1))

    def simultaneous_step(self, images, labels):
        """One update of both, each on its gradient at the point where both stood."""
        real, condition = self.critic_batch(images, labels, 0)
        return self.minimize_each(("discriminator", "generator"), lambda: self.shared_losses(real, condition))

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        real, condition = self.unpack(data)
        fake, latents = self.synthesize(condition, tf.shape(real)[0], 0, purpose="test", advance=())
        real_heads, fake_heads = (self.adversary.discriminate(x, condition, advance=()) for x in (real, fake))
        return self.track(
            {"discriminator_loss": self.adversary.loss(real_heads, fake_heads)}
            | {"generator_loss": self.adversary.loss_of_opponent(fake_heads, real_heads)}
            | self.auxiliary(real_heads, condition)
            | self.auxiliary(fake_heads, condition, latents)
        )

    # ---- what a family of GANs overrides ----------------------------------------------------------------------

    def auxiliary(self, heads, condition, latents=None):
        """What D is asked beside "is it real?": further losses and monitors on its heads, as a dict; nothing here.

        Args:
            heads: D's outputs by name.
            condition: what is said about the images, a tensor with a row for each, or None.
            latents: (N, latent_dim) from which they were generated; None for real images.
        """
        return {}

    def generator_auxiliary(self, heads, condition, latents):
        """Further losses of G's own update, under names of their own; nothing here. Arguments as in `auxiliary`."""
        return {}

    def images_of(self, latents, condition, run, purpose, index=0):
        """Images of latents in a training step; a generator that is more than one network says how.

        Args:
            latents: (N, latent_dim).
            condition: of the images, or None.
            run: function (network, inputs) -> outputs in training mode, whose state advances or rests.
            purpose, index: of noise that is drawn on the way, as in `noise_seed`.
        """
        return run(self.generator, with_condition(self.generator, latents, condition))

    # ---- the step's parts -------------------------------------------------------------------------------------

    def update_discriminator(self, real, condition=None, index=0):
        """One update of D on real images and as many generated ones; returns its losses."""
        fake, latents = self.synthesize(condition, tf.shape(real)[0], index)
        return self.minimize("discriminator", lambda: self.critic_losses(real, fake, condition, latents, index))

    def update_generator(self, real, condition=None):
        """One update of G on as many new latents as there are real images; returns its losses."""
        return self.minimize("generator", lambda: self.generator_losses(real, condition))

    def latents(self, purpose, count, index=0):
        """Latents (count, latent_dim) for this replica's images of this step."""
        seed = self.noise_seed(purpose, index)
        return noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), count)

    def synthesize(self, condition, count, index, purpose="critic", advance=None):
        """Images for the discriminator, and their latents; G's batch moments advance in its own update only."""
        latents = self.latents(purpose, count, index)
        advance = self.random_states if advance is None else advance
        run = functools.partial(frozen_call, advance=advance)
        return self.images_of(latents, condition, run, purpose, index), latents

    def critic_losses(self, real, fake, condition, latents, index):
        """D's losses on one slice, a dict; its state advances here, on the real images, once an update.

        Args:
            real, fake: images (N, *image_shape).
            condition: of both, or None.
            latents: (N, latent_dim) of the fake ones.
            index: number of the update in this step.
        """
        clean = real, fake
        real, fake = self.adversary.augment(real, "real", index), self.adversary.augment(fake, "fake", index)
        real_heads = self.adversary.learn(real, condition)
        fake_heads = self.adversary.discriminate(fake, condition)
        return self._critic_losses(real, fake, real_heads, fake_heads, condition, latents, index, clean)

    def generator_losses(self, real, condition):
        """G's losses on as many new latents as one slice has images."""
        latents = self.latents("generator", tf.shape(real)[0])
        fake = self.images_of(latents, condition, training_call, "generator")
        heads = self.adversary.discriminate(self.adversary.augment(fake, "generated"), condition)
        real_heads = None
        if self.objective.needs_real:
            real_heads = self.adversary.discriminate(self.adversary.augment(real, "compared"), condition)
        return self._generator_losses(heads, real_heads, condition, latents)

    def shared_losses(self, real, condition):
        """D's losses and G's on the same generated images; the state of both advances as in updates of their own."""
        latents = self.latents("critic", tf.shape(real)[0])
        fake = self.images_of(latents, condition, training_call, "critic")
        clean = real, tf.stop_gradient(fake)
        real, fake = self.adversary.augment(real, "real"), self.adversary.augment(fake, "fake")
        real_heads = self.adversary.learn(real, condition)
        fake_heads = self.adversary.discriminate(fake, condition)
        rest = (condition, latents)
        return {
            "discriminator": self._critic_losses(real, tf.stop_gradient(fake), real_heads, fake_heads, *rest, 0, clean),
            "generator": self._generator_losses(fake_heads, real_heads, *rest),
        }

    def _critic_losses(self, real, fake, real_heads, fake_heads, condition, latents, index, clean):
        losses = self.adversary.losses(real, fake, real_heads, fake_heads, condition, index, clean)
        losses |= self.auxiliary(real_heads, condition) | self.auxiliary(fake_heads, condition, latents)
        return losses | self._from_past("discriminator")

    def _generator_losses(self, heads, real_heads, condition, latents):
        losses = {"generator_loss": self.adversary.loss_of_opponent(heads, real_heads)}
        losses |= self.generator_auxiliary(heads, condition, latents) | self._from_past("generator")
        return losses | self.adversary.means(generated=heads)

    def update_averages(self):
        """Move the generator's average, and the plain means of both networks if historical averaging needs them."""
        super().update_averages()
        for player, past in self.past.items():
            for mean, weight in zip(past.weights, getattr(self, player).weights, strict=True):
                mean.assign_add((weight - mean) / tf.cast(self.step + 1, weight.dtype))

    def _from_past(self, player):
        """Salimans et al. 2016, Sec. 3.3."""
        if not self.past:
            return {}
        pairs = zip(getattr(self, player).weights, self.past[player].weights, strict=True)
        distances = [tf.reduce_sum((w - tf.stop_gradient(mean)) ** 2) for w, mean in pairs if w.trainable]
        return {f"{player}_history": self.historical_averaging * tf.add_n(distances)}

    # ---- drawing ----------------------------------------------------------------------------------------------

    @property
    def latent_dim(self):
        """Coordinates of a latent."""
        return self.generator.inputs[0].shape[-1]

    def draw(self, latents, condition=None):
        """Images (N, *image_shape) of the averaged generator, in inference mode."""
        network = self.inference["generator"]
        return network(with_condition(network, latents, condition), training=False)

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def loss_names(self):
        """The two players' losses and the penalties'."""
        history = ("discriminator_history", "generator_history") if self.past else ()
        return ("discriminator_loss", "generator_loss", *(penalty.name for penalty in self.penalties), *history)

    def check_images(self, images):
        """As for every model; and a batch must hold a slice for each critic step."""
        super().check_images(images)
        checks.slices(images, self.n_critic, runtime.replicas())

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        frozen = ("objective", "prior", "penalties", "augmentations", *(("condition",) if self.condition else ()))
        numbers = ("n_critic", "simultaneous", "historical_averaging", "freeze_d")
        return super().get_config() | self.config_of(*frozen, *numbers)
