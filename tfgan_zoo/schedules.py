"""How much of an image is left at a time of diffusion, and what a network's output says about the image.

A noisy image is x_t = signal(t) x_0 + noise(t) eps. A schedule gives signal and noise, and the levels at which a
sampler stops on its way back; a prediction turns what a network gives into x_0. Both are frozen values over any
tensors, so that schedule, prediction and sampler combine freely. An image has unit scale: its pixels lie in [-1, 1].
"""

import dataclasses
import math
import numbers

import numpy as np
from keras import backend, ops

from tfgan_zoo.serialization import serializable

TIMES = 1000.0  # a network sees the time of every schedule in about 0..1000, whatever its unit
_MOST, _LEAST, _FEW = 80.0, 0.06, 20  # noise over signal where levels spaced by a rho begin and end, of so few steps


@dataclasses.dataclass(frozen=True)
class Levels:
    """Where a sampler asks the denoiser, from noise to image: S levels, and behind them the clean one.

    Args:
        times: float64 (S,), for the denoiser.
        signal, noise: float64 (S + 1,); the last are 1 and 0.
    """

    times: np.ndarray
    signal: np.ndarray
    noise: np.ndarray

    def __len__(self):
        return len(self.times)


class _Steps:
    """A schedule of `num_steps` levels, time 0 with the least noise; signal^2 + noise^2 = 1."""

    is_discrete = True

    def __post_init__(self):
        steps = self.num_steps
        if isinstance(steps, bool) or not isinstance(steps, numbers.Integral) or steps < 2:
            raise ValueError(f"num_steps={steps!r}: a schedule has a whole number of steps, at least 2.")
        kept = self.signal_squared()
        if not (np.all(kept > 0) and np.all(kept < 1) and np.all(np.diff(kept) < 0)):
            raise ValueError(
                f"{self}: the share of the image that is left must fall within (0, 1), "
                f"and runs from {kept[0]:.3g} to {kept[-1]:.3g}."
            )

    def signal_squared(self):
        """The cumulative alphas, float64 (num_steps,)."""
        raise NotImplementedError

    def times(self, fractions):
        """Times of training for uniform fractions in [0, 1): whole steps, as float32."""
        return ops.minimum(ops.floor(fractions * self.num_steps), self.num_steps - 1.0)

    def signal(self, times):
        """sqrt of the cumulative alpha at times, float32 of their shape."""
        return self._at(np.sqrt(self.signal_squared()), times)

    def noise(self, times):
        """sqrt of 1 - cumulative alpha at times, float32 of their shape."""
        return self._at(np.sqrt(1.0 - self.signal_squared()), times)

    def network_times(self, times):
        """Times as a network sees them, from 0 to `TIMES`."""
        return times * (TIMES / self.num_steps)

    def levels(self, steps, rho=None):
        """The levels of a sampler of so many steps, each a step of the schedule, and on to the clean image.

        Args:
            steps: of the sampler, 1 to num_steps.
            rho: None spaces them evenly in time, from num_steps - 1 to 0 (Song et al. 2021). A number spaces them
                evenly in (noise / signal)^(1 / rho) (Karras et al. 2022, Eq. 5; infinity would be evenly in log-SNR),
                from 80, the paper's sigma_max, to 0.06, and beyond 20 steps to 1.2 / steps: a cosine's last steps have
                20,000, where no step sees more of an image than the one before, and its first 0.006, where few steps
                have nothing left to do. More steps than lie between take from both ends.

        Returns:
            `Levels`.

        Raises:
            ValueError: if there are more steps than the schedule has.
        """
        steps = _sampling_steps(steps)
        if steps > self.num_steps:
            raise ValueError(f"steps={steps}: the schedule has num_steps={self.num_steps}, and no more can be sampled.")
        last = self.num_steps - 1
        kept = self.signal_squared()
        if rho is None:
            times = np.round(np.linspace(last, 0, steps)).astype(int)
        else:
            ratio = np.sqrt((1.0 - kept) / kept)
            least = max(_LEAST * min(1.0, _FEW / steps), ratio[0])
            wanted = spaced(min(_MOST, ratio[-1]), least, steps, rho)
            times = np.round(np.interp(np.log(wanted), np.log(ratio), np.arange(self.num_steps))).astype(int)
            for place in range(1, steps):  # where two fall on one step, the later one gives way
                times[place] = min(times[place], times[place - 1] - 1)
            for place in range(steps - 1, -1, -1):
                times[place] = max(times[place], steps - 1 - place)
        return _levels(times.astype("float64"), np.sqrt(kept[times]), np.sqrt(1.0 - kept[times]))

    @staticmethod
    def _at(numbers, times):
        return table(numbers)(ops.cast(times, "int32"))


