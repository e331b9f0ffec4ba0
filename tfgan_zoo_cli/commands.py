"""The commands of `tfgan-zoo`."""

import csv
import itertools
import json as json_of
import pathlib
import sys
from typing import Annotated

import typer

from tfgan_zoo_cli import entries, recipes, saying

app = typer.Typer(
    cls=saying.Group,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Deep generative models: draw from trained ones, train, score, export and serve.",
)
_FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_WITHOUT_TENSORFLOW = ("tflite", "tflite_batch1", "tflite_float16", "tflite_float16_batch1")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but results.")]
Target = Annotated[str, typer.Argument(help="A directory that was exported, or a name of `tfgan-zoo list`.")]
Out = Annotated[pathlib.Path | None, typer.Option("--out", help="Where it goes.")]


@app.command("list")
def list_(pattern: Annotated[str, typer.Argument(help="Of names.")] = "*", json: Json = False):
    """The models of the zoo, the recipe of each, and the trained generators that come with it."""
    import fnmatch

    with saying.sentences():
        exports = _serving().collection.known()
        rows = []
        for name, one in entries.known().items():
            mine = sorted(export for export, row in exports.items() if row.get("entry") == name)
            if fnmatch.fnmatch(name, pattern) or any(fnmatch.fnmatch(export, pattern) for export in mine):
                recipe = recipes.of_entry(name)
                rows.append({"name": name, "paper": one["paper"].rstrip("."), "recipe": recipe, "trained": mine})
        if not rows:
            raise _unknown(pattern, [*entries.known(), *exports])
    lines = [(one["name"], one["recipe"], ", ".join(one["trained"]) or None, one["paper"][:70]) for one in rows]
    saying.show(rows, json, saying.table(("model", "recipe", "trained generators", "what"), lines))


@app.command()
def info(name: Annotated[str, typer.Argument(help="A model, or a trained generator.")], json: Json = False):
    """What is known of a model or of a trained generator: numbers, scores, how to repeat it."""
    with saying.sentences():
        known = entries.known()
        if name in known:
            one = known[name] | {"name": name, "recipe": recipes.of_entry(name)}
            one["trained"] = sorted(e for e, row in _serving().collection.known().items() if row.get("entry") == name)
            numbers = "\n".join(f"  {key} = {value}" for key, value in one["keywords"].items())
            text = f"{name}: {one['text']}\n\nIts numbers, each a keyword of tz.create({name!r}, image_shape, ...):\n"
            text += f"{numbers}\n\nTrain it:  tfgan-zoo train {one['recipe']}" if one["recipe"] else numbers
            text += "".join(f"\nTrained:   tfgan-zoo generate {export}" for export in one["trained"])
            return saying.show(one, json, text)
        if not pathlib.Path(name).is_dir() and name not in _serving().collection.known():
            raise _unknown(name, [*known, *_serving().collection.known()])
        directory = _serving().collection.find(name)
        card = _serving().card.read(directory)
    return saying.show(card, json, _of_card(directory, card))


def _of_card(directory, card):
    about, scores = card["about"] or {}, card["scores"] or {}
    shape = " x ".join(map(str, card["model"]["image_shape"]))
    lines = [f"{directory}", f"  {about.get('model', card['model']['name'])}, {shape}, on {about.get('data', '?')}"]
    lines += [f"  {key}: {_plain(value)}" for key, value in about.items() if key not in ("model", "data")]
    shown = {k: v for k, v in scores.items() if isinstance(v, int | float) and not k.endswith("_floor")}
    for key, value in shown.items():
        floor = scores.get(f"{key}_floor")
        lines.append(f"  {key:32s} {value:10.4g}" + (f"   real images: {floor:.4g}" if floor is not None else ""))
    for name, entry in card["formats"].items():
        lines.append(f"  {name:32s} {entry['bytes'] / 1000:7.1f} kB   {entry['path']}")
    return "\n".join(lines)


def _plain(value):
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return f"{value:.4g}" if isinstance(value, float) else value


