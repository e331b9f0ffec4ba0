"""Variational autoencoders against probabilistic PCA, against themselves, and against what one must not do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian
from tfgan_zoo.models import variational
from tfgan_zoo.models.variational import VAE
from tfgan_zoo.networks import autoencoder as networks

SHAPE, D, Q = (6,), 6, 2  # a row of numbers, without bounds as points are
DIGITS = (8, 8, 1)


def fit(model, images, steps, batch_size, optimizer=None, labels=None):
    """So many steps in one epoch, fifty of them a call."""
    model.compile(*([] if optimizer is None else [optimizer]), steps_per_execution=50)
    data = tf.data.Dataset.from_tensor_slices(images if labels is None else (images, labels))
    data = data.repeat().shuffle(len(images), seed=0).batch(batch_size)
    return model.fit(data.take(steps), steps_per_epoch=steps, verbose=0).history


class PCA:
    """Probabilistic PCA of Gaussian data in closed form: Tipping & Bishop 1999, Eq. 7, 8 and App. A."""

    def __init__(self, seed=0, count=2000):
        random = np.random.default_rng(seed)
        mixing = random.normal(size=(D, D)) * np.array([1.0, 0.7, 0.2, 0.16, 0.12, 0.1])
        self.data = (random.normal(size=(count, D)) @ mixing.T + random.normal(size=D)).astype("float32")
        self.mean = self.data.mean(0)
        self.S = np.cov(self.data.T, bias=True)
        values, vectors = np.linalg.eigh(self.S)
        values, vectors = values[::-1], vectors[:, ::-1]
        self.noise = values[Q:].mean()
        self.W = vectors[:, :Q] * np.sqrt(values[:Q] - self.noise)
        self.C = self.W @ self.W.T + self.noise * np.eye(D)
        self.M = self.W.T @ self.W + self.noise * np.eye(Q)
        log_det = np.linalg.slogdet(self.C)[1]
        self.best = -0.5 * (D * np.log(2 * np.pi) + log_det + np.trace(np.linalg.solve(self.C, self.S)))
        centred = self.data - self.mean
        quadratic = (centred @ np.linalg.inv(self.C) * centred).sum(1)
        self.log_p = -0.5 * (D * np.log(2 * np.pi) + log_det + quadratic)

    @property
    def images(self):
        return self.data.reshape(-1, *SHAPE)


@pytest.fixture(scope="module")
def pca():
    return PCA()


def linear(**model):
    encoder = networks.dense_encoder(SHAPE, 2 * Q, 1, 0)
    decoder = networks.with_shared_scale(networks.dense_decoder(SHAPE, Q, 1, 0))
    return VAE(encoder, decoder, likelihood=Gaussian(), seed=0, **model)


def with_weights(pca, exact):
    """The linear VAE with PCA's decoder; its posterior is the true one, or a poor one."""
    model = linear()
    gain = np.linalg.solve(pca.M, pca.W.T)
    spread = np.linalg.inv(pca.M) * pca.noise
    rotation = np.linalg.eigh(spread)[1]  # of codes, so that the true posterior has no correlations
    decode, codes = model.decoder.get_layer("parameters"), model.encoder.get_layer("codes")
    decode.kernel.assign((pca.W @ rotation).T)
    decode.bias.assign(pca.mean)
    model.decoder.layers[-1].log_scale.assign(0.5 * np.log(pca.noise))
    gain = rotation.T @ gain
    variance = np.diag(rotation.T @ spread @ rotation) * (1.0 if exact else 2.0)
    codes.kernel.assign(np.concatenate([gain.T, np.zeros((D, Q))], 1))
    shift = 0.0 if exact else 0.5 * np.sqrt(variance)
    codes.bias.assign(np.concatenate([shift - gain @ pca.mean, np.log(variance)]))
    return model