@serializable
@dataclasses.dataclass(frozen=True)
class Linear(_Steps):
    """Betas on a line (Ho et al. 2020, Sec. 4).

    The paper's betas are for 1000 steps. For another number they are multiplied by 1000 / num_steps, so that the same
    noise is reached in the end: with the paper's own betas 50 steps would leave 60 % of the image's variance.

    Args:
        num_steps: T.
        start, end: the first and the last beta of 1000 steps.
    """

    num_steps: int = 1000
    start: float = 1e-4
    end: float = 0.02

    def signal_squared(self):
        """The cumulative alphas, float64 (num_steps,)."""
        betas = np.linspace(self.start, self.end, self.num_steps) * (1000.0 / self.num_steps)
        return np.cumprod(1.0 - np.minimum(betas, 0.999))


@serializable
@dataclasses.dataclass(frozen=True)
class Cosine(_Steps):
    """Cumulative alphas on a squared cosine (Nichol & Dhariwal 2021, Eq. 17), betas of at most `max_beta`.

    Args:
        num_steps: T.
        offset: s, which keeps the first betas from being too small.
        max_beta: without which the last alpha would be 0, and what divides by it not finite.
    """

    num_steps: int = 1000
    offset: float = 0.008
    max_beta: float = 0.999

    def signal_squared(self):
        """The cumulative alphas, float64 (num_steps,)."""
        t = np.arange(self.num_steps + 1) / self.num_steps
        f = np.cos((t + self.offset) / (1.0 + self.offset) * math.pi / 2.0) ** 2
        return np.cumprod(1.0 - np.minimum(1.0 - f[1:] / f[:-1], self.max_beta))


@serializable
@dataclasses.dataclass(frozen=True)
class Sigmoid(_Steps):
    """Cumulative alphas on a sigmoid: log-SNR nearly linear in time (Jabri et al. 2022, Alg. 2; Chen 2023).

    Args:
        num_steps: T.
        start, end: of the sigmoid's argument.
        temperature: tau.
        max_beta: as in `Cosine`.
    """

    num_steps: int = 1000
    start: float = -3.0
    end: float = 3.0
    temperature: float = 1.0
    max_beta: float = 0.999

    def signal_squared(self):
        """The cumulative alphas, float64 (num_steps,)."""
        if not (self.start < self.end and self.temperature > 0):
            raise ValueError(f"{self}: a sigmoid schedule needs start < end and a positive temperature.")
        t = np.arange(self.num_steps + 1) / self.num_steps
        f = 1.0 / (1.0 + np.exp((t * (self.end - self.start) + self.start) / self.temperature))
        f = (f - f[-1]) / (f[0] - f[-1])
        return np.cumprod(1.0 - np.minimum(1.0 - f[1:] / f[:-1], self.max_beta))


@serializable
@dataclasses.dataclass(frozen=True)
class EDM:
    """Noise of standard deviation sigma on an image that keeps its size; the time is sigma (Karras et al. 2022).

    Args:
        sigma_min, sigma_max: of sampling.
        rho: of the spacing of sampling, Eq. 5.
        mean, stddev: of log(sigma) in training.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0
    mean: float = -1.2
    stddev: float = 1.2

    is_discrete = False

    def __post_init__(self):
        if not (0 < self.sigma_min < self.sigma_max and self.rho > 0 and self.stddev > 0):
            raise ValueError(f"{self}: EDM needs 0 < sigma_min < sigma_max, a positive rho and a positive stddev.")

    def times(self, fractions):
        """Sigmas of training for uniform fractions in [0, 1): log-normal."""
        inside = ops.clip(fractions, 1e-6, 1.0 - 1e-6)
        return ops.exp(self.mean + self.stddev * math.sqrt(2.0) * ops.erfinv(2.0 * inside - 1.0))

    def signal(self, times):
        """1."""
        return ops.ones_like(times)

    def noise(self, times):
        """Sigma."""
        return times

    def network_times(self, times):
        """log(sigma) / 4 as in the paper, in units that give about 0 to `TIMES` from sigma_min to sigma_max."""
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return (ops.log(ops.maximum(times, self.sigma_min / 10)) - low) * (TIMES / (high - low))

    def levels(self, steps, rho=None):
        """The levels of a sampler of so many steps, sigma_max to sigma_min and on to 0; rho None is the schedule's."""
        sigmas = spaced(self.sigma_max, self.sigma_min, _sampling_steps(steps), self.rho if rho is None else rho)
        return _levels(sigmas, np.ones_like(sigmas), sigmas)


