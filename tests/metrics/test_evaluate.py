"""`evaluate` as a whole: real images reach the floor, noise does not; records, labels, caching, bad input."""

import dataclasses
import json
import os
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo import data, metrics
from tfgan_zoo.conditions import Classes
from tfgan_zoo.metrics import (
    cache,
    distance_name,
    evaluate,
    features,
    image_sources,
    inception,
    measures,
    metric_inputs,
    records,
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path / "cache"))
    cache.forget()
    yield tmp_path / "cache"
    cache.forget()


@pytest.fixture
def digits():
    return data.arrays("digits", "train")[0][:360]


class Noise:
    """The least that `evaluate` asks of a model."""

    name = "noise"

    def __init__(self, shape=(8, 8, 1), num_classes=None):
        self.shape, self.labels = shape, None
        self.condition = None if num_classes is None else Classes(num_classes)

    def stream(self, num_images, labels=None, seed=0, batch_size=64):
        self.labels = labels
        images = np.random.default_rng(seed).uniform(-1, 1, (num_images, *self.shape)).astype("float32")
        for start in range(0, num_images, batch_size):
            yield images[start : start + batch_size]


def plain(record):
    return {"scores": record["scores"], "protocol": record["protocol"]}


def test_real_images_are_at_the_floor_and_noise_is_far_above(digits):
    real, noise = evaluate(digits, "digits", verbose=False), evaluate(Noise(), "digits", verbose=False)
    floor = real["scores"]["fd_classifier_360_floor"]
    assert floor == noise["scores"]["fd_classifier_360_floor"]
    assert 0 < floor / 2 < real["scores"]["fd_classifier_360"] < 2 * floor
    assert noise["scores"]["fd_classifier_360"] > 20 * floor
    assert real["scores"]["precision_classifier_360"] > 0.8
    assert real["scores"]["recall_classifier_360"] > 0.8
    assert noise["scores"]["recall_classifier_360"] < 0.1
    assert 8 < real["scores"]["classifier_score_360"] <= 10
    assert sum(real["scores"]["class_histogram"]) == pytest.approx(1)


def test_one_class_alone_shows_in_every_score():
    images, labels = data.arrays("digits", "train")
    record = evaluate(images[labels == 3], "digits", verbose=False)
    assert records.score(record, "fd_classifier") > 10 * record["scores"][f"fd_classifier_{(labels == 3).sum()}_floor"]
    assert records.score(record, "recall_classifier") < 0.3
    assert records.score(record, "classifier_score") < 1.5
    assert record["scores"]["class_histogram"][3] > 0.9


def test_the_record_says_what_decided_it(digits):
    record = evaluate(digits[:200], "digits", seed=5, verbose=False)
    protocol = record["protocol"]
    assert protocol["reference"] == "digits"
    assert protocol["split"] == "test"
    assert protocol["num_real"] == 360
    assert protocol["num_generated"] == 200
    assert protocol["floor_num_real"] == 200
    assert protocol["seed"] == 5
    assert protocol["resize"] == "none"
    assert protocol["labels"] == "none"
    assert protocol["image_shape"] == [8, 8, 1]
    assert protocol["extractor"]["name"] == "digits"
    assert protocol["extractor"]["hash"] == features.classifier_for("digits").hash
    assert protocol["extractor"]["features"] == 32
    assert record["wall_s"] > 0
    assert record["cpu_s"] > 0
    assert record["created"].endswith("+00:00")
    assert json.loads(json.dumps(record)) == record


def test_the_same_call_gives_the_same_record():
    first, again, other = (evaluate(Noise(), "digits", seed=seed, verbose=False) for seed in (0, 0, 1))
    assert plain(first) == plain(again)
    assert first["scores"] != other["scores"]


def test_arrays_floats_and_datasets_score_alike(digits):
    floats = digits.astype("float32") / 127.5 - 1
    expected = evaluate(digits, "digits", verbose=False)["scores"]
    labelled = tf.data.Dataset.from_tensor_slices((floats, np.zeros(360, "int32")))
    for images in (floats, labelled, labelled.batch(50), labelled.batch(50).map(lambda image, label: image)):
        scores = evaluate(images, "digits", verbose=False)["scores"]
        assert list(scores) == list(expected)
        assert scores["fd_classifier_360"] == pytest.approx(expected["fd_classifier_360"], rel=1e-3)


