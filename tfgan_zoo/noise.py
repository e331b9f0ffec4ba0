"""Random numbers that are the same in a graph, under XLA and in NumPy: Philox bits, and one way from them to floats.

TensorFlow's stateless draws agree with and without XLA in their bits (alg="philox"), but XLA makes other floats of
them. So the bits are drawn, and turned into floats here by exact arithmetic (uniform) and by Box and Muller (normal).
Rows nest: the first rows of a long draw are the rows of a short one with the same seed. What `generate` draws comes in
blocks of `BLOCK` rows, each with a seed of its own, so that memory is one block's however many images are asked for.
"""

import math
import zlib

import tensorflow as tf

BLOCK = 256  # rows of one seed


def purpose(name):
    """The integer that stands for a purpose of noise in a stateless seed."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def block_seed(seed, block):
    """The stateless seed of a block of generated images: block 0 has the seed's own, the others are folded from it.

    Args:
        seed: integer that `generate` was given.
        block: number of the block, from 0; both may be tensors.
    """
    first = tf.stack([tf.cast(seed, tf.int32), purpose("generate")])
    if not tf.is_tensor(block):
        return fold(first, block) if block else first
    return tf.where(block == 0, first, fold(first, block))


def in_blocks(count, draw, spec):
    """Rows that are drawn block by block, at most `BLOCK` at a time.

    Args:
        count: rows in all, at least 1; may be a tensor.
        draw: function (number of the block, its first row, its rows) -> tensor of so many rows.
        spec: tf.TensorSpec of the result.

    Returns:
        Tensor with `count` rows.
    """
    if not tf.is_tensor(count):
        parts = [draw(first // BLOCK, first, min(BLOCK, count - first)) for first in range(0, count, BLOCK)]
        return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)
    blocks = (count + BLOCK - 1) // BLOCK
    rows = tf.TensorArray(spec.dtype, blocks, infer_shape=False, element_shape=(None, *spec.shape[1:]))

    def next_block(block, rows):
        first = block * BLOCK
        return block + 1, rows.write(block, draw(block, first, tf.minimum(BLOCK, count - first)))

    _, rows = tf.while_loop(lambda block, _: block < blocks, next_block, (0, rows), parallel_iterations=1)
    return rows.concat()


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
