"""What every family of generative model shares: updates, averaging, noise, generation and Keras' own contract."""

import copy
import math
import random
import zlib

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data, noise, runtime
from tfgan_zoo.models import checks

_BATCH = 256  # images generated at a time; the images do not depend on it
_LOSS_SCALE = 64.0  # of mixed_float16; Keras' 32768 overflows for dozens of critic steps before it settles


class GenerativeModel(keras.Model):
    """A model that is trained with `fit` and asked for images with `generate`.

    A family defines `train_step`, `test_step`, and what `draw_latents` feeds to `ema_network`, the network that is
    scored, called and exported. All noise is drawn from (seed, step, purpose): a run that stops and continues, or is
    spread over replicas, draws what one uninterrupted run on one device draws.

    Args:
        seed: integer for all noise of training; None takes one from Python's generator, which `runtime.setup` seeds.
        name: of the model.
    """

    num_classes = None  # an integer where images are told their class

    def __init__(self, seed=None, **keras_arguments):
        super().__init__(**keras_arguments)
        self.seed = random.randrange(2**31) if seed is None else seed
        self.step = self.add_weight(
            name="step", dtype="int32", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self._means = {}

    # ---- the parts of a training step -------------------------------------------------------------------------

    def minimize(self, network, optimizer, terms, *arguments):
        """One update of `network` on the sum of `terms(*arguments)` and the network's own regularisation.

        Args:
            network: the keras.Model whose trainable weights move; nothing else does.
            optimizer: the network's optimizer.
            terms: function that returns a dict name -> scalar: losses, which are summed, and `monitor_names`, which
                are only shown.

        Returns:
            The dict of `terms`, for the logs.
        """
        return self.minimize_together([(network, optimizer)], lambda *given: [terms(*given)], *arguments)

    def minimize_together(self, players, terms, *arguments):
        """One update of several networks, each on its own losses, with every gradient taken before anything moves.

        Args:
            players: pairs (network, optimizer), as in `minimize`.
            terms: function that returns a dict as in `minimize` for each of them; what they share is computed once.
            *arguments: of `terms`.

        Returns:
            The dicts of `terms` in one, for the logs.
        """
        with tf.GradientTape(persistent=len(players) > 1, watch_accessed_variables=False) as tape:
            weights = [[weight.value for weight in network.trainable_variables] for network, _ in players]
            tape.watch(weights)
            found = terms(*arguments)
            totals = [self._total(one, *player) for one, player in zip(found, players, strict=True)]
        slopes = [tape.gradient(total, own) for total, own in zip(totals, weights, strict=True)]
        slopes = computed_before_use(slopes, found)
        for (network, optimizer), gradients in zip(players, slopes, strict=True):
            runtime.update(optimizer, gradients_to_apply(gradients, optimizer), network.trainable_variables)
        return {name: value for one in found for name, value in one.items()}

    def _total(self, found, network, optimizer):
        losses = [value for name, value in found.items() if name not in self.monitor_names()]
        total = sum(losses) + sum(network.losses)
        total /= runtime.replicas()  # Keras sums gradients over replicas
        return optimizer.scale_loss(total) if hasattr(optimizer, "scale_loss") else total

    def repeated(self, update, count):
        """What the last of `count` updates found; in a graph those behind the first are one loop, traced once.

        Args:
            update: function of the update's number, from 0, an int or a tensor, that returns a dict name -> scalar.
            count: updates, >= 1.
        """
        in_a_row = count < 3 or self.jit_compile or runtime.replicas() > 1  # XLA and replicas' sums bear no loop
        found = update(0)
        if in_a_row:
            for index in range(1, count):
                found = update(index)
            return found
        return tf.while_loop(
            lambda index, _: index < count, lambda index, _: (index + 1, update(index)), (tf.constant(1), found)
        )[1]

    def update_ema(self, network):
        """Move the averaged copy towards `network`; moments and other state are copied.

        The decay warms up as (1 + t) / (10 + t), so that the average forgets its start.
        """
        if self.ema_network is network:
            return
        step = tf.cast(self.step, "float32")
        rate = 1.0 - tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, weight in zip(self.ema_network.weights, network.weights, strict=True):
            if weight.trainable:
                average.assign_sub(rate * (average - weight))
            else:
                average.assign(weight)

    def track(self, found):
        """Take a step's losses and monitors into their running means, and return those."""
        for name, value in found.items():
            self._means[name].update_state(value)
        means = self.get_metrics_result()
        shown = {"loss": self._sum(found), **{name: means[name] for name in found}}
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

    def noise_seed(self, purpose, index=0):
        """A stateless seed for this step: two integers that depend on (seed, step, purpose, index) alone."""
        if tf.is_tensor(index):
            number = tf.constant([_number(f"{purpose}/{one}") for one in range(self.n_critic)])[index]
        else:
            number = _number(f"{purpose}/{index}")
        return noise.fold(tf.stack([self.seed, self.step.value]), number)

    # ---- asking for images ------------------------------------------------------------------------------------

    @property
    def image_shape(self):
        """(height, width, channels), or (2,) for points."""
        return tuple(self.ema_network.output_shape[1:])

    @property
    def latent_dim(self):
        """Coordinates of a latent."""
        return self.ema_network.inputs[0].shape[-1]

    def draw_latents(self, num_images, seed):
        """Latents (num_images, latent_dim) whose row i depends on (seed, i) alone; works inside a graph."""
        return self.prior.sample(num_images, self.latent_dim, tf.stack([tf.cast(seed, "int32"), _number("generate")]))

    def call(self, inputs, training=False):
        """Images for latents (and labels) from the averaged generator, in inference mode."""
        return self.ema_network(inputs, training=False)

    def generate(self, num_images, labels=None, seed=None):
        """Images from the averaged generator, the same on any number of devices that share the work.

        Args:
            num_images: how many, at least 1.
            labels: (num_images,) integers in [0, num_classes) for a conditional model, otherwise None.
            seed: integer >= 0; the same seed gives the same images. None draws another one each time.

        Returns:
            float32 array (num_images, *image_shape), images in [-1, 1].

        Raises:
            ValueError: if num_images, labels or seed is none of these.
        """
        return np.concatenate(list(self.stream(num_images, labels=labels, seed=seed)))

    def stream(self, num_images, labels=None, seed=None, batch_size=_BATCH):
        """The images of `generate`, in batches, for more of them than one wants to hold.

        Args:
            num_images, labels, seed: as in `generate`.
            batch_size: images in a batch, on all devices together; the images do not depend on it.

        Returns:
            An iterator of float32 arrays (<= batch_size, *image_shape).
        """
        if isinstance(num_images, bool) or not isinstance(num_images, (int, np.integer)) or num_images < 1:
            raise ValueError(f"num_images={num_images!r}: ask for at least 1 image.")
        if seed is None:
            seed = random.randrange(2**31)
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
            raise ValueError(
                f"seed={seed!r}: give an integer from 0 to 2147483647, or None for another draw each time."
            )
        told = self.told(num_images, labels, seed)
        return self._stream(num_images, told, seed, batch_size)

    def _stream(self, num_images, told, seed, batch_size):
        inputs = (self.draw_latents(int(num_images), seed), *told)
        for start in range(0, num_images, batch_size):
            yield self._draw(*(rows[start : start + batch_size] for rows in inputs))

    def told(self, num_images, labels, seed):
        """What the generator is told beside the latents, one row an image; nothing, for an unconditional model."""
        if labels is not None:
            raise ValueError(f"labels were given, but {self.name} is unconditional: leave them out.")
        return ()

    @property
    def _draw(self):
        if "_draw_function" not in self.__dict__:
            network = self.ema_network

            def draw(*inputs):
                return network(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

            signature = [tf.TensorSpec(i.shape, i.dtype) for i in network.inputs]
            self.__dict__["_draw_function"] = runtime.map_rows_on_devices(draw, signature)
        return self.__dict__["_draw_function"]

    # ---- Keras' contract --------------------------------------------------------------------------------------

    def loss_names(self):
        """Names of the losses that `track` will be given."""
        return ()

    def monitor_names(self):
        """Names of what `track` will be given that is not minimised, such as an accuracy."""
        return ()

    def compile(self, optimizer=None, jit_compile=None, **keras_arguments):
        """Make the losses' running means and settle XLA; families add their optimizers."""
        self._means = {name: keras.metrics.Mean(name) for name in (*self.loss_names(), *self.monitor_names())}
        for layer in self._flatten_layers():  # moments of the whole batch, however many devices share it
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = runtime.replicas() > 1
        jit_compile = runtime.jit_compile() if jit_compile is None else jit_compile
        super().compile(
            optimizer=optimizer, loss=None, jit_compile=jit_compile, auto_scale_loss=False, **keras_arguments
        )

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        **keras_arguments,
    ):
        """Train: Keras' `fit`, with images where Keras has inputs and labels where it has targets.

        Args:
            x: `tf.data.Dataset` of images or (images, labels), such as `tz.data.load` gives; or an array of images,
                float32 (N, *image_shape) in [-1, 1] or uint8.
            y: labels (N,) integers, beside an array.
            batch_size: images in a batch, for arrays; None for 64 a critic step.
            validation_split: fraction of the array's end that is kept for validation.
            validation_data: like x, or a pair (images, labels); gives `val_` losses, changes nothing.
            shuffle: another order of the array in every epoch.
            epochs, verbose, callbacks, **keras_arguments: as in Keras.

        Returns:
            Keras' History.

        Raises:
            ValueError: before the first step, if the model is not compiled, or images or labels are not what it takes.
        """
        if not self.compiled:
            raise ValueError(f"{self.name} is not compiled: call .compile() first; it needs no arguments.")
        x = x.numpy() if tf.is_tensor(x) else x
        if validation_split and not isinstance(x, np.ndarray):
            raise ValueError("validation_split takes its share of an array; give a dataset validation_data= instead.")
        if validation_split:
            kept = math.ceil(len(x) * (1 - validation_split))
            validation_data = (x[kept:], y[kept:]) if y is not None else x[kept:]
            x, y = x[:kept], y[:kept] if y is not None else None
        x = self._dataset(x, y, batch_size, shuffle)
        self.check_batch(x)
        if validation_data is not None:
            pair = validation_data if isinstance(validation_data, tuple) else (validation_data, None)
            validation_data = self._dataset(*pair[:2], batch_size, shuffle=False)
            self.check_batch(validation_data)
        callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks or ())
        return super().fit(
            x,
            epochs=epochs,
            verbose=verbose,
            callbacks=[
                keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: data.set_epoch(epoch)),
                *callbacks,
            ],
            validation_data=validation_data,
            shuffle=False,  # the dataset is in its order already
            **keras_arguments,
        )

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: all is built. Keras would read a batch to build from, which fails on several workers' labels."""

    def _dataset(self, images, labels, batch_size, shuffle):
        if not isinstance(images, np.ndarray):
            return images
        if labels is not None:
            self.check_labels(labels := np.asarray(labels), len(images))  # all of them, not only a batch's
        source = images if labels is None else (images, labels)
        batch_size = min(batch_size or 64 * getattr(self, "n_critic", 1), max(len(images), 1))
        return data.load(source, batch_size=batch_size, shuffle=shuffle, seed=self.seed, drop_remainder=shuffle)

    def check_batch(self, dataset):
        """Read one batch and refuse, in a sentence, what training could only fail on later."""
        if not isinstance(dataset, tf.data.Dataset):
            return
        for batch in dataset.take(1):
            images, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
            break
        else:
            raise ValueError("The dataset is empty: there is no batch to train on.")
        self.check_images(images)
        self.check_labels(labels, len(images))

    def check_images(self, images):
        """Raise unless images are float32 (N >= 2, *image_shape), finite and, if not points, in [-1, 1]."""
        checks.images(images, self.name, self.image_shape)

    def check_labels(self, labels, count):
        """Raise if the model needs labels that are not there; unconditional models ignore labels."""

    def get_config(self):
        """Constructor arguments, from which `from_config` makes an equal model."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described, with new weights."""
        config = copy.deepcopy(config)  # Keras takes configurations of functional models apart as it reads them
        return cls(**{name: _restored(value, custom_objects) for name, value in config.items()})


