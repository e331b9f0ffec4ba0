"""Look at a model while it trains, and score it."""

import pathlib

import keras

from tfgan_zoo import data, pictures, runtime
from tfgan_zoo.callbacks.checkpoint import check_finite
from tfgan_zoo.metrics import evaluate

_PICTURES = 40  # of a training, where nobody says how often


class SampleGrid(keras.callbacks.Callback):
    """Draw the model's `preview` as a PNG while training, always of one seed, and the film of it at the end.

    Args:
        directory: where `epoch_0000.png` (before training), `epoch_0001.png`, … and `samples.gif` go.
        num_images: images in a grid, or points in a scatter; None for as many as the model shows: 64 images, a row a
            class if there are any, or 1,000 points.
        every: epochs between two pictures; the first and the last are always drawn. None makes forty of them or so.
        seed: of what is drawn.
        reference: points of the data, drawn under generated points.
    """

    def __init__(self, directory, num_images=None, every=1, seed=0, reference=None):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.num_images, self.every, self.seed, self.reference = num_images, every, seed, reference

    def on_train_begin(self, logs=None):
        if runtime.is_chief() and not (self.directory / "epoch_0000.png").exists():  # a run that goes on has it already
            self.draw(0)

    def on_epoch_end(self, epoch, logs=None):
        if runtime.is_chief() and (epoch == 0 or _is_due(epoch, self.every, self.params, _PICTURES)):
            self.draw(epoch + 1)

    def draw(self, epoch):
        """Draw the preview as the picture of an epoch; 0 is before training."""
        panels = self.model.preview(self.seed, self.num_images)
        path = self.directory / f"epoch_{epoch:04d}.png"
        if len(panels) > 1:
            pictures.save_panels(panels, path)
        else:
            ((images, columns),) = panels.values()
            pictures.save_grid(images, path, columns=columns, reference=self.reference)

    def on_train_end(self, logs=None):
        if not runtime.is_chief():
            return
        frames = sorted(self.directory.glob("epoch_*.png"), key=lambda path: int(path.stem.removeprefix("epoch_")))
        pictures.save_film(frames, self.directory / "samples.gif", seconds_each=min(0.3, 10 / max(len(frames), 1)))


class Evaluate(keras.callbacks.Callback):
    """Score the model every few epochs and write the scores into the logs, for other callbacks to watch.

    Scores are taken against the training split unless told otherwise, so that choosing the best epoch by them leaves
    the test split unseen. Of several workers each scores, and all read the same number.

    Args:
        reference: data source, as in `tz.evaluate`.
        every: epochs between two scores; the last epoch is always scored. None makes about so many as `times` says.
        times: how many scores, where `every` is None.
        split: of the reference.
        num_images: generated for a score; None for as many as the split has, but at most 5,000.
        seed: of the generated images.
        **arguments: passed on to `tz.evaluate`, such as extractor=.

    A score's name in the logs is its key without the count of images, wherever that stands: "fd_classifier",
    "fid_inception2015_clean"; `metrics.distance_name(reference, extractor)` is that of the Fréchet distance.
    """

    def __init__(self, reference, every=1, split="train", num_images=None, seed=0, times=10, **arguments):
        super().__init__()
        self.reference, self.every, self.split, self.times = reference, every, split, times
        self.num_images, self.seed, self.arguments = num_images, seed, arguments

    def on_epoch_end(self, epoch, logs=None):
        if not _is_due(epoch, self.every, self.params, self.times):
            return
        check_finite(logs, epoch)
        if self.num_images is None:
            self.num_images = min(5000, data.info(self.reference).count(self.split))
        record = evaluate(
            self.model,
            self.reference,
            num_images=self.num_images,
            seed=self.seed,
            split=self.split,
            floor=False,
            verbose=False,
            **self.arguments,
        )
        numbers = {name: value for name, value in record["scores"].items() if isinstance(value, (int, float))}
        count = str(record["protocol"]["num_generated"])
        logs.update({"_".join(word for word in name.split("_") if word != count): v for name, v in numbers.items()})


def _is_due(epoch, every, params, times):
    """Whether something is to be done after an epoch, counted from 0; after the last it always is."""
    last = (params or {}).get("epochs")
    return epoch + 1 == last or (epoch + 1) % (every or max(1, (last or 1) // times)) == 0
