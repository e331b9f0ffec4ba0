"""From noise to an image: what a sampler does with a denoiser at a row of levels.

`denoise(x, time)` gives x_0; guidance, clipping and inpainting wrap it. A sampler is a function of (denoise, x,
levels), where x has the noise of the first level, and `draw_noise(step)`, standard normal and like x, where it adds
some. What it does is linear in x and in the x_0 found, so that its numbers are a table made beforehand in float64 from
the levels, and the way itself is one loop: a `tf.while_loop` in a graph.

The ODE that all deterministic ones solve is dx = x_0 d(signal) + eps d(noise), with eps = (x - signal x_0) / noise: the
probability flow of Song et al. 2021 for every schedule, in Karras et al. 2022's form for signal 1, in Lipman et al.
2023's for a straight line. What is clipped is x_0, and eps follows it.
"""

import dataclasses

import numpy as np
from keras import ops

from tfgan_zoo import schedules
from tfgan_zoo.errors import unknown
from tfgan_zoo.serialization import serializable


def ddim(denoise, x, levels, draw_noise=None, *, eta=0.0):
    """Denoising diffusion implicit models (Song et al. 2021, Eq. 12 and 16); with eta 0 the ODE's first-order solver.

    Args:
        denoise: function (x, time of the level) -> x_0.
        x: tensor (N, ...) with the noise of the first level.
        levels: `schedules.Levels`.
        draw_noise: function step -> standard normal tensor like x; needed for eta > 0.
        eta: 0 adds no noise, 1 as much as `ancestral`.

    Returns:
        Tensor like x, the image.
    """
    table = ddim_table(levels, eta)
    return _along(denoise, x, levels, table, draw_noise if eta else None)


def euler(denoise, x, levels, draw_noise=None):
    """Euler's method on the ODE, whichever the schedule: DDIM with eta 0."""
    return _along(denoise, x, levels, ddim_table(levels, 0.0))


def ancestral(denoise, x, levels, draw_noise):
    """Draw each level from its posterior given x and x_0 (Ho et al. 2020, Algorithm 2).

    The variance is the posterior's, beta tilde, of the levels at hand, however far apart they are; beta itself, which
    the paper's code takes, explodes at few steps. Arguments as in `ddim`.
    """
    return _along(denoise, x, levels, ancestral_table(levels), draw_noise)


def dpmpp_2m(denoise, x, levels, draw_noise=None):
    """DPM-Solver++(2M): second order from the x_0 of two levels (Lu et al. 2022b, Algorithm 2).

    The first step and the last, to noise 0, are of first order. x_0 is extrapolated at most as far as for steps of one
    length in log(signal / noise): levels that are even in time end in a step several times as long as the one before,
    over which the paper's factor would carry it past the image. The order stays 2. Arguments as in `ddim`.
    """
    return _along(denoise, x, levels, dpmpp_2m_table(levels))


def dpmpp_2m_sde(denoise, x, levels, draw_noise):
    """SDE-DPM-Solver++(2M): `dpmpp_2m` on the reverse SDE, which adds noise as `ancestral` does (Lu et al. 2022b).

    Where x_0 is not extrapolated it is `ancestral`. Noise on the way makes up for errors of the steps before, which an
    ODE carries to the end, so that a few dozen steps can beat a hundred without. Arguments as in `ddim`.
    """
    return _along(denoise, x, levels, dpmpp_2m_sde_table(levels), draw_noise)


def consistency(denoise, x, levels, draw_noise):
    """See the image, put it back into less noise, drawn anew, and see it again (Song et al. 2023, Algorithm 1).

    For a denoiser that gives not the mean of all images behind x, but one of them. Arguments as in `ddim`.
    """
    nothing = np.zeros(len(levels))
    return _along(denoise, x, levels, np.stack([nothing, levels.signal[1:], nothing, levels.noise[1:]], 1), draw_noise)


