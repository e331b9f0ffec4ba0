"""One update of one or several networks: every gradient exists before anything moves; each network has its optimizer.

The one place that touches optimizers. A model names its networks (`networks: name -> network`); `compile` gives each an
optimizer, `minimize` and `minimize_each` update them, and Keras saves and restores the optimizers with the model.
"""

import functools
import threading

import keras
import tensorflow as tf

from tfgan_zoo import runtime
from tfgan_zoo.errors import unknown
from tfgan_zoo.keras_private import all_layers
from tfgan_zoo.models import checks

_LOSS_SCALE = 64.0  # of mixed_float16; Keras' 32768 overflows for dozens of critic steps before it settles


class OptimisedModel(keras.Model):
    """A model of several networks, each trained with an optimizer of its own.

    A family gives `networks` (name -> keras.Model), `default_optimizers` ("<network>_optimizer" -> configuration of
    what `compile()` without arguments uses), `loss_names` and `monitor_names`.
    """

    unconnected_gradients = tf.UnconnectedGradients.NONE  # of weights on which a loss does not depend

    def __init_subclass__(cls, **arguments):
        """Steps of every family wait for their batch: Keras asks for one more where it does not know how many there
        are, and what needs no image, such as the step's number, would move on nothing."""
        super().__init_subclass__(**arguments)
        for step in {"train_step", "test_step"} & set(vars(cls)):
            setattr(cls, step, _after_its_batch(vars(cls)[step]))

    # ---- an update --------------------------------------------------------------------------------------------

    def minimize(self, names, losses):
        """One update of networks that descend together on one sum of losses.

        Args:
            names: a network's name, or a tuple of names.
            losses: function () -> dict name -> scalar: losses, which are summed, and `monitor_names`, only shown.

        Returns:
            The dict, for the logs.
        """
        group = (names,) if isinstance(names, str) else tuple(names)
        return self._update({group: lambda results: results}, losses)

    def minimize_each(self, names, losses):
        """One update of several networks, each on losses of its own, all at the point where all stood.

        Args:
            names: tuple of networks' names.
            losses: function () -> dict network's name -> dict as in `minimize`; what they share is computed once.

        Returns:
            The dicts in one, for the logs.
        """
        results = self._update({(name,): lambda results, name=name: results[name] for name in names}, losses)
        return {name: value for one in results.values() for name, value in one.items()}

    def _update(self, groups, losses):
        """Update groups of networks: names -> what that group minimises of all that `losses` returns."""
        weights = {name: self.networks[name].trainable_variables for group in groups for name in group}
        with tf.GradientTape(persistent=len(groups) > 1, watch_accessed_variables=False) as tape:
            values = {name: [weight.value for weight in own] for name, own in weights.items()}
            tape.watch(values)
            with _Passes() as passes:
                results = losses()
            totals = {group: self._total(share(results), group, passes) for group, share in groups.items()}
        gradients = {}
        for group, total in totals.items():
            own = tape.gradient(
                total, [values[name] for name in group], unconnected_gradients=self.unconnected_gradients
            )
            gradients |= dict(zip(group, own, strict=True))
        gradients = computed_before_use(gradients, results)
        for group in groups:
            for name in group:
                optimizer = self.optimizer_of(name)
                scaled = _rescaled(gradients[name], self.optimizer_of(group[0]), optimizer)
                runtime.update(optimizer, gradients_to_apply(scaled, optimizer), weights[name])
        return results

    def _total(self, results, group, passes):
        networks = [self.networks[name] for name in group]
        losses = {name: value for name, value in results.items() if name not in self.monitor_names()}
        for name, value in losses.items():
            if len(value.shape):
                raise ValueError(f"The loss {name!r} has the shape {tuple(value.shape)}: take its mean, a scalar.")
        total = sum(losses.values())
        total += sum(sum(passes.added_by(network)) + sum(_weight_penalties(network)) for network in networks)
        total /= runtime.replicas()  # Keras sums gradients over replicas
        optimizer = self.optimizer_of(group[0])
        return optimizer.scale_loss(total) if hasattr(optimizer, "scale_loss") else total

    def repeated(self, update, count):
        """What the last of `count` updates gave; in a graph those behind the first are one loop, traced once.

        Args:
            update: function of the update's number, from 0, an int or a tensor, that returns a dict name -> scalar.
            count: updates, >= 1.
        """
        in_a_row = count < 3 or self.jit_compile or runtime.replicas() > 1  # XLA and replicas' sums bear no loop
        results = update(0)
        if in_a_row:
            for index in range(1, count):
                results = update(index)
            return results
        return tf.while_loop(
            lambda index, _: index < count, lambda index, _: (index + 1, update(index)), (tf.constant(1), results)
        )[1]

    # ---- losses in the logs -----------------------------------------------------------------------------------

    def loss_names(self):
        """Names of the losses that `track` will be given."""
        return ()

    def monitor_names(self):
        """Names of what `track` will be given that is not minimised, such as an accuracy."""
        return ()

    def track(self, results):
        """Take a step's losses and monitors into their running means, and return those."""
        for name, value in results.items():
            self._means[name].update_state(value)
        means = self.get_metrics_result()
        shown = {"loss": self._sum(results), **{name: means[name] for name in results}}
        if runtime.workers() > 1:  # Keras' fit averages over workers along an axis, which scalars do not have
            shown = {name: tf.reshape(value, (1,)) for name, value in shown.items()}
        return shown

    @property
    def metrics(self):
        """The running means that Keras resets at every epoch."""
        return list(self._means.values())

    def get_metrics_result(self):
        """The running means, and the losses' sum as the "loss" that Keras' callbacks watch."""
        return {"loss": self._sum(self._means), **super().get_metrics_result()}

    def _sum(self, names):
        losses = [self._means[name].result() for name in names if name not in self.monitor_names()]
        return keras.ops.sum(keras.ops.stack(losses))

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def compile(self, *optimizers, jit_compile=None, **arguments):
        """Choose the optimizers; without arguments, those of the paper.

        Keras' own keywords clip gradients (`global_clipnorm=1.0`: of a whole network, after loss scaling is undone and
        replicas are summed) and accumulate them (`gradient_accumulation_steps=4`: batches that one device cannot hold;
        the average still moves at every step, and batch normalisation sees the small batches).

        Args:
            *optimizers: a keras.optimizers.Optimizer or its name, such as "adam", of which each network gets its own
                (`optimizer=` is the same); or one for each network, in the order of `networks`.
            **arguments: `<network>_optimizer`, such as `generator_optimizer`, for one network alone; the rest as in
                Keras: steps_per_execution, run_eagerly.

        Raises:
            ValueError: if one optimizer is given for two networks, or a name is no network's.
        """
        given = self._optimizers_in(optimizers, arguments)
        self._means = {name: keras.metrics.Mean(name) for name in (*self.loss_names(), *self.monitor_names())}
        for layer in all_layers(self):  # moments of the whole batch, however many devices share it
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = runtime.replicas() > 1
        for name, network in self.networks.items():
            checks.optimizer(given[name], runtime.replicas())
            own = with_loss_scale(given[name], network)
            own.build(network.trainable_variables)
            setattr(self, f"{name}_optimizer", own)
        lead = self.optimizer_of(next(iter(self.networks)))
        jit_compile = runtime.jit_compile() if jit_compile is None else jit_compile
        arguments = {"steps_per_execution": runtime.steps_per_execution()} | arguments
        super().compile(optimizer=lead, loss=None, jit_compile=jit_compile, auto_scale_loss=False, **arguments)

    def optimizer_of(self, name):
        """The optimizer of a network."""
        return getattr(self, f"{name}_optimizer")

    def _optimizers_in(self, for_all, arguments):
        """Network's name -> optimizer, from `compile`'s arguments, of which those are taken out."""
        keys = {name: f"{name}_optimizer" for name in self.networks}
        for key in arguments:
            if key.endswith("optimizer") and key not in ("optimizer", *keys.values()):
                raise unknown(f"optimizer of {self.name!r}", key, keys.values())
        for_all = [*for_all, *([arguments.pop("optimizer")] if "optimizer" in arguments else [])]
        if len(for_all) not in (0, 1, len(keys)):
            raise ValueError(f"{len(for_all)} optimizers were given: {self.name} takes {', '.join(keys.values())}.")
        given = {name: arguments.pop(key, None) for name, key in keys.items()}
        if len(for_all) == len(keys) > 1:
            given = dict(zip(keys, for_all, strict=True))
        elif for_all and for_all[0] is not None:
            made = keras.optimizers.get(for_all[0])
            given = {name: made.from_config(made.get_config()) if one is None else one for name, one in given.items()}
        chosen = [one for one in given.values() if isinstance(one, keras.optimizers.Optimizer)]
        if len({id(one) for one in chosen}) < len(chosen):
            raise ValueError("One optimizer was given for both networks: each keeps its own moments, so give two.")
        usual = {name: self.default_optimizers[key] for name, key in keys.items()}
        return {
            name: keras.saving.deserialize_keras_object(usual[name]) if one is None else keras.optimizers.get(one)
            for name, one in given.items()
        }

    def get_compile_config(self):
        """The optimizers, for `keras.models.load_model`; None for a model that is not compiled."""
        if not self.compiled:
            return None
        return {
            f"{name}_optimizer": keras.saving.serialize_keras_object(self.optimizer_of(name)) for name in self.networks
        }

    def compile_from_config(self, config):
        """Compile as `get_compile_config` described."""
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


