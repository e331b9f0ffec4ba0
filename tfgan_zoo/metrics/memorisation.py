"""Are generated images copies of the training set? Nearest neighbours, beside those of images nobody trained on."""

import numpy as np

from tfgan_zoo.metrics import distances


def data_copying(train, held_out, fake):
    """Do generated images lie nearer to the training set than real images do that were held out from it?

    Source: Meehan et al. 2020, Sec. 3.1, over the whole space: a Mann-Whitney test of the distances to the nearest
    training image.

    Args:
        train: (n, d) features, or pixels laid out in rows, of the images that were trained on.
        held_out: (h, d) of real images that were not, such as the test split.
        fake: (m, d) of generated images.

    Returns:
        (share, p_value). share: how often a generated image is nearer to the training set than a held-out one, 0.5 if
        neither is, 1 for copies, less for a model that underfits. p_value: how likely a share this large is by chance;
        below 0.05, say, the model copies.

    Raises:
        ValueError: not matrices of one width, or a value that is not finite.
    """
    train, held_out, fake = distances.alike(train=train, held_out=held_out, fake=fake)
    return copied(*(distances.nearest(images, train)[0] for images in (fake, held_out)))


def copied(fake_distances, held_out_distances):
    """`data_copying` where the distances (m,) and (h,) to the nearest training image are known."""
    from scipy.stats import mannwhitneyu

    test = mannwhitneyu(fake_distances, held_out_distances, alternative="less", method="asymptotic")
    return float(1 - test.statistic / (len(fake_distances) * len(held_out_distances))), float(test.pvalue)


def authenticity(train, fake):
    """The fraction of generated images that are not a training image with noise.

    Source: Alaa et al. 2022, Sec. 4.3 (Eq. 7 and its classifier): a generated image is a copy if it lies nearer to its
    nearest training image than that one lies to any other.

    Args:
        train: (n, d) features, or pixels laid out in rows, of the images that were trained on.
        fake: (m, d) of generated images.

    Returns:
        A float in [0, 1]: 0 for copies. Fresh real images score well below 1, about half, so compare with theirs.

    Raises:
        ValueError: not two matrices of one width, or a value that is not finite.
    """
    train, fake = distances.alike(train=train, fake=fake)
    return authentic(*distances.nearest(fake, train), distances.neighbour_distances(train, 1)[:, 0])


def authentic(distances, index, own):
    """`authenticity` where nearest neighbours are known.

    Args:
        distances: (m,) squared, from each generated image to its nearest training image.
        index: (m,) which one that is.
        own: (n,) squared, from each training image to the nearest other one.
    """
    return float(np.mean(distances > own[index]))