@app.command()
def generate(
    target: Target,
    number: Annotated[int, typer.Option("-n", "--num-images", help="Images.")] = 64,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same images.")] = None,
    labels: Annotated[str | None, typer.Option(help="Classes, such as 7, 0,1,2 or cat,dog: over and over.")] = None,
    columns: Annotated[int | None, typer.Option(help="Images in a row.")] = None,
    format: Annotated[str | None, typer.Option(help="Of the export; LiteRT, if there is one.")] = None,
    out: Annotated[pathlib.Path, typer.Option(help="A .png, an .npz, or a folder for single PNGs.")] = "grid.png",
    json: Json = False,
    quiet: Quiet = False,
):
    """Draw images from a trained generator."""
    with saying.sentences():
        import numpy as np

        from tfgan_zoo_cli import pictures
        from tfgan_zoo_serving import load_exported

        if number < 1:
            raise ValueError(f"-n {number}: ask for at least 1 image.")
        directory = _serving().collection.find(target)
        card = _serving().card.read(directory)
        chosen = format or next((name for name in _WITHOUT_TENSORFLOW if name in card["formats"]), None)
        saying.without_greeting()
        with saying.silence():
            generator = load_exported(directory, format=chosen)
            classes = _labels(labels, number, generator.num_classes)
            columns = columns or (generator.num_classes if labels is None and classes is not None else None)
            images = generator.generate(number, **({} if classes is None else {"labels": classes}), seed=seed)
        pictures.save(np.asarray(images), out, columns)
    said = {"out": str(out), "images": number, "seed": seed, "format": generator.format, "export": str(directory)}
    if json:
        saying.show(said, True, "")
    elif not quiet:
        print(f"{out}: {number} images of {directory.name}, from {generator.format}.")


def _labels(text, number, classes):
    """Labels that were asked for; for a grid without wishes each class in turn; None without classes."""
    import numpy as np

    if text is None:
        return None if classes is None else np.arange(number) % classes
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise ValueError(f"--labels {text}: give numbers or names with commas between, such as 0,1,2.")
    return np.resize([int(word) for word in words] if all(map(str.isdigit, words)) else words, number)


@app.command(context_settings=_FLAGS)
def train(ctx: typer.Context):
    """Train a model by its recipe: train dcgan --data photographs/ --budget 20min; NAME --help has the flags."""
    name, *rest = ctx.args or [""]
    with saying.sentences():
        if name in ("", "--help", "-h"):
            print(f"Usage: tfgan-zoo train NAME [flags of the recipe]; NAME --help lists them.\n\n{_listed()}")
            raise typer.Exit(0 if name else 2)
        recipe = name if name in recipes.names() else recipes.of_entry(name)
        if recipe is None:
            raise _unknown(name, [*recipes.names(), *entries.known()])
    _run_recipe(recipe, ["--dataset" if word == "--data" else word.replace("--data=", "--dataset=") for word in rest])


@app.command(context_settings=_FLAGS)
def tune(ctx: typer.Context):
    """Search the numbers of a model: tfgan-zoo tune wgan_gp --data digits --trials 12; --help has the flags."""
    name, *rest = ctx.args or ["--help"]
    words = ctx.args if name.startswith("-") else ["--model", name, *rest]
    if not name.startswith("-") and name not in entries.known():
        with saying.sentences():
            raise _unknown(name, entries.known())
    _run_recipe("tune", ["--dataset" if word == "--data" else word for word in words])


def _run_recipe(name, words):
    saying.without_greeting()
    if not {"--help", "-h"} & {*words}:
        _check_source(words)
    with saying.sentences():
        module = recipes.load(name)
    import tfgan_zoo as tz

    sys.argv = [f"tfgan-zoo train {name}", *words]
    tz.cli.run(module.main)


def _check_source(words):
    """A folder that is not there is met before TensorFlow starts."""
    given = [value for flag, value in itertools.pairwise(words) if flag == "--dataset"]
    for source in given:
        if ("/" in source or source.startswith(".")) and not pathlib.Path(source).expanduser().exists():
            saying.fail(f"--data {source}: there is no such file or folder.")


def _listed():
    return saying.table(("recipe", "trains"), [(name, _first_line(name)) for name in recipes.names()])


def _first_line(name):
    return (recipes.directory() / f"{name}.py").read_text(encoding="utf-8").splitlines()[0].strip('"')[:80]


