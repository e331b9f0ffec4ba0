"""Augmentations against NumPy, image by image, and what all of them owe: gradients, one seed one result, XLA."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo import noise
from tfgan_zoo.augmentations import DiffAugment, InstanceNoise

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (64, 16, 8, 3)).astype("float32")
SEED, STEP = tf.constant([3, 4]), tf.constant(5)
NOISE = InstanceNoise(0.2, steps=100)
COLOUR = DiffAugment(translation=0.0, cutout=0.0)
SHIFT = DiffAugment(colour=False, cutout=0.0)
CUT = DiffAugment(colour=False, translation=0.0)
ALL = [NOISE, InstanceNoise(steps=None), COLOUR, SHIFT, CUT, DiffAugment()]


@pytest.mark.parametrize(("step", "stddev"), [(0, 0.2), (50, 0.1), (75, 0.05), (100, 0.0), (1000, 0.0)])
def test_instance_noise_falls_on_a_straight_line(step, stddev):
    for images in (IMAGES, RNG.normal(size=(3000, 2)).astype("float32")):
        added = (NOISE(images, SEED, tf.constant(step)) - images).numpy()
        assert added.std() == pytest.approx(stddev, rel=0.05, abs=1e-7)
        assert added.mean() == pytest.approx(0.0, abs=0.01)
        if stddev:
            constant = (InstanceNoise(0.2, steps=None)(images, SEED, tf.constant(step)) - images).numpy()
            np.testing.assert_allclose(constant, added * 0.2 / stddev, atol=2e-6)


def test_colour_is_brightness_saturation_and_contrast_of_each_image():
    changed = COLOUR(IMAGES, SEED, STEP).numpy()
    found = []
    for before, after in zip(IMAGES.astype("float64"), changed.astype("float64"), strict=True):
        brightness = after.mean() - before.mean()
        grey_before, grey_after = before.mean(-1, keepdims=True), after.mean(-1, keepdims=True)
        contrast = _ratio(grey_after - after.mean(), grey_before - before.mean())
        saturation = _ratio(after - grey_after, before - grey_before) / contrast
        found.append((brightness, saturation, contrast))
        bright = before + brightness
        coloured = (bright - bright.mean(-1, keepdims=True)) * saturation + bright.mean(-1, keepdims=True)
        np.testing.assert_allclose(after, (coloured - coloured.mean()) * contrast + coloured.mean(), atol=1e-5)
    found = np.array(found)
    for column, (low, high) in enumerate([(-0.5, 0.5), (0.0, 2.0), (0.5, 1.5)]):
        share = (found[:, column] - low) / (high - low)
        assert -1e-5 < share.min() < 0.1
        assert 0.9 < share.max() < 1 + 1e-5
    assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.4


def _ratio(after, before):
    return (after * before).sum() / (before**2).sum()


def test_single_channels_have_no_saturation():
    before = IMAGES[..., :1]
    after = COLOUR(before, SEED, STEP).numpy()
    contrast = after.std((1, 2, 3)) / before.std((1, 2, 3))
    assert contrast.min() >= 0.5 - 1e-5
    assert contrast.max() <= 1.5 + 1e-5


def test_translation_shifts_whole_pixels_into_zeros():
    found = set()
    for before, after in zip(IMAGES, SHIFT(IMAGES, SEED, STEP).numpy(), strict=True):
        bordered = np.pad(before, ((2, 2), (1, 1), (0, 0)))
        fits = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-1, 2)
            if (bordered[2 - down : 18 - down, 1 - right : 9 - right] == after).all()
        ]
        assert len(fits) == 1
        found.update(fits)
    assert {down for down, _ in found} == {-2, -1, 0, 1, 2}
    assert {right for _, right in found} == {-1, 0, 1}
    assert len(found) >= 12  # the two ways are independent


@pytest.mark.parametrize("size", [(16, 8), (7, 6), (5, 10)])
def test_cutout_blanks_one_rectangle_of_half_the_size_cut_at_the_border(size):
    before = IMAGES[:, : size[0], :8] if size[1] <= 8 else np.tile(IMAGES[:, : size[0]], (1, 1, 2, 1))
    before = before[:, :, : size[1]]
    firsts = [set(), set()]
    for one, after in zip(before, CUT(before, SEED, STEP).numpy(), strict=True):
        blank = (after == 0).all(-1)
        np.testing.assert_array_equal(after, one * ~blank[..., None])
        np.testing.assert_array_equal(blank, np.outer(blank.any(1), blank.any(0)))
        for axis, along in enumerate((blank.any(1), blank.any(0))):
            side = int(size[axis] * 0.5 + 0.5)
            (places,) = np.nonzero(along)
            assert (np.diff(places) == 1).all()
            first = places[0] if places[0] else places[-1] + 1 - side
            assert places[-1] + 1 == min(first + side, size[axis])
            firsts[axis].add(int(first))
    for axis, found in enumerate(firsts):
        side = int(size[axis] * 0.5 + 0.5)
        possible = set(range(-(side // 2), size[axis] - side // 2 + 1 - side % 2))
        assert found <= possible
        assert len(found) > 0.6 * len(possible)


def test_gradients_reach_exactly_the_pixels_that_are_seen():
    weights = RNG.normal(size=IMAGES.shape).astype("float32")

    def gradient(augmentation):
        images = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(augmentation(images, SEED, STEP) * weights)
        return tape.gradient(total, images).numpy()

    np.testing.assert_array_equal(gradient(NOISE), weights)
    for linear in (SHIFT, CUT):  # <A x, w> = <x, A' w>
        seen = linear(np.ones_like(IMAGES), SEED, STEP).numpy()
        through, pulled = linear(IMAGES, SEED, STEP).numpy(), gradient(linear)
        np.testing.assert_allclose((through * weights).sum((1, 2, 3)), (IMAGES * pulled).sum((1, 2, 3)), atol=1e-3)
        assert (pulled != 0).sum() == (seen != 0).sum()
    np.testing.assert_array_equal(gradient(CUT), weights * CUT(np.ones_like(IMAGES), SEED, STEP).numpy())


def test_a_penalty_can_differentiate_twice_under_xla():
    augmentation = DiffAugment()

    def slope(images):
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as tape:
                tape.watch(images)
                total = tf.reduce_sum(augmentation(images, SEED, STEP) ** 3)
            squared = tf.reduce_sum(tape.gradient(total, images) ** 2)
        return outer.gradient(squared, images)

    eager = slope(tf.constant(IMAGES[:4])).numpy()
    assert (np.abs(eager).max((1, 2, 3)) > 0).all()
    compiled = tf.function(slope, jit_compile=True)(tf.constant(IMAGES[:4]))
    np.testing.assert_allclose(compiled, eager, rtol=1e-3, atol=1e-3 * np.abs(eager).max())


@pytest.mark.parametrize("augmentation", ALL, ids=str)
def test_the_same_in_any_batch_under_xla_and_on_replicas(augmentation, monkeypatch):
    eager = augmentation(IMAGES, SEED, STEP).numpy()
    assert eager.shape == IMAGES.shape
    np.testing.assert_array_equal(augmentation(IMAGES, SEED, STEP), eager)
    np.testing.assert_allclose(augmentation(IMAGES[:5], SEED, STEP), eager[:5], atol=1e-6)
    assert np.abs(augmentation(IMAGES, tf.constant([3, 5]), STEP).numpy() - eager).max() > 0.1
    unknown = (tf.TensorSpec((None, 16, 8, 3)), tf.TensorSpec((2,), "int32"), tf.TensorSpec((), "int32"))
    compiled = tf.function(augmentation.__call__, input_signature=unknown, jit_compile=True)
    np.testing.assert_allclose(compiled(IMAGES[:7], SEED, STEP), eager[:7], atol=2e-6)
    monkeypatch.setattr(noise, "shared", lambda draw, count: draw(2 * count)[count:])  # the second of two replicas
    np.testing.assert_allclose(augmentation(IMAGES[32:], SEED, STEP), eager[32:], atol=1e-6)


def test_leaving_a_part_out_moves_no_other():
    both = DiffAugment(colour=False)(IMAGES, SEED, STEP).numpy()
    shifted, seen = SHIFT(IMAGES, SEED, STEP).numpy(), CUT(np.ones_like(IMAGES), SEED, STEP).numpy()
    np.testing.assert_array_equal(both, shifted * seen)
    np.testing.assert_array_equal(DiffAugment(False, 0.0, 0.0)(IMAGES, SEED, STEP), IMAGES)


@pytest.mark.parametrize("augmentation", ALL, ids=str)
def test_config_comes_back_equal(augmentation):
    config = json.loads(json.dumps(augmentation.get_config()))
    back = type(augmentation).from_config(config)
    assert back == augmentation
    assert hash(back) == hash(augmentation)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: InstanceNoise(0.0), "stddev=0.0"),
        (lambda: InstanceNoise(steps=0), "steps=0"),
        (lambda: InstanceNoise(steps=True), "steps=True"),
        (lambda: DiffAugment(colour=0.5), "colour=0.5"),
        (lambda: DiffAugment(translation=1.0), "translation=1.0"),
        (lambda: DiffAugment(cutout=-0.5), "cutout=-0.5"),
        (lambda: DiffAugment(cutout=float("nan")), "cutout=nan"),
        (lambda: DiffAugment()(np.zeros((4, 2)), SEED, STEP), r"shape \(2,\).*InstanceNoise"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
