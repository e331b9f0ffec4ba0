"""Autoencoders against closed forms: PCA's subspace, the best denoiser's slope, moments of codes, penalties."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, Gaussian
from tfgan_zoo.models.autoencoder import Autoencoder
from tfgan_zoo.networks import autoencoder as networks

SHAPE = (4, 4, 1)
SQUARED = Gaussian(1.0)


def correlated(count=512, seed=0):
    """Small images with few strong directions, and their principal axes (16, 16)."""
    random = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(random.normal(size=(16, 16)))
    data = random.normal(size=(count, 16)) * np.array([0.25, 0.18] + [0.04] * 14) @ axes.T
    data -= data.mean(0)
    _, _, found = np.linalg.svd(data, full_matrices=False)
    return data.reshape(count, *SHAPE).astype("float32"), found


def small(latent_dim=2, depth=0, likelihood=SQUARED, **model):
    encoder = networks.dense_encoder(SHAPE, latent_dim, 16, depth)
    decoder = networks.dense_decoder(SHAPE, latent_dim, 16, depth)
    return Autoencoder(encoder, decoder, likelihood=likelihood, seed=0, **model)


def fit(model, images, steps, batch_size=512, optimizer=None):
    """So many steps in one epoch, twenty of them a call."""
    model.compile(keras.optimizers.Adam(0.02) if optimizer is None else optimizer, steps_per_execution=20)
    data = tf.data.Dataset.from_tensor_slices(images).repeat().shuffle(len(images), seed=0).batch(batch_size)
    return model.fit(data.take(steps), steps_per_epoch=steps, verbose=0).history


def test_a_linear_autoencoder_spans_pcas_subspace():
    keras.utils.set_random_seed(0)
    images, axes = correlated()
    model = small()
    fit(model, images, 500, optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.03, 500)))
    spanned, _ = np.linalg.qr(np.array(model.decoder.get_layer("parameters").kernel).T)
    cosines = np.linalg.svd(axes[:2] @ spanned, compute_uv=False)  # of principal angles
    np.testing.assert_allclose(cosines, 1, atol=1e-3)
    flat = images.reshape(-1, 16)
    best = np.mean((flat - flat @ axes[:2].T @ axes[:2]) ** 2)
    assert np.mean((np.asarray(model.reconstruct(images)) - images) ** 2) < 1.01 * best


@pytest.mark.parametrize("scale", [0.2, 0.6])
def test_the_best_denoiser_of_a_normal_has_the_closed_forms_slope(scale):
    """x ~ N(m, s^2) with noise sigma: r(x~) = m + s^2 / (s^2 + sigma^2) (x~ - m); (r - x~) / sigma^2 is a score."""
    keras.utils.set_random_seed(1)
    noise, mean = 0.3, 0.1
    points = (mean + scale * np.random.default_rng(0).normal(size=(20000, 2))).astype("float32")
    model = Autoencoder(
        networks.dense_encoder((2,), 2, 1, 0),
        networks.dense_decoder((2,), 2, 1, 0),
        likelihood=Gaussian(1.0),
        corruption=(tz.augmentations.InstanceNoise(noise, steps=None),),
        seed=0,
    )
    rate = keras.optimizers.schedules.CosineDecay(0.02, 600)
    fit(model, points, 600, batch_size=1000, optimizer=keras.optimizers.Adam(rate))
    at = np.float32([[0, 0], [1, 0], [0, 1]])
    answer = np.asarray(model.reconstruct(at))
    slope = scale**2 / (scale**2 + noise**2)
    np.testing.assert_allclose(answer[1:] - answer[0], slope * np.eye(2), atol=0.03)
    np.testing.assert_allclose(answer[0], (1 - slope) * mean, atol=0.02)
    score = -(at - mean) / (scale**2 + noise**2)
    np.testing.assert_allclose((answer - at) / noise**2, score, atol=0.35)


def test_it_generates_codes_with_the_moments_of_those_it_has_seen():
    images, _ = correlated()
    model = small()
    fit(model, images, 400, batch_size=128, optimizer=keras.optimizers.Adam(0.0))  # moments of one encoder
    codes = np.asarray(model.encode(images))
    np.testing.assert_allclose(model.state["code_mean"], codes.mean(0), atol=0.02)
    np.testing.assert_allclose(model.state["code_covariance"], np.cov(codes.T), rtol=0.15, atol=0.01)
    factor = np.array(model.state["code_factor"])
    np.testing.assert_allclose(factor @ factor.T, model.state["code_covariance"], rtol=1e-3)
    drawn = model.generate(3, seed=5)
    latents = np.asarray(model.draw_latents(3, 5))
    code = np.array(model.state["code_mean"]) + latents @ factor.T
    np.testing.assert_allclose(drawn, model.decode(code), atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_gated_layers_are_half_gates(kind):
    shape = (8, 8, 1)
    encoder = getattr(networks, f"{kind}_encoder")(shape, 3, 4, activation="glu")
    decoder = getattr(networks, f"{kind}_decoder")(shape, 3, 4, activation="glu")
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    assert decoder(encoder(images)).shape == (2, *shape)
    what, gate = [layer for layer in encoder.layers if layer.weights][:2]
    product = next(layer for layer in encoder.layers if isinstance(layer, keras.layers.Multiply))
    hidden = keras.Model(encoder.inputs, [product.output, *product.input])(images)
    seen = images.reshape(2, -1) if kind == "dense" else images
    plain = what(seen) if kind == "dense" else hidden[1]
    opened = 1 / (1 + np.exp(-np.asarray(seen @ gate.kernel + gate.bias))) if kind == "dense" else hidden[2]
    np.testing.assert_allclose(hidden[0], plain * opened, atol=1e-5)
    assert what.kernel.shape == gate.kernel.shape


def test_penalties_by_hand_and_contraction_as_the_jacobians_norm():
    encoder = networks.dense_encoder(SHAPE, 3, 4, 1, activation="tanh")
    images = tf.constant(correlated(64)[0])
    codes = encoder(images)
    found = tz.penalties.SparseCodes(0.5)(encoder, images, codes, seed=[0, 1])
    assert float(found) == pytest.approx(0.5 * np.abs(codes).sum(1).mean(), rel=1e-5)
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = encoder(images)
    jacobian = tape.batch_jacobian(out, images).numpy()
    exact = np.mean((jacobian.reshape(64, -1) ** 2).sum(1))
    estimates = [float(tz.penalties.Contractive(1.0)(encoder, images, codes, seed=[0, n])) for n in range(40)]
    assert np.mean(estimates) == pytest.approx(exact, rel=0.1)


def test_penalties_do_what_they_are_for():
    images, _ = correlated()

    def trained(**model):
        keras.utils.set_random_seed(2)
        one = small(latent_dim=8, depth=1, **model)
        history = fit(one, images, 160, batch_size=128, optimizer=keras.optimizers.Adam(0.01))
        return np.asarray(one.encode(images)), np.asarray(one.encode(images + 0.01)), history

    plain, moved, _ = trained()
    sparse, _, history = trained(penalties=(tz.penalties.SparseCodes(0.1),))
    assert np.abs(sparse).mean() < 0.3 * np.abs(plain).mean()
    assert "sparsity" in history
    contracted, contracted_moved, _ = trained(penalties=(tz.penalties.Contractive(0.1),))
    assert np.abs(contracted_moved - contracted).mean() < 0.5 * np.abs(moved - plain).mean()


def test_masking_hides_its_share_and_the_clean_image_is_asked_for():
    images = np.ones((200, 8, 8, 1), "float32")
    seen = tz.augmentations.Masking(0.25)(images, [0, 1], 0).numpy()
    assert set(np.unique(seen)) == {-1.0, 1.0}
    assert np.mean(seen == -1) == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(seen[:3], tz.augmentations.Masking(0.25)(images[:3], [0, 1], 0))
    with pytest.raises(ValueError, match="hides a share"):
        tz.augmentations.Masking(0.0)


def test_losses_sum_over_pixels():
    """Twice the pixels, twice the reconstruction loss."""
    images = np.zeros((4, *SHAPE), "float32")
    model = small(depth=0)
    single = model.batch_losses(tf.constant(images), None, False)["reconstruction_loss"]
    assert float(single) == pytest.approx(16 * 0.5 * np.log(2 * np.pi), rel=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("autoencoder", (28, 28, 1), latent_dim=0), "latent_dim=0: give a whole number"),
        (
            lambda: tz.create("autoencoder", (30, 30, 1)),
            r"autoencoder networks make square images .* nearest is 28 x 28",
        ),
        (lambda: tz.create("autoencoder", (28, 28, 1), corruption=(tz.augmentations.Masking,)), "with parentheses"),
        (lambda: small(likelihood=Gaussian()), r"decoder gives \(4, 4, 1\), but Gaussian .* needs \(4, 4, 2\)"),
        (lambda: small(likelihood=Bernoulli), "give one of tz.likelihoods"),
        (
            lambda: Autoencoder(
                networks.dense_encoder(SHAPE, 3, 4), networks.dense_decoder(SHAPE, 2, 4), likelihood=Gaussian(1.0)
            ),
            r"encoder gives \(3,\) numbers an image, but a decoder of codes \(2,\) needs \(2,\)",
        ),
        (lambda: Autoencoder(None, None, likelihood=Gaussian(1.0)), "encoder is NoneType"),
        (lambda: tz.layers.SharedScale(0.0), "initial=0.0: give a standard deviation"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_encode_on_a_model_that_has_none_is_no_verb():
    assert not hasattr(tz.create("dcgan", (8, 8, 1), width=4), "encode")
