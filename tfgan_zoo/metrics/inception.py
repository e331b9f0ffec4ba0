"""Inception-v3 as an extractor: Keras' own, and the network of 2015 that published FIDs are measured in.

The two give different numbers for the same images, and so do two ways to resize: each has a name of its own in a
score's key, `fid_inceptionv3keras_<n>`, `fid_inception2015_<n>_legacy`, `fid_inception2015_<n>_clean`.
"""

import functools
import pathlib

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import errors, runtime
from tfgan_zoo.metrics import torch_weights
from tfgan_zoo.metrics.features import Resize, make_extractor

SIDE = 299  # pixels


@runtime.no_strategy()
def inception_v3(weights="imagenet"):
    """`keras.applications.InceptionV3` as an extractor: 2,048 pooled features, 1,000 class probabilities.

    Source: Szegedy et al. 2016. These are not the weights of published FIDs: see `inception_2015`.

    Args:
        weights: a file with the weights of the whole network, top included; "imagenet" lets Keras download them.

    Returns:
        An `Extractor` of kind "inceptionv3keras".

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds other weights.
    """
    if weights != "imagenet" and not pathlib.Path(weights).expanduser().is_file():
        raise FileNotFoundError(f'There is no file {weights}. Give the weights\' path, or "imagenet" to download them.')
    network = keras.applications.InceptionV3(weights="imagenet" if weights == "imagenet" else None)
    if weights != "imagenet":
        try:
            network.load_weights(str(pathlib.Path(weights).expanduser()))
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{weights} does not hold the weights of InceptionV3 with its top: {error}") from error
    outputs = {"features": network.get_layer("avg_pool").output, "probabilities": network.output}
    return make_extractor("inceptionv3keras", "keras.applications.InceptionV3", keras.Model(network.input, outputs))


@runtime.no_strategy()
def inception_2015(weights, resize="legacy"):
    """The Inception of TensorFlow's 2015 release, in which FID and Inception Score are published.

    Source: Heusel et al. 2017; Salimans et al. 2016; its quirks as in pytorch-fid: average pools leave their padding
    out of the mean, the last block pools by maximum, there are 1,008 classes. Images pass through 256 grey levels, as
    files do, and (x - 128) / 128; gray is repeated in three channels. The probabilities are those of Salimans et al.,
    whose logits have no bias.

    Args:
        weights: a file with pytorch-fid's names, such as pt_inception-2015-12-05-6726825d.pth; .npz or .h5 likewise.
        resize: "legacy", TensorFlow 1's bilinear resize, which neither centres pixels nor low-passes; or "clean",
            Pillow's antialiased bicubic (Parmar et al. 2022).

    Returns:
        An `Extractor` of kind "inception2015".

    Raises:
        ValueError: an unknown resize; weights that are missing, too many, or of another shape.
        FileNotFoundError: there is no such file.
    """
    if resize not in RESIZES:
        raise errors.unknown("resize", resize, RESIZES)
    arrays = {
        name: array for name, array in torch_weights.read(weights).items() if not name.endswith("num_batches_tracked")
    }
    network = build()
    _check(pathlib.Path(weights), arrays, shapes(network))
    for layer in network.layers:
        if layer.weights:
            layer.set_weights([_to_keras(layer, arrays[name]) for name in _names(layer)])
    return make_extractor("inception2015", "inception-2015-12-05", network, RESIZES[resize])


