"""Random numbers that are the same in a graph, under XLA and in NumPy: Philox bits, and one way from them to floats.

TensorFlow's stateless draws agree with and without XLA in their bits (alg="philox"), but XLA makes other floats of
them. So the bits are drawn, and turned into floats here by exact arithmetic (uniform) and by Box and Muller (normal).
Rows nest: the first rows of a long draw are the rows of a short one with the same seed.
"""

import math

import tensorflow as tf


def uniform(shape, seed, low=0.0, high=1.0):
    """Uniform numbers in [low, high), multiples of (high - low) / 2**24.

    Args:
        shape: of the result, the rows first; sizes may be tensors.
        seed: stateless seed, two integers.
        low, high: bounds.

    Returns:
        float32 tensor of `shape`.
    """
    return low + (high - low) * _fractions(shape, seed)


def normal(shape, seed):
    """Standard normal numbers (Box & Muller 1958), at most 5.8 from 0.

    Args:
        shape: of the result, the rows first; sizes may be tensors, but not the last.
        seed: stateless seed, two integers.

    Returns:
        float32 tensor of `shape`.
    """
    *rows, width = shape
    pairs = -(-width // 2)
    fractions = tf.cast(_fractions((*rows, pairs, 2), seed), tf.float64)  # whose logarithms round alike everywhere
    radius = tf.sqrt(-2.0 * tf.math.log(1.0 - fractions[..., 0]))  # 1 - u lies in (0, 1]
    angle = 2.0 * math.pi * fractions[..., 1]
    both = tf.stack([radius * tf.cos(angle), radius * tf.sin(angle)], axis=-1)
    return tf.cast(tf.reshape(both, (*rows, 2 * pairs))[..., :width], tf.float32)


def fold(seed, number):
    """Another stateless seed, made of one and an integer, for a draw of another purpose."""
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def shared(draw, count):
    """This replica's rows of one draw for the whole batch, so that one device and several draw the same.

    Args:
        draw: function number of rows -> tensor with that many rows.
        count: rows of this replica.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas == 1:
        return draw(count)
    rank = tf.distribute.get_replica_context().replica_id_in_sync_group
    return draw(count * replicas)[rank * count : (rank + 1) * count]


def _fractions(shape, seed):
    """The upper 24 of 32 random bits as a fraction in [0, 1), which float32 holds exactly."""
    bits = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * 2.0**-24
