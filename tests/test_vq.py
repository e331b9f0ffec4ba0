"""VQ-VAE by hand: the nearest code, the gradients by variable, one step of the averages, codes that are not used."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.models import vq


def identity(shape, name):
    """A network that gives back what it gets, times one weight."""
    inputs = keras.Input(shape)
    scale = layers.Dense(shape[-1], use_bias=False, kernel_initializer="identity")
    return keras.Model(inputs, scale(inputs), name=name)


def bare(book, **numbers):
    """Vectors of two coordinates that are their own code vectors, one position an image."""
    numbers = {"decay": 0.9, "revive_below": 0.0} | numbers
    encoder, decoder = identity((1, 2), "encoder"), identity((1, 2), "decoder")
    model = vq.VQVAE(encoder, decoder, likelihood=Gaussian(1.0), num_embeddings=len(book), seed=0, **numbers)
    for name in ("codebook", "code_sums"):
        model.state[name].assign(np.float32(book))
    return model


BOOK = [[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]
POINTS = np.float32([[[0.1, 0.0]], [[0.3, -0.2]], [[0.8, 1.2]]])


def test_forward_is_the_nearest_code_and_encode_decode_go_through_it():
    model = bare(BOOK)
    np.testing.assert_array_equal(model.encode(POINTS), [[0], [0], [1]])
    np.testing.assert_allclose(model.reconstruct(POINTS)[:, 0], np.float32(BOOK)[[0, 0, 1]])
    random = np.random.default_rng(0)
    book, vectors = random.normal(size=(50, 2)), random.normal(size=(200, 1, 2)).astype("float32")
    found = np.asarray(bare(book).encode(vectors))[:, 0]
    expected = ((vectors - book[None]) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(found, expected)


def test_gradients_by_variable():
    """Straight through: dL/dz = dL/de; the commitment pulls z alone; the codebook has none."""
    model, points = bare(BOOK), tf.constant(POINTS)
    weights = {name: network.trainable_variables[0].value for name, network in model.networks.items()}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([variable.value for variable in model.state.values()])
        losses = model.batch_losses(points, None, training=True)
    book = model.state["codebook"].value
    assert tape.gradient(losses["commitment_loss"], book) is None
    assert tape.gradient(losses["reconstruction_loss"], book) is None
    assert tape.gradient(losses["commitment_loss"], weights["decoder"]) is None
    z, e = POINTS[:, 0], np.float32(BOOK)[[0, 0, 1]]
    expected = 0.25 * 2 * np.einsum("ni,nj->ij", z, z - e) / 3
    np.testing.assert_allclose(tape.gradient(losses["commitment_loss"], weights["encoder"]), expected, atol=1e-6)
    expected = np.einsum("ni,nj->ij", z, e - z) / 3  # d/de of |e - x|^2 / 2 is e - x, passed on to z
    np.testing.assert_allclose(tape.gradient(losses["reconstruction_loss"], weights["encoder"]), expected, atol=1e-6)
    vectors = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        value = tf.reduce_sum(vq.straight_through(vectors, tf.constant([[5.0, 5.0]])) ** 2)
    np.testing.assert_allclose(tape.gradient(value, vectors), [[10.0, 10.0]])


def test_one_step_of_the_averages_by_hand():
    model = bare(BOOK)
    model.follow(tf.constant(POINTS), model.encode(POINTS))
    counts = [0.9 * 1 + 0.1 * 2, 0.9 * 1 + 0.1 * 1, 0.9]
    np.testing.assert_allclose(model.state["code_counts"], counts, rtol=1e-6)
    sums = [[0.1 * 0.4, 0.1 * -0.2], [0.9 + 0.1 * 0.8, 0.9 + 0.1 * 1.2], [0.9 * 9, 0.9 * 9]]
    np.testing.assert_allclose(model.state["code_sums"], sums, rtol=1e-5)
    np.testing.assert_allclose(model.state["codebook"], np.array(sums) / np.array(counts)[:, None], rtol=1e-5)
    np.testing.assert_allclose(model.state["code_usage"], [[0.3 + 0.2 / 3, 0.3 + 0.1 / 3, 0.3]], rtol=1e-5)


def test_a_code_that_is_not_used_does_not_move_and_others_reach_the_means_of_their_vectors():
    """With counts that start at 0 it would fly off; the fixed point is k-means'."""
    model = bare(BOOK)
    for _ in range(150):
        model.follow(tf.constant(POINTS), model.encode(POINTS))
    book = np.array(model.state["codebook"])
    np.testing.assert_allclose(book[2], [9, 9], rtol=1e-4)
    np.testing.assert_allclose(book[:2], [[0.2, -0.1], [0.8, 1.2]], atol=1e-3)
    fast = bare(BOOK, decay=0.0)  # one step of k-means
    fast.follow(tf.constant(POINTS), fast.encode(POINTS))
    np.testing.assert_allclose(np.array(fast.state["codebook"]), [[0.2, -0.1], [0.8, 1.2], [9, 9]], atol=1e-6)


