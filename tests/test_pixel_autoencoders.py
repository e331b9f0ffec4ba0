"""A PixelCNN told a code: causal given it, a PixelCNN without it; its bound, who moves whom, and how it is drawn."""

import itertools
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, DiscretizedLogisticMixture, Gaussian
from tfgan_zoo.models.autoregressive import PixelCNN
from tfgan_zoo.models.pixel_autoencoders import PixelVAE
from tfgan_zoo.models.raster import Raster
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.networks.pixelcnn import gated

SHAPE = (8, 8, 1)
IMAGES = np.tanh(np.random.default_rng(0).normal(size=(12, *SHAPE))).astype("float32")


def shaken(*parts):
    """Networks with weights that matter."""
    rng = np.random.default_rng(0)
    for network in parts:
        network.set_weights([one + 0.2 * rng.normal(size=one.shape) for one in network.get_weights()])


def small(name="pixelvae", shape=SHAPE, **numbers):
    tz.runtime.seed_all(0)
    numbers = {"width": 4, "maps": 3, "latent_dim": 2, "convolutional": False, "seed": 0} | numbers
    model = tz.create(name, image_shape=shape, **numbers)
    shaken(*model.networks.values())
    model.decoder.set_weights([one / 2 for one in model.decoder.get_weights()])  # or gates would be shut
    return model


def all_binary(height, width):
    bits = itertools.product((-1.0, 1.0), repeat=height * width)
    return np.array(list(bits), "float32").reshape(-1, height, width, 1)


def test_with_its_code_ignored_it_is_a_pixelcnn():
    """Where the PixelCNN is told zeros and the posterior is the prior, the bound is log p(x), whatever is drawn."""
    model = small("pixelvae", likelihood=DiscretizedLogisticMixture(2))
    for network in (model.encoder, model.decoder):
        network.set_weights([np.zeros_like(one) for one in network.get_weights()])
    alone = PixelCNN(gated(SHAPE, 6, 4, 2), likelihood=DiscretizedLogisticMixture(2))
    of = model.pixelcnn.weights
    for weight, own in zip(alone.network.weights, of, strict=False):
        weight.assign(own)
    assert [one.shape for one in of[len(alone.network.weights) :]] == 2 * [(3, 16)]  # what is left reads the code
    for samples in (1, 7):
        np.testing.assert_allclose(model.log_prob(IMAGES, 3, samples), alone.log_prob(IMAGES), rtol=1e-5)
    fractions = np.random.default_rng(1).uniform(size=IMAGES.shape).astype("float32")
    drawn = model.draw(np.ones((12, 2), "float32"), fractions)
    np.testing.assert_allclose(drawn, alone.draw(fractions), atol=1e-5)