def test_datasets_of_dicts_and_of_single_images_are_read_as_arrays():
    images = np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices({"label": np.arange(9), "image": images})
    for source in (dataset, dataset.batch(4), dataset.map(lambda row: (row["image"], row["label"]))):
        assert image_sources.shape_of(source) == (8, 8, 1)
        found = np.concatenate(list(image_sources.stream(source, 9, None, 0, 4, points=False)))
        np.testing.assert_array_equal(found, images)


def test_datasets_without_images_or_of_many_sizes_get_a_sentence():
    many = tf.data.Dataset.range(3, 6).map(lambda side: tf.zeros((side, 4, 1)))
    named = tf.data.Dataset.from_tensor_slices({"picture": np.zeros((9, 8, 8, 1), "float32")})
    for source, says in ((many, "Bring images to one size"), (named, "dicts of 'picture': map them to images")):
        with pytest.raises(ValueError, match=says) as caught:
            list(image_sources.stream(source, 3, None, 0, 4, points=False))
        assert "{{" not in str(caught.value)


def test_a_short_dataset_is_scored_or_refused(digits):
    short = tf.data.Dataset.from_tensor_slices(digits[:100]).batch(64)
    assert evaluate(short, "digits", verbose=False)["protocol"]["num_generated"] == 100
    with pytest.raises(ValueError, match="200 images were asked for and the dataset ended after 100"):
        evaluate(short, "digits", num_images=200, verbose=False)


def test_images_of_another_size_and_colour_are_fitted_and_that_is_recorded(digits):
    large = np.repeat(np.repeat(np.repeat(digits, 2, 1), 2, 2), 3, 3)
    record = evaluate(large, "digits", verbose=False)
    assert record["protocol"]["resize"] == "generated: RGB to gray, bilinear antialiased 16x16 to 8x8; real: none"
    assert record["protocol"]["image_shape"] == [16, 16, 3]
    assert records.score(record, "fd_classifier") < 5 * record["scores"]["fd_classifier_360_floor"]


def test_a_conditional_model_is_given_the_references_labels():
    model = Noise(num_classes=10)
    record = evaluate(model, "digits", seed=1, verbose=False)
    assert record["protocol"]["labels"] == "drawn like the reference's"
    assert model.labels.shape == (360,)
    assert set(model.labels) == set(range(10))
    drawn = model.labels
    evaluate(model, "digits", seed=1, verbose=False)
    np.testing.assert_array_equal(model.labels, drawn)
    given = evaluate(model, "digits", labels=np.full(360, 7), verbose=False)
    assert given["protocol"]["labels"] == "given"
    assert set(model.labels) == {7}
    with pytest.raises(ValueError, match="10 classes and the model knows 4"):
        evaluate(Noise(num_classes=4), "digits", verbose=False)
    with pytest.raises(ValueError, match="5 entries for 360 images"):
        evaluate(model, "digits", labels=np.zeros(5), verbose=False)


def test_the_floor_comes_from_another_split_and_can_be_left_out():
    assert evaluate(Noise(), "digits", split="train", verbose=False)["protocol"]["floor_split"] == "test"
    record = evaluate(Noise(), "digits", split="validation", verbose=False)
    assert record["protocol"]["floor_split"] == "train"
    without = evaluate(Noise(), "digits", floor=False, verbose=False)
    assert not [name for name in without["scores"] if name.endswith("_floor")]
    assert without["protocol"]["floor_num_real"] is None


def test_arrays_serve_as_reference(digits):
    mean_and_deviation = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.AveragePooling2D(4), keras.layers.Flatten()]
    )
    record = evaluate(digits[:100], digits, extractor=mean_and_deviation, verbose=False)
    assert record["protocol"]["split"] is None
    assert record["protocol"]["num_real"] == 360
    assert set(record["scores"]) == {"fd_custom_100", "precision_custom_100", "recall_custom_100"}
    with pytest.raises(ValueError, match=r"No classifier is shipped for 'the array'.*extractor=your_keras_model"):
        evaluate(digits, digits, metrics="fd", verbose=False)


def test_what_is_known_of_real_images_is_read_again(own_cache, monkeypatch):
    first = evaluate(Noise(), "digits", verbose=False)
    stored = sorted(own_cache.rglob("*.arrays"))
    assert len(stored) == 5  # features of two splits, moments and neighbours of one, the floor
    cache.forget()
    passes = []
    collect = features.collect
    monkeypatch.setattr(features, "collect", lambda *given: passes.append(given[3]) or collect(*given))
    assert plain(evaluate(Noise(), "digits", verbose=False)) == plain(first)
    assert passes == ["generated images"]


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-100], lambda body: body[:200] + b"\0\1" + body[202:], lambda _: b""]
)
def test_a_damaged_cache_is_built_again(own_cache, damage):
    first = evaluate(Noise(), "digits", verbose=False)
    whole = {path: path.read_bytes() for path in own_cache.rglob("*.arrays")}
    for path, body in whole.items():
        path.write_bytes(damage(body))
    cache.forget()
    assert plain(evaluate(Noise(), "digits", verbose=False)) == plain(first)
    for path in whole:
        assert cache._read(path) is not None


