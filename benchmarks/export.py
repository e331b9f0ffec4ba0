"""What an exported DCGAN costs an image, in each runtime and arithmetic, and how large its file is.

    python -m benchmarks.export [--torch-python /path/to/python-with-torch]

The trained generator in exported/dcgan_fashion_mnist is exported anew to a temporary directory. LiteRT and ONNX Runtime
then run in one process without TensorFlow, on one thread, by turns: printed are CPU milliseconds an image, and the
median of the ratios of neighbours in time. PyTorch's side is the same network as its users write it, eager, NCHW,
`eval()` and `no_grad()`, in a process of its own, by turns with one that runs LiteRT; a check says that both give the
same images.

At a batch of 1 LiteRT runs the file whose batch is fixed at 1, as on a phone; at 16 the one with a free batch.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "exported/dcgan_fashion_mnist"
LITERT = ("tflite", "tflite_float16", "tflite_dynamic_range", "tflite_int8")
GOALS = {"onnx": 1.15, "torch": 0.5, "float16 size": 0.51, "int8 size": 0.28, "int8": 0.7}
MISSING = "PyTorch is missing: install it with `pip install torch` in any environment, and give its --torch-python."


# ---- runtimes --------------------------------------------------------------------------------------------------------


def litert(path):
    """A function latents -> images on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=1).get_signature_runner()
    return lambda latents: runner(latents=latents)["images"]


def onnx(path):
    """A function latents -> images on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda latents: session.run(["images"], {"latents": latents})[0]


def torch_generator(weights):
    """PyTorch's DCGAN with our weights, turned around as `benchmarks.pytorch` explains."""
    import torch

    from benchmarks.pytorch_side import dcgan

    torch.set_num_threads(1)
    network, _ = dcgan(int(weights["width"]), int(weights["latent_dim"]), normed=True)
    for number, parameter in enumerate(network.parameters()):
        parameter.data = torch.tensor(weights[f"generator_{number}"])
    norms = [layer for layer in network if hasattr(layer, "running_mean")]
    for number, norm in enumerate(norms):
        norm.running_mean, norm.running_var = (torch.tensor(weights[f"{name}_{number}"]) for name in ("mean", "var"))
    network.eval()

    def run(latents):
        with torch.no_grad():
            return network(torch.from_numpy(latents)).numpy()

    return run


# ---- measuring, in processes without TensorFlow ----------------------------------------------------------------------


def milliseconds(run, latents):
    """CPU milliseconds an image of a tenth of a second's calls."""
    calls, begin = 0, time.process_time()
    while time.process_time() - begin < 0.1:
        run(latents)
        calls += 1
    return 1e3 * (time.process_time() - begin) / calls / len(latents)


def runtimes_side(directory, pairs, batch):
    """CPU milliseconds an image of every runtime, a list over pairs each; by turns, so that neighbours compare."""
    directory, latents = pathlib.Path(directory), np.load(pathlib.Path(directory) / "reference.npz")["latents"]
    latents = np.tile(latents, (2, 1))[:batch]
    suffix = "_batch1" if batch == 1 else ""
    runs = {name: litert(directory / f"{name.replace('tflite', 'generator')}{suffix}.tflite") for name in LITERT}
    if (directory / "generator.onnx").exists():
        runs["onnx"] = onnx(directory / "generator.onnx")
    found = {name: [] for name in runs}
    for pair in range(pairs):
        for name in list(runs)[:: 1 if pair % 2 else -1]:
            found[name].append(milliseconds(runs[name], latents))
    return found


def torch_side(weights, batch):
    """CPU milliseconds an image, and by how much the images differ."""
    try:
        import torch
    except ImportError:
        sys.exit(MISSING)
    with np.load(weights) as kept:
        weights = {name: int(value) if value.ndim == 0 else value for name, value in kept.items()}
    run = torch_generator(weights)
    apart = float(np.abs(run(weights["latents"]) - weights["images"]).max())
    latents = np.tile(weights["latents"], (2, 1))[:batch]
    milliseconds(run, latents)
    return {"ms": milliseconds(run, latents), "apart": apart, "version": torch.__version__}


SIDES = {"runtimes": runtimes_side, "torch": torch_side}


