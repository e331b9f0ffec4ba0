"""Names of Keras that are not public, each with the version it was seen in; nothing else here says them.

Where one of them is gone, this file is what has to change. Seen in Keras 3.15.
"""

CACHED_EVALUATION = "_use_cached_eval_dataset"  # what `fit` tells `evaluate` of its validation data (Trainer.fit)


def all_layers(network):
    """The layers of a network and of those inside them, at any depth (Layer._flatten_layers)."""
    return network._flatten_layers(include_self=False)


def apply_alone(optimizer):
    """The step of an optimizer without its sum over replicas (_common_apply); a loss scaler allows no other."""
    return getattr(optimizer, "_common_apply", optimizer.apply)


def moments(adam, weight):
    """The two moments of a weight (tf.Variable) that Adam keeps (_momentums, _velocities, _get_variable_index)."""
    place = adam._get_variable_index(weight)
    return adam._momentums[place].value, adam._velocities[place].value


def begin_at(model, epoch):
    """Let the `fit` that is beginning go on at an epoch; None for where it was told (Trainer._initial_epoch)."""
    model._initial_epoch = epoch


def beginning_of(model):
    """The epoch that `begin_at` said, or 0."""
    return getattr(model, "_initial_epoch", None) or 0


class BuiltAlready:
    """A model whose variables are all there: `fit` need not read a batch to make them, which several workers cannot."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing (Trainer._maybe_symbolic_build)."""