def test_a_cache_that_cannot_be_written_costs_a_warning(own_cache):
    own_cache.write_text("a file where the directory should be")
    with pytest.warns(UserWarning, match="Nothing was cached"):
        evaluate(Noise(), "digits", verbose=False)


@pytest.mark.parametrize("name", ["gaussian", "ring8", "grid25"])
def test_points_are_their_own_features(name):
    points = data.arrays(name, "train")[0]
    record = evaluate(points, name, num_images=2000, split="test[:2000]", verbose=False)
    scores = record["scores"]
    assert record["protocol"]["extractor"]["name"] == "identity"
    assert scores["fd_points_2000"] < 0.05
    assert scores["precision_points_2000"] > 0.9
    if name == "gaussian":
        assert "modes_covered_2000" not in scores
    else:
        assert scores["modes_covered_2000"] == int(name[-2:].strip("gd"))
        assert scores["high_quality_2000"] == pytest.approx(0.989, abs=0.01)
    assert distance_name(name) == "fd_points"


def test_names_of_distances(digits):
    assert distance_name("digits") == "fd_classifier"
    assert distance_name(digits) is None


def test_scores_are_found_by_the_beginning_of_their_key():
    record = {
        "scores": {"fd_classifier_360": 1.5, "fd_classifier_360_floor": 1.0, "recall_a_9": 0.1, "recall_b_9": 0.2}
    }
    assert records.score(record, "fd_classifier") == 1.5
    assert records.score(record, "fd_classifier_360_floor") == 1.0
    with pytest.raises(ValueError, match=r"Unknown score 'fid'. .*fd_classifier_360"):
        records.score(record, "fid")
    with pytest.raises(ValueError, match="'recall' could be recall_a_9 or recall_b_9"):
        records.score(record, "recall")
    record["scores"] |= {"fd_classifier_360_in_2": 1.2, "fd_classifier_360_in_8": 1.4}  # of the same, in few steps
    assert records.score(record, "fd_classifier") == 1.5
    assert records.score(record, "fd_classifier_360_in_2") == 1.2
    record["scores"]["fd_classifier_3600"] = 1.1  # of other images: nobody can say which is meant
    with pytest.raises(ValueError, match="could be fd_classifier_360 or"):
        records.score(record, "fd_classifier")


def test_records_are_saved_and_shown(tmp_path, capsys):
    record = evaluate(Noise(), "digits", verbose=False)
    records.save(record, tmp_path / "score.json")
    assert records.load(tmp_path / "score.json") == record
    records.show(record)
    line = next(line for line in capsys.readouterr().out.splitlines() if "fd_classifier_360" in line)
    assert f"{record['scores']['fd_classifier_360']:.4g}" in line
    assert f"{record['scores']['fd_classifier_360_floor']:.4g}" in line


def with_nan(images):
    images = images.astype("float32") / 127.5 - 1
    images[3, 0, 0, 0] = np.nan
    return images


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda x: x[:1], r"32 features needs at least 64 images .* and the array gives 1\."),
        (lambda x: x[:40], "needs at least 64 images"),
        (with_nan, "1 of 360 images contain NaN"),
        (lambda x: x.astype("float32"), r"must lie in \[-1, 1\]; these run from 0 to 255. .*x / 127.5 - 1"),
        (lambda x: x.astype("float32") / 255, r"x \* 2 - 1"),
        (lambda x: x.astype("float32") / 50 - 2.5, "Clip or rescale them"),
        (lambda x: x.astype("int64"), "they are int64"),
        (lambda x: x[..., 0], r"the shape is \(360, 8, 8\)"),
        (lambda x: np.repeat(x, 2, 3), "1 or 3 channels"),
        (lambda x: list(x), "A list cannot be scored"),
    ],
)
def test_bad_images_are_named(digits, spoil, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(spoil(digits), "digits", verbose=False)


def test_bad_batches_of_a_model_are_named():
    class Broken(Noise):
        def stream(self, *given, **named):
            yield from (batch * np.float32(np.nan) for batch in super().stream(*given, **named))

    with pytest.raises(ValueError, match="256 of 256 images contain NaN"):
        evaluate(Broken(), "digits", verbose=False)


def test_bad_arguments_are_named(digits):
    with pytest.raises(ValueError, match="num_images=500, and only 360 images were given"):
        evaluate(digits, "digits", num_images=500, verbose=False)
    with pytest.raises(ValueError, match="num_images='all' is not a number"):
        evaluate(Noise(), "digits", num_images="all", verbose=False)
    with pytest.raises(ValueError, match="images that are there already take none"):
        evaluate(digits, "digits", labels=np.zeros(360), verbose=False)
    unpooled = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"must have the shape \(N, d\)"):
        evaluate(digits, "digits", extractor=unpooled, verbose=False)
    with pytest.raises(ValueError, match="leave extractor out"):
        evaluate(np.zeros((100, 2), "float32"), "ring8", extractor=keras.Sequential(), verbose=False)
    with pytest.raises(ValueError, match=r"an array \(N, 2\) is needed"):
        evaluate(digits, "ring8", verbose=False)


