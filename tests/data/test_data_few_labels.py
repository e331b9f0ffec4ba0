"""Few labels among many images: what a semi-supervised model is given."""

import numpy as np
import pytest

import tfgan_zoo as tz

LABELS = np.repeat([0, 1, 2], [30, 6, 12])
IMAGES = np.broadcast_to(np.arange(48, dtype="uint8")[:, None, None, None], (48, 4, 4, 1)).copy()  # each its own grey


def test_as_many_of_each_class_by_the_seed():
    rows = tz.data.few_of_each(LABELS, 12, seed=3)
    np.testing.assert_array_equal(np.bincount(LABELS[rows]), [4, 4, 4])
    assert len(set(rows.tolist())) == 12
    np.testing.assert_array_equal(rows, tz.data.few_of_each(LABELS, 13, seed=3))  # what does not divide is left out
    assert set(rows.tolist()) != set(tz.data.few_of_each(LABELS, 12, seed=4).tolist())
    np.testing.assert_array_equal(np.bincount(LABELS[tz.data.few_of_each(LABELS, 30)]), [10, 6, 10])  # all six


def test_half_of_each_batch_has_labels_and_an_epoch_is_all_images():
    rows = tz.data.few_of_each(LABELS, 6)
    batches = list(tz.data.half_labelled(IMAGES, LABELS, rows, batch_size=16))
    assert len(batches) == 48 // 8
    seen = []
    for images, labels in batches:
        grey = np.rint((np.asarray(images)[:, 0, 0, 0] + 1.0) * 127.5).astype(int)
        np.testing.assert_array_equal(labels[:8], LABELS[grey[:8]])
        assert set(grey[:8].tolist()) <= set(rows.tolist())
        assert (np.asarray(labels)[8:] == -1).all()
        seen += grey[8:].tolist()
    assert sorted(seen) == list(range(48))
    again = next(iter(tz.data.half_labelled(IMAGES, LABELS, rows, batch_size=16)))
    np.testing.assert_array_equal(again[0], batches[0][0])


def test_a_gan_learns_from_it():
    model = tz.create("improved_gan", (4, 4, 1), num_classes=3, width=4)
    model.compile()
    data = tz.data.half_labelled(IMAGES, LABELS, tz.data.few_of_each(LABELS, 6), batch_size=16)
    assert np.isfinite(list(model.fit(data, verbose=0).history.values())).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tz.data.few_of_each(LABELS, 2), "count=2: there are 3 classes, and each needs a label"),
        (lambda: tz.data.few_of_each(LABELS, 0), "count=0: give a whole number"),
        (lambda: tz.data.half_labelled(IMAGES, LABELS, [0], batch_size=7), "batch_size=7: half of a batch"),
        (lambda: tz.data.half_labelled(IMAGES, LABELS, [], batch_size=8), "rows is empty"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