@app.command()
def evaluate(
    target: Annotated[str, typer.Argument(help="An export, a run, a .keras model, or a folder of pictures.")],
    data: Annotated[str, typer.Option("--data", help="Real images: a name, a folder, a file.")],
    metrics: Annotated[str | None, typer.Option(help="Names with commas between, or all.")] = None,
    number: Annotated[int | None, typer.Option("-n", "--num-images", help="Generated images.")] = None,
    seed: Annotated[int, typer.Option(help="Of the generated images.")] = 0,
    extractor: Annotated[str | None, typer.Option(help="A .keras file of an extractor.")] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="A JSON file for the record.")] = None,
    json: Json = False,
    quiet: Quiet = False,
):
    """Score what a generator draws, or a folder of pictures, against real images."""
    with saying.sentences():
        source = _source_of(target)
        saying.without_greeting()
        import tfgan_zoo as tz

        names = metrics if metrics in (None, "all") else tuple(metrics.split(","))
        chosen = {"metrics": names, "num_images": number, "seed": seed, "extractor": extractor}
        record = tz.evaluate(_opened(source), data, verbose=not (quiet or json), **chosen)
        if out:
            tz.metrics.records.save(record, out)
    if json:
        return saying.show(record, True, "")
    tz.metrics.records.show(record)
    for name, why in record.get("left_out", {}).items():
        if not quiet:
            print(f"left out: {name}. {why}", file=sys.stderr)
    if "fd" in record.get("left_out", {}) and not quiet:
        print(f"For the others: python -m tfgan_zoo.metrics.extractor {data}", file=sys.stderr)
    return None


def _source_of(target):
    """(kind, path) of what is to be scored or exported, before TensorFlow is there."""
    path = pathlib.Path(target).expanduser()
    if path.suffix == ".keras":
        if not path.is_file():
            raise FileNotFoundError(f"There is no file {path}.")
        return "keras", path
    if path.is_dir():
        if (path / "card.json").is_file():
            return "export", path
        for run in (path / "run/last.keras", path / "last.keras"):
            if run.is_file():
                return "keras", run
        return "folder", path
    return "export", _serving().collection.find(target)


def _opened(source):
    """A model, a loaded export, or the path of a folder."""
    import keras

    import tfgan_zoo as tz

    kind, path = source
    if kind == "keras":
        return keras.models.load_model(path)
    if kind == "folder":
        return str(path)
    return tz.load_model(path) if (path / "model.json").is_file() else tz.load_exported(path)


@app.command()
def compare(
    targets: Annotated[list[str], typer.Argument(help="Exports, or JSON files of records.")],
    to: Annotated[pathlib.Path | None, typer.Option(help="A .png or .md to save the table in.")] = None,
    json: Json = False,
):
    """Scores side by side, of what was scored alike."""
    with saying.sentences():
        found = [one if pathlib.Path(one).exists() else str(_serving().collection.find(one)) for one in targets]
        if json:
            read = [_serving().card.read(one) if pathlib.Path(one).is_dir() else None for one in found]
            rows = {one: card and card["scores"] for one, card in zip(targets, read, strict=True)}
        saying.without_greeting()
        import tfgan_zoo as tz

        text = tz.compare(found, to=to)
    saying.show(rows if json else None, json, text)


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="An export, a run, or a .keras model of the zoo.")],
    out: Annotated[pathlib.Path, typer.Option("--out", help="A new directory, or an earlier export.")],
    formats: Annotated[str | None, typer.Option(help="With commas between: saved_model,tflite,onnx ...")] = None,
    json: Json = False,
    quiet: Quiet = False,
):
    """Write a generator for serving, in any format: from a small export, a run or a saved model."""
    with saying.sentences():
        kind, path = _source_of(target)
        if kind == "folder":
            raise ValueError(f"{target} holds neither an export (card.json) nor a run (run/last.keras).")
        saying.without_greeting()
        import tfgan_zoo as tz

        model = tz.load_model(path) if kind == "export" else _opened((kind, path))
        asked = {"formats": tuple(formats.split(","))} if formats else {}
        if kind == "export":
            card = _serving().card.read(path)
            asked |= {"about": card["about"]}
            asked |= {"scores": {k: card[k] for k in ("scores", "protocol")}} if card["scores"] else {}
        written = tz.export(model, out, **asked)
    lines = [
        f"{name:24s} {one['bytes'] / 1000:9.1f} kB  {out / one['path']}" for name, one in written["formats"].items()
    ]
    if json or not quiet:
        saying.show(written, json, "\n".join(lines))


