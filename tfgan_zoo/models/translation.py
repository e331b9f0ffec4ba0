"""Image to image: from pairs, from two domains that nobody has paired, and by what an image is told to become.

What these models draw begins with an image: `start` takes one of the few that training has kept, `draw` translates it.
`translate` takes images of one's own.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from tfgan_zoo import data, noise, pixels, runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.optimisation import frozen_call, training_call
from tfgan_zoo.models.pool import ImagePool
from tfgan_zoo.serialization import serializable

KEPT = 16  # images of the first batches, to look at while it trains and to draw from when nobody gives any
_BATCH = 64  # images translated at a time
_ROWS = 8  # images of a picture that shows each changed in every way


class Translator(GenerativeModel):
    """A model whose images are translations of others.

    It keeps the first images it is trained on, `KEPT` of them, which `generate` begins with: they are in what is saved
    and exported. Train it on a few that may be seen first, where the data is private.

    Args:
        networks: as for `GenerativeModel`.
        source_shape: (height, width, channels) of what is translated.
        kept: name -> shape of what is kept of the first images, "sources" and what stands beside them.
        state: as for `GenerativeModel`.
        **model: as for `GenerativeModel`.
    """

    def __init__(self, networks, *, source_shape, kept, state=None, **model):
        self._kept = tuple(kept)
        state = (state or {}) | {name: np.zeros((KEPT, *shape), "float32") for name, shape in kept.items()}
        super().__init__(networks, state=state, **model)
        self._source_shape = tuple(source_shape)

    @staticmethod
    def usual_optimizer():
        """Adam as all three papers have it but for the rate, which is that of Isola et al. 2017."""
        return Adam(2e-4, beta_1=0.5)

    @property
    def source_shape(self):
        """(height, width, channels) of what is translated."""
        return self._source_shape

    def keep(self, *rows):
        """Keep the first images that training sees, and what stands beside them."""
        for name, new in zip(self._kept, rows, strict=True):
            kept, new = self.state[name], runtime.all_gather(tf.cast(new, "float32"))
            more = tf.concat([new, kept.value], axis=0)[:KEPT]
            first = tf.cast(self.step.value, tf.int64) * tf.shape(new, tf.int64)[0] < KEPT
            kept.assign(tf.where(first, more, kept.value))

    # ---- drawing ----------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """Sources among those that training has kept, one after the other from one that the seed chooses."""
        first = tf.cast(noise.uniform((1,), noise.fold(seed, noise.purpose("first"))) * float(KEPT), tf.int32)
        sources = tf.gather(self.state["sources"].value, (first + tf.range(rows)) % KEPT)
        return {"sources": sources} | self.beside(rows, seed)

    def translate(self, images, condition=None, seed=0):
        """Translations of images.

        Args:
            images: (N, *source_shape) in [-1, 1]; image i's depends on it, and on (seed, i) where it is drawn at all.
            condition: what each is to become, as `condition` takes it, or names of classes; None for a model without.
            seed: integer >= 0.

        Returns:
            float32 (N, *image_shape), a NumPy array; a tensor for a tensor inside a graph.
        """
        if not tf.executing_eagerly():
            start = {"sources": images} | self._beside(tf.shape(images)[0], seed)
            return self.draw(**start) if condition is None else self.draw(**start, condition=condition)
        images = self._floats(images, self.source_shape)
        if self.condition is not None:
            condition = self.checked_condition(condition, len(images))
        elif condition is not None:
            raise ValueError(f"condition was given, but {self.name} is told nothing beside images: leave it out.")
        seed = checks.seed(np.asarray(seed).item() if tf.is_tensor(seed) else seed)
        rows = {"sources": images} | self._beside(len(images), seed)
        rows |= {} if condition is None else {"condition": condition}
        parts = range(0, len(images), _BATCH)
        cut = ({name: tf.constant(one[at : at + _BATCH]) for name, one in rows.items()} for at in parts)
        return np.concatenate([self._drawn(part, None) for part in cut])

    def _floats(self, images, shape):
        """Images as float32 (N, *shape) in [-1, 1], or a sentence about why they are none."""
        images = np.asarray(images)
        images = np.asarray(pixels.from_uint8(images)) if images.dtype == np.uint8 else images
        checks.images(tf.convert_to_tensor(images), self.name, shape, least=1)
        return images.astype("float32", copy=False)

    def beside(self, rows, seed):
        """What `start` draws beside sources, name -> tensor; nothing here."""
        return {}

    def _beside(self, count, seed):
        """The same for so many images of a seed, block by block."""

        def draw(name):
            return lambda block, first, rows: self.beside(rows, noise.block_seed(seed, block))[name]

        some = self.beside(1, noise.block_seed(0, 0))
        return {
            name: noise.in_blocks(count, draw(name), tf.TensorSpec((None, *one.shape[1:])))
            for name, one in some.items()
        }

    def preview(self, seed, num_images=None):
        """The `panels` of images that training has kept."""
        count = min(KEPT, num_images or KEPT)
        return self.panels(*(np.asarray(self.state[name].value)[:count] for name in self._kept), seed=seed)

    def panels(self, sources, beside, seed=0):
        """What to look at: images, and what becomes of them.

        Args:
            sources: (N, *source_shape) float32.
            beside: what stands beside them in a batch that `fit` takes, N of it.
            seed: integer >= 0.

        Returns:
            Dict caption -> (images, images in a row), as `preview` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no panels(sources, beside, seed).")

    # ---- what it is given -------------------------------------------------------------------------------------

    def check_images(self, images):
        """Raise unless sources are float32 (N >= 1, *source_shape), finite and in [-1, 1]."""
        checks.images(images, self.name, self.source_shape, least=1)


