"""Batch normalisation of maps in one kernel."""

import keras
import tensorflow as tf

from tfgan_zoo.serialization import serializable


@serializable
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' BatchNormalization, whose training pass over maps is TensorFlow's fused kernel.

    Ioffe & Szegedy 2015, Algorithm 1. Keras composes it of a dozen operations that each read the maps; the kernel, and
    that of its gradient, read them a few times. Weights, configuration and moments are Keras', so that the files of one
    load into the other. Whatever the kernel does not do is done as in Keras: inference, batches shared by replicas
    (`synchronized`), masks, inputs other than maps (N, height, width, channels).

    Args:
        **keras_arguments: as for `keras.layers.BatchNormalization`.
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._fits(inputs)):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32) if self.scale else tf.ones(inputs.shape[-1:]),
            offset=tf.cast(self.beta, tf.float32) if self.center else tf.zeros(inputs.shape[-1:]),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1.0) / count  # the kernel's is the unbiased one, Keras keeps the other
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average = tf.cast(moving, tf.float32) * self.momentum + now * (1.0 - self.momentum)
            moving.assign(tf.cast(average, moving.dtype))  # bfloat16's and float16's own moments are in half precision
        return outputs

    def plain(self):
        """Keras' own layer of the same name and configuration, for a file that loads without this package."""
        return keras.layers.BatchNormalization.from_config(self.get_config())

    def _fits(self, inputs):
        plain = not self.renorm and not self.synchronized
        return plain and len(inputs.shape) == 4 and self.axis in (-1, 3) and self.compute_dtype != "float64"
