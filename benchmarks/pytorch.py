"""What training steps cost beside PyTorch's on a CPU.     make bench TORCH=/path/to/python-with-torch

    python -m benchmarks.pytorch --torch-python PATH [--only sngan] [--steps 20] [--pairs 5] [--width 64]

The same networks, batch and updates; each side in a process of its own, by turns, on the same number of threads.
Printed are CPU seconds of the process a step after a warm-up, and the ratio of each pair: its median and its extremes.
PyTorch is eager, in channels_last, or compiled (not where a gradient penalty needs a second derivative, which
torch.compile refuses, nor with spectral norm, whose power iteration between two passes its backward pass refuses):
whichever was cheapest in the first round goes on; "fused" is eager with Adam as one kernel, which the other two have
too where it is among the variants. A check says that both sides give the same images and logits, and the same penalty
and its gradient; of models with one loss, the same loss and gradient of every weight, by the same noise. Of GANs
without styles ours keeps the generator's average too, as it always does; in the rows of other families both sides keep
what ours keeps.

Then, of our side, the step's arithmetic over the rate of a large float32 matrix multiplication in the same process;
the peak memory of both processes; and the CPU seconds from the start of the process to the end of its first step, ours
beyond `import tensorflow`, PyTorch's altogether.

A thread of PyTorch's that waits for another spins, and CPU seconds count that as work, all the more on a busy machine:
OMP_WAIT_POLICY=passive, set here, lets it sleep. Keras' "same" pads 1 before and 2 behind where it halves, and
PyTorch's padding=2 is its mirror image, at no further cost: weights of one are those of the other turned around.
"""

import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks.pytorch_offered import OFFERED, mirrored, offered, turned

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@dataclasses.dataclass(frozen=True)
class Row:
    """One contest: an entry of the zoo, how both sides train it, and the ratio that is wanted."""

    entry: str
    shape: tuple
    goal: float
    n_critic: int = 1
    domains: int = 1  # of which a step sees a batch each
    batch_size: int = 64
    width: int | None = None  # None: what --width says
    steps: float = 1.0  # of --steps
    precision: str = "float32"
    half: bool = False  # PyTorch's autocast to bfloat16
    variants: tuple = ("eager", "channels_last", "compile")
    apart: float = 1e-4  # what the sides may differ by, of the largest value; more where a slope crosses rectifiers
    overrides: dict = dataclasses.field(default_factory=dict)
    likelihood: str | None = None  # of tz.likelihoods, where it is not the entry's own
    compiled: dict = dataclasses.field(default_factory=dict)

    @property
    def model(self):
        """The zoo's name of the entry, of which PyTorch's side may know several sizes."""
        return self.entry.split()[0]

    def made(self, width, **more):
        """Our model."""
        import tfgan_zoo as tz

        told = {"likelihood": getattr(tz.likelihoods, self.likelihood)()} if self.likelihood else {}
        return tz.create(self.model, self.shape, width=width, **self.overrides, **told, **more)


UNITS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")  # as /proc/cpuinfo names them
FUSED = ("eager", "fused", "channels_last", "compile")  # all but the first with Adam as one kernel
DCGAN = Row("dcgan", (28, 28, 1), 0.8)
ROWS = {
    "dcgan": DCGAN,
    "dcgan bfloat16": dataclasses.replace(DCGAN, goal=0.75, precision="mixed_bfloat16", half=True),
    "dcgan shared fakes": dataclasses.replace(DCGAN, variants=("eager",), overrides={"simultaneous": True}),
    "dcgan shared fakes, bfloat16": dataclasses.replace(
        DCGAN, goal=0.5, precision="mixed_bfloat16", variants=("eager",), overrides={"simultaneous": True}
    ),
    "wgan_gp 28x28": Row("wgan_gp 28x28", (28, 28, 1), 0.7, n_critic=5, steps=0.5, variants=("eager", "channels_last")),
    "wgan_gp": Row("wgan_gp", (32, 32, 3), 0.6, n_critic=5, steps=0.25, variants=("eager", "channels_last")),
    "sngan": Row("sngan", (32, 32, 3), 0.75, n_critic=5, steps=0.25, variants=("eager", "channels_last")),
    "points": Row("gan", (2,), 0.5, batch_size=256, width=256, steps=25, variants=("eager", "compile")),
    "points, 10 steps at a time": Row(
        "gan", (2,), 0.5, batch_size=256, width=256, steps=25, variants=("eager",), compiled={"steps_per_execution": 10}
    ),
    "cyclegan": Row(
        *("cyclegan", (64, 64, 3), 0.9),
        domains=2,
        batch_size=4,
        width=32,
        steps=0.25,
        variants=("eager", "channels_last"),
        overrides={"blocks": 3},
    ),
    "vae, 10 steps at a time": Row(
        *("vae", (28, 28, 1), 0.6),
        batch_size=100,
        width=25,
        steps=25,
        variants=("eager", "fused", "compile"),
        compiled={"steps_per_execution": 10},
    ),
    "diffusion": Row("diffusion", (28, 28, 1), 0.8, width=48, variants=FUSED),
    "stylegan2": Row(  # 16 steps: an interval of R1, four of the path length
        *("stylegan2", (32, 32, 3), 0.8), width=16, steps=0.8, variants=FUSED, apart=1e-3
    ),
    "pixelcnn": Row("pixelcnn", (28, 28, 1), 0.8, width=16, variants=FUSED, likelihood="Categorical"),
    "realnvp": Row("realnvp", (28, 28, 1), 0.8, width=32, variants=FUSED),
}


