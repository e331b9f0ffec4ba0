"""The SavedModel, as TensorFlow Serving wants it."""

import keras
import tensorflow as tf

from tfgan_zoo.export import signatures


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


def plain(network):
    """The same network and weights in Keras' own layers, where a layer says which: what plain Keras can load."""
    layers = list(network._flatten_layers(include_self=False))
    if not any(hasattr(layer, "plain") for layer in layers) or any(isinstance(x, keras.layers.Lambda) for x in layers):
        return network  # Keras does not clone a Python function

    def in_keras(layer):
        return layer.plain() if hasattr(layer, "plain") else type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=in_keras, recursive=True)
    copy.set_weights(network.get_weights())
    return copy


def write(model, path, network=None, max_images=signatures.MAX_IMAGES, only=None, batch=None):
    """Write the SavedModel of a model's averaged generator.

    Args:
        model: a model that `network_of` accepts.
        path: the directory to make.
        network: another network to write in place of `model.ema_network`, with the same inputs.
        max_images: that one request may ask for.
        only: name of the single signature to write, for a converter; None for all.
        batch: fixed batch size of serving_default; None for a free one.

    Returns:
        Dict name -> `signatures.Signature` of what was written.
    """
    network = network or model.ema_network
    asked = signatures.of(model, network, max_images, batch)
    asked = asked if only is None else {only: asked[only]}
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]  # keras.export.ExportArchive saves each twice
    functions = {
        name: tf.function(signature.function, input_signature=signature.inputs, autograph=False)
        for name, signature in asked.items()
    }
    tf.saved_model.save(module, str(path), signatures=functions)
    return asked
