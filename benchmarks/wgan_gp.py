"""What WGAN-GP's training step costs beside PyTorch's, with the same networks, penalty and optimizer.

    python -m benchmarks.wgan_gp --torch-python /path/to/python-with-torch

28x28x1, batch 64, five updates of the critic and one of the generator a step. Each side runs in a process of its own,
by turns, both on the same number of threads; printed are CPU seconds of the process a step after a warm-up, the ratio
of each pair and its median; and, of our side, the step's arithmetic over the rate of a large matrix multiplication
measured in the same process. PyTorch's side is Algorithm 1 of Gulrajani et al. 2017 as its users write it: eager, NCHW,
`autograd.grad(..., create_graph=True)`, G without a graph while the critic learns, D without gradients while G does.

A thread of PyTorch's that waits for another spins, and CPU seconds count that as work, all the more on a busy machine:
OMP_WAIT_POLICY=passive, set here, lets it sleep. Keras' "same" pads 1 before and 2 behind, and PyTorch's padding=2 is
its mirror image, at no further cost: the weights of one are those of the other turned around, and a check says that
both then give the same images, logits, penalty and gradient of the penalty.
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
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

GOAL = 0.7
N_CRITIC = 5
MISSING = "PyTorch is missing: install it with `pip install torch` in any environment, and give its --torch-python."


# ---- PyTorch's side: runs in an interpreter that may have nothing but torch and NumPy --------------------------------


class TorchGAN:
    """The two networks, their optimizers and one step."""

    def __init__(self, width, latent_dim=128):
        import torch
        from torch import nn

        self.torch, self.latent_dim, wide = torch, latent_dim, 2 * width
        up, down = {"stride": 2, "padding": 2, "output_padding": 1}, {"stride": 2, "padding": 2}
        self.generator = nn.Sequential(
            nn.Linear(latent_dim, 49 * wide, bias=False),
            nn.Unflatten(1, (wide, 7, 7)),
            nn.BatchNorm2d(wide, eps=1e-3),
            nn.ReLU(),
            nn.ConvTranspose2d(wide, width, 5, bias=False, **up),
            nn.BatchNorm2d(width, eps=1e-3),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 5, **up),
            nn.Tanh(),
        )
        self.critic = nn.Sequential(
            nn.Conv2d(1, width, 5, **down),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, wide, 5, **down),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(49 * wide, 1, bias=False),
        )
        adam = {"lr": 1e-4, "betas": (0.0, 0.9), "eps": 1e-7}
        self.optimizers = [torch.optim.Adam(n.parameters(), **adam) for n in (self.generator, self.critic)]

    def take(self, weights):
        """Copy weights of ours: one array a parameter, turned around and in PyTorch's order."""
        for network, name in ((self.generator, "generator"), (self.critic, "discriminator")):
            for number, parameter in enumerate(network.parameters()):
                parameter.data = self.torch.tensor(weights[f"{name}_{number}"])

    def penalty(self, real, fake, mix):
        """10 E (|grad D| - 1)^2 on the lines between real and generated."""
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        (slopes,) = self.torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return 10.0 * ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()

    def step(self, images):
        """Five updates of the critic on a slice each, one of the generator."""
        torch, (g_optimizer, d_optimizer) = self.torch, self.optimizers
        for real in images.chunk(N_CRITIC):
            with torch.no_grad():
                fake = self.generator(torch.randn(len(real), self.latent_dim))
            loss = self.critic(fake).mean() - self.critic(real).mean()
            loss = loss + self.penalty(real, fake, torch.rand(len(real), 1, 1, 1))
            d_optimizer.zero_grad()
            loss.backward()
            d_optimizer.step()
        self.critic.requires_grad_(False)
        loss = -self.critic(self.generator(torch.randn(len(real), self.latent_dim))).mean()
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        self.critic.requires_grad_(True)


def torch_side(width, batch_size, steps, warm_up, threads, exchange):
    """CPU seconds a step, and by how much images, logits, penalty and its gradient differ from those in `exchange`."""
    try:
        import torch
    except ImportError:
        sys.exit(MISSING)
    torch.set_num_threads(threads)
    given = dict(np.load(exchange))
    gan = TorchGAN(width)
    gan.take(given)
    real, latents, mix = (torch.tensor(given[name]) for name in ("real", "latents", "mix"))
    fake = gan.generator(latents)
    penalty = gan.penalty(real, fake.detach(), mix)
    penalty.backward()
    kernel = next(gan.critic.parameters())
    found = {"images": fake, "logits": gan.critic(real), "penalty": penalty, "gradient": kernel.grad}
    apart = {name: np.abs(value.detach().numpy() - given[name]).max() for name, value in found.items()}
    gan = TorchGAN(width)
    batches = torch.rand(steps, N_CRITIC * batch_size, 1, 28, 28) * 2 - 1
    for number in range(warm_up):
        gan.step(batches[number % steps])
    begin = time.process_time()
    for batch in batches:
        gan.step(batch)
    seconds = (time.process_time() - begin) / steps
    apart = {name: float(apart[name] / np.abs(given[name]).max()) for name in apart}
    return {"seconds": seconds, "apart": apart, "version": torch.__version__}


# ---- our side --------------------------------------------------------------------------------------------------------


