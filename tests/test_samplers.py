"""Samplers on densities whose best denoiser is known: moments, orders, identities."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo import noise, samplers, schedules
from tfgan_zoo.samplers import SAMPLERS, Sampling

MEAN, STD = np.array([0.5, -0.3]), np.array([0.4, 0.7])
SCHEDULES = [schedules.Linear(), schedules.Cosine(), schedules.EDM(), schedules.Straight()]


def gaussian(levels, mean=MEAN, std=STD):
    """E[x_0 | x] of N(mean, std^2) at the levels, by time: float64 NumPy or tensors alike."""
    place = {float(np.float32(time)): number for number, time in enumerate(levels.times)}

    def denoise(x, time):
        number = place[float(np.float32(time))]
        a, s = levels.signal[number], levels.noise[number]
        return tf.cast(mean, x.dtype) + tf.cast(a * std**2 / (a**2 * std**2 + s**2), x.dtype) * (
            x - tf.cast(a * mean, x.dtype)
        )

    return denoise


def drawn(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 2)).astype("float32")


def fresh(count):
    return lambda step: noise.normal((count, 2), noise.fold((1, 2), step))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_recovers_a_gaussian(name, schedule):
    steps = 250 if name == "ancestral" else 100  # beta tilde is the variance of one image, too small by O(1 / steps)
    levels = schedule.levels(steps)
    x = levels.noise[0] * drawn(8_000)
    end = np.asarray(Sampling(name, steps).run(gaussian(levels), tf.constant(x, tf.float32), levels, fresh(8_000)))
    assert np.isfinite(end).all()
    np.testing.assert_allclose(end.mean(0), MEAN, atol=0.03)
    np.testing.assert_allclose(end.std(0), STD, rtol=0.05)
    assert abs(np.corrcoef(end.T)[0, 1]) < 0.03


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_recovers_a_mixture(name):
    schedule = schedules.Cosine()
    levels, centres, std = schedule.levels(100), np.array([[-0.6, 0.0], [0.5, 0.5], [0.4, -0.7]]), 0.1
    weights = np.array([0.5, 0.3, 0.2])
    place = {int(time): number for number, time in enumerate(levels.times)}

    def denoise(x, time):
        number = place[int(time)]
        a, s = levels.signal[number], levels.noise[number]
        variance = a**2 * std**2 + s**2
        apart = np.asarray(x)[:, None] - a * centres
        logits = np.log(weights) - (apart**2).sum(-1) / (2 * variance)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        each = centres + a * std**2 / variance * apart
        return tf.constant((shares[..., None] * each).sum(1), tf.float32)

    x = tf.constant(levels.noise[0] * drawn(10_000), tf.float32)
    end = np.asarray(Sampling(name, 100).run(denoise, x, levels, fresh(10_000)))
    mean = weights @ centres
    covariance = (weights[:, None, None] * ((c := centres - mean)[:, :, None] * c[:, None])).sum(0) + std**2 * np.eye(2)
    np.testing.assert_allclose(end.mean(0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(end.T), covariance, atol=0.02)
    nearest = ((end[:, None] - centres) ** 2).sum(-1)
    np.testing.assert_allclose(np.bincount(nearest.argmin(1)) / 10_000, weights, atol=0.03)


def between(kind, steps):
    """Levels with fixed ends, so that the error of halved steps tells the order."""
    if kind == "edm":
        noise_ = schedules.spaced(20.0, 0.05, steps + 1, 7.0)
        signal = np.ones_like(noise_)
    elif kind == "flow":
        signal = np.linspace(0.02, 0.95, steps + 1)
        noise_ = 1.0 - signal
    else:
        ratio = np.exp(np.linspace(-4.0, 4.0, steps + 1))
        noise_ = 1.0 / np.sqrt(1.0 + ratio**2)
        signal = ratio * noise_
    return schedules.Levels(np.arange(steps) + 0.0, signal, noise_)


@pytest.mark.parametrize("kind", ["variance preserved", "edm", "flow"])
@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("euler", 1), ("dpmpp_2m", 2), ("heun", 2)])
def test_measured_orders(name, order, kind):
    """The probability flow of a Gaussian keeps (x_t - a mean) / std_t: errors fall as the paper says."""
    errors, z = [], tf.constant([[1.3, -0.8], [-0.4, 2.0]], tf.float64)
    for steps in (64, 128, 256):
        levels = between(kind, steps)
        a, s = levels.signal, levels.noise
        std = np.sqrt(a[:, None] ** 2 * STD**2 + s[:, None] ** 2)
        end = SAMPLERS[name](gaussian(levels), a[0] * MEAN + std[0] * z, levels)
        errors.append(np.abs(end - (a[-1] * MEAN + std[-1] * z)).max())
    measured = np.log2(np.array(errors[:-1]) / errors[1:])
    assert measured[-1] == pytest.approx(order, abs=0.2), (measured, errors)


@pytest.mark.parametrize("schedule", [schedules.Linear(40), schedules.Cosine(40), schedules.EDM()], ids=repr)
@pytest.mark.parametrize("steps", [40, 7])
def test_ddim_with_eta_1_is_ancestral(schedule, steps):
    """At all steps, and at some: its mean and its beta tilde are those of the kept levels."""
    levels = schedule.levels(steps)
    np.testing.assert_allclose(samplers.ddim_table(levels, 1.0), samplers.ancestral_table(levels), atol=1e-9)
    x = tf.constant(drawn(50))
    one, other = (
        Sampling(name, steps, eta=eta).run(gaussian(levels), x, levels, fresh(50))
        for name, eta in (("ddim", 1.0), ("ancestral", 0.0))
    )
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_ancestral_is_ho_et_als_posterior():
    """Eq. 7: mu tilde and beta tilde, in terms of alpha and beta; and of respaced ones."""
    kept = schedules.Linear(100).signal_squared()
    for steps in (100, 9):
        levels = schedules.Linear(100).levels(steps)
        now = kept[levels.times.astype(int)]
        after = np.append(now[1:], 1.0)
        alpha = now / after
        beta = 1.0 - alpha
        c_clean = np.sqrt(after) * beta / (1 - now)
        c_x = np.sqrt(alpha) * (1 - after) / (1 - now)
        tilde = beta * (1 - after) / (1 - now)
        table = samplers.ancestral_table(levels)
        np.testing.assert_allclose(table, np.stack([c_x, c_clean, 0 * beta, np.sqrt(tilde)], 1), atol=1e-12)
        np.testing.assert_allclose(c_clean + c_x * np.sqrt(now), np.sqrt(after), atol=1e-12)
        assert table[-1, 3] == 0.0


def test_the_first_and_the_last_step_of_dpm_are_of_first_order():
    """No noise is left to divide by at the end, and x_0 of the last level is the image."""
    for schedule in SCHEDULES:
        for steps in (1, 2, 5):
            levels = schedule.levels(steps)
            table, first_order = samplers.dpmpp_2m_table(levels), samplers.ddim_table(levels, 0.0)
            assert np.isfinite(table).all()
            np.testing.assert_array_equal(table[0], first_order[0])
            np.testing.assert_allclose(table[-1], [0.0, 1.0, 0.0, 0.0], atol=1e-12)
        assert (table[2:-1, 2] < 0).all()  # the second too, unless the first came from noise alone
        assert (table[:, 2] >= -0.5 * first_order[:, 1] - 1e-12).all()  # no further than for even steps


def test_the_sde_solver_is_ancestral_with_x_0_extrapolated():
    """On the same levels, by as much as the ODE's; steps of one length in log(signal / noise) take 3/2 and -1/2."""
    levels = between("variance preserved", 16)
    table, first_order = samplers.dpmpp_2m_sde_table(levels), samplers.ancestral_table(levels)
    np.testing.assert_array_equal(table[:, [0, 3]], first_order[:, [0, 3]])
    np.testing.assert_array_equal(table[0], first_order[0])
    np.testing.assert_allclose(table[1:, 1], 1.5 * first_order[1:, 1], rtol=1e-9)
    np.testing.assert_allclose(table[1:, 2], -0.5 * first_order[1:, 1], rtol=1e-9)


