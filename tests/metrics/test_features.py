"""Images on their way to features: sizes, channels, your own network."""

import keras
import numpy as np
import pytest

from tfgan_zoo.metrics import features


def network(shape=(8, 8, 1), width=4, **ends):
    images = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(width, 3)(images))
    return keras.Model(images, ends.get("output", lambda x: x)(x), name="mine")


def test_images_are_fitted_by_an_antialiased_resize():
    fine = np.tile(np.array([[1.0, -1.0], [-1.0, 1.0]], np.float32), (8, 8))[None, :, :, None]  # a chessboard of pixels
    assert np.abs(features.fitted(fine, (8, 8, 1)).numpy()[:, 1:-1, 1:-1]).max() < 0.05  # gray, and no pattern


def test_gray_and_rgb_are_converted_into_each_other():
    gray = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1)).astype("float32")
    rgb = features.fitted(gray, (8, 8, 3)).numpy()
    np.testing.assert_array_equal(rgb, np.repeat(gray, 3, axis=3))
    np.testing.assert_allclose(features.fitted(rgb, (8, 8, 1)).numpy(), gray, atol=1e-3)


def test_what_is_done_is_said():
    mine = features.extractor_of(network())
    assert mine.preprocessing((8, 8, 1)) == "none"
    assert mine.preprocessing((16, 12, 3)) == "RGB to gray, bilinear antialiased 16x12 to 8x8"
    assert features.extractor_of(network((None, None, 3))).preprocessing((16, 12, 3)) == "none"
    with pytest.raises(ValueError, match="have 4 channels and the extractor 'mine' wants 1"):
        mine.preprocessing((8, 8, 4))


def test_any_size_goes_through_an_extractor_that_takes_any():
    mine = features.extractor_of(network((None, None, 3)))
    for shape in ((2, 8, 8, 3), (3, 12, 10, 3), (2, 8, 8, 1)):
        assert mine(np.zeros(shape, np.float32))["features"].shape == (shape[0], 4)


def test_named_outputs_are_found():
    model = network(output=lambda x: {"features": x, "probabilities": keras.layers.Softmax()(x), "other": x})
    assert set(features.extractor_of(model)(np.zeros((1, 8, 8, 1)))) == {"features", "probabilities"}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda: "inception", "must be a keras.Model with images in and features"),
        (
            lambda: keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)]),
            r"must have the shape \(N, d\)",
        ),
        (lambda: keras.Sequential([keras.Input((64,)), keras.layers.Dense(4)]), "one input of images"),
        (lambda: network(output=lambda x: {"logits": x}), 'name the output "features"'),
        (lambda: network(output=lambda x: [x, x]), 'name the output "features"'),
    ],
)
def test_networks_that_cannot_serve_are_refused(model, sentence):
    with pytest.raises(ValueError, match=sentence):
        features.extractor_of(model())


def test_networks_that_differ_without_weights_have_different_fingerprints():
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    pooled = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.MaxPooling2D(), keras.layers.Flatten()])
    first, second = map(features.extractor_of, (flat, pooled))
    assert first.hash == second.hash
    assert features.fingerprint(first) != features.fingerprint(second)
    assert features.fingerprint(first) == features.fingerprint(features.extractor_of(flat))


def test_features_that_are_not_finite_are_refused():
    broken = features.extractor_of(network(output=lambda x: keras.ops.log(x - 1e6)))
    with pytest.raises(ValueError, match="'mine' gives features that are NaN"):
        features.collect(broken, [np.zeros((2, 8, 8, 1), np.float32)], 2, "fakes", verbose=False)


def test_progress_shows_only_when_asked(capsys):
    batches = [np.zeros((2, 2), np.float32)] * 3
    features.collect(features.POINTS, batches, 6, "fakes", verbose=False)
    assert capsys.readouterr().out == ""
    features.collect(features.POINTS, batches, 6, "fakes", verbose=True)
    assert "6/6" in capsys.readouterr().out
