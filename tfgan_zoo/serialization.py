"""Written once: how the zoo's frozen dataclasses become configuration and come back equal."""

import dataclasses

import keras


def serializable(cls):
    """Class decorator: `cls` (a frozen dataclass or a Keras class) can be saved with a model and loaded again.

    Dataclasses are given `get_config` and `from_config`: every field, nested objects included, survives
    `get_config()` -> JSON -> `from_config()` and comes out equal and hashable (JSON turns tuples into lists).
    """
    if dataclasses.is_dataclass(cls):
        cls.get_config = _get_config
        cls.from_config = classmethod(_from_config)
    return keras.saving.register_keras_serializable("tfgan_zoo")(cls)


def _get_config(self):
    return {
        field.name: keras.saving.serialize_keras_object(_listed(getattr(self, field.name)))
        for field in dataclasses.fields(self)
        if field.init
    }


def _from_config(cls, config):
    return cls(**{name: _tupled(keras.saving.deserialize_keras_object(value)) for name, value in config.items()})


def _listed(value):
    return [_listed(item) for item in value] if isinstance(value, (tuple, list)) else value


def _tupled(value):
    """Lists become tuples, so that a dataclass read from JSON hashes like the one that was written."""
    return tuple(_tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