@pytest.mark.parametrize("everywhere", [False, True])
def test_given_the_code_every_earlier_value_reaches_and_no_later_one(everywhere):
    model = small(shape=(4, 5, 3), width=8, likelihood=Bernoulli(), depth=5, everywhere=everywhere)
    rng = np.random.default_rng(1)
    images = tf.constant(rng.uniform(-1, 1, (8, 4, 5, 3)).astype("float32"))
    codes = tf.constant(rng.normal(size=(8, 2)).astype("float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([images, codes])
        parameters = tf.reshape(model.pixelcnn([images, model.decoder(codes)]), (8, -1))
    of_images, of_codes = (np.abs(tape.batch_jacobian(parameters, one)).sum(0) for one in (images, codes))
    jacobian = of_images.reshape(60, 60)
    assert (jacobian[np.triu_indices(60)] == 0).all()
    assert (jacobian[np.tril_indices(60, -1)] > 0).all()
    assert (of_codes > 0).all()  # the code reaches all, from the first on


def one_latent():
    """2 x 2 black and white images of one latent, whose likelihood is a sum over a line."""
    tz.runtime.seed_all(0)
    encoder, decoder = networks.dense_encoder((2, 2, 1), 2, 3), networks.dense_decoder((2, 2, 3), 1, 3)
    pixelcnn = gated((2, 2, 1), 1, 4, 2, told=(2, 2, 3))
    shaken(encoder, decoder, pixelcnn)
    encoder.set_weights([0.3 * one for one in encoder.get_weights()])  # a posterior wide enough to draw from
    return PixelVAE(encoder, decoder, pixelcnn, likelihood=Bernoulli(), seed=0)


def test_the_bound_is_below_what_can_be_summed_and_reaches_it():
    model, images = one_latent(), all_binary(2, 2)
    line = np.linspace(-7, 7, 701).astype("float32")
    weights = np.exp(-(line.astype("float64") ** 2) / 2) / math.sqrt(2 * math.pi) * (line[1] - line[0])
    told = model.decoder(line[:, None])
    exact = []
    for image in images:
        many = tf.repeat(image[None], len(line), axis=0)
        nats = np.asarray(Bernoulli().log_prob(many[..., None], model.pixelcnn([many, told])))
        exact.append((np.exp(nats.astype("float64")) * weights).sum())
    assert sum(exact) == pytest.approx(1.0, abs=1e-4)
    many = np.repeat(images, 160, axis=0)
    gaps = [np.log(exact) - np.reshape(model.log_prob(many, 0, k), (16, 160)).mean(1) for k in (1, 10, 300)]
    assert (gaps[0] > -0.05).all()
    assert gaps[0].mean() > gaps[1].mean() > gaps[2].mean() > -0.01
    np.testing.assert_allclose(gaps[2], 0.0, atol=0.03)
    assert model.is_bound
    assert model.likelihood_protocol == {"samples": 100, **Bernoulli().protocol}


def test_images_of_one_code_come_as_often_as_their_probability_says():
    model, images, count = one_latent(), all_binary(2, 2), 20_000
    code = np.array([[0.7]], "float32")
    fractions = np.random.default_rng(0).uniform(size=(count, 2, 2, 1)).astype("float32")
    draws = np.asarray(model.draw(np.repeat(code, count, axis=0), fractions)).reshape(-1, 4)
    shares = np.bincount((draws > 0) @ np.array([8, 4, 2, 1]), minlength=16) / count
    told = tf.repeat(model.decoder(code), 16, axis=0)
    expected = np.exp(np.asarray(Bernoulli().log_prob(images[..., None], model.pixelcnn([tf.constant(images), told]))))
    np.testing.assert_allclose(shares, expected, atol=5 * math.sqrt(0.25 / count))


@pytest.mark.parametrize(("everywhere", "channels"), [(False, 3), (True, 1)])
def test_sampling_by_cache_is_naive_sampling(everywhere, channels):
    model = small(shape=(3, 4, channels), likelihood=DiscretizedLogisticMixture(2), everywhere=everywhere)
    start = model.start(5, [1, 2])
    drawing, told = Raster(model.pixelcnn, model.likelihood), model.decoder(start["latents"])
    cached, naive = (way(start["fractions"], told) for way in (drawing.by_cache, drawing.naively))
    np.testing.assert_allclose(cached, naive, atol=1e-6)
    np.testing.assert_allclose(model.draw(**start), cached, atol=1e-6)
    assert np.std(cached) > 0.1


def test_without_fractions_images_differ_by_their_latents_alone():
    model = small(shape=(4, 4, 1), likelihood=DiscretizedLogisticMixture(2))
    same = np.asarray(model.draw(np.ones((3, 2), "float32")))
    np.testing.assert_allclose(same, same[[0, 0, 0]], atol=1e-6)
    images = IMAGES[:, :4, :4]
    medians = np.asarray(model.reconstruct(images))
    np.testing.assert_allclose(
        medians, model.draw(model.encode(images), np.full(images.shape, 0.5, "float32")), atol=1e-6
    )
    latents, fractions = model.start(200, [0, 1]).values()
    again = model.start(7, [0, 1])
    np.testing.assert_array_equal(again["latents"], latents[:7])
    np.testing.assert_array_equal(again["fractions"], fractions[:7])
    below = 0.5 * (1 + np.vectorize(math.erf)(np.asarray(latents)[:, 0] / math.sqrt(2)))
    assert abs(np.corrcoef(below, np.asarray(fractions)[:, 0, 0, 0])[0, 1]) < 0.3  # one does not tell of the other


def stepped(**change):
    """Weights by network after one step of plain descent, from one start."""
    tz.runtime.seed_all(0)
    numbers = {"width": 4, "maps": 3, "latent_dim": 2, "likelihood": Gaussian(1.0), "seed": 0} | change
    model = tz.create("pixelgan_autoencoder", SHAPE, **numbers)
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    model.train_on_batch(IMAGES)
    return {name: network.get_weights() for name, network in model.networks.items()}


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"objective": tz.objectives.LeastSquares()}, {"encoder", "discriminator"}),
        ({"adversarial_weight": 30.0}, {"encoder"}),
        (
            {"likelihood": Gaussian(0.5)},
            {"encoder", "decoder", "pixelcnn", "discriminator"},  # which sees the codes that moved
        ),
    ],
)
def test_who_moves_whom_in_a_pixelgan_autoencoder(change, moves):
    one, other = stepped(), stepped(**change)
    differ = {
        name
        for name in one
        if any(not np.allclose(a, b, atol=1e-7) for a, b in zip(one[name], other[name], strict=True))
    }
    assert differ == moves


