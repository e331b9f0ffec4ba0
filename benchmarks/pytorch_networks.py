"""PyTorch's half of benchmarks/pytorch.py for VAE, diffusion, PixelCNN and RealNVP; StyleGAN2 stands beside it.

Each class is the networks of an entry of the zoo, its loss, and one training step. Modules stand in the order of our
layers, kind by kind (`taken` says how), so that weights of ours can be copied in.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import relu, silu

FUSED = ("fused", "channels_last", "compile")  # variants whose Adam is one kernel; "eager" has what stands by default


def adam(parameters, variant, lr, betas=(0.9, 0.999), eps=1e-7):
    """Adam with our numbers."""
    return torch.optim.Adam(parameters, lr=lr, betas=betas, eps=eps, fused=variant in FUSED)


class Averages:
    """The exponential moving average of a network's weights, whose decay begins at 1 / 10 as ours does."""

    def __init__(self, network, decay):
        self.weights = list(network.parameters())
        self.averages = [weight.detach().clone() for weight in self.weights]
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def follow(self, decay=None):
        """Move towards the weights; by another decay where one is given."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if decay is None else decay
        self.steps += 1
        torch._foreach_lerp_(self.averages, self.weights, 1 - decay)


def taken(networks, given):
    """Copy weights of ours, `weight_0` and on; returns the parameters in that order, and fails if they are not as many.

    Network by network, and within one kind by kind of layers, by the kinds' names, which are ours up to their endings.
    Where all ours are within one layer, `kinds` is not given and they come as they stand. A kernel may have more sides
    of 1 than ours, as a 1 x 1 convolution's has beside a dense layer's.
    """
    parameters = []
    for network in networks:
        own = [module for module in network.modules() if [*module.parameters(recurse=False)]]
        if "kinds" in given:
            own.sort(key=lambda one: (type(one).__name__, one.weight.ndim if hasattr(one, "weight") else 0))
        parameters += [parameter for module in own for parameter in module.parameters(recurse=False)]
    offered = [value for name, value in given.items() if name.startswith("weight_")]
    ours, theirs = sum(one.size for one in offered), sum(one.numel() for one in parameters)
    if (len(offered), ours) != (len(parameters), theirs):
        raise ValueError(f"{ours:,} parameters in {len(offered)} arrays, PyTorch {theirs:,} in {len(parameters)}.")
    for number, parameter in enumerate(parameters):
        parameter.data = torch.tensor(given[f"weight_{number}"]).reshape(parameter.shape)
    return parameters


class Learner:
    """One network that descends on one loss: a subclass says which, `made`, `drawn` and `loss`."""

    rate, betas, clip, decay = 1e-3, (0.9, 0.999), None, None

    def __init__(self, width, variant):
        self.layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
        self.network = self.made(width).to(memory_format=self.layout)
        self.optimizer = adam(self.network.parameters(), variant, self.rate, self.betas)
        self.averages = Averages(self.network, self.decay) if self.decay else None
        self.asked = torch.compile(self.loss) if variant == "compile" else self.loss

    def drawn(self, count):
        """All that is random in a step, by name."""
        return {}

    def step(self, images, _):
        """One update, and the average's."""
        self.optimizer.zero_grad()
        self.asked(images, **self.drawn(len(images))).backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        if self.averages:
            self.averages.follow(self.decay_of(len(images)))

    def decay_of(self, count):
        """The average's decay in a step of so many images, where it depends on them."""
        return None

    def found(self, given):
        """The loss of what ours was given, and its gradient in the order of the weights, as one vector."""
        parameters = taken([self.network], given)
        draws = {name[5:]: torch.tensor(value) for name, value in given.items() if name.startswith("draw_")}
        loss = self.loss(torch.tensor(given["images"]), **draws)
        gradients = torch.autograd.grad(loss, parameters)
        return {"loss": loss, "gradient": torch.cat([one.flatten() for one in gradients])}


# ---- VAE -------------------------------------------------------------------------------------------------------------


