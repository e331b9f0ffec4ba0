"""Every client that is installed, over every export: one table of parity, size and latency.

    make export-check                                          everything in exported/ that has a card.json
    python -m benchmarks.export_check exported/cgan_digits     some of them

Each client draws the images that the export keeps of the model it came from. Parity is the largest difference of a
number in an image, from -1 to 1, or of a grey level where bytes are served; a client that exceeds what the card allows
fails, and so does the command. Milliseconds are wall time an image, one at a time and sixteen at once, of a machine
that may be doing other things. A client that cannot be run says what it misses.
"""

import concurrent.futures
import contextlib
import dataclasses
import functools
import importlib.util
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np

import tfgan_zoo_serving
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import runtimes, verification
from tfgan_zoo_serving.generator import ExportedGenerator

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANY = 16
ALONE = """
import json, sys, time
for name in ("keras", "tfgan_zoo", "tfgan_zoo_serving"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
path, reference, answer, many = sys.argv[1:]
with np.load(reference) as kept:
    inputs = {name: tf.constant(kept[name]) for name in ("latents", "labels") if name in kept}
run = tf.saved_model.load(path).signatures["serving_default"]
images = run(**inputs)["images"].numpy()
ms = []
for count in (1, int(many)):
    some = {name: tf.repeat(rows, -(-count // len(rows)), axis=0)[:count] for name, rows in inputs.items()}
    run(**some)
    begin = time.perf_counter()
    for _ in range(20):
        run(**some)["images"].numpy()
    ms.append(1e3 * (time.perf_counter() - begin) / 20 / count)
np.savez(answer, images=images, ms=ms)
"""


LIGHT = """
import sys
for name in ("tensorflow", "keras", "tfgan_zoo"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv.pop(1))
import tfgan_zoo_serving.__main__ as command
assert command.__file__.startswith(sys.path[0]), command.__file__
command.main(sys.argv[1:])
"""
THREADS = 8


class Missing(Exception):
    """Why a client cannot be run here."""


@dataclasses.dataclass
class Result:
    """What a client has shown of an export.

    Args:
        parity: the largest difference.
        allowed: of it.
        unit: of both, where it is not that of an image.
        size: bytes of what the client reads; None if it is told them by a server.
        ms: an image alone, and of `MANY`; None where it was not measured.
    """

    parity: float
    allowed: float
    unit: str = ""
    size: int | None = None
    ms: tuple = (None, None)

    def cells(self):
        """Parity, size and both times, as text."""
        parity = f"{self.parity:.0f}{self.unit}" if self.unit else f"{self.parity:.1e}"
        if not self.parity <= self.allowed:
            parity = f"FAILED: {parity}, allowed {self.allowed:.1e}"
        size = "" if self.size is None else f"{self.size / 1e3:,.0f} kB"
        return parity, size, *("" if ms is None else f"{ms:.3f}" for ms in self.ms)


class Export:
    """An export as the clients see it.

    Args:
        directory: with a card.json.
    """

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()  # clients run elsewhere
        self.card = cards.read(directory)
        self.model, self.formats = self.card["model"], self.card["formats"]
        with np.load(self.directory / verification.REFERENCE, allow_pickle=False) as kept:
            self.reference = dict(kept)
        self.images, self.rows = self.reference["images"], self.reference["rows"]
        self.labels = self.reference.get("labels")

    def inputs(self, count=None):
        """The kept latents and labels; or `count` of them, repeated."""
        told = {name: self.reference[name] for name in ("latents", "labels") if name in self.reference}
        return (
            told if count is None else {name: np.resize(rows, (count, *rows.shape[1:])) for name, rows in told.items()}
        )

    def started(self):
        """For each kept image what it started from, name -> numbers, and what it was told, or None: plain lists."""
        told = next((self.reference[name] for name in ("labels", "attributes") if name in self.reference), None)
        for row in range(len(self.rows)):
            start = {name: self.reference[name][row].ravel().tolist() for name in self.model["start"]}
            yield start, None if told is None else told[row].tolist()

    def asked(self, count=None):
        """What to ask a server for, that the kept images are among those of seed 0: {"num_images"} or {"labels"}."""
        count = int(self.rows.max()) + 1 if count is None else count
        if self.labels is None:
            return {"num_images": count}
        labels = np.zeros(max(count, int(self.rows.max()) + 1), np.int32)
        labels[self.rows] = self.labels
        return {"labels": labels[:count]}

    @property
    def served(self):
        """Directory of the SavedModel."""
        if "saved_model" not in self.formats:
            raise Missing("the export has no SavedModel")
        return self.directory / self.formats["saved_model"]["path"]

    def result(self, images, name="saved_model", **told):
        """Compare the kept images with a client's, which runs the file of a format."""
        entry = self.formats.get(name, {})
        told = {"size": entry.get("bytes"), **told}
        return Result(_apart(images, self.images), verification.allowed(entry, self.images), **told)

    def shown(self, images, **told):
        """The same for the images of seed 0, from which a server makes bytes."""
        images = np.asarray(images)[self.rows]
        if images.dtype != np.uint8:
            return self.result(images, size=None, **told)
        wanted = np.clip(np.rint((self.images + np.float32(1)) * np.float32(127.5)), 0, 255)
        return Result(_apart(images, wanted), 1, " grey levels", **told)


