"""Can a classifier learn from the samples? The training behind GAN-train."""

import numpy as np

SETTINGS = {"filters": (16, 32), "kernel": 3, "feature_width": 32, "updates": 400, "batch_size": 64}


def accuracy_of_training_on(train, test, num_classes, seed=0, updates=400, batch_size=64, **network):
    """Train a small classifier on one set of images and test it on another.

    Source: Shmelkov et al. 2018, Sec. 3. Theirs are deep networks trained to the end; this one has a small, fixed
    budget, so that a score costs seconds: its values compare with each other and with real images as `train`.

    Args:
        train: (images float32 (N, height, width, channels) in [-1, 1], labels (N,) integers); -1 stands for no label.
        test: the same, of other images.
        num_classes: C.
        seed: of the initial weights and the order.
        updates: optimizer steps, rounded to whole passes over `train`.
        batch_size: images per update.
        **network: filters, kernel and feature_width of the `classifier.Recipe`.

    Returns:
        The accuracy, in [0, 1], on `test`.

    Raises:
        ValueError: no image has a label.
    """
    from tfgan_zoo.metrics import classifier  # which is also a program: python -m must find it not yet imported

    (images, labels), test = (_labelled(*pair) for pair in (train, test))
    batch_size = min(batch_size, len(images))
    epochs = max(1, round(updates / (len(images) // batch_size)))
    recipe = classifier.Recipe(**network, epochs=epochs, batch_size=batch_size)
    return classifier.fit(recipe, (images, labels), test, num_classes, seed, verbose=0)[1]


def _labelled(images, labels):
    known = np.asarray(labels) >= 0
    if not known.any():
        raise ValueError("No image has a label, and a classifier cannot be trained or tested on them.")
    return images[known], np.asarray(labels)[known]