def our_side(width, batch_size, steps, warm_up, threads, jit):
    """CPU seconds a step, floating-point operations a step, and the rate of a large matrix multiplication."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    import tfgan_zoo as tz
    from tfgan_zoo.profiling import flops_of_step, matmul_rate

    tz.runtime.setup(seed=0, jit=jit)
    gan = tz.create("wgan_gp", (28, 28, 1), width=width)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (steps * N_CRITIC * batch_size, 28, 28, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(N_CRITIC * batch_size, drop_remainder=True).cache()
    gan.fit(dataset.take(warm_up), verbose=0)
    begin = time.process_time()
    gan.fit(dataset, verbose=0)
    seconds = (time.process_time() - begin) / steps
    return {"seconds": seconds, "flops": flops_of_step(gan, dataset.element_spec), "rate": matmul_rate()}


def offer(width, path):
    """Write weights of ours as PyTorch wants them, inputs, and the images, logits, penalty and gradient they give."""
    import keras
    import tensorflow as tf

    import tfgan_zoo as tz
    from tfgan_zoo import noise

    gan = tz.create("wgan_gp", (28, 28, 1), width=width, seed=0)
    random, given, seed = np.random.default_rng(0), {}, tf.constant([0, 1])
    for network in (gan.generator, gan.discriminator):
        for number, weight in enumerate(network.trainable_variables):
            weight.assign(weight + random.normal(size=weight.shape) * (0.3 if weight.shape.rank == 1 else 0.01))
            given[f"{network.name}_{number}"] = _turned(keras.ops.convert_to_numpy(weight), width)
    real = random.uniform(-1, 1, (16, 28, 28, 1)).astype("float32")
    latents = random.normal(size=(16, gan.latent_dim)).astype("float32")
    fake = gan.generator(latents, training=True)
    with tf.GradientTape() as tape:
        penalty = gan.penalties[0](lambda images: gan.discriminator(images, training=True), real, fake, seed=seed)
    gradient = tape.gradient(penalty, gan.discriminator.trainable_variables[0].value)
    given |= {"real": _mirrored(real), "latents": latents, "images": _mirrored(fake)}
    given |= {"logits": gan.discriminator(real), "penalty": penalty, "gradient": _turned(np.array(gradient), width)}
    np.savez(path, **given, mix=np.reshape(noise.uniform((16, 1), seed), (-1, 1, 1, 1)))


def _mirrored(images):
    return np.ascontiguousarray(np.transpose(np.asarray(images)[:, ::-1, ::-1], (0, 3, 1, 2)))


def _turned(weight, width):
    """A kernel of ours, turned around, with PyTorch's order of axes; dense ones at a map by the map's."""
    wide = 2 * width
    if weight.ndim == 4:  # (height, width, in, out) -> (out, in, height, width), and the same for transposed ones
        weight = weight[::-1, ::-1].transpose(3, 2, 0, 1)
    elif weight.ndim == 2 and weight.shape[1] == 1:  # from the map to the logit
        weight = weight.reshape(7, 7, wide)[::-1, ::-1].transpose(2, 0, 1).reshape(1, -1)
    elif weight.ndim == 2:  # from latents to the map
        weight = weight.reshape(-1, 7, 7, wide)[:, ::-1, ::-1].transpose(3, 1, 2, 0).reshape(49 * wide, -1)
    return np.ascontiguousarray(weight)


# ---- both ------------------------------------------------------------------------------------------------------------

SIDES = {"ours": our_side, "torch": torch_side}


def measured(python, side, **numbers):
    """What a side returns, from a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        command = [str(python), __file__, side, json.dumps(numbers), answer.name]
        environment = {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive", "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        if done.returncode:
            sys.exit(done.stderr.strip() if MISSING in done.stderr else f"The {side} side failed:\n{done.stderr}")
        return json.load(answer)


def main(
    torch_python: pathlib.Path = pathlib.Path(sys.executable),
    width: int = 64,
    batch_size: int = 64,
    steps: int = 10,
    pairs: int = 5,
    threads: int = 2,
    jit: bool = False,
):
    """Print the check, CPU seconds a step of both, their ratio, and how far ours is from the machine's limit."""
    numbers = {"width": width, "batch_size": batch_size, "steps": steps, "warm_up": 3, "threads": threads}
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as room:
        offer(width, exchange := f"{room}/exchange.npz")
        for pair in range(pairs):
            for side in ("ours", "torch") if pair % 2 else ("torch", "ours"):
                if side == "ours":
                    ours.append(measured(sys.executable, side, jit=jit, **numbers))
                    continue
                theirs.append(measured(torch_python, side, exchange=exchange, **numbers))
                if not pair:
                    apart = theirs[0]["apart"]
                    print("same function: " + ", ".join(f"{name} within {gap:.0e}" for name, gap in apart.items()))
                    if max(apart.values()) > 1e-4:
                        sys.exit("The two sides differ by more than 1e-4 of the largest value: nothing to compare.")
    ratios = sorted(a["seconds"] / b["seconds"] for a, b in zip(ours, theirs, strict=True))
    seconds, rate = (statistics.median(one[name] for one in ours) for name in ("seconds", "rate"))
    flops, limit = ours[0]["flops"], ours[0]["flops"] / rate
    print(f"tfgan_zoo      {seconds:.3f} CPU s a step{', XLA' if jit else ''}")
    print(f"PyTorch {theirs[0]['version']:6} {statistics.median(one['seconds'] for one in theirs):.3f} CPU s a step")
    print(
        f"ratio          {statistics.median(ratios):.3f}   "
        f"(pairs from {ratios[0]:.3f} to {ratios[-1]:.3f}; goal <= {GOAL})"
    )
    print(f"arithmetic     {flops / 1e9:.1f} GFLOP a step = {limit / seconds:.0%} of the matrix-multiply rate,")
    print(f"               {rate / 1e9:.0f} GFLOP a CPU second")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in SIDES:
        side, numbers, answer = sys.argv[1:]
        pathlib.Path(answer).write_text(json.dumps(SIDES[side](**json.loads(numbers))), encoding="utf-8")
    else:
        import typer

        typer.run(main)
