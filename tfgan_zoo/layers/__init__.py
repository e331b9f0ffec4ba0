"""What Keras lacks: constraints, regularisers and layers that papers on generative models describe."""

from tfgan_zoo.layers.attention import PixelAttention
from tfgan_zoo.layers.batch_norm import BatchNormalization
from tfgan_zoo.layers.boltzmann import RestrictedBoltzmann
from tfgan_zoo.layers.conditional_norm import ConditionalBatchNormalization
from tfgan_zoo.layers.constraints import ClipWeights
from tfgan_zoo.layers.energy import ReconstructionEnergy
from tfgan_zoo.layers.equalized import EqualizedRate
from tfgan_zoo.layers.fading import FadeIn
from tfgan_zoo.layers.filters import Blur, FilteredDownsampling, FilteredUpsampling
from tfgan_zoo.layers.group_norm import GroupNormalization, InstanceNormalization
from tfgan_zoo.layers.grouped import GroupedConv2D
from tfgan_zoo.layers.minibatch import MinibatchDiscrimination, MinibatchStdDev
from tfgan_zoo.layers.noisy import Dropout, GaussianNoise
from tfgan_zoo.layers.pixelcnn import GatedPixelCNN
from tfgan_zoo.layers.rectifier import Rectifier
from tfgan_zoo.layers.regularizers import Orthogonal
from tfgan_zoo.layers.scale import SharedScale
from tfgan_zoo.layers.self_attention import SelfAttention
from tfgan_zoo.layers.spectral import SpectralNorm
from tfgan_zoo.layers.styles import AdaIN, Clipped, LearnedMap, ModulatedConv2D, MovingMean, NoiseInjection, PixelNorm
from tfgan_zoo.layers.times import TimeEmbedding
from tfgan_zoo.layers.virtual_batch import VirtualBatchNormalization, WithoutReference, WithReference

__all__ = [
    "AdaIN",
    "BatchNormalization",
    "Blur",
    "ClipWeights",
    "Clipped",
    "ConditionalBatchNormalization",
    "Dropout",
    "EqualizedRate",
    "FadeIn",
    "FilteredDownsampling",
    "FilteredUpsampling",
    "GatedPixelCNN",
    "GaussianNoise",
    "GroupNormalization",
    "GroupedConv2D",
    "InstanceNormalization",
    "LearnedMap",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "ModulatedConv2D",
    "MovingMean",
    "NoiseInjection",
    "Orthogonal",
    "PixelAttention",
    "PixelNorm",
    "ReconstructionEnergy",
    "Rectifier",
    "RestrictedBoltzmann",
    "SelfAttention",
    "SharedScale",
    "SpectralNorm",
    "TimeEmbedding",
    "VirtualBatchNormalization",
    "WithReference",
    "WithoutReference",
]
