"""What a discriminator says at its end: one logit, and whatever else it is asked about an image.

A body maps images (and labels) to features (N, d); these functions end it. Bodies come from `mlp`, `dcgan`, `resnet`.
"""

import keras
from keras import layers, ops

from tfgan_zoo.networks import labels


def discriminator(body, *, bias=True, wrap=None, constraint=None, initializer="glorot_uniform", **heads):
    """A body with its logit, and with further heads under their names.

    Args:
        body: functional model, images -> features (N, d).
        bias: of the logit; False for objectives of differences, where it has no effect (Wasserstein, relativistic).
        wrap: function layer -> layer for the last dense one, such as `layers.SpectralNorm`; None for none.
        constraint: keras constraint of its weights, such as `layers.ClipWeights(0.01)`.
        initializer: of its kernel.
        **heads: name -> function features -> tensor, such as classes=keras.layers.Dense(10).

    Returns:
        A functional model, images -> logits (N, 1) float32; with heads, a dict with "logits" and theirs.
    """
    judge = layers.Dense(
        1,
        use_bias=bias,
        kernel_initializer=initializer,
        kernel_constraint=constraint,
        bias_constraint=constraint,
        name="logits",
        dtype="float32",
    )
    logits = (wrap or _itself)(judge)(body.output)
    outputs = {name: head(body.output) for name, head in heads.items()}
    return _ended(body, {"logits": logits, **outputs} if heads else logits)


def projection(body, num_classes, *, wrap=None):
    """A logit that adds the inner product of the features and the label's embedding.

    Miyato & Koyama 2018, Eq. 3 and Fig. 1d: f(x, y) = y' V phi(x) + psi(phi(x)).

    Args:
        body: functional model, images -> features (N, d).
        num_classes: number of labels.
        wrap: as in `discriminator`, for the dense layer and the embedding.

    Returns:
        A functional model, [images, labels (N,) int32] -> logits (N, 1) float32.
    """
    classes, wrap = labels.given(), wrap or _itself
    psi = wrap(layers.Dense(1, name="logits", dtype="float32"))(body.output)
    embedding = wrap(layers.Embedding(num_classes, body.output.shape[-1], dtype="float32"))(classes)
    inner = ops.sum(embedding * ops.cast(body.output, "float32"), axis=-1, keepdims=True)
    return keras.Model([*body.inputs, classes], psi + inner, name="discriminator")


def classifier(body, num_classes):
    """The C+1-class discriminator: C class logits, and "real" as their logarithm of summed exponentials.

    Salimans et al. 2016, Sec. 5: the logit of "generated" is held at 0, so D(x) = Z / (Z + 1) with
    Z = sum exp(l_k(x)), whose logit is log Z.

    Args:
        body: functional model, images -> features (N, d).
        num_classes: C.

    Returns:
        A functional model, images -> {"logits" (N, 1), "classes" (N, C), "features" (N, d)}, float32.
    """
    classes = layers.Dense(num_classes, name="classes", dtype="float32")(body.output)
    logits = ops.logsumexp(classes, axis=-1, keepdims=True)
    return _ended(body, {"logits": logits, "classes": classes, "features": features(body.output)})


def after(body, layer):
    """A body with one more layer at its end, such as `layers.MinibatchDiscrimination()`."""
    return keras.Model(labels.alone_or_list(body.inputs), layer(body.output), name="body")


def features(tensor):
    """The features themselves as a head, in float32."""
    return layers.Activation("linear", name="features", dtype="float32")(tensor)


def _ended(body, outputs):
    return keras.Model(labels.alone_or_list(body.inputs), outputs, name="discriminator")


def _itself(layer):
    return layer
