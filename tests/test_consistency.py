"""Consistency models: exact where the way is known, one pass that draws where a denoiser gives a mean, bad input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import schedules
from tfgan_zoo.samplers import Sampling
from tfgan_zoo.serialization import serializable

MEAN, STD, STEPS = np.array([0.7, -0.4], "float32"), 0.3, 100
SCHEDULE = schedules.Cosine(STEPS)


@serializable
class OfGaussian(keras.layers.Layer):
    """Where the way through x at a time ends, for N(MEAN, STD^2): each point keeps its place in units of the spread."""

    def call(self, x, times):
        times = times * (STEPS / 1000.0)
        a, s = SCHEDULE.signal(times)[:, None], SCHEDULE.noise(times)[:, None]
        return MEAN + STD * (x - a * MEAN) / tf.sqrt(a**2 * STD**2 + s**2)


def known(**arguments):
    inputs = [keras.Input((2,)), keras.Input(())]
    denoiser = keras.Model(inputs, OfGaussian()(*inputs))
    rest = {"schedule": SCHEDULE, "prediction": schedules.Sample(), "ema_decay": 0.0, "seed": 0}
    return tz.Consistency(denoiser, **rest | {"pretraining_steps": 0, "stage_steps": 10} | arguments)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_exact_function_draws_the_data_in_any_number_of_steps(steps):
    drawn = known(sampling=Sampling("consistency", steps)).generate(20_000, seed=0)
    np.testing.assert_allclose(drawn.mean(0), MEAN, atol=0.02)
    np.testing.assert_allclose(drawn.std(0), STD, atol=0.01)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03


def test_stages_bring_the_times_together_and_end_at_the_clean_image():
    model = known(pretraining_steps=20, stages=3)
    found = []
    for step in (0, 19, 20, 29, 30, 40, 10_000):
        model.step.assign(step)
        found.append(float(model.stage()))
    assert found == [0, 0, 1, 1, 2, 3, 3]
    times = np.arange(STEPS, dtype="float32")
    np.testing.assert_array_equal(model.before(times, 0.0), -np.ones(STEPS))  # diffusion
    for stage in (1.0, 2.0, 8.0):
        before = np.asarray(model.before(times, stage))
        assert (before < times).all()
        assert before[0] == -1
        assert before[-1] == np.floor(STEPS * (1 - 2**-stage)) - 1


def test_levels_leave_out_the_end_and_noise_is_there_from_the_start():
    model = known()
    levels = model.levels()
    np.testing.assert_array_equal(levels.times, [STEPS - 1, round((STEPS - 1) / 2)])
    assert (levels.signal[-1], levels.noise[-1]) == (1.0, 0.0)
    noise = model.start(5, (0, 1))["noise"]
    assert noise.shape == (5, 2, 2)
    one = model.draw(noise)
    np.testing.assert_allclose(one, model.draw(tf.concat([noise[:, :1], noise[:, 1:]], 1)), atol=1e-6)
    assert np.abs(one - model.draw(tf.concat([noise[:, :1], -noise[:, 1:]], 1))).max() > 0.01


@pytest.mark.slow
def test_in_one_pass_a_denoiser_gives_the_mean_and_a_consistency_model_the_data():
    points = (MEAN + STD * np.random.default_rng(0).normal(size=(2048, 2))).astype("float32")
    model = tz.create("consistency", (2,), width=16, seed=0, pretraining_steps=600, stage_steps=150, stages=5)
    model.compile(steps_per_execution=50)
    data = tf.data.Dataset.from_tensor_slices(points).repeat().batch(256)
    once = model.with_sampling(steps=1)
    model.fit(data, steps_per_epoch=600, verbose=0)
    before = once.generate(2000, seed=0).std(0)
    assert before.max() < 0.1  # of 0.3
    model.fit(data, steps_per_epoch=1200, verbose=0)
    drawn = once.generate(2000, seed=0)
    assert 1.3 * before.max() < drawn.std(0).min() < drawn.std(0).max() < 0.45  # 1.5 to 8 times, by rounding
    np.testing.assert_allclose(drawn.mean(0), MEAN, atol=0.35)


def test_a_trained_model_of_diffusion_is_where_it_begins():
    small = {"width": 8, "multipliers": (1,), "seed": 0}
    trained = tz.create("diffusion", (8, 8, 1), **small)
    model = tz.create("consistency", (8, 8, 1), diffusion=trained, **small)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(model.denoise(x, 500.0), trained.denoise(x, 500.0), atol=1e-6)
    assert model.pretraining_steps == 0
    with pytest.raises(ValueError, match="of diffusion without labels"):
        tz.create("consistency", (8, 8, 1), diffusion=tz.create("guided_diffusion", (8, 8, 1), **small), **small)
    with pytest.raises(ValueError, match=r"image_shape=\(4, 4, 1\), but diffusion is of images \(8, 8, 1\)"):
        tz.create("consistency", (4, 4, 1), diffusion=trained, **small)


def test_a_denoiser_that_gives_the_mean_is_not_drawn_so():
    model = tz.create("diffusion", (8, 8, 1), width=8, multipliers=(1,), seed=0)
    with pytest.raises(ValueError, match="sampler='consistency': diffusion draws by 'ancestral' or 'ddim'"):
        model.generate(1, sampler="consistency", steps=2)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sampling": Sampling("ddim", 4)}, "sampler='ddim.: .*consistency.* draws by 'consistency'."),
        ({"schedule": schedules.EDM()}, "give one of whole steps"),
        ({"stages": 0}, "stages=0: give a whole number, at least 1"),
        ({"pretraining_steps": -1}, "pretraining_steps=-1"),
        ({"min_snr": 5.0}, "min_snr=5.0: distances have weights of their own"),
    ],
)
def test_refuses_in_a_sentence(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        known(**wrong)