def test_a_dead_code_becomes_a_vector_of_the_batch():
    model = bare(BOOK, revive_below=0.05)
    for step in range(40):
        model.step.assign(step)
        model.follow(tf.constant(POINTS), model.encode(POINTS))
    book = np.array(model.state["codebook"])
    assert np.abs(book[2]).max() < 2
    assert np.isfinite(book).all()


def test_perplexity_is_between_one_and_the_number_of_codes():
    assert float(vq.perplexity(np.full(64, 1 / 64, "float32"))) == pytest.approx(64, rel=1e-4)
    assert float(vq.perplexity(np.eye(8, dtype="float32")[0])) == pytest.approx(1, rel=1e-4)


@pytest.mark.slow
def test_it_learns_digits_and_uses_its_codes(tmp_path):
    images = np.asarray(tz.pixels.from_uint8(tz.data.arrays("digits", "train")[0]))
    tz.runtime.seed_all(0)
    model = tz.create("vq_vae", (8, 8, 1), width=16, num_embeddings=32, embedding_dim=8, learning_rate=2e-3, seed=0)
    model.compile()
    history = model.fit(images, batch_size=64, epochs=12, verbose=0).history
    assert history["reconstruction_loss"][-1] < 0.5 * history["reconstruction_loss"][0]
    assert 8 < history["perplexity"][-1] <= 32
    codes = np.asarray(model.encode(images[:200]))
    assert codes.shape == (200, 2, 2)
    assert len(np.unique(codes)) > 8
    assert not hasattr(model, "draw_latents")
    used = np.array(model.state["code_usage"])
    np.testing.assert_allclose(used.sum(1), 1, rtol=1e-4)
    drawn = np.asarray(model.encode(model.generate(200, seed=0)))
    assert len(np.unique(drawn)) > 8
    tz.export(model, tmp_path / "out", formats=("saved_model",))
    signatures = tf.saved_model.load(str(next((tmp_path / "out").glob("[0-9]*")))).signatures
    np.testing.assert_array_equal(signatures["encode"](images=tf.constant(images[:200]))["codes"], codes)
    again = signatures["decode"](codes=tf.constant(codes))["images"]
    np.testing.assert_allclose(again, model.decode(codes), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("vq_vae", (8, 8, 1), num_embeddings=1), "num_embeddings=1: give a whole number, at least 2"),
        (lambda: tz.create("vq_vae", (30, 28, 1)), r"4 must divide them; the nearest is 32 x 28"),
        (lambda: tz.create("vq_vae", (8, 8, 1), decay=1.0), r"decay=1.0.* a decay in \[0, 1\)"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.slow
def test_the_prior_learns_what_codes_follow_one_another_and_draws_them(monkeypatch):
    """Codes in stripes, as a trained encoder might give them: after a row of one code comes a row of the next."""
    model = tz.create("vq_vae", (16, 16, 1), width=4, num_embeddings=4, embedding_dim=4, prior_width=16, seed=0)
    model.compile()
    rows = (np.arange(4)[None, :, None] + np.random.default_rng(0).integers(0, 4, (256, 1, 1))) % 4
    striped = tf.constant(np.broadcast_to(rows, (256, 4, 4)), tf.int32)
    monkeypatch.setattr(model, "nearest", lambda vectors: striped[: tf.shape(vectors)[0]])
    model.fit(np.zeros((256, 16, 16, 1), "float32"), batch_size=256, epochs=120, verbose=0)
    drawn = []
    monkeypatch.setattr(model, "decode", lambda codes, condition=None: drawn.append(codes) or tf.zeros((8, 16, 16, 1)))
    model.draw(**model.start(64, (0, 1)))
    (codes,) = np.asarray(drawn)
    assert (codes == codes[:, :, :1]).mean() > 0.95
    assert ((codes[:, 1:] - codes[:, :-1]) % 4 == 1).mean() > 0.95


def test_completions_keep_the_places_that_are_known():
    model = tz.create("vq_vae", (8, 8, 1), width=4, num_embeddings=4, embedding_dim=4, prior_width=4, seed=0)
    images = np.tanh(np.random.default_rng(0).normal(size=(3, 8, 8, 1))).astype("float32")
    np.testing.assert_allclose(model.complete(images, np.ones((2, 2))), model.reconstruct(images), atol=1e-5)
    one, other = (model.complete(images, np.zeros((2, 2)), seed=seed) for seed in (0, 1))
    assert np.abs(one - other).max() > 0
    with pytest.raises(ValueError, match="mask is \\(8, 8\\)"):
        model.complete(images, np.zeros((8, 8)))
    with pytest.raises(ValueError, match="create the model with prior_width="):
        tz.create("vq_vae", (8, 8, 1), width=4, prior_width=0).complete(images, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="code_prior gives"):
        tz.VQVAE.from_config(model.get_config() | {"num_embeddings": 5})


def test_finite_scalar_quantisation_rounds_each_coordinate_to_its_levels(tmp_path):
    """Every combination is a code, its number and its vector belong together, and the gradient passes."""
    model = tz.create("vq_vae", (8, 8, 1), width=4, levels=(4, 3), prior_width=4, seed=0)
    book = np.asarray(model.state["codebook"].value)
    np.testing.assert_allclose(sorted({*book[:, 0]}), [-1.0, -0.5, 0.0, 0.5])
    np.testing.assert_allclose(sorted({*book[:, 1]}), [-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(model.nearest(tf.constant(book)), np.arange(12))
    vectors = tf.constant(np.random.default_rng(0).normal(size=(500, 2)) * 3, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        bounded = model.bounded(vectors)
    assert set(model.nearest(bounded).numpy()) == set(range(12))
    assert (tape.gradient(bounded, vectors).numpy() > 0).mean() > 0.9  # not of those that tanh has flattened
    gaps = np.abs(bounded[:, None] - book[None]).sum(-1)
    np.testing.assert_array_equal(gaps.argmin(1), model.nearest(bounded))
    model.compile()
    images = np.tanh(np.random.default_rng(0).normal(size=(16, 8, 8, 1))).astype("float32")
    before = [np.array(weight) for weight in model.encoder.weights]
    history = model.fit(images, batch_size=8, verbose=0).history
    assert history["commitment_loss"] == [0.0]
    assert any(not np.array_equal(old, new) for old, new in zip(before, model.encoder.weights, strict=True))
    np.testing.assert_array_equal(model.state["codebook"].value, book)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(images), model.encode(images))
    with pytest.raises(ValueError, match="levels=1"):
        tz.create("vq_vae", (8, 8, 1), levels=(4, 1))
