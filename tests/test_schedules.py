"""Schedules and predictions against the papers' algebra."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import tfgan_zoo as tz
from tfgan_zoo import schedules

RNG = np.random.default_rng(0)
STEPS = [
    schedules.Linear(),
    schedules.Linear(50),
    schedules.Cosine(),
    schedules.Cosine(20),
    schedules.Sigmoid(),
    schedules.Sigmoid(64, temperature=0.5),
]
ALL = [*STEPS, schedules.EDM(), schedules.Straight()]
PREDICTIONS = [
    schedules.Epsilon(),
    schedules.Sample(),
    schedules.Velocity(),
    schedules.Flow(),
    schedules.Preconditioned(0.5),
    schedules.Preconditioned(1.0),
]


def some(shape=(64, 3)):
    return RNG.normal(size=shape)


def inner_levels(schedule, count=5):
    """Signal and noise at some levels inside, float64 columns."""
    levels = schedule.levels(12)
    at = np.linspace(1, 11, count).astype(int)
    return levels.signal[at][:, None], levels.noise[at][:, None]


@pytest.mark.parametrize("value", [*ALL, *PREDICTIONS, schedules.Straight(0.5, 1.0)], ids=repr)
def test_values_come_back_from_json(value):
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    again = keras.saving.deserialize_keras_object(written)
    assert again == value
    assert hash(again) == hash(value)


@pytest.mark.parametrize("schedule", STEPS, ids=repr)
def test_marginals_are_a_chain_of_steps(schedule):
    """q(x_t | x_0) by its moments: the mean and variance of one step after the other end at signal and noise."""
    kept = schedule.signal_squared()
    mean, variance = 1.0, 0.0
    for alpha in kept / np.append(1.0, kept[:-1]):
        mean, variance = np.sqrt(alpha) * mean, alpha * variance + 1.0 - alpha
    np.testing.assert_allclose(mean, np.sqrt(kept[-1]), rtol=1e-9)
    np.testing.assert_allclose(variance, 1.0 - kept[-1], rtol=1e-9)
    times = ops.arange(schedule.num_steps, dtype="float32")
    signal, noise = map(np.asarray, (schedule.signal(times), schedule.noise(times)))
    np.testing.assert_allclose(signal**2 + noise**2, 1.0, atol=1e-6)


def test_ends_are_the_papers_and_do_not_move_with_the_number_of_steps():
    paper = schedules.Linear().signal_squared()
    assert paper[0] == pytest.approx(1 - 1e-4)
    assert paper[-1] == pytest.approx(4.0358e-5, rel=1e-3)
    for steps in (50, 100, 4000):
        assert schedules.Linear(steps).signal_squared()[-1] == pytest.approx(paper[-1], rel=1.0)
    unscaled = np.cumprod(1 - np.linspace(1e-4, 0.02, 50))[-1]
    assert unscaled == pytest.approx(0.60, abs=0.01)  # what 50 steps of the paper's betas would leave
    t = np.arange(1001) / 1000
    f = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
    np.testing.assert_allclose(schedules.Cosine().signal_squared()[:990], (f / f[0])[1:991], rtol=1e-9)


@pytest.mark.parametrize("schedule", [schedules.Cosine(), schedules.Cosine(20), schedules.Sigmoid()], ids=repr)
def test_the_noisiest_end_is_finite(schedule):
    signal, noise = schedule.levels(10).signal[:1], schedule.levels(10).noise[:1]
    assert signal[0] > 0
    for prediction in PREDICTIONS:
        x, output = some((2, 3)).astype("float32"), some((2, 3)).astype("float32")
        clean = prediction.denoised(output, x, signal.astype("float32"), noise.astype("float32"))
        assert np.isfinite(np.asarray(clean)).all()


@pytest.mark.parametrize("schedule", STEPS, ids=repr)
@pytest.mark.parametrize("rho", [None, 7.0, np.inf])
def test_sampling_begins_at_the_last_step_and_ends_at_the_first(schedule, rho):
    for steps in (*range(1, min(61, schedule.num_steps)), schedule.num_steps):
        levels = schedule.levels(steps, rho)
        if rho is None:
            assert levels.times[0] == schedule.num_steps - 1
            assert steps == 1 or levels.times[-1] == 0
        assert (np.diff(levels.times) < 0).all()
        assert (levels.signal[-1], levels.noise[-1], len(levels)) == (1.0, 0.0, steps)
        np.testing.assert_allclose(levels.signal[:-1], schedule.signal(levels.times.astype("float32")), rtol=1e-5)
        np.testing.assert_allclose(levels.noise[:-1], schedule.noise(levels.times.astype("float32")), rtol=1e-5)
    if steps == schedule.num_steps:
        np.testing.assert_array_equal(levels.times, np.arange(steps)[::-1])


@pytest.mark.parametrize(("steps", "end"), [(2, 0.06), (5, 0.06), (20, 0.06), (60, 0.02)])
def test_with_rho_levels_are_equation_5_of_what_noise_leaves_to_see(steps, end):
    levels = schedules.Cosine(4000).levels(steps, 7.0)
    i = np.arange(steps)
    first, last = 80 ** (1 / 7), end ** (1 / 7)
    found = levels.noise[:-1] / levels.signal[:-1]
    np.testing.assert_allclose(found, (first + i / (steps - 1) * (last - first)) ** 7, rtol=0.05)  # to a whole step
    np.testing.assert_array_equal(schedules.Cosine(50).levels(50, 7.0).times, np.arange(50)[::-1])


def test_the_levels_of_edm_are_equation_5():
    i = np.arange(18)
    expected = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(schedules.EDM().levels(18).times, expected, rtol=1e-12)
    sigmas = np.asarray(schedules.EDM().times(np.linspace(0.001, 0.999, 999).astype("float32")))
    assert np.log(sigmas).mean() == pytest.approx(-1.2, abs=0.01)
    assert np.log(sigmas).std() == pytest.approx(1.2, abs=0.02)


def test_flow_runs_from_noise_at_0_to_the_image_at_1():
    levels = schedules.Straight().levels(4)
    np.testing.assert_allclose(levels.times, [0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(levels.signal, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(levels.noise, [1, 0.75, 0.5, 0.25, 0])
    times = np.asarray(schedules.Straight(0.0, 1.0).times(np.linspace(0.01, 0.99, 99).astype("float32")))
    assert times[49] == pytest.approx(0.5, abs=1e-3)
    assert 0 < times.min() < times.max() < 1


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_a_network_tells_times_apart(schedule):
    """All times lie in about 0..1000 for the network, and their embeddings differ (trap: t in [0, 1])."""
    seen = np.asarray(schedule.network_times(schedule.times(np.linspace(0.005, 0.995, 40).astype("float32"))))
    assert seen.min() > -200
    assert seen.max() < 1200
    assert seen.max() - seen.min() > 200
    embedded = np.asarray(tz.layers.TimeEmbedding(16)(np.unique(seen)))
    apart = np.abs(embedded[:, None] - embedded[None]).max(-1)
    assert apart[~np.eye(len(apart), dtype=bool)].min() > 0.01


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=repr)
@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_the_target_stands_for_the_image(prediction, schedule):
    """All predictions convert into each other: each one's target gives back x_0, and its gain is the derivative."""
    signal, noise = inner_levels(schedule)
    images, eps = some((5, 3)), some((5, 3))
    x = signal * images + noise * eps
    target = np.asarray(prediction.target(images, eps, signal, noise))
    np.testing.assert_allclose(prediction.denoised(target, x, signal, noise), images, rtol=1e-5, atol=1e-6)
    moved = np.asarray(prediction.denoised(target + 1.0, x, signal, noise)) - images
    np.testing.assert_allclose(np.abs(moved), np.broadcast_to(prediction.gain(signal, noise), (5, 3)), rtol=1e-4)