def _apart(images, wanted):
    images = np.asarray(images)
    if images.shape != wanted.shape:
        raise ValueError(f"{images.shape} instead of {wanted.shape}")
    return float(np.abs(images.astype(np.float64) - wanted).max())


def timed(draw):
    """Milliseconds an image of draw(count), one at a time and `MANY` at once: the median of seven calls."""
    found = []
    for count in (1, MANY):
        times = []
        for _ in range(8):
            begin = time.perf_counter()
            draw(count)
            times.append(1e3 * (time.perf_counter() - begin) / count)
        found.append(statistics.median(times[1:]))
    return tuple(found)


# ---- clients: export, room -> name -> function () -> Result ----------------------------------------------------------


def loaders(export, room):
    """`load_exported` in every format of the card, beside `verify`."""

    def run(name):
        try:
            verification.verify(export.directory, [name])
            draw = runtimes.load(name, export.directory / export.formats[name]["path"])
        except ImportError as error:
            raise Missing(str(error)) from error
        generator = ExportedGenerator(export.model, draw, name)
        images = generator(export.reference["latents"], export.labels)
        return export.result(images, name, ms=timed(lambda count: draw(export.inputs(count))))

    return {f"load_exported, verify: {name}": functools.partial(run, name) for name in export.formats}


def threads(export, room):
    """Eight threads at once on one loaded generator of each format; a time is an image of one of two threads."""

    def run(name):
        try:
            generator = tfgan_zoo_serving.load_exported(export.directory, name)
        except ImportError as error:
            raise Missing(str(error)) from error
        latents = export.reference["latents"]

        def draw(number):
            rows = np.arange(number, number + 1 + number % 3) % len(latents)
            told = () if export.labels is None else (export.labels[rows],)
            return float(np.abs(generator(latents[rows], *told) - export.images[rows]).max())

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            apart = max(pool.map(draw, range(40 * THREADS)))
        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(draw, [0] * 40))
        ms = 1e3 * (time.perf_counter() - begin) / 40
        entry = export.formats[name]
        allowed = verification.allowed(entry, export.images)
        return Result(apart, allowed, size=entry["bytes"], ms=(ms, None))

    return {f"{THREADS} threads share one: {name}": functools.partial(run, name) for name in export.formats}


def light(export, room):
    """The serving package alone, built and laid into a folder, by its command in a fresh process."""

    def run():
        wheel, site = room / "wheel", room / "site"
        build = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheel)]
        source = shutil.copytree(ROOT / "tfgan_zoo_serving", room / "source", ignore=_built)
        _run([sys.executable, "-m", "pip", "--disable-pip-version-check", *build, str(source)], room)
        (built,) = wheel.glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            archive.extractall(site)
        name = next((name for name in export.formats if name.startswith("tflite")), None)
        if name is None:
            raise Missing("the export has no .tflite")
        count = int(export.rows.max()) + 1
        command = [sys.executable, "-c", LIGHT, str(site), "generate", str(export.directory), "-n", str(count)]
        told = [] if export.labels is None else ["--labels", *map(str, export.asked(count)["labels"])]
        _run([*command, "--seed", "0", "--format", name, "--out", "images.npy", *told], room)
        return export.result(np.load(room / "images.npy")[export.rows], name)

    return {"the serving package alone: generate": run}


def _built(_, names):
    return [name for name in names if name in ("build", "vendor", "__pycache__") or name.endswith(".egg-info")]


