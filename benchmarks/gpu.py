"""What training costs on a GPU, beside PyTorch on the same card; and that images are the CPU's.

    python -m benchmarks.gpu [--torch-python PATH] [--steps 200] [--width 64] [--batch-size 256]

Wall-clock milliseconds a step, after a warm-up and with the card idle at both ends, so measure on one that nobody else
uses. Ours in float32 (TF32 where the card has it), bfloat16, each also by XLA, ten steps at a time; PyTorch eager and
compiled, in the same two precisions, TF32 allowed. Then the largest difference of `generate(64, seed=0)` to the CPU's
without TF32, for an entry of each family.
"""

import json
import os
import subprocess
import sys
import time

import numpy as np

ROWS = {"dcgan": ((28, 28, 1), 1), "wgan_gp": ((32, 32, 3), 5)}
ALIKE = ("dcgan", "cgan", "vae", "realnvp", "diffusion", "flow_matching", "vq_vae")


def ours(name, precision, jit, steps, width, batch_size):
    """Milliseconds a step of a zoo entry, and the seconds of its first pass."""
    import tensorflow as tf

    import tfgan_zoo as tz

    shape, n_critic = ROWS[name]
    tz.runtime.setup(seed=0, precision=precision, jit=jit)
    model = tz.create(name, shape, width=width)
    model.compile(steps_per_execution=1 if jit else 10)
    images = np.random.default_rng(0).uniform(-1, 1, (10 * batch_size * n_critic, *shape)).astype("float32")
    data = (
        tf.data.Dataset.from_tensor_slices(images).batch(batch_size * n_critic).cache().repeat(steps // 10).prefetch(4)
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


def asked(python, function, *arguments):
    """What a function here answers in a process of its own."""
    code = f"import json; from benchmarks import gpu; print(json.dumps(gpu.{function}(*{arguments!r})))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=os.environ)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def said(answer):
    """An answer as a line's end."""
    return answer.get("error") or f"{answer['ms']:8.2f} ms a step, {answer['first']:5.1f} s more at first"


def main(torch_python: str = sys.executable, steps: int = 200, width: int = 64, batch_size: int = 256, only: str = ""):
    """Print the table."""
    numbers = (steps, width, batch_size)
    for name in ROWS:
        if not name.startswith(only):
            continue
        print(f"{name}, width {width}, {batch_size} images an update", flush=True)
        for precision in ("float32", "mixed_bfloat16"):
            for jit in (False, True):
                line = f"    ours {precision}{', XLA' if jit else ''}"
                print(f"{line:42}", said(asked(sys.executable, "ours", name, precision, jit, *numbers)), flush=True)
            for variant in ("eager", "compile") if name != "wgan_gp" else ("eager",):
                line = f"    PyTorch {precision}, {variant}"
                print(f"{line:42}", said(asked(torch_python, "theirs", name, precision, variant, *numbers)), flush=True)
    print("largest difference to the CPU's images:", asked(sys.executable, "alike"), flush=True)


if __name__ == "__main__":
    import typer

    typer.run(main)
