"""What a served generator may be asked for, and what it answers to what it cannot."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from export_stand_ins import StandIn, image_model, point_model
from scipy import stats

from tfgan_zoo.export import saved_model
from tfgan_zoo.priors import Codes, Normal, Uniform

CAP = 12


def latents_as_points(stddev):
    """A "generator" that shows its latents as they are."""
    z = keras.Input((2,))
    return StandIn(keras.Model(z, keras.layers.Activation("linear")(z)), (2,), latent_dim=2, prior=Normal(stddev))


def latents_as_pixels(prior):
    """Latents as images of 1 x 8."""
    z = keras.Input((8,))
    return StandIn(keras.Model(z, keras.layers.Reshape((1, 8, 1))(z)), (1, 8, 1), prior=prior)


MODELS = {
    "points": lambda: latents_as_points(2.0),
    "normal": lambda: latents_as_pixels(Normal(0.3)),
    "uniform": lambda: latents_as_pixels(Uniform()),
    "codes": lambda: latents_as_pixels(Codes((3,), 1)),
    "conditional": lambda: image_model(channels=3, num_classes=3),
    "uniform points": point_model,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = {}

    def of(name):
        if name not in made:
            directory, model = tmp_path_factory.mktemp("served"), MODELS[name]()
            saved_model.write(model, directory / "1", max_images=CAP)
            loaded = tf.saved_model.load(directory / "1")
            made[name] = model, loaded.signatures, loaded  # which lives as long as its signatures are called
        return made[name][:2]

    return of


def ask(signature, **inputs):
    return {name: value.numpy() for name, value in signature(**{k: tf.constant(v) for k, v in inputs.items()}).items()}


def as_pixels(images):
    return np.clip(np.round((np.asarray(images, float) + 1) * 127.5), 0, 255)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("points", {"sample", "sample_truncated"}),
        ("uniform points", {"sample"}),
        ("normal", {"sample", "sample_png", "sample_truncated", "interpolate"}),
        ("uniform", {"sample", "sample_png", "interpolate"}),
        ("codes", {"sample", "sample_png", "sample_codes"}),
        ("conditional", {"sample", "sample_png", "sample_truncated", "interpolate"}),
    ],
)
def test_a_family_has_its_signatures(served, name, wanted):
    assert set(served(name)[1]) == {"serving_default", *wanted}


def test_the_truncated_are_quantiles_of_a_truncated_normal(served):
    """Each coordinate keeps its quantile: scipy's truncnorm is the independent word on what that gives."""
    model, signatures = served("points")
    latents = np.concatenate([model.draw_latents(CAP, seed) for seed in range(40)]).astype(float)
    for bound in (0.1, 0.5, 2.0):
        given = [
            ask(signatures["sample_truncated"], num_images=CAP, seed=seed, truncation=np.float32(bound))["images"]
            for seed in range(40)
        ]
        wanted = 2.0 * stats.truncnorm(-bound, bound).ppf(stats.norm.cdf(latents / 2.0))
        np.testing.assert_allclose(np.concatenate(given), wanted, rtol=1e-5, atol=1e-6)
        assert np.abs(given).max() <= 2.0 * bound
    untouched = ask(signatures["sample_truncated"], num_images=CAP, seed=0, truncation=np.float32(30.0))["images"]
    np.testing.assert_allclose(untouched, latents[:CAP], rtol=1e-6)


def test_the_way_between_normal_latents_is_an_arc_and_between_uniform_ones_a_line(served):
    share = np.linspace(0, 1, 7)[:, None]
    for name in ("normal", "uniform"):
        model, signatures = served(name)
        start, end = (np.asarray(model.draw_latents(1, seed), float)[0] for seed in (3, 4))
        angle = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))
        arc = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
        line = (1 - share) * start + share * end
        wanted, other = (arc, line) if name == "normal" else (line, arc)
        given = ask(signatures["interpolate"], seed_a=3, seed_b=4, steps=7)["images"].reshape(7, 8)
        assert np.abs(given - as_pixels(wanted)).max() <= 1
        assert np.abs(given - as_pixels(other)).max() > 3
        still = ask(signatures["interpolate"], seed_a=5, seed_b=5, steps=2)["images"]
        assert np.array_equal(still[0], still[1])
        np.testing.assert_array_equal(still[0], ask(signatures["sample"], num_images=1, seed=5)["images"][0])


def test_codes_of_ones_own_stand_beside_the_noise_of_the_seed(served):
    model, signatures = served("codes")
    codes = np.array([[1, 0, 0, -0.5], [0, 0, 1, 0.25], [0, 0.5, 0.5, 1]], np.float32)
    wanted = np.concatenate([model.draw_latents(3, 7).numpy()[:, :4], codes], axis=1)
    given = ask(signatures["sample_codes"], codes=codes, seed=7)["images"]
    assert given.dtype == np.uint8
    assert np.abs(given.reshape(3, 8) - as_pixels(wanted)).max() <= 1


