"""Bad input, met before any work starts: one sentence each, with what came, what is allowed and the nearest fix."""

import numbers as numbers_

import keras
import tensorflow as tf

from tfgan_zoo.keras_private import all_layers


def images(images, model, image_shape, least=2):
    """Raise unless images are float32 (N >= least, *image_shape), finite and, if not points, in [-1, 1].

    Args:
        images: a batch.
        model: its name, for the sentence.
        image_shape: what it makes, or translates.
        least: images of a batch.
    """
    shape = tuple(images.shape[1:])
    if shape != image_shape:
        raise ValueError(
            f"images are {shape}, but {model} makes {image_shape}: "
            f"load them with image_size= and channels=, or create the model with image_shape={shape}."
        )
    if len(images) < least:
        raise ValueError("A batch holds 1 image: batch statistics need at least 2. Raise batch_size.")
    if not images.dtype.is_floating:
        raise ValueError(
            f"images are {images.dtype.name}: a dataset yields float32 in [-1, 1]; map them with x / 127.5 - 1, "
            "or pass the uint8 array itself."
        )
    if not tf.reduce_all(tf.math.is_finite(images)):
        raise ValueError("images hold NaN or infinity: clean the data before training.")
    low, high = float(tf.reduce_min(images)), float(tf.reduce_max(images))
    if len(shape) == 3 and (low < -1.001 or high > 1.001):
        raise ValueError(f"images run from {low:g} to {high:g}: they belong in [-1, 1]. For 0..255 use x / 127.5 - 1.")


def slices(images, n_critic, replicas=1):
    """Raise unless a batch holds a slice for each critic step, and as many images of it for each replica."""
    if len(images) < n_critic:
        raise ValueError(
            f"A batch holds {len(images)} images, but n_critic={n_critic} updates each take their own: "
            f"load batch_size * n_critic images, for instance {64 * n_critic}."
        )
    if replicas > 1 and len(images) % (n_critic * replicas):
        raise ValueError(
            f"A batch holds {len(images)} images, which {replicas} replicas cannot share evenly in n_critic={n_critic} "
            f"slices: load a multiple of {n_critic * replicas}, for instance {64 * n_critic * replicas}."
        )


def optimizer(given, replicas):
    """Raise if replicas cannot do what an optimizer asks for."""
    inner = getattr(given, "inner_optimizer", given)
    rate = inner.get_config()["learning_rate"]
    if not isinstance(rate, dict) and float(rate) < 0.0:
        raise ValueError(f"learning_rate={float(rate):g}: a rate is not negative, or the loss would grow.")
    steps = inner.gradient_accumulation_steps
    if steps and replicas > 1:
        raise ValueError(
            f"gradient_accumulation_steps={steps}, but Keras accumulates on one device only, and here are {replicas} "
            "replicas: leave it out, or train on one."
        )


def takes_labels(role, network):
    """Raise unless a network has an input for labels."""
    if len(getattr(network, "inputs", None) or ()) < 2:
        raise ValueError(
            f"{role} has no input for labels: give a functional model of two inputs, or make it with num_classes=."
        )


def autoregressive(role, network, likelihood):
    """Raise unless a network gives a likelihood's parameters of each value, and tells none of what comes after it."""
    image_shape = tuple(network.inputs[0].shape[1:])
    wanted = (None, *image_shape, likelihood.channels(1))
    if len(image_shape) != 3 or tuple(network.output_shape) != wanted:
        raise ValueError(
            f"{role} gives {tuple(network.output_shape)} for images {image_shape}: {likelihood} needs "
            f"likelihood.channels(1) parameters of each value, {wanted}."
        )
    if any(isinstance(one, keras.layers.BatchNormalization) for one in all_layers(network)):
        raise ValueError(
            f"{role} holds a BatchNormalization, whose moments tell a pixel of those that come after it: leave it out."
        )


