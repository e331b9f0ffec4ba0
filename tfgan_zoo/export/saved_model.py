"""The SavedModel: the signatures of a generator, fixed by its family because a SavedModel has no optional inputs."""

import keras
import tensorflow as tf

from tfgan_zoo.pixels import to_uint8


def network_of(model):
    """The network that is exported: the functional one that holds the averaged weights.

    Args:
        model: a generative model of the zoo.

    Returns:
        `model.ema_network`.

    Raises:
        TypeError: if there is none.
        ValueError: if it is not built, or does not take labels although the model has classes (or the reverse).
    """
    kind = type(model).__name__
    network = getattr(model, "ema_network", None)
    if not isinstance(network, keras.Model):
        raise TypeError(f"{kind} has no .ema_network to export. Give a model made by create(...) or GAN(...).")
    if not network.built or not getattr(network, "inputs", None):
        raise ValueError(f"The .ema_network of {kind} is not built. Make it a functional keras.Model.")
    takes_labels, has_classes = len(network.inputs) == 2, model.num_classes is not None
    if len(network.inputs) > 2:
        raise ValueError(f"The .ema_network of {kind} has {len(network.inputs)} inputs; two can be served.")
    if has_classes and not takes_labels:
        raise ValueError(f"{kind} has num_classes={model.num_classes} and its .ema_network has no input for labels.")
    if takes_labels and not has_classes:
        raise ValueError(f"The .ema_network of {kind} takes labels; set num_classes to the number of classes.")
    return network


def write(model, path, network=None):
    """Write the SavedModel of a model's averaged generator.

    Args:
        model: a model that `network_of` accepts.
        path: the directory to make.
        network: another network to write in place of `model.ema_network`, with the same inputs.
    """
    network = network or model.ema_network
    archive = keras.export.ExportArchive()
    archive.track(network)
    for name, (function, inputs) in _signatures(model, network).items():
        archive.add_endpoint(name, function, inputs)
    archive.write_out(str(path), verbose=False)


def describe(model):
    """The signatures as a dict for the card: name -> inputs and outputs -> name -> shape and dtype."""
    images = {"shape": [None, *model.image_shape], "dtype": "float32"}
    sampled = images if _are_points(model) else images | {"dtype": "uint8"}
    return {
        name: {
            "inputs": {spec.name: {"shape": spec.shape.as_list(), "dtype": spec.dtype.name} for spec in inputs},
            "outputs": {"images": sampled if name == "sample" else images},
        }
        for name, (_, inputs) in _signatures(model, model.ema_network).items()
    }


def _are_points(model):
    return len(model.image_shape) == 1


def _signatures(model, network):
    """Name -> (function, input specs). Latents in, floats out; or numbers in, pixels out."""
    latents = tf.TensorSpec((None, *network.inputs[0].shape[1:]), tf.float32, name="latents")
    labels = tf.TensorSpec((None,), tf.int32, name="labels")
    num_images = tf.TensorSpec((), tf.int32, name="num_images")
    seed = tf.TensorSpec((), tf.int32, name="seed")

    def images_of(latents, labels=None):
        inputs = latents if labels is None else [latents, _as_fed(labels, network.inputs[1], model.num_classes)]
        return tf.cast(network(inputs, training=False), tf.float32)  # Resizing would turn it on

    def shown(images):
        return {"images": images if _are_points(model) else to_uint8(images)}

    def sample(num_images, seed):
        enough = tf.debugging.assert_positive(num_images, message="num_images must be at least 1.")
        with tf.control_dependencies([enough]):
            return shown(images_of(model.draw_latents(tf.identity(num_images), seed)))

    def sample_labels(labels, seed):
        return shown(images_of(model.draw_latents(tf.size(labels), seed), labels))

    if model.num_classes is None:
        return {
            "serving_default": (lambda latents: {"images": images_of(latents)}, [latents]),
            "sample": (sample, [num_images, seed]),
        }
    return {
        "serving_default": (lambda latents, labels: {"images": images_of(latents, labels)}, [latents, labels]),
        "sample": (sample_labels, [labels, seed]),
    }


def _as_fed(labels, entry, num_classes):
    """Labels (N,) as the network's own input wants them, once they are known to be classes."""
    message = f"labels must be from 0 to {num_classes - 1}."
    checks = [
        tf.debugging.assert_non_negative(labels, message=message),
        tf.debugging.assert_less(labels, num_classes, message=message),
    ]
    with tf.control_dependencies(checks):
        labels = tf.cast(labels, entry.dtype)
    return labels[:, None] if len(entry.shape) == 2 else labels
