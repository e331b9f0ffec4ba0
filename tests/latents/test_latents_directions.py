"""SeFa against its definition, GANSpace against SeFa where the two must agree, and where neither can be had."""

import keras
import numpy as np
import pytest
from keras import layers

import tfgan_zoo as tz
from tfgan_zoo.latents import closed_form_directions, pca_directions


def model_of(generator, **gan):
    discriminator = keras.Sequential([keras.Input(generator.output_shape[1:]), layers.Dense(1)])
    return tz.GAN(generator, discriminator, objective=tz.objectives.NonSaturating(), seed=0, **gan)


def stretching(strengths, after=()):
    """A generator whose dense layer stretches known orthonormal directions by known factors, and the directions."""
    size = len(strengths)
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(size, size)))[0]
    turned = np.linalg.qr(np.random.default_rng(2).normal(size=(size, size)))[0]
    generator = keras.Sequential([keras.Input((size,)), layers.Dense(size, use_bias=False), *after])
    generator.layers[0].set_weights([basis.T @ np.diag(strengths) @ turned])
    return model_of(generator, prior=tz.priors.Normal()), basis


def agree(found, expected, least):
    cosines = np.abs(np.sum(found * expected, axis=1))
    assert cosines.min() > least, cosines
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)


def test_closed_form_directions_are_those_the_layer_stretches_most():
    model, basis = stretching([0.5, 3.0, 1.0, 2.0])
    agree(closed_form_directions(model, 4), basis[[1, 3, 2, 0]], 0.9999)
    np.testing.assert_allclose(closed_form_directions(model, 2), closed_form_directions(model, 4)[:2])
    largest = np.abs(closed_form_directions(model, 4)).argmax(1)
    assert (closed_form_directions(model, 4)[range(4), largest] > 0).all()


def test_principal_components_of_a_linear_layer_are_the_same_directions():
    model, basis = stretching([0.5, 3.0, 1.0, 2.0], after=[layers.Activation("tanh")])
    agree(pca_directions(model, 3, num_latents=4000), basis[[1, 3, 2]], 0.99)


def test_another_layer_has_other_components():
    class Third(layers.Layer):
        """Sees one direction of four, far from linearly."""

        def call(self, inputs):
            return keras.ops.sinh(inputs[:, 2:3]) * keras.ops.ones((1, 2))

    model, _ = stretching([1.0, 1.0, 1.0, 1.0], after=[Third(name="third")])
    kernel = model.ema_network.layers[0].get_weights()[0]
    agree(pca_directions(model, 1, layer="third"), kernel[:, 2:3].T / np.linalg.norm(kernel[:, 2]), 0.99)


def test_labels_beside_latents_do_not_count_and_wrapped_layers_do():
    latents, labels = keras.Input((3,)), keras.Input((), dtype="int32")
    joined = layers.Concatenate()([keras.ops.one_hot(labels, 5), 2.0 * latents])
    images = tz.layers.SpectralNorm(layers.Dense(4, use_bias=False))(joined)
    generator = keras.Model([latents, labels], images)
    seen, told = keras.Input((4,)), keras.Input((), dtype="int32")
    judged = layers.Dense(1)(layers.Concatenate()([seen, keras.ops.one_hot(told, 5)]))
    model = tz.ConditionalGAN(
        generator, keras.Model([seen, told], judged), num_classes=5, objective=tz.objectives.Hinge(), seed=0
    )
    (wrapped,) = [layer for layer in model.ema_network.layers if isinstance(layer, tz.layers.SpectralNorm)]
    kernel = np.asarray(wrapped.layer.kernel)[5:]
    expected = np.linalg.svd(kernel)[0].T
    agree(closed_form_directions(model, 3), expected, 0.999)
    agree(pca_directions(model, 1, num_latents=20_000, labels=np.zeros(20_000, "int32")), expected[:1], 0.98)


@pytest.mark.parametrize("name", ["gan", "dcgan", "wgan_gp", "cgan", "infogan", "began", "projection_gan"])
def test_the_zoos_generators_have_both(name):
    model = tz.create(name, image_shape=(16, 16, 1), width=4, seed=0)
    for directions in (closed_form_directions(model, 2), pca_directions(model, 2, num_latents=200)):
        assert directions.shape == (2, model.latent_dim)
        np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=0.5)
        np.testing.assert_allclose(np.diag(directions @ directions.T), 1.0, atol=1e-5)


def test_what_is_not_linear_has_no_closed_form_but_components():
    generator = keras.Sequential([keras.Input((4,)), layers.UnitNormalization(), layers.Dense(3)])
    model = model_of(generator)
    with pytest.raises(ValueError, match=r"reads its latents linearly: take tz.latents.pca_directions"):
        closed_form_directions(model)
    assert pca_directions(model, 2).shape == (2, 4)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: closed_form_directions(m, 5), "count=5: there are no more than 4 directions"),
        (lambda m: pca_directions(m, 0), "count=0: ask for at least 1"),
        (lambda m: pca_directions(m, layer="dens"), r"Unknown layer of .* 'dens'. Did you mean 'dense"),
        (lambda m: pca_directions(m, num_latents=4), "num_latents=4: 4 coordinates need more"),
        (
            lambda m: pca_directions(model_of(keras.Sequential([keras.Input((4,)), layers.Dense(1)])), 2),
            "count=2: there are no more than 1",
        ),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    model, _ = stretching([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match=sentence):
        call(model)
