"""The Doctor: trainings broken on purpose, a healthy one, and what it may and may not change."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.optimizers import SGD, Adam
from scipy.spatial.distance import pdist

import tfgan_zoo as tz
from tfgan_zoo import doctor

POINTS, LABELS = (array[:4000] for array in tz.data.arrays("ring8"))
GAUSSIAN = tz.data.arrays("gaussian")[0][:4000]


def small(entry="gan", **overrides):
    return tz.create(entry, image_shape=(2,), width=32, latent_dim=2, seed=0, **overrides)


def watched(gan, data=POINTS, epochs=5, callbacks=(), generator=1e-3, discriminator=1e-3, **options):
    """The findings of a training."""
    watch = tz.callbacks.Doctor(**{"reference": data, "patience": 3} | options)
    rates = [Adam(rate, 0.5) if isinstance(rate, float) else rate for rate in (generator, discriminator)]
    gan.compile(*rates, steps_per_execution=40)
    gan.fit(data, batch_size=100, epochs=epochs, verbose=0, callbacks=[*callbacks, watch])
    return watch.findings


def names(findings):
    return [finding.name for finding in findings]


# ---- trainings ----------------------------------------------------------------------------------------------


def test_a_healthy_training_has_no_findings_and_is_the_same_with_the_doctor_as_without(capsys):
    tz.runtime.setup(seed=1)
    seen = small()
    assert watched(seen) == []
    assert "Doctor" not in capsys.readouterr().err
    tz.runtime.setup(seed=1)
    alone = small()
    alone.compile(Adam(1e-3, 0.5), Adam(1e-3, 0.5), steps_per_execution=40)
    alone.fit(POINTS, batch_size=100, epochs=5, verbose=0)
    for one, other in zip(seen.variables, alone.variables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["wgan_gp", "hinge_gan", "lsgan", "ebgan", "began"])
def test_other_objectives_are_healthy_too(entry):
    data = GAUSSIAN if entry == "wgan_gp" else POINTS
    assert watched(small(entry, n_critic=1), data, epochs=8) == []  # a critic wins without bound, as it should


def test_nan_is_told_once_with_its_epoch_and_a_cure_and_training_goes_on(capsys):
    gan = small()
    findings = watched(gan, epochs=3, generator=float("nan"))
    assert names(findings) == ["nan"]
    assert findings[0].epoch == 1
    said = capsys.readouterr().err
    assert said.count("Doctor, epoch 1: ") == 1
    assert "generator_loss, loss, generated images became NaN" in said
    assert "clipnorm=1.0 in both optimizers (Pascanu et al. 2013)" in said
    assert int(gan.step) == 3 * 40


def test_a_discriminator_that_always_wins():
    findings = watched(small(), GAUSSIAN, generator=1e-9, discriminator=3e-2)
    assert names(findings) == ["discriminator wins"]
    assert findings[0].epoch >= 3
    assert "one that knows nothing has 1.39" in findings[0].seen


def test_a_critic_without_bounds_explodes():
    gan = small("wgan", clip=1e9, n_critic=1)
    findings = watched(gan, GAUSSIAN[:400], epochs=40, reference=None, generator=1e-9, discriminator=SGD(9e-4))
    assert names(findings)[0] == "explosion"


def test_a_training_is_stopped_and_rolled_back_where_that_is_asked_for(tmp_path, capsys):
    class Break(keras.callbacks.Callback):
        """Weights become NaN in the fourth epoch; and scores, of which the second is the best."""

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                last = [layer for layer in self.model.generator.layers if isinstance(layer, layers.Dense)][-1]
                last.kernel.assign(last.kernel * np.nan)

        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [5.0, 1.0, 3.0, 9.0][epoch]

    kept = tz.callbacks.Checkpoint(tmp_path, monitor="score")
    gan, watch = small(), tz.callbacks.Doctor(stop=True, roll_back=kept)
    gan.compile(steps_per_execution=40)
    history = gan.fit(POINTS, batch_size=100, epochs=9, verbose=0, callbacks=[Break(), watch, kept])
    assert history.epoch == [0, 1, 2, 3]
    assert names(watch.findings) == ["nan"]
    assert "the model has the weights of epoch 2 again" in capsys.readouterr().err
    assert int(gan.step) == 2 * 40
    assert np.isfinite(gan.generate(5, seed=0)).all()


# ---- what it sees in numbers --------------------------------------------------------------------------------


class Patient:
    """What a generative model shows a Doctor, with images that are given."""

    name, image_shape, condition, stop_training = "patient", (2,), None, False

    def __init__(self, clouds=()):
        self.clouds = iter(clouds)

    def generate(self, num_images, labels=None, seed=None):
        return next(self.clouds, POINTS)[:num_images]


def seen(rows, clouds=(), model=None, **options):
    """(name, epoch) of the findings in rows of logs and in images."""
    watch = tz.callbacks.Doctor(**{"patience": 3} | options)
    watch.set_model(Patient(clouds) if model is None else model)
    watch.set_params({"epochs": len(rows)})
    watch.on_train_begin()
    for epoch, row in enumerate(rows):
        watch.on_epoch_end(epoch, row)
    return [(finding.name, finding.epoch) for finding in watch.findings]


@pytest.mark.parametrize(
    ("scores", "mode", "epoch"),
    [
        ([9, 5, 6, 7, 8], "min", 5),
        ([9, 5, 6, 7], "min", None),
        ([9, 5, 6, 7, 7], "min", None),
        ([9, 5, 6, 7, 6.5, 8, 9], "min", None),
        ([9, 5, 6, 7, 4, 5, 6, 7], "min", 8),
        ([5, 9, 8, 7, 6], "max", 5),
        ([9, 8, 7, 6, 5], "min", None),
    ],
)
def test_a_score_that_only_becomes_worse_since_its_best(scores, mode, epoch):
    rows = [{"fd": score} for score in scores]
    assert seen(rows, monitor="fd", mode=mode) == ([("falling score", epoch)] if epoch else [])
    assert seen(rows) == []


def test_a_code_that_says_nothing_and_a_codebook_that_is_hardly_used():
    assert seen([{"active_units": 0.2}] * 3) == [("posterior collapse", 3)]
    assert seen([{"active_units": 0.2}] * 2 + [{"active_units": 3.0}] * 3) == []
    book = Patient()
    book.num_embeddings = 64
    assert seen([{"perplexity": 2.0}] * 4, model=book) == [("unused codes", 3)]
    assert seen([{"perplexity": 30.0}] * 4, model=book) == []
    assert seen([{"perplexity": 2.0}] * 4) == []  # of a model without a codebook it is something else


def test_scores_that_are_not_taken_in_every_epoch_are_counted_where_they_are():
    rows = [{"fd": 5.0}, {}, {"fd": 6.0}, {}, {"fd": 7.0}, {}, {"fd": 8.0}]
    assert seen(rows, monitor="fd") == [("falling score", 7)]


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [([1, 1, 1, 150], 4), ([1, 1, 1, -150], 4), ([1, 1, 90], None), ([1, 10, 100, 1000], None), ([0, 0.0, 99], None)],
)
def test_a_loss_that_explodes(losses, epoch):
    assert seen([{"loss": loss} for loss in losses]) == ([("explosion", epoch)] if epoch else [])


def test_after_nan_it_goes_on_looking():
    rows = [{"loss": 1.0}, {"loss": float("nan")}, {"loss": 1.0}, {"loss": 1e6}]
    assert seen(rows) == [("nan", 2), ("explosion", 4)]


def test_infinity_is_told_at_once_and_validation_losses_are_not_the_doctors():
    assert seen([{"loss": 1.0}, {"loss": float("inf")}]) == [("nan", 2)]
    assert seen([{"loss": 1.0, "val_loss": float("nan")}]) == []


@pytest.mark.parametrize(
    ("shares", "epoch"),
    [
        ([1, 1, 1, 0.01, 0.01, 0.01, 0.01], 6),  # collapsed, three looks in a row
        ([1, 1, 1, 0.01, 0.01, 0.5, 0.01], None),
        ([0.001, 0.002, 0.004, 0.01, 0.02, 0.04, 0.08, 0.5, 1.0], None),  # grows from nearly nothing
        ([1, 0.9, 0.8, 0.7, 0.6, 0.5], None),
    ],
)
@pytest.mark.parametrize("reference", [None, POINTS])
def test_images_that_become_alike(shares, epoch, reference):
    rows, clouds = [{} for _ in shares], [share * POINTS for share in shares]
    assert seen(rows, clouds, reference=reference) == ([("collapse", epoch)] if epoch else [])


def test_images_are_looked_at_every_so_many_epochs_and_in_the_last():
    class Counted(Patient):
        looks = 0

        def generate(self, *arguments, **options):
            Counted.looks += 1
            return super().generate(*arguments, **options)

    watch = tz.callbacks.Doctor(every=3)
    watch.set_model(Counted())
    watch.set_params({"epochs": 6})
    watch.on_train_begin()
    for epoch in range(6):
        watch.on_epoch_end(epoch, {})
    assert Counted.looks == 3


def blind(gan):
    gan.discriminator.layers[-1].kernel.assign(0.0 * gan.discriminator.layers[-1].kernel)
    return gan


def test_a_discriminator_that_never_wins_though_it_could():
    assert seen([{}] * 4, model=blind(small()), reference=GAUSSIAN) == [("discriminator loses", 3)]
    gan = blind(small())
    assert seen([{}] * 4, model=gan, reference=gan.generate(500, seed=9)) == []  # nobody could tell
    assert ("discriminator loses", 3) in seen([{"discriminator_loss": 1.6}] * 3, model=small(), reference=GAUSSIAN)
    assert seen([{"discriminator_loss": 1.6}] * 2, model=blind(small()), reference=GAUSSIAN) == []


def test_a_model_without_a_discriminator_of_images_is_watched_for_the_rest():
    rows = [{"loss": 1.0, "discriminator_loss": 1e-9}] * 6
    collapsed = [0.01 * POINTS] * 6
    assert seen(rows, collapsed, reference=GAUSSIAN) == [("collapse", 6)]
    of_codes = Patient(collapsed)
    of_codes.networks = {"encoder": None, "discriminator": keras.Sequential([keras.Input((3,)), layers.Dense(1)])}
    of_codes.objective = tz.objectives.NonSaturating()
    assert seen([{"loss": 1.0}] * 6, model=of_codes, reference=GAUSSIAN) == [("collapse", 6)]


def test_images_are_judged_with_their_labels_and_energies_not_at_all():
    watch, gan = tz.callbacks.Doctor((GAUSSIAN, np.zeros(4000, "int32")), num_images=200), small("cgan", num_classes=8)
    watch.set_model(gan)
    watch.on_train_begin()
    fake, labels = np.zeros((200, 2), "float32"), np.asarray(gan.condition.sample(200, 0))
    before = [np.array(variable) for variable in gan.variables]
    real, made = (
        np.asarray(gan.adversary.discriminate(images, one, advance=())["logits"])[:, 0]
        for images, one in ((watch._real, np.zeros(200, "int32")), (fake, labels))
    )
    expected = ((real[:, None] > made).mean() + (real[:, None] >= made).mean()) / 2
    assert watch._auc(fake) == pytest.approx(expected)
    for one, other in zip(before, gan.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    energetic = small("began")
    assert seen([{}] * 4, model=energetic, reference=GAUSSIAN) == []
    with pytest.raises(ValueError, match="reference has no labels, but cgan needs them"):
        begin_without_labels(gan)


def begin_without_labels(gan):
    watch = tz.callbacks.Doctor(GAUSSIAN)
    watch.set_model(gan)
    watch.on_train_begin()


def test_a_generator_of_one_point():
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2, kernel_initializer="zeros")])
    gan = tz.GAN(generator, small().discriminator, objective=tz.objectives.NonSaturating(), seed=0)
    assert ("collapse", 6) in seen([{}] * 7, model=gan, reference=POINTS)


@pytest.mark.parametrize(
    ("objective", "loss"),
    [
        (tz.objectives.NonSaturating(), 2 * np.log(2)),
        (tz.objectives.Hinge(), 2.0),
        (tz.objectives.LeastSquares(), 0.25),
        (tz.objectives.RelativisticAverage(), 2 * np.log(2)),
        (tz.objectives.Wasserstein(), None),
        (tz.objectives.LeCam(tz.objectives.NonSaturating()), 2 * np.log(2)),
    ],
)
def test_what_a_discriminator_that_knows_nothing_loses(objective, loss):
    gan = small(objective=objective)
    assert doctor._ignorant_loss(gan) == (None if loss is None else pytest.approx(loss, abs=1e-3))
    assert doctor._ignorant_loss(small("ebgan")) is None
    assert doctor._ignorant_loss(Patient()) is None


def test_distances_and_the_energy_coefficient():
    one, other = np.random.default_rng(0).normal(size=(2, 50, 3))
    assert doctor._mean_distance(one, one) == pytest.approx(pdist(one).mean())
    assert abs(doctor._energy_coefficient(one, other)) < 0.05
    assert doctor._energy_coefficient(one, other + 3) > 0.3
    assert doctor._energy_coefficient(np.zeros((4, 2)), np.ones((4, 2))) == 1.0
    assert doctor._energy_coefficient(np.zeros((4, 2)), np.zeros((4, 2))) == 0.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mode": "best"}, "mode='best'"),
        ({"patience": 0}, "patience=0: give a whole number of at least 1"),
        ({"every": 1.5}, "every=1.5"),
        ({"num_images": 2}, "num_images=2: give a whole number of at least 4"),
        ({"roll_back": "best"}, "roll_back='best': give the training's tz.callbacks.Checkpoint"),
    ],
)
def test_refuses_in_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tz.callbacks.Doctor(**options)


def test_a_reference_of_another_kind_is_refused_before_training():
    gan = tz.create("gan", image_shape=(8, 8, 1), width=4)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (64, 8, 8, 1)).astype("float32")
    with pytest.raises(ValueError, match="ring8 is points"):
        gan.fit(images, verbose=0, callbacks=[tz.callbacks.Doctor("ring8")])
    assert int(gan.step) == 0
