"""Fashion-MNIST without a download: Debian's package becomes TFDS' own, checksum-verified `fashion_mnist`.

    apt install dataset-fashion-mnist
    python -m tfgan_zoo.data.fashion_mnist

Debian's copies of the four original files differ from them in the gzip header alone: the file name is gone and the date
is another. Putting both back gives the original files, byte for byte. Their SHA-256 is the one TFDS has on record, so
TFDS takes them for what they are.
"""

import contextlib
import hashlib
import io
import pathlib
import tempfile
from typing import Annotated

import typer

from tfgan_zoo import files
from tfgan_zoo.data import catalogue

SOURCE = "/usr/share/datasets/fashion-mnist"
PACKAGE = "dataset-fashion-mnist"
MODIFIED = {  # seconds since 1970, as in the headers of the original files
    "train-images-idx3-ubyte": 1504176606,
    "train-labels-idx1-ubyte": 1504176606,
    "t10k-images-idx3-ubyte": 1504176627,
    "t10k-labels-idx1-ubyte": 1504176627,
}
_NO_FLAGS = b"\x1f\x8b\x08\x00"  # gzip, deflate, and no optional field
_WITH_NAME = b"\x1f\x8b\x08\x08"


def restored(packed: bytes, name: str) -> bytes:
    """The gzip file as first published, from a copy whose header lost its file name and date.

    Source: RFC 1952, Section 2.3: magic (2 bytes), method, flags, date (4), compression, system, name.

    Args:
        packed: content of a gzip file.
        name: the file's name inside the header, such as "train-images-idx3-ubyte".

    Returns:
        The content with the header restored; a file that has its name already comes back as it is.
    """
    if not packed.startswith(_NO_FLAGS):
        return packed
    return _WITH_NAME + MODIFIED[name].to_bytes(4, "little") + b"\x00\x03" + name.encode() + b"\x00" + packed[10:]


def originals(source, url_infos):
    """The four files in `source`, restored and compared with the checksums TFDS keeps.

    Args:
        source: directory with the four idx files, gzipped.
        url_infos: TFDS' record of the downloads; each has `filename` and `checksum`.

    Returns:
        Dict of file name to bytes.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is not the one that was published.
    """
    source = pathlib.Path(source).expanduser()
    missing = [f"{name}.gz" for name in MODIFIED if not (source / f"{name}.gz").is_file()]
    if missing:
        raise FileNotFoundError(
            f"{source} has no {', '.join(missing)}. Install them with `apt install {PACKAGE}`, "
            "or name the directory that has them with --source"
        )
    checksums = {record.filename: record.checksum for record in url_infos.values()}
    contents = {f"{name}.gz": restored((source / f"{name}.gz").read_bytes(), name) for name in MODIFIED}
    altered = [name for name, content in contents.items() if hashlib.sha256(content).hexdigest() != checksums[name]]
    if altered:
        raise ValueError(
            f"{', '.join(altered)} in {source} are not the published files (SHA-256 differs). "
            f"Reinstall them with `apt install --reinstall {PACKAGE}`"
        )
    return contents


def prepare(source=SOURCE, data_dir=None, say=print):
    """Prepare TFDS' `fashion_mnist` from local files; nothing is done when it is prepared already.

    Args:
        source: directory with the four gzipped idx files.
        data_dir: TFDS' data directory; None means its own default (`TFDS_DATA_DIR`, else ~/tensorflow_datasets).
        say: called with each sentence about what is being done.

    Returns:
        Path of the prepared dataset.

    Raises:
        FileNotFoundError: a source file is missing.
        ValueError: a source file is not the published one.
        OSError: the disk is full, or there is no permission to write.
    """
    import tensorflow_datasets as tfds

    builder = catalogue.find("fashion_mnist", data_dir)
    with catalogue.quiet():
        prepared = builder.is_prepared()
    if prepared:
        say(f"Fashion-MNIST is prepared already: {builder.data_dir}")
        return pathlib.Path(builder.data_dir)
    say(f"Checking the four files in {source} against TFDS' checksums.")
    contents = originals(source, builder.url_infos)
    say(f"Writing 70,000 images to {builder.data_dir} (about half a minute).")
    tfds.disable_progress_bar()
    with files.explained(builder.data_dir), tempfile.TemporaryDirectory(prefix="fashion_mnist.") as scratch:
        scratch = pathlib.Path(scratch)
        manual = scratch / "manual"
        manual.mkdir()
        for name, content in contents.items():
            (manual / name).write_bytes(content)
        config = tfds.download.DownloadConfig(
            manual_dir=manual, extract_dir=scratch / "extracted", force_checksums_validation=True
        )
        with catalogue.quiet(), contextlib.redirect_stdout(io.StringIO()):  # TFDS prints that it downloads: it does not
            builder.download_and_prepare(download_dir=scratch / "downloads", download_config=config)
    say('Done: load it with tfgan_zoo.data.load("fashion_mnist").')
    return pathlib.Path(builder.data_dir)


def main(
    source: Annotated[str, typer.Option(help="Directory with the four gzipped idx files.")] = SOURCE,
    data_dir: Annotated[str | None, typer.Option(help="TFDS' data directory; its own default if not given.")] = None,
):
    """Prepare Fashion-MNIST from Debian's dataset-fashion-mnist, verified by checksum."""
    try:
        prepare(source, data_dir, say=typer.echo)
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
