"""How good are the images? Features → statistics → number, and `evaluate(...)`, which keeps a record of all three."""

from tfgan_zoo.metrics import records
from tfgan_zoo.metrics.clustering import clustering_accuracy
from tfgan_zoo.metrics.comparison import compare
from tfgan_zoo.metrics.disentanglement import dci, mutual_information_gap
from tfgan_zoo.metrics.distances import neighbour_distances
from tfgan_zoo.metrics.evaluation import distance_name, evaluate, extractor_for
from tfgan_zoo.metrics.features import Extractor, classifier_for
from tfgan_zoo.metrics.frechet import Moments, frechet_distance, frechet_from_moments
from tfgan_zoo.metrics.inception import inception_2015, inception_v3
from tfgan_zoo.metrics.kernel import kernel_distance
from tfgan_zoo.metrics.likelihoods import bits_per_dim, log_likelihood
from tfgan_zoo.metrics.measures import best
from tfgan_zoo.metrics.memorisation import authenticity, data_copying
from tfgan_zoo.metrics.ndb import DifferentBins, different_bins
from tfgan_zoo.metrics.neighbours import density_coverage, neighbour_scores, precision_recall
from tfgan_zoo.metrics.own_extractors import train_extractor
from tfgan_zoo.metrics.paired import mean_absolute_error, mean_squared_error, peak_signal_to_noise
from tfgan_zoo.metrics.parzen import parzen_log_likelihood
from tfgan_zoo.metrics.path_length import perceptual_path_length
from tfgan_zoo.metrics.points import high_quality, modes_covered
from tfgan_zoo.metrics.scores import class_histogram, classifier_score, inception_score, modes_present
from tfgan_zoo.metrics.similarity import ms_ssim, ms_ssim_scales
from tfgan_zoo.metrics.sliced import sliced_wasserstein

__all__ = [
    "DifferentBins",
    "Extractor",
    "Moments",
    "authenticity",
    "best",
    "bits_per_dim",
    "class_histogram",
    "classifier_for",
    "classifier_score",
    "clustering_accuracy",
    "compare",
    "data_copying",
    "dci",
    "density_coverage",
    "different_bins",
    "distance_name",
    "evaluate",
    "extractor_for",
    "frechet_distance",
    "frechet_from_moments",
    "high_quality",
    "inception_2015",
    "inception_score",
    "inception_v3",
    "kernel_distance",
    "log_likelihood",
    "mean_absolute_error",
    "mean_squared_error",
    "modes_covered",
    "modes_present",
    "ms_ssim",
    "ms_ssim_scales",
    "mutual_information_gap",
    "neighbour_distances",
    "neighbour_scores",
    "parzen_log_likelihood",
    "peak_signal_to_noise",
    "perceptual_path_length",
    "precision_recall",
    "records",
    "sliced_wasserstein",
    "train_extractor",
]
