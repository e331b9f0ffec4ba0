"""The arithmetic of a step counted two ways, and a profile of a few steps with its summary."""

import functools
import math
import os
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo import profiling

SHAPE, BATCH = (16, 16, 1), 8


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch):
    """No profile is asked for, and the machine's rate is measured with small matrices."""
    monkeypatch.setattr(profiling, "matmul_rate", functools.partial(profiling.matmul_rate, size=256))
    profiling.request(False)
    yield
    profiling.request(False)


def points(steps):
    return tz.data.load(np.zeros((steps * BATCH, 2), "float32"), batch_size=BATCH)


def made(name="gan", shape=(2,), **keywords):
    gan = tz.create(name, shape, width=4, **keywords)
    gan.compile()
    return gan


def multiplications(network):
    """Multiply-adds of one forward pass on one image, layer by layer."""
    counts = []
    for layer in network.layers:
        if (kernel := getattr(layer, "kernel", None)) is not None:
            # a transposed convolution spends its kernel on each pixel that comes in, another on each that goes out
            side = layer.input if isinstance(layer, keras.layers.Conv2DTranspose) else layer.output
            counts.append(math.prod(kernel.shape) * math.prod(side.shape[1:-1]))
    return counts


def backward(layers):
    """Of weights, and of inputs but for the first layer's."""
    return sum(layers) + sum(layers[1:])


def test_the_graph_counts_what_the_layers_say():
    gan = made()
    g, d = multiplications(gan.generator), multiplications(gan.discriminator)
    critic = sum(g) + 2 * (sum(d) + backward(d))
    generator = sum(g) + sum(d) + sum(d) + backward(g)
    spec = (tf.TensorSpec((BATCH, 2), tf.float32), tf.TensorSpec((BATCH,), tf.int32))
    assert profiling.flops_of_step(gan, spec) == 2 * BATCH * (critic + generator)


def test_convolutions_a_penalty_and_its_gradient_are_counted():
    gan = made("wgan_gp", SHAPE, n_critic=2)
    g, d = multiplications(gan.generator), multiplications(gan.discriminator)
    # D forward, its slopes, and their gradient: one product for weights, one for what came from above, but for the top
    penalty = 3 * sum(d) + sum(d[:-1])
    critic = sum(g) + 2 * (sum(d) + backward(d)) + penalty
    generator = sum(g) + sum(d) + sum(d) + backward(g)
    spec = tf.TensorSpec((BATCH * gan.n_critic, *SHAPE), tf.float32)
    expected = 2 * BATCH * (gan.n_critic * critic + generator)
    found = profiling.flops_of_step(gan, spec)
    assert 0.99 * expected < found <= expected  # the top layer's products with ones need not be made


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: tf.matmul(x, tf.ones((6, 3))), 4 * 6 * 3),
        (lambda x: tf.matmul(x, tf.ones((4, 5)), transpose_a=True), 6 * 4 * 5),
        (lambda x: tf.reduce_sum(x * x), 0),
        (lambda x: tf.matmul(x[None], tf.ones((1, 3, 6)), adjoint_b=True), 4 * 6 * 3),
        (lambda x: (tf.matmul(x, tf.ones((6, 3))), x)[1], 0),  # nobody asks for it
    ],
)
def test_products_are_counted_by_their_sides(function, expected):
    class Step:
        train_step = staticmethod(function)

    assert profiling.flops_of_step(Step(), tf.TensorSpec((4, 6), tf.float32)) == 2 * expected


def test_a_profile_is_of_the_steps_asked_for(tmp_path, capsys):
    profile = tz.callbacks.Profile(tmp_path, dataset := points(8), first=11, last=14)
    made().fit(dataset, epochs=2, verbose=0, callbacks=[profile])
    summary = profile.summary
    assert (summary.first, summary.last, summary.images) == (11, 14, BATCH)
    assert len(list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))) == 1
    assert 0 < summary.wait_s < summary.wall_s
    assert 0 < summary.share < 1
    assert summary.share == summary.flops / summary.cpu_s / summary.rate
    assert summary.memory > 50 * 2**20
    said = capsys.readouterr().out
    for line in ("Steps 11 to 14", "step ", "input wait", "images", "arithmetic", "memory", "profile"):
        assert line in said
    assert len(said.strip().splitlines()) < 20


def test_the_wait_is_what_steps_spend_in_asking_for_batches(tmp_path):
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for age, name, events in (
        (10, "newest", (("IteratorGetNextOp::DoCompute", 2), ("MatMul", 40), ("IteratorGetNextOp::DoCompute", 1))),
        (99, "older", (("IteratorGetNextOp::DoCompute", 700),)),
    ):
        space = xplane_pb2.XSpace()
        plane = space.planes.add(name="/host:CPU")
        line = plane.lines.add()
        for number, (event, milliseconds) in enumerate(events):
            plane.event_metadata[number].name = event
            line.events.add(metadata_id=number, duration_ps=milliseconds * 10**9)
        path = tmp_path / "plugins/profile" / name / "host.xplane.pb"
        path.parent.mkdir(parents=True)
        path.write_bytes(space.SerializeToString())
        os.utime(path, (1e9 - age, 1e9 - age))
    assert profiling.input_wait(tmp_path) == pytest.approx(3e-3)


def test_too_short_a_training_is_said_to_be(tmp_path, capsys):
    profile = tz.callbacks.Profile(tmp_path, dataset := points(3))
    made().fit(dataset, verbose=0, callbacks=[profile])
    assert profile.summary is None
    assert "training had 3 steps, and a profile begins before step 10" in capsys.readouterr().err
    assert not (tmp_path / "plugins").exists()
    with pytest.raises(ValueError, match="first=5, last=5"):
        tz.callbacks.Profile(tmp_path, dataset, first=5, last=5)


def test_the_flag_reaches_every_run_and_a_profile_ends_with_its_epoch(tmp_path, monkeypatch, capsys):
    for index in range(28):  # of which a fifth is held out
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.new("L", (8, 8), 7 * index).save(tmp_path / "pictures" / f"{index}.png")
    numbers = {"dataset": str(tmp_path / "pictures"), "epochs": 1, "batch_size": 2}
    config = {**numbers, "image_size": None, "width": 2, "seed": 0}

    def main(times: int = 0):
        for _ in range(times):
            tz.Run(tmp_path / "out", config).train("gan", quiet=True)

    for flags, profiled in (([], False), (["--profile", "--times", "1"], True), (["--profile"], False)):
        monkeypatch.setattr(sys, "argv", ["main", *flags])
        with pytest.raises(SystemExit) as ended:
            tz.cli.run(main)
        assert ended.value.code in (None, 0)
        told = capsys.readouterr()
        assert ("Steps 10 to 11 of training" in told.out) == profiled
        assert ("Nothing is profiled" in told.err) == (flags == ["--profile"])
    assert list((tmp_path / "out/run/profile").glob("plugins/profile/*/*.xplane.pb"))
