"""Adaptive augmentation: what each change does, what p does to them, how p moves, and that it is saved."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import augmentations, noise
from tfgan_zoo.augmentations import ADA
from tfgan_zoo.networks import mlp

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (32, 12, 8, 3)).astype("float32")
SQUARE = RNG.uniform(-1, 1, (256, 8, 8, 1)).astype("float32")
SEED, STEP = tf.constant([3, 4]), tf.constant(0)
PARTS = {"blit": ADA(geometry=False, colour=False), "geometry": ADA(blit=False, colour=False)}
PARTS |= {"colour": ADA(blit=False, geometry=False), "all": ADA()}


def changed(ada, images, p, seed=SEED):
    return ada(images, seed, STEP, {"ada_p": tf.constant(p)}).numpy()


@pytest.mark.parametrize("name", PARTS)
def test_at_p_0_images_are_as_they_came_to_the_bit(name):
    np.testing.assert_array_equal(changed(PARTS[name], IMAGES, 0.0), IMAGES)
    grey = IMAGES[..., :1]
    np.testing.assert_array_equal(changed(PARTS[name], grey, 0.0), grey)


@pytest.mark.parametrize("name", PARTS)
def test_the_share_of_changed_images_rises_with_p(name):
    shares = [(changed(PARTS[name], SQUARE, p) != SQUARE).any((1, 2, 3)).mean() for p in (0.1, 0.4, 0.8)]
    assert 0.1 < shares[0] < shares[1] < shares[2] <= 1.0
    assert shares[0] < 0.7


def test_mirrors_quarter_turns_and_shifts_of_squares_are_exact():
    """Each of the eight symmetries, shifted by whole pixels with reflected borders; as often as p says."""
    found = []
    for before, after in zip(SQUARE[..., 0], changed(PARTS["blit"], SQUARE, 0.8)[..., 0], strict=True):
        views = [np.rot90(one, turns) for one in (before, before[:, ::-1]) for turns in range(4)]
        fits = [
            (number, down, right)
            for number, view in enumerate(views)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if np.allclose(np.pad(view, 1, "reflect")[1 - down : 9 - down, 1 - right : 9 - right], after, atol=1e-6)
        ]
        assert len(fits) == 1
        found.append(fits[0])
    found = np.array(found)
    turned = (found[:, 0] % 4 != 0).mean()
    assert turned == pytest.approx(0.8 * 0.75, abs=0.1)
    assert (found[:, 0] >= 4).mean() == pytest.approx(0.4, abs=0.1)
    assert {-1, 0, 1} == set(found[:, 1]) == set(found[:, 2])


def test_a_bilinear_sample_is_scipys():
    from scipy.ndimage import map_coordinates

    draw = augmentations._Changes(IMAGES, SEED, tf.constant(0.8))
    back = PARTS["geometry"]._geometry(draw, draw, 12, 8)
    found = augmentations._sampled(tf.constant(IMAGES), back).numpy()
    rows, columns = np.mgrid[:12, :8].astype("float64")
    for image, matrix, ours in zip(IMAGES, back.numpy(), found, strict=True):
        x, y, _ = np.einsum("ij,jhw->ihw", matrix, np.stack([columns - 3.5, rows - 5.5, np.ones_like(rows)]))
        for channel in range(3):
            expected = map_coordinates(image[..., channel], [y + 5.5, x + 3.5], order=1, mode="mirror")
            np.testing.assert_allclose(ours[..., channel], expected, atol=2e-4)


def test_colours_keep_what_their_matrices_keep():
    draw = augmentations._Changes(np.zeros((400, 1, 1, 1), "float32"), SEED, tf.constant(1.0))
    matrix, _ = (value.numpy() for value in ADA()._colour(draw))
    grey = np.ones(3)
    along = matrix @ grey  # hue and saturation leave grey alone: what is left is contrast, up or down
    np.testing.assert_allclose(along, along[:, :1] * grey, atol=1e-5)
    contrast = np.abs(along[:, 0])
    assert np.log2(contrast).std() == pytest.approx(0.5, rel=0.15)
    assert (along[:, 0] < 0).mean() == pytest.approx(0.5, abs=0.1)  # inverted lightness
    # across the grey axis: a rotation times the saturation, so equal singular values
    across = (
        np.linalg.svd(matrix - along[:, None, :1] / 3 * np.ones((3, 3)), compute_uv=False)[:, :2] / contrast[:, None]
    )
    np.testing.assert_allclose(across[:, 0], across[:, 1], rtol=1e-3)
    assert np.log2(across[:, 0]).std() == pytest.approx(1.0, rel=0.15)


def test_a_fourth_channel_keeps_its_values_under_colour():
    rgba = RNG.uniform(-1, 1, (8, 4, 4, 4)).astype("float32")
    after = changed(PARTS["colour"], rgba, 1.0)
    np.testing.assert_array_equal(after[..., 3], rgba[..., 3])
    np.testing.assert_allclose(after[..., :3], changed(PARTS["colour"], rgba[..., :3], 1.0), atol=1e-6)


def test_gradients_are_the_true_adjoint_and_can_be_differentiated_again():
    weights = RNG.normal(size=IMAGES.shape).astype("float32")
    linear = PARTS["geometry"]
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(linear(images, SEED, STEP, {"ada_p": 0.8}) * weights)
    pulled = tape.gradient(total, images).numpy()
    through = changed(linear, IMAGES, 0.8)
    np.testing.assert_allclose((through * weights).sum((1, 2, 3)), (IMAGES * pulled).sum((1, 2, 3)), atol=2e-3)

    def slope(images):
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                total = tf.reduce_sum(ADA()(images, SEED, STEP, {"ada_p": 0.8}) ** 3)
            squared = tf.reduce_sum(inner.gradient(total, images) ** 2)
        return outer.gradient(squared, images)

    assert float(tf.reduce_max(tf.abs(slope(images)))) > 0


@pytest.mark.parametrize("name", PARTS)
def test_the_same_in_any_batch_and_on_replicas(name, monkeypatch):
    eager = changed(PARTS[name], IMAGES, 0.8)
    np.testing.assert_allclose(changed(PARTS[name], IMAGES[:5], 0.8), eager[:5], atol=1e-5)
    assert np.abs(changed(PARTS[name], IMAGES, 0.8, tf.constant([3, 5])) - eager).max() > 0.1
    monkeypatch.setattr(noise, "shared", lambda draw, count: draw(2 * count)[count:])  # the second of two replicas
    np.testing.assert_allclose(changed(PARTS[name], IMAGES[16:], 0.8), eager[16:], atol=1e-5)


def followed(ada, signs, images=64):
    state, seen = ada.initial_state(), []
    for step, sign in enumerate(signs):
        state = {name: float(value) for name, value in ada.next_state(state, sign, images, step).items()}
        seen.append(state["ada_p"])
    return seen


def test_p_rises_by_the_papers_step_and_falls_to_0():
    """Batch 64, every 4 updates: 64 * 4 / 500,000 each; from 0 to 1 in 1,954 moves."""
    rising = followed(ADA(), 12 * [1.0])
    np.testing.assert_allclose(rising, np.repeat([0.0, *(5.12e-4 * k for k in (1, 2, 3))], [3, 4, 4, 1]), rtol=1e-5)
    assert followed(ADA(), 12 * [-1.0]) == 12 * [0.0]
    assert followed(ADA(p=0.3), 8 * [0.2])[-1] == pytest.approx(0.3 - 2 * 5.12e-4)
    assert followed(ADA(kimg=0.001, limit=0.8), 8 * [1.0])[-1] == pytest.approx(0.8)
    assert followed(ADA(p=0.3, target=None), 8 * [1.0])[-1] == pytest.approx(0.3)
    # r is the mean of four updates: 0.55 on average, though the last one alone is above the target
    assert followed(ADA(p=0.5), [0.4, 0.4, 0.4, 1.0])[-1] < 0.5


def small(ada, **overrides):
    tz.runtime.setup(seed=0)
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1), dtype="float32")]
    )
    critic = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    )
    model = tz.GAN(
        generator, critic, objective=tz.objectives.NonSaturating(), augmentations=(ada,), seed=0, **overrides
    )
    model.compile(run_eagerly=True)
    return model


REAL = np.tanh(RNG.normal(size=(16, 4, 4, 1))).astype("float32")


def test_a_run_resumed_in_the_middle_of_adas_rise_goes_on_to_the_bit(tmp_path):
    ada = ADA(every=2, kimg=0.2, target=-0.9, geometry=False, colour=False)  # rises at once
    data = tf.data.Dataset.from_tensor_slices(REAL).batch(8)
    whole, cut = small(ada), small(ada)
    whole.fit(data.repeat(3), verbose=0)
    cut.fit(data.concatenate(data.take(1)), verbose=0)  # three steps: between two moves
    assert 0.0 < float(cut.state["ada_p"]) < float(whole.state["ada_p"])
    cut.save(tmp_path / "cut.keras")
    on = keras.models.load_model(tmp_path / "cut.keras")
    assert on.augmentations == (ada,)
    on.run_eagerly = True
    on.fit(data.skip(1).concatenate(data), verbose=0)
    assert int(on.step) == int(whole.step) == 6
    for ours, theirs in zip(on.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_p_is_logged_and_r_is_the_sign_of_what_d_says_of_real_images():
    model = small(ADA(every=1, kimg=1.0))
    logs = model.fit(tf.data.Dataset.from_tensor_slices(REAL).batch(16), verbose=0).history
    assert {"ada_p", "real_sign"} <= set(logs)
    assert -1.0 <= logs["real_sign"][0] <= 1.0
    assert logs["loss"][0] == pytest.approx(logs["discriminator_loss"][0] + logs["generator_loss"][0], rel=1e-5)


def test_penalties_take_the_gradient_at_the_images_themselves():
    """D(x) = w x behind a change of contrast c: |grad|^2 = c^2 |w|^2, not |w|^2."""
    seen = []

    class Watch:
        name = "watch"

        def __call__(self, critic, real, fake, seed=None):
            seen.append((np.array(real), np.array(critic(real)), np.array(critic(real))))
            return 0.0 * tf.reduce_mean(critic(real))

    model = small(ADA(p=0.8, target=None), penalties=(Watch(),))
    model.fit(tf.data.Dataset.from_tensor_slices(REAL[:8]).batch(8), verbose=0)
    ((real, first, second),) = seen
    np.testing.assert_array_equal(real, REAL[:8])
    np.testing.assert_array_equal(first, second)  # one draw of changes
    plain = small(ADA(p=0.8, target=None)).discriminator(REAL[:8]).numpy()
    assert np.abs(first - plain).max() > 1e-3  # which D saw changed


@pytest.mark.slow
def test_p_rises_on_few_images_and_not_on_many():
    def end(count):
        tz.runtime.setup(seed=0)
        images, _ = tz.data.arrays("digits", "train", image_size=8)
        images = np.asarray(tz.pixels.from_uint8(images[:count]))
        model = tz.GAN(
            mlp.generator((8, 8, 1), 16, 64),
            mlp.discriminator((8, 8, 1), 256),
            objective=tz.objectives.NonSaturating(),
            augmentations=(ADA(kimg=20.0, geometry=False),),
            seed=0,
        )
        model.compile("adam")
        model.fit(tf.data.Dataset.from_tensor_slices(images).repeat().batch(32).take(1600), verbose=0)
        return float(model.state["ada_p"])

    few, many = end(32), end(1000)
    assert few > 0.1  # 0.23 and 0.04 when this was written
    assert few > 3.0 * many


def test_config_comes_back_equal():
    for ada in PARTS.values():
        back = ADA.from_config(json.loads(json.dumps(ada.get_config())))
        assert back == ada
        assert hash(back) == hash(ada)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ADA(target=1.5), "target=1.5"),
        (lambda: ADA(p=0.9), "p=0.9, limit=0.8"),
        (lambda: ADA(limit=1.5), "limit=1.5"),
        (lambda: ADA(kimg=0), "kimg=0"),
        (lambda: ADA(every=0), "every=0"),
        (lambda: changed(ADA(), np.zeros((4, 2), "float32"), 0.5), r"shape \(2,\).*InstanceNoise"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
