"""A GAN whose discriminator is also a classifier that learns from few labels."""

from tfgan_zoo import runtime
from tfgan_zoo.conditions import Classes
from tfgan_zoo.models import checks
from tfgan_zoo.models.conditional import accuracy, class_loss, head_of
from tfgan_zoo.models.gan import GAN
from tfgan_zoo.serialization import serializable


@serializable
class SemiSupervisedGAN(GAN):
    """D is also a classifier that learns from few labels and many images (Salimans et al. 2016, Sec. 5).

    Labels are integers in [0, num_classes), and -1 where an image has none. The generator is unconditional.

    Args:
        generator: functional Keras model, latents -> images.
        discriminator: functional Keras model, images -> {"logits", "classes", "features"}, such as
            `networks.heads.classifier` makes.
        num_classes: C.
        class_weight: of the labelled images' class loss.
        **gan: as for `GAN`.
    """

    def __init__(self, generator, discriminator, *, num_classes, class_weight=1.0, **gan):
        checks.head(discriminator, "classes", Classes(num_classes).num_classes)
        if not class_weight > 0:
            raise ValueError(f"class_weight={class_weight}: D names classes with a positive weight; 1 in the paper.")
        super().__init__(generator, discriminator, **gan)
        self.known, self.class_weight = Classes(num_classes, unknown=True), class_weight

    def read_condition(self, labels):
        """The labels of the images, for D's class loss only; neither network has an input for them."""
        return self.known.as_tensor(labels)

    def auxiliary(self, heads, condition, latents=None):
        """The class loss and the accuracy on labelled real images."""
        if latents is not None:
            return {}
        labels, classes = (
            runtime.all_gather(condition),
            runtime.all_gather(heads["classes"]),
        )
        return {
            "class_loss": self.class_weight * class_loss(classes, labels),
            "class_accuracy": accuracy(classes, labels),
        }

    def classify(self, images, batch_size=500):
        """Logits of the classes, (N, num_classes), in inference mode."""
        return head_of(self.discriminator, images, "classes", batch_size)

    def check_labels(self, labels, count):
        """Raise unless labels are `count` integers in [-1, num_classes), -1 for none."""
        self.known.check(labels, count, self.name)

    def loss_names(self):
        """Those of `GAN`, and the class loss."""
        return (*super().loss_names(), "class_loss")

    def monitor_names(self):
        """Those of `GAN`, and the accuracy on labelled images."""
        return (*super().monitor_names(), "class_accuracy")

    def get_config(self):
        """As for `GAN`, the number of classes and the weight."""
        return super().get_config() | {"num_classes": self.known.num_classes, "class_weight": self.class_weight}