def _after_its_batch(step):
    @functools.wraps(step)
    def waiting(self, data):
        with tf.control_dependencies([one for one in tf.nest.flatten(data) if tf.is_tensor(one)]):
            return step(self, data)

    return waiting


class SameFactor(keras.callbacks.Callback):
    """Let what Keras' callbacks do to `model.optimizer`'s rate happen to every network's, by the same factor.

    Keras' LearningRateScheduler and ReduceLROnPlateau know one optimizer, that of the first network.
    """

    def on_train_begin(self, logs=None):
        networks = self.model.networks
        self.optimizers = [self.model.optimizer_of(name) for name in networks]
        self.rate = runtime.learning_rate(self.optimizers[0]) if len(networks) > 1 else None

    def on_epoch_begin(self, epoch, logs=None):
        rate = None if self.rate is None else runtime.learning_rate(self.optimizers[0])
        if rate == self.rate:
            return
        factor = rate / self.rate
        schedules = [one for one in self.optimizers[1:] if runtime.learning_rate(one) is None]
        if schedules:
            raise ValueError(
                "A callback has changed the first optimizer's learning rate, but another has a schedule of its own, "
                "which cannot follow: give both a number, or both a schedule."
            )
        for optimizer in self.optimizers[1:]:
            optimizer.learning_rate = runtime.learning_rate(optimizer) * factor
        self.rate = rate


