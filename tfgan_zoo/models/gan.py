"""Generative adversarial networks: two networks trained in alternation."""

import keras
import tensorflow as tf
from keras.optimizers import Adam

from tfgan_zoo import noise, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.base import GenerativeModel, dropout_states, frozen_call, with_loss_scale
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable


@serializable
class GAN(GenerativeModel):
    """Two networks trained in alternation, the generator averaged (Goodfellow et al. 2014, Algorithm 1).

    Args:
        generator: functional Keras model, latents (N, latent_dim) -> images (N, *image_shape).
        discriminator: functional Keras model, images -> logits (N, 1) without a sigmoid; or a dict with the head that
            the objective judges, "logits" or "energy" (N, 1), and others.
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
            augmentation(images, seed, step), such as `tz.augmentations.DiffAugment()`.
        historical_averaging: weight of |theta - mean of theta so far|^2 for both networks (Salimans et al. 2016,
            Sec. 3.3); 0 for none.
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
        simultaneous=False,
        ema_decay=0.999,
        augmentations=(),
        historical_averaging=0.0,
        generator_optimizer=None,
        discriminator_optimizer=None,
        seed=None,
        **keras_arguments,
    ):
        ema_decay = ema_decay or 0.0
        checks.networks(generator, discriminator)
        checks.objective(objective, discriminator)
        checks.penalties(penalties, discriminator)
        checks.numbers(n_critic, ema_decay, historical_averaging)
        checks.simultaneous(simultaneous, n_critic)
        super().__init__(seed=seed, **keras_arguments)
        self.generator = generator
        self.discriminator = discriminator
        self.objective = objective
        self.penalties = tuple(penalties)
        self.prior = Normal() if prior is None else prior
        self.n_critic = n_critic
        self.simultaneous = simultaneous
        self.ema_decay = ema_decay
        self.ema_network = averaged_copy(generator) if ema_decay else generator
        self.augmentations = tuple(augmentations)
        self.historical_averaging = historical_averaging
        networks = {"generator": generator, "discriminator": discriminator}
        self.past = {name: averaged_copy(network) for name, network in networks.items() if historical_averaging}
        self.state = {name: self._state_variable(name, value) for name, value in objective.initial_state().items()}
        self.default_optimizers = {
            "generator_optimizer": _config(generator_optimizer),
            "discriminator_optimizer": _config(discriminator_optimizer),
        }
        self.random_states = dropout_states(generator) + dropout_states(discriminator)  # so that Keras saves them
        self.built = True

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **keras_arguments):
        """Choose the optimizers; without arguments, those of the paper.

        Keras' own keywords clip gradients (`global_clipnorm=1.0`: of a whole network, after loss scaling is undone and
        replicas are summed) and accumulate them (`gradient_accumulation_steps=4`: batches that one device cannot hold;
        the average still moves at every step, and batch normalisation sees the small batches).

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
            checks.optimizer(optimizer, runtime.replicas())
            optimizer = with_loss_scale(optimizer, network)
            optimizer.build(network.trainable_variables)
            setattr(self, name, optimizer)
        super().compile(optimizer=self.generator_optimizer, **keras_arguments)

    def train_step(self, data):
        """One round of the game, and what follows from it."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        found = (self.together if self.simultaneous else self.in_turn)(images, labels)
        self.step.assign_add(1)
        self.update_averages()
        return self.track(found | self.update_state(found))

    def in_turn(self, images, labels):
        """Algorithm 1: n_critic updates of D on fresh slices of the batch, then one of G."""

        def update_critic(index):
            real, told = self.critic_batch(images, labels, index)
            fake, latents = self.synthesize(told, tf.shape(real)[0], index)
            return self.minimize(
                self.discriminator, self.discriminator_optimizer, self.critic_terms, real, fake, told, latents, index
            )

        found = self.repeated(update_critic, self.n_critic)
        real, told = self.critic_batch(images, labels, self.n_critic - 1)
        return found | self.minimize(self.generator, self.generator_optimizer, self.generator_terms, real, told)

    def together(self, images, labels):
        """One update of both, each on its gradient at the point where both stood."""
        real, told = self.critic_batch(images, labels, 0)
        players = [(self.discriminator, self.discriminator_optimizer), (self.generator, self.generator_optimizer)]
        return self.minimize_together(players, self.shared_terms, real, told)

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        real, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        told = self.condition(labels, tf.shape(real)[0])
        fake, latents = self.synthesize(told, tf.shape(real)[0], 0, purpose="test", advance=())
        real_heads, fake_heads = self.judge(real, told, advance=()), self.judge(fake, told, advance=())
        return self.track(
            {"discriminator_loss": self._discriminator_loss(real_heads, fake_heads)}
            | {"generator_loss": self._generator_loss(fake_heads, real_heads)}
            | self.auxiliary(real_heads, told)
            | self.auxiliary(fake_heads, told, latents)
        )

    # ---- what a family of GANs overrides ----------------------------------------------------------------------

    def condition(self, labels, count):
        """What is told about the images beside them, as a tuple of tensors with `count` rows; nothing here.

        Networks with an input for it are given it.
        """
        return ()

    def auxiliary(self, heads, told, latents=None):
        """What D is asked beside "is it real?": further losses and monitors on its heads, as a dict; nothing here.

        Args:
            heads: D's outputs by name.
            told: what `condition` says about the images.
            latents: from which they were generated; None for real images.
        """
        return {}

    def generator_auxiliary(self, heads, told, latents):
        """Further losses of G's own update, under names of their own; nothing here."""
        return {}

    # ---- the step's parts -------------------------------------------------------------------------------------

    def critic_batch(self, images, labels, index):
        """One of n_critic disjoint slices of the batch, with what its labels tell.

        Slices are strided, so that replicas slice alike. A last batch with fewer images than slices gives some of them
        twice.
        """
        first = index % tf.shape(images)[0]
        real = images[first :: self.n_critic]
        return real, self.condition(None if labels is None else labels[first :: self.n_critic], tf.shape(real)[0])

    def latents(self, purpose, count, index=0):
        """Latents for this replica's `count` images of this step."""
        seed = self.noise_seed(purpose, index)
        return noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), count)

    def synthesize(self, told, count, index, purpose="critic", advance=None):
        """Images for the discriminator, and their latents; G's batch moments advance in its own update only."""
        latents = self.latents(purpose, count, index)
        advance = self.random_states if advance is None else advance
        return frozen_call(self.generator, _inputs(self.generator, latents, told), advance), latents

    def augment(self, images, purpose, index=0):
        """What the discriminator sees of images."""
        for number, augmentation in enumerate(self.augmentations):
            images = augmentation(images, self.noise_seed(f"augment {purpose} {number}", index), self.step.value)
        return images

    def judge(self, images, told, advance=None):
        """D's heads as a dict; its state rests, but for dropout's."""
        inputs = _inputs(self.discriminator, images, told)
        return self._heads(frozen_call(self.discriminator, inputs, self.random_states if advance is None else advance))

    def critic_terms(self, real, fake, told, latents, index):
        """D's losses on one slice; its state advances here, on the real images, once an update."""
        real, fake = self.augment(real, "real", index), self.augment(fake, "fake", index)
        real_heads = self._heads(self.discriminator(_inputs(self.discriminator, real, told), training=True))
        return self._critic_losses(real, fake, real_heads, self.judge(fake, told), told, latents, index)

    def shared_terms(self, real, told):
        """D's losses and G's on the same generated images; the state of both advances as in updates of their own."""
        latents = self.latents("critic", tf.shape(real)[0])
        fake = self.generator(_inputs(self.generator, latents, told), training=True)
        real, fake = self.augment(real, "real"), self.augment(fake, "fake")
        real_heads = self._heads(self.discriminator(_inputs(self.discriminator, real, told), training=True))
        fake_heads = self.judge(fake, told)
        return [
            self._critic_losses(real, tf.stop_gradient(fake), real_heads, fake_heads, told, latents, 0),
            self._generator_losses(fake_heads, real_heads, told, latents),
        ]

    def _critic_losses(self, real, fake, real_heads, fake_heads, told, latents, index):
        found = {"discriminator_loss": self._discriminator_loss(real_heads, fake_heads)}
        for penalty in self.penalties:
            found[penalty.name] = self.penalize(penalty, real, fake, told, index)
        found |= self.auxiliary(real_heads, told) | self.auxiliary(fake_heads, told, latents)
        found |= self._from_past("discriminator")
        return found | self._means_of(real=real_heads, fake=fake_heads)

    def penalize(self, penalty, real, fake, told, index):
        """A penalty on D's gradient; one with `every` > 1 acts every so many steps, and then as much stronger."""

        def critic(images):
            return self.judge(images, told, advance=())[self.objective.head]

        def term():
            return penalty(critic, real, fake, seed=self.noise_seed(penalty.name, index))

        every = getattr(penalty, "every", 1)
        return term() if every == 1 else tf.cond(self.step % every == 0, lambda: every * term(), lambda: 0.0)

    def generator_terms(self, real, told):
        """G's losses on as many new latents as one slice has images."""
        latents = self.latents("generator", tf.shape(real)[0])
        fake = self.generator(_inputs(self.generator, latents, told), training=True)
        heads = self.judge(self.augment(fake, "generated"), told)
        real_heads = self.judge(self.augment(real, "compared"), told) if self.objective.needs_real else None
        return self._generator_losses(heads, real_heads, told, latents)

    def _generator_losses(self, heads, real_heads, told, latents):
        found = {"generator_loss": self._generator_loss(heads, real_heads)}
        found |= self.generator_auxiliary(heads, told, latents) | self._from_past("generator")
        return found | self._means_of(generated=heads)

    def update_averages(self):
        """Move the generator's average, and the plain means of both networks if historical averaging needs them."""
        self.update_ema(self.generator)
        for player, past in self.past.items():
            for mean, weight in zip(past.weights, getattr(self, player).weights, strict=True):
                mean.assign_add((weight - mean) / tf.cast(self.step + 1, weight.dtype))

    def update_state(self, found):
        """Let the objective's state follow the step's means, over all replicas; returns it for the logs."""
        if not self.state:
            return {}
        means = runtime.mean(tf.stack([found[name] for name in self._mean_names()]))
        state = self.objective.next_state({n: v.value for n, v in self.state.items()}, *tf.unstack(means))
        for name, value in state.items():
            self.state[name].assign(value)
        return state

    def _state_variable(self, name, value):
        initializer = keras.initializers.Constant(value)
        return self.add_weight(name=name, initializer=initializer, trainable=False, aggregation="only_first_replica")

    def _heads(self, outputs):
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    def _discriminator_loss(self, real_heads, fake_heads):
        state = ({name: value.value for name, value in self.state.items()},) if self.state else ()
        real, fake = (self._judged(heads[self.objective.head]) for heads in (real_heads, fake_heads))
        return self.objective.discriminator_loss(real, fake, *state)

    def _generator_loss(self, fake_heads, real_heads):
        head = self.objective.generator_head
        real = self._judged(real_heads[head]) if self.objective.needs_real else None
        return self.objective.generator_loss(self._judged(fake_heads[head]), real)

    def _judged(self, head):
        return runtime.all_gather(head) if self.objective.compares_images else head

    def _from_past(self, player):
        if not self.past:
            return {}
        pairs = zip(getattr(self, player).weights, self.past[player].weights, strict=True)
        distances = [tf.reduce_sum((w - tf.stop_gradient(mean)) ** 2) for w, mean in pairs if w.trainable]
        return {f"{player}_history": self.historical_averaging * tf.add_n(distances)}

    def _means_of(self, **heads):
        """What the objective's state follows; nothing for an objective without one."""
        names = {kind: f"{kind}_{self.objective.head}" for kind in heads if self.state}
        return {name: tf.reduce_mean(heads[kind][self.objective.head]) for kind, name in names.items()}

    def _mean_names(self):
        return tuple(f"{kind}_{self.objective.head}" for kind in ("real", "fake", "generated")) if self.state else ()

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def loss_names(self):
        """The two players' losses and the penalties'."""
        history = ("discriminator_history", "generator_history") if self.past else ()
        return ("discriminator_loss", "generator_loss", *(penalty.name for penalty in self.penalties), *history)

    def monitor_names(self):
        """The objective's state, and the means that it follows."""
        return (*self._mean_names(), *self.state)

    def check_images(self, images):
        """As for every model; and a batch must hold a slice for each critic step."""
        super().check_images(images)
        checks.slices(images, self.n_critic, runtime.replicas())

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        parts = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator", "discriminator", "objective", "prior")
        }
        lists = {
            name: [keras.saving.serialize_keras_object(one) for one in getattr(self, name)]
            for name in ("penalties", "augmentations")
        }
        numbers = {
            name: getattr(self, name) for name in ("n_critic", "simultaneous", "ema_decay", "historical_averaging")
        }
        return super().get_config() | parts | lists | numbers | self.default_optimizers

    def get_compile_config(self):
        """The two optimizers, for `keras.models.load_model`."""
        return {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator_optimizer", "discriminator_optimizer")
        }

    def compile_from_config(self, config):
        """Compile as `get_compile_config` described."""
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


def averaged_copy(network):
    """A copy of a network that starts with its weights and is never trained itself."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def _inputs(network, first, told):
    """What a network is given: what it is told too, if it has an input for it."""
    return [first, *told] if len(network.inputs) > 1 else first


def _config(optimizer):
    return keras.saving.serialize_keras_object(Adam(2e-4, beta_1=0.5) if optimizer is None else optimizer)