class VAE(Learner):
    """Kingma & Welling 2014 on 784-8w-8w-40, of pixels that are binarised anew at every visit."""

    def made(self, width):
        wide = 8 * width

        def dense(read, made):
            hidden = nn.Linear(read, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU()
            return nn.Sequential(*hidden, nn.Linear(wide, made))

        return nn.ModuleList([dense(784, 80), dense(40, 784)])

    def drawn(self, count):
        return {"fractions": torch.rand(count, 784), "normal": torch.randn(count, 40)}

    def loss(self, images, fractions, normal):
        """Minus the bound: the cross-entropy of an image decoded from one code, and the KL in closed form."""
        encoder, decoder = self.network
        white = (fractions < (images.flatten(1) + 1) / 2).float()
        mean, log_variance = encoder(2 * white - 1).chunk(2, dim=1)
        log_variance = log_variance.clamp(-30, 20)
        logits = decoder(mean + (log_variance / 2).exp() * normal)
        reconstruction = F.binary_cross_entropy_with_logits(logits, white, reduction="sum")
        kl = (mean**2 + log_variance.exp() - log_variance - 1).sum() / 2
        return (reconstruction + kl) / len(images)


# ---- diffusion -------------------------------------------------------------------------------------------------------


class Dense(nn.Linear):
    """A linear layer with a name of its own."""


class GroupNormalization(nn.GroupNorm):
    """A group norm which time scales and shifts."""

    def __init__(self, maps):
        super().__init__(max(n for n in (1, 2, 4, 8, 16, 32) if maps % n == 0 and maps // n >= 4), maps)

    def forward(self, x, modulation=None):
        y = super().forward(x)
        if modulation is None:
            return y
        scale, shift = modulation[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, y, 1 + scale)


class Residual(nn.Module):
    """Two convolutions, told the time between them."""

    def __init__(self, read, maps, told):
        super().__init__()
        self.norm, self.first, self.told = (
            GroupNormalization(read),
            nn.Conv2d(read, maps, 3, padding=1),
            Dense(told, 2 * maps),
        )
        self.again, self.second = GroupNormalization(maps), nn.Conv2d(maps, maps, 3, padding=1)
        self.skip = nn.Identity() if read == maps else nn.Conv2d(read, maps, 1)

    def forward(self, x, told):
        y = self.first(silu(self.norm(x)))
        return self.skip(x) + self.second(silu(self.again(y, self.told(told))))


class Attended(nn.Module):
    """Every pixel asks every other."""

    def __init__(self, maps):
        super().__init__()
        self.norm, self.asked, self.out = (
            GroupNormalization(maps),
            nn.Linear(maps, 3 * maps, bias=False),
            Dense(maps, maps),
        )

    def forward(self, x, _):
        query, key, value = self.asked(self.norm(x).flatten(2).transpose(1, 2))[:, None].chunk(3, dim=-1)
        y = self.out(F.scaled_dot_product_attention(query, key, value)[:, 0])
        return x + y.transpose(1, 2).reshape(x.shape)


class UNet(nn.Module):
    """`tfgan_zoo.networks.unet.unet` at 28x28x1 with its usual numbers: two levels on patches of 2 x 2 pixels."""

    def __init__(self, width):
        super().__init__()
        wide, told = 2 * width, 4 * width
        self.first = nn.Conv2d(4, width, 3, padding=1)
        self.time = nn.Sequential(Dense(2 * width, told), nn.SiLU(), Dense(told, told), nn.SiLU())
        self.top = Residual(width, width, told)
        self.down = nn.Conv2d(width, wide, 3, stride=2, padding=1)
        self.low = nn.ModuleList([Residual(wide, wide, told), Attended(wide)])
        self.middle = nn.ModuleList([Residual(wide, wide, told), Attended(wide), Residual(wide, wide, told)])
        self.rising = nn.ModuleList([Residual(2 * wide, wide, told), Attended(wide)])
        self.up = nn.Sequential(nn.Conv2d(wide, width, 1), nn.Upsample(scale_factor=2))
        self.joined = Residual(wide, width, told)
        self.last = nn.Sequential(GroupNormalization(width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1))
        self.register_buffer("frequencies", torch.exp(-math.log(1e4) * torch.arange(width) / width))

    def forward(self, images, times):
        angles = times[:, None] * self.frequencies
        told = self.time(torch.cat([angles.cos(), angles.sin()], dim=1))
        top = self.top(self.first(F.pixel_unshuffle(images, 2)), told)
        low = self.down(top)
        for part in self.low:
            low = part(low, told)
        x = low
        for part in self.middle:
            x = part(x, told)
        x = torch.cat([x, low], dim=1)
        for part in self.rising:
            x = part(x, told)
        x = self.joined(torch.cat([self.up(x), top], dim=1), told)
        return F.pixel_shuffle(self.last(x), 2)


class Diffusion(Learner):
    """Ho et al. 2020 with EDM's preconditioning, min-SNR weighting, evenly spread times and an average by images."""

    betas, clip, decay, stddev, gamma, steps, seen = (0.9, 0.99), 1.0, True, 0.7, 5.0, 1000, 0

    def made(self, width):
        t = (torch.arange(self.steps + 1, dtype=torch.float64) / self.steps + 0.008) / 1.008
        curve = torch.cos(t * math.pi / 2) ** 2
        kept = torch.cumprod(1 - (1 - curve[1:] / curve[:-1]).clamp(max=0.999), dim=0)
        self.signal, self.noise = kept.sqrt().float(), (1 - kept).sqrt().float()
        return UNet(width)

    def drawn(self, count):
        return {"first": torch.rand(1), "eps": torch.randn(count, 1, 28, 28)}

    def loss(self, images, first, eps):
        """Karras et al. 2022, Eq. 7; Hang et al. 2023, Sec. 3.4."""
        fractions = (first + torch.arange(len(images)) / len(images)) % 1
        times = (fractions * self.steps).long().clamp(max=self.steps - 1)
        signal, noise = self.signal[times][:, None, None, None], self.noise[times][:, None, None, None]
        x = signal * images + noise * eps
        total = torch.sqrt(noise**2 + (signal * self.stddev) ** 2)
        gain = self.stddev * noise / total
        target = (images - self.stddev**2 * signal / total**2 * x) / gain
        output = self.network(x / total, times.float())
        weight = torch.minimum(signal**2, self.gamma * noise**2) * (gain / noise) ** 2
        return (weight * (output - target) ** 2).mean()

    def decay_of(self, count):
        self.seen += count
        return 0.5 ** (count / min(50_000, self.seen / 20))


# ---- likelihood ------------------------------------------------------------------------------------------------------


class GatedPixelCNN(nn.Module):
    """`tfgan_zoo.layers.GatedPixelCNN` of one channel: five layers, the first of which reaches 3 pixels."""

    def __init__(self, width, kinds, depth=5):
        super().__init__()
        read, self.reach = [1, *[width] * (depth - 1)], [3, *[1] * (depth - 1)]
        rows = [3, *[2] * (depth - 1)]
        each = list(zip(read, rows, self.reach))  # noqa: B905
        self.vertical = nn.ModuleList(nn.Conv2d(one, 2 * width, (high, 2 * reach + 1)) for one, high, reach in each)
        self.horizontal = nn.ModuleList(nn.Conv2d(one, 2 * width, (1, across)) for one, across, _ in each)
        self.links = nn.ModuleList(nn.Conv2d(2 * width, 2 * width, 1) for _ in each)
        self.outs = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in each)
        self.hidden, self.kinds = nn.Conv2d(width, width, 1), nn.Conv2d(width, kinds, 1)

    def forward(self, images):
        down, right = images, images
        for index, reach in enumerate(self.reach):
            before = (reach, 0 if index else -1)  # the first layer does not see the pixel itself
            down = gated(down) if index else down
            down = self.vertical[index](F.pad(down, (reach, reach, *before)))
            across = self.horizontal[index](F.pad(right, (*before, 0, 0))) + self.links[index](down)
            out = self.outs[index](gated(across))
            right = right + out if index else out
        return self.kinds(relu(self.hidden(relu(right))))


def gated(x):
    """Van den Oord et al. 2016, Eq. 2."""
    value, gate = x.chunk(2, dim=1)
    return value.tanh() * gate.sigmoid()


class PixelCNN(Learner):
    """Van den Oord et al. 2016 with a softmax over 256 levels."""

    decay = 0.99

    def made(self, width):
        return GatedPixelCNN(width, 256)

    def loss(self, images):
        """Nats per image."""
        levels = ((images + 1) * 127.5).round()
        logits = self.network(levels / 127.5 - 1)
        return F.cross_entropy(logits, levels[:, 0].long(), reduction="sum") / len(images)


class Coupling(nn.Module):
    """Half of the channels scaled and shifted by a network of the other half, then they change places."""

    def __init__(self, channels, width):
        super().__init__()
        half = channels // 2
        self.scale, self.shift = (nn.Parameter(torch.zeros(channels, 1, 1)) for _ in range(2))
        self.first, self.one = nn.Conv2d(half, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.other, self.last = nn.Conv2d(width, width, 1), nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x):
        pixels = x.shape[2] * x.shape[3]
        kept, moved = ((x + self.shift) * (3 * self.scale).exp()).chunk(2, dim=1)
        y = relu(self.first(kept))
        y = relu(y + self.other(relu(self.one(y))))
        log_scale, shift = self.last(y).chunk(2, dim=1)
        log_scale = (0.01 + 0.99 * (log_scale + 2).sigmoid()).log()
        log_det = log_scale.sum(dim=(1, 2, 3)) + 3 * pixels * self.scale.sum()
        return torch.cat([(moved + shift) * log_scale.exp(), kept], dim=1), log_det


class Flow(nn.Module):
    """`tfgan_zoo.layers.CouplingFlow` of one channel: two scales of two couplings of either kind."""

    def __init__(self, width):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(channels, width) for channels in (*[4] * 4, *[8] * 4))

    def forward(self, x):
        latents, log_det = [], 0.0
        for index, coupling in enumerate(self.couplings):
            if index % 4 == 0:
                pixels = F.pixel_unshuffle(x, 2).unflatten(1, (x.shape[1], 4))
                x = torch.cat([pixels[:, :, one] for one in (0, 3, 1, 2)], dim=1)  # the checkerboard's colours apart
            elif index % 4 == 2:
                one, other, third, last = x.chunk(4, dim=1)
                x = torch.cat([one, third, other, last], dim=1)  # the rows of each block apart
            x, change = coupling(x)
            log_det = log_det + change
            if index == 3:
                x, out = x.chunk(2, dim=1)
                latents.append(out.flatten(1))
        return torch.cat([*latents, x.flatten(1)], dim=1), log_det


class RealNVP(Learner):
    """Dinh et al. 2017: exact likelihood of dequantised pixels, through their logits."""

    decay = 0.99

    def made(self, width):
        return Flow(width)

    def drawn(self, count):
        return {"fractions": torch.rand(count, 1, 28, 28)}

    def loss(self, images, fractions):
        """Nats per image."""
        y = 0.05 + 0.9 * ((images + 1) * 127.5 + fractions) / 256
        low, high = y.log(), (-y).log1p()
        latents, log_det = self.network(low - high)
        slopes = (math.log(0.9) - low - high).sum(dim=(1, 2, 3))
        base = -0.5 * (latents**2).sum(dim=1) - 392 * math.log(2 * math.pi)
        return -(base + log_det + slopes).mean()


# ---- all of them -----------------------------------------------------------------------------------------------------


MODELS = {"vae": VAE, "diffusion": Diffusion, "pixelcnn": PixelCNN, "realnvp": RealNVP}


def apart(model, given):
    """By how much what is found differs from ours, of the largest value of ours."""
    found = {name: value.detach().numpy() for name, value in model.found(given).items()}
    gaps = {name: np.abs(value - given[name].reshape(value.shape)).max() for name, value in found.items()}
    return {name: float(gap / np.abs(given[name]).max()) for name, gap in gaps.items()}
