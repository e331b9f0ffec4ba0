"""The model of an export again: how it was built, its averaged weights and its state, from beside its files."""

import typing

import keras
import numpy as np

from tfgan_zoo import files
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving.collection import find

if typing.TYPE_CHECKING:
    import tfgan_zoo

CONFIG, STATE = "model.json", "state.npz"


def write(model, new):
    """Write how a model is built, and what of its state is more than weights; nothing for one that cannot say it.

    Args:
        model: the model that is exported.
        new: directory of the files that are written.
    """
    try:
        described = keras.saving.serialize_keras_object(model)
        files.write_json(new / CONFIG, described, readable=False)
    except (TypeError, ValueError, NotImplementedError, AttributeError):  # a family of one's own without a get_config
        return
    if state := {name: np.asarray(value) for name, value in getattr(model, "state", {}).items()}:
        np.savez_compressed(new / STATE, **state)


def load_model(name) -> "tfgan_zoo.GenerativeModel":
    """The model of an export, to draw with, to score, to export in other formats or to train on.

    It holds the averaged weights, in the trained networks too; what was not exported (a discriminator, an encoder that
    is not asked, the optimizers' moments) is new.

    Args:
        name: a directory that `tz.export` wrote, or a name of `tz.list_exported()`.

    Returns:
        A `GenerativeModel`, not compiled.

    Raises:
        FileNotFoundError: if it is no export, or one that does not say how its model was built.
        DamagedError: if a file of it was cut short, changed or replaced.

    Example:

    >>> import tfgan_zoo as tz
    >>> tz.load_model("cgan_digits").generate(2, labels=[3, 8], seed=0).shape
    (2, 16, 16, 1)
    """
    directory = find(name)
    return cards.steadily(directory, lambda card: _restored(directory, card))


def _restored(directory, card):
    if CONFIG not in card["files"]:
        raise FileNotFoundError(f"{directory} has no {CONFIG}, so its model cannot be built again: export it again.")
    networks = card["model"]["networks"]
    folder = cards.check_files(directory, card, {CONFIG, STATE, *(one["path"] for one in networks.values())})
    model = keras.saving.deserialize_keras_object(files.read_json(folder / CONFIG))
    for name, one in networks.items():
        kept = keras.saving.load_model(folder / one["path"], compile=False).get_weights()
        for network in filter(None, (model.inference[name], model.networks.get(name))):
            network.set_weights(kept)
    if STATE in card["files"]:
        with np.load(folder / STATE, allow_pickle=False) as stored:
            for name, value in stored.items():
                model.state[name].assign(value)
    return model