def test_with_the_true_posterior_every_bound_is_log_p(pca):
    model = with_weights(pca, exact=True)
    for count in (1, 5, 50):
        found = model.log_prob(pca.images[:300], seed=count, num_samples=count)
        np.testing.assert_allclose(found, pca.log_p[:300], atol=2e-3)
    elbo = model.batch_losses(tf.constant(pca.images), None, training=False)["negative_elbo"]
    assert -float(elbo) == pytest.approx(pca.best, abs=0.02)


def test_bounds_rise_with_samples_and_stay_below_log_p(pca):
    model = with_weights(pca, exact=False)
    bounds = [np.mean(model.log_prob(pca.images, seed=0, num_samples=count)) for count in (1, 5, 50, 500)]
    assert bounds[0] < bounds[1] < bounds[2] < bounds[3] <= pca.log_p.mean() + 0.01
    assert bounds[3] == pytest.approx(pca.log_p.mean(), abs=0.02)
    elbo = float(model.batch_losses(tf.constant(pca.images), None, training=False)["negative_elbo"])
    assert bounds[0] == pytest.approx(-elbo, abs=0.1)  # one sample is the ELBO


def test_training_reaches_probabilistic_pca(pca):
    keras.utils.set_random_seed(0)
    model = linear()
    rate = keras.optimizers.schedules.CosineDecay(0.03, 1500)
    fit(model, pca.images, 1500, 250, keras.optimizers.Adam(rate))
    elbo = -np.mean([float(model.batch_losses(tf.constant(pca.images), None, False)["negative_elbo"])])
    assert elbo == pytest.approx(pca.best, abs=0.06)
    kernel = np.array(model.decoder.get_layer("parameters").kernel).T
    cosines = np.linalg.svd(np.linalg.qr(kernel)[0].T @ np.linalg.qr(pca.W)[0], compute_uv=False)
    np.testing.assert_allclose(cosines, 1, atol=5e-3)
    assert np.exp(2 * float(model.decoder.layers[-1].log_scale)) == pytest.approx(pca.noise, rel=0.1)


def test_kl_is_the_closed_form_and_monte_carlos():
    random = np.random.default_rng(0)
    mean, log_variance = random.normal(size=(2, 5, 3)).astype("float32")
    found = variational.kl_divergence(mean, log_variance)
    drawn = mean + np.exp(log_variance / 2) * random.normal(size=(200000, 5, 3))
    ratio = (drawn**2 - (drawn - mean) ** 2 / np.exp(log_variance) - log_variance) / 2
    np.testing.assert_allclose(found, ratio.sum(-1).mean(0), rtol=0.02)
    assert float(variational.kl_divergence(np.zeros((1, 4), "float32"), np.zeros((1, 4), "float32"))[0]) == 0


def test_posteriors_are_finite_at_any_output_and_have_their_standard_deviation():
    """Exp of a log variance, not of its half; nothing overflows."""
    mean, log_variance = variational.halves(np.array([[1e4, -1e4, 1e4, -1e4]], "float32"))
    assert np.isfinite(variational.kl_divergence(mean, log_variance)).all()
    model = with_weights(PCA(), exact=True)
    images = tf.constant(np.zeros((4, *SHAPE), "float32"))
    log_variance = model.posterior(images, None, False)[1]
    drawn = model.normal_rows(4000, (Q,), "codes")
    np.testing.assert_allclose(np.std(np.exp(log_variance[0] / 2) * drawn, 0), np.exp(log_variance[0] / 2), rtol=0.05)


def test_twice_the_pixels_double_the_reconstruction_and_not_the_kl():
    """Twice the pixels, twice the loss."""

    def losses(shape):
        keras.utils.set_random_seed(0)
        model = tz.create("vae", shape, width=4, seed=0, latent_dim=3, likelihood=Bernoulli(binarise=False))
        for network in (model.encoder, model.decoder):
            for weight in network.weights:
                weight.assign(weight * 0)
        return model.batch_losses(tf.zeros((4, *shape)), None, False)

    one, two = losses((4, 4, 1)), losses((8, 4, 1))
    assert float(two["reconstruction_loss"]) == pytest.approx(2 * float(one["reconstruction_loss"]))
    assert float(one["reconstruction_loss"]) == pytest.approx(16 * np.log(2), rel=1e-6)
    assert float(one["kl"]) == float(two["kl"]) == 0


