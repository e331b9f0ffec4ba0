"""Who moves whom in an adversarial autoencoder and in a VAE/GAN; and codes that come to look like the prior."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, Gaussian
from tfgan_zoo.models.adversarial_autoencoder import VAEGAN, AdversarialAutoencoder
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.networks import mlp

SHAPE = (8, 8, 1)
IMAGES = np.tanh(np.random.default_rng(0).normal(size=(16, *SHAPE))).astype("float32")


def stepped(entry, **numbers):
    """Weights by network after one step of plain descent, from one start."""
    tz.runtime.seed_all(0)
    model = tz.create(entry, SHAPE, width=8, latent_dim=3, seed=0, **numbers)
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    model.train_on_batch(IMAGES)
    return {name: network.get_weights() for name, network in model.networks.items()}


def moved(one, other):
    """The networks that differ."""
    return {
        name
        for name in one
        if any(not np.allclose(a, b, atol=1e-7) for a, b in zip(one[name], other[name], strict=True))
    }


LEAST_SQUARES = tz.objectives.LeastSquares()


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"objective": LEAST_SQUARES}, {"encoder", "discriminator"}),
        ({"adversarial_weight": 3.0}, {"encoder"}),
        ({"likelihood": Gaussian(0.5)}, {"encoder", "decoder", "discriminator"}),  # which sees the codes that moved
    ],
)
def test_who_moves_whom_in_an_adversarial_autoencoder(change, moves):
    assert moved(stepped("adversarial_autoencoder"), stepped("adversarial_autoencoder", **change)) == moves


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"objective": LEAST_SQUARES}, {"decoder", "discriminator"}),  # no gradient of the game in the encoder
        ({"gamma": 0.1}, {"decoder"}),  # no reconstruction in the discriminator, none of the weight in the encoder
    ],
)
def test_who_moves_whom_in_a_vae_gan(change, moves):
    assert moved(stepped("vae_gan"), stepped("vae_gan", **change)) == moves


def test_the_decoders_loss_in_the_game_does_not_saturate():
    """Where D is sure of fakes, the decoder still has a gradient."""
    logits = tf.constant([[-20.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tz.create("vae_gan", SHAPE, width=4).adversary.loss_of_opponent({"logits": logits})
    assert float(tape.gradient(loss, logits)[0, 0]) == pytest.approx(-1.0, abs=1e-5)


def test_losses_by_hand_in_features():
    tz.runtime.seed_all(0)
    model = tz.create("vae_gan", SHAPE, width=8, latent_dim=3, seed=0, gamma=0.5)
    losses = {k: float(v) for k, v in model.batch_losses(tf.constant(IMAGES), None, training=False).items()}
    assert losses["decoder_feature_loss"] == pytest.approx(0.5 * losses["feature_loss"], rel=1e-5)
    mean, log_variance = np.split(np.asarray(model.encoder(IMAGES), "float64"), 2, -1)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(1).mean()
    assert losses["kl_loss"] == pytest.approx(kl, rel=1e-4)
    assert set(losses) == set(model.loss_names())


def test_codes_come_to_be_distributed_like_the_prior():
    """The codes of points far from the prior end near it, in mean, spread and shape."""
    keras.utils.set_random_seed(0)
    points = (2.0 + np.random.default_rng(0).uniform(-2, 2, (4000, 2)) * [1.0, 0.4]).astype("float32")
    model = AdversarialAutoencoder(
        networks.dense_encoder((2,), 2, 32),
        networks.dense_decoder((2,), 2, 32),
        mlp.discriminator((2,), 64),
        likelihood=Gaussian(0.3),
        objective=tz.objectives.NonSaturating(),
        adversarial_weight=3.0,
        seed=0,
    )

    def distance():
        """Maximum mean discrepancy with a kernel of width 1, of codes and the prior."""
        codes, prior = np.asarray(model.encode(points[:500])), np.asarray(model.draw_latents(500, 0))

        def kernel(a, b):
            return np.exp(-0.5 * ((a[:, None] - b[None]) ** 2).sum(-1)).mean()

        return kernel(codes, codes) + kernel(prior, prior) - 2 * kernel(codes, prior)

    before = distance()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, 1500)
    model.compile(keras.optimizers.Adam(rate, beta_1=0.5), steps_per_execution=50)
    data = tf.data.Dataset.from_tensor_slices(points).repeat().shuffle(4000, seed=0).batch(128)
    model.fit(data.take(1500), steps_per_epoch=1500, verbose=0)
    assert distance() < min(0.25 * before, 0.15)
    assert np.mean((np.asarray(model.reconstruct(points)) - points) ** 2) < 0.01


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: AdversarialAutoencoder(
                networks.dense_encoder(SHAPE, 3, 4),
                networks.dense_decoder(SHAPE, 3, 4),
                mlp.discriminator((2,), 4),
                likelihood=Bernoulli(),
                objective=tz.objectives.NonSaturating(),
            ),
            r"discriminator reads \(2,\), but codes are \(3,\)",
        ),
        (lambda: tz.create("adversarial_autoencoder", SHAPE, adversarial_weight=0.0), "adversarial_weight=0.0"),
        (lambda: tz.create("vae_gan", SHAPE, gamma=-1.0), "gamma=-1.0"),
        (
            lambda: VAEGAN(
                networks.dense_encoder(SHAPE, 6, 4),
                mlp.generator(SHAPE, 3, 4),
                mlp.discriminator(SHAPE, 4),
                objective=tz.objectives.NonSaturating(),
                likelihood=Gaussian(1.0),
            ),
            "discriminator gives no 'features'",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
