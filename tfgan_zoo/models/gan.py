"""Generative adversarial networks: two networks trained in alternation."""

import keras
import tensorflow as tf
from keras.optimizers import Adam

from tfgan_zoo import noise
from tfgan_zoo.models.base import GenerativeModel, dropout_states, frozen_call, with_loss_scale
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable


@serializable
class GAN(GenerativeModel):
    """Two networks trained in alternation, the generator averaged (Goodfellow et al. 2014, Algorithm 1).

    Args:
        generator: functional Keras model, latents (N, latent_dim) -> images (N, *image_shape).
        discriminator: functional Keras model, images -> logits (N, 1) without a sigmoid, or a dict with "logits".
        objective: what the two minimise, such as `tz.objectives.NonSaturating()`.
        penalties: terms added to the discriminator's loss that need its gradient with respect to images; each is called
            as penalty(critic, real, fake, seed=...) and has a `name`.
        prior: what latents are drawn from; None for `Normal()`.
        n_critic: discriminator updates for one of the generator; each takes its own slice of the batch.
        ema_decay: of the generator's average, in [0, 1); 0 or None keeps no average.
        generator_optimizer, discriminator_optimizer: what `compile()` without arguments uses; None for Adam(2e-4, 0.5).
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
        ema_decay=0.999,
        generator_optimizer=None,
        discriminator_optimizer=None,
        seed=None,
        **keras_arguments,
    ):
        ema_decay = ema_decay or 0.0
        _check(generator, discriminator, objective, n_critic, ema_decay)
        _check_penalties(penalties, discriminator)
        super().__init__(seed=seed, **keras_arguments)
        self.generator = generator
        self.discriminator = discriminator
        self.objective = objective
        self.penalties = tuple(penalties)
        self.prior = Normal() if prior is None else prior
        self.n_critic = n_critic
        self.ema_decay = ema_decay
        self.ema_network = averaged_copy(generator) if ema_decay else generator
        self.default_optimizers = {
            "generator_optimizer": _config(generator_optimizer),
            "discriminator_optimizer": _config(discriminator_optimizer),
        }
        self.random_states = dropout_states(generator) + dropout_states(discriminator)  # so that Keras saves them
        self.built = True

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **keras_arguments):
        """Choose the optimizers; without arguments, those of the paper.

        Args:
            generator_optimizer: a keras.optimizers.Optimizer for all of the generator.
            discriminator_optimizer: another one for all of the discriminator.
            **keras_arguments: jit_compile, steps_per_execution, run_eagerly, as in Keras.
        """
        if generator_optimizer is not None and generator_optimizer is discriminator_optimizer:
            raise ValueError("One optimizer was given for both networks: each keeps its own moments, so give two.")
        given = {"generator_optimizer": generator_optimizer, "discriminator_optimizer": discriminator_optimizer}
        for (name, optimizer), network in zip(given.items(), (self.generator, self.discriminator), strict=True):
            if optimizer is None:
                optimizer = keras.saving.deserialize_keras_object(self.default_optimizers[name])
            optimizer = with_loss_scale(optimizer, network)
            optimizer.build(network.trainable_variables)
            setattr(self, name, optimizer)
        super().compile(optimizer=self.generator_optimizer, **keras_arguments)

    def train_step(self, data):
        """One round of Algorithm 1: n_critic updates of D on fresh slices of the batch, then one of G."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        losses = {}
        for index, (real, told) in enumerate(self.critic_batches(images, labels)):
            fake = self.synthesize(told, tf.shape(real)[0], index)
            losses |= self.minimize(
                self.discriminator, self.discriminator_optimizer, self.critic_terms, real, fake, told, index
            )
        losses |= self.minimize(self.generator, self.generator_optimizer, self.generator_terms, real, told)
        self.step.assign_add(1)
        self.update_ema(self.generator)
        return self.track(losses)

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        real, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        told = self.condition(labels, tf.shape(real)[0])
        latents = self.latents("test", tf.shape(real)[0])
        fake = frozen_call(self.generator, _inputs(latents, told))
        real_logits = self.judge(real, told, advance=())["logits"]
        fake_logits = self.judge(fake, told, advance=())["logits"]
        return self.track(
            {
                "discriminator_loss": self.objective.discriminator_loss(real_logits, fake_logits),
                "generator_loss": self.objective.generator_loss(fake_logits, real_logits),
            }
        )

    # ---- what a family of GANs overrides ----------------------------------------------------------------------

    def condition(self, labels, count):
        """What the generator is told beside latents, as a tuple of tensors with `count` rows; nothing here."""
        return ()

    def auxiliary(self, heads, told, real):
        """Further losses on D's other heads, as a dict: what D is asked beside "is it real?"; nothing here."""
        return {}

    # ---- the step's parts -------------------------------------------------------------------------------------

    def critic_batches(self, images, labels):
        """n_critic disjoint slices of the batch with what their labels tell; strided, so that replicas slice alike."""
        for index in range(self.n_critic):
            real = images[index :: self.n_critic]
            told = self.condition(None if labels is None else labels[index :: self.n_critic], tf.shape(real)[0])
            yield real, told

    def latents(self, purpose, count, index=0):
        """Latents for this replica's `count` images of this step."""
        seed = self.noise_seed(purpose, index)
        return noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), count)

    def synthesize(self, told, count, index):
        """Images for the discriminator; the generator's batch moments advance in its own update only."""
        latents = self.latents("critic", count, index)
        return frozen_call(self.generator, _inputs(latents, told), advance=self.random_states)

    def judge(self, images, told, advance=None):
        """D's heads as a dict with "logits"; its state rests, but for dropout's."""
        outputs = frozen_call(
            self.discriminator,
            self.discriminator_inputs(images, told),
            self.random_states if advance is None else advance,
        )
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    def discriminator_inputs(self, images, told):
        """What the discriminator sees; labels beside images, if the network has an input for them."""
        return _inputs(images, told) if len(self.discriminator.inputs) > 1 else images

    def critic_terms(self, real, fake, told, index):
        """D's losses on one slice; its state advances here, on the real images, once an update."""
        outputs = self.discriminator(self.discriminator_inputs(real, told), training=True)
        real_heads = outputs if isinstance(outputs, dict) else {"logits": outputs}
        fake_heads = self.judge(fake, told)
        losses = {"discriminator_loss": self.objective.discriminator_loss(real_heads["logits"], fake_heads["logits"])}
        for penalty in self.penalties:
            losses[penalty.name] = self.penalize(penalty, real, fake, told, index)
        return losses | self.auxiliary(real_heads, told, real=True) | self.auxiliary(fake_heads, told, real=False)

    def penalize(self, penalty, real, fake, told, index):
        """A penalty on D's gradient; one with `every` > 1 acts every so many steps, and then as much stronger."""

        def critic(images):
            return self.judge(images, told, advance=())["logits"]

        def term():
            return penalty(critic, real, fake, seed=self.noise_seed(penalty.name, index))

        every = getattr(penalty, "every", 1)
        return term() if every == 1 else tf.cond(self.step % every == 0, lambda: every * term(), lambda: 0.0)

    def generator_terms(self, real, told):
        """G's losses on as many new latents as one slice has images."""
        fake = self.generator(_inputs(self.latents("generator", tf.shape(real)[0]), told), training=True)
        heads = self.judge(fake, told)
        real_logits = self.judge(real, told)["logits"] if self.objective.needs_real else None
        return {"generator_loss": self.objective.generator_loss(heads["logits"], real_logits)} | self.auxiliary(
            heads, told, real=False
        )

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def loss_names(self):
        """The two players' losses and the penalties'."""
        return ("discriminator_loss", "generator_loss", *(penalty.name for penalty in self.penalties))

    def check_images(self, images):
        """As for every model; and a batch must hold a slice for each critic step."""
        super().check_images(images)
        if len(images) < self.n_critic:
            raise ValueError(
                f"A batch holds {len(images)} images, but n_critic={self.n_critic} updates each take their own: "
                f"load batch_size * n_critic images, for instance {64 * self.n_critic}."
            )

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        parts = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator", "discriminator", "objective", "prior")
        }
        penalties = [keras.saving.serialize_keras_object(penalty) for penalty in self.penalties]
        numbers = {"n_critic": self.n_critic, "ema_decay": self.ema_decay}
        return super().get_config() | parts | {"penalties": penalties} | numbers | self.default_optimizers

    def get_compile_config(self):
        """The two optimizers, for `keras.models.load_model`."""
        return {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator_optimizer", "discriminator_optimizer")
        }

    def compile_from_config(self, config):
        """Compile as `get_compile_config` described."""
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


