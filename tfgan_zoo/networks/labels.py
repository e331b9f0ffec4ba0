"""How a network is conditioned on a class: beside latents, beside images, as one-hot vectors or learned embeddings."""

import keras
from keras import layers, ops


def latents(latent_dim, num_classes=None, label_dim=None):
    """A generator's inputs, and the tensor it starts from: latents, with what the labels say beside them.

    Mirza & Osindero 2014, Sec. 3.2.

    Args:
        latent_dim: coordinates of a latent.
        num_classes: None for a generator without labels.
        label_dim: as in `vectors`.

    Returns:
        A list [latents (N, latent_dim)] or [latents, labels (N,) int32], and a tensor (N, d).
    """
    drawn = keras.Input((latent_dim,), name="latents")
    if num_classes is None:
        return [drawn], drawn
    labels = given()
    return [drawn, labels], layers.Concatenate()([drawn, vectors(labels, num_classes, label_dim)])


def images(image_shape, num_classes=None, label_dim=None):
    """A discriminator's inputs, and the tensor it starts from: images, with a constant map for each number of a label.

    Args:
        image_shape: (height, width, channels), or (2,) for points, which get the numbers themselves.
        num_classes: None for a discriminator without labels.
        label_dim: as in `vectors`.

    Returns:
        A list [images] or [images, labels (N,) int32], and a tensor (N, height, width, channels + d) or (N, 2 + d).
    """
    seen = keras.Input(image_shape, name="images")
    if num_classes is None:
        return [seen], seen
    labels = given()
    condition = vectors(labels, num_classes, label_dim)
    if len(image_shape) == 3:
        condition = condition[:, None, None, :] * ops.ones_like(seen[..., :1])
    return [seen, labels], layers.Concatenate()([seen, condition])


def given():
    """The input for labels (N,) int32."""
    return keras.Input((), dtype="int32", name="labels")


def vectors(labels, num_classes, label_dim=None):
    """Labels (N,) as vectors: one-hot (N, num_classes), or a learned embedding (N, label_dim) if it is given."""
    if label_dim is None:
        return ops.one_hot(labels, num_classes)
    return layers.Embedding(num_classes, label_dim)(labels)


def alone_or_list(inputs):
    """What `keras.Model` takes: a single input as itself."""
    return inputs if len(inputs) > 1 else inputs[0]
