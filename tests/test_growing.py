"""GANs that grow: the parts of a size, fading, the schedule, and what rests until its turn comes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.models.growing import discriminator_at, generator_at
from tfgan_zoo.networks import growing, stylegan2

RNG = np.random.default_rng(0)
SHAPE = (16, 16, 1)  # sizes 4, 8 and 16
IMAGES = np.tanh(RNG.normal(size=(16, *SHAPE))).astype("float32")
LATENTS = RNG.normal(size=(4, 6)).astype("float32")
SMALL = {"width": 2, "latent_dim": 6}


def weights_in(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


@pytest.mark.slow
def test_parameters_are_those_of_the_papers_networks():
    shape = (1024, 1024, 3)
    assert weights_in(growing.generator(shape, 512, 16, 512)) == 23_079_115
    assert weights_in(growing.discriminator(shape, 16, 512)) == 23_087_249
    assert weights_in(growing.discriminator(shape, 16, 512, blur=True)) == 23_087_249
    mapping, synthesis = stylegan2.mapping(512, 512, 8), growing.synthesis(shape, 512, 16, 512)
    assert weights_in(stylegan2.generator(mapping, synthesis)) == 26_219_627


def up(images, times=1):
    return images.repeat(2**times, axis=1).repeat(2**times, axis=2)


def pooled(images):
    return np.asarray(tf.nn.avg_pool2d(images, 2, 2, "VALID"))


@pytest.mark.parametrize("kind", ["progressive", "style"])
def test_fading_is_a_straight_line_from_the_old_colours_to_the_new(kind):
    if kind == "style":
        network, given = growing.synthesis(SHAPE, 6, 2, 8), np.repeat(LATENTS[:, None], 6, axis=1)
    else:
        network, given = growing.generator(SHAPE, 6, 2, 8), LATENTS
    parts = [generator_at(network, stage) for stage in range(3)]
    assert [part.output_shape[1] for part in parts] == [4, 8, 16]
    alpha = network.get_layer("fade_2").alpha
    drawn = []
    for value in (0.0, 1.0, 0.25):
        alpha.assign(value)
        drawn.append(np.asarray(parts[2](given)))
    np.testing.assert_array_equal(drawn[0], up(np.asarray(parts[1](given))))
    assert np.abs(drawn[1] - drawn[0]).max() > 1e-3
    np.testing.assert_allclose(drawn[2], 0.75 * drawn[0] + 0.25 * drawn[1], atol=1e-5)
    alpha.assign(0.0)
    network.get_layer("fade_1").alpha.assign(0.0)
    small = np.asarray(parts[0](given))
    np.testing.assert_array_equal(np.clip(up(small, 2), -1, 1), network(given))  # an early image, enlarged
    assert weights_in(parts[0]) < weights_in(parts[1]) < weights_in(parts[2]) == weights_in(network)


def test_the_part_of_a_discriminator_is_the_whole_on_larger_images_that_are_not_there_yet():
    network = growing.discriminator(SHAPE, 2, 8)
    parts = [discriminator_at(network, stage) for stage in range(3)]
    assert [part.input_shape[1] for part in parts] == [4, 8, 16]
    network.get_layer("fade_2").alpha.assign(0.0)
    np.testing.assert_allclose(parts[1](pooled(IMAGES)), network(IMAGES), atol=1e-5)
    network.get_layer("fade_1").alpha.assign(0.0)
    np.testing.assert_allclose(parts[0](pooled(pooled(IMAGES))), network(IMAGES), atol=1e-5)
    network.get_layer("fade_1").alpha.assign(1.0)
    assert np.abs(np.asarray(parts[1](pooled(IMAGES)) - network(IMAGES))).max() < 1e-5


def grown(steps=2, name="progressive_gan", **numbers):
    tz.runtime.setup(seed=0)
    model = tz.create(name, SHAPE, seed=0, phase_steps=steps, **SMALL | numbers)
    model.compile(run_eagerly=True)
    return model


def batches(first, last):
    """Batches number first to last - 1 of an endless row of them."""
    return tf.data.Dataset.from_tensor_slices(IMAGES).repeat().batch(8).skip(first).take(last - first)


def test_the_schedule():
    model = grown(10)
    assert [model.stage_at(step) for step in (0, 9, 10, 29, 30, 49, 50, 1000)] == [0, 0, 1, 1, 2, 2, 2, 2]
    found = [float(model.alpha_at(step, model.stage_at(step))) for step in (0, 10, 15, 20, 29, 30, 35, 40, 1000)]
    np.testing.assert_allclose(found, [1, 0, 0.5, 1, 1, 0, 0.5, 1, 1])
    assert grown(0).stage_at(0) == 2


def test_real_images_are_as_large_as_what_is_trained_and_blended_while_it_fades_in():
    model = grown(2)
    for step, expected in ((0, pooled(pooled(IMAGES))), (3, None), (5, pooled(IMAGES))):
        model.step.assign(step)
        model.__dict__["_stage"] = model.stage_at(step)
        real, _ = model.critic_batch(tf.constant(IMAGES), None, 0)
        if expected is None:
            half = pooled(IMAGES)
            expected = 0.5 * half + 0.5 * up(pooled(half))
        np.testing.assert_allclose(real, expected, atol=1e-6)


def test_sizes_rest_until_their_turn_and_a_run_resumed_in_a_fade_goes_on_to_the_bit(tmp_path):
    whole = grown(2)
    before = [np.array(weight) for weight in whole.generator.get_layer("fade_2").weights]
    colours = [np.array(weight) for weight in whole.generator.get_layer("colours_2").weights]
    logs = whole.fit(batches(0, 3), verbose=0).history  # 0, 0 and the first step of size 1's fade
    assert np.isfinite(list(logs.values())).all()
    assert logs["stage"][0] == pytest.approx(1 / 3)
    np.testing.assert_array_equal(before[0], 0.0)
    for old, now in zip(colours, whole.generator.get_layer("colours_2").weights, strict=True):
        np.testing.assert_array_equal(now, old)  # Adam sees nothing of it, and leaves it alone
    images = np.asarray(whole.generate(2, seed=0))
    np.testing.assert_array_equal(images, up(images[:, ::4, ::4], 2))  # alpha is 0 still
    whole.save(tmp_path / "cut.keras")
    cut = keras.models.load_model(tmp_path / "cut.keras")
    cut.run_eagerly = True
    assert cut.phase_steps == 2
    for model in (whole, cut):
        model.fit(batches(3, 5), verbose=0)
    assert float(whole.generator.get_layer("fade_1").alpha) == 1.0
    for ours, theirs in zip(cut.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["progressive_gan", "stylegan"])
def test_every_stage_is_compiled_in_its_turn(name):
    model = grown(1, name, **({"style_dim": 5, "depth": 1} if name == "stylegan" else {}))
    model.compile()
    logs = model.fit(batches(0, 2), epochs=3, verbose=0).history
    assert logs["stage"] == [0.5, 1.5, 2.0]
    assert np.isfinite(logs["loss"]).all()
    assert np.isfinite(model.evaluate(batches(0, 1), verbose=0)).all()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: grown(-1), "phase_steps=-1"),
        (lambda: grown(0.5), r"phase_steps=0\.5"),
        (lambda: tz.create("progressive_gan", (2,)), "StyleGAN networks make images"),
        (lambda: tz.create("stylegan", (30, 30, 1)), "nearest is 28 x 28"),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