def test_the_sde_solver_is_nearer_to_a_gaussian_than_ancestral_in_as_many_steps():
    """Mean and variance of what is linear in x follow from the table: no draw is needed."""
    levels, far = between("variance preserved", 24), {}
    a, s, std = levels.signal, levels.noise, STD[0]
    gain = a * std**2 / (a**2 * std**2 + s**2)  # x_0 = gain x, for the mean 0
    for name in ("ancestral", "dpmpp_2m_sde"):
        row = getattr(samplers, f"{name}_table")(levels)
        moments = np.diag([a[0] ** 2 * std**2 + s[0] ** 2, 0.0])  # of x and of the last x_0
        for step, (of_x, of_clean, of_before, of_noise) in enumerate(row):
            way = np.array([[of_x + of_clean * gain[step], of_before], [gain[step], 0.0]])
            moments = way @ moments @ way.T + np.diag([of_noise**2, 0.0])
        far[name] = abs(moments[0, 0] / (a[-1] ** 2 * std**2 + s[-1] ** 2) - 1.0)
    assert far["dpmpp_2m_sde"] < 0.3 * far["ancestral"], far


def test_what_is_clipped_is_x_0_and_eps_follows():
    """One step of DDIM with a clipped x_0 is sqrt(a') x_0 + sqrt(1 - a') eps(x_0)."""
    levels = schedules.Cosine().levels(2)
    x = np.array([[2.0, -1.7]])
    clean = np.array([[1.0, -0.9]])
    end = samplers.ddim(
        lambda x, time: tf.cast(clean, x.dtype),
        tf.constant(x),
        dataclasses.replace(levels, times=levels.times[:1], signal=levels.signal[:2], noise=levels.noise[:2]),
    )
    eps = (x - levels.signal[0] * clean) / levels.noise[0]
    np.testing.assert_allclose(end, levels.signal[1] * clean + levels.noise[1] * eps, rtol=1e-12)


