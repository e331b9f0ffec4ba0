"""What users give to `fit`: it works, or it is answered by one sentence; nothing is trained on what is not there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LABELS = (np.arange(48) % 4).astype("int32")


def small(name="gan", **overrides):
    tz.runtime.setup(seed=0)
    model = tz.create(name, image_shape=(8, 8, 1), width=4, latent_dim=6, seed=7, **overrides)
    model.compile()
    return model


def weights(model):
    return [np.array(weight) for weight in model.weights]


def one_by_one():
    yield from IMAGES


def unknown_length(batch_size=12):
    spec = tf.TensorSpec((8, 8, 1), tf.float32)
    return tf.data.Dataset.from_generator(one_by_one, output_signature=spec).batch(batch_size)


@pytest.mark.parametrize("name", ["dcgan", pytest.param("began", marks=pytest.mark.slow)])
@pytest.mark.parametrize("together", [1, 3])
def test_a_dataset_of_unknown_length_is_trained_on_what_it_holds(name, together):
    """Keras asks for one batch more than there is; nothing may move, and no loss shrink, by that."""
    ends = []
    for images in (unknown_length(), tf.data.Dataset.from_tensor_slices(IMAGES).batch(12)):
        model = small(name)
        model.compile(steps_per_execution=together)
        history = model.fit(images, epochs=2, verbose=0, validation_data=images).history
        assert int(model.step) == 8
        ends.append((history, weights(model), model.evaluate(images, verbose=0, return_dict=True)))
    for ours, theirs in zip(ends[0][1], ends[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for at in (0, 2):
        assert ends[0][at].keys() == ends[1][at].keys()
        for name in ends[0][at]:
            np.testing.assert_allclose(ends[0][at][name], ends[1][at][name], rtol=1e-5)


def test_unknown_shapes_are_those_of_the_model():
    spec = tf.TensorSpec(None, tf.float32)
    images = tf.data.Dataset.from_generator(
        lambda: (IMAGES[at : at + 12] for at in range(0, 48, 12)), output_signature=spec
    )
    assert np.isfinite(small().fit(images, verbose=0).history["loss"]).all()


class Sequence(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 4

    def __getitem__(self, at):
        return self.images[12 * at : 12 * at + 12]


@pytest.mark.parametrize(
    "given",
    [(IMAGES, LABELS), list(IMAGES), tf.constant(IMAGES), Sequence(IMAGES), "digits"],
    ids=["a tuple", "a list", "a tensor", "a PyDataset", "a name"],
)
def test_other_ways_to_give_images(given):
    assert np.isfinite(small().fit(given, verbose=0).history["loss"]).all()


def test_numpy_integers_are_integers():
    model = small("cgan", num_classes=LABELS.max() + 1, n_critic=np.int64(1))
    assert model.num_classes == 4
    model.fit(IMAGES, LABELS, verbose=0)
    assert model.generate(np.int64(2), labels=[0, 3], seed=np.int32(5)).shape == (2, 8, 8, 1)
    tz.runtime.setup(seed=np.int64(3))


def dataset(images, labels=None):
    return tf.data.Dataset.from_tensor_slices(images if labels is None else (images, labels)).batch(12)


LATE = LABELS.copy()
LATE[30] = 4
TWICE = IMAGES.copy()
TWICE[30] *= 2
TWICE[30, 0, 0] = 2.0
REFUSED = {
    "generator": ("dcgan", lambda m: m.fit(one_by_one()), "Python generator ends once"),
    "unbatched": (
        "dcgan",
        lambda m: m.fit(tf.data.Dataset.from_tensor_slices(IMAGES)),
        "one image at a time: write dat",
    ),
    "dicts": ("dcgan", lambda m: m.fit(dataset({"picture": IMAGES})), "gives dicts of 'picture'"),
    "sizes": ("dcgan", lambda m: m.fit([np.zeros((8, 8, 1)), np.zeros((9, 8, 1))]), "holds 2 shapes of image"),
    "0 to 255": ("dcgan", lambda m: m.fit(Sequence(IMAGES * 127.5 + 127.5)), "images run from 0"),
    "later images": ("dcgan", lambda m: m.fit(dataset(TWICE)), "images leave .* behind the first"),
    "later labels": (
        "cgan",
        lambda m: m.fit(dataset(IMAGES, LATE)),
        "labels of a batch behind the first are outside of 0 to 3",
    ),
    "weights": ("dcgan", lambda m: m.fit(IMAGES, LABELS, sample_weight=np.ones(48)), "sample_weight= is nothing"),
    "class weights": ("dcgan", lambda m: m.fit(IMAGES, class_weight={0: 2.0}), "class_weight= is nothing"),
    "weights of a dataset": (
        "dcgan",
        lambda m: m.fit(tf.data.Dataset.from_tensor_slices((IMAGES, LABELS, np.ones(48))).batch(12)),
        "weights of examples, which dcgan does not use",
    ),
    "uint8 to evaluate": (
        "dcgan",
        lambda m: m.evaluate(dataset((IMAGES * 127.5 + 127.5).astype("uint8"))),
        "images are uint8",
    ),
    "uint8 on a batch": ("dcgan", lambda m: m.train_on_batch(np.zeros((4, 8, 8, 1), "uint8")), "images are uint8"),
    "no labels on a batch": ("cgan", lambda m: m.train_on_batch(IMAGES[:4]), "cgan needs labels"),
    "column loss": ("dcgan", lambda m: _columns(m).fit(IMAGES), r"loss 'discriminator_loss' has the shape"),
}


def _columns(model):
    class Columns(tz.objectives.Objective):
        def discriminator_loss(self, real, fake):
            return fake - real

        def generator_loss(self, fake, real=None):
            return -fake

    return _compiled(tz.GAN(model.generator, model.discriminator, objective=Columns()))


def _compiled(model):
    model.compile()
    return model


@pytest.mark.filterwarnings("ignore:No pixel")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learned_from_is_answered(name):
    entry, call, sentence = REFUSED[name]
    model = small(entry, **({"num_classes": 4} if entry == "cgan" else {}))
    with pytest.raises((ValueError, TypeError), match=sentence):
        call(model)


def test_what_is_odd_is_said_once():
    with pytest.warns(UserWarning, match=r"No pixel of the first batch is below 0"):
        small().fit(dataset(np.abs(IMAGES)), verbose=0)
    with pytest.warns(UserWarning, match=r"2 updates a step, each on its own 6 of a batch's 12 images.*batch .* by 24"):
        small(n_critic=2).fit(dataset(IMAGES), verbose=0)
    with pytest.warns(UserWarning, match=r"labels run from 0 to 3, but cgan has num_classes=10"):
        small("cgan", num_classes=10).fit(IMAGES, LABELS, verbose=0)


def test_ones_own_objective_is_saved(tmp_path):
    model = small()
    own = _compiled(tz.GAN(model.generator, model.discriminator, objective=Own(0.5), seed=1))
    own.fit(IMAGES, verbose=0)
    own.save(tmp_path / "own.keras")
    loaded = keras.models.load_model(tmp_path / "own.keras")
    assert loaded.objective.weight == 0.5
    np.testing.assert_allclose(loaded.generate(2, seed=0), own.generate(2, seed=0), atol=1e-6)


class Own(tz.objectives.Objective):
    """An objective as a user writes it."""

    def __init__(self, weight=1.0):
        self.weight = weight

    def discriminator_loss(self, real, fake):
        return self.weight * keras.ops.mean(keras.ops.softplus(-real) + keras.ops.softplus(fake))

    def generator_loss(self, fake, real=None):
        return self.weight * keras.ops.mean(keras.ops.softplus(-fake))
