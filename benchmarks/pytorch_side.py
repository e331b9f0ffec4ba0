"""PyTorch's half of benchmarks/pytorch.py: the zoo's networks and updates as PyTorch's users write them.

Runs as a script, in an interpreter that may have nothing but torch and NumPy; prints nothing, answers in a JSON file.
"""

import dataclasses
import json
import pathlib
import re
import sys
import time
from collections.abc import Callable

import numpy as np

try:
    import torch
except ImportError:
    sys.exit("PyTorch is missing: install it with `pip install torch` in any environment, and give its --torch-python.")
from torch import nn
from torch.nn.functional import relu, softplus
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks import pytorch_networks
from benchmarks.pytorch_stylegan2 import StyleGAN2

DEVICE = "cpu"  # of autocast; benchmarks/gpu.py makes it another
KERNELS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)


def dcgan(width, latent_dim, normed):
    """G and D of `tfgan_zoo.networks.dcgan` at 28x28x1, with batch normalisation in D or without, and then no bias."""
    wide, up, down = 2 * width, {"stride": 2, "padding": 2, "output_padding": 1}, {"stride": 2, "padding": 2}
    generator = nn.Sequential(
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
    norm = [nn.BatchNorm2d(wide, eps=1e-3)] if normed else []
    return generator, nn.Sequential(
        nn.Conv2d(1, width, 5, **down),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, wide, 5, bias=not normed, **down),
        *norm,
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(49 * wide, 1, bias=normed),
    )


def mlp(width, latent_dim):
    """G and D of `tfgan_zoo.networks.mlp` for points."""
    hidden = lambda units: (nn.Linear(units, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())  # noqa: E731
    leaky = (nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))
    return nn.Sequential(*hidden(latent_dim), nn.Linear(width, 2)), nn.Sequential(*leaky)


