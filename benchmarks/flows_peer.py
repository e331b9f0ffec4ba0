"""The peer's half of benchmarks/flows.py: normflows' Glow, run by a Python that has it.  DATA.npz MINUTES WIDTH"""

import json
import math
import sys
import time

import normflows as nf
import numpy as np
import torch

SCALES, COUPLINGS, ALPHA = 2, 4, 0.05


def glow(shape, width):
    """normflows' multi-scale flow with as many couplings in each scale as `tz.create("realnvp")` has."""
    channels, height, _ = shape
    bases, merges, flows = [], [], []
    for index in range(SCALES):
        squeezed = channels * 2 ** (SCALES + 1 - index)
        blocks = [nf.flows.GlowBlock(squeezed, width, split_mode="channel", scale=True) for _ in range(COUPLINGS)]
        flows.append([*blocks, nf.flows.Squeeze()])
        if index:
            merges.append(nf.flows.Merge())
            here = channels * 2 ** (SCALES - index), height // 2 ** (SCALES - index)
        else:
            here = channels * 2 ** (SCALES + 1), height // 2**SCALES
        bases.append(nf.distributions.DiagGaussian((here[0], here[1], here[1]), trainable=False))
    return nf.MultiscaleFlow(bases, flows, merges, class_cond=False)


def log_density(model, levels, noise):
    """log p (N,) of (level + noise) / 256, through the logit."""
    y = (levels + noise) / 256.0
    squeezed = ALPHA + (1.0 - 2.0 * ALPHA) * y
    slope = math.log(1.0 - 2.0 * ALPHA) - torch.log(squeezed) - torch.log1p(-squeezed)
    return model.log_prob(torch.log(squeezed) - torch.log1p(-squeezed), None) + slope.sum(dim=(1, 2, 3))


def main(path, minutes, width):
    """Train for so long, and print a line of JSON."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with np.load(path) as data:
        train, test = (torch.from_numpy(data[name]).permute(0, 3, 1, 2).float() for name in ("train", "test"))
    model, begin, updates, seen = glow(train.shape[1:], width), time.process_time(), 0, 0
    optimizer, order = torch.optim.Adam(model.parameters(), lr=1e-3), torch.randperm(len(train))
    while time.process_time() - begin < 60.0 * minutes:
        levels = train[order[seen : seen + 64]]
        optimizer.zero_grad()
        loss = -log_density(model, levels, torch.rand_like(levels)).mean()
        if torch.isfinite(loss):
            loss.backward()
            optimizer.step()
        updates, seen = updates + 1, seen + 64
        if seen + 64 > len(train):
            order, seen = torch.randperm(len(train)), 0
    seconds = time.process_time() - begin
    torch.manual_seed(1)
    with torch.no_grad():
        nats = torch.cat([log_density(model, part, torch.rand_like(part)) for part in test.split(100)]).mean().item()
    bits = 8.0 - nats / (math.log(2.0) * test[0].numel())
    parameters = sum(one.numel() for one in model.parameters())
    print(json.dumps({"updates": updates, "parameters": parameters, "cpu_s": seconds, "bits_per_dim": bits}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
