"""Weights of one model as the start of another: of another data set, or another size of images."""

import dataclasses
import difflib
import pathlib

import keras


@dataclasses.dataclass(frozen=True)
class Transfer:
    """What was copied, by network: paths of weights of the new model, or of the source.

    Args:
        copied: of the new model, which have the source's values now.
        new: of the new model, which keep their random start: nothing in the source has their shape and place.
        left: of the source, which the new model has no place for.
    """

    copied: tuple
    new: tuple
    left: tuple

    def __str__(self):
        parts = [f"{len(self.copied)} weights copied"]
        for name, paths in (("new", self.new), ("of the source left", self.left)):
            if paths:
                shown = ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")
                parts.append(f"{len(paths)} {name} ({shown})")
        return "; ".join(parts)


def transfer(model, source):
    """Copy the weights of a saved model into a new one of the same family, network by network.

    Weights are matched in their order, by name and shape, as lines of two texts are: where the networks of another size
    have further layers, at a generator's end and a discriminator's beginning, those stay as they are. Averages get the
    source's averages. Optimizers and the step's number begin anew.

    Args:
        model: the new model.
        source: path of a .keras file; or of a run's or an export's directory, whose `run/last.keras` is taken.

    Returns:
        A `Transfer`.

    Raises:
        ValueError: if there is no model, or one of another family or of networks without a weight in common.
    """
    path = _file(pathlib.Path(source))
    other = keras.models.load_model(path)
    if type(other) is not type(model):
        raise ValueError(
            f"init_from={str(source)!r} holds a {type(other).__name__}, and {model.name} is a {type(model).__name__}: "
            "give a model of the same family."
        )
    copied, new, left = [], [], []
    for name, network in _networks(model).items():
        ours, theirs = network.weights, _networks(other)[name].weights
        matcher = difflib.SequenceMatcher(
            None, *([_kind(one) for one in side] for side in (theirs, ours)), autojunk=False
        )
        taken, given = set(), set()
        for block in matcher.get_matching_blocks():
            for at in range(block.size):
                ours[block.b + at].assign(theirs[block.a + at])
                taken.add(block.b + at)
                given.add(block.a + at)
        if not taken:
            raise ValueError(
                f"init_from={str(source)!r}: its {name} has no weight of the shapes of {model.name}'s; give the same "
                "keywords, such as width=, as it was made with."
            )
        copied += [f"{name}/{ours[at].path}" for at in sorted(taken)]
        new += [f"{name}/{one.path}" for at, one in enumerate(ours) if at not in taken]
        left += [f"{name}/{one.path}" for at, one in enumerate(theirs) if at not in given]
    return Transfer(tuple(copied), tuple(new), tuple(left))


def _networks(model):
    """What is trained, and the averages that are something else."""
    averages = {f"average of {name}": one for name, one in model.inference.items() if one is not model.networks[name]}
    return model.networks | averages


def _kind(weight):
    return weight.name, tuple(weight.shape)


def _file(path):
    for candidate in (path, path / "run" / "last.keras", path / "last.keras"):
        if candidate.is_file() and candidate.suffix == ".keras":
            return candidate
    raise ValueError(
        f"init_from={str(path)!r} is neither a .keras file nor the directory of a run with run/last.keras in it."
    )
