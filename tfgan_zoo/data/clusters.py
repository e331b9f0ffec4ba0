"""Classes for images that have none: the leaves of a tree of principal components, all of one size."""

import dataclasses
import hashlib
import numbers

import numpy as np
import tensorflow as tf

from tfgan_zoo.data.source import Source, rows_of

_SIDE = 16  # pixels of the side at which images are compared, at most
_FITTED = 50_000  # training images from which the tree is grown, at most
_BATCH = 256  # images that are made small at once
_FLAT = 1e-3  # a smaller deviation is an image of one colour


@dataclasses.dataclass(frozen=True, eq=False)
class Clustered:
    """A source whose labels are clusters of its images, for models of classes and images that nobody has labelled.

    The training images, brightness and contrast set aside, are halved at the median of their first principal
    component, each half at that of its own, and so on. All clusters are of one size (of the 50,000 images at most that
    are looked at), so that labels drawn evenly, as `generate` draws them, give the data's mixture. A GAN that is told
    clusters leaves fewer kinds of images out than one that is told nothing (Liu et al. 2020, whose clusters are
    k-means' in D's features and move as it learns; these are found once, in pixels). Scores against it are those
    against the images; `tz.evaluate` draws labels evenly.

    Args:
        source: as in `load`, images with a split "train"; labels or attributes of its own are left out.
        num_clusters: a power of two, at least 2.

    Raises:
        ValueError: if the number is no power of two.
    """

    source: object
    num_clusters: int = 32
    _trees: dict = dataclasses.field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        given = self.num_clusters
        if isinstance(given, bool) or not isinstance(given, numbers.Integral) or given < 2 or given & (given - 1):
            raise ValueError(f"num_clusters={given!r} is no power of two: give 2, 4, 8, 16, 32 ...")

    def resolve(self, find, data_dir=None):
        """The `Source` that this describes; the tree is grown when the first image is read.

        Args:
            find: function of (source, data_dir) that returns a `Source`.
            data_dir: as in `load`.

        Raises:
            ValueError: if it is not images one by one, or has no training images, or fewer than clusters.
        """
        base = find(self.source, data_dir)
        name, count = base.info.name, base.info.num_images.get("train")
        if base.info.is_points or base.info.is_pairs:
            raise ValueError(f"{name} is {'pairs' if base.info.is_pairs else 'points'}, and Clustered is for images")
        if count is not None and count < self.num_clusters:
            raise ValueError(f"{name} has {count} training images, too few for {self.num_clusters} clusters")
        if base.info.num_images and count is None:
            raise ValueError(f"{name} has no split 'train', in which clusters are found")
        names = tuple(f"cluster {number}" for number in range(self.num_clusters))
        info = dataclasses.replace(base.info, num_classes=self.num_clusters, class_names=names, attribute_names=None)
        if base.rows is None:
            return Source(info, read=lambda split, wanted: self._labelled(base.read(split, wanted)[0], base, wanted))
        return Source(info, rows=lambda split, wanted: self._rows(base.rows(split, wanted), base, wanted))

    def _rows(self, rows, base, wanted):
        def fingerprint():
            return hashlib.sha256(f"{rows.fingerprint()} {self.num_clusters}".encode()).hexdigest()

        return dataclasses.replace(
            rows,
            labelled=True,
            attributes=None,
            read=lambda chosen: self._labelled(rows.read(chosen)[0], base, wanted),
            read_all=None if rows.read_all is None else lambda: self._labelled(rows.read_all()[0], base, wanted),
            fingerprint=fingerprint,
        )

    def _labelled(self, images, base, wanted):
        """Images, and the clusters in which they lie, by the tree of training images that are as large."""
        if wanted.key not in self._trees:
            rows = rows_of(base, "train", wanted)
            chosen = np.linspace(0, rows.shape[0] - 1, min(rows.shape[0], _FITTED)).astype(int)
            parts = [chosen[start : start + _BATCH] for start in range(0, len(chosen), _BATCH)]
            self._trees[wanted.key] = grown(np.concatenate([small(rows.read(part)[0]) for part in parts]), self.depth)
        return images, leaves(self._trees[wanted.key], images)

    @property
    def depth(self):
        """How often images are halved."""
        return int(self.num_clusters).bit_length() - 1


def small(images):
    """Images (N, H, W, C) as float32 vectors, averaged down to at most 16 x 16 pixels, of mean 0 and variance 1 each.

    As they are, the first axis is how bright an image is, which says little of what it shows: told 32 such
    clusters of clothes, `cgan` had a Fréchet distance of 27 where it has 17 of these.
    """
    size = [min(side, _SIDE) for side in images.shape[1:3]]
    vectors = tf.image.resize(images, size, method="area").numpy().reshape(len(images), -1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(vectors.std(axis=1, keepdims=True), _FLAT)


def grown(vectors, depth):
    """A tree that halves vectors at the median of their first principal component, `depth` times.

    Args:
        vectors: (N, d) float32, N >= 2 ** depth.
        depth: of the tree.

    Returns:
        (axes (2 ** depth - 1, d), cuts (2 ** depth - 1,)), float32: node i's children are 2 i + 1 and, above the cut,
        2 i + 2.
    """
    from sklearn.decomposition import PCA

    axes, cuts, members = [], [], [np.arange(len(vectors))]
    for node in range(2**depth - 1):
        here = vectors[members[node]]
        axis = PCA(1, svd_solver="covariance_eigh").fit(here).components_[0]
        along = here @ axis
        order = np.argsort(along, kind="stable")
        low, high = np.split(order, [len(order) // 2])
        axes.append(axis)
        cuts.append((along[low[-1]] + along[high[0]]) / 2.0)
        members += [members[node][low], members[node][high]]
    return np.array(axes, "float32"), np.array(cuts, "float32")


def leaves(tree, images):
    """The leaf of a tree in which each image lies, int32 (N,) from 0."""
    axes, cuts = tree
    nodes = []
    for start in range(0, len(images), _BATCH):
        vectors = small(images[start : start + _BATCH])
        node = np.zeros(len(vectors), int)
        for _ in range(len(cuts).bit_length()):
            node = 2 * node + 1 + (np.einsum("nd,nd->n", vectors, axes[node]) > cuts[node])
        nodes.append(node)
    return (np.concatenate(nodes) - len(cuts)).astype("int32") if nodes else np.zeros(0, "int32")
