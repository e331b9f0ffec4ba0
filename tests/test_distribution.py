"""Several devices and several machines train what one device trains; a worker that dies costs an epoch at most."""

import inspect
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from recipes import dcgan
from tfgan_zoo import registry

ROOT = pathlib.Path(__file__).parent.parent
RECIPE = ["recipes.dcgan", "--epochs", "2", "--width", "4", "--image-size", "8", "--batch-size", "64", "--quiet"]
# every class of the zoo's models once, where all of batch norm, dropout, noise, labels, codes, state and slices occur
CLIPPED = ["gan", [2], {"dropout": 0.3, "n_critic": 2, "sgd": {"global_clipnorm": 0.1}}]
QUICK = [CLIPPED, ["improved_gan", [2], {}]]
HALF = [["gan", [2], {"precision": "mixed_bfloat16"}], ["gan", [2], {"precision": "mixed_float16"}]]
DENSE = [["ebgan", [2], {}], ["began", [2], {}], ["acgan", [2], {}], ["cgan", [2], {}], ["infogan", [2], {}]]


def command(module, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told_by_replicas(request):
    """What tests.replicas prints."""
    (output,) = finish([command("tests.replicas", request)], seconds=None)
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def check_replicas(entries, share=0.02):
    """One device and two replicas end in the same weights, to 1e-5 or a share of the way."""
    found = told_by_replicas(json.dumps(entries))
    assert [one["name"] for one in found] == [name for name, *_ in entries]
    for one in found:
        assert one["largest"] < 1e-5 or one["apart"] < share * one["moved"], one
        assert one["moved"] > 0.01, one
        assert one["logs"] < 1e-4, one


@pytest.mark.slow
def test_two_replicas_train_like_one_device():
    check_replicas(QUICK)


ALONE = {"group_size": 1}  # the deviation of a group is of one replica's images
OVERRIDES = {name: ALONE for name in tz.list_models() if "group_size" in registry.keywords(name)} | {
    "r3gan": {},  # a group is a number of channels there
    "conditional_r3gan": {"sgd": {}},  # units at a kink: Adam takes a whole step by a gradient that is rounding
}
EVERY = [[[name, [16, 16, 1], OVERRIDES.get(name, {})]] for name in tz.list_models()]


@pytest.mark.slow
@pytest.mark.parametrize("entries", [DENSE, HALF, *EVERY], ids=str)
def test_every_entry_on_two_replicas(entries):
    check_replicas(entries, share=0.05 if entries is HALF else 0.02)  # bfloat16 rounds half a batch otherwise


@pytest.mark.slow
def test_two_replicas_generate_and_score_like_one_device():
    """Of a model made before the strategy and of one made under it, in batches that two devices cannot halve."""
    (found,) = told_by_replicas("ask")
    assert {"plain", "fresh", "one", "batches", "features", "probabilities", "fd_classifier_70"} <= found[
        "apart"
    ].keys()
    for name, apart in found["apart"].items():
        assert apart < (1e-4 if name.startswith("fd_") else 1e-6), found
    assert found["devices"] == [["CPU:0", "CPU:1"]] * 2
    assert found["rows"] == [0, 0, 0, 0, 1, 1, 1]


def test_what_is_shared_out_is_what_one_device_gives(monkeypatch):
    """The way of several devices, taken with one: points by labels, and features from copies of weights."""
    gan = tz.create("cgan", (2,), num_classes=3, width=4)
    points = gan.generate(5, labels=[0, 1, 2, 0, 1], seed=0)
    network = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    extractor = tz.metrics.features.extractor_of(network)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 2, 2, 1))
    found = extractor(images)["features"]
    monkeypatch.setattr(tz.runtime, "_shares", lambda strategy: True)
    tz.runtime.setup(strategy=tf.distribute.MirroredStrategy(["CPU:0"]))
    np.testing.assert_allclose(gan.generate(5, labels=[0, 1, 2, 0, 1], seed=0), points, atol=1e-6)
    np.testing.assert_allclose(extractor(images)["features"], found, atol=1e-6)