def test_a_collapsed_gray_model_is_scored_and_not_refused():
    flat = np.full((100, 8, 8, 1), 0.5, "float32")
    assert evaluate(flat, "digits", verbose=False)["scores"]["recall_classifier_100"] < 0.1


def test_fashion_mnist_reaches_its_floor():
    try:
        images = data.arrays("fashion_mnist", "train")[0][-1000:]
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    scores = evaluate(images, "fashion_mnist", split="test[:2000]", verbose=False)["scores"]
    assert scores["fd_classifier_1000"] < 2 * scores["fd_classifier_1000_floor"]
    assert scores["precision_classifier_1000"] > 0.8


class Smooth(Noise):
    """A conditional model of smeared digits with the verbs of an autoencoder, and a uniform likelihood."""

    image_shape = (8, 8, 1)
    likelihood_protocol = {"samples": 1, "dequantisation": "uniform", "data_scale": 127.5}  # noqa: RUF012

    def __init__(self, drift=0.05):
        super().__init__(num_classes=10)
        self.drift = drift
        stored, self.known = data.arrays("digits", "train")
        self.images = stored.astype("float32") / 127.5 - 1

    def stream(self, num_images, labels=None, seed=0, batch_size=64):
        random = np.random.default_rng(seed)
        rows = np.array([random.choice(np.flatnonzero(self.known == label)) for label in labels])
        images = self.images[rows] + random.normal(0, self.drift, (num_images, 8, 8, 1))
        images = np.clip(images, -1, 1).astype("float32")
        for start in range(0, num_images, batch_size):
            yield images[start : start + batch_size]

    def draw_latents(self, num_images, seed):
        return np.random.default_rng(seed).uniform(-1, 1, (num_images, 4)).astype("float32")

    def draw(self, latents, condition=None):
        return np.clip(self.images[condition] + latents[:, :1, None, None], -1, 1)

    def reconstruct(self, images):
        return 0.5 * images

    is_bound = True

    def log_prob(self, images, seed=None):
        return np.full(len(images), -64 * np.log(256 / 127.5))


ELSEWHERE = {
    "fid",
    "inception_score",
    "modes_covered",
    "high_quality",
    "convergence",
    "paired_mae",
    "paired_psnr",
    "paired_ssim",
    "cycle_mae",
    "identity_mae",
}


def test_all_metrics_in_one_call_and_one_pass(monkeypatch):
    passes = []
    collect = features.collect
    monkeypatch.setattr(features, "collect", lambda *given: passes.append(given[3]) or collect(*given))
    record = evaluate(Smooth(), "digits", metrics="all", verbose=False)
    assert passes.count("generated images") == 1
    assert passes.count("digits/test") == 1
    assert passes.count("digits/train") == 2  # as many as were generated, for the floor; and more, for memorisation
    assert set(record["left_out"]) == {"modes", "convergence", "translation", "cycle_consistency"}
    assert set(record["cpu_s_of"]) == {"features", *measures.MEASURES} - set(record["left_out"])
    assert json.loads(json.dumps(record)) == record
    scores = record["scores"]
    for measure in measures.MEASURES.values():
        for stem in measure.best:
            found = any(key == stem or key.startswith(f"{stem}_") for key in scores)
            assert found != (stem in ELSEWHERE), stem
    assert scores["p_of_copying"] < 1e-3  # they are training images with some noise
    assert scores["copying_classifier_360"] > 0.6
    assert scores["authenticity_classifier_360"] < scores["authenticity_classifier_360_floor"] - 0.1
    assert scores["gan_test_classifier_360"] > 0.97
    assert abs(scores["gan_train_360"] - scores["gan_train_360_floor"]) < 0.06
    assert scores["coverage_classifier_360"] > 0.9
    assert scores["modes_present_classifier_360"] == 10
    assert record["deviations"]["kid_classifier_360"] > 0
    assert record["protocol"]["settings"]["density_coverage"] == {"k": 5}
    assert scores["bits_per_dim_360"] == pytest.approx(8.0, abs=1e-12)
    assert record["protocol"]["likelihood"]["kind"] == "bound"
    assert all(metrics.best(score) in (min, max, None) for score in scores if not score.endswith("_floor"))


