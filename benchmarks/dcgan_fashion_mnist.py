"""DCGAN on Fashion-MNIST beside a plain Keras DCGAN given the same CPU seconds.

    python -m benchmarks.dcgan_fashion_mnist --epochs 10 --width 32        half an hour on two cores

Both train in turn, epoch by epoch: after each of our epochs the plain one goes on, in steps of 50, until it has spent
the same CPU seconds. They start from the same weights and see the data in the same order. Scores of every epoch are
against 5,000 training images and choose the best epoch; the scores that are reported are of 10,000 images against the
10,000 test images. Written: dcgan_fashion_mnist.json and .png beside this file.
"""

import pathlib
import time

import numpy as np
import typer

import tfgan_zoo as tz
from benchmarks.plain import plain_like

HERE = pathlib.Path(__file__).parent
CHUNK = 50  # steps of the plain model between two looks at the clock


def scored(model, num_images=5000, split="train"):
    """The record of a model; the test split's with 10,000 images."""
    return tz.evaluate(model, "fashion_mnist", num_images=num_images, split=split, floor=split == "test", verbose=False)


def distance(record):
    """fd_classifier of a record."""
    return tz.metrics.records.score(record, "fd_classifier")


class Contender:
    """A model, the CPU seconds it has spent, and its best weights so far."""

    def __init__(self, name, model, networks):
        self.name, self.model, self.networks = name, model, networks
        self.cpu_s, self.best, self.best_epoch, self.weights = 0.0, np.inf, None, None
        self.by_epoch = []

    def train(self, dataset, **arguments):
        """Fit, on the clock."""
        begin = time.process_time()
        self.model.fit(dataset, verbose=0, **arguments)
        self.cpu_s += time.process_time() - begin

    def look(self, epoch):
        """Score against training images, off the clock, and keep the best."""
        found = distance(scored(self.model))
        self.by_epoch.append(found)
        if found < self.best:
            self.best, self.best_epoch = found, epoch
            self.weights = [network.get_weights() for network in self.networks]
        print(f"epoch {epoch:2d}  {self.name:9s}  {self.cpu_s:7.0f} CPU s  fd {found:.3f}", flush=True)

    def report(self, epoch):
        """Test records of the last and the best epoch; the model holds the best afterwards."""
        last = scored(self.model, 10_000, "test")
        for network, weights in zip(self.networks, self.weights, strict=True):
            network.set_weights(weights)
        best = scored(self.model, 10_000, "test")
        return {
            "cpu_s": round(self.cpu_s, 1),
            "by_epoch_train": self.by_epoch,
            "last": {"epoch": epoch, **last},
            "best": {"epoch": self.best_epoch, **best},
        }


def main(
    epochs: int = 10,
    batch_size: int = 64,
    width: int = 64,
    seed: int = 0,
    split: str = "train",
    out: pathlib.Path = HERE,
):
    """Train both, score both, print and write the comparison; `--split "train[:2000]"` for a rehearsal."""
    tz.runtime.setup(seed=seed)
    images = tz.data.load("fashion_mnist", split=split, batch_size=batch_size, seed=seed)
    gan = tz.create("dcgan", image_shape=(28, 28, 1), width=width)
    plain = plain_like(gan)
    gan.compile()
    plain.compile()
    warm = images.take(2)  # compiling is not training; two steps are
    ours, theirs = Contender("tfgan_zoo", gan, [gan.ema_network]), Contender("plain", plain, [plain.generator])
    for contender in (ours, theirs):
        contender.model.fit(warm, verbose=0)
    chunks_an_epoch, chunk = -(-len(images) // CHUNK), 0
    for epoch in range(1, epochs + 1):
        ours.train(images, initial_epoch=epoch - 1, epochs=epoch)
        while theirs.cpu_s < ours.cpu_s:
            tz.data.set_epoch(chunk // chunks_an_epoch)
            theirs.train(images.skip(chunk % chunks_an_epoch * CHUNK).take(CHUNK))
            chunk += 1
        ours.look(epoch)
        theirs.look(epoch)
    result = {"tfgan_zoo": ours.report(epochs), "plain": theirs.report(epochs)}
    result["config"] = {"epochs": epochs, "batch_size": batch_size, "width": width, "seed": seed, "split": split}
    tz.metrics.records.save(result, out / "dcgan_fashion_mnist.json")
    tz.pictures.save_grid(gan.generate(100, seed=seed), out / "dcgan_fashion_mnist.png")
    for which in ("last", "best"):
        a, b = result["tfgan_zoo"][which], result["plain"][which]
        ratio = distance(a) / distance(b)
        print(f"{which}: fd_classifier_10000 {distance(a):.3f} against {distance(b):.3f}, ratio {ratio:.2f}")
        tz.metrics.records.show(a)


if __name__ == "__main__":
    typer.run(main)