def test_setup_makes_a_strategy_current_and_leaves_it():
    assert tz.runtime.replicas() == tz.runtime.workers() == 1
    assert tz.runtime.is_chief()
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    tz.runtime.setup(strategy=strategy)
    assert tf.distribute.get_strategy() is strategy
    tz.runtime.setup(seed=3, strategy=strategy)
    gan = tz.create("gan", (2,), width=4)
    assert gan.distribute_strategy is strategy
    with strategy.scope():
        tz.runtime.setup(seed=3, strategy=strategy)
    tz.runtime.seed_all(3)
    assert tf.distribute.get_strategy() is strategy
    tz.runtime.setup()
    assert not tf.distribute.has_strategy()
    with strategy.scope():
        tz.runtime.setup(seed=3)  # the program's own scope stays
        assert tf.distribute.get_strategy() is strategy
        with pytest.raises(ValueError, match=r"inside a `with strategy\.scope"):
            tz.runtime.setup(strategy=tf.distribute.OneDeviceStrategy("CPU:0"))
    np.testing.assert_array_equal(tz.runtime.gathered([3, -1]), [[3, -1]])


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [("mirored", "Unknown strategy 'mirored'. Did you mean 'mirrored'"), ("multi_worker", "TF_CONFIG.*is not set")],
)
def test_setup_refuses(strategy, sentence, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=sentence):
        tz.runtime.setup(strategy=strategy)


def points_gan(**optimizer):
    tz.runtime.setup(seed=1)
    gan = tz.create("gan", (2,), width=8, dropout=0.0, ema_decay=0)
    gan.compile(keras.optimizers.SGD(0.1, **optimizer), keras.optimizers.SGD(0.1, **optimizer), run_eagerly=True)
    return gan


@pytest.mark.parametrize(("player", "other"), [("generator", "discriminator"), ("discriminator", "generator")])
def test_accumulated_batches_are_one_large_batch(monkeypatch, player, other):
    """Four batches of 8 with gradient_accumulation_steps=4 move a player as one batch of 32 does; the other rests."""
    points = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    latents = np.random.default_rng(1).normal(size=(2, 32, 100)).astype("float32")
    taken = {"critic": 0, "generator": 0}

    def rows(self, purpose, count, index=0):
        first, taken[purpose] = taken[purpose], (taken[purpose] + int(count)) % 32
        return tf.constant(latents[int(purpose == "critic"), first : first + int(count)])

    monkeypatch.setattr(tz.GAN, "latents", rows)

    def trained(batch_size, **optimizer):
        gan = points_gan(**optimizer)
        getattr(gan, f"{other}_optimizer").learning_rate = 0.0
        gan.fit(tf.data.Dataset.from_tensor_slices(points).batch(batch_size), verbose=0)
        return gan

    start, large = points_gan(), trained(32)
    small, still = trained(8, gradient_accumulation_steps=4), trained(8, gradient_accumulation_steps=5)
    for a, b, c, d in zip(*(getattr(gan, player).get_weights() for gan in (start, large, small, still)), strict=True):
        np.testing.assert_allclose(b, c, atol=1e-6)
        np.testing.assert_array_equal(a, d)  # four batches do not make five
        assert np.abs(a - b).max() > 1e-4


def test_replicas_refuse_what_they_cannot_share(monkeypatch):
    gan = tz.create("gan", (2,), width=4, n_critic=2)
    gan.compile()
    monkeypatch.setattr(tz.runtime, "replicas", lambda: 2)
    with pytest.raises(ValueError, match=r"holds 10 images, which 2 replicas cannot share evenly in n_critic=2 .*256"):
        gan.fit(np.zeros((30, 2), "float32"), batch_size=10, verbose=0)
    with pytest.raises(ValueError, match="gradient_accumulation_steps=4, but Keras accumulates on one device"):
        gan.compile(keras.optimizers.SGD(gradient_accumulation_steps=4))