class _ByItself(Translator):
    """A translator that is told nothing: from sources to targets, or from one domain to another."""

    def check_labels(self, labels, count):
        """Raise unless the other images are there, as many and as they must be."""
        if labels is None:
            raise ValueError(f"{self.name} learns from two images at a time: {self.example}.")
        labels = tf.convert_to_tensor(labels)
        if labels.dtype == tf.uint8:
            labels = tf.cast(labels, tf.float32) / 127.5 - 1.0
        if len(labels.shape) != 4:
            raise ValueError(
                f"{self.name} learns from two images at a time, and beside images come {labels.dtype.name} "
                f"{tuple(labels.shape)}: {self.example}."
            )
        checks.images(labels, self.name, self.image_shape, least=1)
        if len(labels) != count:
            raise ValueError(f"There are {count} images and {len(labels)} others: {self.name} takes as many of both.")


@serializable
class Pix2Pix(_ByItself):
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
        _check_networks({"generator": generator, "discriminator": discriminator})
        checks.objective(objective, discriminator)
        _check_weights(l1_weight=l1_weight, adversarial_weight=adversarial_weight)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout={dropout!r}: the share of units that is dropped lies in [0, 1).")
        source_shape, image_shape = generator.inputs[0].shape[1:], generator.output_shape[1:]
        _check_seen(discriminator, (image_shape, source_shape))
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

    def update_state(self, results):
        """Let the objective's state follow the step's means; returns it for the logs."""
        state = self.adversary.next_state(results)
        for name, value in state.items():
            self.state[name].assign(value)
        return state

    @property
    def objective(self):
        """What the two minimise."""
        return self.adversary.objective

    def loss_names(self):
        """The two players' losses, and the absolute error, weighted."""
        return ("discriminator_loss", "generator_loss", "l1_loss")

    def monitor_names(self):
        """The objective's state, and the means that it follows."""
        return (*self.adversary.mean_names(), *self.objective.initial_state())

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
        return {"": _rows([sources, self.translate(sources, seed=seed), beside], most=4)}

    def source_of(self, images, labels):
        """A data source of arrays."""
        return data.Pairs(_to_uint8(images), _to_uint8(labels))

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        weights = ("l1_weight", "adversarial_weight", "discriminator_weight")
        return super().get_config() | self.config_of("objective", "dropout", *weights)