@app.command()
def verify(
    targets: Annotated[list[str] | None, typer.Argument(help="Exports, by directory or by name.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is here by name.")] = False,
    json: Json = False,
):
    """Check that exports are what was written, and draw here what they drew there."""
    from tfgan_zoo_serving import verify as check

    with saying.sentences():
        names = _serving().collection.list_exported() if everything else targets
        if not names:
            raise ValueError("Name an export, or give --all.")
        saying.without_greeting()
        found = {}
        with saying.silence():
            import tfgan_zoo  # noqa: F401 - whose layers the networks of some exports have
        for name in names:
            with saying.silence():
                found[name] = check(name)
    said = {
        name: [f"{key} {one.get('skipped') or format(one['max_abs_diff'], '.1e')}" for key, one in parts.items()]
        for name, parts in found.items()
    }
    lines = [f"{name}: {', '.join(parts)}" for name, parts in said.items()]
    saying.show(found, json, "\n".join(lines))


@app.command(context_settings=_FLAGS)
def data(ctx: typer.Context):
    """Look at data, write it decoded, or prepare some: check SOURCE, write SOURCE OUT, import fashion_mnist."""
    known, words = ("check", "write", "import"), ctx.args
    if not words or words[0] in ("--help", "-h"):
        print("Usage: tfgan-zoo data check SOURCE | write SOURCE OUT | import fashion_mnist|emoji|mnist_10k")
        raise typer.Exit(0 if words else 2)
    with saying.sentences():
        if words[0] not in known:
            raise _unknown(words[0], known)
        sets = ("fashion_mnist", "emoji", "mnist_10k")
        if words[0] == "import" and (len(words) < 2 or words[1] not in sets):
            raise _unknown(words[1] if len(words) > 1 else "", sets)
    saying.without_greeting()
    import importlib

    if words[0] == "import":
        module = importlib.import_module(f"tfgan_zoo.data.{words[1]}")
        sys.argv = [f"tfgan-zoo data import {words[1]}", *words[2:]]
        with saying.sentences():
            return typer.run(module.main)
    from tfgan_zoo.data.__main__ import app as of_data

    return of_data(words, prog_name="tfgan-zoo data")


@app.command()
def doctor(
    run: Annotated[pathlib.Path, typer.Argument(help="The directory of a run.")],
    json: Json = False,
):
    """Say what ails a run that was trained, and what usually helps."""
    with saying.sentences():
        directory = run / "run" if (run / "run").is_dir() else run
        for name in ("history.csv", "config.json", "last.keras"):
            if not (directory / name).is_file():
                raise FileNotFoundError(f"{run} is no run that has ended: it has no {name}.")
        saying.without_greeting()
        import keras

        from tfgan_zoo.doctor import examine

        with open(directory / "history.csv", newline="", encoding="utf-8") as file:
            rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
        config = json_of.loads((directory / "config.json").read_text(encoding="utf-8"))
        findings = examine(keras.models.load_model(directory / "last.keras"), rows, config["dataset"])
    text = "\n".join(f"epoch {one.epoch}: {one.seen} {one.advice}" for one in findings) or "Nothing ails it."
    saying.show([vars(one) for one in findings], json, text)


@app.command()
def serve(
    target: Target,
    port: Annotated[int, typer.Option(help="Of the server, on this machine alone.")] = 8000,
):
    """Serve the web page of a generator that runs in the browser."""
    with saying.sentences():
        from tfgan_zoo_serving import page

        serving = page.server(_serving().collection.find(target), port)
    print(f"http://127.0.0.1:{serving.server_port}/demo/    Ctrl-C ends it", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        serving.server_close()


def _serving():
    """The package of exports, which brings NumPy with it: not for a page of help."""
    import tfgan_zoo_serving

    return tfgan_zoo_serving


def _unknown(name, known):
    """A ValueError that names the nearest."""
    import difflib

    known = sorted({*known})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(known)}."
    return ValueError(f"{name!r} is unknown. {hint}")