@serializable
@dataclasses.dataclass(frozen=True)
class Straight:
    """The line from noise at time 0 to the image at time 1 (Lipman et al. 2023, Eq. 22; Liu et al. 2023).

    Args:
        logit_mean, logit_stddev: of a logit-normal time in training (Esser et al. 2024, Sec. 3.1); None draws it
            uniformly.
    """

    logit_mean: float = 0.0
    logit_stddev: float | None = None

    is_discrete = False

    def __post_init__(self):
        if self.logit_stddev is not None and not self.logit_stddev > 0:
            raise ValueError(f"logit_stddev={self.logit_stddev}: give a positive number, or None for uniform times.")

    def times(self, fractions):
        """Times of training for uniform fractions in [0, 1)."""
        if self.logit_stddev is None:
            return fractions
        inside = ops.clip(fractions, 1e-6, 1.0 - 1e-6)
        return ops.sigmoid(self.logit_mean + self.logit_stddev * math.sqrt(2.0) * ops.erfinv(2.0 * inside - 1.0))

    def signal(self, times):
        """The time."""
        return times

    def noise(self, times):
        """1 - time."""
        return 1.0 - times

    def network_times(self, times):
        """From 0 to `TIMES`: an embedding made for whole steps would not tell times in [0, 1] apart."""
        return times * TIMES

    def levels(self, steps, rho=None):
        """The levels of a sampler of so many steps, from time 0 to 1.

        Args:
            steps: of the sampler, at least 1.
            rho: None spaces them evenly in time; a number as 1 - (1 - even)^rho would, closer to the image's end.
        """
        even = np.linspace(0.0, 1.0, _sampling_steps(steps) + 1)[:-1]
        times = even if rho is None else 1.0 - (1.0 - even) ** rho
        return _levels(times, times, 1.0 - times)


def table(numbers, dtype="float32"):
    """Function index -> a number of a table, or a row of them.

    What is float32 comes in two parts, what float16 holds of it and the rest: files with weights in float16 round
    constants too, and what is drawn in many steps would end elsewhere.

    Args:
        numbers: array (n, ...), float64.
        dtype: of the result.
    """
    numbers = np.asarray(numbers, np.float64)
    if backend.standardize_dtype(dtype) != "float32" or np.abs(numbers).max() > np.finfo("float16").max:
        whole = ops.convert_to_tensor(numbers, dtype)
        return lambda index: ops.take(whole, index, axis=0)
    upper = numbers.astype("float16").astype("float64")
    parts = [ops.convert_to_tensor(part.astype("float32")) for part in (upper, numbers - upper)]
    return lambda index: ops.take(parts[0], index, axis=0) + ops.take(parts[1], index, axis=0)


def _multiplied(x, number):
    """x times a number, in two parts of which float16 holds enough."""
    upper = float(np.float16(number))
    return x * upper + x * (number - upper)


def spaced(first, last, count, rho):
    """Numbers from first to last, evenly in their rho-th root (Karras et al. 2022, Eq. 5); float64 (count,)."""
    if not rho > 0:
        raise ValueError(f"rho={rho!r}: levels are spaced by a positive rho; 7 in the paper.")
    if math.isinf(rho):
        return np.geomspace(first, last, count) if count > 1 else np.array([first])
    ends = first ** (1.0 / rho), last ** (1.0 / rho)
    return np.linspace(*ends, count) ** rho


def _sampling_steps(steps):
    if isinstance(steps, bool) or not isinstance(steps, numbers.Integral) or steps < 1:
        raise ValueError(f"steps={steps!r}: a sampler takes a whole number of steps, at least 1.")
    return int(steps)


