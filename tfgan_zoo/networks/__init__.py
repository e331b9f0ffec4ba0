"""Functional Keras graphs, one file a family; `heads` end a discriminator, `labels` tell a network its class."""

from tfgan_zoo.networks import began, dcgan, heads, improved, labels, mlp, resnet

__all__ = ["began", "dcgan", "heads", "improved", "labels", "mlp", "resnet"]
