"""A classifier leads diffusion that knows no classes: exact where all is known, for every schedule; and it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import schedules
from tfgan_zoo.networks import unet
from tfgan_zoo.samplers import Sampling
from tfgan_zoo.serialization import serializable

MEAN, STD, TILT = np.array([0.7, -0.4], "float32"), 0.3, np.array([1.5, -1.0], "float32")
SCHEDULES = [schedules.Linear(100), schedules.Cosine(100), schedules.EDM(sigma_max=20.0), schedules.Straight()]


def levels(schedule, times):
    """Signal and noise (N, 1) for times as a network sees them."""
    if isinstance(schedule, schedules.EDM):
        low, high = np.log(schedule.sigma_min), np.log(schedule.sigma_max)
        own = tf.exp(times * ((high - low) / 1000.0) + low)
    else:
        own = times * (getattr(schedule, "num_steps", 1.0) / 1000.0)
    return schedule.signal(own)[:, None], schedule.noise(own)[:, None]


@serializable
class Clean(keras.layers.Layer):
    """E[x_0 | x_t] of N(+-MEAN, STD^2), one as likely as the other; of N(0, STD^2) if `single`."""

    def __init__(self, schedule, single, **layer):
        super().__init__(**layer)
        self.schedule, self.single = schedule, single

    def call(self, x, times):
        a, s = levels(self.schedule, times)
        power = a**2 * STD**2 + s**2
        middle = 0.0 if self.single else MEAN * tf.tanh(tf.reduce_sum(a * MEAN * x, -1, keepdims=True) / power)
        return middle + a * STD**2 / power * (x - a * middle)


@serializable
class Told(keras.layers.Layer):
    """Logits (0, log p(1 | x_t) - log p(0 | x_t)) of the two; if `single`, nearly log E[exp(TILT x_0) | x_t]."""

    def __init__(self, schedule, single, **layer):
        super().__init__(**layer)
        self.schedule, self.single = schedule, single

    def call(self, guess, times):
        a, s = levels(self.schedule, times)
        x_a, power = guess * (a**2 + s**2), a**2 * STD**2 + s**2  # signal x_t, also where there is none
        which = TILT * STD**2 if self.single else -2.0 * MEAN
        logit = tf.reduce_sum(which * x_a, -1, keepdims=True) / power
        return tf.concat([tf.zeros_like(logit), logit - 60.0 * self.single], -1)  # so that log p(1) is the logit


def known(schedule, single, **arguments):
    """A model whose networks are exact; class 1 is N(-MEAN, STD^2), or what TILT makes of N(0, STD^2)."""
    inputs = [keras.Input((2,)), keras.Input(())]
    denoiser = keras.Model(inputs, Clean(schedule, single)(*inputs))
    again = [keras.Input((2,)), keras.Input(())]
    classifier = keras.Model(again, Told(schedule, single)(*again))
    rest = {"prediction": schedules.Sample(), "condition": tz.conditions.Classes(2), "ema_decay": 0.0, "seed": 0}
    return tz.ClassifierGuided(denoiser, classifier, schedule=schedule, **rest | arguments)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda one: type(one).__name__)
def test_the_exact_classifier_gives_the_classs_own_denoiser(schedule):
    """Of two Gaussians, at every level: x_0 + s noise^2 / signal grad log p(y | x_t) is E[x_0 | x_t, y]."""
    model, at = known(schedule, False), schedule.levels(9)
    x = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    for time, a, s in [*zip(at.times, at.signal, at.noise, strict=False)][1:]:
        noisy = (a * x + s * x[::-1]).astype("float32")
        for label, mean in ((0, MEAN), (1, -MEAN)):
            alone = mean + a * STD**2 / (a**2 * STD**2 + s**2) * (noisy - a * mean)
            found = model.denoise(noisy, np.float32(time), tf.fill((6,), label))
            np.testing.assert_allclose(found, alone, atol=2e-3)


@pytest.mark.parametrize("schedule", SCHEDULES[1:], ids=lambda one: type(one).__name__)
def test_guided_gaussians_are_drawn_exactly_at_any_scale(schedule):
    """N(0, std^2) led by exp(s TILT x) is N(s std^2 TILT, std^2); 0 is unconditional, whatever the label."""
    model, labels = known(schedule, True, sampling=Sampling("heun", 40, clip=False)), np.ones(2000, "int32")
    drawn = {s: model.generate(2000, labels=labels, seed=0, guidance_scale=s) for s in (0.0, 1.0, 4.0)}
    for s, points in drawn.items():
        np.testing.assert_allclose(points.mean(0), s * STD**2 * TILT, atol=0.03)
        np.testing.assert_allclose(points.std(0), STD, rtol=0.06)
    other = model.generate(2000, labels=0 * labels, seed=0, guidance_scale=0.0)
    np.testing.assert_array_equal(other, drawn[0.0])


def test_the_classifiers_gradient_is_that_of_finite_differences():
    model = small()
    model.classifier.layers[-1].kernel.assign(
        np.random.default_rng(1).normal(size=model.classifier.layers[-1].kernel.shape)
    )
    model.inference["classifier"].set_weights(model.classifier.get_weights())
    x, direction = IMAGES[:2], np.random.default_rng(2).normal(size=(2, 8, 8, 1)).astype("float32")
    time, labels = 400.0, np.array([0, 2], "int32")
    a, s = (float(one(tf.constant(time))) for one in (model.schedule.signal, model.schedule.noise))
    up, down = (tf.nn.log_softmax(model.classify(x + step * direction, time)).numpy() for step in (1e-2, -1e-2))
    slope = (up - down)[[0, 1], labels] / 2e-2
    moved = np.asarray(model.towards(x, time, labels))
    np.testing.assert_allclose((moved * direction).sum((1, 2, 3)), slope * s**2 / a, rtol=0.02)


IMAGES = np.tanh(np.random.default_rng(0).normal(size=(24, 8, 8, 1))).astype("float32")
LABELS = (np.arange(24) % 3).astype("int32")


def small(**arguments):
    numbers = {"width": 4, "classifier_width": 4, "num_classes": 3, "multipliers": (1,), "seed": 0}
    numbers["sampling"] = Sampling("ddim", 2)
    tz.runtime.seed_all(0)
    return tz.create("classifier_guidance", (8, 8, 1), **numbers | arguments)


def test_beside_a_trained_model_the_classifier_alone_learns():
    tz.runtime.seed_all(1)
    source = tz.create("diffusion", (8, 8, 1), width=4, multipliers=(1,), seed=1, schedule=schedules.Linear(50))
    model = small(diffusion=source)
    assert (model.schedule, model.learners) == (source.schedule, ("classifier",))
    model.compile(run_eagerly=True)
    history = model.fit(IMAGES, LABELS, batch_size=12, verbose=0).history
    assert set(history) == {"class_loss", "class_accuracy", "loss"}
    for ours, theirs in zip(model.denoiser.weights, source.ema_network.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    drawn = model.generate(3, labels=LABELS[:3], seed=0, guidance_scale=0.0)
    np.testing.assert_allclose(drawn, source.generate(3, seed=0, sampler="ddim", steps=2, rho=None), atol=1e-5)
    again = type(model).from_config(model.get_config())
    assert again.learners == ("classifier",)


def network(classes=3, shape=(8, 8, 1)):
    return unet.classifier(shape, 4, classes, multipliers=(1,))


def parts(classifier, **arguments):
    denoiser = unet.unet((8, 8, 1), 4, multipliers=(1,), **arguments)
    rest = {"schedule": schedules.Cosine(), "prediction": schedules.Velocity()}
    return tz.ClassifierGuided(denoiser, classifier, condition=tz.conditions.Classes(3), **rest)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: parts(network(4)), "must read .* and give one logit for each of 3 classes"),
        (lambda: parts(network(shape=(4, 4, 1))), r"classifier reads \[\(4, 4, 1\), \(\)\]"),
        (lambda: parts(network(), num_classes=3), "denoiser has 3 inputs: give a functional model of images and times"),
        (lambda: small(num_classes=1), "num_classes=1"),
        (lambda: small(diffusion=tz.create("dcgan", (8, 8, 1), width=4)), "diffusion is dcgan: give a trained model"),
        (lambda: small(diffusion=small()), "without labels"),
        (lambda: small().generate(2, labels=[0, 3], seed=0), "labels run from 0 to 3"),
        (lambda: small(sampling=Sampling("ddim", 2, guidance_scale=-1.0)), "guidance_scale=-1.0"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