def test_the_kls_weight_rises_is_saved_and_acts_in_a_step_that_is_traced(tmp_path):
    images = np.asarray(tz.pixels.from_uint8(tz.data.arrays("digits", "train")[0][:64]))
    model = tz.create("vae", DIGITS, width=4, seed=0, beta=2.0, warmup_steps=8)
    model.compile()
    losses = model.fit(images, batch_size=16, epochs=1, verbose=0).history  # 4 steps
    assert float(model.state["beta"]) == pytest.approx(1.0)
    assert losses["beta"][0] == pytest.approx(np.mean([0, 0.25, 0.5, 0.75]))
    model.save(tmp_path / "vae.keras")
    loaded = keras.models.load_model(tmp_path / "vae.keras")
    assert float(loaded.state["beta"]) == pytest.approx(1.0)
    for epoch, beta in ((1, 2.0), (2, 2.0)):
        history = loaded.fit(images, batch_size=16, epochs=1, verbose=0).history
        assert float(loaded.state["beta"]) == pytest.approx(beta), epoch
    loaded.state["beta"].assign(7.0)  # the step is traced already
    loaded.warmup_steps = 0
    kl = loaded.test_on_batch(images[:16], return_dict=True)
    assert kl["kl_loss"] == pytest.approx(7.0 * kl["kl"], rel=1e-4)
    assert history["kl_loss"][0] == pytest.approx(2.0 * history["kl"][0], rel=1e-4)


def test_beta_1_is_the_vae_and_a_large_beta_silences_units():
    images = np.asarray(tz.pixels.from_uint8(tz.data.arrays("digits", "train")[0]))
    active = {}
    for name, beta in (("vae", 1.0), ("beta_vae", 1.0), ("beta_vae", 200.0)):
        tz.runtime.seed_all(3)
        model = tz.create(name, DIGITS, width=4, beta=beta, seed=0, latent_dim=6)
        history = fit(model, images, 400, 64)
        active[name, beta] = model.active_units(images), history["loss"][0]
    assert active["vae", 1.0] == active["beta_vae", 1.0]
    assert active["beta_vae", 200.0][0] == 0 < 2 <= active["vae", 1.0][0]  # a collapse is seen


def test_log_prob_in_chunks_in_blocks_and_in_a_graph(monkeypatch):
    images = np.asarray(tz.pixels.from_uint8(tz.data.arrays("digits", "test")[0]))[:300]
    model = tz.create("vae", DIGITS, width=4, seed=0, latent_dim=4)
    whole = np.asarray(model.log_prob(images, seed=1, num_samples=3))
    assert whole.shape == (300,)
    assert (whole < 0).all()
    np.testing.assert_array_equal(whole, model.log_prob(images, seed=1, num_samples=3))
    assert (whole != np.asarray(model.log_prob(images, seed=2, num_samples=3))).any()
    served = tf.function(lambda x, seed: model.log_prob(x, seed, num_samples=3))
    np.testing.assert_allclose(served(tf.constant(images[:256]), tf.constant(1)), whole[:256], rtol=1e-5)
    many = np.mean(model.log_prob(images[:64], seed=0, num_samples=400))
    monkeypatch.setattr(model, "rows_at_once", 64 * 7)
    model.__dict__.pop("_draw_functions")
    assert np.mean(model.log_prob(images[:64], seed=0, num_samples=400)) == pytest.approx(many, abs=0.8)


