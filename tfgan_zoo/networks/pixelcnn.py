"""PixelCNN's network, for images told a class or not."""

import keras

from tfgan_zoo.layers import GatedPixelCNN
from tfgan_zoo.networks import labels


def gated(image_shape, kinds, width, depth=5, *, num_classes=None, levels=None):
    """Images -> parameters of each value given those before it.

    Van den Oord et al. 2016 (Conditional image generation with PixelCNN decoders), Sec. 2 and Fig. 2; the first layer
    sees 3 pixels in each direction, the others one.

    Args:
        image_shape: (height, width, channels).
        kinds: parameters of a value: `likelihood.channels(1)`.
        width: maps of each layer.
        depth: layers, at least 1.
        num_classes: None for a network without labels.
        levels: of values that are numbers of codes, as in `GatedPixelCNN`; None for those of images.

    Returns:
        Functional keras.Model: images (N, *image_shape), or [images, labels (N,)] -> (N, *image_shape, kinds) float32;
        its layer "pixelcnn" works a pixel at a time too.
    """
    images = keras.Input(image_shape, name="images")
    layer = GatedPixelCNN(width, depth, kinds, num_classes, levels, name="pixelcnn")
    if num_classes is None:
        return keras.Model(images, layer(images), name="network")
    given = labels.given()
    return keras.Model([images, given], layer(images, labels.vectors(given, num_classes)), name="network")