def build():
    """The network of 2015, with random weights: images (N, 299, 299, 3) in [-1, 1] to features and probabilities."""
    images = keras.Input((SIDE, SIDE, 3), name="images")
    x = keras.layers.Rescaling(127.5 / 128, -0.5 / 128)(images)  # (127.5 (x + 1) - 128) / 128
    x = _convolution(x, "Conv2d_1a_3x3", 32, 3, strides=2, padding="valid")
    x = _convolution(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _convolution(x, "Conv2d_2b_3x3", 64, 3)
    x = keras.layers.MaxPooling2D(3, 2)(x)
    x = _convolution(x, "Conv2d_3b_1x1", 80, 1)
    x = _convolution(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = keras.layers.MaxPooling2D(3, 2)(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = block_a(x, name, pooled)
    x = block_b(x, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = block_c(x, name, width)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", keras.layers.AveragePooling2D)
    x = block_e(x, "Mixed_7c", keras.layers.MaxPooling2D)  # the quirk: the paper's block pools by the mean
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    logits = keras.layers.Dense(1008, use_bias=False, name="fc")(features)
    probabilities = keras.layers.Softmax(name="probabilities")(logits)
    return keras.Model(images, {"features": features, "probabilities": probabilities}, name="inception_2015")


def block_a(x, name, pooled):
    """35 x 35: windows of 1, 5 and twice 3, and a pool."""
    layer = functools.partial(_named, name)
    one = layer(x, "branch1x1", 64, 1)
    five = layer(layer(x, "branch5x5_1", 48, 1), "branch5x5_2", 64, 5)
    double = layer(layer(layer(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3), "branch3x3dbl_3", 96, 3)
    return _joined(one, five, double, layer(_pooled(x), "branch_pool", pooled, 1))


def block_b(x, name):
    """35 x 35 to 17 x 17."""
    layer = functools.partial(_named, name)
    three = layer(x, "branch3x3", 384, 3, strides=2, padding="valid")
    double = layer(layer(x, "branch3x3dbl_1", 64, 1), "branch3x3dbl_2", 96, 3)
    double = layer(double, "branch3x3dbl_3", 96, 3, strides=2, padding="valid")
    return _joined(three, double, keras.layers.MaxPooling2D(3, 2)(x))


def block_c(x, name, width):
    """17 x 17: windows of 7, cut into rows and columns."""
    layer = functools.partial(_named, name)
    one = layer(x, "branch1x1", 192, 1)
    seven = layer(layer(x, "branch7x7_1", width, 1), "branch7x7_2", width, (1, 7))
    seven = layer(seven, "branch7x7_3", 192, (7, 1))
    double = layer(x, "branch7x7dbl_1", width, 1)
    for number, filters, window in ((2, width, (7, 1)), (3, width, (1, 7)), (4, width, (7, 1)), (5, 192, (1, 7))):
        double = layer(double, f"branch7x7dbl_{number}", filters, window)
    return _joined(one, seven, double, layer(_pooled(x), "branch_pool", 192, 1))


def block_d(x, name):
    """17 x 17 to 8 x 8."""
    layer = functools.partial(_named, name)
    three = layer(layer(x, "branch3x3_1", 192, 1), "branch3x3_2", 320, 3, strides=2, padding="valid")
    seven = layer(layer(x, "branch7x7x3_1", 192, 1), "branch7x7x3_2", 192, (1, 7))
    seven = layer(layer(seven, "branch7x7x3_3", 192, (7, 1)), "branch7x7x3_4", 192, 3, strides=2, padding="valid")
    return _joined(three, seven, keras.layers.MaxPooling2D(3, 2)(x))


def block_e(x, name, pool):
    """8 x 8: windows of 3 that end in rows and columns side by side."""
    layer = functools.partial(_named, name)
    one = layer(x, "branch1x1", 320, 1)
    three = layer(x, "branch3x3_1", 384, 1)
    three = (layer(three, "branch3x3_2a", 384, (1, 3)), layer(three, "branch3x3_2b", 384, (3, 1)))
    double = layer(layer(x, "branch3x3dbl_1", 448, 1), "branch3x3dbl_2", 384, 3)
    double = (layer(double, "branch3x3dbl_3a", 384, (1, 3)), layer(double, "branch3x3dbl_3b", 384, (3, 1)))
    return _joined(one, *three, *double, layer(_pooled(x, pool), "branch_pool", 192, 1))


def shapes(network):
    """The names and shapes that a weights file must have, in PyTorch's layout."""
    by_name = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            height, width, channels, filters = layer.kernel.shape
            by_name[f"{layer.name}.weight"] = (filters, channels, height, width)
        elif layer.weights:
            by_name |= {
                name: tuple(weight.shape[::-1]) for name, weight in zip(_names(layer), layer.weights, strict=True)
            }
    return by_name | {"fc.bias": (1008,)}  # which stands in the file, and which the Inception Score leaves out


def _names(layer):
    """The file's names of a layer's weights, in Keras' order."""
    parts = ("weight",)
    if isinstance(layer, keras.layers.BatchNormalization):
        parts = ("weight", "bias", "running_mean", "running_var")
    return [f"{layer.name}.{part}" for part in parts]


def _to_keras(layer, array):
    if isinstance(layer, keras.layers.Conv2D):
        return array.transpose(2, 3, 1, 0)
    return array.T


def _check(path, arrays, wanted):
    missing, unknown = sorted(wanted.keys() - arrays.keys()), sorted(arrays.keys() - wanted.keys())
    if missing or unknown:
        said = [f"{len(missing)} of {len(wanted)} names are missing, such as {missing[0]!r}"] if missing else []
        said += [f"{len(unknown)} are unknown, such as {unknown[0]!r}"] if unknown else []
        raise ValueError(f"{path.name} does not hold pytorch-fid's Inception weights: {'; '.join(said)}.")
    for name, shape in wanted.items():
        if tuple(arrays[name].shape) != shape:
            raise ValueError(f"{path.name}: {name!r} has the shape {arrays[name].shape}, and {shape} is needed.")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{path.name}: {name!r} contains NaN or infinity.")


def _named(block, x, name, filters, window, **ways):
    return _convolution(x, f"{block}.{name}", filters, window, **ways)


def _convolution(x, name, filters, window, strides=1, padding="same"):
    x = keras.layers.Conv2D(filters, window, strides, padding, use_bias=False, name=f"{name}.conv")(x)
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}.bn")(x)
    return keras.layers.ReLU()(x)


def _pooled(x, pool=keras.layers.AveragePooling2D):
    return pool(3, 1, padding="same")(x)  # TensorFlow's mean leaves the padding out, as the original does


def _joined(*branches):
    return keras.layers.Concatenate()(list(branches))


def _levels(images):
    """Images in [-1, 1] on the 256 levels that a file has."""
    return tf.round((tf.clip_by_value(images, -1, 1) + 1) * 127.5) / 127.5 - 1


def _legacy(images, size):
    return tf.compat.v1.image.resize_bilinear(_levels(images), size, align_corners=False, half_pixel_centers=False)


def _clean(images, size):
    return tf.clip_by_value(tf.image.resize(_levels(images), size, method="bicubic", antialias=True), -1, 1)


RESIZES = {
    "legacy": Resize("bilinear as in TensorFlow 1", "legacy", _legacy, always=True),
    "clean": Resize("bicubic antialiased", "clean", _clean, always=True),
}