def test_a_model_of_images_alone_is_scored_and_each_sentence_says_why_the_rest_is_left_out():
    record = evaluate(Noise(), "digits", metrics="all", verbose=False)
    left_out = record["left_out"]
    assert {"path_length", "likelihood", "reconstruction", "translation", "convergence", "gan_test"} <= set(left_out)
    assert (
        left_out["path_length"]
        == "A path through latent space needs a model with .draw_latents, and this one has none."
    )
    assert left_out["likelihood"] == "A likelihood needs a model with .log_prob, and this one has none."
    assert np.isfinite(record["scores"]["fd_classifier_360"])
    assert "likelihood" not in record["protocol"]


@pytest.mark.parametrize(
    ("prior", "path"), [(tz.priors.Normal(), tz.latents.slerp), (tz.priors.Uniform(), tz.latents.lerp)]
)
def test_paths_of_normal_latents_are_great_circles_and_those_of_others_straight(prior, path, monkeypatch):
    fewer = dataclasses.replace(measures.MEASURES["path_length"], settings={"num_paths": 40, "epsilon": 1e-2})
    monkeypatch.setitem(measures.MEASURES, "path_length", fewer)
    gan = tz.create("gan", image_shape=(8, 8, 1), width=8, latent_dim=4, prior=prior, seed=0)
    record = evaluate(gan, "digits", metrics="path_length", num_images=20, verbose=False)
    expected = metrics.perceptual_path_length(
        lambda z: np.asarray(gan.draw(z)),
        lambda images: features.classifier_for("digits")(images)["features"],
        np.asarray(gan.draw_latents(80, 0)),
        epsilon=1e-2,
        interpolate=path,
    )
    assert record["scores"]["path_length_classifier_40"] == pytest.approx(expected[0], rel=1e-3)


class Uniform:
    """All that likelihoods and reconstructions need: nothing is generated, and no features are looked at."""

    name, condition, is_bound, image_shape = "uniform", None, False, (8, 8, 1)

    def __init__(self, data_scale=None):
        if data_scale is not None:
            self.likelihood_protocol = {"data_scale": data_scale, "dequantisation": "uniform"}
        self.scale, self.seeds = data_scale or 1, []

    def stream(self, *given, **named):
        raise AssertionError("images were generated")

    def log_prob(self, images, seed=None):
        self.seeds.append(seed)
        return np.full(len(images), -64 * np.log(256 / self.scale))

    def reconstruct(self, images):
        return np.clip(images + 0.5, -1, 1)


@pytest.mark.parametrize("scale", [1, 127.5, 256])
def test_a_uniform_model_of_256_levels_has_8_bits_on_any_scale(scale):
    model = Uniform(scale)
    record = evaluate(model, "digits", metrics="likelihood", seed=3, batch_size=200, verbose=False)
    assert record["scores"]["bits_per_dim_360"] == pytest.approx(8.0, abs=1e-12)
    assert record["scores"]["nats_360"] == pytest.approx(-64 * np.log(256 / scale))
    assert record["deviations"] == pytest.approx({"bits_per_dim_360": 0.0, "nats_360": 0.0}, abs=1e-12)
    said = {"kind": "exact", "samples": None, "dequantisation": "uniform", "data_scale": scale}
    assert record["protocol"]["likelihood"] == said
    assert (record["protocol"]["num_generated"], record["protocol"]["extractor"]) == (0, None)
    assert model.seeds == [3, 203]
    assert json.loads(json.dumps(record)) == record


def test_of_fewer_images_and_records_of_one_kind_of_data_are_ranked():
    exact, bound, other = (Uniform(scale) for scale in (256, 1, 256))
    bound.is_bound, other.likelihood_protocol = True, {"data_scale": 256, "dequantisation": "none"}
    given = [
        evaluate(one, "digits", metrics=["likelihood"], num_images=50, verbose=False) for one in (exact, bound, other)
    ]
    assert set(given[0]["scores"]) == {"nats_50", "bits_per_dim_50"}
    assert exact.seeds == [0]
    given[1]["protocol"]["likelihood"]["dequantisation"] = "uniform"
    assert "nats_50 ↑" in tz.compare(given[:2])
    with pytest.raises(ValueError, match="they differ in likelihood"):
        tz.compare([given[0], given[2]])