class _Passes:
    """What networks' own `add_loss` and activity regularisers said in the passes of one update."""

    _current = threading.local()  # replicas are traced in threads

    def __init__(self):
        self.added = {}

    def __enter__(self):
        self.outer, self._current.passes = getattr(self._current, "passes", None), self
        return self

    def __exit__(self, *_):
        self._current.passes = self.outer

    def added_by(self, network):
        """Losses of a network's passes; of its last one, where it was called as any Keras model is."""
        return self.added.get(id(network), _activity(network, network.losses))

    @classmethod
    def note(cls, network, losses):
        """Keep what a pass added, if an update is on its way."""
        passes = getattr(cls._current, "passes", None)
        if passes is not None:
            passes.added.setdefault(id(network), []).extend(_activity(network, losses))


def _weight_penalties(network):
    return [weight.regularizer(weight) for weight in network.trainable_variables if weight.regularizer is not None]


def _activity(network, losses):
    """Of a network's losses those that came from a pass: Keras lists its weights' penalties behind them."""
    penalised = sum(weight.regularizer is not None for weight in network.trainable_variables)
    return losses[: len(losses) - penalised]


def training_call(network, inputs):
    """Outputs of `network` in training mode; its state (batch moments, power iterations) advances.

    Args:
        network: a keras.Model.
        inputs: its inputs.

    Returns:
        The network's outputs.
    """
    outputs = network(inputs, training=True)
    _Passes.note(network, network.losses)
    return outputs