def _check_penalties(penalties, discriminator):
    names = [getattr(penalty, "name", None) for penalty in penalties]
    for penalty, name in zip(penalties, names, strict=True):
        if isinstance(penalty, type) or not callable(penalty) or not isinstance(name, str):
            raise ValueError(f"penalties holds {penalty!r}: give penalties such as tz.penalties.R1(10.0).")
        if names.count(name) > 1:
            raise ValueError(f"penalties holds {name!r} twice: one of each kind; add up their weights.")
        if hasattr(penalty, "check"):
            penalty.check(discriminator)


def averaged_copy(network):
    """A copy of a network that starts with its weights and is never trained itself."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def _inputs(first, told):
    return (first, *told) if told else first


def _config(optimizer):
    return keras.saving.serialize_keras_object(Adam(2e-4, beta_1=0.5) if optimizer is None else optimizer)


def _check(generator, discriminator, objective, n_critic, ema_decay):
    for role, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise ValueError(
                f"{role} is {type(network).__name__}: give a functional model, keras.Model(inputs, outputs), "
                "or a keras.Sequential that starts with keras.Input."
            )
    made, read = tuple(generator.output_shape), tuple(discriminator.inputs[0].shape)
    if made[1:] != read[1:]:
        raise ValueError(
            f"generator makes images {made[1:]}, but discriminator reads {read[1:]}: give both the same shape."
        )
    shapes = [tuple(image.shape) for image in discriminator.inputs]
    logits = discriminator.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    logits = logits.get("logits") if isinstance(logits, dict) else logits
    if not isinstance(logits, tuple) or tuple(logits) != (None, 1):
        raise ValueError(
            f"discriminator's output is {logits}: it must be logits (None, 1), or a dict with them under 'logits'. "
            "End it with keras.layers.Dense(1)."
        )
    last = discriminator.layers[-1]
    if getattr(last, "activation", None) is keras.activations.sigmoid or isinstance(last, keras.layers.Softmax):
        raise ValueError("discriminator ends in a sigmoid: objectives take logits, so leave the activation out.")
    if not (hasattr(objective, "discriminator_loss") and hasattr(objective, "generator_loss")):
        raise ValueError(
            f"objective={objective!r}: give an objective such as tz.objectives.NonSaturating(), with its parentheses."
        )
    if isinstance(objective, type):
        raise ValueError(f"objective={objective.__name__} is a class: write {objective.__name__}(), with parentheses.")
    if isinstance(n_critic, bool) or not isinstance(n_critic, int) or n_critic < 1:
        raise ValueError(f"n_critic={n_critic!r}: the discriminator is updated a whole number of times, at least 1.")
    if not 0.0 <= ema_decay < 1.0:
        raise ValueError(f"ema_decay={ema_decay!r}: a decay lies in [0, 1); 0 keeps no average.")
