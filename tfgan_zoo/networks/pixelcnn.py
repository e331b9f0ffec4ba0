"""PixelCNN's network, for images told a class, a code's numbers, or nothing."""

import keras

from tfgan_zoo.layers import GatedPixelCNN
from tfgan_zoo.networks import labels


def gated(image_shape, kinds, width, depth=5, *, num_classes=None, levels=None, told=None):
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
        told: shape of what each image is told in place of a class: (height, width, d) for maps, or (d,) for numbers
            that say the same to every pixel; None for nothing.

    Returns:
        Functional keras.Model: images (N, *image_shape), or [images, labels (N,)], or [images, told (N, *told)] ->
        (N, *image_shape, kinds) float32; its layer "pixelcnn" works a pixel at a time too.

    Raises:
        ValueError: if it is told a class and other numbers too, or maps of another size.
    """
    if told is not None and (len(told) not in (1, 3) or tuple(told[:-1]) not in ((), tuple(image_shape[:2]))):
        raise ValueError(
            f"told={tuple(told)}: give {(*image_shape[:2], told[-1])} for maps of the images' size, or ({told[-1]},) "
            "for numbers that say the same to every pixel."
        )
    images = keras.Input(image_shape, name="images")
    layer = GatedPixelCNN(width, depth, kinds, num_classes, levels, told and told[-1], name="pixelcnn")
    if told is not None:
        numbers = keras.Input(told, name="told")
        return keras.Model([images, numbers], layer(images, numbers), name="network")
    if num_classes is None:
        return keras.Model(images, layer(images), name="network")
    given = labels.given()
    return keras.Model([images, given], layer(images, labels.vectors(given, num_classes)), name="network")