@serializable
class CycleGAN(_ByItself):
    """Two domains that nobody has paired: there and back again comes to where it began (Zhu et al. 2017, Eq. 3).

    Four networks, each with an optimizer of its own: of equal rates, that is one Adam for both generators and one for
    both discriminators. `translate` goes from A to B, `translate_back` from B to A.

    Args:
        generator: functional Keras model, images of A -> images like B's.
        inverse: images of B -> images like A's.
        discriminator: images of B -> logits of patches (N, h, w, 1), or (N, 1).
        inverse_discriminator: images of A -> the same.
        objective: what the players minimise.
        cycle_weight: lambda of both cycles; 10 in the paper.
        identity_weight: of |G(b) - b| and |F(a) - a|, a share of `cycle_weight`: 1/2 in the paper where colours are to
            stay. 0 for none, which A and B of unlike channels need.
        adversarial_weight: of G's losses in the game. The objective halves squares, as Mao et al. 2017 do, and the
            paper does not: hence 2.
        pool_size: earlier translations of each domain that its discriminator sees among new ones; 50 in the paper.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or a number is out of its range.
    """

    example = "give two domains, such as tz.data.load(tz.data.Unpaired(a, b)), or fit(a, b)"

    def __init__(
        self,
        generator,
        inverse,
        discriminator,
        inverse_discriminator,
        *,
        objective,
        cycle_weight=10.0,
        identity_weight=0.5,
        adversarial_weight=2.0,
        pool_size=50,
        **model,
    ):
        networks = {"generator": generator, "inverse": inverse}
        networks |= {"discriminator": discriminator, "inverse_discriminator": inverse_discriminator}
        _check_networks(networks)
        for judge in (discriminator, inverse_discriminator):
            checks.objective(objective, judge)
        if objective.initial_state():
            raise ValueError(f"objective={objective!r} keeps a state, and there are two games: take LeastSquares().")
        _check_weights(cycle_weight=cycle_weight, identity_weight=identity_weight)
        source_shape, image_shape = generator.inputs[0].shape[1:], generator.output_shape[1:]
        if (inverse.inputs[0].shape[1:], inverse.output_shape[1:]) != (image_shape, source_shape):
            raise ValueError(
                f"generator goes from {source_shape} to {image_shape}, and inverse from {inverse.inputs[0].shape[1:]} "
                f"to {inverse.output_shape[1:]}: it must go the other way."
            )
        _check_seen(discriminator, (image_shape,))
        _check_seen(inverse_discriminator, (source_shape,))
        if identity_weight and source_shape != image_shape:
            raise ValueError(
                f"identity_weight={identity_weight}, but one domain is {source_shape} and the other {image_shape}: an "
                "image of one cannot stay as it is in the other. Give identity_weight=0, or load both with channels=3."
            )
        super().__init__(
            networks,
            source_shape=source_shape,
            image_shape=image_shape,
            kept={"sources": source_shape, "others": image_shape},
            **{"averaged": ("generator", "inverse")} | model,
        )
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.adversarial_weight, self.pool_size = adversarial_weight, int(pool_size)
        self.pools = {
            name: ImagePool(self, name, pool_size, shape) for name, shape in (("a", source_shape), ("b", image_shape))
        }
        self.adversary = Adversary(discriminator, objective, owner=self)
        self.inverse_adversary = Adversary(inverse_discriminator, objective, owner=self, name="inverse_discriminator")

    # ---- learning ---------------------------------------------------------------------------------------------

    def train_step(self, data):
        """Zhu et al. 2017, Sec. 3 and 4: one update of both generators, then one of each discriminator."""
        a, b = self.unpack(data)
        made = {}

        def losses():
            made["a"], made["b"], results = self.generator_losses(a, b)
            return results

        results = self.minimize(("generator", "inverse"), losses)
        pooled = {name: self.pools[name].query(made[name], self.noise_seed(f"pool {name}")) for name in ("a", "b")}
        results |= self.minimize("discriminator", lambda: self.critic_losses(self.adversary, b, pooled["b"]))
        results |= self.minimize(
            "inverse_discriminator", lambda: self.critic_losses(self.inverse_adversary, a, pooled["a"])
        )
        self.keep(a, b)
        return self.end_step(results)

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        a, b = self.unpack(data)
        fake_a, fake_b, results = self.generator_losses(a, b)
        for adversary, real, fake in ((self.adversary, b, fake_b), (self.inverse_adversary, a, fake_a)):
            heads = (adversary.discriminate(images, advance=()) for images in (real, fake))
            results[f"{adversary.name}_loss"] = adversary.loss(*heads)
        return self.track(results)

    def unpack(self, data):
        """Images of A and of B, of one batch."""
        a, b, _ = keras.utils.unpack_x_y_sample_weight(data)
        return a, b

    def generator_losses(self, a, b):
        """Translations to A and to B, and what both generators minimise together.

        Args:
            a: (N, *source_shape).
            b: (N, *image_shape).

        Returns:
            (images like A's, images like B's, dict name -> scalar).
        """
        (fake_b, same_b), (fake_a, same_a) = self._both("generator", a, b), self._both("inverse", b, a)
        again_a, again_b = training_call(self.inverse, fake_b), training_call(self.generator, fake_a)
        games = ((self.adversary, fake_b, b), (self.inverse_adversary, fake_a, a))
        ours, theirs = (self._game(*game) for game in games)
        losses = {
            "generator_loss": self.adversarial_weight * ours,
            "inverse_loss": self.adversarial_weight * theirs,
            "cycle_loss": self.cycle_weight * absolute_error(a, again_a),
            "inverse_cycle_loss": self.cycle_weight * absolute_error(b, again_b),
        }
        if self.identity_weight:
            errors = absolute_error(b, same_b) + absolute_error(a, same_a)
            losses["identity_loss"] = self.cycle_weight * self.identity_weight * errors
        return fake_a, fake_b, losses

    def critic_losses(self, adversary, real, fake):
        """What one discriminator minimises on images and on translations of the other domain's."""
        return {f"{adversary.name}_loss": adversary.loss(adversary.learn(real), adversary.discriminate(fake))}

    def _both(self, name, images, others):
        """Translations of images, and of those that are in the other domain already (None if nobody asks)."""
        network = self.networks[name]
        if not self.identity_weight:
            return training_call(network, images), None
        both = training_call(network, tf.concat([images, others], axis=0))
        return tf.split(both, [tf.shape(images)[0], tf.shape(others)[0]])

    @staticmethod
    def _game(adversary, fake, real):
        real_heads = adversary.discriminate(real) if adversary.objective.needs_real else None
        return adversary.loss_of_opponent(adversary.discriminate(fake), real_heads)

    @property
    def objective(self):
        """What the players minimise."""
        return self.adversary.objective

    def loss_names(self):
        """The four players' losses, both cycles and the identity, weighted."""
        identity = ("identity_loss",) if self.identity_weight else ()
        games = ("generator_loss", "inverse_loss", "discriminator_loss", "inverse_discriminator_loss")
        return (*games, "cycle_loss", "inverse_cycle_loss", *identity)

    # ---- drawing ----------------------------------------------------------------------------------------------

    def draw(self, sources, condition=None):
        """Images like B's for images of A, by the averaged generator."""
        return self.inference["generator"](sources, training=False)

    def call(self, inputs, training=False):
        """Translations from A to B."""
        return self.inference["generator"](inputs, training=False)

    def translate_back(self, images):
        """Images like A's for images of B.

        Args:
            images: (N, *image_shape) in [-1, 1].

        Returns:
            float32 (N, *source_shape), a NumPy array; a tensor for a tensor inside a graph.
        """
        network = self.inference["inverse"]
        if not tf.executing_eagerly():
            return network(images, training=False)
        images = self._floats(images, self.image_shape)
        parts = (images[at : at + _BATCH] for at in range(0, len(images), _BATCH))
        return np.concatenate([np.asarray(network(part, training=False)) for part in parts])

    def panels(self, sources, beside, seed=0):
        """Images of A, there and back again; and the same of others, B's (N, *image_shape)."""
        there, back = self.translate(sources), self.translate_back(beside)
        return {
            "A, as B, and back": _rows([sources, there, self.translate_back(there)], most=2),
            "B, as A, and back": _rows([beside, back, self.translate(back)], most=2),
        }

    def endpoints(self):
        """The way back."""
        images = tf.TensorSpec((None, *self.image_shape), tf.float32, name="images")
        example = {"images": np.zeros((1, *self.image_shape), "float32")}
        return {"translate_back": (lambda images: {"images": self.translate_back(images)}, (images,), example)}

    def source_of(self, images, labels):
        """A data source of arrays."""
        return data.Unpaired(images, labels)

    def get_config(self):
        """Constructor arguments, networks and default optimizers included."""
        weights = ("cycle_weight", "identity_weight", "adversarial_weight")
        return super().get_config() | self.config_of("objective", "pool_size", *weights)


