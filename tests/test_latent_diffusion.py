"""Latent diffusion: what the codes are, who moves whom, and that with the identity it is diffusion of pixels."""

import keras
import numpy as np
import pytest

import tfgan_zoo as tz
from tfgan_zoo import schedules

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(24, 8, 8, 1))).astype("float32")


def small(**arguments):
    model = tz.create("latent_diffusion", (8, 8, 1), **{"width": 8, "autoencoder_width": 4, "seed": 0} | arguments)
    model.compile()
    return model


def identity(shape):
    seen = keras.Input(shape)
    return keras.Model(seen, keras.layers.Activation("linear")(seen))


def test_with_the_identity_it_is_the_diffusion_of_pixels():
    pixels = tz.create("diffusion", (8, 8, 1), width=4, seed=0, ema_half_life=None, ema_decay=0.0)
    shared = {name: getattr(pixels, name) for name in ("schedule", "prediction", "min_snr", "sampling")}
    latent = tz.LatentDiffusion(
        pixels.denoiser,
        identity((8, 8, 1)),
        identity((8, 8, 1)),
        likelihood=tz.likelihoods.Gaussian(1.0),
        learn_codes=False,
        ema_decay=0.0,
        seed=0,
        **shared,
    )
    loss = latent.batch_losses(IMAGES, None, training=False)["denoising_loss"]
    assert float(loss) == pytest.approx(float(pixels.batch_losses(IMAGES, None, training=False)["denoising_loss"]))
    found, wanted = latent.generate(2, seed=3), pixels.generate(2, seed=3, clip=False)
    np.testing.assert_allclose(found, np.clip(wanted, -1, 1), atol=1e-5)


def test_codes_have_mean_0_and_stddev_1_and_come_back():
    model = small(learning_rate=1e-3)
    model.fit(IMAGES, batch_size=24, epochs=1, verbose=0)
    codes = model.encoder(IMAGES).numpy()
    assert model.encode(IMAGES).shape == (24, 2, 2, 4)
    np.testing.assert_allclose(model.state["code_mean"], codes.mean((0, 1, 2)), atol=0.05)
    np.testing.assert_allclose(model.state["code_stddev"], codes.std((0, 1, 2)), rtol=0.1)
    inside = model.inference["decoder"](model.inference["encoder"](IMAGES)).numpy()
    np.testing.assert_allclose(model.reconstruct(IMAGES), np.clip(inside, -1, 1), atol=1e-5)


@pytest.mark.slow
def test_the_denoiser_does_not_move_the_codes_and_a_still_autoencoder_stands():
    alone, together = small(), small(learning_rate=1e-3)
    before = [np.array(weight) for weight in alone.encoder.weights]
    alone.learn_codes = False
    alone.compile()
    alone.fit(IMAGES, batch_size=12, verbose=0)
    for old, new in zip(before, alone.encoder.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    together.fit(IMAGES, batch_size=12, epochs=2, verbose=0)
    taken = small(autoencoder=together)
    assert taken.loss_names() == ("denoising_loss",)
    taken.fit(IMAGES, batch_size=12, epochs=2, verbose=0)
    np.testing.assert_allclose(taken.reconstruct(IMAGES), together.reconstruct(IMAGES), atol=1e-5)
    np.testing.assert_allclose(  # of a still encoder the first batch's moments stay
        taken.state["code_stddev"], np.asarray(taken.encoder(IMAGES)).std((0, 1, 2)), rtol=0.5
    )


@pytest.mark.slow
def test_flow_matching_in_codes_and_labels(tmp_path):
    straight = {"schedule": schedules.Straight(), "prediction": schedules.Flow(), "num_classes": 3}
    model = small(sampling=tz.samplers.Sampling("heun", 2), **straight)
    model.fit(IMAGES, np.arange(24) % 3, batch_size=12, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.generate(3, seed=0), model.generate(3, seed=0))
    assert not hasattr(model, "log_prob")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"autoencoder": 3}, "autoencoder is int: give a trained latent diffusion"),
        ({"code_noise": -1.0}, "code_noise=-1.0: give a standard deviation"),
    ],
)
def test_refuses_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        small(**arguments)


def test_networks_that_do_not_fit_and_sizes_that_do_not_divide():
    model = small()
    with pytest.raises(ValueError, match="image_shape=\\(16, 16, 1\\), but autoencoder is of images"):
        tz.create("latent_diffusion", (16, 16, 1), autoencoder=model)
    with pytest.raises(ValueError, match="nearest is 12 x 12"):
        tz.create("latent_diffusion", (13, 13, 1))
    numbers = {"schedule": model.schedule, "prediction": model.prediction, "likelihood": model.likelihood}
    with pytest.raises(ValueError, match="encoder gives \\(8, 8, 1\\)"):
        tz.LatentDiffusion(model.denoiser, identity((8, 8, 1)), model.decoder, **numbers)
