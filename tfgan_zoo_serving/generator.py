"""An exported generator, asked like the model it came from."""

import random
import types

import numpy as np

from tfgan_zoo_serving import draws

_BATCH = 64  # images at a time; the images do not depend on it


class ExportedGenerator:
    """Images from a file, by the same words and with the same draws as the model it was exported from.

    Args:
        facts: what the card says of the model: "name", "image_shape", "start" (or, in older cards, "latent_dim"),
            "num_classes", "prior", "seeded".
        run: function of what images start from, by name, and "labels" -> images.
        format: name of the format it runs.
    """

    def __init__(self, facts, run, format):
        self.name, self.format = facts["name"], format
        self.image_shape = tuple(facts["image_shape"])
        self.latent_dim, self.num_classes = facts["latent_dim"], facts["num_classes"]
        self.condition = None if self.num_classes is None else types.SimpleNamespace(num_classes=self.num_classes)
        start = facts.get("start") or {"latents": [self.latent_dim]}
        (self._start, shape), *others = start.items()
        self._shape, self._seeded, self._run = tuple(shape), facts["seeded"] and not others, run
        self._prior = facts["prior"]

    def __call__(self, latents, labels=None):
        """Images for latents of your own.

        Args:
            latents: (N, latent_dim) numbers, N >= 1; or what else the model's images start from.
            labels: (N,) integers in [0, num_classes) if the model knows classes, None if not.

        Returns:
            float32 array (N, *image_shape), in [-1, 1] unless the model makes points.

        Raises:
            ValueError: if latents or labels are none of these.
        """
        latents = np.asarray(latents)
        if latents.shape != (len(latents), *self._shape) or not len(latents) or latents.dtype.kind not in "fiu":
            shape = ", ".join(map(str, self._shape))
            raise ValueError(
                f"{self._start} are {latents.dtype} {latents.shape}: give numbers (N, {shape}), N at least 1."
            )
        latents = latents.astype(np.float32)
        if not np.isfinite(latents).all():
            raise ValueError(f"{self._start} hold NaN or infinity: give finite numbers.")
        if labels is None and self.num_classes is not None:
            raise ValueError(f"{self.name} needs labels beside latents: one integer a row.")
        inputs = {self._start: latents} | self._labels(len(latents), labels, None)
        starts = range(0, len(latents), _BATCH)
        parts = [self._run({name: rows[at : at + _BATCH] for name, rows in inputs.items()}) for at in starts]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def generate(self, num_images, labels=None, seed=None):
        """The images that `generate` of the model gives for the same arguments.

        Args:
            num_images: at least 1.
            labels: (num_images,) integers in [0, num_classes); None draws them from the seed, if the model knows any.
            seed: integer from 0 to 2147483647: image i depends on (seed, i) alone. None for another draw each time.

        Returns:
            float32 array (num_images, *image_shape), in [-1, 1] unless the model makes points.

        Raises:
            ValueError: if an argument is none of these, or the model's latents come from a prior of its own.
        """
        return np.concatenate(list(self.stream(num_images, labels, seed)))

    def stream(self, num_images, labels=None, seed=None, batch_size=_BATCH):
        """The images of `generate`, in batches.

        Args:
            num_images, labels, seed: as in `generate`.
            batch_size: images in a batch, at least 1; the last may have fewer.

        Returns:
            An iterator of float32 arrays (<= batch_size, *image_shape).
        """
        if isinstance(num_images, bool) or not isinstance(num_images, (int, np.integer)) or num_images < 1:
            raise ValueError(f"num_images={num_images!r}: ask for at least 1 image.")
        seed = random.randrange(2**31) if seed is None else seed
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
            raise ValueError(
                f"seed={seed!r}: give an integer from 0 to 2147483647, or None for another draw each time."
            )
        if not self._seeded:
            raise ValueError(f"{self.name} draws its latents in a way of its own: call it with latents instead.")
        latents = draws.rows(self._prior, int(num_images), self._shape, int(seed))
        labels = self._labels(num_images, labels, seed).get("labels")
        starts = range(0, num_images, batch_size)
        cut = lambda rows, at: None if rows is None else rows[at : at + batch_size]  # noqa: E731
        return (self(cut(latents, at), cut(labels, at)) for at in starts)

    def _labels(self, count, labels, seed):
        if self.num_classes is None:
            if labels is not None:
                raise ValueError(f"labels were given, but {self.name} is unconditional: leave them out.")
            return {}
        if labels is None:
            return {"labels": draws.labels(int(count), self.num_classes, int(seed))}
        labels = np.asarray(labels)
        if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels are {labels.dtype} {labels.shape}: {self.name} takes one integer for each of the {count} "
                f"images, from 0 to {self.num_classes - 1}."
            )
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(
                f"labels run from {labels.min()} to {labels.max()}: {self.name} knows 0 to {self.num_classes - 1}."
            )
        return {"labels": labels.reshape(-1).astype(np.int32)}