@serializable
class StarGAN(Translator):
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
        **model,
    ):
        _check_networks({"generator": generator, "discriminator": discriminator})
        checks.takes_labels("generator", generator)
        checks.head(discriminator, "classes", getattr(condition, "num_classes", None) or len(condition.names))
        Adversary.check(discriminator, objective, penalties)
        checks.numbers(n_critic, 0.0)
        _check_weights(class_weight=class_weight, reconstruction_weight=reconstruction_weight)
        shape = generator.output_shape[1:]
        if generator.inputs[0].shape[1:] != shape or generator.inputs[1].shape[1:] != condition.shape:
            came = [tuple(one.shape[1:]) for one in generator.inputs]
            raise ValueError(
                f"generator reads {came[0]} and {came[1]} and makes {shape}: it must make what it reads, and be told "
                f"{condition.name} {condition.shape}."
            )
        _check_seen(discriminator, (shape,))
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
        return {
            "generator_loss": self.adversary.loss_of_opponent(heads, real_heads),
            "generator_class_loss": self.class_weight * self.naming_loss(heads["classes"], asked),
            "reconstruction_loss": self.reconstruction_weight * absolute_error(real, again),
        } | self.adversary.means(generated=heads)

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

    def update_state(self, results):
        """Let the objective's state follow the step's means; returns it for the logs."""
        state = self.adversary.next_state(results)
        for name, value in state.items():
            self.state[name].assign(value)
        return state

    @property
    def objective(self):
        """What the two minimise."""
        return self.adversary.objective

    @property
    def penalties(self):
        """Terms of the discriminator's loss that need its gradient."""
        return self.adversary.penalties

    def loss_names(self):
        """The two players' losses, what D names, the way back, and the penalties'."""
        named = ("class_loss", "generator_class_loss", "reconstruction_loss")
        return ("discriminator_loss", "generator_loss", *named, *(penalty.name for penalty in self.penalties))

    def monitor_names(self):
        """The objective's state, and the means that it follows."""
        return (*self.adversary.mean_names(), *self.objective.initial_state())

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
        numbers = ("n_critic", "class_weight", "reconstruction_weight")
        return super().get_config() | self.config_of("condition", "objective", "penalties", *numbers)