def test_png_files_are_the_sampled_pixels(served):
    for name, asked in (("normal", {"num_images": 3}), ("conditional", {"labels": [0, 2, 1]})):
        _, signatures = served(name)
        files = ask(signatures["sample_png"], seed=4, **asked)["png_bytes"]
        assert all(file.startswith(b"\x89PNG") for file in files)
        pixels = np.stack([tf.io.decode_png(file).numpy() for file in files])
        np.testing.assert_array_equal(pixels, ask(signatures["sample"], seed=4, **asked)["images"])


def test_a_class_is_kept_on_the_way(served):
    model, signatures = served("conditional")
    given = ask(signatures["interpolate"], seed_a=0, seed_b=1, steps=3, label=2)["images"]
    ends = [model.generate(1, labels=np.array([2]), seed=seed)[0] for seed in (0, 1)]
    assert np.abs(given[[0, -1]] - as_pixels(ends)).max() <= 1
    other = ask(signatures["interpolate"], seed_a=0, seed_b=1, steps=3, label=1)["images"]
    assert not np.array_equal(given, other)


LATENTS = np.zeros((CAP + 1, 8), np.float32)
REFUSED = [
    ("normal", "sample", {"num_images": 0, "seed": 0}, "num_images must be from 1 to 12"),
    ("normal", "sample", {"num_images": CAP + 1, "seed": 0}, "num_images must be from 1 to 12"),
    ("normal", "sample_png", {"num_images": -1, "seed": 0}, "num_images must be from 1 to 12"),
    ("normal", "serving_default", {"latents": LATENTS}, "number of latents must be from 1 to 12"),
    ("normal", "interpolate", {"seed_a": 0, "seed_b": 1, "steps": 1}, "steps must be from 2 to 12"),
    ("normal", "interpolate", {"seed_a": 0, "seed_b": 1, "steps": 13}, "steps must be from 2 to 12"),
    ("normal", "sample_truncated", {"num_images": 1, "seed": 0, "truncation": 0.0}, "truncation must be above 0"),
    (
        "normal",
        "sample_truncated",
        {"num_images": 1, "seed": 0, "truncation": np.nan},
        "truncation must hold neither",
    ),
    (
        "normal",
        "sample_truncated",
        {"num_images": 1, "seed": 0, "truncation": np.inf},
        "truncation must hold neither",
    ),
    (
        "normal",
        "serving_default",
        {"latents": np.full((1, 8), np.nan, "f")},
        "latents must hold neither NaN",
    ),
    ("normal", "serving_default", {"latents": np.full((1, 8), -np.inf, "f")}, "latents must hold neither NaN"),
    ("codes", "sample_codes", {"codes": np.full((1, 4), np.nan, "f"), "seed": 0}, "codes must hold neither NaN"),
    (
        "codes",
        "sample_codes",
        {"codes": np.zeros((CAP + 1, 4), "f"), "seed": 0},
        "of codes must be from 1 to 12",
    ),
    ("normal", "sample_truncated", {"num_images": 99, "seed": 0, "truncation": 1.0}, "num_images must be from"),
    ("conditional", "sample", {"labels": [0, 3], "seed": 0}, "labels must be from 0 to 2"),
    ("conditional", "sample", {"labels": [-1], "seed": 0}, "labels must be from 0 to 2"),
    ("conditional", "sample", {"labels": [0] * 13, "seed": 0}, "number of labels must be from 1 to 12"),
    ("conditional", "sample", {"labels": np.zeros(0, np.int32), "seed": 0}, "number of labels must be from 1 to 12"),
    ("conditional", "serving_default", {"latents": LATENTS[:1], "labels": [3]}, "labels must be from 0 to 2"),
    ("conditional", "interpolate", {"seed_a": 0, "seed_b": 1, "steps": 2, "label": 3}, "labels must be from 0 to 2"),
]


@pytest.mark.parametrize(("name", "signature", "inputs", "sentence"), REFUSED)
def test_too_much_is_refused_in_a_sentence_and_the_next_request_is_answered(served, name, signature, inputs, sentence):
    _, signatures = served(name)
    inputs = {key: np.float32(value) if isinstance(value, float) else value for key, value in inputs.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        ask(signatures[signature], **inputs)
    rows = {"labels": [0]} if name == "conditional" else {"num_images": 1}
    assert len(ask(signatures["sample"], seed=0, **rows)["images"]) == 1


@pytest.mark.parametrize(
    "inputs",
    [
        {"num_images": 2.0, "seed": 0},
        {"num_images": [2], "seed": 0},
        {"num_images": 2},
        {"num_images": 2, "seed": 0, "labels": [1]},
        {"num_images": 2, "seed": "one"},
    ],
)
def test_other_types_shapes_and_names_are_refused(served, inputs):
    _, signatures = served("normal")
    with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError)):
        ask(signatures["sample"], **inputs)