def head(discriminator, name, units):
    """Raise unless the discriminator gives a head of so many units."""
    outputs = getattr(discriminator, "output", None)
    there = outputs[name].shape[-1] if isinstance(outputs, dict) and name in outputs else None
    if there != units:
        came = f"{there} of them" if there else "none"
        raise ValueError(
            f"discriminator must give {name!r} (N, {units}) beside its logits, and gives {came}: end it with "
            f"networks.heads.discriminator(body, {name}=keras.layers.Dense({units}))."
        )


def penalties(given, discriminator):
    """Raise unless each is a penalty, of a kind of its own, that suits the discriminator."""
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"penalties={given!r}: give a tuple, penalties=({given!r},), or () for none.")
    names = [getattr(penalty, "name", None) for penalty in given]
    for penalty, name in zip(given, names, strict=True):
        if isinstance(penalty, type) or not callable(penalty) or not isinstance(name, str):
            raise ValueError(f"penalties holds {penalty!r}: give penalties such as tz.penalties.R1(10.0).")
        if names.count(name) > 1:
            raise ValueError(f"penalties holds {name!r} twice: one of each kind; add up their weights.")
        if hasattr(penalty, "check"):
            penalty.check(discriminator)


def networks(generator, discriminator, condition=None):
    """Raise unless two functional models fit each other, and what they are told."""
    for role, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise ValueError(
                f"{role} is {type(network).__name__}: give a functional model, keras.Model(inputs, outputs), "
                "or a keras.Sequential that starts with keras.Input."
            )
        if role == "discriminator" and not network.trainable_variables:
            raise ValueError("discriminator has no weights to train: set discriminator.trainable = True.")
        _check_condition(role, network, condition)
    latents = tuple(generator.inputs[0].shape[1:])
    if len(latents) != 1 or not latents[0]:
        raise ValueError(
            f"generator reads latents of shape {latents}: give it keras.Input((latent_dim,)), latent_dim at least 1, "
            "and reshape inside."
        )
    made, read = tuple(generator.output_shape), tuple(discriminator.inputs[0].shape)
    if made[1:] != read[1:]:
        raise ValueError(
            f"generator makes images {made[1:]}, but discriminator reads {read[1:]}: give both the same shape."
        )
    if _ends_in(generator, keras.activations.sigmoid) and len(made) == 4:
        raise ValueError("generator ends in a sigmoid, but images lie in [-1, 1]: end it with tanh.")
    if _ends_in(discriminator, keras.activations.sigmoid, keras.activations.softmax):
        raise ValueError("discriminator ends in a sigmoid: objectives take logits, so leave the activation out.")


def _check_condition(role, network, condition):
    """Raise unless a network's second input takes the condition as it comes; it may have none."""
    if len(network.inputs) < 2:
        return
    if len(network.inputs) > 2:
        raise ValueError(f"{role} has {len(network.inputs)} inputs: it is given latents or images, and one condition.")
    if condition is None:
        raise ValueError(
            f"{role} has a second input, but nothing is told: take tz.ConditionalGAN(..., num_classes=...), or give "
            "condition=tz.conditions.Classes(num_classes)."
        )
    shape = tuple(network.inputs[1].shape[1:])
    if shape not in (condition.shape, (*condition.shape, 1)):
        raise ValueError(
            f"{role}'s second input is {shape}, but {condition.name} come as {condition.dtype} (N,"
            f"{', '.join(map(str, condition.shape))}): turn them into {shape} inside, such as with keras.ops.one_hot."
        )


def _ends_in(network, *activations):
    """Whether the last layer of a network, or of the network that is its last layer, has one of these activations."""
    last = network.layers[-1]
    if isinstance(last, keras.Model) and last.layers:
        return _ends_in(last, *activations)
    if isinstance(last, keras.layers.Softmax):
        return keras.activations.softmax in activations
    return getattr(last, "activation", None) in activations