def absolute_error(images, others):
    """Mean absolute difference of images, a scalar (Isola et al. 2017, Eq. 3)."""
    return ops.mean(ops.abs(ops.cast(images, "float32") - ops.cast(others, "float32")))


def _rows(shown, most):
    """Images side by side, and so many such groups in a row: (images, columns); grey ones become colour."""
    channels = max(one.shape[-1] for one in shown)
    alike = [np.broadcast_to(one, (*one.shape[:3], channels)) if one.shape[-1] == 1 else one for one in shown]
    together = np.stack(alike, axis=1)
    return together.reshape(-1, *together.shape[2:]), len(shown) * most


def _to_uint8(images):
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else np.asarray(pixels.to_uint8(images))


def _check_networks(networks):
    for role, network in networks.items():
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise ValueError(
                f"{role} is {type(network).__name__}: give a functional model, keras.Model(inputs, outputs)."
            )
        if len(network.inputs[0].shape) != 4:
            raise ValueError(f"{role} reads {tuple(network.inputs[0].shape)}: translators read images (N, H, W, C).")


def _check_seen(discriminator, shapes):
    read = [tuple(one.shape[1:]) for one in discriminator.inputs]
    if read != [tuple(shape) for shape in shapes]:
        wanted = " and ".join(map(str, shapes))
        raise ValueError(f"discriminator reads {' and '.join(map(str, read))}: it must read {wanted}.")


def _check_weights(**weights):
    for name, weight in weights.items():
        if not weight >= 0.0:
            raise ValueError(f"{name}={weight!r}: a weight is not negative.")