def litert(export, room):
    """ai_edge_litert with its fast kernels and without."""

    def run(name, kernels):
        _need("ai_edge_litert", "pip install ai-edge-litert")
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        path, single = export.directory / export.formats[name]["path"], export.formats[name]["batch"] == 1
        kind = OpResolverType.AUTO if kernels else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        runner = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kind).get_signature_runner(
            "serving_default"
        )

        def draw(inputs):
            if not single:
                return runner(**inputs)["images"]
            rows = range(len(inputs["latents"]))
            return np.concatenate(
                [runner(**{k: v[row : row + 1] for k, v in inputs.items()})["images"] for row in rows]
            )

        ms = timed(lambda count: draw(export.inputs(count)))
        return export.result(draw(export.inputs()), name, ms=ms)

    names = [name for name in export.formats if name.startswith("tflite")]
    return {
        f"ai_edge_litert, {'with' if kernels else 'without'} XNNPACK: {name}": functools.partial(run, name, kernels)
        for name in names
        for kernels in (True, False)
    }


def tensorflow(export, room):
    """A fresh process that has TensorFlow alone, and TensorFlow's own command line."""

    def alone():
        answer = room / "alone.npz"
        arguments = [export.served, export.directory / verification.REFERENCE, answer, str(MANY)]
        _run([sys.executable, "-c", ALONE, *map(str, arguments)], room)
        with np.load(answer) as kept:
            return export.result(kept["images"], ms=tuple(kept["ms"]))

    def command_line():
        command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
        told = _run([*command, "show", "--dir", str(export.served), "--tag_set", "serve", "--all"], room)
        absent = [name for name in export.formats["saved_model"]["signatures"] if f"['{name}']" not in told]
        if absent:
            raise ValueError(f"saved_model_cli does not show {', '.join(absent)}")
        rows = {name: np.asarray(value).tolist() for name, value in export.asked().items()} | {"seed": 0}
        asked = ";".join(f"{name}={value}" for name, value in rows.items())
        where = ["--dir", str(export.served), "--tag_set", "serve", "--signature_def", "sample"]
        _run([*command, "run", *where, "--input_exprs", asked, "--outdir", str(room), "--overwrite"], room)
        return export.shown(np.load(room / "images.npy"), size=export.formats["saved_model"]["bytes"])

    return {"TensorFlow alone, a fresh process": alone, "saved_model_cli show, run": command_line}


def onnxruntime(export, room):
    """ONNX Runtime on the export's file, or on one that tf2onnx makes of the SavedModel."""

    def run():
        _need("onnxruntime", "pip install 'tfgan-zoo[interop]'")
        path = export.directory / "generator.onnx"
        if not path.exists():
            _need("tf2onnx", "pip install 'tfgan-zoo[interop]'")
            path = room / "generator.onnx"
            _run(
                [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(export.served), "--output", str(path)],
                room,
            )
        draw = runtimes.load("onnx", path)
        ms = timed(lambda count: draw(export.inputs(count)))
        return export.result(draw(export.inputs()), size=path.stat().st_size, ms=ms)

    return {"onnxruntime": run}


def openvino(export, room):
    """OpenVINO on the export's file, or on the SavedModel."""

    def run():
        _need("openvino", "pip install 'tfgan-zoo[interop]'")
        import openvino

        path = export.directory / "generator.xml"
        if not path.exists():
            path = room / "generator.xml"
            openvino.save_model(openvino.convert_model(str(export.served)), str(path), compress_to_fp16=False)
        draw = runtimes.load("openvino", path)
        ms = timed(lambda count: draw(export.inputs(count)))
        return export.result(draw(export.inputs()), size=path.with_suffix(".bin").stat().st_size, ms=ms)

    return {"openvino, float32": run}


def servers(export, room):
    """The clients of examples/serving, through its loopback server."""

    @contextlib.contextmanager
    def client(kind, *modules):
        for module in modules:
            _need(module, "pip install 'tfgan-zoo[serving]'")
        from examples.serving import grpc_client, loopback, rest_client

        made = {"gRPC": grpc_client.Client, "REST": rest_client.Client}[kind]
        assert export.served
        with loopback.serving(export.directory) as (address, url, (served,)):
            if export.formats["saved_model"]["warm_up"] and served.replayed != len(served.signatures):
                raise ValueError(f"{served.replayed} warm-up requests were replayed, of {len(served.signatures)}")
            one = made(address if kind == "gRPC" else url, served.name)
            try:
                yield one
            finally:
                one.close()

    def sample(kind, *modules):
        with client(kind, *modules) as one:
            ms = timed(lambda count: one.sample(0, **export.asked(count)))
            return export.shown(one.sample(0, **export.asked()), ms=ms)

    def png():
        import io

        from PIL import Image

        with client("REST", "tensorflow_serving", "requests") as one:
            if "sample_png" not in export.formats["saved_model"]["signatures"]:
                raise Missing("points have no PNG")
            ms = timed(lambda count: one.sample_png(0, **export.asked(count)))
            images = [np.asarray(Image.open(io.BytesIO(file))) for file in one.sample_png(0, **export.asked())]
            return export.shown(np.stack(images).reshape(-1, *export.model["image_shape"]), ms=ms)

    return {
        "gRPC, loopback: sample": lambda: sample("gRPC", "tensorflow_serving", "grpc"),
        "REST, loopback: sample": lambda: sample("REST", "tensorflow_serving", "requests"),
        "REST, loopback: sample_png": png,
    }


