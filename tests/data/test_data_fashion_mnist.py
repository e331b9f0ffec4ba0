"""Fashion-MNIST: the real images, and the command that prepares them from Debian's package."""

import gzip
import hashlib
import os
import types

import numpy as np
import pytest
from typer.testing import CliRunner

from tfgan_zoo import data
from tfgan_zoo.data import catalogue, fashion_mnist


@pytest.fixture
def prepared():
    if not catalogue.find("fashion_mnist").is_prepared():
        reason = "Fashion-MNIST is not prepared: python -m tfgan_zoo.data.fashion_mnist"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_the_seventy_thousand_images_are_the_real_ones():
    description = data.info("fashion_mnist")
    assert description.num_images == {"train": 60_000, "test": 10_000}
    assert description.class_names[0] == "T-shirt/top"
    images, labels = data.arrays("fashion_mnist")
    assert images.shape == (60_000, 28, 28, 1)
    pixels = images / 255
    assert pixels.mean() == pytest.approx(0.28604, abs=5e-6)
    assert pixels.std() == pytest.approx(0.35302, abs=5e-6)
    assert np.bincount(labels).tolist() == [6000] * 10
    images, labels = data.arrays("fashion_mnist", "test")
    assert images.shape == (10_000, 28, 28, 1)
    assert np.bincount(labels).tolist() == [1000] * 10


@pytest.mark.usefixtures("prepared")
def test_slices_of_a_tfds_name():
    whole, labels = data.arrays("fashion_mnist", "test")
    for split, expected in {
        "test[:300]": slice(0, 300),
        "test[-5:]": slice(-5, None),
        "test[10%:12%]": slice(1000, 1200),
    }.items():
        images, told = data.arrays("fashion_mnist", split)
        np.testing.assert_array_equal(images, whole[expected])
        np.testing.assert_array_equal(told, labels[expected])
    with pytest.raises(ValueError, match=r"has no split 'validation'\. It has 'train', 'test'"):
        data.load("fashion_mnist", "validation")


@pytest.mark.usefixtures("prepared")
def test_the_command_does_nothing_twice():
    result = CliRunner().invoke(command(), [])
    assert result.exit_code == 0
    assert "is prepared already" in result.stdout


def command():
    import typer

    app = typer.Typer()
    app.command()(fashion_mnist.main)
    return app


def four_files(folder):
    for name in fashion_mnist.MODIFIED:
        (folder / f"{name}.gz").write_bytes(gzip.compress(name.encode(), mtime=0))


def records(folder):
    """What TFDS would know about the files in a folder once their headers are restored."""
    return {
        name: types.SimpleNamespace(
            filename=f"{name}.gz",
            checksum=hashlib.sha256(fashion_mnist.restored((folder / f"{name}.gz").read_bytes(), name)).hexdigest(),
        )
        for name in fashion_mnist.MODIFIED
    }


def test_restored_header_names_and_dates_the_same_content():
    name = "t10k-labels-idx1-ubyte"
    fixed = fashion_mnist.restored(gzip.compress(b"content", mtime=0), name)
    assert gzip.decompress(fixed) == b"content"
    assert fixed[3] == 8
    assert int.from_bytes(fixed[4:8], "little") == 1504176627
    assert fixed[10 : 10 + len(name) + 1] == name.encode() + b"\0"
    assert fashion_mnist.restored(fixed, name) == fixed


def test_missing_files_name_the_package(tmp_path):
    result = CliRunner().invoke(command(), ["--source", str(tmp_path), "--data-dir", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "train-images-idx3-ubyte.gz" in result.stderr
    assert "apt install dataset-fashion-mnist" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_altered_files_are_refused_and_nothing_is_written(tmp_path):
    four_files(tmp_path)
    result = CliRunner().invoke(command(), ["--source", str(tmp_path), "--data-dir", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "are not the published files" in result.stderr
    assert not (tmp_path / "out").exists()


def test_only_the_altered_file_is_named(tmp_path):
    four_files(tmp_path)
    known = records(tmp_path)
    assert set(fashion_mnist.originals(tmp_path, known)) == {f"{name}.gz" for name in fashion_mnist.MODIFIED}
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"^t10k-images-idx3-ubyte\.gz in .*SHA-256 differs"):
        fashion_mnist.originals(tmp_path, known)


@pytest.mark.skipif(not os.path.isdir(fashion_mnist.SOURCE), reason="dataset-fashion-mnist is not installed")
def test_debians_files_become_the_published_ones():
    contents = fashion_mnist.originals(fashion_mnist.SOURCE, catalogue.find("fashion_mnist").url_infos)
    assert {name: len(content) for name, content in contents.items()} == {
        "train-images-idx3-ubyte.gz": 26421880,
        "train-labels-idx1-ubyte.gz": 29515,
        "t10k-images-idx3-ubyte.gz": 4422102,
        "t10k-labels-idx1-ubyte.gz": 5148,
    }
