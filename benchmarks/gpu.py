"""What training costs on a GPU, beside PyTorch on the same card; and that images are the CPU's.

    python -m benchmarks.gpu [--torch-python PATH] [--steps 200] [--width 64] [--batch-size 256]

Wall-clock milliseconds a step, after a warm-up and with the card idle at both ends, so measure on one that nobody else
uses. Ours in float32 (TF32 where the card has it), bfloat16, each also by XLA, ten steps at a time; PyTorch eager and
compiled, in the same two precisions, TF32 allowed. Every way is a process of its own: all warm up at once, since
compilers take long, and then each is measured while the others wait. Last, the largest difference of
`generate(64, seed=0)` to the CPU's without TF32, for an entry of each family.
"""

import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS = {"dcgan": ((28, 28, 1), 1), "wgan_gp": ((32, 32, 3), 5)}
PRECISIONS = ("float32", "mixed_bfloat16")
WAYS = {"ours": {"as it is": False, "XLA": True}, "PyTorch": {"eager": "eager", "compiled": "compile"}}
WARM_UP = 20  # steps
LOGS = Path(tempfile.gettempdir()) / "benchmarks_gpu"
ALIKE = ("dcgan", "cgan", "vae", "realnvp", "diffusion", "flow_matching", "vq_vae")


def ours(name, precision, jit, width, batch_size):
    """A function that trains a zoo entry for so many steps, by tens."""
    import tensorflow as tf

    import tfgan_zoo as tz

    shape, n_critic = ROWS[name]
    tz.runtime.setup(seed=0, precision=precision, jit=jit)
    model = tz.create(name, shape, width=width)
    model.compile(steps_per_execution=10)
    images = np.random.default_rng(0).uniform(-1, 1, (10 * batch_size * n_critic, *shape)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices(images).batch(batch_size * n_critic, True).cache()
    return lambda steps: model.fit(data.repeat(steps // 10).prefetch(4), verbose=0)


def theirs(name, precision, variant, width, batch_size):
    """A function that trains the same networks by the same updates in PyTorch for so many steps."""
    import torch

    from benchmarks import pytorch_side

    pytorch_side.DEVICE = "cuda"
    torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    shape, n_critic = ROWS[name]
    gan = pytorch_side.TorchGAN(name, width, variant, precision != "float32")
    batches = torch.rand(10, n_critic * batch_size, shape[-1], *shape[:2]) * 2 - 1

    def train(steps):
        for step in range(steps):
            gan.step(batches[step % 10].contiguous(memory_format=gan.layout), n_critic)
        torch.cuda.synchronize()

    return train


def timed(side, name, precision, way, steps, *numbers):
    """Of one way, in its own process: warm up, say so, wait for a line, and print milliseconds a step."""
    begin = time.perf_counter()
    train = {"ours": ours, "PyTorch": theirs}[side](name, precision, WAYS[side][way], *numbers)
    train(WARM_UP)
    print(f"{time.perf_counter() - begin:.1f}", flush=True)
    sys.stdin.readline()
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        train(steps)
        took.append(time.perf_counter() - begin)
    print(f"{1e3 * min(took) / steps:.3f}", flush=True)


def alike():
    """Entry -> the largest difference of its images on the GPU to those on the CPU."""
    import tensorflow as tf

    import tfgan_zoo as tz

    tf.config.experimental.enable_tensor_float_32_execution(False)
    found = {}
    for name in ALIKE:
        images = {}
        for device in ("CPU:0", "GPU:0"):
            tz.runtime.setup(seed=0)
            with tf.device(device):
                images[device] = tz.create(name, (28, 28, 1), width=16, seed=0).generate(64, seed=0)
        found[name] = float(np.abs(images["CPU:0"] - images["GPU:0"]).max())
    return found


def main(
    torch_python: str = sys.executable,
    steps: int = 200,
    width: int = 64,
    batch_size: int = 256,
    only: str = "",
    patience: float = 300.0,
    logs: Path = LOGS,
):
    """Print the table: who is not warm within so many seconds is left out. What processes said is kept in `logs`."""
    if steps < 10:
        raise ValueError(f"steps={steps}: ours are executed by tens, so give at least 10.")
    logs.mkdir(parents=True, exist_ok=True)
    started = []
    for name in (name for name in ROWS if name.startswith(only)):
        for side, ways in WAYS.items():
            for precision in PRECISIONS:
                for way in ways:
                    given = (side, name, precision, way, steps, width, batch_size)
                    said = f"{name}, {side}, {precision}, {way}"
                    code = f"from benchmarks import gpu; gpu.timed(*{given!r})"
                    python = sys.executable if side == "ours" else torch_python
                    with (logs / f"{said}.log").open("w") as log:
                        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
                        started.append((said, subprocess.Popen([python, "-c", code], **pipes)))
    end, firsts = time.monotonic() + patience, []
    for _, process in started:
        answers, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        firsts.append(process.stdout.readline().strip() if answers else "")
        if not firsts[-1]:
            process.kill()
    print(f"width {width}, {batch_size} images an update, {steps} updates, milliseconds by the clock", flush=True)
    for (said, process), first in zip(started, firsts, strict=True):
        out, _ = process.communicate("measure\n" if first else None)
        if process.returncode:
            print(f"{said:45} failed: see {logs / said}.log", flush=True)
        else:
            print(f"{said:45} {float(out):8.2f} ms a step; {float(first):5.1f} s to build and warm up", flush=True)
    code = "from benchmarks import gpu; print('largest difference to images of the CPU:', gpu.alike())"
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    import typer

    typer.run(main)
