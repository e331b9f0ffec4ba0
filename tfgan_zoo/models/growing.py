"""GANs that grow: trained at the smallest size first, each larger one faded in when its turn comes."""

import keras
import tensorflow as tf
from keras import layers

from tfgan_zoo.models.gan import GAN
from tfgan_zoo.models.style import StyleGAN
from tfgan_zoo.serialization import serializable


class Growing:
    """What makes a GAN grow; before the GAN in a class' bases.

    Karras et al. 2018, Sec. 2 and App. A. Of S + 1 sizes, numbered from 0, the smallest is trained for `phase_steps`
    steps; each further one is faded in for so many, its alpha rising from 0 to 1, and then trained for so many, and the
    last one for ever. Real images are shrunk to the size that is trained, and while one fades in they are blended with
    themselves at half of it. Only the layers of that size and of the smaller ones are computed; Adam's moments stay.
    The whole network has all sizes at any time: what it draws early is a small image, enlarged.

    Networks are those of `networks.growing`, whose layers say by their names to which size they belong.
    """

    unconnected_gradients = tf.UnconnectedGradients.ZERO  # of the sizes whose turn has not come: they rest

    def __init__(self, generator, discriminator, *, phase_steps=2000, **gan):
        if isinstance(phase_steps, bool) or phase_steps != int(phase_steps) or phase_steps < 0:
            raise ValueError(f"phase_steps={phase_steps!r}: give a whole number of steps, 0 for all sizes at once.")
        grown = [network for network in _parts(generator) if _stages(network)]
        if not grown or not _stages(discriminator):
            raise ValueError("generator or discriminator has no layers to fade in: make both with networks.growing.")
        for network in (*grown, discriminator):
            for stage in range(1, _stages(network) + 1):
                network.get_layer(f"fade_{stage}").alpha.assign(0.0 if phase_steps else 1.0)
        super().__init__(generator, discriminator, **gan)
        self.phase_steps = int(phase_steps)

    @property
    def stages(self):
        """Number of the largest size, from 0."""
        return _stages(self.discriminator)

    def stage_at(self, step):
        """Number of the size that is trained in a step."""
        return min(self.stages, (step // self.phase_steps + 1) // 2) if self.phase_steps else self.stages

    def alpha_at(self, step, stage):
        """How much of a size is there in a step in which it is the largest, in [0, 1]."""
        if not self.phase_steps or not stage:
            return tf.ones(())
        since = tf.cast(step, tf.float32) - self.phase_steps * (2.0 * stage - 1.0)
        return tf.clip_by_value(since / self.phase_steps, 0.0, 1.0)

    # ---- learning ---------------------------------------------------------------------------------------------

    def make_train_function(self, force=False):
        """One compiled step for each size, chosen by the step's number."""
        if self.train_function is not None and not force:
            return
        make, functions = super().make_train_function, {}

        def train(iterator):
            stage = self.__dict__["_stage"] = self.stage_at(int(tf.convert_to_tensor(self.step.value)))
            if stage not in functions:
                make(force=True)
                functions[stage] = self.train_function
                self.train_function = train
            return functions[stage](iterator)

        self.train_function = train

    def train_step(self, data):
        """As for the GAN, with the networks of the size whose turn it is."""
        stage, whole = self._stage_now, self.adversary.network
        for network in (*filter(_stages, _parts(self.generator)), self.discriminator):
            for number in range(1, self.stages + 1):
                alpha = self.alpha_at(self.step.value, stage) if number == stage else float(number < stage)
                network.get_layer(f"fade_{number}").alpha.assign(alpha)
        self.adversary.network = self._part(whole, stage, "discriminator")
        try:
            return super().train_step(data)
        finally:
            self.adversary.network = whole

    def critic_batch(self, images, labels, index):
        """A slice of the batch, its images as large as those that are trained, and blended while they fade in."""
        real, condition = super().critic_batch(images, labels, index)
        stage = self._stage_now
        for _ in range(self.stages - stage):
            real = _halved(real)
        if stage and self.phase_steps:
            alpha = self.alpha_at(self.step.value, stage)
            real = alpha * real + (1.0 - alpha) * layers.UpSampling2D(2)(_halved(real))
        return real, condition

    def images_of(self, latents, condition, run, purpose, index=0):
        """As for the GAN, of the size that is trained; at full size outside of training."""
        if purpose == "test":
            return super().images_of(latents, condition, run, purpose, index)

        def run_part(network, inputs):
            part = self._part(network, self._stage_now, "generator") if _stages(network) else network
            return run(part, inputs)

        return super().images_of(latents, condition, run_part, purpose, index)

    def update_state(self, results):
        """Beside what the GAN keeps, the size that is trained and its alpha, for the logs."""
        stage = self._stage_now
        shown = {"stage": tf.constant(float(stage)), "alpha": self.alpha_at(self.step.value - 1, stage)}
        return super().update_state(results) | shown

    def monitor_names(self):
        """Those of the GAN, the size that is trained, and its alpha."""
        return (*super().monitor_names(), "stage", "alpha")

    def get_config(self):
        """As for the GAN, and the length of a phase."""
        return super().get_config() | {"phase_steps": self.phase_steps}

    @property
    def _stage_now(self):
        return self.__dict__.get("_stage", self.stages)

    def _part(self, network, stage, role):
        """The part of a network for a size, made once; Keras is not to take it for a further network to save."""
        parts = self.__dict__.setdefault("_grown_parts", {})
        if (role, stage) not in parts:
            parts[role, stage] = (generator_at if role == "generator" else discriminator_at)(network, stage)
        return parts[role, stage]


@serializable
class ProgressiveGAN(Growing, GAN):
    """A GAN that grows; see `Growing`.

    Args:
        generator, discriminator: of `networks.growing`.
        phase_steps: steps of each phase, fading in or not; 0 trains all sizes at once.
        **gan: as for `GAN`.
    """


@serializable
class GrowingStyleGAN(Growing, StyleGAN):
    """A GAN of styles that grows; see `Growing`.

    Args:
        generator: of `networks.stylegan2.generator`, whose synthesis is that of `networks.growing`.
        discriminator: of `networks.growing`.
        phase_steps: steps of each phase, fading in or not; 0 trains all sizes at once.
        **gan: as for `StyleGAN`.
    """


def generator_at(network, stage):
    """The part of a growing generator that makes images of one size, faded in from the one before.

    Args:
        network: the whole, of `networks.growing`.
        stage: number of the size, from 0.
    """
    layer = network.get_layer(f"fade_{stage}" if stage else "colours_0")
    return keras.Model(network.input, layer.output, name=f"{network.name}_{stage}")


def discriminator_at(network, stage):
    """The part of a growing discriminator that reads images of one size, and half as large ones while it fades in.

    Args:
        network: the whole, of `networks.growing`.
        stage: number of the size, from 0.
    """
    if stage == _stages(network):
        return network
    read, behind = network.get_layer(f"read_{stage}"), network.get_layer(f"fade_{stage + 1}").output
    cut = [behind, network.get_layer(f"pool_{stage}").output] if stage else [behind]
    rest, images = keras.Model(cut, network.output), keras.Input(read.input_shape[1:], name="images")
    logits = rest([read(images), images] if stage else read(images))
    return keras.Model(images, logits, name=f"{network.name}_{stage}")


def _parts(generator):
    """A generator, and the networks that it consists of."""
    return [generator, *(layer for layer in generator.layers if hasattr(layer, "get_layer"))]


def _stages(network):
    """How many sizes are faded into a network."""
    return sum(layer.name.startswith("fade_") for layer in network.layers)


def _halved(images):
    return tf.nn.avg_pool2d(images, 2, 2, "VALID")