def test_velocity_is_salimans_and_hos():
    signal, noise = inner_levels(schedules.Cosine())
    images, eps = some((5, 3)), some((5, 3))
    x, v = signal * images + noise * eps, signal * eps - noise * images
    np.testing.assert_allclose(schedules.Velocity().denoised(v, x, signal, noise), signal * x - noise * v, rtol=1e-6)
    np.testing.assert_allclose(noise * x + signal * v, eps, rtol=1e-9)


def test_edm_has_unit_variance_and_its_own_constants():
    prediction, sigma, sd = schedules.Preconditioned(0.5), np.array([[0.01], [0.5], [3.0], [70.0]]), 0.5
    images, eps = sd * some((4, 200_000)), some((4, 200_000))
    x = images + sigma * eps
    one = np.ones_like(sigma)
    np.testing.assert_allclose(np.asarray(prediction.scaled(x, one, sigma)).std(1), 1.0, atol=0.01)
    np.testing.assert_allclose(np.asarray(prediction.target(images, eps, one, sigma)).std(1), 1.0, atol=0.01)
    zero, ones = np.zeros_like(x), np.ones_like(x)
    skip = sd**2 / (sigma**2 + sd**2)
    np.testing.assert_allclose(prediction.denoised(zero, ones, one, sigma), skip * ones, rtol=1e-6)
    np.testing.assert_allclose(prediction.gain(one, sigma), sigma * sd / np.sqrt(sigma**2 + sd**2), rtol=1e-6)
    weight = (sigma**2 + sd**2) / (sigma * sd) ** 2  # lambda of the paper
    np.testing.assert_allclose(weight * prediction.gain(one, sigma) ** 2, 1.0, rtol=1e-6)
    signal, noise = inner_levels(schedules.Cosine())
    images, eps = some((5, 3)), some((5, 3))
    ours, v = (p.target(images, eps, signal, noise) for p in (schedules.Preconditioned(1.0), schedules.Velocity()))
    np.testing.assert_allclose(ours, -np.asarray(v), rtol=1e-6)


