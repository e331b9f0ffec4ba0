"""What a seed gives today is what it gave before: weights after three steps of every entry, and models saved earlier.

`python -m tests.test_behaviour_kept` writes the files anew, which is right only where behaviour is meant to change. The
weights are kept as random projections: 64 of them tell the distance of two vectors to about a tenth.
"""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import registry

KEPT = pathlib.Path(__file__).parent / "kept"
THREE_STEPS = KEPT / "three_steps.npz"
pytestmark = pytest.mark.filterwarnings("ignore:.*updates a step")
ENTRIES = [
    "gan",
    "dcgan",
    "lsgan",
    "wgan",
    "wgan_gp",
    "dragan",
    "hinge_gan",
    "sngan",
    "ebgan",
    "began",
    "cgan",
    "acgan",
    "projection_gan",
    "infogan",
    "improved_gan",
]
RESIDUAL = ("sngan", "projection_gan", "wgan_gp")
SAVED = ("dcgan", "acgan", "began", "improved_gan", "sngan")
LARGE = ("improved_gan", "sngan")  # seconds each
PROJECTIONS = 64


def shapes(name):
    size = {"wgan_gp": 32}.get(name, 16 if name in RESIDUAL else 8)
    return {"images": (size, size, 1), "points": (2,)}


def model_of(name, shape, **overrides):
    tz.runtime.setup(seed=0)
    fewer = {"n_critic": 2} if registry.keywords(name)["n_critic"] > 2 else {}
    model = tz.create(name, image_shape=shape, **{"width": 4, "seed": 0} | fewer | overrides)
    model.compile(run_eagerly=True)
    return model


def three_steps(model, shape):
    images = np.tanh(np.random.RandomState(0).normal(size=(24, *shape))).astype("float32")
    labels = (np.arange(24) % 10).astype("int32")
    model.fit(tf.data.Dataset.from_tensor_slices((images, labels)).batch(8), verbose=0)


def flat(arrays):
    return np.concatenate([np.asarray(array, "float64").ravel() for array in arrays])


def projected(vector):
    signs = np.random.RandomState(1).randint(0, 2, (PROJECTIONS, len(vector))) * 2 - 1
    return signs @ vector / PROJECTIONS**0.5


def measured(name, kind):
    """What is kept of an entry: projections of its weights after three steps, how far they moved, and of images."""
    model = model_of(name, shapes(name)[kind])
    networks = {part: getattr(model, part) for part in ("generator", "discriminator", "ema_network")}
    before = {part: flat(network.get_weights()) for part, network in networks.items()}
    three_steps(model, shapes(name)[kind])
    found = {"images": projected(flat([model.generate(4, seed=0)]))}
    for part, network in networks.items():
        after = flat(network.get_weights())
        found |= {part: projected(after), f"{part}_moved": np.linalg.norm(after - before[part])}
    return {f"{name}/{kind}/{what}": value for what, value in found.items()}


@pytest.mark.parametrize("kind", ["images", "points"])
@pytest.mark.parametrize("name", ENTRIES)
def test_three_steps_end_where_they_ended(name, kind):
    with np.load(THREE_STEPS) as kept:
        for key, value in measured(name, kind).items():
            if key.endswith("_moved"):
                continue
            apart = np.linalg.norm(value - kept[key])
            way = 1.0 if key.endswith("images") else kept[f"{key}_moved"]
            assert apart <= 1e-4 * way, f"{key} is {apart / way:.2g} of the way from where it was"


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LARGE)) for one in SAVED])
def test_a_model_saved_by_an_earlier_version_loads_and_goes_on(name):
    model = keras.models.load_model(KEPT / f"{name}.keras")
    with np.load(KEPT / "saved.npz") as kept:
        np.testing.assert_allclose(model.generate(2, seed=0), kept[name], atol=1e-5)
        assert int(model.step) == 3
        three_steps(model, model.image_shape)
        np.testing.assert_allclose(model.generate(2, seed=0), kept[f"{name}_later"], atol=1e-3)


def write():
    KEPT.mkdir(exist_ok=True)
    found = {}
    for name in ENTRIES:
        for kind in ("images", "points"):
            found |= measured(name, kind)
    np.savez_compressed(THREE_STEPS, **found)
    images = {}
    for name in SAVED:
        shape = shapes(name)["images"]
        model = model_of(name, shape, **({"width": 2} if name != "improved_gan" else {"width": 8}))
        three_steps(model, shape)
        model.save(KEPT / f"{name}.keras")
        images[name] = model.generate(2, seed=0)
        model = keras.models.load_model(KEPT / f"{name}.keras")
        three_steps(model, shape)
        images[f"{name}_later"] = model.generate(2, seed=0)
    np.savez_compressed(KEPT / "saved.npz", **images)


if __name__ == "__main__":
    write()