def _levels(times, signal, noise):
    return Levels(times, np.append(signal, 1.0), np.append(noise, 0.0))


# ---- what a network's output says ---------------------------------------------------------------------------------


class _Prediction:
    """What a network is asked for; `signal` and `noise` are shaped so that they multiply images."""

    def scaled(self, x, signal, noise):
        """Noisy images as the network sees them."""
        return x

    def target(self, images, eps, signal, noise):
        """What the network should give for x = signal images + noise eps."""
        raise NotImplementedError

    def denoised(self, output, x, signal, noise):
        """x_0 that the network's output for x stands for."""
        raise NotImplementedError

    def gain(self, signal, noise):
        """How far x_0 moves with the network's output: the derivative's magnitude."""
        raise NotImplementedError

    def weight(self, signal, noise, min_snr):
        """Of a squared error of the output: x_0's then has the weight min(SNR, min_snr) (Hang et al. 2023, Sec. 3.4).

        For epsilon this is min(SNR, gamma) / SNR, for x_0 min(SNR, gamma), for v min(SNR, gamma) / (SNR + 1).
        """
        at_most = min_snr * ops.square(noise)
        return ops.minimum(ops.square(signal), at_most) * ops.square(self.gain(signal, noise) / noise)


@serializable
@dataclasses.dataclass(frozen=True)
class Epsilon(_Prediction):
    """The network gives the noise (Ho et al. 2020, Sec. 3.2)."""

    def target(self, images, eps, signal, noise):
        return eps

    def denoised(self, output, x, signal, noise):
        return (x - noise * output) / signal

    def gain(self, signal, noise):
        return noise / signal


@serializable
@dataclasses.dataclass(frozen=True)
class Sample(_Prediction):
    """The network gives the image."""

    def target(self, images, eps, signal, noise):
        return images

    def denoised(self, output, x, signal, noise):
        return output

    def gain(self, signal, noise):
        return ops.ones_like(noise)


@serializable
@dataclasses.dataclass(frozen=True)
class Velocity(_Prediction):
    """The network gives v = signal eps - noise x_0 (Salimans & Ho 2022, App. D)."""

    def target(self, images, eps, signal, noise):
        return signal * eps - noise * images

    def denoised(self, output, x, signal, noise):
        return (signal * x - noise * output) / (ops.square(signal) + ops.square(noise))

    def gain(self, signal, noise):
        return noise / (ops.square(signal) + ops.square(noise))


@serializable
@dataclasses.dataclass(frozen=True)
class Flow(_Prediction):
    """The network gives x_0 - eps, the velocity of the straight line from noise to the image (Lipman et al. 2023)."""

    def target(self, images, eps, signal, noise):
        return images - eps

    def denoised(self, output, x, signal, noise):
        return (x + noise * output) / (signal + noise)

    def gain(self, signal, noise):
        return noise / (signal + noise)


@serializable
@dataclasses.dataclass(frozen=True)
class Preconditioned(_Prediction):
    """The network's input and target have unit variance at every level (Karras et al. 2022, Eq. 7 and Table 1).

    The paper's is for signal 1; any other x is brought there by dividing by its signal. With data_stddev=1 on a
    schedule that preserves the variance the network gives -v.

    Args:
        data_stddev: standard deviation of the images' pixels; 0.5 in the paper.
    """

    data_stddev: float = 0.5

    def __post_init__(self):
        if not self.data_stddev > 0:
            raise ValueError(f"data_stddev={self.data_stddev}: give the pixels' standard deviation, positive.")

    def scaled(self, x, signal, noise):
        return x / self._stddev(signal, noise)

    def target(self, images, eps, signal, noise):
        x, c_out = signal * images + noise * eps, self.gain(signal, noise)
        return (images - self._skip(signal, noise) * x) / c_out

    def denoised(self, output, x, signal, noise):
        return self._skip(signal, noise) * x + self.gain(signal, noise) * output

    def gain(self, signal, noise):
        return _multiplied(noise, self.data_stddev) / self._stddev(signal, noise)

    def _skip(self, signal, noise):
        return _multiplied(signal, self.data_stddev**2) / ops.square(self._stddev(signal, noise))

    def _stddev(self, signal, noise):
        return ops.sqrt(ops.square(noise) + ops.square(_multiplied(signal, self.data_stddev)))
