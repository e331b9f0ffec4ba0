"""What a model of diffusion does with images of one's own: fill in, change, and find the noise they came from."""

import dataclasses
import random

import numpy as np
import tensorflow as tf

from tfgan_zoo import noise as draws
from tfgan_zoo import samplers
from tfgan_zoo.models import checks


class Editing:
    """Verbs of `Diffusion` that begin with images; each is one graph, traced once for a number of steps."""

    def inpaint(self, images, known, labels=None, seed=None, *, resample=1):
        """Images with what is not known of them drawn anew, by the posterior's noise at the levels of `sampling`.

        Lugmayr et al. 2022 (RePaint), Algorithm 1.

        Args:
            images: (N, *image_shape) in [-1, 1].
            known: booleans, or 0 and 1, (height, width), (height, width, 1) or with the images' N before it.
            labels, seed: as in `generate`.
            resample: how often each level is drawn; more makes the parts fit better, for as much more time.

        Returns:
            float32 array (N, *image_shape), images where they are known.

        Raises:
            ValueError: if images, mask, labels or a number are none of these.
        """
        images, resample = self._given(images), checks.count("resample", resample)
        known = self._mask(known, len(images))

        def run(start, fresh, images, known, condition=None):
            levels = self.levels()
            x, denoise = float(levels.noise[0]) * start, self.denoiser_for(condition)
            x = samplers.inpaint(denoise, x, levels, fresh, images, known, resample=resample)
            return known * images + (1.0 - known) * self.finished(x)

        return self._edited(("inpaint", resample), run, (images, known), labels, seed)

    def edit(self, images, strength, labels=None, seed=None):
        """Images that are noised part of the way and drawn from there: the more strength, the less is kept.

        Meng et al. 2022 (SDEdit).

        Args:
            images: (N, *image_shape) in [-1, 1].
            strength: share of the sampler's steps that are taken, in [0, 1]: 0 gives the images, 1 draws from noise.
            labels, seed: as in `generate`.

        Returns:
            float32 array (N, *image_shape).

        Raises:
            ValueError: if images, labels or strength are none of these.
        """
        images = self._given(images)
        if isinstance(strength, bool) or not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength={strength!r}: give 0 (the images themselves) to 1 (drawn from noise alone).")
        skipped = round((1.0 - strength) * len(self.levels()))
        if skipped == len(self.levels()):
            return images

        def run(start, fresh, images, condition=None):
            whole = self.levels()
            levels = dataclasses.replace(
                whole, times=whole.times[skipped:], signal=whole.signal[skipped:], noise=whole.noise[skipped:]
            )
            left = float(levels.signal[0]) if skipped else 0.0
            x = left * images + float(levels.noise[0]) * start
            return self.finished(self.sampling.run(self.denoiser_for(condition), x, levels, fresh))

        return self._edited(("edit", skipped), run, (images,), labels, seed)

    def invert(self, images, labels=None):
        """The noise from which DDIM without noise of its own draws these images: `draw(noise=model.invert(images))`.

        Song et al. 2021, Sec. 4.3. The way there and back is exact in the limit of many steps; take 100 or more.

        Args:
            images: (N, *image_shape) in [-1, 1].
            labels: as in `generate`.

        Returns:
            float32 array (N, *image_shape).

        Raises:
            ValueError: if images or labels are none.
        """

        def run(start, fresh, images, condition=None):
            levels = self.levels()
            return samplers.reverse(self.denoiser_for(condition), images, levels) / float(levels.noise[0])

        return self._edited(("invert",), run, (self._given(images),), labels, seed=0)

    def _edited(self, key, run, tensors, labels, seed):
        """What a function of first noise, more of it by the step, images and their condition gives; traced once."""
        seed = checks.seed(random.randrange(2**31) if seed is None else seed)
        count, block = len(tensors[0]), draws.block_seed(seed, 0)
        condition = self.condition_for(count, labels, seed)
        given = [*self.noise_and_fractions(count, block), *map(tf.constant, tensors)]
        given += [] if condition is None else [condition]
        functions = self.__dict__.setdefault("_draw_functions", {})
        if key not in functions:
            specs = [tf.TensorSpec((None, *one.shape[1:]), one.dtype) for one in given]
            wanted = lambda start, fractions, *more: run(start, self.noise_by_step(fractions), *more)  # noqa: E731
            functions[key] = tf.function(wanted, input_signature=specs, autograph=False)
        return functions[key](*given).numpy()

    def _given(self, images):
        images = np.asarray(images, "float32")
        if images.shape[1:] != self.space or not len(images):
            raise ValueError(f"images are {images.shape}: {self.name} takes (N, {', '.join(map(str, self.space))}).")
        if len(self.space) == 3 and not np.abs(images).max() <= 1.001:
            raise ValueError(
                f"images run from {images.min():g} to {images.max():g}: they belong in [-1, 1]. For 0..255 use "
                "x / 127.5 - 1."
            )
        return images

    def _mask(self, known, count):
        given = np.asarray(known)
        mask = given[..., None] if given.shape[-2:] == self.space[:-1] and given.ndim in (2, 3) else given
        mask = mask if mask.ndim == 1 + len(self.space) else mask[None]
        fits = mask.ndim == 4 and mask.shape[0] in (1, count) and mask.shape[1:3] == self.space[:2]
        if not (fits and mask.shape[3] in (1, self.space[2]) and np.isin(mask, (0, 1)).all()):
            height, width = self.space[:2] if len(self.space) == 3 else ("?", "?")
            raise ValueError(
                f"known is {given.dtype} {given.shape}: give booleans ({height}, {width}), or one such for each of the "
                f"{count} images."
            )
        return np.broadcast_to(mask.astype("float32"), (count, *self.space)).copy()