def test_heun_asks_twice_but_for_the_last_step():
    asked = []
    levels = schedules.EDM().levels(6)

    def denoise(x, time):
        asked.append(float(time))
        return x * 0.0

    samplers.heun(denoise, tf.ones((1, 2)), levels)
    assert len(asked) == 2 * 6 - 1


@pytest.mark.parametrize("schedule", SCHEDULES[:3], ids=repr)
def test_reverse_finds_the_noise_an_image_came_from(schedule):
    """The error falls with the steps; on the way back the image comes again."""
    errors = []
    for steps in (50, 200):
        levels = schedule.levels(steps)
        image = tf.constant(MEAN + STD * drawn(20), tf.float64)
        found = samplers.reverse(gaussian(levels), image, levels)
        again = samplers.ddim(gaussian(levels), found, levels)
        errors.append(np.abs(again - image).max())
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.1


def test_a_graph_holds_one_loop():
    levels = schedules.Cosine().levels(30)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])
    def sample(x):
        return samplers.dpmpp_2m(lambda x, time: 0.5 * x + 0.001 * time, x, levels)

    graph = sample.get_concrete_function().graph
    assert [op.type for op in graph.get_operations()].count("While") + [op.type for op in graph.get_operations()].count(
        "StatelessWhile"
    ) == 1
    eager = samplers.dpmpp_2m(lambda x, time: 0.5 * x + 0.001 * time, tf.ones((3, 2)), levels)
    np.testing.assert_allclose(sample(tf.ones((3, 2))), eager, rtol=1e-5)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"sampler": "dpmpp2m"}, "Unknown sampler 'dpmpp2m'. Did you mean 'dpmpp_2m'"),
        ({"steps": 0}, "steps=0"),
        ({"eta": 2.0}, "eta=2.0: the noise of DDIM"),
        ({"sampler": "heun", "eta": 0.5}, "eta=0.5 is DDIM's"),
        ({"guidance_scale": -1.0}, "guidance_scale=-1.0"),
    ],
)
def test_refuses_in_a_sentence(numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        Sampling(**numbers)