# ---- our side --------------------------------------------------------------------------------------------------------


def peak_memory():
    """MB that this process has held at most; `resource` would count the parent's too."""
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text(encoding="utf-8"))[1]) / 1024


def machine():
    """The processor, the cores that this process may use, and what they can multiply in one instruction."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"model name\s*:\s*(.*)", text)
    units = [unit for unit in UNITS if re.search(rf"\b{unit}\b", text)]
    name = found[1] if found else platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {' '.join(units) or 'no vector units that are known here'}"


def our_side(row, width, steps, threads):
    """What `pytorch_side.main` measures, floating-point operations a step, and the rate of a matrix multiplication."""
    import tensorflow as tf

    imported, begun = peak_memory(), time.process_time()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    import tfgan_zoo as tz

    tz.runtime.setup(seed=0, precision=row.precision)
    gan = row.made(width)
    gan.compile(**row.compiled)
    slices = row.n_critic * row.batch_size
    images = np.random.default_rng(0).uniform(-1, 1, (steps * slices, *row.shape)).astype("float32")
    given = images if row.domains == 1 else tuple(np.roll(images, domain, 0) for domain in range(row.domains))
    dataset = tf.data.Dataset.from_tensor_slices(given).batch(slices, drop_remainder=True)
    gan.fit(dataset.take(1), verbose=0)
    first = time.process_time() - begun
    gan.fit(dataset.take(2), verbose=0)
    begin = time.process_time()
    gan.fit(dataset, verbose=0)
    seconds = (time.process_time() - begin) / steps
    memory = peak_memory()
    answer = {"seconds": seconds, "first": first, "memory": memory, "imported": imported}
    flops = tz.profiling.flops_of_step(gan, dataset.element_spec)
    return answer | {"flops": flops, "rate": tz.profiling.matmul_rate()}


def offer(row, width, path):
    """Write weights of ours as PyTorch wants them, inputs, and the images, logits, penalty and gradient they give."""
    import keras
    import tensorflow as tf

    from tfgan_zoo import noise

    gan = row.made(width, seed=0)
    if row.model in OFFERED:
        np.savez(path, **offered(gan, OFFERED[row.model]))
        return {}
    random, given, seed = np.random.default_rng(0), {}, tf.constant([0, 1])
    for network in (gan.generator, gan.discriminator):
        for weight in network.trainable_variables:
            weight.assign(weight + random.normal(size=weight.shape) * (0.3 if weight.shape.rank == 1 else 0.01))
        given |= {f"{network.name}_{number}": array for number, array in enumerate(weights_of(network))}
    norms = [layer for layer in gan.discriminator.layers if hasattr(layer, "u")]
    given |= {f"u_{number}": keras.ops.convert_to_numpy(norm.u)[:, 0] for number, norm in enumerate(norms)}
    real = random.uniform(-1, 1, (16, *row.shape)).astype("float32")
    latents = random.normal(size=(16, gan.latent_dim)).astype("float32") if row.domains == 1 else real[::-1]
    fake = gan.generator(latents, training=True)
    given |= {"real": mirrored(real), "latents": mirrored(latents), "images": mirrored(fake)}
    given["logits"] = mirrored(gan.discriminator(real, training=not norms))
    if getattr(gan, "penalties", ()):
        first = gan.discriminator.trainable_variables[0].value
        with tf.GradientTape() as tape:
            penalty = gan.penalties[0](lambda images: gan.discriminator(images, training=True), real, fake, seed=seed)
        gradient = keras.ops.convert_to_numpy(tape.gradient(penalty, first))
        given |= {"penalty": penalty, "gradient": turned(gradient)}
        given["mix"] = np.reshape(noise.uniform((16, 1), seed), (-1, 1, 1, 1))
    np.savez(path, **given)
    return {}


def weights_of(network):
    """The weights in PyTorch's shapes and turned around; a dense one at a map by the map's height and width."""
    import keras

    layers = network.layers
    for before, layer, after in zip([None, *layers[:-1]], layers, [*layers[1:], None], strict=True):
        for weight in (weight for weight in layer.weights if weight.name in ("kernel", "bias", "gamma", "beta")):
            array = keras.ops.convert_to_numpy(weight)
            if array.ndim == 2 and isinstance(after, keras.layers.Reshape) and len(after.target_shape) == 3:
                array = array.reshape(-1, *after.target_shape)[:, ::-1, ::-1].transpose(3, 1, 2, 0)
                yield array.reshape(-1, array.shape[-1])
            elif array.ndim == 2 and isinstance(before, keras.layers.Flatten) and len(before.input.shape) == 4:
                array = array.reshape(*before.input.shape[1:], -1)[::-1, ::-1].transpose(3, 2, 0, 1)
                yield array.reshape(len(array), -1)
            else:
                yield turned(array) if array.ndim > 1 else array


SIDES = {"ours": our_side, "offer": offer}


# ---- both ------------------------------------------------------------------------------------------------------------


def measured(command, given):
    """What a side answers, from a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        environment = {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive", "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [*map(str, command), json.dumps(given), answer.name]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
        if done.returncode:
            sys.exit(done.stderr.strip()[-3000:])
        return json.load(answer)


def contest(name, row, torch_python, width, steps, pairs, threads):
    """Both sides by turns; yields lines of the table."""
    steps, width = max(2, round(steps * row.steps)), row.width or width
    common = {"width": width, "steps": steps, "threads": threads}
    theirs = {"entry": row.entry, "shape": row.shape, "n_critic": row.n_critic * row.domains}
    theirs |= {"batch_size": row.batch_size, "half": row.half, "exchange": None} | common

    def ours_once():
        return measured([sys.executable, __file__, "ours"], {"name": name} | common)

    def theirs_once(variant, **more):
        return measured([torch_python, ROOT / "benchmarks" / "pytorch_side.py"], theirs | {"variant": variant} | more)

    with tempfile.TemporaryDirectory() as room:
        exchange = f"{room}/exchange.npz"
        measured([sys.executable, __file__, "offer"], {"name": name, "width": width, "path": exchange})
        first = {variant: theirs_once(variant, exchange=exchange) for variant in row.variants}
    apart = first["eager"]["apart"]
    if max(apart.values()) > row.apart:
        sys.exit(
            f"{name}: the sides differ by {apart}, more than {row.apart} of the largest value: nothing to compare."
        )
    best = min(first, key=lambda variant: first[variant]["seconds"])
    rounds = []
    for pair in range(pairs):
        if pair % 2:
            rounds.append((ours_once(), theirs_once(best)))
        else:
            rounds.append((theirs_once(best), ours_once())[::-1])
    ours, torch = zip(*rounds, strict=True)
    ratios = sorted(a["seconds"] / b["seconds"] for a, b in rounds)
    middle = lambda side, key: statistics.median(one[key] for one in side)  # noqa: E731
    share = ours[0]["flops"] / middle(ours, "seconds") / middle(ours, "rate")
    others = ", ".join(f"{variant} {one['seconds']:.4f}" for variant, one in first.items())
    yield f"{name} (width {width}, {steps} steps; same function within {max(apart.values()):.0e})"
    yield f"    CPU s a step   {middle(ours, 'seconds'):.4f}   PyTorch {torch[0]['version']} {best}: " + (
        f"{middle(torch, 'seconds'):.4f} (first round: {others})"
    )
    spread = f"pairs {ratios[0]:.3f} to {ratios[-1]:.3f}"
    yield f"    ratio          {statistics.median(ratios):.3f} ({spread}; goal {row.goal})"
    yield (
        f"    arithmetic     {ours[0]['flops'] / 1e9:.2f} GFLOP a step = {share:.0%} of the matrix-multiply rate, "
        + (f"{middle(ours, 'rate') / 1e9:.0f} GFLOP a CPU s (goal 80 % for convolutions)")
    )
    yield (
        f"    peak memory    {middle(ours, 'memory'):.0f} MB, {middle(ours, 'imported'):.0f} of them the import's; "
        + (f"PyTorch {middle(torch, 'memory'):.0f}, {middle(torch, 'imported'):.0f} (goal 1.0 x)")
    )
    yield f"    first step     {middle(ours, 'first'):.1f} CPU s beyond the import (goal 6); PyTorch " + (
        f"{middle(torch, 'first'):.1f} altogether"
    )


def main(
    torch_python: pathlib.Path = pathlib.Path(sys.executable),
    only: str = "",
    width: int = 64,
    steps: int = 20,
    pairs: int = 5,
    threads: int = 2,
):
    """Print the machine, then every contest, or those whose name begins as `only` says."""
    print(machine(), flush=True)
    for name, row in ROWS.items():
        if name.startswith(only):
            for line in contest(name, row, torch_python, width, steps, pairs, threads):
                print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in SIDES:
        given = json.loads(sys.argv[2])
        answer = SIDES[sys.argv[1]](ROWS[given.pop("name")], **given)
        pathlib.Path(sys.argv[3]).write_text(json.dumps(answer), encoding="utf-8")
    else:
        import typer

        typer.run(main)