def measured(python, side, **numbers):
    """What a side returns, from a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        command = [str(python), __file__, side, json.dumps(numbers), answer.name]
        environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        if done.returncode:
            sys.exit(done.stderr.strip() if MISSING in done.stderr else f"The {side} side failed:\n{done.stderr}")
        return json.load(answer)


# ---- the story -------------------------------------------------------------------------------------------------------


def trained():
    """The model whose generator stands in `SOURCE`."""
    import keras

    import tfgan_zoo as tz

    network = keras.saving.load_model(SOURCE / "generator.keras", compile=False)
    width = network.layers[-2].kernel.shape[-1]
    model = tz.create("dcgan", image_shape=network.output_shape[1:], width=width)
    model.ema_network.set_weights(network.get_weights())
    return model, width


def offer(model, width, path):
    """Write weights of ours as PyTorch wants them, latents, and the images they give."""
    from benchmarks.pytorch import mirrored, weights_of

    network = model.ema_network
    given = {f"generator_{number}": array for number, array in enumerate(weights_of(network))}
    norms = [layer for layer in network.layers if hasattr(layer, "moving_mean")]
    for number, norm in enumerate(norms):
        given |= {f"mean_{number}": np.asarray(norm.moving_mean), f"var_{number}": np.asarray(norm.moving_variance)}
    latents = np.asarray(model.draw_latents(8, 0))
    images = mirrored(model.generate(8, seed=0))
    np.savez(path, **given, width=width, latent_dim=model.latent_dim, latents=latents, images=images)


def ratio_of(ours, theirs):
    """Median of the ratios of neighbours, and the smallest and largest."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    return f"{statistics.median(ratios):.2f} (pairs from {ratios[0]:.2f} to {ratios[-1]:.2f})"


def main(torch_python: pathlib.Path | None = None, pairs: int = 15, torch_pairs: int = 5):
    """Print size, CPU milliseconds an image and the ratios that are claimed."""
    import importlib.util

    import tfgan_zoo as tz

    model, width = trained()
    formats = [f"{name}{suffix}" for name in LITERT for suffix in ("", "_batch1")]
    if importlib.util.find_spec("tf2onnx") and importlib.util.find_spec("onnxruntime"):
        formats.append("onnx")
    with tempfile.TemporaryDirectory() as room:
        card = tz.export(model, f"{room}/export", formats=formats)
        sizes = {name: entry["bytes"] for name, entry in card["formats"].items()}
        print(f"{model.name} {model.image_shape}, width {width}, {card['model']['parameters']:,} parameters\n")
        print("size: " + ", ".join(f"{name} {size / 1e3:,.0f} kB" for name, size in sizes.items()))
        for kind in ("float16", "int8"):
            share = sizes[f"tflite_{kind}_batch1"] / sizes["tflite_batch1"]
            print(f"{kind} over float32: {share:.4f} of the size (goal <= {GOALS[f'{kind} size']})")
        for batch in (1, 16):
            found = measured(sys.executable, "runtimes", directory=f"{room}/export", pairs=pairs, batch=batch)
            print(f"\nbatch {batch}, CPU ms an image on one thread")
            for name, times in found.items():
                print(f"  {name:24} {statistics.median(times):.3f}")
            for name in LITERT[1:]:
                goal = f"; goal <= {GOALS['int8']}" if "int8" in name else ""
                print(f"  {name} over float32: {ratio_of(found[name], found['tflite'])}{goal}")
            if "onnx" in found:
                print(
                    f"  LiteRT over ONNX Runtime: {ratio_of(found['tflite'], found['onnx'])}; goal <= {GOALS['onnx']}"
                )
            if torch_python:
                offer(model, width, f"{room}/weights.npz")
                against_torch(torch_python, room, batch, torch_pairs)


def against_torch(torch_python, room, batch, pairs):
    """Print the ratio to PyTorch of processes that take turns."""
    ours, theirs = [], []
    for _ in range(pairs):
        ours += measured(sys.executable, "runtimes", directory=f"{room}/export", pairs=1, batch=batch)["tflite"]
        theirs.append(measured(torch_python, "torch", weights=f"{room}/weights.npz", batch=batch))
    apart = theirs[0]["apart"]
    if apart > 1e-4:
        sys.exit(f"PyTorch's images differ by {apart:.1e}: nothing to compare.")
    times = [one["ms"] for one in theirs]
    print(f"  PyTorch {theirs[0]['version']}: {statistics.median(times):.3f}, images within {apart:.0e}")
    print(f"  LiteRT over PyTorch eager: {ratio_of(ours, times)}; goal <= {GOALS['torch']}")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in SIDES:
        side, numbers, answer = sys.argv[1:]
        pathlib.Path(answer).write_text(json.dumps(SIDES[side](**json.loads(numbers))), encoding="utf-8")
    else:
        import typer

        typer.run(main)
