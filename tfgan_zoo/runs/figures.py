"""What a run draws at its end: figures that several recipes have in common."""

import inspect

import numpy as np
from keras import ops

from tfgan_zoo import data, pictures


class Figures:
    """A run's `directory`, its `config` and its images of the test split, made pictures."""

    def by_epoch(self, panels=8):
        """Draw the run's samples at chosen epochs side by side, `by_epoch.png`, and return its path.

        Args:
            panels: how many epochs, spaced ever wider from the first to the last.
        """
        found = (self.directory / "samples").glob("epoch_*.png")
        frames = [path for _, path in sorted((int(path.stem.removeprefix("epoch_")), path) for path in found)]
        steps = {round((len(frames) - 1) * (share / max(panels - 1, 1)) ** 2) for share in range(panels)}
        chosen = {f"epoch {int(frames[step].stem.removeprefix('epoch_'))}": frames[step] for step in sorted(steps)}
        pictures.save_strip(chosen, self.directory / "by_epoch.png")
        return self.directory / "by_epoch.png"

    def by_class(self, model, columns=10, rows=10):
        """Draw a grid of classes, `by_class.png`: a row is a class, a column one latent; returns its path.

        Args:
            model: a conditional model of images.
            columns: latents.
            rows: classes at most, the first of them.
        """
        classes = model.condition.num_classes
        names = data.info(self.source).class_names or tuple(map(str, range(classes)))
        rows = min(rows, classes)
        latents = ops.tile(model.draw_latents(columns, seed=0), (rows, 1))
        images = model.draw(latents=latents, condition=model.condition.as_tensor(np.repeat(np.arange(rows), columns)))
        path = self.directory / "by_class.png"
        pictures.save_labelled_grid(np.asarray(images), path, columns, row_titles=names[:rows])
        return path

    def by_guidance(self, model, scales, each=4):
        """Draw classes by guidance scale from the same noise, `guidance.png`: a row is a class; returns its path.

        Args:
            model: a conditional model that takes `guidance_scale`.
            scales: of which each has a block of columns.
            each: columns of a block.
        """
        classes = min(10, model.condition.num_classes)
        labels = np.repeat(np.arange(classes), each)
        blocks = [model.generate(len(labels), labels=labels, seed=0, guidance_scale=scale) for scale in scales]
        rows = np.stack([block.reshape(classes, each, *model.image_shape) for block in blocks], axis=1)
        titles = [f"s = {scale:g}" if place == 0 else "" for scale in scales for place in range(each)]
        names = data.info(self.source).class_names or tuple(map(str, range(classes)))
        path, sheet = self.directory / "guidance.png", rows.reshape(-1, *model.image_shape)
        pictures.save_labelled_grid(sheet, path, len(titles), row_titles=names[:classes], column_titles=titles)
        return path

    def reconstructions(self, model, count=32, seen=None):
        """Draw images of the test split beside their reconstructions, `reconstructions.png`; returns its path.

        Args:
            model: a model that reconstructs.
            count: images.
            seen: function of the images to what the model is given instead, drawn between the two; None for the images.
        """
        images, labels = self.test_images(count)
        told = (labels,) * (model.condition is not None and len(inspect.signature(model.reconstruct).parameters) > 1)
        given = [] if seen is None else [np.asarray(seen(images))]
        shown = [images, *given, np.asarray(model.reconstruct(given[0] if given else images, *told))]
        path, rows = self.directory / "reconstructions.png", np.stack(shown, axis=1).reshape(-1, *images.shape[1:])
        pictures.save_grid(np.clip(rows, -1.0, 1.0), path, columns=4 * len(shown))
        return path

    def translations(self, model, count=32):
        """Draw images of the test split beside what a model makes of them, `translations.png`; returns its path.

        Args:
            model: a model that translates.
            count: images.
        """
        panels, path = model.panels(*self.test_images(count)), self.directory / "translations.png"
        if len(panels) > 1:
            pictures.save_panels(panels, path)
        else:
            ((images, columns),) = panels.values()
            pictures.save_grid(images, path, columns=columns)
        return path