def test_bits_are_left_out_where_the_scale_is_not_said_and_pairs_where_there_are_none(digits):
    record = evaluate(Uniform(), "digits", metrics=("likelihood", "reconstruction"), verbose=False)
    names = {f"reconstruction_{kind}_360" for kind in ("mse", "psnr", "ssim")}
    assert set(record["scores"]) == {"nats_360"} | names
    real = data.arrays("digits", "test")[0].astype("float32") / 127.5 - 1
    again = np.clip(real + 0.5, -1, 1)
    assert record["scores"]["reconstruction_mse_360"] == pytest.approx(np.mean((again - real) ** 2), rel=1e-5)
    alike = np.mean(tf.image.ssim(real + 1, again + 1, 2.0, filter_size=8))  # the whole side, of 8 pixels
    assert record["scores"]["reconstruction_ssim_360"] == pytest.approx(alike, abs=1e-5)
    model = Uniform()
    model.translate = model.reconstruct
    with pytest.raises(ValueError, match="digits has no pairs: translation is scored against the target"):
        evaluate(model, "digits", metrics="translation", verbose=False)
    source, target = np.full((7, 8, 8, 1), 128, np.uint8), np.full((7, 8, 8, 1), 153, np.uint8)
    reference = types.SimpleNamespace(
        info=types.SimpleNamespace(is_pairs=True, name="halves"),
        sources=lambda *_: source,
        images=lambda *_: (target, None),
        batch_size=3,
    )
    inputs = metric_inputs.MetricInputs(model, reference, "test", 7, 0, 0, (8, 8, 1), None, None)
    translation = measures.MEASURES["translation"]
    assert translation.lacks(inputs) is None
    away = 0.5 - 25 / 127.5
    one, other, c1 = 128 / 127.5 + 0.5, 153 / 127.5, 0.02**2  # brightness from 0; of flat images SSIM has no other term
    alike = (2 * one * other + c1) / (one**2 + other**2 + c1)
    assert translation(inputs) == pytest.approx(
        {"paired_mae_7": away, "paired_psnr_7": 10 * np.log10(4 / away**2), "paired_ssim_7": alike}, rel=1e-3
    )
    with pytest.raises(ValueError, match=r"Translation needs a model with \.translate, and this one has none"):
        evaluate(Uniform(), "digits", metrics="translation", verbose=False)
    with pytest.raises(ValueError, match="these metrics look at real images: leave them out"):
        evaluate(Uniform(), "digits", metrics="likelihood", labels=np.zeros(360), verbose=False)
    with pytest.raises(ValueError, match=r"needs a model with \.log_prob, and these are images"):
        evaluate(digits, "digits", metrics="likelihood", verbose=False)


def test_each_metric_is_what_its_function_gives(digits):
    asked = ("kid", "density_coverage", "ms_ssim", "sliced_wasserstein", "ndb", "memorisation")
    record = evaluate(digits, "digits", metrics=asked, verbose=False, seed=2)
    assert "fd_classifier_360" not in record["scores"]
    extractor = features.classifier_for("digits")
    floats = {split: data.arrays("digits", split)[0].astype("float32") / 127.5 - 1 for split in ("train", "test")}
    fake = digits.astype("float32") / 127.5 - 1
    seen = {split: extractor(images)["features"] for split, images in floats.items()}
    seen["fake"] = extractor(fake)["features"]
    scores = record["scores"]
    density, coverage = metrics.density_coverage(seen["test"], seen["fake"])
    assert scores["density_classifier_360"] == pytest.approx(density, rel=1e-3)
    assert scores["coverage_classifier_360"] == pytest.approx(coverage, abs=0.01)
    kid = metrics.kernel_distance(seen["test"], seen["fake"], 180, 100, seed=2)
    assert scores["kid_classifier_360"] == pytest.approx(kid[0], rel=1e-2, abs=1e-2)
    assert record["deviations"]["kid_classifier_360"] == pytest.approx(kid[1], rel=1e-2)
    assert scores["ms_ssim_360"] == pytest.approx(metrics.ms_ssim(fake, None, 1000, seed=2)[0], abs=1e-6)
    (distance,) = metrics.sliced_wasserstein(floats["test"], fake, seed=2).values()
    assert scores["sliced_wasserstein_360"] == pytest.approx(distance, rel=1e-5)
    assert scores["copying_classifier_360"] > 0.6  # the first training images, given as samples
    copying = metrics.data_copying(seen["train"], seen["test"], seen["fake"])
    assert (scores["copying_classifier_360"], scores["p_of_copying"]) == pytest.approx(copying, rel=1e-3)
    for images, key in (("fake", "authenticity_classifier_360"), ("test", "authenticity_classifier_360_floor")):
        assert scores[key] == pytest.approx(metrics.authenticity(seen["train"], seen[images]), abs=0.01)


