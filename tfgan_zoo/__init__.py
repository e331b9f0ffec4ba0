"""A zoo of deep generative models in Keras 3 on TensorFlow.

>>> import tfgan_zoo as tz
>>> gan = tz.create("dcgan", image_shape=(8, 8, 1), width=8)
>>> gan.compile()                                       # the paper's optimizers
>>> history = gan.fit(tz.data.load("digits"), verbose=0)
>>> images = gan.generate(16, seed=0)                   # float32 in [-1, 1]
"""

import os
import sys

if sys.argv[:1] == ["-m"] and "tfgan_zoo" in sys.orig_argv[1:3]:  # the command line, which starts without TensorFlow
    words = [word if word != "tfgan_zoo" else "tfgan_zoo_cli" for word in sys.orig_argv[:3]] + sys.orig_argv[3:]
    os.execv(sys.executable, words)

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"tfgan_zoo trains on TensorFlow, but Keras is set to {keras.backend.backend()!r}: "
        "set the environment variable KERAS_BACKEND=tensorflow before Python starts."
    )

from tfgan_zoo import (
    augmentations,
    callbacks,
    cli,
    conditions,
    data,
    latents,
    layers,
    likelihoods,
    metrics,
    networks,
    objectives,
    penalties,
    pictures,
    pixels,
    priors,
    profiling,
    runs,
    runtime,
    samplers,
    schedules,
    tuning,
    yardsticks,
    zoo,
)
from tfgan_zoo.export import export, load_model
from tfgan_zoo.human import human_score, human_sheet
from tfgan_zoo.metrics import compare, evaluate
from tfgan_zoo.models.adversarial_autoencoder import VAEGAN, AdversarialAutoencoder
from tfgan_zoo.models.autoencoder import Autoencoder
from tfgan_zoo.models.autoregressive import ConditionalPixelCNN, PixelCNN
from tfgan_zoo.models.base import GenerativeModel
from tfgan_zoo.models.boltzmann import RBM
from tfgan_zoo.models.classifier_guidance import ClassifierGuided
from tfgan_zoo.models.conditional import ACGAN, ConditionalGAN, InfoGAN
from tfgan_zoo.models.consistency import Consistency
from tfgan_zoo.models.cyclegan import CycleGAN
from tfgan_zoo.models.density import DensityNetwork
from tfgan_zoo.models.diffusion import Diffusion
from tfgan_zoo.models.energy import EBGAN
from tfgan_zoo.models.flow import NormalizingFlow
from tfgan_zoo.models.flow_matching import FlowMatching
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.models.growing import GrowingStyleGAN, ProgressiveGAN
from tfgan_zoo.models.latent_diffusion import LatentDiffusion
from tfgan_zoo.models.pix2pix import Pix2Pix
from tfgan_zoo.models.pixel_autoencoders import PixelGANAutoencoder, PixelVAE
from tfgan_zoo.models.semi_supervised import SemiSupervisedAutoencoder, SemiSupervisedGAN
from tfgan_zoo.models.stargan import StarGAN
from tfgan_zoo.models.style import StyleGAN
from tfgan_zoo.models.variational import IWAE, VAE
from tfgan_zoo.models.vq import FSQVAE, VQVAE
from tfgan_zoo.registry import create, list_models, register
from tfgan_zoo.runs import Run
from tfgan_zoo.version import __version__
from tfgan_zoo_serving import list_exported, load_exported, sign, verify

__all__ = [
    "ACGAN",
    "EBGAN",
    "FSQVAE",
    "GAN",
    "IWAE",
    "RBM",
    "VAE",
    "VAEGAN",
    "VQVAE",
    "AdversarialAutoencoder",
    "Autoencoder",
    "ClassifierGuided",
    "ConditionalGAN",
    "ConditionalPixelCNN",
    "Consistency",
    "CycleGAN",
    "DensityNetwork",
    "Diffusion",
    "FlowMatching",
    "GenerativeModel",
    "GrowingStyleGAN",
    "InfoGAN",
    "LatentDiffusion",
    "NormalizingFlow",
    "Pix2Pix",
    "PixelCNN",
    "PixelGANAutoencoder",
    "PixelVAE",
    "ProgressiveGAN",
    "Run",
    "SemiSupervisedAutoencoder",
    "SemiSupervisedGAN",
    "StarGAN",
    "StyleGAN",
    "__version__",
    "augmentations",
    "callbacks",
    "cli",
    "compare",
    "conditions",
    "create",
    "data",
    "evaluate",
    "export",
    "human_score",
    "human_sheet",
    "latents",
    "layers",
    "likelihoods",
    "list_exported",
    "list_models",
    "load_exported",
    "load_model",
    "metrics",
    "networks",
    "objectives",
    "penalties",
    "pictures",
    "pixels",
    "priors",
    "profiling",
    "register",
    "runs",
    "runtime",
    "samplers",
    "schedules",
    "sign",
    "tuning",
    "verify",
    "yardsticks",
    "zoo",
]
