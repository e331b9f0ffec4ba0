"""Image to image between two domains that nobody has paired: CycleGAN."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary
from tfgan_zoo.models.optimisation import training_call
from tfgan_zoo.models.pool import ImagePool
from tfgan_zoo.models.translation import (
    AT_A_TIME,
    PairTranslator,
    absolute_error,
    check_networks,
    check_seen,
    check_weights,
    side_by_side,
)
from tfgan_zoo.serialization import serializable


@serializable
class CycleGAN(PairTranslator):
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
        check_networks(networks)
        for judge in (discriminator, inverse_discriminator):
            checks.objective(objective, judge)
        if objective.initial_state():
            raise ValueError(f"objective={objective!r} keeps a state, and there are two games: take LeastSquares().")
        check_weights(cycle_weight=cycle_weight, identity_weight=identity_weight)
        source_shape, image_shape = generator.inputs[0].shape[1:], generator.output_shape[1:]
        if (inverse.inputs[0].shape[1:], inverse.output_shape[1:]) != (image_shape, source_shape):
            raise ValueError(
                f"generator goes from {source_shape} to {image_shape}, and inverse from {inverse.inputs[0].shape[1:]} "
                f"to {inverse.output_shape[1:]}: it must go the other way."
            )
        check_seen(discriminator, (image_shape,))
        check_seen(inverse_discriminator, (source_shape,))
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
        parts = (images[at : at + AT_A_TIME] for at in range(0, len(images), AT_A_TIME))
        return np.concatenate([np.asarray(network(part, training=False)) for part in parts])

    def panels(self, sources, beside, seed=0):
        """Images of A, there and back again; and the same of others, B's (N, *image_shape)."""
        there, back = self.translate(sources), self.translate_back(beside)
        return {
            "A, as B, and back": side_by_side([sources, there, self.translate_back(there)], most=2),
            "B, as A, and back": side_by_side([beside, back, self.translate(back)], most=2),
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
