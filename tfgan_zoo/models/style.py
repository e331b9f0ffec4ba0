"""GANs whose generator is a mapping to styles and a synthesis from styles."""

import functools

import numpy as np
import tensorflow as tf

from tfgan_zoo import noise, runtime
from tfgan_zoo.models.adversary import initial_state, with_condition
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.models.optimisation import frozen_call
from tfgan_zoo.serialization import serializable


@serializable
class StyleGAN(GAN):
    """A GAN of styles: latents are mapped to a style w, and each layer of the synthesis reads one of its own.

    Karras et al. 2019, Sec. 2 and 3. In training some images get the styles of a second latent from a random layer on
    (mixing regularisation); drawing may pull styles towards their mean (truncation).

    Args:
        generator: functional Keras model with layers "mapping", latents [and labels] -> (N, style_dim), and
            "synthesis", (N, layers, style_dim) -> images, such as `networks.stylegan2.generator` gives. A layer "w_avg"
            of the mapping remembers the mean style, in `mean`.
        discriminator: as for `GAN`.
        style_mixing: share of images that are mixed, in [0, 1]; 0.9 in the paper.
        path_length: penalty of the generator, `penalties.PathLength()`, or None.
        **gan: as for `GAN`.

    Raises:
        ValueError: if the generator is not of these two parts, style_mixing is no share, or as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, style_mixing=0.9, path_length=None, **gan):
        parts = [layer.name for layer in getattr(generator, "layers", ())]
        if not {"mapping", "synthesis"} <= set(parts):
            raise ValueError(
                'generator has no layers "mapping" and "synthesis": make it with networks.stylegan2.generator(mapping, '
                "synthesis), or take GAN."
            )
        if not 0.0 <= style_mixing <= 1.0:
            raise ValueError(f"style_mixing={style_mixing}: give the share of images that are mixed, in [0, 1].")
        super().__init__(generator, discriminator, state=initial_state([path_length]), **gan)
        self.style_mixing, self.path_length = float(style_mixing), path_length

    @property
    def mapping(self):
        """The network latents [and labels] -> styles that is trained."""
        return self.generator.get_layer("mapping")

    @property
    def synthesis(self):
        """The network styles (N, layers, style_dim) -> images that is trained."""
        return self.generator.get_layer("synthesis")

    @property
    def num_ws(self):
        """Styles of an image, one for each layer that reads one."""
        return self.synthesis.input_shape[1]

    # ---- learning ---------------------------------------------------------------------------------------------

    def images_of(self, latents, condition, run, purpose, index=0):
        """Images of latents in a training step, some with two latents' styles; arguments as in `GAN.images_of`."""
        return run(self.synthesis, self.styles_of(latents, condition, run, purpose, index))

    def styles_of(self, latents, condition, run, purpose, index=0):
        """Styles (N, num_ws, style_dim) of latents in a training step; arguments as in `GAN.images_of`."""
        count = tf.shape(latents)[0]
        styles = run(self.mapping, with_condition(self.mapping, latents, condition))[:, None]
        styles = tf.tile(styles, (1, self.num_ws, 1))
        if not self.style_mixing:
            return styles
        second = self.latents(f"mixing {purpose}", count, index)
        others = frozen_call(self.mapping, with_condition(self.mapping, second, condition))[:, None]
        seed = self.noise_seed(f"crossover {purpose}", index)
        drawn = noise.shared(lambda total: noise.uniform((total, 2), seed), count)
        first = 1 + tf.cast(drawn[:, 1] * (self.num_ws - 1), tf.int32)  # of the second latent's layers
        first = tf.where(drawn[:, 0] < self.style_mixing, first, self.num_ws)
        return tf.where((tf.range(self.num_ws) < first[:, None])[..., None], styles, others)

    def generator_auxiliary(self, heads, condition, latents):
        """The path length penalty, every so many steps, on latents of its own."""
        losses = super().generator_auxiliary(heads, condition, latents)
        if self.path_length is None:
            return losses
        mean, run = self.state["path_length_mean"].value, functools.partial(frozen_call, advance=())
        known = None if condition is None else runtime.all_gather(condition)  # the first of the whole batch are told

        def term():
            count = tf.maximum(tf.cast(self.path_length.share * tf.cast(tf.shape(latents)[0], tf.float32), tf.int32), 1)
            told = None if known is None else noise.shared(lambda total: known[:total], count)
            styles = self.styles_of(self.latents("path length", count), told, run, "path length")
            seed = self.noise_seed("path length's image")
            value, after = self.path_length(lambda styles: run(self.synthesis, styles), styles, mean, seed)
            return self.path_length.every * value, after

        every = self.path_length.every
        value, after = term() if every == 1 else tf.cond(self.step % every == 0, term, lambda: (tf.constant(0.0), mean))
        return losses | {self.path_length.name: value, "path_length_mean": after}

    def update_state(self, results):
        """Beside what `GAN` keeps, the mean path length, over all replicas."""
        state = super().update_state(results)
        if self.path_length is not None:
            state["path_length_mean"] = runtime.mean(results["path_length_mean"])
            self.state["path_length_mean"].assign(state["path_length_mean"])
        return state

    def loss_names(self):
        """Those of `GAN`, and the generator's penalty."""
        return (*super().loss_names(), *([] if self.path_length is None else [self.path_length.name]))

    def monitor_names(self):
        """Those of `GAN`, and the mean path length."""
        return (*super().monitor_names(), *initial_state([self.path_length]))

    # ---- drawing ----------------------------------------------------------------------------------------------

    def map(self, latents, condition=None, truncation_psi=1.0, truncation_cutoff=None):
        """Styles (N, num_ws, style_dim) of the averaged mapping, pulled towards their mean.

        Karras et al. 2019, App. B: w' = w-bar + psi (w - w-bar).

        Args:
            latents: (N, latent_dim).
            condition: tensor with a row for each, or None.
            truncation_psi: psi; 1 leaves styles alone, 0 makes all the mean.
            truncation_cutoff: layers that are truncated, from the smallest maps on; None for all.
        """
        network = self.inference["generator"].get_layer("mapping")
        styles = network(with_condition(network, latents, condition), training=False)
        styles = tf.tile(tf.cast(styles, tf.float32)[:, None], (1, self.num_ws, 1))
        return self.truncated(styles, truncation_psi, truncation_cutoff)

    def truncated(self, styles, truncation_psi, truncation_cutoff=None):
        """Styles (N, num_ws, style_dim) pulled towards the mean style; arguments as in `map`."""
        if truncation_psi is None or (not tf.is_tensor(truncation_psi) and truncation_psi == 1.0):
            return styles
        pulled = self.mean_style + truncation_psi * (styles - self.mean_style)
        if truncation_cutoff is None:
            return pulled
        return tf.where((tf.range(self.num_ws) < truncation_cutoff)[:, None], pulled, styles)

    @property
    def mean_style(self):
        """w-bar of the averaged mapping, (style_dim,)."""
        return self.inference["generator"].get_layer("mapping").get_layer("w_avg").mean.value

    def synthesize_styles(self, styles):
        """Images (N, *image_shape) of styles (N, num_ws, style_dim), by the averaged synthesis."""
        return self.inference["generator"].get_layer("synthesis")(styles, training=False)

    def draw(self, latents, condition=None, truncation_psi=1.0, truncation_cutoff=None):
        """Images (N, *image_shape) of the averaged generator, in inference mode; arguments as in `map`."""
        return self.synthesize_styles(self.map(latents, condition, truncation_psi, truncation_cutoff))

    def endpoints(self):
        """ "mapping": styles of latents, truncated; "synthesis": images of styles, one for each layer."""
        latents = tf.TensorSpec((None, self.latent_dim), tf.float32, name="latents")
        psi = tf.TensorSpec((), tf.float32, name="truncation_psi")
        specs, example = [latents, psi], {"latents": np.zeros((1, self.latent_dim), "float32")}
        example["truncation_psi"] = np.float32(0.7)
        if self.condition is not None:
            name = self.condition.name
            specs.append(tf.TensorSpec((None, *self.condition.shape), self.condition.dtype, name=name))
            example[name] = self.condition.examples(1)[0][:1]

        def mapping(latents, truncation_psi, **told):
            return {"styles": self.map(latents, next(iter(told.values()), None), truncation_psi)}

        def synthesis(styles):
            return {"images": self.synthesize_styles(styles)}

        shape = (self.num_ws, self.mean_style.shape[0])
        styles = tf.TensorSpec((None, *shape), tf.float32, name="styles")
        return {
            "mapping": (mapping, tuple(specs), example),
            "synthesis": (synthesis, (styles,), {"styles": np.zeros((1, *shape), "float32")}),
        }

    def get_config(self):
        """As for `GAN`, and the two regularisers."""
        return super().get_config() | self.config_of("style_mixing", "path_length")
