"""Being registered is being built, stepped, saved, reloaded, generated from and exported; and names that are wrong."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import noise, registry
from tfgan_zoo.networks import dcgan
from tfgan_zoo.registry import register

ROOT = pathlib.Path(__file__).parent.parent
SHAPE = (28, 28, 1)
IMAGES = np.tanh(np.random.default_rng(0).normal(size=(24, *SHAPE))).astype("float32")
LABELS = (np.arange(24) % 10).astype("int32")
INSIDE = "inside the hinge's margins both kinds of image pull the logit's bias alike"
FIXED = "the KL's weight rises only in a warm-up"
ROUND = "a single output has a single direction"
SLOW = "p stays at 0 until D knows the data"
GROWN = "with all sizes at once the smaller ones' colours take no part"
SMALLER = [
    f"{kind}_{stage}/{weight}" for kind in ("colours", "read") for stage in (0, 1) for weight in ("kernel", "bias")
]
AT_REST = {  # entry: {end of a weight's path: why the mathematics leaves it where it is}
    "beta_vae": {"beta": FIXED},
    "biggan": dict.fromkeys(("logits/u", "theta/u", "phi/u", "colours/u"), ROUND),
    "conditional_stylegan2_ada": {"ada_p": SLOW},
    "conditional_vae": {"beta": FIXED},
    "hinge_gan": {"logits/bias": INSIDE},
    "iwae": {"beta": FIXED},
    "projection_gan": {"logits/bias": INSIDE, "logits/u": ROUND},
    "progressive_gan": dict.fromkeys((*SMALLER, "alpha"), GROWN),
    "sagan": dict.fromkeys(("logits/u", "theta/u", "phi/u", "colours/u"), ROUND),
    "sngan": {"logits/u": ROUND},
    "stylegan": dict.fromkeys((*SMALLER, "alpha"), GROWN),
    "stylegan2_ada": {"ada_p": SLOW},
    "pixelvae": {"beta": FIXED},
    "vae": {"beta": FIXED},
}
FEW = {"sampling": tz.samplers.Sampling("ddim", 2)}
FEWER = {
    "classifier_guidance": FEW | {"multipliers": (1,), "classifier_width": 4},
    "consistency": {"multipliers": (1,)},
    "ddpm": FEW,
    "diffusion": FEW | {"multipliers": (1,)},
    "flow_matching": FEW,
    "guided_diffusion": FEW,
}
FEWER |= {"progressive_gan": {"phase_steps": 0}, "stylegan": {"phase_steps": 0}}  # so that every size learns
HEAVY = {
    "classifier_guidance",
    "consistency",
    "ddpm",
    "flow_matching",
    "guided_diffusion",
    "latent_diffusion",
}  # tested in full with the slow ones; `diffusion` stands for them
STYLED = {"stylegan", "stylegan2", "stylegan2_ada", "conditional_stylegan2_ada"}
HEAVY |= STYLED  # `test_style_models.py` stands for them
HEAVY |= {"r3gan", "conditional_r3gan", "sagan", "biggan", "progressive_gan"}  # their parts have tests of their own
FEWER |= {"cyclegan": {"blocks": 1, "pool_size": 4}, "stargan": {"blocks": 1, "n_critic": 2}}
HEAVY |= {"cyclegan", "pix2pix", "stargan"}  # see test_translation.py
HEAVY |= {"beta_vae", "denoising_autoencoder", "projection_gan"}  # `vae`, `autoencoder`, `cgan` stand
HEAVY |= {"conditional_pixelcnn", "pixelcnn"}  # see test_pixelcnn.py
HEAVY |= {"adversarial_autoencoder", "conditional_vae", "iwae", "semi_supervised_autoencoder"}  # `vae` and their tests
PIXEL_BY_PIXEL = {"pixelvae", "pixelgan_autoencoder"}
HEAVY |= PIXEL_BY_PIXEL  # see test_pixel_autoencoders.py
HEAVY |= {"density_network", "rbm", "realnvp"}  # see test_density.py, test_boltzmann.py and test_flow.py
HEAVY |= {"dragan", "gan", "hinge_gan", "lsgan", "wgan", "wgan_gp"}  # `dcgan` on other networks or with another loss
HEAVY |= {"acgan", "began", "ebgan", "improved_gan", "infogan", "sngan", "vae_gan", "vq_vae"}  # have files of tests
ENTRIES = [pytest.param(name, marks=[pytest.mark.slow] * (name in HEAVY)) for name in tz.list_models()]
FORMATS = {"classifier_guidance": ("saved_model",)}  # entry: those it is exported in, where LiteRT cannot express it


def batches(batch_size=12, model=None):
    return tf.data.Dataset.from_tensor_slices((IMAGES, beside(model, IMAGES, LABELS))).batch(batch_size)


def beside(model, images, labels):
    """What a model is given beside images: labels; other images, if it translates by itself."""
    return images[::-1] if hasattr(model, "translate") and model.condition is None else labels


def at_rest(weights, before):
    same = [np.array_equal(np.array(weight), old) for weight, old in zip(weights, before, strict=True)]
    return {weight.path for weight, rests in zip(weights, same, strict=True) if rests}


def next_losses(model):
    """Of two more steps on batches of 6, eagerly: tracing a second model takes longer than all else here."""
    model.run_eagerly, model.train_function = True, None
    return model.fit(batches(6, model).take(2), verbose=0).history


CANNOT = {  # entry: {"colour" or "points": the sentence that says that it makes none}
    "conditional_pixelcnn": {"points": "a PixelCNN orders pixels; for points take 'realnvp'"},
    "pixelcnn": {"points": "a PixelCNN orders pixels; for points take 'realnvp'"},
    **{name: {"points": "a PixelCNN orders pixels; for points take 'vae'"} for name in PIXEL_BY_PIXEL},
    "rbm": {"points": "an RBM has binary units; for points take 'realnvp'"},
    **{name: {"points": "translates images; for points take 'gan'"} for name in ("cyclegan", "pix2pix", "stargan")},
}
CANNOT |= {name: {"points": "StyleGAN networks make images"} for name in STYLED | {"progressive_gan"}}


def made(name, what, shape):
    """An entry at another shape makes images of it, or refuses in its sentence."""
    if what in CANNOT.get(name, {}):
        with pytest.raises(ValueError, match=CANNOT[name][what]):
            tz.create(name, image_shape=shape, width=8)
    else:
        model = tz.create(name, image_shape=shape, width=8, **FEWER.get(name, {}))
        assert model.generate(2, seed=0).shape == (2, *shape)


def latents_are_what_generate_starts_from(model):
    start = dict(model.start(3, noise.block_seed(0, 0)))  # latents, and whatever else is drawn beside them
    np.testing.assert_array_equal(start["latents"], model.draw_latents(3, 0))
    images = model.draw(**start, condition=model.condition_for(3, None, 0))
    np.testing.assert_allclose(images, model.generate(3, seed=0), atol=1e-5)
    assert model.draw(latents=start["latents"], condition=model.condition_for(3, None, 0)).shape == (3, *SHAPE)


def told(model):
    """What the verbs of a conditional model take beside images."""
    return () if model.condition is None else (LABELS[:3],)


def what_is_encoded_is_decoded(model):
    codes = model.encode(IMAGES[:3], *told(model))
    assert len(codes) == 3
    assert np.asarray(model.decode(codes, *told(model))).shape == (3, *SHAPE)


def images_come_back(model):
    again = np.asarray(model.reconstruct(IMAGES[:3], *told(model)))
    assert again.shape == (3, *SHAPE)
    assert np.isfinite(again).all()


def each_image_has_a_likelihood(model):
    nats = np.asarray(model.log_prob(IMAGES[:3], seed=0))
    assert nats.shape == (3,)
    assert np.isfinite(nats).all()
    assert isinstance(model.is_bound, bool)


def images_are_translated(model):
    made = model.translate(IMAGES[:3], *told(model))
    assert made.shape == (3, *SHAPE)
    np.testing.assert_allclose(model.translate(IMAGES[:1], *(one[:1] for one in told(model))), made[:1], atol=1e-5)
    shown = model.preview(0)
    assert all(np.asarray(images).std() > 0 for images, _ in shown.values())


CHECKS = {  # verb: what a model that has it is held to
    "draw_latents": latents_are_what_generate_starts_from,
    "encode": what_is_encoded_is_decoded,
    "reconstruct": images_come_back,
    "log_prob": each_image_has_a_likelihood,
    "translate": images_are_translated,
}


@pytest.mark.filterwarnings("ignore:.*updates a step")
@pytest.mark.parametrize("name", ENTRIES)
def test_contract(name, tmp_path):
    """Two steps on batches of 12 move every weight and every state; saved, loaded and exported it stays the same."""
    of_12 = {"n_critic": 2} if registry.keywords(name).get("n_critic", 1) > 2 else {}  # of a batch of 12
    fewer = of_12 | FEWER.get(name, {})
    model = tz.create(name, image_shape=SHAPE, width=8, seed=0, **fewer)
    model.compile()
    before = [np.array(weight) for weight in model.weights]
    history = model.fit(batches(model=model), verbose=0).history
    assert np.isfinite(list(history.values())).all()
    allowed = AT_REST.get(name, {})
    resting = at_rest(model.weights, before)
    assert {path for path in resting if not path.endswith(tuple(allowed))} == set()
    for verb, check in CHECKS.items():
        if hasattr(model, verb):
            check(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert next_losses(model) == next_losses(loaded)
    card = tz.export(model, tmp_path / "out", formats=FORMATS.get(name, ("saved_model", "tflite")))
    assert set(card["formats"]) >= set(FORMATS.get(name, ("saved_model", "tflite")))
    again = tz.load_exported(tmp_path / "out")
    if hasattr(model, "translate"):
        asked = IMAGES[:3], *told(model)
        np.testing.assert_allclose(again.translate(*asked, seed=1), model.translate(*asked, seed=1), atol=1e-4)
    else:
        np.testing.assert_allclose(again.generate(3, seed=1), model.generate(3, seed=1), atol=1e-4)
    made(name, "colour", (32, 32, 3))
    made(name, "points", (2,))


@pytest.mark.slow
@pytest.mark.parametrize("name", tz.list_models())
def test_every_entry_in_half_precision(name, tmp_path):
    tz.runtime.setup(seed=0, precision="mixed_bfloat16")
    half = tz.create(name, image_shape=SHAPE, width=8)
    half.compile()
    assert np.isfinite(list(half.fit(batches(model=half), verbose=0).history.values())).all()
    assert half.generate(2, seed=0).dtype == np.float32
    assert {weight.dtype for one in half.inference.values() for weight in one.weights} <= {"float32", "int32"}
    card = tz.export(half, tmp_path / "half")
    halved = set() if getattr(half, "draws_levels", False) else {"tflite_float16"}  # which would draw others
    assert set(FORMATS.get(name, {"saved_model", "tflite"} | halved)) <= set(card["formats"])
    assert tz.verify(tmp_path / "half").keys() == card["formats"].keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", tz.list_models())
def test_every_entry_compiled_in_colour(name):
    """At 32 x 32, where networks begin at a grid that they double and residual ones have all of their blocks."""
    told = subprocess.run([sys.executable, "-m", "tests.compiled", name], capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 0, told.stderr
    assert np.isfinite(list(json.loads(told.stdout.splitlines()[-1]).values())).all()


@pytest.mark.parametrize("size", dcgan.SIZES)
def test_dcgan_makes_every_size_it_names(size):
    shape = (size, size, 1)
    generator, critic = dcgan.generator(shape, 5, 1), dcgan.discriminator(shape, 1)
    assert generator.output_shape == (None, *shape)
    assert critic.output_shape == (None, 1)
    assert 8 <= size <= 128


def test_dcgan_sizes_are_four_to_eight_doubled():
    assert {8, 16, 28, 32, 64, 96, 112, 128} <= set(dcgan.SIZES)
    assert all(any(size == base * 2**k for base in range(4, 9) for k in range(6)) for size in dcgan.SIZES)


def test_dcgan_follows_the_paper():
    """Radford et al. 2016: Fig. 1's maps; no normalisation at G's output and D's input; nothing dense and hidden."""
    maps = [layer.output.shape[1:] for layer in dcgan.generator((64, 64, 3), 100, 128).layers]
    assert {(4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 3)} <= set(maps)
    for network, normed in ((dcgan.generator((64, 64, 3), 100, 8), 4), (dcgan.discriminator((64, 64, 3), 8), 3)):
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("BatchNormalization") == normed
        assert kinds.count("Dense") == 1
        assert "MaxPooling2D" not in kinds
    critic = dcgan.discriminator((64, 64, 3), 8)
    assert [layer.negative_slope for layer in critic.layers if "leaky" in layer.name] == [pytest.approx(0.2)] * 4
    kernel = np.array(dcgan.discriminator((64, 64, 3), 64).layers[3].kernel)
    assert kernel.std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    model = tz.create("dcgan", image_shape=(16, 16, channels), width=4)
    assert model.generate(2, seed=0).shape == (2, 16, 16, channels)


