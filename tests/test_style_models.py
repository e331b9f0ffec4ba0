"""Style models: styles of layers, mixing, truncation, path length, what is saved and exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo.networks import r3gan, stylegan2
from tfgan_zoo.objectives import Relativistic
from tfgan_zoo.penalties import R1, R2, ApproximateR1, ApproximateR2, PathLength

RNG = np.random.default_rng(0)
SHAPE = (8, 8, 1)
IMAGES = np.tanh(RNG.normal(size=(16, *SHAPE))).astype("float32")
SMALL = {"width": 4, "latent_dim": 6, "style_dim": 5, "depth": 1}
SEED = tf.constant([3, 4])


def small(name="stylegan2", **numbers):
    tz.runtime.setup(seed=0)
    model = tz.create(name, SHAPE, seed=0, **SMALL | numbers)
    model.compile(run_eagerly=True)  # tracing takes longer than all steps here
    return model


@pytest.fixture(scope="module")
def trained():
    """Three steps, between two uses of each penalty; its noise has grown by hand, so that it would show."""
    tz.runtime.setup(seed=0)
    model = small(path_length=PathLength(every=2), penalties=(R1(0.01, every=2),))
    for network in (model.generator, model.ema_network):
        for layer in network.get_layer("synthesis").layers:
            if isinstance(layer, tz.layers.NoiseInjection):
                layer.strength.assign(0.3)
    model.history_of_three = model.fit(batches(3), verbose=0).history
    return model


def batches(steps, size=8):
    return tf.data.Dataset.from_tensor_slices(IMAGES).repeat().batch(size).take(steps)


# ---- networks -------------------------------------------------------------------------------------------------------


def weights_in(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def count_stylegan2(shape, width, depth, num_classes=None, **critic):
    mapping = stylegan2.mapping(512, 512, depth, num_classes=num_classes)
    generator = stylegan2.generator(mapping, stylegan2.synthesis(shape, 512, width, 512))
    critic = stylegan2.discriminator(shape, width, 512, num_classes=num_classes, **critic)
    return weights_in(generator), weights_in(critic)


def test_parameters_are_those_of_the_papers_network_for_cifar():
    assert count_stylegan2((32, 32, 3), 512, 2, residual=False) == (19_947_539, 20_720_641)


@pytest.mark.slow
def test_parameters_are_those_of_the_papers_networks():
    assert count_stylegan2((32, 32, 3), 512, 2, 10, residual=False) == (20_215_315, 23_089_664)
    assert count_stylegan2((1024, 1024, 3), 32, 8) == (30_370_060, 29_012_513)
    assert count_stylegan2((256, 256, 3), 64, 8) == (24_767_458, 24_001_089)
    assert count_stylegan2((64, 64, 3), 256, 8) == (23_819_544, 23_407_361)


@pytest.mark.parametrize(
    ("shape", "width", "classes", "expected"),
    [
        ((32, 32, 3), 768, 10, (20_781_952, 21_280_512)),
        pytest.param((64, 64, 3), 384, None, (22_429_824, 22_381_440), marks=pytest.mark.slow),
        pytest.param((256, 256, 3), 96, None, (23_057_952, 23_009_568), marks=pytest.mark.slow),
    ],
)
def test_parameters_are_those_of_r3gans_networks(shape, width, classes, expected):
    generator = r3gan.generator(shape, 64, width, 768, num_classes=classes)
    critic = r3gan.discriminator(shape, width, 768, num_classes=classes)
    assert (weights_in(generator), weights_in(critic)) == expected


@pytest.mark.parametrize("side", [28, 96])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sizes_and_channels(side, channels):
    if (side, channels) == (96, 1):
        side, shape = 96, (96, 64, 1)
    else:
        shape = (side, side, channels)
    synthesis = stylegan2.synthesis(shape, 3, 1, 2)
    assert synthesis.output_shape == (None, *shape)
    assert synthesis.input_shape[1] == 2 * stylegan2.grids.plan(shape, stylegan2.SIZES, name="x")[1] + 2


def test_an_untrained_synthesis_keeps_the_variance_of_its_maps():
    """Equalised rates and demodulation: maps of every size have a mean square near 1, without any training."""
    synthesis = stylegan2.synthesis((64, 64, 3), 16, 64, 64)
    shown = [layer.output for layer in synthesis.layers if isinstance(layer, tz.layers.Rectifier)]
    maps = keras.Model(synthesis.input, shown)(RNG.normal(size=(8, synthesis.input_shape[1], 16)).astype("float32"))
    for one in maps:
        assert 0.2 < float(tf.reduce_mean(one**2)) < 2.5, one.shape  # the filter of a doubling takes some


def test_an_untrained_r3gan_is_linear_in_its_blocks():
    """The last convolution of every branch begins at 0."""
    critic = r3gan.discriminator((16, 16, 1), 8, 32, blocks=1)
    zeros = [layer for layer in critic.layers if isinstance(layer, keras.layers.Conv2D) and not np.any(layer.kernel)]
    assert len(zeros) == 3  # a block for each of 16, 8 and 4
    x = RNG.normal(size=(2, 16, 16, 1)).astype("float32")
    np.testing.assert_allclose(critic(2.0 * x), 2.0 * critic(x), rtol=1e-3, atol=1e-4)


# ---- the relativistic objective and penalties without second derivatives --------------------------------------------


def test_pairs_are_compared_in_their_order():
    objective, real, fake = Relativistic(), RNG.normal(size=(5, 1)), RNG.normal(size=(5, 1))
    loss = np.logaddexp(0, fake - real).mean()
    assert float(objective.discriminator_loss(real, fake)) == pytest.approx(loss, rel=1e-5)
    assert float(objective.generator_loss(fake, real)) == pytest.approx(np.logaddexp(0, real - fake).mean(), rel=1e-5)
    assert float(objective.generator_loss(real, fake)) == pytest.approx(loss, rel=1e-5)  # swapped sides, swapped losses
    assert float(objective.discriminator_loss(real + 3.0, fake + 3.0)) == pytest.approx(loss, rel=1e-5)
    assert float(objective.discriminator_loss(real, real)) == pytest.approx(np.log(2.0), rel=1e-6)
    assert objective.needs_real


def test_finite_differences_cost_what_the_slopes_cost():
    direction = RNG.normal(size=(64, 1)).astype("float32")
    real, fake = (RNG.uniform(-1, 1, (512, *SHAPE)).astype("float32") for _ in range(2))

    def critic(images):
        x = tf.reshape(images, (-1, 64)) @ direction
        return tf.tanh(0.1 * x)

    for exact, approximate in ((R1(3.0), ApproximateR1(3.0)), (R2(3.0), ApproximateR2(3.0))):
        wanted = float(exact(critic, real, fake, SEED))
        assert float(approximate(critic, real, fake, SEED)) == pytest.approx(wanted, rel=0.25)
        assert approximate.name == exact.name
    with pytest.raises(ValueError, match=r"stddev=0\.0"):
        ApproximateR1(1.0, stddev=0.0)


@pytest.mark.parametrize("layers_", [1, 3])
def test_path_length_of_a_linear_synthesis(layers_):
    """G(w) = A w: lengths |A' y|, on average |A|_F / sqrt(pixels)."""
    matrix = RNG.normal(size=(5, 64)).astype("float32")
    styles = RNG.normal(size=(2000, layers_, 5)).astype("float32")

    def synthesis(styles):
        return tf.reshape(tf.reduce_sum(styles @ matrix, axis=1), (-1, *SHAPE))

    penalty = PathLength(weight=2.0, decay=0.01)
    lengths = penalty.lengths(synthesis, tf.constant(styles), SEED).numpy()
    assert (lengths**2).mean() == pytest.approx((matrix**2).sum() / 64, rel=0.1)
    value, mean = penalty(synthesis, tf.constant(styles), 0.7, SEED)
    assert float(mean) == pytest.approx(0.99 * 0.7 + 0.01 * lengths.mean(), rel=1e-5)
    assert float(value) == pytest.approx(2.0 * ((lengths - 0.7) ** 2).mean(), rel=1e-4)
    assert penalty.initial_state() == {"path_length_mean": 0.0}
    with pytest.raises(ValueError, match=r"share=0\.0"):
        PathLength(share=0.0)


