"""How good are the images? Features → statistics → number, and `evaluate(...)`, which keeps a record of all three."""

from tfgan_zoo.metrics import records
from tfgan_zoo.metrics.clustering import clustering_accuracy
from tfgan_zoo.metrics.evaluation import distance_name, evaluate
from tfgan_zoo.metrics.features import Extractor, classifier_for
from tfgan_zoo.metrics.frechet import Moments, frechet_distance, frechet_from_moments
from tfgan_zoo.metrics.neighbours import precision_recall
from tfgan_zoo.metrics.points import high_quality, modes_covered
from tfgan_zoo.metrics.scores import class_histogram, classifier_score

__all__ = [
    "Extractor",
    "Moments",
    "class_histogram",
    "classifier_for",
    "classifier_score",
    "clustering_accuracy",
    "distance_name",
    "evaluate",
    "frechet_distance",
    "frechet_from_moments",
    "high_quality",
    "modes_covered",
    "precision_recall",
    "records",
]
