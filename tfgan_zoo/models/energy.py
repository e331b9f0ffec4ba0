"""Energy-based GANs: D is an autoencoder, and its error the energy."""

from keras import ops

from tfgan_zoo import runtime
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.serialization import serializable


@serializable
class EBGAN(GAN):
    """An energy-based GAN whose generator is kept diverse by the pulling-away term (Zhao et al. 2017, Sec. 2.4).

    Args:
        generator: functional Keras model, latents -> images.
        discriminator: functional Keras model, images -> {"energy" (N, 1), "codes" (N, d)}.
        pulling_away: weight of the term in G's own update; 0.1 in the paper, 0 for none.
        **gan: as for `GAN`, with an objective of energies such as `tz.objectives.EnergyMargin(10.0)`.
    """

    def __init__(self, generator, discriminator, *, pulling_away=0.1, **gan):
        if not pulling_away >= 0.0:
            raise ValueError(f"pulling_away={pulling_away}: give a weight, or 0 for none.")
        outputs = getattr(discriminator, "output", {"codes": None})  # what is no model is met by `GAN`
        if pulling_away and not (isinstance(outputs, dict) and "codes" in outputs):
            raise ValueError(
                "discriminator gives no 'codes', which the pulling-away term compares: let it return its encoder's "
                "output under that name, or set pulling_away=0."
            )
        super().__init__(generator, discriminator, **gan)
        self.pulling_away = pulling_away

    def generator_auxiliary(self, heads, condition, latents):
        """The pulling-away term of this update's codes."""
        if not self.pulling_away:
            return {}
        return {"pulling_away": self.pulling_away * pulling_away_term(runtime.all_gather(heads["codes"]))}

    def loss_names(self):
        """Those of `GAN`, and the pulling-away term."""
        return (*super().loss_names(), "pulling_away") if self.pulling_away else super().loss_names()

    def get_config(self):
        """As for `GAN`, and the weight."""
        return super().get_config() | {"pulling_away": self.pulling_away}


def pulling_away_term(codes):
    """Mean squared cosine between the codes of different images of a batch.

    Zhao et al. 2017, Eq. 4.

    Args:
        codes: (N, d), N at least 2.

    Returns:
        A scalar in [0, 1]: 1 where all codes are parallel, 0 where they are orthogonal.
    """
    directions = codes / ops.sqrt(ops.sum(codes**2, axis=-1, keepdims=True) + 1e-12)
    cosines = ops.matmul(directions, ops.transpose(directions)) ** 2
    count = ops.cast(ops.shape(codes)[0], "float32")
    pairs = ops.maximum(count * (count - 1.0), 1.0)  # a single image has nothing to be pulled from
    return (ops.sum(cosines) - ops.sum(ops.diagonal(cosines))) / pairs
