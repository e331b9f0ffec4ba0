"""Autoencoders with an adversary: over codes, whose distribution it holds to a prior; or over images."""

import keras
import tensorflow as tf
from keras import ops

from tfgan_zoo import noise
from tfgan_zoo.models import checks
from tfgan_zoo.models.adversary import Adversary, Opposed, with_condition
from tfgan_zoo.models.autoencoder import NormalCodes
from tfgan_zoo.models.optimisation import frozen_call
from tfgan_zoo.models.variational import GaussianPosterior, kl_divergence
from tfgan_zoo.priors import Normal
from tfgan_zoo.serialization import serializable


@serializable
class AdversarialAutoencoder(Opposed, NormalCodes):
    """An autoencoder whose codes a discriminator cannot tell from a prior (Makhzani et al. 2016, Sec. 2).

    A step has their two phases on one batch: reconstruction moves encoder and decoder; then the discriminator learns
    to tell codes (fake) from the prior (real), and the encoder to make it fail. The encoder's optimizer serves both
    phases, so that its moments are of both gradients.

    Args:
        encoder: functional Keras model, images [and condition] -> codes (N, latent_dim).
        decoder: functional Keras model, codes [and condition] -> parameters of the likelihood.
        discriminator: functional Keras model, codes -> logits (N, 1).
        likelihood: one of `tz.likelihoods`.
        objective: of the game over codes, one of `tz.objectives`.
        prior: what codes are to be distributed like; None for `Normal()`.
        adversarial_weight: of the encoder's loss in the game.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or the weight is not positive.
    """

    reconstructing = ("encoder", "decoder")  # the networks that the first phase moves

    def __init__(
        self, encoder, decoder, discriminator, *, likelihood, objective, prior=None, adversarial_weight=1.0, **model
    ):
        Adversary.check(discriminator, objective, ())
        read, codes = tuple(discriminator.inputs[0].shape[1:]), tuple(encoder.output.shape[1:])
        if read != codes:
            raise ValueError(f"discriminator reads {read}, but codes are {codes}: give both the same shape.")
        if not adversarial_weight > 0:
            raise ValueError(f"adversarial_weight={adversarial_weight}: give a positive one; 1 in the paper.")
        super().__init__(
            encoder,
            decoder,
            likelihood=likelihood,
            networks={"discriminator": discriminator} | model.pop("networks", {}),
            state=objective.initial_state(),
            **model,
        )
        self.prior = Normal() if prior is None else prior
        self.adversarial_weight = float(adversarial_weight)
        self.adversary = Adversary(discriminator, objective, owner=self)

    def loss_names(self):
        """The reconstruction's, and the two players' over codes."""
        return ("reconstruction_loss", "discriminator_loss", "encoder_loss")

    def train_step(self, data):
        """The two phases of Makhzani et al. 2016, Sec. 2."""
        images, condition = self.unpack(data)
        images = self.observed(images)
        results = self.minimize(self.reconstructing, lambda: self.reconstruction_losses(images, condition, True))
        codes = ops.stop_gradient(self.codes_at_rest(images, condition))
        prior = self.prior_codes(tf.shape(images)[0])
        results |= self.minimize("discriminator", lambda: self.critic_losses(prior, codes))
        results |= self.minimize("encoder", lambda: self.encoder_losses(prior, images, condition))
        return self.end_step(results)

    def batch_losses(self, images, condition, training):
        """All losses on a batch as they stand; `train_step` minimises them one after the other."""
        images = self.observed(images)
        prior = self.prior_codes(tf.shape(images)[0])
        codes = self.codes_at_rest(images, condition)
        real, fake = (self.adversary.discriminate(one, advance=()) for one in (prior, codes))
        return self.reconstruction_losses(images, condition, training) | {
            "discriminator_loss": self.adversary.loss(real, fake),
            "encoder_loss": self.adversarial_weight * self.adversary.loss_of_opponent(fake, real),
        }

    def reconstruction_losses(self, images, condition, training):
        """What encoder and decoder minimise together."""
        codes = self.passed("encoder", images, condition, training)
        nats = self.log_likelihood(images, codes, condition, self.passing(training))
        return {"reconstruction_loss": -ops.mean(nats)}

    def critic_losses(self, prior, codes):
        """What the discriminator minimises; codes of the prior are real."""
        return self.adversary.losses(prior, codes, self.adversary.learn(prior), self.adversary.discriminate(codes))

    def encoder_losses(self, prior, images, condition):
        """What the encoder minimises against the discriminator."""
        fake = self.adversary.discriminate(self.codes_at_rest(images, condition))
        real = self.adversary.discriminate(prior) if self.objective.needs_real else None
        loss = self.adversary.loss_of_opponent(fake, real)
        return {"encoder_loss": self.adversarial_weight * loss} | self.adversary.means(generated=fake)

    def codes_at_rest(self, images, condition):
        """Codes of images, differentiable; the encoder's state rests."""
        return frozen_call(self.encoder, with_condition(self.encoder, images, condition), self.random_states)

    def prior_codes(self, rows):
        """Codes of this step from the prior, this replica's rows."""
        seed = self.noise_seed("prior")
        return noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), rows)

    def get_config(self):
        """As for every autoencoder, with the game over codes."""
        return super().get_config() | self.config_of("objective", "prior", "adversarial_weight")