def test_binary_images_are_scored_as_the_seed_makes_them_and_the_record_says_so():
    images = np.asarray(tz.pixels.from_uint8(tz.data.arrays("digits", "test")[0]))[:100]
    model = tz.create("vae", DIGITS, width=4, seed=0, num_samples=5)
    assert model.is_bound
    assert model.likelihood_protocol == {
        "samples": 5,
        "dequantisation": "none",
        "data_scale": 1,
        "binarisation": "dynamic",
    }
    record = tz.evaluate(model, "digits", metrics=("likelihood", "reconstruction"), num_images=100, verbose=False)
    assert record["protocol"]["likelihood"]["binarisation"] == "dynamic"
    assert record["scores"]["bits_per_dim_100"] == pytest.approx(-record["scores"]["nats_100"] / (64 * np.log(2)))
    grey = VAE(model.encoder, model.decoder, likelihood=Bernoulli(binarise=False), num_samples=5, seed=0)
    assert grey.likelihood_protocol == model.likelihood_protocol  # grey values have a cross-entropy, no nats
    np.testing.assert_array_equal(grey.log_prob(images, seed=4), model.log_prob(images, seed=4))
    dark = with_bias(model, -20.0)
    bright = np.asarray(dark.log_prob(-np.ones_like(images), seed=0))
    np.testing.assert_allclose(bright, 0, atol=0.5)  # black images are certain


def with_bias(model, value):
    for weight in model.weights:
        weight.assign(weight * 0)
    model.decoder.get_layer("parameters").bias.assign(np.full(64, value))
    return model


def test_conditional_codes_are_told_the_class(tmp_path):
    images, labels = tz.data.arrays("digits", "train")
    images, labels = np.asarray(tz.pixels.from_uint8(images)), labels.astype("int32")
    tz.runtime.seed_all(0)
    model = tz.create("conditional_vae", DIGITS, width=8, seed=0, latent_dim=4, num_samples=3)
    fit(model, images, 400, 64, labels=labels)
    latents = tf.repeat(model.draw_latents(4, 0), 10, axis=0)
    drawn = np.asarray(model.draw(latents, np.tile(np.arange(10), 4)))
    centres = np.stack([images[labels == label].mean(0) for label in range(10)])
    nearest = ((drawn[:, None] - centres[None]) ** 2).sum((2, 3, 4)).argmin(1)
    assert np.mean(nearest == np.tile(np.arange(10), 4)) > 0.8
    told = np.asarray(model.log_prob(images[:50], 0, 20, labels[:50]))
    wrong = np.asarray(model.log_prob(images[:50], 0, 20, (labels[:50] + 1) % 10))
    marginal = np.asarray(model.log_prob(images[:50], 0, 20))
    assert told.mean() > wrong.mean() + 3
    assert marginal.mean() > told.mean() - np.log(10) - 0.1
    record = tz.evaluate(model, "digits", metrics=("likelihood", "reconstruction"), num_images=60, verbose=False)
    assert record["scores"]["reconstruction_mse_60"] < 0.5
    tz.export(model, tmp_path / "out", formats=("saved_model",))
    signatures = tf.saved_model.load(str(next((tmp_path / "out").glob("[0-9]*")))).signatures
    given = {"images": tf.constant(images[:5]), "labels": tf.constant(labels[:5])}
    codes = signatures["encode"](**given)["codes"]
    np.testing.assert_allclose(codes, model.encode(images[:5], labels[:5]), atol=1e-5)
    np.testing.assert_allclose(
        signatures["reconstruct"](**given)["images"], model.reconstruct(images[:5], labels[:5]), atol=1e-5
    )
    again = signatures["decode"](codes=codes, labels=given["labels"])["images"]
    np.testing.assert_allclose(again, model.decode(codes, labels[:5]), atol=1e-5)
    with pytest.raises(ValueError, match="conditional_vae is told labels of every image: give them"):
        model.encode(images[:5])
    with pytest.raises(ValueError, match="conditional_vae needs labels"):
        model.fit(images, verbose=0)


