"""What the benchmarks compare with: the shortest two-optimizer Keras DCGAN, as tutorials write it."""

import keras
import tensorflow as tf


class PlainGAN(keras.Model):
    """Algorithm 1 with logits and cross-entropy, and nothing else: no average, no seeds, no state to resume."""

    def __init__(self, generator, discriminator, latent_dim):
        super().__init__()
        self.generator, self.discriminator, self.latent_dim = generator, discriminator, latent_dim
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self.means = [keras.metrics.Mean("discriminator_loss"), keras.metrics.Mean("generator_loss")]
        self.built = True

    def compile(self, **arguments):
        """Adam 2e-4 with beta_1 0.5 for both, as Radford et al. 2016."""
        self.d_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.g_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
        super().compile(optimizer=self.g_optimizer, loss=None, **arguments)

    @property
    def metrics(self):
        """Reset by Keras at every epoch."""
        return self.means

    def train_step(self, data):
        """One update of D, one of G."""
        real = data[0] if isinstance(data, tuple) else data
        count = tf.shape(real)[0]
        fake = self.generator(tf.random.uniform((count, self.latent_dim), -1.0, 1.0), training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            d_loss = self.loss(tf.ones_like(real_logits), real_logits)
            d_loss += self.loss(tf.zeros_like(fake_logits), fake_logits)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.uniform((count, self.latent_dim), -1.0, 1.0), training=True)
            fake_logits = self.discriminator(fake, training=True)
            g_loss = self.loss(tf.ones_like(fake_logits), fake_logits)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        for mean, value in zip(self.means, (d_loss, g_loss), strict=True):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    def stream(self, num_images, labels=None, seed=0, batch_size=256):
        """Batches of images, for `tz.evaluate`."""
        latents = tf.random.stateless_uniform((num_images, self.latent_dim), (seed, 0), -1.0, 1.0)
        for start in range(0, num_images, batch_size):
            yield self.generator(latents[start : start + batch_size], training=False).numpy()


def plain_like(gan):
    """A `PlainGAN` with networks like those of `gan`, which start from the same weights."""
    copies = [keras.models.clone_model(network) for network in (gan.generator, gan.discriminator)]
    for copy, network in zip(copies, (gan.generator, gan.discriminator), strict=True):
        copy.set_weights(network.get_weights())
    return PlainGAN(*copies, gan.latent_dim)