def test_metrics_do_not_depend_on_the_batch_size(digits):
    asked = ("fd", "kid", "density_coverage")
    few, many = (evaluate(digits[:200], "digits", metrics=asked, batch_size=size, verbose=False) for size in (64, 200))
    for key, value in few["scores"].items():
        assert many["scores"][key] == pytest.approx(value, rel=1e-3), key


def test_a_folder_of_pictures_is_scored_and_its_class_folders_are_labels(tmp_path, digits):
    labels = data.arrays("digits", "train")[1][:360]
    for number, (image, label) in enumerate(zip(digits, labels, strict=True)):
        (tmp_path / "all").mkdir(exist_ok=True)
        (tmp_path / "classes" / str(label)).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image[:, :, 0])
        picture.save(tmp_path / "all" / f"{number:03}.png")
        picture.save(tmp_path / "classes" / str(label) / f"{number:03}.png")
    expected = evaluate(digits, "digits", verbose=False)
    found = evaluate(tmp_path / "all", "digits", verbose=False)
    assert found["scores"] == expected["scores"]
    record = evaluate(str(tmp_path / "classes"), "digits", metrics=("gan_test", "fd"), verbose=False)
    assert record["scores"]["gan_test_classifier_360"] > 0.98
    assert record["protocol"]["labels"] == "the folder's"
    with pytest.raises(ValueError, match="have no labels: score a conditional model"):
        evaluate(tmp_path / "all", "digits", metrics="gan_test", verbose=False)
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*none of pictures to score"):
        evaluate(tmp_path / "none", "digits", verbose=False)


def test_labels_of_images_serve_gan_test(digits):
    labels = data.arrays("digits", "train")[1][:360]
    right = evaluate(digits, "digits", metrics="gan_test", labels=labels, verbose=False)
    wrong = evaluate(digits, "digits", metrics="gan_test", labels=9 - labels, verbose=False)
    assert right["scores"]["gan_test_classifier_360"] > 0.98
    assert wrong["scores"]["gan_test_classifier_360"] < 0.02


def test_began_has_its_measure_of_convergence():
    model = tz.create("began", image_shape=(16, 16, 1), width=4)
    record = evaluate(model, "digits", metrics="convergence", num_images=64, verbose=False)
    fake = model.generate(64, seed=0)
    real = data.arrays("digits", "test", image_size=16)[0].astype("float32") / 127.5 - 1
    real, fake = (
        float(np.mean(model.networks["discriminator"](images, training=False)["energy"])) for images in (real, fake)
    )
    gamma = model.objective.gamma
    expected = real + abs(gamma * real - fake)
    assert record["scores"]["convergence_64"] == pytest.approx(expected, rel=0.02)  # fakes pass through 256 levels
    assert record["protocol"]["image_shape"] == [16, 16, 1]


