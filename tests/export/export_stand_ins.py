"""Small models with the attributes that export relies on."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo.conditions import Classes
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.priors import Normal, Uniform


class StandIn:
    """A trained model as export sees it: a network that answers, what it starts from, and how it draws."""

    start, draw, draw_latents = GAN.start, GAN.draw, GAN.draw_latents

    def __init__(self, network, image_shape, latent_dim=8, num_classes=None, name="stand_in", prior=Normal()):  # noqa: B008
        self.inference, self.prior = {"generator": network}, prior
        self.image_shape, self.latent_dim, self.name = image_shape, latent_dim, name
        self.condition = None if num_classes is None else Classes(num_classes)

    @property
    def ema_network(self):
        return self.inference["generator"]

    @property
    def num_classes(self):
        return getattr(self.condition, "num_classes", None)

    def generate(self, num_images, labels=None, seed=None):
        labels = None if labels is None else tf.constant(labels)
        return np.asarray(self.draw(self.draw_latents(num_images, seed), labels))


def image_model(channels=1, size=12, num_classes=None, label_shape=(), width=8, policy=None, prior=Normal()):  # noqa: B008
    """A DCGAN-like generator with moved BatchNorm moments, so that training mode would show."""
    keras.utils.set_random_seed(channels)
    layers = keras.layers
    options = {"dtype": policy} if policy else {}
    inputs = [layers.Input((8,), name="z")]
    x = inputs[0]
    if num_classes is not None:
        inputs.append(layers.Input(label_shape, dtype="int32", name="y"))
        x = layers.Concatenate()([x, layers.Flatten()(layers.Embedding(num_classes, 4)(inputs[1]))])
    x = layers.Dense(size // 4 * (size // 4) * 2 * width, use_bias=False, **options)(x)
    x = layers.ReLU(**options)(layers.BatchNormalization(**options)(x))
    x = layers.Reshape((size // 4, size // 4, 2 * width))(x)
    x = layers.Conv2DTranspose(width, 4, 2, "same", use_bias=False, **options)(x)
    x = layers.ReLU(**options)(layers.BatchNormalization(**options)(x))
    x = layers.Conv2DTranspose(channels, 4, 2, "same", activation="tanh", dtype="float32")(x)
    network = keras.Model(inputs if len(inputs) > 1 else inputs[0], x, name="generator")
    random = np.random.default_rng(0)
    network.set_weights([w + (w.ndim == 1) * random.uniform(0.0, 0.5, w.shape) for w in network.get_weights()])
    return StandIn(network, (size, size, channels), num_classes=num_classes, prior=prior)


def point_model():
    """A generator of points in the plane."""
    keras.utils.set_random_seed(0)
    z = keras.layers.Input((8,))
    network = keras.Model(z, keras.layers.Dense(2)(keras.layers.Dense(16, "relu")(z)) * 3.0)
    return StandIn(network, (2,), prior=Uniform())
