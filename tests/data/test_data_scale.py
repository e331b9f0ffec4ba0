"""Data larger than memory: the planner, decoded files, records by number, shards, and damage."""

import csv
import logging
import pathlib
import re

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tfgan_zoo import data
from tfgan_zoo.data import catalogue, corrupt_files, decoding, finding, memory_budget, planner, records, source, store
from tfgan_zoo.data.source import Wanted

COUNT = 24
CACHES = ("memory", "file", "none")


@pytest.fixture
def photographs(tmp_path):
    """A folder of two classes of JPEG and PNG files of different sizes and modes."""
    random = np.random.default_rng(0)
    folder = tmp_path / "photographs"
    for index in range(COUNT):
        height, width = random.integers(20, 40, 2)
        pixels = random.integers(0, 256, (height, width, 3)).astype("uint8")
        place = folder / ("cats", "dogs")[index % 2]
        place.mkdir(parents=True, exist_ok=True)
        suffix = "png" if index % 3 else "jpg"
        Image.fromarray(pixels if index % 5 else pixels[..., 0]).save(place / f"{index:02d}.{suffix}")
    return folder


def spoil(folder):
    (folder / "cats" / "02.png").write_bytes(b"no picture at all")
    whole = (folder / "dogs" / "03.jpg").read_bytes()
    (folder / "dogs" / "03.jpg").write_bytes(whole[: len(whole) // 2])


def epochs(dataset, number=2):
    """All batches of some epochs, images and labels flat in one list."""
    found = []
    for epoch in range(number):
        data.set_epoch(epoch)
        for batch in dataset.as_numpy_iterator():
            found += batch if isinstance(batch, tuple) else [batch]
    return found


def equal(one, two):
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def rows_of(source, split="train", **wanted):
    return finding.find(source).rows(split, Wanted(**wanted))


# ---- the three caches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.filterwarnings("ignore:.*leaves out")
def test_every_cache_gives_the_same_batches_in_the_same_order(photographs, drop_remainder):
    found = [
        data.load(photographs, image_size=16, batch_size=5, seed=3, cache=cache, drop_remainder=drop_remainder)
        for cache in CACHES
    ]
    assert len({repr(dataset.element_spec) for dataset in found}) == 1
    memory, *others = map(epochs, found)
    assert all(equal(memory, other) for other in others)
    assert not np.array_equal(memory[0], memory[len(memory) // 2])  # the epochs differ
    other_seed = epochs(data.load(photographs, image_size=16, batch_size=5, seed=4, cache="none"))
    assert not equal(memory, other_seed)


def test_damaged_pictures_are_left_out_of_every_cache_alike(photographs):
    spoil(photographs)
    found = []
    for cache in CACHES:
        with pytest.warns(UserWarning, match="Left out 2 of 24 pictures"):
            found.append(epochs(data.load(photographs, image_size=16, batch_size=11, cache=cache, skip_corrupt=True)))
    assert equal(found[0], found[1])
    assert equal(found[0], found[2])
    assert len(found[0]) == 2 * 2 * 2  # two epochs of two batches of images and labels: 22 pictures


@pytest.mark.parametrize("cache", CACHES)
def test_damage_is_met_before_the_first_step_and_listed(photographs, cache):
    spoil(photographs)
    with pytest.raises(ValueError, match=r"2 of 24 pictures cannot be read.*skip_corrupt=True") as caught:
        data.load(photographs, image_size=16, batch_size=4, cache=cache)
    report = pathlib.Path(re.search(r"with reasons: (.*?\.csv)\)", str(caught.value))[1])
    with open(report, newline="", encoding="utf-8") as file:
        listed = {pathlib.Path(row["where"]).name: row["reason"] for row in csv.DictReader(file)}
    assert set(listed) == {"02.png", "03.jpg"}
    assert "identify" in listed["02.png"]
    assert "truncated" in listed["03.jpg"].lower()
    assert "0x" not in "".join(listed.values())


def test_a_decoded_file_is_made_once_and_anew_when_the_source_changes(photographs, monkeypatch):
    first = epochs(data.load(photographs, image_size=16, batch_size=6, cache="file"))
    with monkeypatch.context() as patched:
        patched.setattr(decoding, "decode", None)
        assert equal(first, epochs(data.load(photographs, image_size=16, batch_size=6, cache="file")))
    Image.new("RGB", (30, 30)).save(photographs / "cats" / "02.png")
    changed = epochs(data.load(photographs, image_size=16, batch_size=6, cache="file"))
    assert not equal(first, changed)
    assert len(first) == len(changed)
    assert store.path_of(rows_of(photographs, image_size=16)) != store.path_of(rows_of(photographs, image_size=8))


def test_what_a_killed_process_left_is_removed_and_nothing_half_is_read(photographs, monkeypatch):
    rows = rows_of(photographs, image_size=16)
    path = store.path_of(rows)
    (path.parent / f".{path.name}.killed" / path.name).mkdir(parents=True)

    def stopped(rows, keep, verbose):
        keep(*rows.read([0, 1]))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(corrupt_files, "examine", stopped)
        with pytest.raises(KeyboardInterrupt):
            store.opened(rows)
    assert not path.exists()
    images, labels = store.opened(rows)
    assert images.shape == (COUNT, 16, 16, 3)
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}
    assert isinstance(images, np.memmap)
    assert labels.tolist() == sorted(labels.tolist())


def test_a_stream_is_examined_once(photographs, monkeypatch):
    spoil(photographs)
    with pytest.raises(ValueError, match="2 of 24"):
        data.load(photographs, image_size=16, cache="none")
    monkeypatch.setattr(corrupt_files, "examine", None)
    with pytest.raises(ValueError, match="2 of 24"):
        data.load(photographs, image_size=16, cache="none")


def test_arrays_are_mapped_from_a_file(photographs):
    mapped, told = data.arrays(photographs, image_size=16, cache="file")
    held, labels = data.arrays(photographs, image_size=16)
    assert isinstance(mapped, np.memmap)
    assert not isinstance(held, np.memmap)
    np.testing.assert_array_equal(mapped, held)
    np.testing.assert_array_equal(told, labels)
    with pytest.raises(ValueError, match="cache='none' has no array to return"):
        data.arrays(photographs, image_size=16, cache="none")


def test_a_cache_is_for_what_is_not_in_memory_already():
    for cache in ("file", "none"):
        with pytest.raises(ValueError, match=f"cache='{cache}' does not apply: digits is in memory"):
            data.load("digits", cache=cache)
    data.load("digits", cache="memory")


# ---- the planner -----------------------------------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many bytes of memory and disk."""

    def set_to(memory, disk):
        monkeypatch.setattr(memory_budget, "memory", lambda: memory)
        monkeypatch.setattr(memory_budget, "disk", lambda _: disk)

    return set_to


def test_the_planner_takes_the_first_place_with_room(photographs, machine):
    rows = rows_of(photographs, image_size=16)
    needed = COUNT * 16 * 16 * 3
    for memory, disk, cache in (
        (needed / 0.45 + 9, 0, "memory"),
        (needed / 0.45 - 9, needed / 0.9 + 9, "file"),
        (needed / 0.45 - 9, needed / 0.9 - 9, "none"),
    ):
        machine(int(memory), int(disk))
        plan = planner.choose(rows)
        assert plan.cache == cache
        assert "\n" not in plan.sentence
        assert "24 images take 0 MiB decoded" in plan.sentence
    machine(1, 10**9)
    assert planner.choose(source.rows_of(finding.find("digits"), "train", Wanted())).cache == "none"  # not encoded


def test_one_argument_overrides_the_planner(photographs, machine):
    rows = rows_of(photographs, image_size=16)
    machine(10**9, 10**9)
    assert [planner.choose(rows, cache).cache for cache in CACHES] == list(CACHES)
    machine(1, 1)
    with pytest.raises(MemoryError, match="24 images"):
        planner.choose(rows, "memory")
    with pytest.raises(OSError, match="TFGAN_ZOO_CACHE"):
        planner.choose(rows, "file")
    assert planner.choose(rows, "none").cache == "none"
    with pytest.raises(ValueError, match="Unknown cache 'disk'"):
        planner.choose(rows, "disk")


def test_the_choice_is_said_in_a_line(photographs, machine, capsys, caplog):
    with caplog.at_level(logging.INFO, "tfgan_zoo"):
        data.load(photographs, image_size=16, batch_size=12)
    assert "they are held in memory" in caplog.text
    assert not capsys.readouterr().err
    machine(1, 10**9)
    dataset = data.load(photographs, image_size=16, batch_size=12)
    said = capsys.readouterr().err
    assert "0 MiB of memory are free: they are decoded once and kept in" in said
    assert said.count("\n") == 1
    data.load(photographs, image_size=16, batch_size=12)
    assert "they are there, decoded," in capsys.readouterr().err
    data.load(photographs, image_size=16, batch_size=12, verbose=False)
    assert not capsys.readouterr().err
    machine(10**9, 10**9)
    assert equal(epochs(dataset), epochs(data.load(photographs, image_size=16, batch_size=12)))


def test_a_containers_limit_counts(tmp_path):
    assert memory_budget._left_of_limit(tmp_path) == float("inf")
    for name, text in (("max", "1000"), ("current", "700"), ("stat", "anon 600\nfile 50\nkernel 50\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert memory_budget._left_of_limit(tmp_path) == 350
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_budget._left_of_limit(tmp_path) == float("inf")
    assert 0 < memory_budget.memory() < float("inf")
    assert memory_budget.disk(tmp_path / "not" / "there") > 0


# ---- shards ----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_the_same(photographs, tmp_path):
    out = data.write(photographs, tmp_path / "out", image_size=16, shard_bytes=5 * 16 * 16 * 3, verbose=False)
    assert len(list(out.glob("*.array_record*"))) == 5  # 24 images, 5 a shard
    described, source = data.info(out), data.info(photographs)
    assert described.image_shape == (16, 16, 3)
    assert (described.num_images, described.class_names) == (source.num_images, source.class_names)
    split = "train[3:17]+train[-4:]"
    assert equal(data.arrays(out, split), data.arrays(photographs, split, image_size=16))
    for cache in ("file", "none"):
        arguments = {"batch_size": 6, "cache": cache}
        assert equal(epochs(data.load(out, **arguments)), epochs(data.load(photographs, image_size=16, **arguments))), (
            cache
        )
    assert data.arrays(out, image_size=8, channels=1)[0].shape == (COUNT, 8, 8, 1)


def test_a_written_directory_is_a_dataset_of_tfds(photographs, tmp_path):
    out = data.write(photographs, tmp_path / "out", image_size=16, verbose=False)
    out = out.rename(tmp_path / "moved")
    source = tfds.builder_from_directory(out).as_data_source("train")
    images, labels = data.arrays(photographs, image_size=16)
    assert len(source) == COUNT
    np.testing.assert_array_equal(source[7]["image"], images[7])
    assert source[7]["label"] == labels[7]


def test_splits_and_sources_in_memory_are_written_too(tmp_path):
    out = data.write("digits", tmp_path / "digits", verbose=False)
    for split in ("train", "validation", "test"):
        assert equal(data.arrays(out, split), data.arrays("digits", split))
    images = np.arange(3 * 16, dtype="uint8").reshape(3, 4, 4, 1)
    alone = data.write(images, tmp_path / "alone", verbose=False)
    assert data.arrays(alone)[1] is None
    np.testing.assert_array_equal(data.arrays(alone)[0], images)


def test_writing_is_whole_or_not_at_all(photographs, tmp_path):
    spoil(photographs)
    out = tmp_path / "out"
    (tmp_path / ".out.killed").mkdir()
    with pytest.raises(ValueError, match="2 of 24 pictures cannot be read"):
        data.write(photographs, out, image_size=16, verbose=False)
    assert {path.name for path in tmp_path.iterdir()} == {"photographs"}
    with pytest.warns(UserWarning, match="Left out 2"):
        data.write(photographs, out, image_size=16, skip_corrupt=True, verbose=False)
    assert data.info(out).num_images == {"train": 22}
    with pytest.raises(ValueError, match="is there already"):
        data.write(photographs, out, image_size=16)


@pytest.mark.parametrize("source", ["ring8", np.zeros((4, 4, 4, 1), "float32") - 1])
def test_what_has_no_pixels_is_not_written(tmp_path, source):
    with pytest.raises(ValueError, match=r"is float32 .*, and images of uint8 pixels are needed"):
        data.write(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_splits_of_different_sizes_need_one(tmp_path):
    for split, side in (("train", 6), ("test", 8)):
        (tmp_path / "in" / split).mkdir(parents=True)
        for index in range(2):
            Image.new("L", (side, side)).save(tmp_path / "in" / split / f"{index}.png")
    with pytest.raises(ValueError, match=r"splits of different shapes: train \(6, 6, 1\), test \(8, 8, 1\)"):
        data.write(tmp_path / "in", tmp_path / "out")


# ---- records by number -----------------------------------------------------------------------------------------------


@pytest.fixture
def prepared(tmp_path):
    """A TFRecord dataset of 60 PNG files in three shards, of one size or of many."""

    def make(one_size):
        random, folder = np.random.default_rng(0), tmp_path / f"prepared_{one_size}"
        folder.mkdir()
        side = 12 if one_size else None
        features = {"id": np.int64, "image": tfds.features.Image(shape=(side, side, 3))}
        features["label"] = tfds.features.ClassLabel(num_classes=4)
        identity = tfds.core.dataset_info.DatasetIdentity(
            name="made", version="1.0.0", data_dir=str(folder), module_name=__name__
        )
        info = tfds.core.DatasetInfo(builder=identity, features=tfds.features.FeaturesDict(features))
        writer = tfds.core.SequentialWriter(info, max_examples_per_shard=20)
        writer.initialize_splits(["train"])
        for index in range(60):
            shape = (side, side, 3) if side else (*random.integers(12, 20, 2), 3)
            image = random.integers(0, 256, shape).astype("uint8")
            writer.add_examples({"train": [{"id": index, "image": image, "label": index % 4}]})
        writer.close_all()
        return folder

    return make


@pytest.mark.parametrize("one_size", [True, False])
def test_tfrecords_are_read_by_number(prepared, one_size):
    folder = prepared(one_size)
    arguments = {"split": "train[15:45]", "image_size": 12, "batch_size": 10}
    assert equal(*(epochs(data.load(folder, cache=cache, **arguments)) for cache in ("memory", "none")))
    rows = rows_of(folder, "train[15:45]", image_size=12)
    assert rows.encoded
    assert rows.read([0, 3, 29])[1].tolist() == [3, 2, 0]
    assert rows.origin(5).endswith("-00001, record 0")
    assert rows.headers(0)[0][2] == 3


def test_a_tfrecord_file_that_is_cut_short_is_said_to_be(prepared):
    folder = prepared(True)
    path = sorted(folder.glob("*tfrecord*"))[1]
    path.write_bytes(path.read_bytes()[:-20])
    for cache in CACHES:
        with pytest.raises(ValueError, match=r"1 of 60 pictures cannot be read: .*record 19 .*with reasons"):
            data.load(folder, cache=cache, batch_size=4)
    instructions = tfds.builder_from_directory(folder).info.splits["train"].file_instructions
    with pytest.raises(ValueError, match="is cut short: it has 19 records"):
        records.Records(instructions, random_access=False).read([39])


def test_a_directory_of_tfds_is_known_by_its_files(prepared, photographs):
    assert catalogue.is_prepared(prepared(True))
    assert not catalogue.is_prepared(photographs)


def test_rows_are_read_in_any_order(photographs):
    rows = rows_of(photographs, image_size=16)
    images, labels = rows.read(range(COUNT))
    for chosen in ([5], [23, 0, 7], np.array([3, 3, 11])):
        part, told = rows.read(chosen)
        np.testing.assert_array_equal(part, images[chosen])
        np.testing.assert_array_equal(told, labels[chosen])
