"""Run by test_zoo.py in a process of its own, since a process keeps all that XLA has compiled in it, gigabytes in time.

    python -m tests.compiled dcgan

Trains an entry of the zoo for two steps of ten colour images of 32 x 32, compiled by XLA, and prints a line of JSON:
the means of what it logged.
"""

import json
import sys

import numpy as np

import tfgan_zoo as tz
from tfgan_zoo import registry


def main(name):
    tz.runtime.setup(seed=0)
    once = {"n_critic": 1} if "n_critic" in registry.keywords(name) else {}
    model = tz.create(name, image_shape=(32, 32, 3), width=8, **once)
    model.compile(jit_compile=True)
    images = np.tanh(np.random.default_rng(1).normal(size=(20, 32, 32, 3))).astype("float32")
    labels = (np.arange(20) % 10).astype("int32")
    told = images[::-1] if hasattr(model, "translate") and model.condition is None else labels
    history = model.fit(images, told, batch_size=10, verbose=0).history
    print(json.dumps({key: float(values[0]) for key, values in history.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