def test_the_page_on_scaling_gives_commands_that_exist():
    page = (ROOT / "docs/scaling.md").read_text(encoding="utf-8").replace("\\\n", " ")
    known = {*tz.cli.MACHINE, *inspect.signature(dcgan.main).parameters}
    lines = re.findall(r"python -m recipes\.dcgan(.*)", page)
    assert len(lines) >= 6
    for line in lines:
        flags = re.findall(r"--([a-z-]+)", line)
        assert {flag.replace("-", "_") for flag in flags} <= known, line
        assert set(re.findall(r"--strategy (\w+)", line)) <= set(tz.runtime.STRATEGIES)
        assert set(re.findall(r"--precision (\w+)", line)) <= set(tz.runtime.PRECISIONS)
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    exec(compile(block, "docs/scaling.md", "exec"), {})


def test_every_recipe_has_the_flags_of_the_machine(monkeypatch, capsys):
    for flags, status, sentence in (
        (["--help"], 0, "--precision"),
        (["--strategy", "mirored"], 2, "Did you mean 'mirrored'"),
        (["--precision", "half"], 2, "Unknown precision 'half'"),
    ):
        monkeypatch.setattr(sys, "argv", ["dcgan", *flags])
        with pytest.raises(SystemExit) as ended:
            tz.cli.run(dcgan.main)
        assert ended.value.code == status
        assert sentence in "".join(capsys.readouterr())


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def workers(module, *arguments):
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in range(2)]
    return [command(module, *arguments, TF_CONFIG=json.dumps(task)) for task in tasks]


def finish(processes, seconds=400):
    outputs = [process.communicate(timeout=seconds)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), (
        outputs[0][-3000:] + outputs[-1][-3000:]
    )
    return outputs


@pytest.mark.slow
def test_two_workers_train_like_one_and_a_killed_worker_comes_back(tmp_path):
    """Labels, codes of noise, batch norm and statistics of the whole batch, over TF_CONFIG on loopback."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish([command("tests.workers", whole, 4)])
    chief, other = workers("tests.workers", cut, 4)
    deadline = time.monotonic() + 400
    while not (cut / "worker_1/checkpoints/epoch_0002").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    chief.communicate(timeout=400)
    assert chief.returncode != 0  # it notices, and leaves what it has to the next start
    first, second = finish(workers("tests.workers", cut, 4))
    assert "goes on after epoch" in first
    assert "goes on after epoch" not in second
    with np.load(whole / "end_0.npz") as one, np.load(cut / "end_0.npz") as two, np.load(cut / "end_1.npz") as three:
        arrays = [list(stored.values()) for stored in (one, two, three)]
    for b, c in zip(*arrays[1:], strict=True):
        np.testing.assert_array_equal(b, c)
    one, two = (np.concatenate([kept.ravel() for kept in stored if kept.dtype.kind == "f"]) for stored in arrays[:2])
    assert np.linalg.norm(one - two) < 0.02 * np.linalg.norm(one)  # Adam spreads rounding; another order of data is 0.3
    assert {path.name for path in (cut / "worker_1").iterdir()} == {"checkpoints", "last.keras"}
    written = {path.name for path in cut.iterdir()} - {"end_0.npz", "end_1.npz", "worker_1"}
    assert written == {"checkpoints", "last.keras", "history.csv", "curves.png", "samples"}
    last = keras.models.load_model(cut / "last.keras")
    assert last.generate(2, seed=0).shape == (2, 8, 8, 1)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["mirrored", "multi_worker"])
def test_a_recipe_trains_scores_and_exports_under_a_strategy(tmp_path, strategy):
    flags = [*RECIPE[1:], "--strategy", strategy, "--out", tmp_path / "out"]
    start = workers if strategy == "multi_worker" else lambda *arguments: [command(*arguments)]
    outputs = finish(start(RECIPE[0], *flags))
    assert "Load it without this package" in outputs[0]
    assert not any("Load it without this package" in output for output in outputs[1:])
    card = json.loads((tmp_path / "out/card.json").read_text())
    assert {"saved_model", "tflite", "keras"} <= set(card["formats"])
    again = finish(start(RECIPE[0], *flags))
    assert "is done already" in again[0]