@pytest.mark.parametrize("name", [pytest.param("pixelvae", marks=pytest.mark.slow), "pixelgan_autoencoder"])
def test_learned_saved_resumed_and_served(name, tmp_path):
    """Both are saved with all three networks, go on as they were, and are served with all that images start from."""
    model = tz.create(name, (4, 4, 1), width=4, maps=3, latent_dim=2, convolutional=False, seed=0)
    model.compile(run_eagerly=True)
    images = IMAGES[:, :4, :4]
    before = [np.array(weight) for weight in model.weights]
    assert np.isfinite(model.train_on_batch(images, return_dict=True)["loss"])
    rest = [w.path for w, old in zip(model.weights, before, strict=True) if np.array_equal(np.array(w), old)]
    assert rest == [path for path in rest if path.endswith("beta")]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    loaded.run_eagerly = True
    again = [one.train_on_batch(images, return_dict=True) for one in (model, loaded)]
    assert again[0] == again[1]
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))
    latents = model.draw_latents(300, 4)
    np.testing.assert_array_equal(model.start(3, tz.noise.block_seed(4, 0))["latents"], latents[:3])
    card = tz.export(model, tmp_path / "out", formats=("saved_model", "tflite") if name == "pixelvae" else ("tflite",))
    if name == "pixelvae":
        signatures = {"encode", "decode", "reconstruct", "interpolate", "sample", "log_prob"}
        assert signatures <= set(card["formats"]["saved_model"]["signatures"])
    wanted = model.generate(260, seed=1)
    for format in card["formats"]:
        served = tz.load_exported(tmp_path / "out", format=format)
        np.testing.assert_allclose(served.generate(260, seed=1)[250:], wanted[250:], atol=1e-4)
        np.testing.assert_allclose(served(latents[:3]), model.draw(latents[:3]), atol=1e-4)
    fractions = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype("float32")
    own = served(latents[:3], beside={"fractions": fractions})
    np.testing.assert_allclose(own, model.draw(latents[:3], fractions), atol=1e-4)
    with pytest.raises(ValueError, match=r"beside has .*give numbers from 0 to 1"):
        served(latents[:2], beside={"fractions": fractions})


def parts(**change):
    given = {
        "encoder": networks.dense_encoder(SHAPE, 4, 3),
        "decoder": networks.dense_decoder((8, 8, 3), 2, 3),
        "pixelcnn": gated(SHAPE, 1, 4, told=(8, 8, 3)),
        "likelihood": Bernoulli(),
    }
    return given | change


def with_moments():
    images, told = keras.Input(SHAPE), keras.Input((8, 8, 3))
    mixed = keras.layers.BatchNormalization()(keras.layers.Concatenate()([images, told])[..., :1])
    return keras.Model([images, told], mixed[..., None])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("pixelvae", (2,)), "a PixelCNN orders pixels; for points take 'vae'"),
        (lambda: tz.create("pixelgan_autoencoder", (2,)), "a PixelCNN orders pixels; for points take 'vae'"),
        (lambda: tz.create("pixelgan_autoencoder", SHAPE, adversarial_weight=0.0), "adversarial_weight=0.0"),
        (lambda: tz.create("pixelvae", SHAPE, latent_dim=0), "latent_dim=0"),
        (
            lambda: PixelVAE(**parts(decoder=networks.dense_decoder((8, 8, 2), 2, 3))),
            r"decoder gives \(8, 8, 2\), but pixelcnn is told \(8, 8, 3\)",
        ),
        (lambda: PixelVAE(**parts(pixelcnn=gated(SHAPE, 1, 4))), "but pixelcnn is told nothing"),
        (
            lambda: PixelVAE(**parts(pixelcnn=gated((4, 4, 1), 1, 4, told=(4, 4, 3)))),
            r"pixelcnn reads images \(4, 4, 1\), but encoder \(8, 8, 1\)",
        ),
        (lambda: PixelVAE(**parts(pixelcnn=with_moments())), "pixelcnn holds a BatchNormalization"),
        (lambda: PixelVAE(**parts(likelihood=DiscretizedLogisticMixture(2))), "needs likelihood.channels"),
        (lambda: PixelVAE(**parts(encoder=networks.dense_encoder(SHAPE, 3, 3))), "encoder gives"),
        (lambda: gated(SHAPE, 1, 4, told=(7, 8, 3)), r"told=\(7, 8, 3\): give \(8, 8, 3\) for maps"),
        (lambda: gated(SHAPE, 1, 4, num_classes=3, told=(3,)), "num_classes=3, told=3"),
        (lambda: tz.latents.invert(small(), IMAGES), "draws levels, through which no gradient goes back"),
        (
            lambda: small(likelihood=Bernoulli(binarise=False)).check_images(tf.zeros((2, *SHAPE))),
            r"images are grey.*dynamic.*static",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
