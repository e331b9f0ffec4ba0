"""Run by test_distribution.py, once for each worker: train under TF_CONFIG if it is set, on one device if not.

python -m tests.workers DIRECTORY EPOCHS
"""

import os
import pathlib
import sys

import numpy as np

import tfgan_zoo as tz


def main(directory, epochs):
    tz.runtime.setup(seed=1, strategy="multi_worker" if "TF_CONFIG" in os.environ else None)
    images = tz.data.load("digits", batch_size=64, seed=3)
    model = tz.create("improved_gan", tz.data.shape_of(images), width=32)
    model.compile()
    kept = tz.callbacks.Checkpoint(directory, monitor="fd_classifier")
    callbacks = [tz.callbacks.SampleGrid(directory / "samples"), tz.callbacks.Evaluate("digits", num_images=200)]
    callbacks += [kept, tz.callbacks.Curves(directory / "curves.png", kept), tz.callbacks.Progress()]
    model.fit(images, epochs=epochs, verbose=0, callbacks=callbacks)
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    states = [*model.variables, *optimizers[0].variables, *optimizers[1].variables]
    np.savez(directory / f"end_{tz.runtime.worker()}.npz", *map(np.asarray, states))
    print(f"worker {tz.runtime.worker()} of {tz.runtime.workers()} ends with {kept.history}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
