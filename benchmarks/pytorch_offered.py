"""What our side of benchmarks/pytorch.py hands over for the check that both compute the same: weights and values.

For models that descend on one loss, and StyleGAN2. Weights go layer by layer, kind by kind, as
`pytorch_networks.taken` asks for them. A U-Net is turned around, as it halves: see benchmarks/pytorch.py.
"""

import re

import numpy as np


def mirrored(images):
    """Images turned around, channels first; points as they are."""
    images = np.asarray(images)
    return np.ascontiguousarray(np.transpose(images[:, ::-1, ::-1], (0, 3, 1, 2))) if images.ndim == 4 else images


def turned(kernel):
    """A kernel of ours, turned around, with PyTorch's order of axes."""
    return np.ascontiguousarray(kernel[::-1, ::-1].transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T)


def offered(model, found):
    """As `offer` writes it, for networks of any shape: weights layer by layer, and what `found` finds with them.

    Args:
        model: one of ours.
        found: function (model, images, random) -> what is drawn, by name, and values by name; "loss" is one of them.
    """
    import tensorflow as tf

    random, around = np.random.default_rng(0), model.name == "diffusion"
    networks = [model.mapping, model.synthesis, model.discriminator] if hasattr(model, "mapping") else None
    weights = [weight for network in networks or model.networks.values() for weight in _in_order(network)]
    for weight in weights:
        if len(weight.shape):  # a strength of noise stays 0
            weight.assign(weight + random.normal(size=weight.shape) * (0.3 if len(weight.shape) == 1 else 0.01))
    images = random.uniform(-1, 1, (16, *model.image_shape)).astype("float32")
    with tf.GradientTape() as tape:
        draws, values = found(model, images, random)
    gradients = tape.gradient(values["loss"], [weight.value for weight in weights])
    first, last = _ends(weights) if around else (None, ())

    def shaped(weight, array):
        """An array of a weight's shape as PyTorch has it; turned around, so are the pixels of patches."""
        array = np.asarray(array)
        array = array[:, :, ::-1] if weight is first else array
        array = array[..., ::-1] if any(weight is one for one in last) else array
        if array.ndim == 4:
            return turned(array) if around else array.transpose(3, 2, 0, 1)
        return array.transpose(2, 0, 1) if array.ndim == 3 else array.T

    given = {f"weight_{number}": shaped(weight, weight) for number, weight in enumerate(weights)}
    pairs = [pair for pair in zip(weights, gradients, strict=True) if len(pair[0].shape)]  # a strength's is noise
    gradients = [shaped(*pair).ravel() for pair in pairs]
    rows = {"images": images} | {f"draw_{name}": value for name, value in draws.items()}
    given |= {name: mirrored(array) if around else _channels_first(array) for name, array in (rows | values).items()}
    given |= {} if model.name in ("pixelcnn", "realnvp") else {"kinds": True}
    return given | {"gradient": np.concatenate(gradients)}


def _in_order(network):
    """Weights in the order in which layers were made, kind by kind, as `pytorch_networks.taken` asks for them."""

    def place(layer):
        number = re.search(r"_(\d+)$", layer.name)
        named = layer.name in ("codes", "parameters", "logits")  # what ends a network
        sides = max((len(weight.shape) for weight in layer.weights), default=0)
        kind = type(layer).__name__
        return kind, sides * (kind == "EqualizedRate"), 10**9 * named + (int(number[1]) if number else 0)

    layers = sorted((layer for layer in network.layers if layer.trainable_weights), key=place)
    return [weight for layer in layers for weight in layer.trainable_weights]


def _ends(weights):
    """Of a U-Net the kernel of the first convolution, and kernel and bias of the last."""
    places = [place for place, weight in enumerate(weights) if len(weight.shape) == 4]
    return weights[places[0]], weights[places[-1] : places[-1] + 2]


def _channels_first(array):
    """Images as PyTorch has them; anything else as it is."""
    array = np.asarray(array)
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


def _loss_of(draws):
    """Function as `offered` takes it, of a model that descends on one loss: what it draws is drawn again."""

    def found(model, images, _):
        losses = model.batch_losses(images, None, training=True)
        return draws(model, len(images)), {"loss": sum(losses[name] for name in model.loss_names())}

    return found


def _styles_found(model, images, random):
    """Images, logits, R1 and path lengths of StyleGAN2, and a sum of all that says something of every weight."""
    import keras
    import tensorflow as tf

    latents = random.normal(size=(len(images), model.latent_dim)).astype("float32")
    normal = random.normal(size=images.shape).astype("float32")
    styles = tf.tile(model.mapping(latents, training=True)[:, None], (1, model.num_ws, 1))
    fake = model.synthesis(styles, training=True)
    logits = model.discriminator(fake, training=True)
    (r1,) = model.penalties
    r1 = r1.every * r1(lambda real: model.discriminator(real, training=True), images, fake)
    with tf.GradientTape() as tape:
        tape.watch(styles)
        total = tf.reduce_sum(model.synthesis(styles, training=True) * normal) / 32
    lengths = tf.sqrt(tf.reduce_mean(tf.reduce_sum(tape.gradient(total, styles) ** 2, axis=2), axis=1) + 1e-12)
    loss = tf.reduce_mean(keras.ops.softplus(-logits)) + r1 + tf.reduce_mean(lengths)
    values = {"fake": fake, "logits": logits, "r1": r1, "lengths": lengths, "loss": loss}
    return {"latents": latents, "normal": normal}, values


def _uniform(model, purpose, *shape):
    from tfgan_zoo import noise

    return noise.uniform(shape, model.noise_seed(purpose))


def _normal(model, purpose, *shape):
    from tfgan_zoo import noise

    return noise.normal(shape, model.noise_seed(purpose))


OFFERED = {
    "vae": _loss_of(
        lambda model, rows: {
            "fractions": np.reshape(_uniform(model, "observe", rows, 28, 28, 1), (rows, 784)),
            "normal": _normal(model, "codes", rows, model.latent_dim),
        }
    ),
    "diffusion": _loss_of(
        lambda model, rows: {"first": _uniform(model, "times", 1), "eps": _normal(model, "eps", rows, 28, 28, 1)}
    ),
    "pixelcnn": _loss_of(lambda model, rows: {}),
    "realnvp": _loss_of(lambda model, rows: {"fractions": _uniform(model, "dequantise", rows, 28, 28, 1)}),
    "stylegan2": _styles_found,
}
