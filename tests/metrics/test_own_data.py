"""Data of one's own: a folder is scored in one call, by what is held out of it, in features that it has taught."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo import files
from tfgan_zoo.data import held_out
from tfgan_zoo.metrics import cache, evaluate, features, image_sources, measures, own_extractors
from tfgan_zoo.tuning import data_splits


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path / "cache"))
    cache.forget()
    yield tmp_path / "cache"
    cache.forget()


@pytest.fixture(autouse=True)
def few_patches(monkeypatch):
    fewer = {"num_images": 64, "patches_per_image": 16, "num_projections": 32}
    quick = dataclasses.replace(measures.MEASURES["sliced_wasserstein"], settings=fewer)
    monkeypatch.setitem(measures.MEASURES, "sliced_wasserstein", quick)
    quick = dataclasses.replace(measures.MEASURES["ms_ssim"], settings={"num_pairs": 20})
    monkeypatch.setitem(measures.MEASURES, "ms_ssim", quick)


class White:
    """A model of dark digits on white, none of whose pixels is below 0."""

    name, condition, image_shape = "white", None, (8, 8, 3)

    def __init__(self, low=0.0, channels=3):
        self.low, self.image_shape = low, (8, 8, channels)

    def stream(self, num_images, labels=None, seed=0, batch_size=64):
        images = np.random.default_rng(seed).uniform(self.low, 1, (num_images, *self.image_shape)).astype("float32")
        for start in range(0, num_images, batch_size):
            yield images[start : start + batch_size]


def folder_of(directory, count=120, classes=2, mode="RGB", sizes=(8, 10)):
    """Pictures of digits, of mixed sizes, in class folders or in none."""
    images, labels = tz.data.arrays("digits", "train")
    chosen = np.flatnonzero(labels < max(classes, 2))[:count]
    for number, row in enumerate(chosen):
        place = directory / str(labels[row]) if classes else directory
        place.mkdir(parents=True, exist_ok=True)
        side = sizes[number % len(sizes)]
        picture = Image.fromarray(255 - images[row][..., 0]).convert(mode).resize((side, side))
        picture.save(place / f"{number:03}.png")
    return directory


def quick(source, **more):
    return tz.metrics.train_extractor(source, **{"image_size": 8, "updates": 40, "verbose": False} | more)


def test_a_folder_of_mixed_sizes_is_scored_in_one_call_without_extractor_or_test_split(tmp_path, capsys):
    photographs = folder_of(tmp_path / "photographs")
    record = evaluate(White(), str(photographs))
    assert set(record["scores"]) == {"sliced_wasserstein_24", "scales_of_sliced_wasserstein", "ms_ssim_24", *floors(24)}
    assert "train one, tz.metrics.train_extractor(source)" in record["left_out"]["fd"]
    assert set(record["left_out"]) >= {"fd", "precision_recall", "classifier_score", "class_histogram"}
    protocol = record["protocol"]
    assert (protocol["split"], protocol["held_out"], protocol["num_real"]) == ("test", 24, 24)
    assert (protocol["image_shape"], protocol["extractor"]) == ([8, 8, 3], None)
    assert "photographs has no test split: 24 of its 120 images stand for one" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"No classifier is shipped for 'photographs'.*metrics\.extractor SOURCE"):
        evaluate(White(), photographs, metrics="kid", verbose=False)


def floors(count):
    return {f"ms_ssim_{count}_floor"}


def test_what_is_held_out_is_what_searches_hold_out_and_shares_nothing_with_the_rest(tmp_path):
    folder = folder_of(tmp_path / "mine", count=53)
    source = tz.data.with_test(folder)
    assert tz.data.info(source).num_images == {"train": 43, "test": 10}
    train, test = (tz.data.arrays(source, split, image_size=8) for split in ("train", "test"))
    everything, labels = tz.data.arrays(folder, "train", image_size=8)
    rows = held_out.order(53)
    np.testing.assert_array_equal(train[0], everything[np.sort(rows[:43])])
    np.testing.assert_array_equal(test[1], labels[np.sort(rows[43:])])
    np.testing.assert_array_equal(data_splits.read(folder, image_size=8).test[0], test[0])
    streamed = tz.data.load(source, "test[2:]", 8, batch_size=4, shuffle=False, drop_remainder=False, cache="none")
    np.testing.assert_allclose(
        np.concatenate([images for images, _ in streamed]), test[0][2:].astype("float32") / 127.5 - 1, atol=1e-6
    )
    np.savez(tmp_path / "mine.npz", images=everything, labels=labels)
    stored = tz.data.with_test(tmp_path / "mine.npz")
    np.testing.assert_array_equal(tz.data.arrays(stored, "test")[0], test[0])
    assert tz.data.with_test("digits") == "digits"
    with pytest.raises(ValueError, match="HeldOut is for sources with 'train' and without 'test'"):
        tz.data.info(tz.data.HeldOut("digits"))


def test_too_few_images_for_a_distance_leave_it_out_of_ones_own_data(tmp_path):
    folder = folder_of(tmp_path / "few", count=30, sizes=(8,))
    extractor = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    record = evaluate(White(-1), folder, extractor=extractor, verbose=False)
    assert "needs at least 384 images" in record["left_out"]["fd"]
    assert "precision_custom_6" in record["scores"]


def test_an_extractor_of_ones_own_is_found_and_its_hash_stands_in_the_scores_names(tmp_path):
    photographs = folder_of(tmp_path / "photographs", count=150)
    made = quick(photographs)
    assert made.kind == f"own{made.hash[:8]}"
    assert made.image_shape == (8, 8, 3)
    assert made.width == 8
    assert made.classes == 2
    record = evaluate(White(), photographs, verbose=False)
    assert f"fd_{made.kind}_30" in record["scores"]
    assert "class_histogram" in record["scores"]
    assert record["protocol"]["extractor"] == {"name": "photographs", "hash": made.hash, "features": 8}
    assert tz.metrics.distance_name(str(photographs)) == f"fd_{made.kind}"
    assert measures.best(f"fd_{made.kind}_30") is min
    real = tz.data.arrays(tz.data.with_test(photographs), "train", image_size=8)[0]
    better = evaluate(real[::4], photographs, metrics="fd", verbose=False)
    assert tz.metrics.records.score(better, "fd") < tz.metrics.records.score(record, "fd")
    splits = data_splits.read(photographs, image_size=8)
    assert splits.extractor is made or splits.extractor == made
    assert f"fd_{made.kind}_30" in splits.score(White())["scores"]
    Image.new("RGB", (8, 8)).save(next(photographs.rglob("000.png")).parent / "new.png")
    assert tz.metrics.extractor_for(photographs) is None  # it is not exactly that source any more


def test_an_extractor_is_kept_with_its_hash_and_trained_once(tmp_path, capsys):
    images, labels = tz.data.arrays("digits", "train")
    chosen = (images[labels < 3][:300], labels[labels < 3][:300])
    first = tz.metrics.train_extractor(chosen, to=tmp_path / "three.keras", updates=20)
    shown = capsys.readouterr().out
    assert "has learned its labels" in shown
    assert "right on images held out" not in shown  # arrays have no test split of their own
    begin = (tmp_path / "three.keras").stat().st_mtime_ns
    assert quick(chosen, to=tmp_path / "three.keras", updates=20) == first
    assert (tmp_path / "three.keras").stat().st_mtime_ns == begin
    record = evaluate(images[:150], "digits", "fd", extractor=str(tmp_path / "three.keras"), verbose=False)
    assert f"fd_{first.kind}_150" in record["scores"]
    card = files.read_json(tmp_path / "three.json")
    assert card["sha256"].startswith(first.hash)
    files.write_json(tmp_path / "three.json", card | {"sha256": "0" * 64})
    features._read.cache_clear()
    with pytest.raises(ValueError, match=r"not the file that three\.json describes"):
        features.read(tmp_path / "three.keras")
    with pytest.raises(FileNotFoundError, match=r"there is no such \.keras file"):
        evaluate(images[:100], "digits", extractor=tmp_path / "none.keras", verbose=False)


def test_what_no_extractor_can_learn_from_is_said(tmp_path):
    for source, more, sentence in (
        ("ring8", {}, "ring8 is points"),
        (np.zeros((8, 8, 8, 1), "uint8"), {"image_size": 4}, "image_size=4: give a whole number, at least 8"),
        (np.zeros((2, 8, 8, 1), "uint8"), {}, "the array has 8 images to learn from"),
        (np.zeros((80, 8, 8, 1), "uint8"), {"to": tmp_path / "x.h5"}, "must end in .keras"),
    ):
        with pytest.raises(ValueError, match=sentence):
            quick(source, **more)


def test_an_extractor_that_has_learned_little_is_said_to():
    card = {"dataset": "stars", "learned": own_extractors.TURNS, "chance": 0.25}
    said = [own_extractors.described(card | {"test_accuracy": share}, "stars.keras") for share in (0.3, 0.9)]
    assert ["little better than chance" in sentence for sentence in said] == [True, False]
    assert "90.0% right on images held out" in said[1]


@pytest.mark.slow
def test_the_command_trains_and_says_what_scores_are_called(tmp_path):
    photographs = folder_of(tmp_path / "photographs")
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tfgan_zoo.metrics.extractor"]
    done = subprocess.run([*command, str(photographs), "--updates", "20"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert tz.metrics.distance_name(photographs) in done.stdout
    done = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: There is no file or folder")


def test_a_model_of_white_images_is_scored_and_arrays_and_datasets_are_asked_as_a_whole(tmp_path):
    for metrics in (None, ("ms_ssim", "sliced_wasserstein")):
        record = evaluate(White(channels=1), "digits", metrics, num_images=64, verbose=False)
        assert all(np.isfinite(value) for value in record["scores"].values() if isinstance(value, float))
    images = next(White(channels=1).stream(80, batch_size=80))
    for given in (images, tf.data.Dataset.from_tensor_slices(images).batch(40)):
        with pytest.raises(ValueError, match=r"seem to be in \[0, 1\].*or uint8, if they have no dark pixel"):
            evaluate(given, "digits", verbose=False)
    evaluate((images * 127.5 + 127.5).astype("uint8"), "digits", verbose=False)
    images[70] = -1  # a dataset whose first batch is white, and another one is not
    late = tf.data.Dataset.from_tensor_slices(images).batch(40)
    assert evaluate(late, "digits", verbose=False)["protocol"]["num_generated"] == 80


def test_transparent_images_are_laid_over_white(tmp_path):
    half = np.zeros((1, 1, 1, 4), np.float32)  # mid-grey, half opaque
    np.testing.assert_allclose(image_sources.checked(half), np.full((1, 1, 1, 3), 0.5))
    folder = folder_of(tmp_path / "clear", count=100, mode="RGBA", classes=0)
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(8), keras.layers.Flatten()])
    record = evaluate(White(channels=4), folder, extractor=network, verbose=False)
    assert record["protocol"]["image_shape"] == [8, 8, 3]
    assert np.isfinite(record["scores"]["fd_custom_20"])
    arrays = np.random.default_rng(0).integers(0, 255, (100, 8, 8, 4), "uint8")
    for given in (arrays, arrays.astype("float32") / 127.5 - 1):
        assert evaluate(given, arrays, extractor=network, verbose=False)["scores"]["fd_custom_100"] < 1e-3


def test_a_folder_called_digits_is_not_the_digits_and_a_copy_of_it_is_the_same(tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "a/digits", mode="L", sizes=(8,))
    copy = folder_of(tmp_path / "b/digits", mode="L", sizes=(8,))
    other = folder_of(tmp_path / "c/digits", count=110, mode="L", sizes=(8,))
    scored = {"metrics": "ms_ssim", "num_images": 20, "verbose": False}
    named, mine, same, less = (
        evaluate(White(channels=1), source, **scored) for source in ("digits", folder, copy, other)
    )
    assert named["protocol"]["content"] is None
    for record in (named, less):
        with pytest.raises(ValueError, match=r"they differ in .*content"):
            tz.compare([record | {"protocol": mine["protocol"] | {"content": record["protocol"]["content"]}}, mine])
        with pytest.raises(ValueError, match="not scored alike"):
            tz.compare([record, mine])
    assert "ms_ssim_20" in tz.compare([mine, same])
    assert tz.metrics.distance_name(folder) is None  # nor is the classifier of digits its own
    monkeypatch.chdir(tmp_path / "a")
    assert tz.metrics.distance_name("digits") == "fd_classifier"
    assert evaluate(White(channels=1), "digits", **scored)["protocol"]["content"] is None


def test_a_slice_of_a_split_is_scored_while_training_and_the_key_is_that_of_the_monitor():
    images = keras.Input((8, 8, 1))
    network = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(images)))
    clean = features.Resize("clean", "clean", lambda images, size: images, always=True)
    inception = features.make_extractor("inception2015", "inception", network, clean)
    for extractor, name in ((None, "fd_classifier"), (inception, "fid_inception2015_clean")):
        callback, logs = tz.callbacks.Evaluate("digits", split="train[:200]", metrics="fd", extractor=extractor), {}
        callback.set_model(White(channels=1))
        callback.on_epoch_end(0, logs)
        assert callback.num_images == 200
        assert list(logs) == [name] == [tz.metrics.distance_name("digits", extractor)]


def test_a_run_on_a_folder_learns_what_is_not_held_out_and_is_scored_on_the_rest(tmp_path, capsys):
    folder = folder_of(tmp_path / "mine", count=120, classes=0)
    config = {"dataset": str(folder), "epochs": 1, "batch_size": 32, "image_size": 8, "width": 4, "seed": 0}
    run = tz.Run(tmp_path / "run", config)
    model = run.train("gan", quiet=True)
    record = run.score(model, str(folder), quiet=True)
    assert run.checkpoint.monitor is None
    assert record["protocol"]["held_out"] == len(run.test_images()[0]) == 24
    assert "ms_ssim_24" in record["scores"]
    assert "Only what needs no features was scored" in capsys.readouterr().out
    made = quick(folder)
    assert made.classes is None  # how an image is turned is none
    callbacks = run.callbacks(str(folder), quiet=True)
    assert run.checkpoint.monitor == f"fd_{made.kind}"
    callbacks[1].set_model(model)
    callbacks[1].on_epoch_end(0, logs := {})
    assert callbacks[1].num_images == 96
    assert run.checkpoint.monitor in logs
    record = evaluate(model, str(folder), verbose=False)
    assert f"fd_{made.kind}_24" in record["scores"]
    assert "class_histogram" not in record["scores"]


def test_a_search_without_an_extractor_says_how_to_get_one(tmp_path):
    folder = folder_of(tmp_path / "mine", count=60, sizes=(8,))
    with pytest.raises(ValueError, match=r"train one, tz.metrics.train_extractor.*objective='sliced_wasserstein'"):
        tz.tuning.ZooHyperModel("gan", folder, {"width": 4}, epochs=1)
    model = tz.tuning.ZooHyperModel("gan", folder, {"width": 4}, epochs=1, objective="sliced_wasserstein")
    assert (model.objective.name, model.objective.direction) == ("sliced_wasserstein", "min")
