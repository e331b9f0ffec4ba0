"""Look at a source of images before training on it, or write it decoded.

python -m tfgan_zoo.data check photographs/ --image-size 64
python -m tfgan_zoo.data check photographs/ --image-size 64 --batch-size 128 --model dcgan
python -m tfgan_zoo.data check sources/ targets/ --pairs --picture pairs.png
python -m tfgan_zoo.data check horses/ zebras/ --unpaired --image-size 64 --model cyclegan
python -m tfgan_zoo.data check faces/ --attributes list_attr_celeba.txt
python -m tfgan_zoo.data write photographs/ photographs_64/ --image-size 64
"""

import contextlib
import pathlib
import time
from typing import Annotated

import numpy as np
import typer

import tfgan_zoo as tz
from tfgan_zoo.data import checking, writing

_HELP = __doc__.replace("\n\n", "\n\n\b\n", 1)  # \b keeps the lines of the examples apart
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, help=_HELP)

Source = Annotated[str, typer.Argument(help="A name such as digits or cifar10, a folder, or an .npz file.")]
Size = Annotated[str | None, typer.Option(help="Side in pixels to bring images to, or height x width: 218x178.")]
Resize = Annotated[str, typer.Option(help="crop, squash or pad: how images of other proportions come to the size.")]
Channels = Annotated[int | None, typer.Option(help="1, 3 or 4; what most images have, if not given.")]
Directory = Annotated[str | None, typer.Option(help="TFDS' data directory; its own default if not given.")]


@app.command()
def check(
    source: Source,
    other: Annotated[str | None, typer.Argument(help="Targets of --pairs, or domain B of --unpaired.")] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Two images an example: side by side, or by name.")] = False,
    unpaired: Annotated[bool, typer.Option("--unpaired", help="Two domains: trainA and trainB, or two.")] = False,
    attributes: Annotated[str | None, typer.Option(help="A table beside a folder; own: those of a TFDS name.")] = None,
    picture: Annotated[pathlib.Path | None, typer.Option(help="A .png of some of the images, to look at.")] = None,
    image_size: Size = None,
    channels: Channels = None,
    batch_size: Annotated[int, typer.Option(help="Images of one update.")] = 64,
    model: Annotated[str | None, typer.Option(help="A zoo entry whose step is measured beside the input.")] = None,
    data_dir: Directory = None,
    cache: Annotated[str | None, typer.Option(help="memory, file or none; by size, if not given.")] = None,
    resize: Resize = "crop",
):
    """Print counts, sizes, modes, classes, corrupt files and speed; the status is 1 if something is wrong."""
    with _sentences():
        source = composed(source, other, pairs, unpaired, attributes)
        batch_size *= (tz.registry.keywords(model) if model else {}).get("n_critic", 1)
        taken = model and (lambda images: step_takes(_model(model, images, tz.data.info(source, data_dir)), images))
        size = size_of(image_size)
        findings = checking.check(source, size, channels, batch_size, data_dir, cache, taken, resize=resize)
    checking.show(findings)
    if picture and findings.examples:
        with _sentences():
            save_examples(findings.examples, picture)
        typer.echo(f"{picture}: some of them, to look at.")
    if findings.wrong:
        raise typer.Exit(1)


@app.command()
def write(
    source: Source,
    out: Annotated[pathlib.Path, typer.Argument(help="Directory to write, new or empty.")],
    image_size: Size = None,
    channels: Channels = None,
    skip_corrupt: Annotated[bool, typer.Option("--skip-corrupt", help="Leave unreadable images out.")] = False,
    shard_mib: Annotated[int, typer.Option(help="Pixels in a shard, MiB.", min=1)] = 256,
    data_dir: Directory = None,
    resize: Resize = "crop",
):
    """Write all splits as decoded pixels in array_record shards, a dataset of TFDS."""
    with _sentences():
        size = size_of(image_size)
        path = writing.write(source, out, size, channels, data_dir, skip_corrupt, shard_mib * 2**20, resize=resize)
        counts = ", ".join(f"{count:,} {split}" for split, count in tz.data.info(path).num_images.items())
        typer.echo(f'{path} holds {counts}: load it with tfgan_zoo.data.load("{path}").')


def size_of(text):
    """An image_size as it is written on the command line: "64" is 64, "218x178" is (218, 178), None is None.

    Raises:
        ValueError: for anything else.
    """
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.strip().isdigit() for side in sides):
        raise ValueError(f"--image-size {text} is not understood. Write 64, or height x width such as 218x178")
    return int(sides[0]) if len(sides) == 1 else tuple(map(int, sides))


def composed(source, other=None, pairs=False, unpaired=False, attributes=None):
    """What the words of a command line mean: the source itself, `Pairs`, `Unpaired` or `WithAttributes` of it.

    Raises:
        ValueError: if they do not go together.
    """
    if pairs + unpaired + (attributes is not None) > 1:
        raise ValueError("--pairs, --unpaired and --attributes exclude each other: give one of them")
    if other is not None and not (pairs or unpaired):
        raise ValueError(f"{source} and {other} are two sources: say --pairs or --unpaired")
    if pairs:
        return tz.data.Pairs(source, other)
    if unpaired:
        return tz.data.Unpaired(source, other)
    return source if attributes is None else tz.data.WithAttributes(source, None if attributes == "own" else attributes)


def save_examples(examples, path):
    """Write what `check` found to look at as a picture: a row for each title, images of other sizes laid on white.

    Args:
        examples: dict title -> uint8 (n, height, width, channels).
        path: of the PNG.
    """
    columns = max(map(len, examples.values()))
    height, width, channels = (max(images.shape[axis] for images in examples.values()) for axis in (1, 2, 3))
    sheet = np.full((len(examples), columns, height, width, channels), 255, "uint8")
    for row, images in zip(sheet, examples.values(), strict=True):
        row[: len(images), : images.shape[1], : images.shape[2]] = images  # grey ones in all channels
    tz.pictures.save_labelled_grid(sheet.reshape(-1, height, width, channels), path, columns, list(examples))


def _model(name, images, info):
    """A model of the zoo for a dataset of `load`, and what that says about itself."""
    known, spec = tz.registry.keywords_from(name, info), images.element_spec
    if isinstance(spec, tuple) and len(spec[1].shape) == 4 and "source_channels" in tz.registry.keywords(name):
        known["source_channels"] = spec[0].shape[-1]
        return tz.create(name, tuple(spec[1].shape[1:]), **known)
    return tz.create(name, tz.data.shape_of(images), **known)


def step_takes(model, images, steps=5):
    """Images a second of wall time that training takes from its input.

    Args:
        model: a model of the zoo, new.
        images: dataset of `load`.
        steps: to measure, after two that trace.
    """
    model.compile()
    held = images.take(steps).cache().repeat()
    model.fit(held, steps_per_epoch=2, verbose=0)
    begin = time.perf_counter()
    model.fit(held, steps_per_epoch=steps, verbose=0)
    spent = time.perf_counter() - begin
    batch = next(iter(held))
    return steps * len(batch[0] if isinstance(batch, tuple) else batch) / spent


@contextlib.contextmanager
def _sentences():
    """Bad input ends the program with one sentence and status 2."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        typer.echo(f"error: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app(prog_name="python -m tfgan_zoo.data")
