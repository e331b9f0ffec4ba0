"""Image to image: closed forms of the three games, the pool, what is drawn, what is kept, and sentences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo import noise
from tfgan_zoo.models.pool import ImagePool

RNG = np.random.default_rng(0)
SHAPE = (8, 8, 1)
A, B = (np.tanh(RNG.normal(size=(8, *SHAPE))).astype("float32") for _ in "AB")
KNOWN = np.eye(3, dtype="float32")[np.arange(8) % 3]
NAMES = {"attribute_names": ("red", "green", "old"), "exclusive": (("red", "green"),)}


def shifted(by, shape=SHAPE):
    """A network that adds a constant; by 0 the identity."""
    images = keras.Input(shape)
    return keras.Model(images, layers.Rescaling(1.0, by)(images))


def undecided(shape=SHAPE, logit=0.5):
    """A discriminator of patches that always says the same."""
    images = keras.Input(shape)
    bias = keras.initializers.Constant(logit)
    return keras.Model(images, layers.Conv2D(1, 3, kernel_initializer="zeros", bias_initializer=bias)(images))


def cycle_gan(there=0.0, back=0.0, **numbers):
    model = tz.CycleGAN(
        shifted(there), shifted(back), undecided(), undecided(), objective=tz.objectives.LeastSquares(), **numbers
    )
    return model


@pytest.fixture(scope="module")
def pix2pix():
    model = tz.create("pix2pix", SHAPE, width=4, seed=0)
    model.compile()
    model.fit(A, B, batch_size=4, epochs=2, verbose=0)
    return model


# ---- closed forms -------------------------------------------------------------------------------------------------


def test_cycles_and_identity_of_the_identity_are_0_and_an_undecided_judge_costs_a_quarter():
    model = cycle_gan()
    fake_a, fake_b, losses = model.generator_losses(A / 2, B / 2)
    np.testing.assert_allclose(fake_b, A / 2)
    np.testing.assert_allclose(fake_a, B / 2)
    found = {name: float(value) for name, value in losses.items()}
    quarter = pytest.approx(0.25)
    zeros = dict.fromkeys(("cycle_loss", "inverse_cycle_loss", "identity_loss"), 0.0)
    assert found == {"generator_loss": quarter, "inverse_loss": quarter} | zeros
    assert float(model.critic_losses(model.adversary, B, fake_b)["discriminator_loss"]) == quarter


def test_two_shifts_cost_their_sum():
    """x + a there and x + b back: both cycles |a + b|, the identity |a| + |b|; A to B is not B to A."""
    model = cycle_gan(0.3, -0.1, cycle_weight=7.0, identity_weight=0.25)
    losses = model.generator_losses(A / 2, B / 2)[2]
    assert float(losses["cycle_loss"]) == pytest.approx(7 * 0.2, rel=1e-5)
    assert float(losses["inverse_cycle_loss"]) == pytest.approx(7 * 0.2, rel=1e-5)
    assert float(losses["identity_loss"]) == pytest.approx(7 * 0.25 * 0.4, rel=1e-5)
    np.testing.assert_allclose(model.translate(A / 2), A / 2 + 0.3, atol=1e-6)
    np.testing.assert_allclose(model.translate_back(A / 2), A / 2 - 0.1, atol=1e-6)
    record = tz.evaluate(
        model, tz.data.Unpaired(A / 2, B / 2), metrics="cycle_consistency", verbose=False, split="train"
    )
    assert record["scores"] == pytest.approx({"cycle_mae_8": 0.2, "identity_mae_8": 0.2}, rel=1e-4)


def test_the_error_of_pairs_is_0_where_g_is_the_truth_and_the_game_is_isolas():
    sources, images = keras.Input(SHAPE), keras.Input(SHAPE)
    judge = keras.Model([images, sources], undecided((8, 8, 2), 0.0)(layers.Concatenate()([sources, images])))
    model = tz.Pix2Pix(shifted(0.1), judge, objective=tz.objectives.NonSaturating())
    losses = model.generator_losses(A / 2, A / 2 + 0.1)
    assert float(losses["l1_loss"]) == pytest.approx(0.0, abs=1e-5)
    assert float(losses["generator_loss"]) == pytest.approx(np.log(2), rel=1e-5)
    assert float(model.critic_losses(A, B)["discriminator_loss"]) == pytest.approx(np.log(2), rel=1e-5)  # 1/2 of two
    assert float(model.generator_losses(A / 2, A / 2)["l1_loss"]) == pytest.approx(100 * 0.1, rel=1e-4)


def test_what_stargan_names():
    """Choi et al. 2018, Eq. 2: cross-entropy, summed over attributes; of undecided logits ln 2 each, or ln C."""
    model = tz.create("stargan", SHAPE, width=4, blocks=1, **NAMES)
    zeros = np.zeros((8, 3), "float32")
    assert float(model.naming_loss(zeros, KNOWN)) == pytest.approx(3 * np.log(2), rel=1e-5)
    assert float(model.naming_loss(100 * (2 * KNOWN - 1), KNOWN)) == pytest.approx(0.0, abs=1e-5)
    classes = tz.create("stargan", SHAPE, width=4, blocks=1, num_classes=3)
    assert float(classes.naming_loss(zeros, KNOWN.argmax(1))) == pytest.approx(np.log(3), rel=1e-5)


def test_an_image_that_is_told_what_it_shows_is_to_stay():
    """The generator of zeros is |x| away from it; without a weight nobody asks."""
    model = tz.create("stargan", SHAPE, width=4, blocks=1, identity_weight=10.0, **NAMES)
    for weight in model.generator.trainable_variables:
        weight.assign(tf.zeros_like(weight))
    losses = model.generator_losses(tf.constant(A), tf.constant(KNOWN))
    np.testing.assert_allclose(float(losses["identity_loss"]), 10.0 * np.abs(A).mean(), rtol=1e-5)
    assert "identity_loss" in model.loss_names()
    paper = tz.create("stargan", SHAPE, width=4, blocks=1, **NAMES)
    assert "identity_loss" not in paper.generator_losses(tf.constant(A), tf.constant(KNOWN))
    assert "identity_loss" not in paper.loss_names()


def test_targets_are_what_others_show():
    model = tz.create("stargan", SHAPE, width=4, blocks=1, **NAMES)
    known = tf.constant(RNG.random((64, 3)), tf.float32)
    one, other = np.asarray(model.targets(known, 0)), np.asarray(model.targets(known, 1))
    for targets in (one, other):
        assert sorted(map(tuple, targets)) == sorted(map(tuple, np.asarray(known)))
    assert np.abs(one - other).max() > 0
    assert np.abs(one - np.asarray(known)).max() > 0


# ---- the pool -----------------------------------------------------------------------------------------------------


class Owner:
    """What a pool asks of its model."""

    def _state_variable(self, name, value, dtype="float32"):
        return keras.Variable(value, dtype=dtype, name=name, trainable=False)


def asked(size, batches):
    pool = ImagePool(Owner(), "x", size, (1,))
    query = tf.function(pool.query)
    return pool, [np.asarray(query(tf.constant(batch), tf.constant([step, 7]))) for step, batch in enumerate(batches)]


def test_a_pool_follows_zhus_rule():
    """Image by image, in NumPy, from the same draws."""
    numbers = np.arange(90, dtype="float32").reshape(-1, 3, 1)
    _, given = asked(5, numbers)
    pool = []
    for step, batch in enumerate(numbers):
        draws = np.asarray(noise.uniform((3, 2), (step, 7)))
        for row, (image,) in enumerate(batch):
            expected = image
            if len(pool) < 5:
                pool.append(image)
            elif draws[row, 0] < 0.5:
                place = int(draws[row, 1] * 5)
                expected, pool[place] = pool[place], image
            assert given[step][row, 0] == expected


def test_a_pool_of_50_gives_the_first_50_then_half_of_the_newest_and_holds_one_for_100_queries():
    numbers = np.arange(6000, dtype="float32").reshape(-1, 300, 1)
    _, given = asked(50, numbers)
    given = np.concatenate(given)[:, 0]
    np.testing.assert_array_equal(given[:50], np.arange(50))
    later, now = given[50:], np.arange(50, 6000)
    assert np.mean(later == now) == pytest.approx(0.5, abs=0.03)
    stay = (now - later)[(later != now) & (now > 1000)]
    assert stay.mean() == pytest.approx(100, rel=0.1)
    assert np.std(stay) == pytest.approx(stay.mean(), rel=0.15)  # geometric


def test_a_pool_of_none_lets_pass():
    pool, (given,) = asked(0, [np.ones((2, 1), "float32")])
    assert not hasattr(pool, "images")
    assert (given == 1).all()


# ---- what is drawn, kept and continued ----------------------------------------------------------------------------


def test_dropout_acts_at_inference_by_its_seed(pix2pix):
    one, other = pix2pix.translate(A, seed=0), pix2pix.translate(A, seed=1)
    np.testing.assert_array_equal(one, pix2pix.translate(A, seed=0))
    np.testing.assert_allclose(pix2pix.translate(A[:3], seed=0), one[:3], atol=1e-6)
    assert np.abs(one - other).max() > 1e-4
    plain = np.asarray(pix2pix.draw(sources=tf.constant(A)))
    assert np.abs(plain - one).max() > 1e-4
    factors = np.asarray(pix2pix._with_factors(A, noise.uniform((8, 2), (0, 1)))[1])
    assert set(np.unique(factors)) == {0.0, 2.0}
    assert factors.mean() == pytest.approx(1.0, abs=0.1)


def test_a_file_in_float16_drops_the_same_units(pix2pix, tmp_path):
    """Its constants are rounded too, and 2**24 among them would be infinite: every image would share one key."""
    card = tz.export(pix2pix, tmp_path / "out", formats="tflite_float16")
    assert card["formats"]["tflite_float16"]["parity"]["max_abs_diff"] < 0.02


def test_the_first_images_are_kept_with_their_targets_and_shown(pix2pix):
    kept, targets = (np.asarray(pix2pix.state[name].value) for name in ("sources", "targets"))
    pairs = [int(np.abs(A - one).sum(axis=(1, 2, 3)).argmin()) for one in kept]
    assert set(pairs) == set(range(8))
    np.testing.assert_allclose(kept, A[pairs], atol=1 / 127)  # of floats, 256 levels
    np.testing.assert_allclose(targets, B[pairs], atol=1 / 127)
    ((images, columns),) = pix2pix.preview(3).values()
    triples = images.reshape(16, 3, *SHAPE)
    assert columns == 12
    np.testing.assert_array_equal(triples[:, 0], kept)
    np.testing.assert_array_equal(triples[:, 1], pix2pix.translate(kept, seed=3))
    np.testing.assert_array_equal(triples[:, 2], targets)
    made = pix2pix.generate(20, seed=0)
    assert len(np.unique(made[:16].reshape(16, -1), axis=0)) == 16


def test_a_regression_comes_nearer_to_its_targets():
    """Without the game: from images to their negatives."""
    model = tz.create("pix2pix", SHAPE, width=8, adversarial_weight=0.0, dropout=0.0, learning_rate=2e-3, seed=0)
    model.compile()
    pairs = tz.data.Pairs(*(np.asarray(tz.pixels.to_uint8(images)) for images in (A, -A)))
    before = tz.evaluate(model, pairs, metrics="translation", split="train", verbose=False)["scores"]
    many = np.tile(A, (60, 1, 1, 1))
    model.fit(many, -many, batch_size=8, verbose=0)
    after = tz.evaluate(model, pairs, metrics="translation", split="train", verbose=False)["scores"]
    assert after["paired_mae_8"] < 0.6 * before["paired_mae_8"]
    assert after["paired_psnr_8"] > before["paired_psnr_8"] + 3
    assert after["paired_ssim_8"] > before["paired_ssim_8"]


def test_a_cyclegan_that_stops_goes_on_as_if_it_had_not(tmp_path):
    """Pools, optimizers and what is kept are saved; two steps, a file and two steps are four steps."""
    unbroken, first = (tz.create("cyclegan", SHAPE, width=4, blocks=1, pool_size=3, seed=0) for _ in range(2))
    first.set_weights(unbroken.get_weights())
    data = tf.data.Dataset.from_tensor_slices((A, B)).batch(2)
    for model in (unbroken, first):
        model.compile(run_eagerly=True)
    unbroken.fit(data, verbose=0)
    first.fit(data.take(2), verbose=0)
    first.save(tmp_path / "x.keras")
    second = keras.models.load_model(tmp_path / "x.keras")
    second.run_eagerly = True
    second.fit(data.skip(2), verbose=0)
    assert {"pool_a", "pool_b"} <= {weight.name for weight in second.weights}
    for one, other in zip(unbroken.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    panels = second.preview(0)
    assert [images.shape for images, _ in panels.values()] == [(48, *SHAPE)] * 2


def test_a_stargan_learns_moves_and_is_scored_on_translations_of_the_reference():
    model = tz.create("stargan", SHAPE, width=4, blocks=1, n_critic=2, seed=0, **NAMES)
    model.compile(run_eagerly=True)
    data = tf.data.Dataset.from_tensor_slices((A, KNOWN)).batch(8)
    assert np.isfinite(list(model.fit(data, verbose=0, validation_data=data).history.values())).all()
    ((images, columns),) = model.preview(0).values()
    assert images.shape == (8 * 4, *SHAPE)
    assert columns == 4
    asked_of, names = model.condition.changes(KNOWN[:1])
    np.testing.assert_array_equal(asked_of[0], [[1, 0, 0], [0, 1, 0], [1, 0, 1]])
    assert names == NAMES["attribute_names"]
    record = tz.evaluate(model, A, metrics="ms_ssim", verbose=False)
    assert record["protocol"]["num_generated"] == 8
    drawn = np.asarray(model.condition.sample(2000, 0))
    assert (drawn[:, :2].sum(1) == 1).all()
    np.testing.assert_allclose(drawn.mean(0), 0.5, atol=0.05)


# ---- bad input ----------------------------------------------------------------------------------------------------


def star(**numbers):
    return tz.create("stargan", SHAPE, width=4, blocks=1, **NAMES | numbers)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: m.fit(A, verbose=0), r"pix2pix learns from two images at a time: give pairs, such as"),
        (lambda m: m.fit(A, np.arange(8), verbose=0), r"beside images come int64 \(8,\)"),
        (lambda m: m.fit(A, B[:5], verbose=0), "There are 8 images and 5 others"),
        (lambda m: m.fit(A, B[:, :4], verbose=0), r"images are \(4, 8, 1\), but pix2pix makes \(8, 8, 1\)"),
        (lambda m: m.translate(A * 3), "they belong in"),
        (lambda m: m.translate(A, KNOWN), "told nothing beside images: leave it out"),
        (lambda m: m.generate(2, labels=[0, 1]), "is unconditional"),
        (lambda m: tz.create("pix2pix", SHAPE, width=4, dropout=1.0), "dropout=1.0"),
        (lambda m: tz.create("pix2pix", SHAPE, width=4, l1_weight=-1.0), "l1_weight=-1.0"),
        (
            lambda m: tz.create("cyclegan", (8, 8, 3), width=4, source_channels=1),
            "Give identity_weight=0, or load both",
        ),
        (lambda m: tz.create("cyclegan", (30, 30, 1), width=4), "multiples of 4; the nearest size is 32 x 32"),
        (lambda m: tz.create("cyclegan", SHAPE, width=4, pool_size=-1), "pool_size=-1"),
        (lambda m: star().translate(A), "stargan needs attributes beside images"),
        (lambda m: star().translate(A, KNOWN[:, :2]), "takes 3 numbers for each of the 8 images: red, green, old"),
        (lambda m: star().translate(A, 2 * KNOWN - 1), "0 for without and 1 for with"),
        (lambda m: star(exclusive=(("red", "blue"),)), "Unknown attribute in exclusive 'blue'"),
        (lambda m: tz.conditions.Attributes("red"), "names='red'"),
    ],
)
def test_refuses_in_a_sentence(pix2pix, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(pix2pix)


def test_grey_and_colour_are_translated_without_identity():
    model = tz.create("cyclegan", (8, 8, 3), width=4, blocks=1, source_channels=1, identity_weight=0.0)
    assert model.translate(A).shape == (8, 8, 8, 3)
    assert model.translate_back(model.translate(A)).shape == A.shape
    assert "identity_loss" not in model.loss_names()
    pair = tz.create("pix2pix", (8, 8, 3), width=4, source_channels=1)
    assert pair.translate(A).shape == (8, 8, 8, 3)
