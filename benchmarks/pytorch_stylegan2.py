"""PyTorch's half of benchmarks/pytorch.py for StyleGAN2: its networks, and one step with both lazy penalties."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import leaky_relu, softplus

from benchmarks.pytorch_networks import Averages, adam, taken

FILTER = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


class Equalized(nn.Module):
    """A linear layer or a convolution whose weights have unit variance and are scaled where they are used."""

    def __init__(self, read, made, size=None, stride=1, padding=0, bias=0.0, rate=1.0, gain=1.0, act=None):
        super().__init__()
        shape = (made, read) if size is None else (made, read, size, size)
        self.weight = nn.Parameter(torch.randn(shape) / rate)
        self.bias = None if bias is None else nn.Parameter(torch.full((made,), bias))
        self.scale, self.rate, self.act = gain * rate / math.sqrt(math.prod(shape[1:])), rate, act
        self.how = {} if size is None else {"stride": stride, "padding": padding}

    def forward(self, x):
        apply = F.conv2d if self.how else F.linear
        bias = self.bias if self.bias is None or self.rate == 1.0 else self.rate * self.bias
        y = apply(x, self.weight * self.scale, bias, **self.how)
        return y if self.act is None else self.act * leaky_relu(y, 0.2)


class ModulatedConv(nn.Module):
    """A convolution whose weights a style scales and then normalises: inputs are scaled, and outputs."""

    def __init__(self, read, made, size=3, up=False, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(made, read, size, size))
        self.bias = nn.Parameter(torch.zeros(made))
        self.scale, self.up, self.demodulate = 1 / math.sqrt(read * size * size), up, demodulate

    def forward(self, x, style):
        weight = self.weight * self.scale
        x = x * style[:, :, None, None]
        if self.up:
            x = filtered(F.conv2d, F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 4.0, padding=1)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self.demodulate:
            squared = style**2 @ (weight**2).sum(dim=(2, 3)).T
            x = x * (squared + 1e-8).rsqrt()[:, :, None, None]
        return x + self.bias[:, None, None]


class NoiseInjection(nn.Module):
    """A map of noise for all channels, with one strength."""

    def __init__(self):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.strength * torch.randn(len(x), 1, *x.shape[2:])


class LearnedMap(nn.Module):
    """The maps that every image starts from."""

    def __init__(self, channels):
        super().__init__()
        self.maps = nn.Parameter(torch.randn(channels, 4, 4))

    def forward(self, count):
        return self.maps.expand(count, -1, -1, -1)


def filtered(apply, x, gain=1.0, **options):
    """Maps under [1, 3, 3, 1] by a convolution of each channel, or its transpose: faster here than two of one axis."""
    return apply(x, (gain * FILTER).expand(x.shape[1], 1, 4, 4), groups=x.shape[1], **options)


class Synthesis(nn.Module):
    """`tfgan_zoo.networks.stylegan2.synthesis` at 32x32x3."""

    def __init__(self, width, styled):
        super().__init__()
        channels = [8 * width, 4 * width, 2 * width, width]
        pairs = [(channels[0], channels[0], False)]
        for read, made in zip(channels, channels[1:]):  # noqa: B905, RUF007
            pairs += [(read, made, True), (made, made, False)]
        self.constant = LearnedMap(channels[0])
        self.affine, self.convolutions, self.noises = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for number, (read, made, up) in enumerate(pairs):
            self.affine.append(Equalized(styled, read, bias=1.0))
            self.convolutions.append(ModulatedConv(read, made, up=up))
            self.noises.append(NoiseInjection())
            if number % 2 == 0:
                self.affine.append(Equalized(styled, made, bias=1.0))
                self.convolutions.append(ModulatedConv(made, 3, size=1, demodulate=False))

    def forward(self, styles):
        x, images, noises = self.constant(len(styles)), None, iter(self.noises)
        number = 0  # of the style: a layer of colours reads the one that the next convolution reads
        for affine, convolution in zip(self.affine, self.convolutions):  # noqa: B905
            y = convolution(x, affine(styles[:, number]))
            if convolution.demodulate:
                x = math.sqrt(2) * leaky_relu(next(noises)(y), 0.2)
                number += 1
            else:
                images = y if images is None else filtered(F.conv_transpose2d, images, 4.0, stride=2, padding=1) + y
        return images


class Halved(nn.Module):
    """A residual block of D."""

    def __init__(self, read, made):
        super().__init__()
        self.first = Equalized(read, read, 3, padding=1, act=math.sqrt(2))
        self.second = Equalized(read, made, 3, stride=2, act=1.0)
        self.skip = Equalized(read, made, 1, bias=None, gain=math.sqrt(0.5))

    def forward(self, x):
        y = self.second(filtered(F.conv2d, self.first(x), padding=2))
        return self.skip(filtered(F.conv2d, x, stride=2, padding=1)) + y


class Deviation(nn.Module):
    """The deviation within groups of four images, as one more map."""

    def forward(self, x):
        groups = x.reshape(4, -1, x[0].numel())
        deviation = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=1)
        return torch.cat([x, deviation.repeat(4)[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1)


class Rows(nn.Module):
    """Maps as rows of numbers, channels last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class PixelNorm(nn.Module):
    """Rows over their root mean square."""

    def forward(self, x):
        return x * ((x * x).mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class StyleGAN2:
    """Karras et al. 2020 at 32x32x3: non-saturating losses, style mixing, lazy R1 and path length, G's average."""

    styled, layers, mixing, r1_every, path_every = 128, 8, 0.9, 16, 4

    def __init__(self, width, variant):
        act, half = math.sqrt(2), (8 * width, 4 * width, 2 * width, width)
        self.layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
        dense = (Equalized(self.styled, self.styled, rate=0.01, act=act) for _ in range(8))
        self.mapping, self.synthesis = nn.Sequential(PixelNorm(), *dense), Synthesis(width, self.styled)
        self.critic = nn.Sequential(
            Equalized(3, width, 1, act=act),
            *(Halved(read, made) for read, made in zip(half[:0:-1], half[-2::-1])),  # noqa: B905
            Deviation(),
            Equalized(half[0] + 1, half[0], 3, padding=1, act=act),
            Rows(),
            Equalized(16 * half[0], half[0], act=act),
            Equalized(half[0], 1),
        )
        for network in (self.synthesis, self.critic):
            network.to(memory_format=self.layout)
        self.generator = nn.ModuleList([self.mapping, self.synthesis])
        self.g_optimizer = self.lazy(self.generator, variant, self.path_every)
        self.d_optimizer = self.lazy(self.critic, variant, self.r1_every)
        self.averages = Averages(self.generator, 0.998)
        self.make, self.judge = self.synthesis, self.critic  # a second derivative is not what torch.compile knows
        if variant == "compile":
            self.make, self.judge = torch.compile(self.synthesis), torch.compile(self.critic)
        self.mean_style, self.mean_length, self.steps = torch.zeros(self.styled), torch.zeros(()), 0

    @staticmethod
    def lazy(network, variant, every):
        """Adam beside a penalty every so many updates (App. B)."""
        share = every / (every + 1)
        return adam(network.parameters(), variant, 2e-3 * share, (0.0, 0.99**share), 1e-8)

    def styles(self, count, remember=False):
        """A style for each layer, of images some of which get those of a second latent from some layer on."""
        first, second = (self.mapping(torch.randn(count, self.styled))[:, None] for _ in range(2))
        if remember:
            self.mean_style.lerp_(first.detach().mean(dim=(0, 1)), 0.005)
        crossover = 1 + (torch.rand(count, 1) * (self.layers - 1)).long()
        crossover[torch.rand(count, 1) >= self.mixing] = self.layers
        return torch.where((torch.arange(self.layers) < crossover)[..., None], first, second)

    def r1(self, real):
        """|grad D|^2 / 2 at real images, by gamma = 1e-5 a pixel and the interval."""
        real = real.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self.critic(real).sum(), real, create_graph=True)
        return 1e-5 * 1024 * self.r1_every * (slopes**2).sum(dim=(1, 2, 3)).mean() / 2

    def lengths(self, styles, normal):
        """|J' y| (Eq. 4)."""
        total = (self.synthesis(styles) * normal).sum() / 32
        (slopes,) = torch.autograd.grad(total, styles, create_graph=True)
        return ((slopes**2).sum(dim=2).mean(dim=1) + 1e-12).sqrt()

    def path_length(self, count):
        """(|J' y| - a)^2 on half a batch, and a moves."""
        lengths = self.lengths(self.styles(count), torch.randn(count, 3, 32, 32))
        penalty = 2 * self.path_every * ((lengths - self.mean_length) ** 2).mean()
        self.mean_length = self.mean_length.lerp(lengths.detach().mean(), 0.01)
        return penalty

    def step(self, images, _):
        """One update of D, one of G, and of G's average."""
        with torch.no_grad():
            fake = self.make(self.styles(len(images)))
        loss = softplus(-self.judge(images)).mean() + softplus(self.judge(fake)).mean()
        if self.steps % self.r1_every == 0:
            loss = loss + self.r1(images)
        self.d_optimizer.zero_grad()
        loss.backward()
        self.d_optimizer.step()
        self.critic.requires_grad_(False)
        loss = softplus(-self.judge(self.make(self.styles(len(images), remember=True)))).mean()
        if self.steps % self.path_every == 0:
            loss = loss + self.path_length(len(images) // 2)
        self.g_optimizer.zero_grad()
        loss.backward()
        self.g_optimizer.step()
        self.critic.requires_grad_(True)
        self.averages.follow()
        self.steps += 1

    def found(self, given):
        """Images, logits, penalties and gradients of what ours was given."""
        networks = self.mapping, self.synthesis, self.critic
        parameters = taken(networks, given)
        real, normal = torch.tensor(given["images"]), torch.tensor(given["draw_normal"])
        styles = self.mapping(torch.tensor(given["draw_latents"]))[:, None].repeat(1, self.layers, 1)
        fake = self.synthesis(styles)
        logits, r1, lengths = self.critic(fake), self.r1(real), self.lengths(styles, normal)
        loss = softplus(-logits).mean() + r1 + lengths.mean()
        shaped = [one for one in parameters if one.ndim]  # the gradient of a strength of noise is noise
        gradient = torch.cat([one.flatten() for one in torch.autograd.grad(loss, shaped)])
        return {"fake": fake, "logits": logits, "r1": r1, "lengths": lengths, "gradient": gradient}
