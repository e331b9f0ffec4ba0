"""The order of the data: a pure function of (seed, epoch, step)."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.data import load, order, set_epoch

COUNT = 100


@pytest.fixture(autouse=True)
def _first_epoch():
    set_epoch(0)
    yield
    set_epoch(0)


def numbered(count=COUNT):
    """Images that carry their own index as label."""
    return np.zeros((count, 2, 2, 1), "uint8"), np.arange(count)


def labels_of(dataset):
    return np.concatenate([labels for _, labels in dataset.as_numpy_iterator()])


def test_every_image_comes_once_an_epoch_in_an_order_of_its_own():
    dataset = load(numbered(), batch_size=10)
    first = labels_of(dataset)
    set_epoch(1)
    second = labels_of(dataset)
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert np.mean(first == np.arange(COUNT)) < 0.1
    assert np.mean(first == second) < 0.1
    set_epoch(0)
    np.testing.assert_array_equal(labels_of(dataset), first)


def test_the_seed_chooses_the_order_too():
    orders = [tuple(labels_of(load(numbered(), batch_size=10, seed=seed))) for seed in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]


def test_unshuffled_keeps_the_stored_order_in_every_epoch():
    dataset = load(numbered(), batch_size=30, shuffle=False, drop_remainder=False)
    for epoch in (0, 3):
        set_epoch(epoch)
        np.testing.assert_array_equal(labels_of(dataset), np.arange(COUNT))


def test_an_iterator_that_outlives_its_epoch_does_not_mix_two_orders():
    set_epoch(5)
    dataset = load(numbered(), batch_size=1)
    expected = labels_of(dataset)
    iterator = dataset.as_numpy_iterator()
    seen = [next(iterator)[1][0] for _ in range(3)]
    set_epoch(6)
    seen += [labels[0] for _, labels in iterator]
    np.testing.assert_array_equal(seen, expected)
    assert not np.array_equal(labels_of(dataset), expected)


@pytest.mark.slow
def test_a_new_process_at_epoch_three_gives_the_same_order():
    program = (
        "import numpy as np; from tfgan_zoo.data import load, set_epoch; set_epoch(3);"
        "images = np.zeros((100, 2, 2, 1), 'uint8'), np.arange(100);"
        "print('order', *np.concatenate([y for _, y in load(images, batch_size=10, seed=7).as_numpy_iterator()]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    printed = next(line for line in done.stdout.splitlines() if line.startswith("order"))
    set_epoch(3)
    assert list(map(int, printed.split()[1:])) == labels_of(load(numbered(), batch_size=10, seed=7)).tolist()


def everything(seed, epoch, count):
    """A whole epoch as one batch."""
    return order.rows(seed, tf.constant(epoch, tf.int64), tf.constant(0, tf.int64), count, count).numpy()


@pytest.mark.parametrize("count", [2, 3, 7, 64, 1000])
def test_rows_are_a_permutation_of_any_count(count):
    for epoch in range(4):
        found = everything(0, epoch, count)
        assert sorted(found) == list(range(count))


def test_batches_are_stretches_of_the_whole_epoch():
    epoch = tf.constant(2, tf.int64)
    parts = [order.rows(4, epoch, tf.constant(step, tf.int64), COUNT, 30).numpy() for step in range(4)]
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    np.testing.assert_array_equal(np.concatenate(parts), everything(4, 2, COUNT))


def test_orders_of_neighbouring_epochs_are_unrelated():
    orders = [everything(0, epoch, 2000) for epoch in range(6)]
    correlations = np.corrcoef([np.arange(2000), *orders])[np.triu_indices(7, 1)]
    assert np.abs(correlations).max() < 0.1  # 4.5 standard deviations of independent orders


def test_the_epoch_is_a_plain_variable_even_when_first_asked_for_under_a_strategy():
    order.current_epoch.cache_clear()
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        variable = order.current_epoch()
        assert type(tf.Variable(0)) is not type(variable)  # what it would have been
        dataset = load(numbered(), batch_size=10)
    set_epoch(1)
    assert variable.numpy() == 1
    assert sorted(labels_of(dataset)) == list(range(COUNT))


def test_keras_sees_the_epoch_that_a_callback_sets():
    import keras

    seen = []

    class Spy(keras.Model):
        def train_step(self, data):
            seen.append(int(data[1][0]))
            return {"loss": 0.0}

    class Epochs(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            set_epoch(epoch)

    dataset = load(numbered(6), batch_size=1)
    model = Spy()
    model.compile(run_eagerly=True)
    model.fit(dataset, epochs=2, callbacks=[Epochs()], verbose=0)
    expected = []
    for epoch in range(2):
        set_epoch(epoch)
        expected += labels_of(dataset).tolist()
    assert seen == expected
    assert expected[:6] != expected[6:]
