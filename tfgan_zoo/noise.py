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


def keys(fractions):
    """Keys for `of_rows` out of uniform numbers that rows start from, bit by bit.

    In two halves, since 2**24 has no place among the constants of a file in float16.

    Args:
        fractions: (N, 2) float32 in [0, 1), multiples of 2**-24.

    Returns:
        uint32 (N, 2) below 2**24.
    """
    half = tf.constant([[4096]], tf.uint32)
    scaled = fractions * 4096.0
    upper = tf.cast(scaled, tf.uint32)
    lower = tf.cast((scaled - tf.cast(upper, tf.float32)) * 4096.0, tf.uint32)
    return upper * half + lower


def of_rows(keys, step, width):
    """Uniform numbers in [0, 1) of rows that carry their own keys: Philox (Salmon et al. 2011) in uint32 arithmetic.

    For loops that draw noise on their way where there is no seed, as in LiteRT, which has these operations and no
    stateless draw.

    Args:
        keys: (N, 2) uint32.
        step: integer, the number of the draw; may be a tensor.
        width: numbers of a row.

    Returns:
        float32 (N, width); a row depends on its key and the step alone.
    """

    def words(*numbers):
        return tf.constant([[*numbers]], tf.uint32)

    sixteen = words(16)

    def low(x):
        return tf.bitwise.right_shift(x * words(65536), sixteen)

    def high(x):
        return tf.bitwise.right_shift(x, sixteen)

    def product(number, x):
        """Upper and lower 32 bits."""
        m_high, m_low = words(number >> 16), words(number & 0xFFFF)
        middle = m_high * low(x) + high(m_low * low(x))
        other = m_low * high(x) + low(middle)
        return m_high * high(x) + high(middle) + high(other), words(number) * x

    xor = tf.bitwise.bitwise_xor
    index, zero = words(*range(-(-width // 4))), keys[:, :1] * words(0)
    x = [index + zero, *3 * [index * words(0) + zero]]
    x[1] += tf.cast(step, tf.uint32)
    one, two = keys[:, :1], keys[:, 1:]
    for _ in range(10):
        (high_0, low_0), (high_1, low_1) = product(0xD2511F53, x[0]), product(0xCD9E8D57, x[2])
        x = [xor(xor(high_1, x[1]), one), low_1, xor(xor(high_0, x[3]), two), low_0]
        one, two = one + words(0x9E3779B9), two + words(0xBB67AE85)
    bits = tf.reshape(tf.stack(x, axis=-1), (-1, 4 * index.shape[1]))[:, :width]
    return tf.cast(tf.bitwise.right_shift(bits, words(8)), tf.float32) * 2.0**-24


def normal_of_rows(keys, step, width):
    """Standard normal numbers of rows that carry their own keys, as `of_rows` draws them: Box & Muller 1958.

    Args:
        keys, step, width: as in `of_rows`.

    Returns:
        float32 (N, width).
    """
    pairs = -(-width // 2)
    fractions = of_rows(keys, step, 2 * pairs)
    ones, others = (tf.gather(fractions, range(first, 2 * pairs, 2), axis=1) for first in (0, 1))
    radius = tf.sqrt(-2.0 * tf.math.log(1.0 - ones))  # 1 - u lies in (0, 1]
    most, rest = 6.28125, 2.0 * math.pi - 6.28125  # in two parts, for files in float16
    angle = most * others + rest * others
    both = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)
    in_turn = [place // 2 + place % 2 * pairs for place in range(width)]  # by gathers: LiteRT goes astray in reshapes
    return tf.gather(both, in_turn, axis=1)


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
