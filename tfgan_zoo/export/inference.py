"""The networks that answer: another copy of a model that answers by other ones, and copies in other arithmetic."""

import os
import zipfile

import keras
import numpy as np

from tfgan_zoo.keras_private import all_layers

_WEIGHTS = "model.weights.h5"  # within a .keras file


def check(model):
    """Raise unless a model can be asked for images.

    Raises:
        TypeError: if it has no networks that answer, or does not say how it draws.
        ValueError: if a network is not functional, or takes no condition although the model has one (or the reverse).
    """
    kind, networks = type(model).__name__, getattr(model, "inference", None)
    verbs = all(callable(getattr(model, verb, None)) for verb in ("start", "draw", "generate"))
    if not (isinstance(networks, dict) and networks and verbs):
        raise TypeError(f"{kind} has no trained networks to export. Give a model made by create(...) or GAN(...).")
    for name, network in networks.items():
        if not isinstance(network, keras.Model):
            raise TypeError(f"The {name} of {kind} is no keras.Model, so that it cannot be exported.")
        if not network.built or not getattr(network, "inputs", None):
            raise ValueError(f"The {name} of {kind} is not built. Make it a functional keras.Model.")
    if len(networks) == 1 and callable(getattr(model, "draw_latents", None)):
        takes, given = len(network.inputs) > 1, model.condition is not None
        if given and not takes:
            raise ValueError(f"{kind} has the condition {model.condition}, and its {name} has no input for it.")
        if takes and not given:
            raise ValueError(f"The {name} of {kind} takes labels: give the model condition=Classes(num_classes).")


def with_networks(model, change):
    """A shallow copy of a model whose verbs use other networks; all else is the model's own.

    Args:
        model: the model; it stays as it is.
        change: function network -> network of the same inputs and outputs.
    """
    twin = object.__new__(type(model))
    twin.__dict__.update(vars(model))
    twin.__dict__["inference"] = {name: change(network) for name, network in model.inference.items()}
    twin.__dict__.pop("_draw_functions", None)
    return twin


def in_float32(model):
    """A model that computes in float32: itself, or a shallow copy whose networks do, with the same weights.

    Half precision is for training: its weights are float32, few runtimes have its kernels, and processors differ in how
    they round it, so that what is exported, and what it is compared with, is float32.
    """
    if not any(map(_computes_in_half, model.inference.values())):
        return model
    return with_networks(model, float32_copy)


def _computes_in_half(network):
    return any(layer.compute_dtype in ("bfloat16", "float16") for layer in all_layers(network))


def float32_copy(network):
    """The same functional network and weights, computing in float32 whatever the policy it was built under."""

    def in_float32(layer):
        policy = {"dtype": "float32"} if isinstance(layer, keras.Layer) else {}  # an operation follows its inputs
        return type(layer).from_config(layer.get_config() | policy)

    return _cloned(network, in_float32)


def rounded(network):
    """The same network with its weights rounded to half precision, which is how a small export keeps them."""
    copy = _cloned(network, lambda one: type(one).from_config(one.get_config()))
    largest = float(np.finfo(np.float16).max)
    copy.set_weights([_half(weights, largest).astype(weights.dtype) for weights in network.get_weights()])
    return copy


def halve(path):
    """Rewrite a .keras file with its weights in half precision: half the size, and Keras loads it as before."""
    import h5py

    largest = float(np.finfo(np.float16).max)
    whole = path.with_suffix(".whole")
    os.replace(path, whole)
    stored = path.with_suffix(".h5")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != _WEIGHTS:
                new.writestr(name, old.read(name))
                continue
            with old.open(name) as file, h5py.File(file, "r") as source, h5py.File(stored, "w") as target:
                _copied(source, target, largest)
            new.write(stored, name)
    stored.unlink()
    whole.unlink()


def _copied(source, target, largest):
    target.attrs.update(source.attrs)
    for name, one in source.items():
        if hasattr(one, "items"):
            _copied(one, target.create_group(name), largest)
        else:
            target.create_dataset(name, data=_half(one[()], largest)).attrs.update(one.attrs)


def _half(weights, largest):
    """Floats as float16, clipped to what it can hold; everything else as it is."""
    weights = np.asarray(weights)
    return np.clip(weights, -largest, largest).astype(np.float16) if weights.dtype == np.float32 else weights


def plain(network):
    """The same network and weights in Keras' own layers, where a layer says which: what plain Keras can load."""
    layers = list(all_layers(network))
    if not any(hasattr(layer, "plain") for layer in layers) or any(isinstance(x, keras.layers.Lambda) for x in layers):
        return network  # Keras does not clone a Python function
    return _cloned(
        network, lambda one: one.plain() if hasattr(one, "plain") else type(one).from_config(one.get_config())
    )


def _cloned(network, function):
    copy = keras.models.clone_model(network, clone_function=function, recursive=True)
    copy.set_weights(network.get_weights())
    return copy