def heun(denoise, x, levels, draw_noise=None):
    """Heun's method: the mean slope of both ends of a step (Karras et al. 2022, Algorithm 1 without churn).

    Asks the denoiser 2 S - 1 times: the last step, to noise 0, is Euler's. Arguments as in `ddim`.
    """
    steps = len(levels)
    signal, noise = levels.signal, levels.noise
    # x' = x + d(signal) x_0 + d(noise) eps, at both ends; eps at the far end divides by its noise, so not at the last
    table = np.stack([signal[:-1], noise[:-1], signal[1:], noise[1:]], axis=1)
    row, time = _rows(table, x.dtype), schedules.table(levels.times)

    def slope(x, clean, signal, noise):
        return (x - signal * clean) / noise

    def step(index, x):
        a, s, a2, s2 = row(index)
        clean = denoise(x, time(index))
        eps = slope(x, clean, a, s)
        ahead = x + (a2 - a) * clean + (s2 - s) * eps
        clean2 = denoise(ahead, time(index + 1))
        eps2 = slope(ahead, clean2, a2, s2)
        return index + 1, x + (a2 - a) * (clean + clean2) / 2.0 + (s2 - s) * (eps + eps2) / 2.0

    if steps > 1:
        _, x = ops.while_loop(lambda index, _: index < steps - 1, step, (ops.convert_to_tensor(0), x))
    a, s, a2, s2 = (signal[-2], noise[-2], signal[-1], noise[-1])
    clean = denoise(x, time(steps - 1))
    return float(s2 / s) * x + float(a2 - a * s2 / s) * clean


def reverse(denoise, images, levels):
    """From an image to the noise that `ddim` would turn into it, at the levels backwards (Song et al. 2021, Sec. 4.3).

    Exact in the limit of many steps: a step back uses the x_0 of its start.

    Args:
        denoise: as in `ddim`.
        images: tensor (N, ...), clean.
        levels: `schedules.Levels`.

    Returns:
        Tensor like images, with the noise of the first level.
    """
    signal, noise, times = levels.signal[::-1], levels.noise[::-1], levels.times[::-1]
    # leaving the clean image, which has no noise to divide by: ask at the least noise there is
    x = images * float(signal[1] / signal[0])
    back = dataclasses.replace(levels, times=times[:-1], signal=signal[1:], noise=noise[1:])
    return _along(denoise, x, back, ddim_table(back, 0.0)) if len(back) else x


