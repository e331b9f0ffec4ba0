"""What every family of generative model shares: a step, noise from a seed, images from a seed, and Keras' `fit`.

A family says how it learns (`train_step`, or only `batch_losses`) and how it draws (`start`, then `draw`). Everything
else is an optional verb that metrics, exports and pictures look for:

draw_latents(num_images, seed), latent_dim    a latent that `draw` turns into an image
encode(images), decode(codes), reconstruct(images)
log_prob(images, seed) -> nats per image, is_bound
denoise(x, level, condition)
translate(images, condition)
preview(seed) -> {caption: (images, columns)} what to look at while it trains
endpoints() -> {signature: ...}               what a served model answers beside the verbs
"""

import collections.abc
import contextlib
import copy
import dataclasses
import math
import random

import keras
import numpy as np
import tensorflow as tf

from tfgan_zoo import data, noise, runtime
from tfgan_zoo.keras_private import CACHED_EVALUATION, BuiltAlready
from tfgan_zoo.models import checks, inputs
from tfgan_zoo.models.optimisation import OptimisedModel, SameFactor, averaged_copy, dropout_states
from tfgan_zoo.models.transfer import transfer


class GenerativeModel(BuiltAlready, OptimisedModel):
    """A model that is trained with `fit` and asked for images with `generate`.

    All noise is drawn from (seed, step, purpose): a run that stops and continues, or is spread over replicas, draws
    what one uninterrupted run on one device draws.

    Args:
        networks: dict name -> keras.Model of what is trained; each is an attribute of that name, and has an optimizer.
        image_shape: (height, width, channels) of the images, or (2,) for points.
        condition: what it is told about an image, one of `tfgan_zoo.conditions`; None for nothing.
        ema_decay: of the averages of the networks, in [0, 1); 0 or None keeps none.
        averaged: names of the networks that are averaged; None for all. What is asked, scored and exported is the
            average: `inference[name]`.
        state: dict name -> number or array: what else training changes, saved, resumed and exported with the model.
        seed: integer for all noise of training; None takes one from Python's generator, which `runtime.setup` seeds.
        class_names: of the classes that it is told, in the order of the labels; None where nobody says.
        name: of the model.
        **arguments: `<network>_optimizer`, what `compile()` without arguments uses, None for Adam(1e-3); the rest is
            Keras'.
    """

    updates_per_step = 1  # updates of the network with most of them in one training step, each on its own images

    def __init__(
        self,
        networks,
        *,
        image_shape,
        condition=None,
        ema_decay=0.0,
        averaged=None,
        state=None,
        seed=None,
        class_names=None,
        **arguments,
    ):
        checks.decay(ema_decay)
        optimizers = {key: arguments.pop(key, None) for key in (f"{name}_optimizer" for name in networks)}
        super().__init__(**arguments)
        self.seed = random.randrange(2**31) if seed is None else int(seed)
        self.image_shape, self.condition = tuple(image_shape), condition
        if class_names is not None:
            self.name_classes(class_names)
        self.step = self._state_variable("step", 0, "int64")  # TensorFlow keeps int32 variables off the GPU
        self._means = {}
        self._names = tuple(networks)
        for name, network in networks.items():
            setattr(self, name, network)
        self.ema_decay, self.averaged = ema_decay or 0.0, tuple(networks if averaged is None else averaged)
        self.inference = {
            name: averaged_copy(networks[name]) if self.ema_decay else networks[name] for name in self.averaged
        }
        self.state = {name: self._state_variable(name, value) for name, value in (state or {}).items()}
        self.default_optimizers = {
            key: keras.saving.serialize_keras_object(self.usual_optimizer() if one is None else one)
            for key, one in optimizers.items()
        }
        self.random_states = [one for network in networks.values() for one in dropout_states(network)]  # Keras saves
        self.built = True

    @property
    def networks(self):
        """What is trained, name -> network."""
        return {name: getattr(self, name) for name in self._names}

    @property
    def source_shape(self):
        """(height, width, channels) of the images that `fit` is given: those it makes, unless it translates others."""
        return self.image_shape

    @property
    def num_classes(self):
        """Of the classes that images are told; None without."""
        return getattr(self.condition, "num_classes", None)

    def name_classes(self, names):
        """Name the classes that images are told, so that `labels` may be names; `fit` does it for sources by name.

        Args:
            names: of the classes, in the order of the labels.

        Raises:
            ValueError: if the model is told no classes, or others than as many.
        """
        if self.num_classes is None:
            raise ValueError(f"class_names={names!r}: {self.name} is told no classes.")
        self.condition = dataclasses.replace(self.condition, names=tuple(names))

    def name_classes_of(self, info):
        """The same by what `data.info` says of a source, where it names as many and the model has no names yet."""
        names = info.class_names
        if names and len(names) == self.num_classes and getattr(self.condition, "names", names) is None:
            self.name_classes(names)

    @staticmethod
    def usual_optimizer():
        """The optimizer of a network for which nobody names one."""
        return keras.optimizers.Adam(1e-3)

    def _state_variable(self, name, value, dtype=None):
        return self.add_weight(
            name=name,
            shape=np.shape(value),
            dtype=dtype,
            initializer=keras.initializers.Constant(value),
            trainable=False,
            aggregation="only_first_replica",
        )

    # ---- learning ---------------------------------------------------------------------------------------------

    def batch_losses(self, images, condition, training):
        """What all networks minimise together on a batch, a dict name -> scalar; all that a simple family needs.

        Args:
            images: (N, *image_shape) float32.
            condition: tensor with N rows, or None.
            training: False when nothing is to change.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither batch_losses nor a train_step of its own.")

    def train_step(self, data):
        """One update of all networks on a batch, and what follows from it."""
        images, condition = self.unpack(data)
        return self.end_step(self.minimize(self._names, lambda: self.batch_losses(images, condition, training=True)))

    def test_step(self, data):
        """The losses on a batch, as training would see them; nothing changes."""
        return self.track(self.batch_losses(*self.unpack(data), training=False))

    def init_from(self, source):
        """Begin with the weights of a saved model of the same family, of another data set or size of images.

        Args:
            source: path of a .keras file, or of a run's directory.

        Returns:
            A `models.transfer.Transfer`, which says what was copied and what was not.
        """
        return transfer(self, source)

    def unpack(self, data):
        """Images and their condition, of one batch as `fit` takes it."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        return images, self.read_condition(labels)

    def read_condition(self, labels):
        """What a batch's labels say to the networks: a tensor, or None."""
        return None if self.condition is None else self.condition.as_tensor(labels)

    def critic_batch(self, images, labels, index):
        """One of `updates_per_step` disjoint slices of the batch, with its condition.

        Slices are strided, so that replicas slice alike. A last batch with fewer images than slices gives some of them
        twice.
        """
        first = index % tf.shape(images)[0]
        part = slice(first, None, self.updates_per_step)
        return images[part], self.read_condition(None if labels is None else labels[part])

    def end_step(self, results):
        """What follows an update: the step is counted, averages and state move, the logs are told."""
        self.step.assign_add(1)
        self.update_averages()
        return self.track(results | self.update_state(results))

    def update_averages(self):
        """Move the averaged copies towards their networks; moments and other state are copied.

        The decay warms up as (1 + t) / (10 + t), so that the average forgets its start.
        """
        if not self.ema_decay:
            return
        step = tf.cast(self.step, "float32")
        rate = 1.0 - tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for name in self.averaged:
            for average, weight in zip(self.inference[name].weights, getattr(self, name).weights, strict=True):
                if weight.trainable:
                    average.assign_sub(rate * (average - weight))
                else:
                    average.assign(weight)

    def update_state(self, results):
        """Let `state` follow a step's results; returns what of it the logs show."""
        return {}

    def noise_seed(self, purpose, index=0):
        """A stateless seed for this step: two integers that depend on (seed, step, purpose, index) alone."""
        if tf.is_tensor(index):
            numbers = [noise.purpose(f"{purpose}/{one}") for one in range(self.updates_per_step)]
            number = tf.constant(numbers)[index]
        else:
            number = noise.purpose(f"{purpose}/{index}")
        return noise.fold(tf.stack([self.seed, tf.cast(self.step.value, tf.int32)]), number)

    # ---- drawing ----------------------------------------------------------------------------------------------

    def start(self, rows, seed):
        """All that is random in images before sampling begins, as a dict name -> tensor; row i from (seed, i) alone.

        Args:
            rows: how many images; may be a tensor.
            seed: stateless seed of two integers.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no start(rows, seed), so that it cannot generate.")

    def draw(self, *, condition=None, **start):
        """Images for what `start` gave: one pass through the averaged network, unless a family samples otherwise.

        Noise that sampling adds on its way follows from what `start` gave too (`noise.of_rows`), so that image i is
        the same in any batch, and in files.

        Args:
            condition: tensor with a row for each image, or None.
            **start: what `start` gave.

        Returns:
            float32 (N, *image_shape).
        """
        (network,) = self.inference.values()
        inputs = [*start.values()] if condition is None else [*start.values(), condition]
        return network(inputs if len(inputs) > 1 else inputs[0], training=False)

    def call(self, inputs, training=False):
        """Outputs of the averaged network, in inference mode."""
        (network,) = self.inference.values()
        return network(inputs, training=False)

    def generate(self, num_images, labels=None, seed=None) -> np.ndarray:
        """Images from the averaged network, the same on any number of devices that share the work.

        Args:
            num_images: how many, at least 1.
            labels: what `condition` takes for each, such as (num_images,) integers in [0, num_classes), or names of
                classes; None draws them from the seed, and is all an unconditional model takes.
            seed: integer >= 0; the same seed gives the same images. None draws another one each time.

        Returns:
            float32 array (num_images, *image_shape), images in [-1, 1].

        Raises:
            ValueError: if num_images, labels or seed is none of these.
        """
        return np.concatenate(list(self.stream(num_images, labels=labels, seed=seed)))

    def stream(self, num_images, labels=None, seed=None, batch_size=noise.BLOCK) -> collections.abc.Iterator:
        """The images of `generate`, in batches, for more of them than one wants to hold.

        Args:
            num_images, labels, seed: as in `generate`.
            batch_size: images in a batch at most, on all devices together; the images do not depend on it.

        Returns:
            An iterator of float32 arrays (<= batch_size, *image_shape).
        """
        num_images, batch_size = checks.count("num_images", num_images), checks.count("batch_size", batch_size)
        seed = checks.seed(random.randrange(2**31) if seed is None else seed)
        return self._stream(num_images, self.condition_for(num_images, labels, seed), seed, batch_size)

    def _stream(self, num_images, condition, seed, batch_size):
        for first in range(0, num_images, noise.BLOCK):
            count, block = min(noise.BLOCK, num_images - first), noise.block_seed(seed, first // noise.BLOCK)
            rows = dict(self.start(count, block))
            if condition is not None:
                rows["condition"] = condition[first : first + count]
            for at in range(0, count, batch_size):
                yield self._drawn({name: value[at : at + batch_size] for name, value in rows.items()})

    def condition_for(self, num_images, labels, seed):
        """What `draw` is told of so many images: the labels given, or drawn from the seed; None without a condition."""
        if self.condition is None:
            if labels is not None:
                raise ValueError(f"labels were given, but {self.name} is unconditional: leave them out.")
            return None
        if labels is None:
            return self.condition.sample(num_images, seed)
        return tf.constant(self.checked_condition(labels, num_images))

    def checked_condition(self, given, count):
        """What so many images are told, once it is known to be allowed; names of classes as their numbers."""
        if hasattr(self.condition, "numbered") and given is not None:
            given = self.condition.numbered(given, self.name)
        return self.condition.check(given, count, self.name)

    def _drawn(self, rows):
        """A NumPy array of images; the function is traced once."""
        functions = self.__dict__.setdefault("_draw_functions", {})
        names = tuple(rows)
        if names not in functions:
            specs = [tf.TensorSpec((None, *value.shape[1:]), value.dtype) for value in rows.values()]

            def draw(*values):
                return self.draw(**dict(zip(names, values, strict=True)))

            functions[names] = runtime.map_rows_on_devices(draw, specs)
        return functions[names](*rows.values())

    def preview(self, seed, num_images=None):
        """What to look at while it trains: by default images of one seed, a row a class.

        Args:
            seed: integer >= 0.
            num_images: about how many; None for 64 images or 1,000 points.

        Returns:
            Dict caption -> (images, images in a row or None).
        """
        count, columns, labels = num_images or (1000 if len(self.image_shape) == 1 else 64), None, None
        if self.condition is not None:
            labels, columns = self.condition.examples(count)
        return {"": (self.generate(count if labels is None else len(labels), labels=labels, seed=seed), columns)}

    # ---- Keras' contract --------------------------------------------------------------------------------------

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
    ) -> keras.callbacks.History:
        """Train: Keras' `fit`, with images where Keras has inputs and labels where it has targets.

        Args:
            x: `tf.data.Dataset` (or `keras.utils.PyDataset`) of images or (images, labels), such as `tz.data.load`
                gives; or an array of images, float32 (N, *image_shape) in [-1, 1] or uint8; or a source by its name.
            y: labels (N,) integers, beside an array; (images, labels) as x is the same.
            batch_size: images in a batch, for arrays; None for 64 an update.
            validation_split: fraction of the array's end that is kept for validation.
            validation_data: like x, or a pair (images, labels); gives `val_` losses, changes nothing.
            shuffle: another order of the array in every epoch.
            epochs, verbose, callbacks, **keras_arguments: as in Keras.

        Returns:
            Keras' History.

        Raises:
            ValueError: before the first step, if the model is not compiled, or images or labels are not what it takes.
        """
        self._check_compiled()
        for name in ("sample_weight", "class_weight"):
            if keras_arguments.get(name) is not None:
                raise ValueError(f"{name}= is nothing that {self.name} learns by: leave it out.")
        x = x.numpy() if tf.is_tensor(x) else x
        if validation_split:
            x, y, validation_data = self._split(x, y, validation_split)
        x = inputs.dataset(self, x, y, batch_size, shuffle)
        if validation_data is not None:
            pair = validation_data if isinstance(validation_data, tuple) else (validation_data, None)
            validation_data = inputs.dataset(self, *pair[:2], batch_size)
        callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks or ())
        order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: data.set_epoch(epoch))
        with _explained():
            return super().fit(
                x,
                epochs=epochs,
                verbose=verbose,
                callbacks=[order, *callbacks, SameFactor()],
                validation_data=validation_data,
                shuffle=False,  # the dataset is in its order already
                **keras_arguments,
            )

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", **keras_arguments):
        """The losses on images, as `test_step` finds them; `tz.evaluate` scores what is generated.

        Args:
            x, y, batch_size: as in `fit`.
            verbose, **keras_arguments: as in Keras.

        Returns:
            As in Keras.
        """
        self._check_compiled()
        if not keras_arguments.pop(CACHED_EVALUATION, False):  # which `fit` has checked
            x, y = inputs.dataset(self, x.numpy() if tf.is_tensor(x) else x, y, batch_size), None
        else:
            keras_arguments[CACHED_EVALUATION] = True
        with _explained():
            return super().evaluate(x, y, verbose=verbose, **keras_arguments)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One training step on a batch, as in Keras, checked as `fit` checks its first."""
        self._check_compiled()
        inputs.check_batch(self, (x, y) if sample_weight is None else (x, y, sample_weight))
        return super().train_on_batch(x, y, class_weight=class_weight, return_dict=return_dict)

    def _check_compiled(self):
        if not self.compiled:
            raise ValueError(f"{self.name} is not compiled: call .compile() first; it needs no arguments.")

    @staticmethod
    def _split(x, y, share):
        """The array without its end, and that end."""
        if not isinstance(x, np.ndarray):
            raise ValueError("validation_split takes its share of an array; give a dataset validation_data= instead.")
        kept = math.ceil(len(x) * (1 - share))
        end = (x[kept:], y[kept:]) if y is not None else x[kept:]
        return x[:kept], y[:kept] if y is not None else None, end

    def check_images(self, images):
        """Raise unless images are float32 (N >= 2, *image_shape), finite and, if not points, in [-1, 1]."""
        checks.images(images, self.name, self.image_shape)

    def check_labels(self, labels, count):
        """Raise if the model needs labels that are not there; unconditional models ignore labels."""
        if self.condition is not None:
            self.condition.check(labels, count, self.name)

    def source_of(self, images, labels):
        """The data source that arrays given to `fit` are."""
        return (images, labels)

    def config_of(self, *names):
        """Attributes as `get_config` has them: plain ones as they are, frozen values and tuples of them serialised.

        Args:
            *names: of attributes that are arguments of the constructor, too.
        """
        return {name: _serialised(getattr(self, name)) for name in names}

    def get_config(self):
        """Constructor arguments, from which `from_config` makes an equal model: networks, optimizers, numbers."""
        networks = {name: keras.saving.serialize_keras_object(network) for name, network in self.networks.items()}
        names = self.condition.names if self.num_classes else None
        named = {} if names is None else {"class_names": names}
        about = {"seed": self.seed, "name": self.name, **networks, "ema_decay": self.ema_decay}
        return about | named | self.default_optimizers

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described, with new weights."""
        config = copy.deepcopy(config)  # Keras takes configurations of functional models apart as it reads them
        return cls(**{name: _restored(value, custom_objects) for name, value in config.items()})


@contextlib.contextmanager
def _explained():
    """Say in a sentence what was asserted of a batch inside a graph."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if (sentence := inputs.sentence(error)) is None:
            raise
        raise ValueError(f"{sentence}.") from None


def _serialised(value):
    if isinstance(value, (list, tuple)):
        return [_serialised(item) for item in value]
    plain = value is None or isinstance(value, (bool, int, float, str, np.generic))
    return value if plain else keras.saving.serialize_keras_object(value)


def _restored(value, custom_objects):
    if isinstance(value, (list, tuple)):
        return tuple(_restored(item, custom_objects) for item in value)
    return keras.saving.deserialize_keras_object(value, custom_objects) if isinstance(value, dict) else value