def objective(given, discriminator):
    """Raise unless it is an objective, and the discriminator gives what it judges."""
    if not all(hasattr(given, name) for name in ("discriminator_loss", "generator_loss", "head", "initial_state")):
        raise ValueError(
            f"objective={given!r}: give an objective such as tz.objectives.NonSaturating(), with its parentheses."
        )
    if isinstance(given, type):
        raise ValueError(f"objective={given.__name__} is a class: write {given.__name__}(), with parentheses.")
    shapes = [tuple(image.shape) for image in discriminator.inputs]
    outputs = discriminator.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    head, name = given.head, type(given).__name__
    if head not in outputs:
        other = "an autoencoder's error" if head == "energy" else "keras.layers.Dense(1)"
        raise ValueError(
            f"objective={name}() judges {head!r}, but discriminator gives {', '.join(map(repr, outputs))}: give it "
            f"{head!r} (N, 1) in a dict, such as {other}, or take an objective for {' or '.join(map(repr, outputs))}."
        )
    shape = outputs[head] if isinstance(outputs[head], tuple) else ()
    if len(shape) not in (2, 4) or shape[-1] != 1:  # one logit an image, or one a patch
        raise ValueError(
            f"discriminator's output is {outputs[head]}: it must be {head} (None, 1), or (None, height, width, 1) of "
            f"patches, or a dict with them under {head!r}. End it with keras.layers.Dense(1)."
        )
    if given.generator_head not in outputs:
        raise ValueError(
            f"objective={name}() compares {given.generator_head!r}, but discriminator gives "
            f"{', '.join(map(repr, outputs))}: let it also return its last hidden layer as {given.generator_head!r}."
        )


def numbers(n_critic, historical_averaging):
    """Raise unless they are in their ranges."""
    if not _is_whole(n_critic) or n_critic < 1:
        raise ValueError(f"n_critic={n_critic!r}: the discriminator is updated a whole number of times, at least 1.")
    if not historical_averaging >= 0.0:
        raise ValueError(f"historical_averaging={historical_averaging!r}: give a weight, or 0 for none.")


def frozen_layers(given, layers):
    """Raise unless it is a number of layers that leaves some to train."""
    if not _is_whole(given) or not 0 <= given < layers:
        raise ValueError(f"freeze_d={given!r}: give 0 to {layers - 1} of the discriminator's {layers} layers.")


def decay(given):
    """Raise unless it is a decay of an average, or nothing."""
    if not 0.0 <= (given or 0.0) < 1.0:
        raise ValueError(f"ema_decay={given!r}: a decay lies in [0, 1); 0 keeps no average.")


def count(name, given):
    """A number of images as an int, or a sentence about why it is none."""
    if not _is_whole(given) or given < 1:
        raise ValueError(f"{name}={given!r}: ask for at least 1 image.")
    return int(given)


def seed(given):
    """A seed of what is generated as an int, or a sentence about why it is none."""
    if not _is_whole(given) or not 0 <= given < 2**31:
        raise ValueError(f"seed={given!r}: give an integer from 0 to 2147483647, or None for another draw each time.")
    return int(given)


def _is_whole(number):
    return isinstance(number, numbers_.Integral) and not isinstance(number, bool)


def simultaneous(given, n_critic):
    """Raise unless it is a choice, and leaves D no updates of its own."""
    if given not in (True, False):
        raise ValueError(f"simultaneous={given!r}: give True for both players at once, or False for one after another.")
    if given and n_critic > 1:
        raise ValueError(
            f"simultaneous=True with n_critic={n_critic}: players that move at once move as often as each other; "
            "set n_critic=1, or leave simultaneous out."
        )


def black_and_white(images, model, likelihood):
    """Raise if images are grey and a likelihood counts black and white, but does not binarise."""
    if getattr(likelihood, "binarise", True) is False and bool(tf.reduce_any(tf.abs(images) < 0.999)):
        raise ValueError(
            f"images are grey, but {model} counts black and white: take likelihoods.Bernoulli(), which draws each "
            "pixel anew (dynamic), or give images of -1 and 1, such as tf.where(x > u, 1.0, -1.0) with u drawn once "
            "(static)."
        )
