"""The order of the data: a pure function of (seed, epoch, step), without memory and the same after a restart."""

import functools
import threading

import tensorflow as tf

_FIRST_KEY = 498247692  # of tf.random.experimental.index_shuffle: the first pass of stream 0 is its permutation
_STREAM = 1_000_003  # passes after which two streams would meet


@functools.cache
def current_epoch():
    """The process-wide int64 variable that says which epoch's order the next iterator takes."""
    # Under a strategy's scope tf.Variable would be a mirrored one. Scopes belong to a thread, so a fresh one has none.
    made = []
    thread = threading.Thread(target=lambda: made.append(_plain_variable()))
    thread.start()
    thread.join()
    return made[0]


def _plain_variable():
    with tf.device("CPU:0"):
        return tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")


def set_epoch(epoch):
    """Choose the order of every dataset iterated from now on; iterators already begun keep theirs.

    Args:
        epoch: int from 0.
    """
    current_epoch().assign(epoch)


def rows(seed, epoch, step, count, batch_size, shuffle=True):
    """Which images make up a batch: a permutation of range(count) chosen by (seed, epoch), read at this step.

    Args:
        seed: int.
        epoch: int64 scalar.
        step: int64 scalar, the number of the batch within the epoch.
        count: number of images there are.
        batch_size: images per batch; the last batch of an epoch has what is left.
        shuffle: False gives 0, 1, 2, … in every epoch.

    Returns:
        int64 (batch_size,), or fewer at the end.
    """
    return rows_going_round(seed, epoch, step, count, batch_size, shuffle, length=count)


def rows_going_round(seed, epoch, step, count, batch_size, shuffle, length, stream=0):
    """As `rows`, for an epoch of any length: after each pass through range(count) the next has another permutation.

    Args:
        seed, epoch, step, count, batch_size, shuffle: as in `rows`.
        length: images in an epoch.
        stream: int that tells apart the orders of several sources in the same step.

    Returns:
        int64 (batch_size,), or fewer at the end.
    """
    positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    if length % batch_size:
        positions = positions[: length - step * batch_size]
    passes, positions = positions // count, positions % count
    if not shuffle:
        return positions
    # The public index_shuffle, whose first key is this constant, takes one key for all: a batch may span two passes.
    keys = (_FIRST_KEY + _STREAM * stream + passes, *(tf.cast(key, tf.int64) + 0 * passes for key in (seed, epoch)))
    last = tf.constant(count - 1, tf.int64)
    return tf.raw_ops.RandomIndexShuffle(index=positions, seed=tf.stack(keys, axis=1), max_index=last, rounds=4)


def steps(number):
    """A dataset of (epoch, step), both int64 scalars, for the steps 0 … number − 1 of the epoch that is current.

    Args:
        number: of steps in an epoch; the dataset's cardinality.
    """
    # flat_map reads the variable once, when an iterator begins: one that outlives the epoch keeps its permutation.
    variable = current_epoch()
    epoch = tf.data.Dataset.from_tensors(0).map(lambda _: variable.read_value())
    pairs = epoch.flat_map(lambda epoch: tf.data.Dataset.range(number).map(lambda step: (epoch, step)))
    return pairs.apply(tf.data.experimental.assert_cardinality(number))