def test_metrics_that_cannot_apply_say_why(digits):
    mean = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.AveragePooling2D(4), keras.layers.Flatten()])
    for asked, sentence in {
        "fdd": r"Unknown metric 'fdd'\. Did you mean 'fd'",
        "path_length": "needs a model with .draw_latents, and these are images",
        "gan_train": "have no labels",
        "convergence": "with a BoundaryEquilibrium loss",
        "modes": "The modes of digits are not known",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            evaluate(digits, "digits", metrics=("kid", asked), verbose=False)
    with pytest.raises(ValueError, match="metrics is empty"):
        evaluate(digits, "digits", metrics=(), verbose=False)
    with pytest.raises(ValueError, match="is the training split itself"):
        evaluate(digits, "digits", metrics="memorisation", split="train[:500]", verbose=False)
    with pytest.raises(ValueError, match="the array has no training split"):
        evaluate(digits, digits, extractor=mean, metrics="memorisation", verbose=False)
    with pytest.raises(ValueError, match="gives no probabilities"):
        evaluate(digits, "digits", extractor=mean, metrics="classifier_score", verbose=False)
    with pytest.raises(ValueError, match="knows no classes and digits has 10"):
        evaluate(digits, "digits", extractor=mean, metrics="gan_test", verbose=False)
    large = digits.repeat(2, 1).repeat(2, 2)
    with pytest.raises(ValueError, match="16x16x1 and the reference is 8x8x1, so their pixels"):
        evaluate(large, digits, extractor=mean, metrics="sliced_wasserstein", verbose=False)
    with pytest.raises(ValueError, match="ring8 is points, which have no pixels"):
        evaluate(np.zeros((100, 2), "float32"), "ring8", metrics="ms_ssim", verbose=False)


def test_too_few_images_for_a_frechet_distance_are_offered_the_kernel_distance(digits):
    with pytest.raises(ValueError, match=r'needs at least 64 images .* the array gives 40\..*metrics=\("kid",\)'):
        evaluate(digits[:40], "digits", verbose=False)
    record = evaluate(digits[:40], "digits", metrics="all", verbose=False)
    assert "at least 64 images" in record["left_out"]["fd"]
    assert np.isfinite(record["scores"]["kid_classifier_40"])


def test_no_metric_is_known_by_two_names_and_each_says_what_it_needs():
    stems = [stem for measure in measures.MEASURES.values() for stem in measure.best]
    assert len(stems) == len(set(stems))
    for name, measure in measures.MEASURES.items():
        assert set(measure.needs) <= set(measures.NEEDS), name
        assert measure.function.__doc__, name


def test_all_that_applies_to_points(monkeypatch):
    fewer = dataclasses.replace(measures.MEASURES["memorisation"], settings={"num_train": 1000})
    monkeypatch.setitem(measures.MEASURES, "memorisation", fewer)
    points = data.arrays("ring8", "train")[0][:500]
    record = evaluate(points, "ring8", metrics="all", split="test[:1000]", verbose=False)
    assert {"images", "fd"} & set(record["left_out"]) == set()
    assert {"sliced_wasserstein", "ms_ssim", "parzen", "gan_train", "gan_test", "path_length"} <= set(
        record["left_out"]
    )
    assert record["scores"]["modes_covered_500"] == 8
    assert record["scores"]["coverage_points_500"] > 0.7
    assert 0.4 < record["scores"]["copying_points_500"] < 0.6


def test_progress_is_shown_and_can_be_silenced(digits, capsys):
    evaluate(digits[:100], "digits", metrics=("fd", "kid"), verbose=False)
    assert capsys.readouterr().out == ""
    evaluate(digits[:100], "digits", metrics=("fd", "kid"), verbose=True)
    shown = capsys.readouterr().out
    assert "generated images" in shown
    assert "100/100" in shown
    assert "metrics" in shown
    assert "2/2" in shown


def test_inceptions_scores_have_names_of_their_own_for_each_resize(digits):
    images = keras.Input((12, 12, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(images))
    small = keras.Model(images, {"features": x, "probabilities": keras.layers.Softmax()(keras.layers.Dense(5)(x))})
    asked = ("fd", "kid", "classifier_score")
    found = []
    for way in ("legacy", "clean"):
        extractor = features.make_extractor("inception2015", "inception-2015-12-05", small, inception.RESIZES[way])
        record = evaluate(digits, "digits", asked, extractor=extractor, verbose=False)
        names = [f"{score}_inception2015_360_{way}" for score in ("fid", "kid", "inception_score")]
        assert set(record["scores"]) == {*names, f"fid_inception2015_360_{way}_floor"}
        assert set(record["deviations"]) == set(names[1:])  # Salimans et al. 2016 report a deviation over ten splits
        found.append(record)
    assert found[0]["protocol"]["resize"] == "gray to RGB, bilinear as in TensorFlow 1 8x8 to 12x12"
    with pytest.raises(ValueError, match=r"not scored alike: they differ in resize"):
        tz.compare(found)


def test_a_record_knows_its_model_and_an_export_refuses_anothers(tmp_path):
    models = [tz.create("gan", image_shape=(2,), width=4, seed=seed) for seed in range(2)]
    record = tz.evaluate(models[0], "ring8", num_images=50, verbose=False)
    assert record["model"]["image_shape"] == [2]
    with pytest.raises(ValueError, match=r"The record is of another model \(gan, 2\)"):
        tz.export(models[1], tmp_path / "other", formats=(), scores=record)
    assert not (tmp_path / "other").exists()
    models[0].save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert tz.export(loaded, tmp_path / "own", formats=(), scores=record)["scores"] == record["scores"]
    assert tz.evaluate(np.zeros((50, 2), "float32") + np.arange(50)[:, None], "ring8", verbose=False)["model"] is None
