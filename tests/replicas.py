"""Run by test_distribution.py in a process of its own: one device and two logical CPUs do alike.

    python -m tests.replicas '[["dcgan", [16, 16, 1], {}], ...]'
    python -m tests.replicas ask

Trains, and prints a line of JSON for each entry: its name, and how far the two end from one another and from the start.
Or asks for images, features and scores, and prints how far they are apart, which devices gave them, and how many rows.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import tfgan_zoo as tz  # noqa: E402  after the devices are divided
from tfgan_zoo import registry  # noqa: E402
from tfgan_zoo.metrics import features  # noqa: E402

STEPS = 3


def trained(strategy, name, image_shape, overrides):
    """Weights before and after three steps, and the logs; "sgd" and "precision" are no overrides of the entry."""
    keras.backend.clear_session()
    overrides = dict(overrides)
    sgd, precision = overrides.pop("sgd", None), overrides.pop("precision", "float32")
    tz.runtime.setup(seed=1, strategy=strategy, precision=precision)
    model = tz.create(name, image_shape=image_shape, width=8, ema_decay=0.5, **overrides)
    model.compile(*([keras.optimizers.SGD(0.5, **sgd), keras.optimizers.SGD(0.5, **sgd)] if sgd is not None else []))
    start = model.get_weights()
    random = np.random.default_rng(0)
    count = STEPS * 8 * model.updates_per_step
    images = random.normal(size=(count, *image_shape)).astype("float32")
    images = np.tanh(images) if len(image_shape) == 3 else images
    labels = np.resize([0, 1, 2, -1] if name == "improved_gan" else [0, 1, 2], count).astype("int32")
    labels[4 : 4 + 4] = -1 if name == "improved_gan" else labels[4 : 4 + 4]  # replicas that know unlike many labels
    told = images[::-1] if hasattr(model, "translate") and model.condition is None else labels
    batches = tf.data.Dataset.from_tensor_slices((images, told)).batch(8 * model.updates_per_step)
    logs = model.fit(batches, verbose=0).history
    return start, model.get_weights(), {name: values[0] for name, values in logs.items()}


def far(ones, others):
    """The largest difference of any weight, and the length of all differences."""
    pairs = [pair for pair in zip(ones, others, strict=True) if pair[0].dtype.kind == "f"]  # but the step's number
    gaps = [one.astype("float64") - other for one, other in pairs]
    return max(np.abs(gap).max() for gap in gaps), float(np.sqrt(sum((gap**2).sum() for gap in gaps)))


def asked(strategy, models):
    """By name: images of models that one device or several made, and their features and scores."""
    tz.runtime.setup(seed=1, strategy=strategy)
    found = {name: model.generate(7, labels=[0, 1, 2] * 2 + [0], seed=3) for name, model in models.items()}
    model = models["fresh"]
    found["one"] = model.generate(1, labels=[2], seed=3)
    found["batches"] = np.concatenate(list(model.stream(70, labels=np.arange(70) % 3, seed=3, batch_size=15)))
    extractor = features.classifier_for("digits")
    found |= features.collect(extractor, np.split(found["batches"], [15, 16]), 70, "images", verbose=False)
    record = tz.evaluate(model, "digits", num_images=70, batch_size=15, labels=np.arange(70) % 3, verbose=False)
    return found | {name: np.asarray(score) for name, score in record["scores"].items()}


def watched(layer, devices):
    """Let a layer tell where it runs."""
    call = layer.call

    def told(*arguments, **keywords):
        outputs = call(*arguments, **keywords)
        devices.add(str(outputs.device)[-5:])
        return outputs

    layer.call = told


def ask():
    """Print {"apart": by name, "devices": [of generator, of extractor], "rows": the replica of each of seven}."""
    models, devices = {}, (set(), set())
    for name, strategy in ("plain", None), ("fresh", "mirrored"):
        tz.runtime.setup(seed=1, strategy=strategy)
        models[name] = tz.create("acgan", image_shape=(8, 8, 1), num_classes=3, width=8)
        models[name].compile()
    one = asked(None, models)
    watched(models["fresh"].ema_network.layers[-1], devices[0])
    watched(features.classifier_for("digits").model.layers[-1], devices[1])
    two = asked("mirrored", models)
    assert one.keys() == two.keys()
    rows = tz.runtime.map_rows_on_devices(
        lambda rows: 0 * rows + tf.distribute.get_replica_context().replica_id_in_sync_group
    )
    found = {"apart": {name: float(np.abs(one[name] - two[name]).max()) for name in one}}
    found |= {"devices": [sorted(places) for places in devices], "rows": rows(tf.zeros(7, "int32")).tolist()}
    print(json.dumps(found), flush=True)


def main():
    for name, image_shape, overrides in json.loads(sys.argv[1]):
        if registry.keywords(name).get("n_critic", 1) > 2:
            overrides = {"n_critic": 2} | overrides
        if "num_classes" in registry.keywords(name):
            overrides = {"num_classes": 3} | overrides
        start, one, logs = trained(None, name, tuple(image_shape), overrides)
        same, two, seen = trained("mirrored", name, tuple(image_shape), overrides)
        assert all((a == b).all() for a, b in zip(start, same, strict=True)), name
        largest, apart = far(one, two)
        found = {"largest": largest, "apart": apart, "moved": far(start, one)[1]}
        found["logs"] = max(abs(logs[key] - seen[key]) / max(1.0, abs(logs[key])) for key in logs)
        print(json.dumps({"name": name, **found}), flush=True)


if __name__ == "__main__":
    ask() if sys.argv[1] == "ask" else main()