_TRANSLATED = "generator.of({}, {} ?? undefined).then((image) => [...image])"


def browser(export, room):
    """The page in headless Chromium, with LiteRT.js."""

    def run():
        from benchmarks import chromium

        if not (export.directory / "demo" / "index.html").exists():
            raise Missing("the export has no page: it needs a .tflite of one image")
        if chromium.missing():
            raise Missing(chromium.missing())
        with chromium.Page(export.directory) as page:
            if export.model.get("translates"):
                made = [page.run(_TRANSLATED.format(*map(json.dumps, one))) for one in export.started()]
                return export.result(np.reshape(made, export.images.shape), page.run("generator.format"))
            told = export.asked()
            images = page.generate(int(export.rows.max()) + 1, 0, told.get("labels"))[export.rows]
            script = "(async () => { const begin = performance.now(); await generator.generate(40, 0);"
            alone = page.run(f"{script} return (performance.now() - begin) / 40; }})()")
            return export.result(images, page.run("generator.format"), ms=(alone, None))

    return {"Chromium, LiteRT.js: page": run}


CLIENTS = (loaders, threads, light, litert, tensorflow, onnxruntime, openvino, servers, browser)


def _need(module, cure):
    if importlib.util.find_spec(module) is None:
        raise Missing(f"{module} is not installed: {cure}")


def _run(command, room):
    """Standard output of a process that succeeds."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=room, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return done.stdout


# ---- the table -------------------------------------------------------------------------------------------------------


def check(directories, clients=CLIENTS):
    """Run every client over exports.

    Args:
        directories: exports.
        clients: of `CLIENTS`.

    Yields:
        (name of the export, name of the client, `Result`, or an exception that says why there is none: `Missing`, or
        what went wrong).
    """
    for directory in directories:
        with tempfile.TemporaryDirectory() as room:
            try:
                export = Export(directory)
                cards.check_files(export.directory, export.card)
            except (OSError, ValueError) as error:
                yield directory.name, "card.json, hashes", error
                continue
            for family in clients:
                for name, run in family(export, pathlib.Path(room)).items():
                    try:
                        yield directory.name, name, run()
                    except Exception as error:  # one client's fault leaves the others their turn
                        yield directory.name, name, error


def table(rows):
    """The rows of `check` as lines of Markdown, and how many clients failed."""
    lines, failed = [("export", "client", "parity", "size", "ms, batch 1", f"ms, batch {MANY}")], 0
    for where, name, found in rows:
        if isinstance(found, Result):
            failed += not found.parity <= found.allowed
            cells = found.cells()
        else:
            failed += not isinstance(found, Missing)
            told = f"missing: {found}" if isinstance(found, Missing) else f"FAILED: {type(found).__name__}: {found}"
            cells = (told.replace("\n", " "), "", "", "")
        lines.append((where, name, *cells))
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    widths[2] = max(len(line[2]) for line in lines if "missing" not in line[2])
    lines.insert(1, tuple("-" * width for width in widths))
    return ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines], failed


def main():
    """Print the table; fail if a client did."""
    chosen = [pathlib.Path(name) for name in sys.argv[1:]]
    directories = chosen or sorted(path.parent for path in (ROOT / "exported").glob("*/card.json"))
    if not directories:
        sys.exit("There is nothing in exported/ that has a card.json: make demo makes something.")
    rows = []
    for row in check(directories):
        print(f"{row[0]}: {row[1]} ...", file=sys.stderr)
        rows.append(row)
    lines, failed = table(rows)
    print("\n".join(lines))
    sys.exit(f"{failed} failed" if failed else None)


if __name__ == "__main__":
    main()