def computed_before_use(gradients, found):
    """Gradients that exist only when all of them do, and what was found too: nothing may move before.

    A tf.function orders reads of a weight before its update, but TensorFlow's graph optimizer can lose that where the
    gradient of a layer's kernel does not depend on the kernel, as at the end of a Wasserstein critic: layers below it
    would then, now and then, get a gradient through the updated kernel.

    Args:
        gradients: nested lists of tensors or None.
        found: nested values that were computed from the same weights.

    Returns:
        The gradients, nested alike.
    """
    held = tf.tuple(
        tf.nest.flatten(gradients), control_inputs=[one for one in tf.nest.flatten(found) if tf.is_tensor(one)]
    )
    return tf.nest.pack_sequence_as(gradients, held)


def frozen_call(network, inputs, advance=()):
    """Outputs of `network` in training mode that leave its state (batch moments, power iterations) where it is.

    Args:
        network: a keras.Model.
        inputs: its inputs.
        advance: those of its variables that move all the same, such as the states of its dropout.

    Returns:
        The network's outputs, differentiable with respect to inputs and trainable weights.
    """
    state = network.non_trainable_variables
    outputs, moved = network.stateless_call(
        [weight.value for weight in network.trainable_variables],
        [variable.value for variable in state],
        inputs,
        training=True,
    )
    for variable, value in zip(state, moved, strict=True):
        if any(variable is one for one in advance):
            variable.assign(value)
    return outputs


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


def _number(purpose):
    return zlib.crc32(purpose.encode()) & 0x7FFFFFFF


def _restored(value, custom_objects):
    if isinstance(value, (list, tuple)):
        return tuple(_restored(item, custom_objects) for item in value)
    return keras.saving.deserialize_keras_object(value, custom_objects) if isinstance(value, dict) else value