def test_min_snr_weights_are_the_table():
    signal, noise = inner_levels(schedules.Cosine())
    snr, gamma = (signal / noise) ** 2, 5.0
    expected = {
        schedules.Epsilon(): np.minimum(snr, gamma) / snr,
        schedules.Sample(): np.minimum(snr, gamma),
        schedules.Velocity(): np.minimum(snr, gamma) / (snr + 1),
    }
    for prediction, weight in expected.items():
        np.testing.assert_allclose(prediction.weight(signal, noise, gamma), weight, rtol=1e-5)
    small = schedules.Velocity().weight(np.float32(6.4e-5), np.float32(1.0), gamma)  # the cosine's end
    assert 0 < float(small) < 1e-8


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: schedules.Linear(1), "num_steps=1: a schedule has"),
        (lambda: schedules.Linear(end=1.5, num_steps=1000, start=-0.1), r"must fall within \(0, 1\)"),
        (lambda: schedules.Cosine(max_beta=1.0), r"must fall within \(0, 1\)"),
        (lambda: schedules.Sigmoid(start=3.0, end=-3.0), "start < end"),
        (lambda: schedules.EDM(sigma_min=0.0), "0 < sigma_min < sigma_max"),
        (lambda: schedules.Straight(0.0, -1.0), "logit_stddev=-1.0"),
        (lambda: schedules.Linear(10).levels(11), "steps=11: the schedule has num_steps=10"),
        (lambda: schedules.Linear().levels(0), "steps=0: a sampler takes"),
        (lambda: schedules.EDM().levels(2, rho=-1.0), "rho=-1.0"),
        (lambda: schedules.Preconditioned(0.0), "data_stddev=0.0"),
        (lambda: tz.layers.TimeEmbedding(3), "units=3"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_table_in_two_parts_has_the_bits_of_its_numbers_and_keeps_most_in_float16():
    random = np.random.default_rng(0)
    for scale in (1.0, 127.0, 3e4, 1e9):
        numbers = scale * np.concatenate([random.uniform(-1, 1, 50), 10.0 ** random.uniform(-6, 0, 50)])
        at = schedules.table(numbers.reshape(50, 2))
        found = np.stack([at(place) for place in range(50)]).ravel()
        np.testing.assert_allclose(found, numbers.astype("float32"), rtol=2.0**-23)
    np.testing.assert_array_equal(schedules.table(numbers, "float64")(np.arange(3)), numbers[:3])