@serializable
class VAEGAN(Opposed, GaussianPosterior):
    """A VAE whose reconstructions are compared in a discriminator's features (Larsen et al. 2016, Algorithm 1).

    All three move at once, each on its own losses: the encoder on KL + |f(x) - f(x')|^2 / 2, without any gradient of
    the game; the decoder on gamma |f(x) - f(x')|^2 / 2 and its loss in the game, with reconstructions and images of
    the prior as fakes; the discriminator on its loss in the game alone.

    Args:
        encoder: functional Keras model, images [and condition] -> (N, 2 latent_dim): means, then log variances.
        decoder: functional Keras model, codes [and condition] -> images in [-1, 1].
        discriminator: functional Keras model, images -> {"logits" (N, 1), "features" (N, d)}.
        objective: of the game, one of `tz.objectives`.
        likelihood: that reads the decoder as images: `tz.likelihoods.Gaussian(1.0)`.
        gamma: weight of the features' error for the decoder.
        **model: as for `GenerativeModel`.

    Raises:
        ValueError: if the networks do not fit each other, or gamma is negative.
    """

    def __init__(self, encoder, decoder, discriminator, *, objective, likelihood, gamma=1e-3, **model):
        checks.networks(decoder, discriminator)
        Adversary.check(discriminator, objective, ())
        if "features" not in (discriminator.output if isinstance(discriminator.output, dict) else {}):
            raise ValueError(
                "discriminator gives no 'features': end it with networks.heads.discriminator(body, "
                "features=networks.heads.features)."
            )
        if not gamma >= 0:
            raise ValueError(f"gamma={gamma}: the weight of the features' error is not negative.")
        super().__init__(
            encoder,
            decoder,
            likelihood=likelihood,
            networks={"discriminator": discriminator},
            state=objective.initial_state(),
            **model,
        )
        self.gamma = float(gamma)
        self.adversary = Adversary(discriminator, objective, owner=self)

    @staticmethod
    def usual_optimizer():
        """Adam as Radford et al. 2016 have it."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def loss_names(self):
        """The encoder's two, the decoder's two, and the discriminator's."""
        return ("kl_loss", "feature_loss", "decoder_feature_loss", "generator_loss", "discriminator_loss")

    def train_step(self, data):
        """Larsen et al. 2016, Algorithm 1."""
        images, condition = self.unpack(data)
        players = ("encoder", "decoder", "discriminator")
        return self.end_step(self.minimize_each(players, lambda: self.players_losses(images, condition, True)))

    def batch_losses(self, images, condition, training):
        """All players' losses in one dict."""
        return {k: v for own in self.players_losses(images, condition, training).values() for k, v in own.items()}

    def players_losses(self, images, condition, training):
        """Player -> its losses, from one pass of every network for each kind of image."""
        posterior = self.posterior(images, condition, training)
        seed = self.noise_seed("prior")
        latents = noise.shared(lambda total: self.prior.sample(total, self.latent_dim, seed), tf.shape(images)[0])
        again = self.passed("decoder", self.drawn_codes(posterior), condition, training)
        made = frozen_call(self.decoder, with_condition(self.decoder, latents, condition), self.random_states)
        real = self.adversary.learn(images) if training else self.adversary.discriminate(images, advance=())
        fakes = [self.adversary.discriminate(one) for one in (again, made)]
        fake = {name: ops.concatenate([one[name] for one in fakes]) for name in fakes[0]}
        error = ops.mean(ops.sum((ops.stop_gradient(real["features"]) - fakes[0]["features"]) ** 2, axis=1)) / 2.0
        return {
            "encoder": {"kl_loss": ops.mean(kl_divergence(*posterior)), "feature_loss": error},
            "decoder": {
                "decoder_feature_loss": self.gamma * error,
                "generator_loss": self.adversary.loss_of_opponent(fake, real),
            }
            | self.adversary.means(generated=fake),
            "discriminator": {"discriminator_loss": self.adversary.loss(real, fake)}
            | self.adversary.means(real=real, fake=fake),
        }

    def get_config(self):
        """As for every autoencoder, with the game."""
        return super().get_config() | self.config_of("objective", "gamma")