def gradients(model, images, steps):
    """Of the encoder and of the decoder, a row a step, and the losses."""

    @tf.function
    def of_step():
        weights = [network.trainable_variables for network in model.networks.values()]
        with tf.GradientTape() as tape:
            losses = model.batch_losses(images, None, training=True)
            loss = sum(losses[name] for name in model.loss_names())
        found = tape.gradient(loss, [[one.value for one in own] for own in weights])
        return [tf.concat([tf.reshape(one, [-1]) for one in own], 0) for own in found], loss

    rows = []
    for step in range(steps):
        model.step.assign(step)
        (encoder, decoder), loss = of_step()
        rows.append((encoder.numpy(), decoder.numpy(), loss.numpy()))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def test_doubly_reparameterized_gradients_are_the_same_on_average_and_calmer(pca):
    images, steps = tf.constant(pca.images[:8]), 200
    poor = with_weights(pca, exact=False)
    (plain, decoder, loss), (double, decoder_again, loss_again) = (
        gradients(
            variational.IWAE(
                poor.encoder, poor.decoder, likelihood=Gaussian(), k=5, doubly_reparameterized=doubly, seed=0
            ),
            images,
            steps,
        )
        for doubly in (False, True)
    )
    np.testing.assert_allclose(loss, loss_again, rtol=1e-4)  # the bound's value
    np.testing.assert_allclose(decoder, decoder_again, rtol=1e-3, atol=1e-3)
    error = np.sqrt((plain.var(0) + double.var(0)) / steps)
    assert (np.abs(plain.mean(0) - double.mean(0)) < 5 * error + 1e-4).all()
    assert double.var(0).sum() < 0.7 * plain.var(0).sum()


def test_one_sample_is_the_elbo_and_more_are_tighter(pca):
    poor = with_weights(pca, exact=False)
    images = tf.constant(pca.images)
    losses = {}
    for k in (1, 20):
        model = variational.IWAE(poor.encoder, poor.decoder, likelihood=Gaussian(), k=k, seed=0)
        losses[k] = {name: float(value) for name, value in model.batch_losses(images, None, False).items()}
    assert losses[1]["bound_loss"] == pytest.approx(losses[1]["negative_elbo"], rel=1e-5)
    elbo = float(poor.batch_losses(images, None, False)["negative_elbo"])
    assert losses[1]["bound_loss"] == pytest.approx(elbo, abs=0.1)
    assert -pca.log_p.mean() - 0.01 < losses[20]["bound_loss"] < losses[1]["bound_loss"] - 0.1


def test_the_usual_likelihood_is_that_of_the_images():
    for shape, kind in (((8, 8, 1), Bernoulli), ((8, 8, 3), DiscretizedLogistic), ((2,), Gaussian)):
        assert isinstance(tz.create("vae", shape, width=2).likelihood, kind)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("vae", DIGITS, latent_dim=0), "latent_dim=0"),
        (lambda: tz.create("vae", DIGITS, beta=-1.0), "beta=-1.0: the weight of the KL is not negative"),
        (lambda: tz.create("vae", DIGITS, warmup_steps=-1), "warmup_steps=-1"),
        (lambda: tz.create("vae", DIGITS, num_samples=0), "num_samples=0"),
        (lambda: tz.create("vae", DIGITS, width=2).log_prob(np.zeros((2, *DIGITS)), 0, 0), "num_samples=0"),
        (lambda: tz.create("vae", DIGITS, width=2).log_prob(np.zeros((2, 4, 4, 1))), r"knows \(8, 8, 1\)"),
        (lambda: tz.create("iwae", DIGITS, k=0), "k=0: give a whole number, at least 1"),
        (
            lambda: VAE(
                networks.dense_encoder(SHAPE, 2, 4), networks.dense_decoder(SHAPE, 2, 4), likelihood=Bernoulli()
            ),
            r"needs \(4,\): 2 for each coordinate",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
