"""What training costs on a GPU, beside PyTorch on the same card; and that images are the CPU's.

    python -m benchmarks.gpu [--torch-python PATH] [--steps 200] [--width 64] [--batch-size 256]

Wall-clock milliseconds a step, after a warm-up and with the card idle at both ends, so measure on one that nobody else
uses. Ours in float32 (TF32 where the card has it), bfloat16, each also by XLA, ten steps at a time; PyTorch eager and
compiled, in the same two precisions, TF32 allowed. Then the largest difference of `generate(64, seed=0)` to the CPU's
without TF32, for an entry of each family.
"""

import subprocess
import sys
import time

import numpy as np

ROWS = {"dcgan": ((28, 28, 1), 1), "wgan_gp": ((32, 32, 3), 5)}
WAYS = {False: "as it is", True: "XLA"}
ALIKE = ("dcgan", "cgan", "vae", "realnvp", "diffusion", "flow_matching", "vq_vae")


def ours(name, precision, jit, steps, width, batch_size):
    """Milliseconds a step of a zoo entry, and the seconds of its first pass."""
    import tensorflow as tf

    import tfgan_zoo as tz

    shape, n_critic = ROWS[name]
    tz.runtime.setup(seed=0, precision=precision, jit=jit)
    model = tz.create(name, shape, width=width)
    model.compile(steps_per_execution=10)
    images = np.random.default_rng(0).uniform(-1, 1, (10 * batch_size * n_critic, *shape)).astype("float32")
    data = (
        tf.data.Dataset.from_tensor_slices(images)
        .batch(batch_size * n_critic, True)
        .cache()
        .repeat(steps // 10)
        .prefetch(4)
    )
    took = []
    for _ in range(2):
        begin = time.perf_counter()
        model.fit(data, verbose=0)
        took.append(time.perf_counter() - begin)
    return {"ms": 1e3 * took[1] / steps, "first": took[0] - took[1]}


def theirs(name, precision, variant, steps, width, batch_size):
    """Milliseconds a step of the same networks and updates in PyTorch."""
    import torch

    from benchmarks import pytorch_side

    pytorch_side.DEVICE = "cuda"
    torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    shape, n_critic = ROWS[name]
    entry = {"dcgan": "dcgan", "wgan_gp": "wgan_gp"}[name]
    gan = pytorch_side.TorchGAN(entry, width, variant, precision != "float32")
    batches = torch.rand(10, n_critic * batch_size, shape[-1], *shape[:2]) * 2 - 1
    took = []
    for _ in range(2):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for step in range(steps):
            gan.step(batches[step % 10].contiguous(memory_format=gan.layout), n_critic)
        torch.cuda.synchronize()
        took.append(time.perf_counter() - begin)
    return {"ms": 1e3 * took[1] / steps, "first": took[0] - took[1]}


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


def table(side, names, steps, width, batch_size):
    """Print a line for each way of one side, which takes all of the card's memory: a process of its own for each."""
    ways = {"ours": (("float32", False), ("float32", True), ("mixed_bfloat16", False), ("mixed_bfloat16", True))}
    ways["theirs"] = tuple((p, v) for p in ("float32", "mixed_bfloat16") for v in ("eager", "compile"))
    for name in names:
        for precision, way in ways[side]:
            said = f"{name}, {'PyTorch' if side == 'theirs' else 'ours'}, {precision}, {WAYS.get(way, way)}"
            try:
                found = {"ours": ours, "theirs": theirs}[side](name, precision, way, steps, width, batch_size)
                told = f"{found['ms']:8.2f} ms a step, {found['first']:5.1f} s more at first"
            except Exception as error:  # what one way does not have should not end the others
                told = str(error).strip().splitlines()[0][:200]
            print(f"{said:50}", told, flush=True)


def main(torch_python: str = sys.executable, steps: int = 200, width: int = 64, batch_size: int = 256, only: str = ""):
    """Print the table."""
    names = [name for name in ROWS if name.startswith(only)]
    print(f"width {width}, {batch_size} images an update", flush=True)
    for python, side in ((sys.executable, "ours"), (torch_python, "theirs")):
        code = f"from benchmarks import gpu; gpu.table({side!r}, {names}, {steps}, {width}, {batch_size})"
        subprocess.run([python, "-c", code], check=True)
    code = "from benchmarks import gpu; print('largest difference to the CPU's images:', gpu.alike())"
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    import typer

    typer.run(main)