def test_points_have_no_bounds():
    model = tz.create("gan", image_shape=(2,), width=8)
    assert model.generator.layers[-2].activation is keras.activations.linear
    assert model.generate(5, seed=0).shape == (5, 2)


def test_the_papers_optimizers():
    model = tz.create("dcgan", image_shape=SHAPE, width=4)
    model.compile()
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    assert model.prior == tz.priors.Uniform(-1.0, 1.0)
    assert model.latent_dim == 100


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.create("dcgam", image_shape=SHAPE), "Unknown model 'dcgam'. Did you mean 'dcgan'"),
        (lambda: tz.create("DCGAN"), "Unknown model 'DCGAN'. Did you mean 'dcgan'"),
        (lambda: tz.create("dcgan"), "image_shape is missing: say what 'dcgan' makes, such as create"),
        (
            lambda: tz.create("dcgan", image_shape=SHAPE, widht=8),
            "Unknown argument of 'dcgan' 'widht'. Did you mean 'width'",
        ),
        (
            lambda: tz.create("dcgan", image_shape=(30, 30, 1)),
            r"image_shape=\(30, 30, 1\).*8, 10, 12.*nearest is 28 x 28",
        ),
        (lambda: tz.create("dcgan", image_shape=(28, 30, 1)), r"nearest sizes are 28 x 28 and 28 x 32"),
        (lambda: tz.create("sngan", image_shape=(8, 8, 1)), r"nearest is 16 x 16"),
        (lambda: tz.create("gan", image_shape=28), "image_shape=28: give"),
        (lambda: tz.create("gan", image_shape=(28, 28)), r"image_shape=\(28, 28\): give"),
        (lambda: tz.create("gan", image_shape=(28, 28, 2)), "channels 1, 3 or 4"),
        (lambda: tz.create("gan", image_shape=(0, 28, 1)), "image_shape"),
        (lambda: tz.runtime.setup(precision="float61"), "Unknown precision 'float61'"),
        (lambda: tz.runtime.setup(seed=-1), "seed=-1"),
        (lambda: tz.runtime.setup(seed="0"), "seed='0'"),
        (lambda: tz.runtime.setup(jit="yes"), "jit='yes'"),
        (lambda: tz.priors.Normal(0.0), "stddev=0.0"),
        (lambda: tz.priors.Uniform(1.0, 1.0), "low < high"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="already has a model 'dcgan'"):

        @register
        def dcgan(image_shape):
            """Never built."""
