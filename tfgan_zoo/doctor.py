"""The Doctor watches a training and says what is wrong with it and what usually helps."""

import dataclasses
import math
import sys

import keras
import numpy as np

from tfgan_zoo import data, pixels

_WON = 0.02  # of the loss of a discriminator that knows nothing: where D wins
_BLIND = 0.05  # AUC above 0.5, or share of a loss above that of knowing nothing: where D cannot tell
_APART = 0.1  # energy coefficient: where anyone could
_ALIKE = 0.1  # of the distance between images of the data: where generated ones are too much alike
_UNUSED = 0.05  # of a codebook: where hardly any of it is used
_EXPLODED = 100.0  # times the median so far

_ADVICE = {
    "nan": "A lower learning rate, clipnorm=1.0 in both optimizers (Pascanu et al. 2013), or float32 in place of "
    "mixed_float16 usually helps.",
    "discriminator wins": "A gradient penalty such as tz.penalties.R1 (Mescheder et al. 2018), instance noise "
    "(Sønderby et al. 2017), or a lower discriminator_learning_rate (Heusel et al. 2017) usually helps.",
    "discriminator loses": "A higher discriminator_learning_rate (Heusel et al. 2017), n_critic > 1 (Arjovsky et al. "
    "2017), a wider discriminator or a weaker penalty usually helps.",
    "collapse": "tz.layers.MinibatchDiscrimination in the discriminator (Salimans et al. 2016, Sec. 3.2), "
    "tz.penalties.DRAGAN (Kodali et al. 2017) or the entry wgan_gp (Gulrajani et al. 2017) usually helps.",
    "explosion": "A lower learning rate, spectral normalisation (Miyato et al. 2018), or a gradient penalty (Gulrajani "
    "et al. 2017) usually helps.",
    "posterior collapse": "A warm-up of the KL (Bowman et al. 2016; warmup_steps=), a smaller beta, or a weaker "
    "decoder usually helps.",
    "unused codes": "revive_below > 0 (a code nobody uses becomes a vector of the batch), fewer num_embeddings, or a "
    "higher commitment_cost (van den Oord et al. 2017) usually helps.",
    "falling score": "Keep the best epoch (tz.callbacks.Checkpoint with monitor=); a falling learning rate, or "
    "tz.augmentations.DiffAugment where images are few (Zhao et al. 2020), usually helps.",
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the Doctor saw.

    Args:
        name: "nan", "discriminator wins", "discriminator loses", "collapse", "explosion", "posterior collapse",
            "unused codes" or "falling score".
        epoch: when, counted from 1.
        seen: the sentence with the numbers.
        advice: the sentence on what usually helps.
    """

    name: str
    epoch: int
    seen: str
    advice: str


class Doctor(keras.callbacks.Callback):
    """Watch a training and say, once for each ailment, what is seen and what usually helps; `findings` keeps it.

    It looks for NaN; a discriminator whose loss is next to nothing, or that does not tell apart what differs; images
    of one latent batch that are all alike; a loss that explodes; a score that has only become worse since its best; a
    VAE's code none of whose units says anything; a codebook that is hardly used. It changes nothing about a training
    unless `stop` or `roll_back` ask for it. Put it after the callbacks whose scores it is to see, and before
    `Checkpoint`.

    Args:
        reference: data source, as in `tz.data.load`, whose images generated ones are compared with. None compares
            diversity with its own largest so far, and does not ask whether the discriminator loses.
        monitor: a score in the logs, such as "fd_classifier"; None watches none.
        mode: of the score's best, "min" or "max".
        patience: looks in a row that must show an ailment, and scores in a row that are each worse than the one
            before; NaN and explosions are told at once.
        every: epochs between two looks at images; losses and scores are seen in each epoch.
        num_images: generated for a look, and as many of the reference.
        seed: of the latents.
        stop: True ends the training at a finding.
        roll_back: a `Checkpoint` of the same training; at a finding the model is given the weights of its best epoch,
            once for each ailment.

    Raises:
        ValueError: if a number or mode is none of these.
    """

    def __init__(
        self,
        reference=None,
        monitor=None,
        mode="min",
        patience=5,
        every=1,
        num_images=64,
        seed=0,
        stop=False,
        roll_back=None,
    ):
        super().__init__()
        if mode not in ("min", "max"):
            raise ValueError(f'mode={mode!r}: the best score is its "min" or its "max".')
        for name, value, least in (("patience", patience, 1), ("every", every, 1), ("num_images", num_images, 4)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name}={value!r}: give a whole number of at least {least}.")
        if roll_back is not None and not callable(getattr(roll_back, "restore_best", None)):
            raise ValueError(f"roll_back={roll_back!r}: give the training's tz.callbacks.Checkpoint, or None.")
        self.reference, self.monitor, self.mode = reference, monitor, mode
        self.patience, self.every, self.num_images, self.seed = patience, every, num_images, seed
        self.stop, self.roll_back = stop, roll_back
        self.findings, self.quiet = [], False

    def on_train_begin(self, logs=None):
        self.findings, self._looks, self._scores, self._diversity = [], {}, [], []
        self._losses = {name: [] for name in (*getattr(self.model, "loss_names", tuple)(), "loss")}
        self._real = self._real_labels = self._labels = None
        if self.model.condition is not None:
            self._labels = np.asarray(self.model.condition.sample(self.num_images, self.seed))
        if self.reference is not None:
            self._real, self._real_labels = self._reals()
        self._ignorant = _ignorant_loss(self.model)
        self._discriminator = _discriminator_of(self.model)

    def on_epoch_end(self, epoch, logs=None):
        logs, before = {name: float(value) for name, value in (logs or {}).items()}, len(self.findings)
        images = None
        if epoch % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            images = self.model.generate(self.num_images, labels=self._labels, seed=self.seed)
        if not self._look_for_nan(epoch, logs, images):
            self._look_at_losses(epoch, logs)
            self._look_at_scores(epoch, logs)
            self._look_at_codes(epoch, logs)
            if images is not None:
                self._look_at_images(epoch, logs, images)
        if len(self.findings) > before:
            self._act()

    # ---- what is looked for -----------------------------------------------------------------------------------

    def _look_for_nan(self, epoch, logs, images):
        broken = [name for name, value in logs.items() if not math.isfinite(value) and not name.startswith("val_")]
        if images is not None and not np.isfinite(images).all():
            broken.append("generated images")
        if broken:
            self._tell("nan", epoch, f"{', '.join(broken)} became NaN or infinite.")
        return broken

    def _look_at_losses(self, epoch, logs):
        for name, past in self._losses.items():
            if name not in logs:
                continue
            usual = max(1.0, float(np.median(np.abs(past)))) if past else None
            if usual is not None and abs(logs[name]) > _EXPLODED * usual:
                self._tell("explosion", epoch, f"{name} is {logs[name]:.3g}, after {np.median(past):.3g} until now.")
            past.append(logs[name])
        loss = logs.get("discriminator_loss")
        if loss is not None and self._ignorant is not None:
            seen = f"The discriminator always wins: its loss is {loss:.3g}, and one that knows nothing has "
            self._count("discriminator wins", loss < _WON * self._ignorant, epoch, f"{seen}{self._ignorant:.3g}.")

    def _look_at_scores(self, epoch, logs):
        if self.monitor not in logs:
            return
        self._scores.append(logs[self.monitor])
        costs = np.array(self._scores) * (1 if self.mode == "min" else -1)
        best = int(costs.argmin())
        if len(costs) - 1 - best >= self.patience and (np.diff(costs[best:]) > 0).all():
            seen = f"{self.monitor} was {self._scores[best]:.3g} at its best and has only become worse since: "
            self._tell("falling score", epoch, f"{seen}{self._scores[-1]:.3g}.")

    def _look_at_codes(self, epoch, logs):
        units, used, size = logs.get("active_units"), logs.get("perplexity"), getattr(self.model, "num_embeddings", 0)
        if units is not None:
            self._count("posterior collapse", units < 1, epoch, "No unit of the code says anything of its image.")
        if used is not None and size:
            seen = f"Of {size} codes no more than {used:.1f} are in use."
            self._count("unused codes", used < max(_UNUSED * size, 1.5), epoch, seen)

    def _look_at_images(self, epoch, logs, images):
        spread = _mean_distance(images, images)
        usual = max(self._diversity, default=0.0) if self._real is None else _mean_distance(self._real, self._real)
        grows = len(self._diversity) < self.patience or spread > 1.1 * self._diversity[-self.patience]
        self._diversity.append(spread)
        whose = "the data's are" if self._real is not None else "they were"
        seen = f"Images of {self.num_images} latents are {spread:.3g} apart, and {whose} {usual:.3g}."
        self._count("collapse", spread < _ALIKE * usual and not grows, epoch, seen)
        if self._real is None or self._discriminator is None:
            return
        area, apart, loss = self._auc(images), _energy_coefficient(self._real, images), logs.get("discriminator_loss")
        worse = None not in (loss, self._ignorant) and loss > (1 + _BLIND) * self._ignorant
        blind = (area < 0.5 + _BLIND or worse) and apart > _APART
        seen = f"The discriminator never wins: its AUC is {area:.2f}, though images differ from the data's (energy "
        self._count("discriminator loses", blind, epoch, f"{seen}coefficient {apart:.2f}, and 0 where they do not).")

    # ---- its instruments --------------------------------------------------------------------------------------

    def _reals(self):
        shape = tuple(self.model.image_shape)
        as_stored = len(shape) == 1 or data.info(self.reference).image_shape[:2] == shape[:2]
        side, channels = None if as_stored else shape[0], None if len(shape) == 1 else shape[2]
        images, labels = data.arrays(self.reference, image_size=side, channels=channels)
        if images.shape[1:] != shape:
            raise ValueError(
                f"reference is {images.shape[1:]}, but {self.model.name} makes {shape}: give the data it is trained on."
            )
        if labels is None and self.model.condition is not None:
            raise ValueError(f"reference has no labels, but {self.model.name} needs them: give (images, labels).")
        rows = np.random.default_rng(self.seed).permutation(len(images))[: self.num_images]
        images = np.asarray(pixels.from_uint8(images[rows])) if images.dtype == "uint8" else images[rows]
        return images, None if labels is None else labels[rows]

    def _auc(self, images):
        """How often D prefers a real image to a generated one, as in training, but with no state moved."""
        from sklearn.metrics import roc_auc_score

        real, fake = (
            _logits(self._discriminator, *given) for given in ((self._real, self._real_labels), (images, self._labels))
        )
        if not np.isfinite([*real, *fake]).all():
            return 1.0  # NaN is another finding
        return roc_auc_score(np.repeat([1, 0], [len(real), len(fake)]), np.concatenate([real, fake]))

    def _count(self, name, shown, epoch, seen):
        self._looks[name] = self._looks.get(name, 0) + 1 if shown else 0
        if self._looks[name] >= self.patience:
            self._tell(name, epoch, seen)

    def _tell(self, name, epoch, seen):
        if any(finding.name == name for finding in self.findings):
            return
        self.findings.append(Finding(name, epoch + 1, seen, _ADVICE[name]))
        if self.quiet:
            return
        print(f"Doctor, epoch {epoch + 1}: {seen} {_ADVICE[name]}", file=sys.stderr)

    def _act(self):
        if self.roll_back is not None:
            if self.roll_back.saved():
                epoch = self.roll_back.restore_best(self.model)
                print(f"Doctor: the model has the weights of epoch {epoch} again.", file=sys.stderr)
            else:
                print("Doctor: there is no checkpoint to roll back to.", file=sys.stderr)
        if self.stop:
            self.model.stop_training = True


def examine(model, history, reference=None):
    """What ails a training that has ended: its losses and scores by epoch, and the images of its last model.

    Args:
        model: with the weights of the last epoch.
        history: list of dicts, a row an epoch, as `callbacks.Checkpoint` writes them to history.csv.
        reference: data source that it was trained on, as in `Doctor`; None compares images with nothing.

    Returns:
        List of `Finding`.
    """
    monitor = next((name for row in history for name in row if name.startswith("fd_")), None)
    watch = Doctor(reference, monitor, every=len(history) + 2)
    watch.quiet = True
    watch.set_model(model)
    watch.set_params({"epochs": None})
    watch.on_train_begin()
    for epoch, row in enumerate(history, 1):  # at epoch 0 a callback looks at images
        watch.on_epoch_end(epoch, row)
    images = model.generate(watch.num_images, labels=watch._labels, seed=watch.seed)
    for _ in range(2 * watch.patience):  # the last model is all there is to look at
        watch._look_at_images(len(history), {}, images)
    return [dataclasses.replace(one, epoch=max(1, min(one.epoch - 1, len(history)))) for one in watch.findings]


def _discriminator_of(model):
    """The network that tells real images from generated ones by logits; None where there is none.

    BEGAN's D has energies, and keeps that of generated images below that of real ones.
    """
    discriminator = getattr(model, "networks", {}).get("discriminator")
    if discriminator is None or getattr(getattr(model, "objective", None), "head", None) != "logits":
        return None
    return discriminator if discriminator.inputs[0].shape[1:] == tuple(model.image_shape) else None


def _logits(discriminator, images, labels):
    """What D says of images (N,), in training mode; its moments and power iterations stay where they are."""
    inputs = [keras.ops.convert_to_tensor(rows) for rows in (images, labels)[: len(discriminator.inputs)]]
    outputs, _ = discriminator.stateless_call(
        [weight.value for weight in discriminator.trainable_variables],
        [variable.value for variable in discriminator.non_trainable_variables],
        inputs if len(inputs) > 1 else inputs[0],
        training=True,
    )
    return np.asarray(outputs["logits"] if isinstance(outputs, dict) else outputs)[:, 0]


def _ignorant_loss(model):
    """The loss of the best discriminator that says the same of every image; None where it is not a loss to be won.

    It is 2 log 2 for logits under cross-entropy, 2 for the hinge and 1/4 for least squares; a critic's is 0, and wins
    without bound, as it should.
    """
    objective = getattr(model, "objective", None)
    if getattr(objective, "head", None) != "logits":
        return None
    state = {name: value.value for name, value in getattr(model, "state", {}).items()}
    answers = (np.full((2, 1), value, "float32") for value in np.linspace(-2.0, 2.0, 41))
    losses = [float(objective.discriminator_loss(one, one, *([state] if state else []))) for one in answers]
    return min(losses) if min(losses) > 0 else None


def _mean_distance(one, other):
    """Mean Euclidean distance between different images of two batches, or of one."""
    from scipy.spatial.distance import cdist

    distances = cdist(one.reshape(len(one), -1), other.reshape(len(other), -1))
    return float(distances.sum() / (len(one) * (len(other) - (one is other))))


def _energy_coefficient(one, other):
    """(2 E|x - y| - E|x - x'| - E|y - y'|) / 2 E|x - y|: 0 for equal distributions, 1 for two points apart.

    Székely & Rizzo 2013, Sec. 2.
    """
    across = _mean_distance(one, other)
    within = (_mean_distance(one, one) + _mean_distance(other, other)) / 2
    return 1.0 - within / across if across > 0 else 0.0
