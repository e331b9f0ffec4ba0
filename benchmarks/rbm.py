"""An RBM's epoch beside scikit-learn's BernoulliRBM, on the same bits.                   python -m benchmarks.rbm

Both have the same units, batches, rate and persistent chains of one step of Gibbs sampling; ours is asked without and
with its offsets (`centred`, the entry's default). CPU seconds are of training alone, paired: a round trains each from
scratch, on one thread, since threads that wait for each other spin, and would count. The pseudo-log-likelihood is one
formula on either one's weights, of the same test images and flipped units.
"""

import os
import statistics
import time
import warnings

import keras
import numpy as np
import tensorflow as tf
import threadpoolctl
import typer
from sklearn.neural_network import BernoulliRBM

import tfgan_zoo as tz

GOAL = 1.0  # of CPU seconds, ours over scikit-learn's


def bits(dataset, split, count, seed):
    """Images as bits (N, D), drawn once."""
    images = tz.data.arrays(dataset, f"{split}[:{count}]")[0].astype("float32") / 255.0
    return (np.random.default_rng(seed).random(images.shape) < images).astype("float32"), images.shape[1:]


def pseudo_log_likelihood(kernel, visible, hidden, images, flips=5):
    """D log p(v_i | the others), of a random unit i of each image (Marlin et al. 2010): nats an image."""
    kernel, visible, hidden = (np.asarray(one, "float64") for one in (kernel, visible, hidden))

    def free_energy(v):
        return -v @ visible - np.logaddexp(0.0, v @ kernel + hidden).sum(axis=1)

    random, found = np.random.default_rng(0), []
    for _ in range(flips):
        units = random.integers(images.shape[1], size=len(images))
        other = images.astype("float64")
        other[np.arange(len(images)), units] = 1.0 - other[np.arange(len(images)), units]
        apart = free_energy(other) - free_energy(images.astype("float64"))
        found.append(-np.logaddexp(0.0, -apart).mean() * images.shape[1])
    return statistics.mean(found)


def theirs(images, shape, units, batch_size, epochs, rate, seed):
    """CPU seconds an epoch, and the parameters."""
    rbm = BernoulliRBM(units, learning_rate=rate, batch_size=batch_size, n_iter=epochs, random_state=seed)
    flat = images.reshape(len(images), -1)
    with threadpoolctl.threadpool_limits(1):
        begin = time.process_time()
        rbm.fit(flat)
        seconds = (time.process_time() - begin) / epochs
    return seconds, (rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)


def ours(images, shape, units, batch_size, epochs, rate, seed, centred):
    """The same of ours; what is traced in a first epoch is not counted, and that epoch's learning is undone."""
    numbers = {"width": units, "chains": batch_size, "centred": centred, "learning_rate": rate, "seed": seed}
    numbers["likelihood"] = tz.likelihoods.Bernoulli(binarise=False)  # they are bits already
    model = tz.create("rbm", image_shape=shape, **numbers)
    model.compile(steps_per_execution=50)
    before = [np.asarray(weight).copy() for weight in model.weights]
    pictures = 2.0 * images - 1.0
    model.fit(pictures, batch_size=batch_size, verbose=0)
    for weight, value in zip(model.weights, before, strict=True):
        weight.assign(value)
    begin = time.process_time()
    model.fit(pictures, batch_size=batch_size, epochs=epochs, verbose=0)
    return (time.process_time() - begin) / epochs, [np.asarray(one) for one in model.layer.parameters()]


def main(
    dataset: str = "fashion_mnist",
    num_images: int = 20_000,
    units: int = 256,
    batch_size: int = 50,
    epochs: int = 3,
    rate: float = 0.05,
    rounds: int = 3,
):
    """Print seconds, their ratio, and pseudo-log-likelihoods."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    train, shape = bits(dataset, "train", num_images, 0)
    test = bits(dataset, "test", 2000, 1)[0].reshape(-1, train[0].size)
    given = (train, shape, units, batch_size, epochs, rate)
    sides = {
        "scikit-learn": lambda seed: theirs(*given, seed),
        "ours": lambda seed: ours(*given, seed, False),
        "ours, centred": lambda seed: ours(*given, seed, True),
    }
    found = {name: [] for name in sides}
    for seed in range(rounds):
        keras.utils.set_random_seed(seed)
        for name, train_one in sides.items():
            seconds, parameters = train_one(seed)
            found[name].append((seconds, pseudo_log_likelihood(*parameters, test)))
    load = os.getloadavg()[0]
    print(f"{dataset}: {num_images:,} images, {units} units, batches of {batch_size}, {epochs} epochs, rate {rate:g}")
    print(f"median of {rounds} rounds; load of the machine {load:.1f}, {os.cpu_count()} cores")
    print(f"{'':<14} {'CPU s/epoch':>11} {'ratio':>6} {'pseudo-log-likelihood, nats':>28}")
    for name, rows in found.items():
        ratio = statistics.median(one[0] / other[0] for one, other in zip(rows, found["scikit-learn"], strict=True))
        nats = [row[1] for row in rows]
        seconds = statistics.median(row[0] for row in rows)
        goal = f"   (goal <= {GOAL:g})" if name != "scikit-learn" else ""
        print(f"{name:<14} {seconds:>11.2f} {ratio:>6.2f} {statistics.mean(nats):>21.1f} ± {np.std(nats):.1f}{goal}")


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    typer.run(main)