def test_adam_beside_a_lazy_penalty_has_the_papers_numbers():
    model = tz.create("stylegan2", SHAPE, **SMALL)
    rates = {name: one["config"] for name, one in model.default_optimizers.items()}
    assert rates["discriminator_optimizer"]["learning_rate"] == pytest.approx(2e-3 * 16 / 17)
    assert rates["discriminator_optimizer"]["beta_2"] == pytest.approx(0.99 ** (16 / 17))
    assert rates["generator_optimizer"]["learning_rate"] == pytest.approx(2e-3 * 4 / 5)
    assert model.penalties == (R1(1e-5 * 64, every=16),)


def test_lazy_penalties_of_both_players_act_in_their_steps(trained):
    """Of steps 0, 1 and 2 every second one, twice as strong; the mean length moves in those alone."""
    logs = trained.history_of_three
    assert logs["r1"][0] > 0
    assert logs["path_length"][0] > 0
    assert float(trained.state["path_length_mean"]) > 0
    assert logs["loss"][0] == pytest.approx(sum(logs[name][0] for name in trained.loss_names()), rel=1e-5)


# ---- styles ---------------------------------------------------------------------------------------------------------


def test_a_latent_has_one_image_and_training_draws_noise(trained):
    np.testing.assert_array_equal(trained.generate(4, seed=1), trained.generate(4, seed=1))
    latents = trained.draw_latents(4, 1)
    first, second = (trained.generator(latents, training=True) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_truncation_is_affine_in_styles_and_0_is_one_image(trained):
    assert np.any(trained.mean_style)
    latents = trained.draw_latents(5, 0)
    styles = trained.map(latents)
    np.testing.assert_allclose(trained.map(latents, truncation_psi=1.0), styles)
    half = trained.mean_style + 0.5 * (styles - trained.mean_style)
    np.testing.assert_allclose(trained.map(latents, truncation_psi=0.5), half, atol=1e-6)
    images = trained.draw(latents, truncation_psi=0.0).numpy()
    np.testing.assert_allclose(images, np.broadcast_to(images[:1], images.shape), atol=1e-5)
    np.testing.assert_allclose(trained.draw(latents), trained.ema_network(latents), atol=1e-5)
    cut = trained.map(latents, truncation_psi=0.0, truncation_cutoff=2).numpy()
    np.testing.assert_allclose(cut[:, 2:], styles[:, 2:], atol=1e-6)
    np.testing.assert_allclose(cut[:, :2], np.broadcast_to(trained.mean_style, (5, 2, 5)), atol=1e-6)


def test_mixing_gives_some_images_another_latents_styles_from_a_layer_on():
    model = small(style_mixing=0.5, path_length=None)
    latents = model.latents("a", 400)
    mixed = model.styles_of(latents, None, lambda network, inputs: network(inputs), "a").numpy()
    plain = np.asarray(model.mapping(latents))[:, None]
    own = np.isclose(mixed, plain, atol=1e-6).all(-1)  # (images, layers)
    assert own[:, 0].all()
    assert (np.diff(own.astype(int), axis=1) <= 0).all()
    changed = ~own[:, -1]
    assert changed.mean() == pytest.approx(0.5, abs=0.1)
    firsts = (~own[changed]).argmax(1)
    assert set(firsts) == set(range(1, model.num_ws))
    assert small(style_mixing=0.0).styles_of(latents, None, lambda net, x: net(x), "a").numpy() == pytest.approx(
        np.broadcast_to(plain, mixed.shape), abs=1e-6
    )


def test_tools_of_styles(trained, tmp_path):
    grid = tz.latents.mix_styles(trained, 2, 3, cutoff=2, seed=4, to=tmp_path / "mix.png").reshape(3, 4, *SHAPE)
    styles = trained.map(trained.draw_latents(5, 4)).numpy()
    own = trained.synthesize_styles(styles).numpy()
    np.testing.assert_allclose(grid[1:, 0], own[:2], atol=1e-5)
    np.testing.assert_allclose(grid[0, 1:], own[2:], atol=1e-5)
    mixed = np.concatenate([styles[1:2, :2], styles[4:5, 2:]], axis=1)
    np.testing.assert_allclose(grid[2, 3], trained.synthesize_styles(mixed)[0], atol=1e-5)
    pulled = tz.latents.truncate_styles(trained, (1.0, 0.0), 3, seed=4, to=tmp_path / "psi.png")
    np.testing.assert_allclose(pulled[:3], own[:3], atol=1e-5)
    np.testing.assert_allclose(pulled[3], pulled[5], atol=1e-5)
    assert (tmp_path / "mix.png").exists()
    assert (tmp_path / "psi.png").exists()


def test_a_projected_image_of_the_model_is_found_and_w_plus_comes_closer(trained):
    images = trained.generate(2, seed=5)
    far = ((trained.draw(trained.draw_latents(2, 5), truncation_psi=0.0).numpy() - images) ** 2).mean((1, 2, 3))
    given = {"steps": 120, "verbose": False}
    one = tz.latents.project_styles(trained, images, **given)
    assert one.latents.shape == (2, trained.num_ws, 5)
    np.testing.assert_array_equal(one.latents, np.broadcast_to(one.latents[:, :1], one.latents.shape))
    assert (one.errors < 0.2 * far).all()
    np.testing.assert_allclose(one.errors, ((one.images - images) ** 2).mean((1, 2, 3)), rtol=1e-3)
    strange = np.clip(images + 0.3 * RNG.normal(size=images.shape), -1, 1).astype("float32")
    w, plus = (tz.latents.project_styles(trained, strange, per_layer=more, **given).errors for more in (False, True))
    assert (plus < w + 1e-4).all()


def test_mapping_and_synthesis_can_be_asked_apart(trained):
    asked = trained.endpoints()
    mapping, specs, example = asked["mapping"]
    assert [spec.name for spec in specs] == ["latents", "truncation_psi"]
    styles = mapping(**{name: tf.constant(value) for name, value in example.items()})["styles"]
    images = asked["synthesis"][0](styles)["images"]
    np.testing.assert_allclose(images, trained.draw(tf.zeros((1, 6)), truncation_psi=0.7), atol=1e-6)


def test_what_is_saved_goes_on_to_the_bit(trained, tmp_path):
    trained.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.path_length == trained.path_length
    assert loaded.style_mixing == 0.9
    loaded.run_eagerly = True
    np.testing.assert_array_equal(loaded.mean_style, trained.mean_style)
    np.testing.assert_array_equal(loaded.generate(3, seed=0), trained.generate(3, seed=0))
    for one in (trained, loaded):
        one.fit(batches(2), verbose=0)
    for ours, theirs in zip(loaded.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: tz.create("stylegan2", (30, 30, 1)), "nearest is 28 x 28"),
        (lambda: tz.create("stylegan2", (28, 30, 1)), "nearest sizes are 28 x 28 and 28 x 32"),
        (lambda: tz.create("stylegan2", (2,)), "StyleGAN networks make images"),
        (lambda: small(style_mixing=1.5), "style_mixing=1.5"),
        (lambda: tz.latents.mix_styles(tz.create("gan", SHAPE, width=4)), "gan has no styles"),
        (
            lambda: tz.StyleGAN(*pair(), objective=Relativistic()),
            'no layers "mapping" and "synthesis"',
        ),
    ],
)
def test_refuses_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def pair():
    networks = tz.networks.mlp
    return networks.generator(SHAPE, 3, 4), networks.discriminator(SHAPE, 4)


@pytest.mark.parametrize(("call", "value"), [("mix_styles", {"cutoff": 9}), ("truncate_styles", {"psi": 1.5})])
def test_tools_refuse_in_a_sentence(trained, call, value):
    with pytest.raises(ValueError, match="=".join(map(str, *value.items()))):
        getattr(tz.latents, call)(trained, **value)