def inpaint(denoise, x, levels, draw_noise, images, known, *, resample=1):
    """Fill in what is not known of images: at every level the known part is noised and put in (Lugmayr et al. 2022).

    Args:
        denoise, levels, draw_noise: as in `ancestral`.
        x: tensor (N, ...) with the noise of the first level.
        images: tensor like x, of which the known part is looked at.
        known: tensor of 0 and 1 that multiplies images; 1 where they are known.
        resample: how often each level is drawn: between two draws the image goes one level back into noise, so that
            the two parts come to agree (Algorithm 1, with jumps of one level; 10 times in the paper).

    Returns:
        Tensor like x; images where they are known.
    """
    a, s, a2, s2 = levels.signal[:-1], levels.noise[:-1], levels.signal[1:], levels.noise[1:]
    ratio = a / a2
    back = np.sqrt(np.maximum(s**2 - ratio**2 * s2**2, 0.0))
    table = np.concatenate([ancestral_table(levels), np.stack([a2, s2, ratio, back], axis=1)], axis=1)
    row, time, rounds = _rows(table, x.dtype), schedules.table(levels.times), len(levels) * resample

    def step(index, x):
        of_x, of_clean, _, of_noise, signal, noise, again, fresh = row(index // resample)
        inside = of_x * x + of_clean * denoise(x, time(index // resample)) + of_noise * draw_noise(index)
        outside = signal * images + noise * draw_noise(rounds + 2 * index)
        x = known * outside + (1.0 - known) * inside
        if resample == 1:
            return index + 1, x
        noised = again * x + fresh * draw_noise(rounds + 2 * index + 1)
        return index + 1, ops.where((index + 1) % resample == 0, x, noised)

    return ops.while_loop(lambda index, _: index < rounds, step, (ops.convert_to_tensor(0), x))[1]


# ---- the numbers ----------------------------------------------------------------------------------------------------


def ddim_table(levels, eta):
    """Factors of x, x_0, the last x_0 and fresh noise for each step, float64 (S, 4)."""
    a, s, a2, s2 = levels.signal[:-1], levels.noise[:-1], levels.signal[1:], levels.noise[1:]
    fresh = eta * ancestral_table(levels)[:, 3] if eta else np.zeros_like(a)
    kept = np.sqrt(np.maximum(s2**2 - fresh**2, 0.0)) / s
    return np.stack([kept, a2 - a * kept, np.zeros_like(a), fresh], axis=1)


def ancestral_table(levels):
    """As `ddim_table`: mean and standard deviation of q(x_s | x_t, x_0) (Kingma et al. 2021, App. A.2)."""
    a, s, a2, s2 = levels.signal[:-1], levels.noise[:-1], levels.signal[1:], levels.noise[1:]
    ratio = a / a2
    between = s**2 - ratio**2 * s2**2  # variance of q(x_t | x_s)
    return np.stack(
        [ratio * s2**2 / s**2, a2 * between / s**2, np.zeros_like(a), np.sqrt(np.maximum(between, 0)) * s2 / s], axis=1
    )


def dpmpp_2m_table(levels):
    """As `ddim_table`: its step with x_0 extrapolated in log(signal / noise), but for the first and the last."""
    return _extrapolated(ddim_table(levels, 0.0), levels)


def dpmpp_2m_sde_table(levels):
    """As `ancestral_table`, with x_0 extrapolated as in `dpmpp_2m_table`."""
    return _extrapolated(ancestral_table(levels), levels)


def _extrapolated(table, levels):
    with np.errstate(divide="ignore", invalid="ignore"):
        h = np.diff(np.log(levels.signal) - np.log(levels.noise))  # infinite from noise alone and to the image alone
        ahead = np.where(np.isfinite(h[1:]), h[1:] / (2.0 * h[:-1]), 0.0)
    reach = np.concatenate([[0.0], np.minimum(np.nan_to_num(ahead), 0.5)])
    table[:, 2] = -reach * table[:, 1]
    table[:, 1] *= 1.0 + reach
    return table


def _along(denoise, x, levels, table, draw_noise=None):
    row, time, steps = _rows(table, x.dtype), schedules.table(levels.times), len(levels)

    def step(index, x, before):
        of_x, of_clean, of_before, of_noise = row(index)
        clean = denoise(x, time(index))
        x = of_x * x + of_clean * clean + of_before * before
        if draw_noise is not None:
            x = x + of_noise * draw_noise(index)
        return index + 1, x, clean

    start = (ops.convert_to_tensor(0), x, ops.zeros_like(x))
    return ops.while_loop(lambda index, *_: index < steps, step, start)[1]


def _rows(table, dtype):
    """Function step -> the numbers of its row, one by one."""
    at, width = schedules.table(table, dtype), table.shape[1]

    def row(step):
        numbers = at(step)
        return [numbers[place] for place in range(width)]

    return row


# ---- how a model samples --------------------------------------------------------------------------------------------

SAMPLERS = {
    "ancestral": ancestral,
    "ddim": ddim,
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_2m_sde": dpmpp_2m_sde,
    "euler": euler,
    "heun": heun,
}
_ALL = SAMPLERS | {"consistency": consistency}  # which is for denoisers that do not give the mean


@serializable
@dataclasses.dataclass(frozen=True)
class Sampling:
    """How a model of diffusion draws images.

    Args:
        sampler: "ancestral", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "euler" or "heun"; "consistency" for consistency
            models.
        steps: levels at which the network is asked; Heun's asks twice at all but the last.
        guidance_scale: s of x_0(unconditional) + s (x_0(conditional) - x_0(unconditional)): 0 is unconditional, 1
            conditional and needs no second pass (Ho & Salimans 2022, whose w is s - 1).
        eta: noise of "ddim", 0 to 1.
        clip: whether x_0 is clipped to [-1, 1] at every level; not for points, nor for latents.
        rho: spacing of the levels, as in the schedule's `levels`.

    Raises:
        ValueError: if the sampler is unknown or a number out of its range.
    """

    sampler: str = "ddim"
    steps: int = 50
    guidance_scale: float = 1.0
    eta: float = 0.0
    clip: bool = True
    rho: float | None = None

    def __post_init__(self):
        if self.sampler not in _ALL:
            raise unknown("sampler", self.sampler, _ALL)
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise ValueError(f"steps={self.steps!r}: a sampler takes a whole number of steps, at least 1.")
        if not 0.0 <= self.eta <= 1.0:
            raise ValueError(f"eta={self.eta!r}: the noise of DDIM lies from 0 (none) to 1 (ancestral).")
        if self.eta and self.sampler != "ddim":
            raise ValueError(f"eta={self.eta!r} is DDIM's: {self.sampler!r} takes none.")
        if not self.guidance_scale >= 0.0:
            raise ValueError(
                f"guidance_scale={self.guidance_scale!r}: give 0 (unconditional), 1 (conditional) or more."
            )

    @property
    def draws_noise(self):
        """Whether noise is added on the way, so that an image needs a seed beside its start."""
        return self.sampler in ("ancestral", "dpmpp_2m_sde", "consistency") or self.eta > 0.0

    def run(self, denoise, x, levels, draw_noise=None):
        """The image that the sampler makes of x; arguments as in `ddim`."""
        eta = {"eta": self.eta} if self.sampler == "ddim" else {}
        return _ALL[self.sampler](denoise, x, levels, draw_noise, **eta)
