"""What every layer keeps: its configuration through JSON, half precision, XLA with a free batch size, and LiteRT."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgan_zoo.layers as tl

RNG = np.random.default_rng(0)
VECTORS, IMAGES = ((6,),), ((4, 4, 3),)
NORMALS = keras.initializers.RandomNormal(stddev=0.5)

# id -> (how it is made, shapes of its inputs without the batch)
LAYERS = {
    "batch_norm": (lambda: tl.BatchNormalization(momentum=0.9), IMAGES),
    "spectral_dense": (lambda: tl.SpectralNorm(layers.Dense(3, activation="relu"), steps=2), VECTORS),
    "spectral_conv": (lambda: tl.SpectralNorm(layers.Conv2D(3, 3, 2, "same", use_bias=False)), IMAGES),
    "spectral_transposed": (lambda: tl.SpectralNorm(layers.Conv2DTranspose(2, 4, 2, "same")), IMAGES),
    "with_reference": (lambda: tl.WithReference(5, initializer=NORMALS), IMAGES),
    "without_reference": (lambda: tl.WithoutReference(2), IMAGES),
    "virtual_vectors": (lambda: tl.VirtualBatchNormalization(2, epsilon=0.01), VECTORS),
    "virtual_images": (lambda: tl.VirtualBatchNormalization(2), IMAGES),
    "discrimination": (lambda: tl.MinibatchDiscrimination(4, 3), VECTORS),
    "stddev_vectors": (lambda: tl.MinibatchStdDev(2, epsilon=1e-6), VECTORS),
    "stddev_images": (lambda: tl.MinibatchStdDev(), IMAGES),
    "rectifier": (lambda: tl.Rectifier(0.2), IMAGES),
    "rectifier_gain": (lambda: tl.Rectifier(0.2, gain=1.4), IMAGES),
    "equalized_dense": (lambda: tl.EqualizedRate(layers.Dense(3), lr_multiplier=0.1), VECTORS),
    "equalized_conv": (lambda: tl.EqualizedRate(layers.Conv2D(3, 3, 2, "same"), gain=1.4), IMAGES),
    "pixel_norm": (lambda: tl.PixelNorm(), IMAGES),
    "adain": (lambda: tl.AdaIN(), (*IMAGES, (6,))),
    "modulated_conv": (lambda: tl.ModulatedConv2D(5), (*IMAGES, (3,))),
    "modulated_up": (lambda: tl.ModulatedConv2D(5, up=True), (*IMAGES, (3,))),
    "modulated_rgb": (lambda: tl.ModulatedConv2D(2, 1, demodulate=False), (*IMAGES, (3,))),
    "noise_injection": (lambda: tl.NoiseInjection(3, per_channel=True, seed=1), IMAGES),
    "learned_map": (lambda: tl.LearnedMap((2, 3, 4), "random_normal"), VECTORS),
    "moving_mean": (lambda: tl.MovingMean(0.9), VECTORS),
    "noise_and_bias": (lambda: tl.NoiseInjection(use_bias=True, seed=1), IMAGES),
    "fade_in": (lambda: tl.FadeIn(), IMAGES * 2),
    "clipped": (lambda: tl.Clipped(), IMAGES),
    "grouped": (lambda: tl.GroupedConv2D(2), ((4, 4, 6),)),
    "blur": (lambda: tl.Blur(3), IMAGES),
    "filtered_up": (lambda: tl.FilteredUpsampling(), IMAGES),
    "filtered_down": (lambda: tl.FilteredDownsampling(), IMAGES),
    "conditional_norm": (lambda: tl.ConditionalBatchNormalization(spectral=True), (*IMAGES, (5,))),
    "conditional_norm_zeros": (lambda: tl.ConditionalBatchNormalization(), (*IMAGES, (5,))),
    "self_attention": (lambda: tl.SelfAttention(), ((4, 4, 8),)),
    "dropout": (lambda: tl.Dropout(0.3, seed=1), VECTORS),
    "noise": (lambda: tl.GaussianNoise(0.5, seed=1), IMAGES),
    "pixelcnn": (lambda: tl.GatedPixelCNN(4, 2, 3), IMAGES),
    "free_energy": (lambda: tl.RestrictedBoltzmann(3), VECTORS),
    "shared_scale": (lambda: tl.SharedScale(0.5), IMAGES),
    "group_norm": (lambda: tl.GroupNormalization(3), IMAGES),
    "instance_norm": (tl.InstanceNormalization, IMAGES),
    "modulated_norm": (lambda: tl.GroupNormalization(3), (*IMAGES, (6,))),
    "attention": (lambda: tl.PixelAttention(), IMAGES),
    "time": (lambda: tl.TimeEmbedding(6), ((),)),
    "energy_1": (lambda: tl.ReconstructionEnergy(order=1), IMAGES * 2),
    "energy_2": (lambda: tl.ReconstructionEnergy(), IMAGES * 2),
}
OTHERS = [tl.ClipWeights(0.5), tl.Orthogonal(0.5)]


def functional(layer, shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def batch(shapes, size=6):
    return [RNG.normal(size=(size, *shape)).astype("float32") for shape in shapes]


def test_every_public_name_is_here():
    made = {type(make()).__name__ for make, _ in LAYERS.values()} | {type(other).__name__ for other in OTHERS}
    assert made == set(tl.__all__)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_come_back_from_json(name):
    layer = LAYERS[name][0]()
    config = layer.get_config()
    again = type(layer).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    assert written["registered_name"] == f"tfgan_zoo>{type(layer).__name__}"
    assert keras.saving.deserialize_keras_object(written).get_config() == config


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_constraints_and_regularisers_come_back_from_json(other):
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(other)))
    again = keras.saving.deserialize_keras_object(written)
    assert type(again) is type(other)
    assert again.get_config() == other.get_config() == type(other).from_config(other.get_config()).get_config()


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_and_types_are_foretold_also_in_half_precision(name):
    make, shapes = LAYERS[name]
    model = functional(make(), shapes)
    x = batch(shapes)
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = functional(make(), shapes)
    half.set_weights(model.get_weights())
    assert {weight.dtype for weight in half.weights} <= {"float32"}
    for training in (False, True):
        exact, rounded = model(x, training=training), half(x, training=training)
        for network, outputs in ((model, exact), (half, rounded)):
            assert network.output.dtype == keras.backend.standardize_dtype(outputs.dtype)
            assert tuple(network.output_shape[1:]) == tuple(outputs.shape[1:])
        np.testing.assert_allclose(tf.cast(rounded, tf.float32), exact, rtol=0.03, atol=0.03)
    assert half.output.dtype == ("float32" if "energy" in name or name in ("pixelcnn", "time") else "bfloat16")


@pytest.mark.parametrize("name", LAYERS)
def test_xla_computes_the_same_for_any_batch_size(name):
    make, shapes = LAYERS[name]
    model = functional(make(), shapes)
    fast = tf.function(lambda *x: model(list(x)), jit_compile=True)
    for size in (6, 3):
        x = batch(shapes, size)
        np.testing.assert_allclose(fast(*x), model(x), rtol=1e-4, atol=1e-5)


def test_a_generator_of_them_becomes_a_tflite_file(as_tflite):
    latents = keras.Input((6,))
    x = tl.WithReference(4)(latents)
    x = tl.VirtualBatchNormalization(4)(tl.SpectralNorm(layers.Dense(4 * 4 * 3))(x))
    x = tl.SpectralNorm(layers.Conv2DTranspose(5, 4, 2, "same"))(layers.Reshape((4, 4, 3))(layers.ReLU()(x)))
    x = layers.ReLU()(tl.VirtualBatchNormalization(4)(x))
    x = tl.SpectralNorm(layers.Conv2D(1, 3, padding="same", activation="tanh"))(x)
    model = keras.Model(latents, tl.WithoutReference(4)(x))

    runner = as_tflite(model)
    for size in (3, 1):
        z = RNG.normal(size=(size, 6)).astype("float32")
        (images,) = runner(latents=z).values()
        np.testing.assert_allclose(images, model(z), atol=1e-5)