def frozen_call(network, inputs, advance=(), counts=True):
    """Outputs of `network` in training mode that leave its state where it is.

    Args:
        network: a keras.Model.
        inputs: its inputs.
        advance: those of its variables that move all the same, such as the states of its dropout.
        counts: whether the pass' `add_loss` and activity regularisers belong to the update; not in a penalty.

    Returns:
        The network's outputs, differentiable with respect to inputs and trainable weights.
    """
    state = network.non_trainable_variables
    outputs, moved, losses = network.stateless_call(
        [weight.value for weight in network.trainable_variables],
        [variable.value for variable in state],
        inputs,
        training=True,
        return_losses=True,
    )
    if counts:
        _Passes.note(network, losses)
    for variable, value in zip(state, moved, strict=True):
        if any(variable is one for one in advance):
            variable.assign(value)
    return outputs


def computed_before_use(gradients, results):
    """Gradients that exist only when all of them do, and the results too: nothing may move before.

    A tf.function orders reads of a weight before its update, but TensorFlow's graph optimizer can lose that where the
    gradient of a layer's kernel does not depend on the kernel, as at the end of a Wasserstein critic: layers below it
    would then, now and then, get a gradient through the updated kernel.

    Args:
        gradients: nested lists of tensors or None.
        results: nested values that were computed from the same weights.

    Returns:
        The gradients, nested alike.
    """
    held = tf.tuple(
        tf.nest.flatten(gradients), control_inputs=[one for one in tf.nest.flatten(results) if tf.is_tensor(one)]
    )
    return tf.nest.pack_sequence_as(gradients, held)


def averaged_copy(network):
    """A copy of a network that starts with its weights and is never trained itself."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def dropout_states(network):
    """The random states inside a network, which Keras neither counts as weights nor saves by itself."""
    weights = {id(weight) for weight in network.weights}
    return [variable for variable in network.variables if id(variable) not in weights]


def with_loss_scale(optimizer, network):
    """The optimizer, inside a loss scaler if the network computes in float16."""
    half = any(layer.dtype_policy.name == "mixed_float16" for layer in network.layers)
    if not half or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=_LOSS_SCALE)


def gradients_to_apply(gradients, optimizer):
    """Gradients as `optimizer.apply` needs them on each of several replicas; on one device, as they are.

    Keras clips, and looks for overflow, before it sums over replicas: this does it to the sum. Its own clipping then
    finds nothing left to do.

    Args:
        gradients: of this replica's share of the loss, scaled if the optimizer scales losses.
        optimizer: whose they are.
    """
    replicas, inner = runtime.replicas(), getattr(optimizer, "inner_optimizer", optimizer)
    if replicas == 1 or (inner is optimizer and not _clips(inner)):
        return gradients
    context = tf.distribute.get_replica_context()
    gradients = [tf.convert_to_tensor(one) for one in gradients]  # an embedding's are rows of one
    gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    scale = 1.0 if inner is optimizer else optimizer.dynamic_scale.value
    if inner.clipnorm:
        gradients = [tf.clip_by_norm(one, inner.clipnorm * scale) for one in gradients]
    elif inner.global_clipnorm:
        gradients, _ = tf.clip_by_global_norm(gradients, inner.global_clipnorm * scale)
    elif inner.clipvalue:
        limit = inner.clipvalue * scale
        kept = (tf.where(tf.math.is_finite(one), tf.clip_by_value(one, -limit, limit), one) for one in gradients)
        gradients = list(kept)  # what is not finite must stay so, for the loss scaler to see
    return [one / replicas for one in gradients]


def _clips(optimizer):
    return optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue


def _rescaled(gradients, scaled_by, optimizer):
    """Gradients of a loss that one optimizer has scaled, as another expects them."""
    if optimizer is scaled_by or not hasattr(optimizer, "scale_loss"):
        return gradients
    ratio = optimizer.scale_loss(1.0) / scaled_by.scale_loss(1.0)
    return [None if one is None else tf.convert_to_tensor(one) * ratio for one in gradients]  # also an embedding's rows
