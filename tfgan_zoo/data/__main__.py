"""Look at a source of images before training on it, or write it decoded.

python -m tfgan_zoo.data check photographs/ --image-size 64
python -m tfgan_zoo.data check photographs/ --image-size 64 --batch-size 128 --model dcgan
python -m tfgan_zoo.data write photographs/ photographs_64/ --image-size 64
"""

import contextlib
import pathlib
import time
from typing import Annotated

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
        known = tz.registry.keywords(model) if model else {}
        batch_size *= known.get("n_critic", 1)
        classes = {"num_classes": tz.data.info(source, data_dir).num_classes} if "num_classes" in known else {}
        taken = model and (lambda images: step_takes(tz.create(model, tz.data.shape_of(images), **classes), images))
        size = size_of(image_size)
        findings = checking.check(source, size, channels, batch_size, data_dir, cache, taken, resize=resize)
    checking.show(findings)
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