class Doubling(nn.Module):
    """A residual block of G; its parts stand in the order of our weights."""

    def __init__(self, width):
        super().__init__()
        self.first_norm = nn.BatchNorm2d(width, eps=1e-3)
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width, eps=1e-3)
        self.shortcut = nn.Conv2d(width, width, 1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.grow = nn.Upsample(scale_factor=2)

    def forward(self, x):
        y = self.first(self.grow(relu(self.first_norm(x))))
        return self.grow(self.shortcut(x)) + self.second(relu(self.second_norm(y)))


class Residual(nn.Module):
    """A residual block of D, which halves the map or keeps it."""

    def __init__(self, channels, width, wrap, halves=True, first=False):
        super().__init__()
        self.rectify = nn.Identity() if first else nn.ReLU()
        self.first = wrap(nn.Conv2d(channels, width, 3, padding=1))
        self.second = wrap(nn.Conv2d(width, width, 3, padding=1))
        self.pool = nn.AvgPool2d(2) if halves else nn.Identity()
        self.shortcut = wrap(nn.Conv2d(channels, width, 1)) if halves else nn.Identity()

    def forward(self, x):
        return self.shortcut(self.pool(x)) + self.pool(self.second(relu(self.first(self.rectify(x)))))


class Pooled(nn.Module):
    """The rectified map's sum or mean."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def forward(self, x):
        return self.pool(relu(x), dim=(2, 3))


def resnet(width, latent_dim, spectral):
    """G and D of `tfgan_zoo.networks.resnet` at 32x32x3: SNGAN's with spectral normalisation, WGAN-GP's without."""
    generator = nn.Sequential(
        nn.Linear(latent_dim, 16 * width, bias=False),
        nn.Unflatten(1, (width, 4, 4)),
        *(Doubling(width) for _ in range(3)),
        nn.BatchNorm2d(width, eps=1e-3),
        nn.ReLU(),
        nn.Conv2d(width, 3, 3, padding=1),
        nn.Tanh(),
    )
    wrap = spectral_norm if spectral else lambda layer: layer
    return generator, nn.Sequential(
        Residual(3, width, wrap, first=True),
        Residual(width, width, wrap),
        Residual(width, width, wrap, halves=False),
        Residual(width, width, wrap, halves=False),
        Pooled(torch.sum if spectral else torch.mean),
        wrap(nn.Linear(width, 1, bias=False)),
    )


class Added(nn.Module):
    """A residual block of CycleGAN's generators."""

    def __init__(self, width):
        super().__init__()
        parts = [layer for _ in range(2) for layer in normed(width, width, 3, reflected=1)]
        self.parts = nn.Sequential(*parts[:-1])

    def forward(self, x):
        return x + self.parts(x)


def normed(channels, width, size, reflected=0, **options):
    """A convolution, an instance norm without weights and a rectifier."""
    edges = [nn.ReflectionPad2d(reflected)] if reflected else []
    return *edges, nn.Conv2d(channels, width, size, bias=False, **options), nn.InstanceNorm2d(width), nn.ReLU()


def cyclegan(width, blocks=3):
    """A generator and a discriminator of `tfgan_zoo.networks.translation` at 64x64x3, as CycleGAN has them."""
    doubled = lambda maps: (nn.Upsample(scale_factor=2), *normed(2 * maps, maps, 3, padding=1))  # noqa: E731
    generator = nn.Sequential(
        *normed(3, width, 7, reflected=3),
        *normed(width, 2 * width, 3, stride=2, padding=1),
        *normed(2 * width, 4 * width, 3, stride=2, padding=1),
        *(Added(4 * width) for _ in range(blocks)),
        *doubled(2 * width),
        *doubled(width),
        nn.ReflectionPad2d(3),
        nn.Conv2d(width, 3, 7),
        nn.Tanh(),
    )
    leaky = lambda layers: (*layers[:-1], nn.LeakyReLU(0.2))  # noqa: E731
    return generator, nn.Sequential(
        nn.Conv2d(3, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        *leaky(normed(width, 2 * width, 4, stride=2, padding=1)),
        *leaky(normed(2 * width, 4 * width, 4, stride=2, padding=1)),
        *leaky(normed(4 * width, 8 * width, 4, padding=1)),
        nn.Conv2d(8 * width, 1, 4, padding=1),
    )


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the zoo calls by a name: networks, losses of logits, Adam's numbers, and what G is fed."""

    networks: Callable  # width -> G, D
    critic_loss: Callable
    generator_loss: Callable
    rate: float
    betas: tuple = (0.0, 0.9)
    uniform: bool = False
    penalized: bool = False


_SATURATION = {
    "critic_loss": lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
    "generator_loss": lambda fake: softplus(-fake).mean(),
    "betas": (0.5, 0.999),
    "uniform": True,
}
_DISTANCE = {
    "critic_loss": lambda real, fake: fake.mean() - real.mean(),
    "generator_loss": lambda fake: -fake.mean(),
    "rate": 1e-4,
    "penalized": True,
}
ENTRIES = {
    "dcgan": Entry(lambda width: dcgan(width, 100, True), rate=2e-4, **_SATURATION),
    "gan": Entry(lambda width: mlp(width, 100), rate=1e-3, **_SATURATION),
    "wgan_gp": Entry(lambda width: resnet(width, 128, False), **_DISTANCE),
    "wgan_gp 28x28": Entry(lambda width: dcgan(width, 128, False), **_DISTANCE),
    "sngan": Entry(
        lambda width: resnet(width, 128, True),
        lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(),
        lambda fake: -fake.mean(),
        rate=2e-4,
    ),
}


class TorchGAN:
    """Two networks, their optimizers and one step."""

    def __init__(self, entry, width, variant, half):
        self.entry, self.half = ENTRIES[entry], half
        self.generator, self.critic = self.entry.networks(width)
        self.latent_dim = self.generator[0].in_features
        self.layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
        for network in (self.generator, self.critic):
            network.to(memory_format=self.layout)
        optimizers = {"lr": self.entry.rate, "betas": self.entry.betas, "eps": 1e-7}
        self.optimizers = [torch.optim.Adam(n.parameters(), **optimizers) for n in (self.generator, self.critic)]
        self.make, self.judge = self.generator, self.critic
        if variant == "compile":
            self.make, self.judge = torch.compile(self.generator), torch.compile(self.critic)

    def take(self, given):
        """Copy weights of ours: one array a parameter, turned around and in PyTorch's order."""
        for network, name in ((self.generator, "generator"), (self.critic, "discriminator")):
            parameters, directions = [], []
            for module in network.modules():
                if isinstance(module, KERNELS):
                    held = getattr(module, "parametrizations", None)
                    directions += [held.weight[0]] if held else []
                    parameters += [held.weight.original if held else module.weight]
                    parameters += [] if module.bias is None else [module.bias]
            for number, parameter in enumerate(parameters):
                parameter.data = torch.tensor(given[f"{name}_{number}"])
            for number, norm in enumerate(directions):
                u = torch.tensor(given[f"u_{number}"])
                weight = [p for p in parameters if p.ndim > 1][number].flatten(1)
                norm._u.copy_(u)
                norm._v.copy_(nn.functional.normalize(weight.T @ u, dim=0))

    def latents(self, count):
        """What G is fed."""
        shape = (count, self.latent_dim)
        return torch.rand(shape) * 2 - 1 if self.entry.uniform else torch.randn(shape)

    def penalty(self, real, fake, mix):
        """10 E (|grad D| - 1)^2 on the lines between real and generated (Gulrajani et al. 2017, Eq. 3)."""
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        (slopes,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return 10.0 * ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()

    def step(self, images, n_critic):
        """Updates of the critic on a slice each, then one of the generator."""
        g_optimizer, d_optimizer = self.optimizers
        for real in images.chunk(n_critic):
            with torch.autocast(DEVICE, torch.bfloat16, enabled=self.half):
                with torch.no_grad():
                    fake = self.make(self.latents(len(real)))
                fake_logits, real_logits = self.judge(fake), self.judge(real)
            loss = self.entry.critic_loss(real_logits.float(), fake_logits.float())
            if self.entry.penalized:
                loss = loss + self.penalty(real, fake, torch.rand(len(real), 1, 1, 1))
            d_optimizer.zero_grad()
            loss.backward()
            d_optimizer.step()
        self.critic.requires_grad_(False)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=self.half):
            logits = self.judge(self.make(self.latents(len(real))))
        loss = self.entry.generator_loss(logits.float())
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        self.critic.requires_grad_(True)


class TorchCycleGAN:
    """Four networks, an optimizer for the generators and one for each discriminator, pools of 50, and one step."""

    entry = Entry(cyclegan, None, None, rate=2e-4)

    def __init__(self, entry, width, variant, half):
        self.generator, self.critic = cyclegan(width)
        self.inverse, self.inverse_critic = cyclegan(width)
        self.layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
        networks = (self.generator, self.inverse, self.critic, self.inverse_critic)
        for network in networks:
            network.to(memory_format=self.layout)
        both = [*self.generator.parameters(), *self.inverse.parameters()]
        groups = both, self.critic.parameters(), self.inverse_critic.parameters()
        self.optimizers = [torch.optim.Adam(group, lr=2e-4, betas=(0.5, 0.999), eps=1e-7) for group in groups]
        self.pools = [], []

    take = TorchGAN.take

    def step(self, images, _):
        """Both generators, then each discriminator (Zhu et al. 2017, Sec. 3 and 4)."""
        a, b = images.chunk(2)
        judges = self.critic, self.inverse_critic
        for judge in judges:
            judge.requires_grad_(False)
        fake_b, fake_a = self.generator(a), self.inverse(b)
        again_a, again_b, same_b, same_a = (
            self.inverse(fake_b),
            self.generator(fake_a),
            self.generator(b),
            self.inverse(a),
        )
        loss = sum(((judge(fake) - 1) ** 2).mean() for judge, fake in zip(judges, (fake_b, fake_a)))  # noqa: B905
        loss = loss + 10 * ((again_a - a).abs().mean() + (again_b - b).abs().mean())
        loss = loss + 5 * ((same_a - a).abs().mean() + (same_b - b).abs().mean())
        self._descend(self.optimizers[0], loss)
        for place, (judge, real, fake) in enumerate(zip(judges, (b, a), (fake_b, fake_a))):  # noqa: B905
            judge.requires_grad_(True)
            fake = self._pooled(self.pools[place], fake.detach())
            loss = 0.5 * (((judge(real) - 1) ** 2).mean() + (judge(fake) ** 2).mean())
            self._descend(self.optimizers[1 + place], loss)

    @staticmethod
    def _descend(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @staticmethod
    def _pooled(pool, images):
        """Earlier translations among new ones, each with probability 1/2 once there are 50."""
        given = []
        for image in images:
            if len(pool) < 50:
                pool.append(image.clone())
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(50, ()))
                image, pool[place] = pool[place], image.clone()
            given.append(image)
        return torch.stack(given)


MODELS = pytorch_networks.MODELS | {"stylegan2": StyleGAN2}


def contender(entry, width, variant, half):
    """PyTorch's model of an entry."""
    if entry in MODELS:
        return MODELS[entry](width, variant)
    return (TorchCycleGAN if entry == "cyclegan" else TorchGAN)(entry, width, variant, half)


def compared(entry, width, exchange):
    """By how much images, logits, penalty and its gradient differ from ours, of the largest value of ours."""
    given = dict(np.load(exchange))
    gan = contender(entry, width, "eager", False)
    if entry in MODELS:
        return pytorch_networks.apart(gan, given)
    gan.take(given)
    fake = gan.generator(torch.tensor(given["latents"]))
    logits = gan.critic.eval() if "u_0" in given else gan.critic  # eval: no power iteration before the comparison
    found = {"images": fake, "logits": logits(torch.tensor(given["real"]))}
    if gan.entry.penalized:
        penalty = gan.penalty(torch.tensor(given["real"]), fake.detach(), torch.tensor(given["mix"]))
        penalty.backward()
        found |= {"penalty": penalty, "gradient": next(gan.critic.parameters()).grad}
    gaps = {name: np.abs(value.detach().numpy() - given[name]).max() for name, value in found.items()}
    return {name: float(gap / np.abs(given[name]).max()) for name, gap in gaps.items()}


def peak_memory():
    """MB that this process has held at most; `resource` would count the parent's too."""
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text(encoding="utf-8"))[1]) / 1024


def main(entry, shape, width, batch_size, n_critic, steps, threads, variant, half, exchange):
    """CPU seconds a step and until the first is done, peak memory in MB, and how far the two sides are apart."""
    torch.set_num_threads(threads)
    imported = peak_memory()
    gan = contender(entry, width, variant, half)
    size, *channels = (shape[0], shape[-1]) if len(shape) == 3 else (2,)
    shape = (*channels, size, size) if channels else (2,)
    batches = torch.rand(steps, n_critic * batch_size, *shape) * 2 - 1
    shaped = [batch.contiguous(memory_format=gan.layout) if channels else batch for batch in batches]
    gan.step(shaped[0], n_critic)
    first = time.process_time()
    gan.step(shaped[-1], n_critic)
    begin = time.process_time()
    for batch in shaped:
        gan.step(batch, n_critic)
    seconds = (time.process_time() - begin) / steps
    memory = peak_memory()
    answer = {"seconds": seconds, "first": first, "memory": memory, "imported": imported}
    return answer | {"version": torch.__version__, "apart": compared(entry, width, exchange) if exchange else {}}


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(json.dumps(main(**json.loads(sys.argv[1]))), encoding="utf-8")
