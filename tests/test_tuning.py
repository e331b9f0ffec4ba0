"""Searches: spaces read from signatures, honest data, hopeless trials, crashes, workers, and what is left."""

import importlib.util
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import types

import keras
import keras_tuner
import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from recipes import tune
from tfgan_zoo import registry
from tfgan_zoo.tuning import data_splits, interrupts, report, spaces, trial_callback
from tfgan_zoo.tuning.hypermodel import ZooHyperModel
from tfgan_zoo.tuning.objective import Objective, metrics_for

ROOT = pathlib.Path(__file__).parent.parent
SMALL = {"epochs": 2, "split": "train[:1500]", "batch_size": 250, "quiet": True}
SPACE = {"width": 8, "latent_dim": 3, "n_critic": 1, "beta_1": 0.5, "learning_rate": (1e-4, 1e-2, "log")}
SEARCHED = {"space": SPACE | {"n_critic": [1, 0]}, "max_trials": 3, "seeds": 2}  # 0 is refused by the model


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFGAN_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


# ---- spaces ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tz.list_models())
def test_default_ranges_are_of_what_the_entry_takes_and_build_its_keywords(name):
    wide, narrow = tz.tuning.wide(name), tz.tuning.narrow(name)
    assert set(wide) == set(narrow)
    assert "learning_rate" in wide or "n_critic" not in registry.keywords(name)  # every GAN's
    if not wide:
        pytest.skip("its row names no ranges")
    keywords = set(registry.keywords(name))
    hp, space = keras_tuner.HyperParameters(), spaces.read(name)
    values = {key: dimension.ask(hp, key, spaces.parts(name).get(key)) for key, dimension in space.items()}
    assert set(spaces.arguments(name, values)) <= keywords
    assert not any("." in key for key in spaces.arguments(name, values))
    for key, value in spaces.read(name, narrow).items():  # the narrow lie within the wide
        if isinstance(value, spaces.Range):
            assert space[key].low <= value.low < value.high <= space[key].high


def test_what_an_objective_has_is_searched_only_there():
    assert "penalties.weight" in tz.tuning.wide("wgan_gp")
    assert "penalties.weight" in tz.tuning.wide("dragan")
    assert "penalties.weight" not in tz.tuning.wide("dcgan")
    assert {"objective.gamma", "objective.rate"} < set(tz.tuning.wide("began"))
    assert "objective.gamma" not in tz.tuning.wide("wgan_gp")
    assert "clip" in tz.tuning.wide("wgan")
    assert "beta_1" not in tz.tuning.wide("wgan")  # its RMSprop has none


def test_a_dotted_name_reaches_into_the_default_or_into_what_the_user_fixed():
    given = spaces.arguments("wgan_gp", {"penalties.weight": 3.0, "width": 8})
    assert given == {"penalties": (tz.penalties.GradientPenalty(3.0),), "width": 8}
    given = spaces.arguments("began", {"objective.gamma": 0.7, "objective.rate": 0.01})
    assert given == {"objective": tz.objectives.BoundaryEquilibrium(0.7, 0.01)}
    fixed = {"penalties": (tz.penalties.R1(1.0),)}
    assert spaces.arguments("dcgan", fixed | {"penalties.weight": 5.0}) == {"penalties": (tz.penalties.R1(5.0),)}
    assert "penalties.weight" in spaces.read("dcgan", fixed | {"penalties.weight": (1.0, 5.0)})
    assert "penalties.weight" not in spaces.read("wgan_gp", {"penalties": ()})  # nothing is left to weigh


def test_a_dict_adds_narrows_and_fixes():
    space = spaces.read("dcgan", {"width": [16, 32], "learning_rate": (1e-5, 1e-3, "log"), "n_critic": 1})
    assert space == {
        "learning_rate": spaces.Range(1e-5, 1e-3, log=True),
        "beta_1": spaces.Range(0.0, 0.999),
        "n_critic": spaces.Fixed(1),
        "width": spaces.Choice((16, 32)),
    }
    assert spaces.read("dcgan", {"width": [16]})["width"] == spaces.Fixed(16)
    assert spaces.read("dcgan", {"batch_size": [32, 64]})["batch_size"] == spaces.Choice((32, 64))


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"learning_rat": 1e-3}, "Unknown hyper-parameter of 'dcgan' 'learning_rat'. Did you mean 'learning_rate'"),
        ({"clip": [0.1, 0.2]}, "Unknown hyper-parameter of 'dcgan' 'clip'"),
        ({"penalties.weight": (1.0, 2.0)}, "Unknown hyper-parameter"),
        ({"width": []}, r"space\['width'\] is an empty list"),
        ({"width": (32, 16)}, "from a lower to a higher"),
        ({"learning_rate": (0.0, 1.0, "log")}, "begins above 0"),
        ({"learning_rate": (0.1, 1.0, "logg")}, "Did you mean 'log'"),
        ({"learning_rate": 1e-3, "beta_1": 0.5, "n_critic": 1}, "there is no search"),
        (["width"], "space is a list"),
    ],
)
def test_bad_spaces(space, sentence):
    with pytest.raises(ValueError, match=sentence):
        spaces.read("dcgan", space)


def test_numbers_have_four_digits_stay_in_their_range_and_survive_float32():
    for dimension in (spaces.Range(1e-5, 1e-2, log=True), spaces.Range(0.0, 0.999), spaces.Range(16, 64)):
        asked, drawn = keras_tuner.HyperParameters(), []
        dimension.ask(asked, "it", None)
        for seed in range(200):
            number = asked.space[0].random_sample(seed)
            exact, crossed = keras_tuner.HyperParameters(), keras_tuner.HyperParameters()
            exact.values["it"], crossed.values["it"] = number, type(number)(np.float32(number))
            drawn.append(dimension.ask(exact, "it", None))
            assert drawn[-1] == dimension.ask(crossed, "it", None)
            assert dimension.low <= drawn[-1] <= dimension.high
            assert drawn[-1] == float(f"{drawn[-1]:.4g}")
        if dimension.log:  # as many in each decade
            counts = np.histogram(np.log10(drawn), bins=[-5, -4, -3, -2])[0]
            assert counts.min() > 40
        assert isinstance(drawn[0], int) == dimension.whole


def test_a_choice_takes_values_of_any_kind_and_begins_with_the_entrys_own():
    objectives = [tz.objectives.Hinge(), tz.objectives.NonSaturating()]
    cases = [objectives, [None, 0.5], [True, False], [0.1, 0.25], [1, 5], ["a", "b"]]
    for values in cases:
        for own in values:
            hp = keras_tuner.HyperParameters()
            dimension = spaces.Choice(tuple(values))
            assert dimension.ask(hp, "it", own) is own
            seen = set()
            for seed in range(20):
                hp.values["it"] = hp.space[0].random_sample(seed)
                seen.add(values.index(dimension.ask(hp, "it", own)))
            assert seen == {0, 1}
            json.dumps(dimension.described())


def test_numpys_numbers_are_numbers():
    space = spaces.read("dcgan", {"width": list(np.arange(8, 24, 8)), "beta_1": tuple(np.float32([0.25, 0.5]))})
    assert space["width"] == spaces.Choice((8, 16))
    assert space["beta_1"] == spaces.Range(0.25, 0.5)
    json.dumps([dimension.described() for dimension in space.values()])
    gan = tz.create("gan", np.array([2]), width=np.int64(8), n_critic=np.int32(2))
    assert json.loads(json.dumps(gan.get_config()))["n_critic"] == 2


# ---- entries of anybody's ---------------------------------------------------------------------------------------


@pytest.fixture
def registered():
    """Registers for one test."""
    kept = dict(registry._ENTRIES)
    yield registry.register
    registry._ENTRIES.clear()
    registry._ENTRIES.update(kept)


class Sharpened(tz.GAN):
    """A family of somebody else's, with a keyword of its own."""

    def __init__(self, *networks, sharpness=1.0, **gan):
        super().__init__(*networks, **gan)
        self.sharpness = sharpness


def test_an_entry_may_extend_anybodys_class(registered):
    @registered(extends=Sharpened, ranges={"sharpness": (0.5, 2.0), "learning_rate": [1e-3, 1e-4], "clip": [1, 2]})
    def sharpened(image_shape, *, width=8, learning_rate=1e-3, **model):
        networks = tz.networks.mlp.generator(image_shape, 3, width), tz.networks.mlp.discriminator(image_shape, width)
        return Sharpened(*networks, **{"objective": tz.objectives.Hinge()} | model)

    assert {"sharpness", "n_critic", "width", "seed"} < set(registry.keywords("sharpened"))
    assert registry.keywords("sharpened")["sharpness"] == 1.0
    assert tz.create("sharpened", (2,), sharpness=3.0, n_critic=2).sharpness == 3.0
    assert tz.tuning.wide("sharpened") == tz.tuning.narrow("sharpened")
    assert tz.tuning.wide("sharpened") == {"sharpness": (0.5, 2.0), "learning_rate": [1e-3, 1e-4]}  # it has no clip


def test_an_entry_may_extend_another_with_its_defaults_and_ranges(registered):
    @registered(extends=tz.zoo.wgan, ranges={"width": [16, 32]})
    def wide_wgan(image_shape, *, width=128, **numbers):
        return tz.zoo.wgan(image_shape, **{"width": width, "name": "wide_wgan"} | numbers)

    assert registry.keywords("wide_wgan") == registry.keywords("wgan") | {"width": 128}
    assert tz.tuning.wide("wide_wgan") == tz.tuning.wide("wgan") | {"width": [16, 32]}
    assert tz.create("wide_wgan", (2,), width=4).name == "wide_wgan"

    @registered(extends=tz.zoo.wgan)
    def closed(image_shape, *, width=128):
        """Passes nothing on."""

    assert registry.keywords("closed") == {"width": 128}


def test_an_entry_without_ranges_is_searched_where_the_user_says(registered):
    @registered
    def bare(image_shape, *, depth=2, rate=1e-3, objective=None):
        """Never built."""

    assert tz.tuning.wide("bare") == {}
    with pytest.raises(ValueError, match="'bare' has no ranges to begin with: give a space over some of depth, rate"):
        spaces.read("bare")
    assert spaces.read("bare", {"depth": [1, 2]}) == {"depth": spaces.Choice((1, 2))}


class Toy(tz.GenerativeModel):
    """One network, one loss: points whose mean and spread are the data's."""

    def __init__(self, network, *, image_shape, **model):
        super().__init__({"network": network}, image_shape=image_shape, **model)

    def loss_names(self):
        return ("loss_of_moments",)

    def batch_losses(self, images, condition, training):
        seed = self.noise_seed("z")
        fake = self.network(self.start(keras.ops.shape(images)[0], seed)["z"], training=training)
        apart = [of(fake, axis=0) - of(images, axis=0) for of in (keras.ops.mean, keras.ops.std)]
        return {"loss_of_moments": sum(keras.ops.sum(one**2) for one in apart)}

    def start(self, rows, seed):
        return {"z": tz.priors.Normal().sample(rows, 2, seed)}


@pytest.fixture
def toy(registered):
    @registered(extends=Toy, ranges={"learning_rate": (1e-4, 1e-1, "log")})
    def toy(image_shape, *, width=8, learning_rate=1e-2, **model):
        network = tz.networks.mlp.generator(image_shape, 2, width)
        optimizers = {"network_optimizer": keras.optimizers.Adam(learning_rate)}
        return Toy(network, image_shape=image_shape, **optimizers | model)


def test_a_family_of_one_network_is_searched_like_any_other(toy):
    assert "n_critic" not in registry.keywords("toy")
    model = ZooHyperModel("toy", "ring8", epochs=2, split="train[:1500]", batch_size=250)
    run = model.run(keras_tuner.HyperParameters(), seed=0)
    assert (run["ended"], run["epochs"]) == ("all epochs", 2)
    assert run["score"] < model.objective.untrained


@pytest.mark.parametrize(("name", "meant"), [("DCGAN", "dcgan"), ("wgan-gp", "wgan_gp"), ("WGAN-GP", "wgan_gp")])
def test_capitals_and_hyphens_are_understood(name, meant):
    with pytest.raises(ValueError, match=f"Unknown model '{name}'. Did you mean '{meant}'"):
        tz.create(name, (8, 8, 1))


# ---- data -----------------------------------------------------------------------------------------------------------


def test_three_parts_share_no_image_and_every_class_is_in_each():
    points = np.arange(2000, dtype="float32").reshape(1000, 2)
    labels = np.repeat(np.arange(10), 100)  # sorted, as in a folder
    found = data_splits.read((points, labels), validation=150)
    parts = [found.train, found.validation, found.test]
    assert [len(images) for images, _ in parts] == [650, 150, 200]
    rows = [{int(x) // 2 for x in images[:, 0]} for images, _ in parts]
    assert set.union(*rows) == set(range(1000))
    for images, classes in parts:
        assert set(classes) == set(range(10))
        np.testing.assert_array_equal(classes, images[:, 0].astype(int) // 200)
    again = data_splits.read((points, labels), validation=150)
    np.testing.assert_array_equal(again.train[0], found.train[0])
    assert again.description == found.description


def test_a_source_keeps_its_own_validation_and_test_splits():
    digits = data_splits.read("digits")
    assert len(digits.train[0]) == 1077
    assert len(digits.validation[0]) == 360
    assert digits.test is None
    assert digits.description["test"] == "test"
    carved = data_splits.read("digits", validation=200, image_size=16)
    assert (len(carved.train[0]), len(carved.validation[0])) == (877, 200)
    assert carved.image_shape == carved.test[0].shape[1:] == (16, 16, 1)
    assert registry.keywords_from("acgan", digits.info) == {"num_classes": 10}
    assert registry.keywords_from("dcgan", digits.info) == {}
    assert registry.keywords_from("diffusion", digits.info) == {}  # `guided_diffusion` is the one with classes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"split": "test"}, "learns and chooses on training images"),
        ({"split": "train+test[:100]"}, "learns and chooses on training images"),
        ({"validation": 1076}, "nothing to train on"),
        ({"validation": 0}, "validation=0"),
    ],
)
def test_bad_parts(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        data_splits.read("digits", **arguments)


def test_data_that_nothing_can_score_or_that_has_no_classes():
    images = np.random.default_rng(0).integers(0, 255, (100, 8, 8, 1)).astype("uint8")
    with pytest.raises(ValueError, match="No classifier is shipped"):
        ZooHyperModel("gan", images, epochs=1)
    with pytest.raises(ValueError, match="has no classes, but 'cgan'"):
        registry.keywords_from("cgan", data_splits.read("gaussian", "train[:100]").info)


def test_diversity_is_one_for_data_and_nought_for_one_image():
    digits = data_splits.read("digits")
    real = digits.validation[0][:256] / 127.5 - 1.0
    assert digits.diversity(real) == pytest.approx(1.0, abs=0.1)
    assert digits.diversity(np.repeat(real[:1], 256, axis=0)) == 0.0


# ---- trials that end early ------------------------------------------------------------------------------------------


def scored(value, **more):
    return {"scores": {"fd_points_100": value, "recall_points_100": 0.5} | more, "protocol": {"num_generated": 100}}


OBJECTIVE = Objective("fd_points", scored(50.0))


def trained(scores, diversities=None, losses=None, **watched):
    """A `TrialCallback` after epochs with these scores, diversities and losses."""
    scores = list(scores)
    diversities = iter(diversities or [1.0] * len(scores))
    answers = iter(scores)
    stub = types.SimpleNamespace(score=lambda model: scored(next(answers)), diversity=lambda images: next(diversities))
    callback = trial_callback.TrialCallback(stub, OBJECTIVE, **watched)
    model = types.SimpleNamespace(
        stop_training=False, generate=lambda count, seed: np.zeros((count, 2)), get_weights=lambda: [callback.epoch]
    )
    callback.set_model(model)
    callback.set_params({"epochs": len(scores)})
    for epoch, loss in enumerate(losses or [1.0] * len(scores)):
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            break
    return callback


def test_a_run_that_nothing_ends_has_the_score_of_its_best_look():
    callback = trained([9.0, 4.0, 6.0], keep=True)
    run = callback.run()
    assert (run["score"], run["best"]["epoch"], run["epochs"], run["ended"]) == (4.0, 2, 3, "all epochs")
    assert not run["hopeless"]
    assert callback.weights == [2]


def test_a_run_with_nan_stops_and_counts_as_untrained():
    run = trained([9.0, 4.0, 6.0], losses=[1.0, np.nan, 1.0]).run()
    assert run["ended"] == "diverged: NaN in epoch 2"
    assert (run["score"], run["hopeless"], run["best"]) == (50.0, True, None)
    assert trained([9.0, np.nan]).run()["ended"] == "diverged: fd_points is nan in epoch 2"
    middle = trained([])
    middle.on_train_batch_end(0, {"loss": np.inf})
    assert middle.ended == "diverged: NaN in epoch 1"
    assert middle.model.stop_training


def test_a_collapsed_run_stops_but_one_that_only_begins_does_not():
    run = trained([9.0, 8.0, 7.0, 6.0], diversities=[0.5, 0.05, 0.04, 0.5]).run()
    assert run["ended"].startswith("collapsed: diversity 0.05")
    assert (run["score"], run["epochs"]) == (50.0, 2)
    growing = trained([9.0, 8.0, 7.0], diversities=[0.01, 0.05, 0.3]).run()
    assert growing["ended"] == "all epochs"
    assert trained([9.0, 8.0], diversities=[0.05, 0.04], floor=0.0).run()["ended"] == "all epochs"


def test_patience_ends_a_run_that_keeps_its_score():
    run = trained([9.0, 4.0, 5.0, 6.0, 7.0, 1.0], patience=2).run()
    assert run["ended"] == "no better for 3 looks, since epoch 2"
    assert (run["score"], run["hopeless"], run["epochs"]) == (4.0, False, 5)
    assert trained([9.0, 4.0, 5.0, 6.0, 1.0], patience=2).run()["score"] == 1.0


def test_looks_come_every_so_many_epochs_and_at_the_end():
    assert [look["epoch"] for look in trained([5.0] * 7, every=3).run()["looks"]] == [3, 6, 7]


def test_images_that_cannot_be_scored_are_a_reason_and_no_error():
    callback = trained([])
    callback.splits.score = lambda model: (_ for _ in ()).throw(ValueError("a blank"))
    callback.on_epoch_end(0, {"loss": 1.0})
    assert callback.run()["ended"] == "not scored in epoch 1: a blank"


def test_an_objective_knows_which_way_is_better():
    untrained = scored(50.0, class_histogram=[0.5, 0.5], kid_points_100=0.3, ms_ssim_100=0.2, sliced_wasserstein_64=9.0)
    assert (OBJECTIVE.name, OBJECTIVE.direction, OBJECTIVE.untrained) == ("fd_points", "min", 50.0)
    assert Objective(None, untrained) == OBJECTIVE
    recall = Objective("recall_points_100", untrained)
    assert (recall.name, recall.direction, recall.untrained) == ("recall_points", "max", 0.5)
    assert recall.better_than(0.9, 0.8)
    assert [Objective(name, untrained).direction for name in ("kid_points", "kid", "sliced_wasserstein")] == ["min"] * 3
    assert Objective("kid", untrained).of(scored(1.0, kid_points_500=0.1)) == 0.1  # of another count of images
    inception = {"scores": {"fid_inception2015_50000_clean": 7.0, "inception_score_inception2015_50000": 1.0}}
    fid = Objective("fid_inception2015", inception)
    assert (fid.name, fid.direction) == ("fid_inception2015_clean", "min")
    assert Objective("inception_score", inception).direction == "max"
    assert Objective(None, inception) == fid
    for name, sentence in {
        "fd_pints": "Did you mean 'fd_points_100'",
        "class_histogram": "no single number",
        "ms_ssim": "ms_ssim' has no better side: take one such as 'fd_points'",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            Objective(name, untrained)


def test_a_score_that_is_not_usual_is_asked_for_beside_the_usual_ones_that_apply():
    assert metrics_for(None, scored(1.0)) is metrics_for("recall_points", scored(1.0)) is None
    assert metrics_for("nothing", scored(1.0)) is None  # the objective itself names the nearest
    assert metrics_for("kid", scored(1.0, class_histogram=[1.0])) == (
        "fd",
        "precision_recall",
        "class_histogram",
        "kid",
    )


# ---- ranking --------------------------------------------------------------------------------------------------------


def ended(trial, score, spread=None, hopeless=False, goes_on_from=None):
    return {"trial": trial, "score": score, "spread": spread, "hopeless": hopeless, "goes_on_from": goes_on_from} | {
        "ended": "all epochs"
    }


def places(trials, direction="min"):
    return [(one["trial"], one["rank"]) for one in report.ranked(trials, direction)]


def test_a_rank_counts_those_that_are_better_by_more_than_the_larger_spread():
    trials = [ended("0", 3.0, 0.5), ended("1", 1.0, 0.2), ended("2", 1.6, 0.7), ended("3", 1.3, 0.1)]
    assert places(trials) == [("1", 1), ("3", 2), ("2", 1), ("0", 4)]
    assert places([ended("0", 1.0), ended("1", 1.1), ended("2", 1.0)]) == [("0", 1), ("2", 1), ("1", 3)]
    assert places([ended("0", 0.2), ended("1", 0.9)], "max") == [("1", 1), ("0", 2)]
    found = {"trials": report.ranked(trials, "min"), "direction": "min", "objective": "fd", "untrained": 9.0}
    told = " ".join(report.sentences(found | {"config": {"seeds": 3, "validation": "100 of train"}}))
    assert "Within the spread of 3 seeds the first and trial 2 are a tie." in told
    alone = found | {"trials": found["trials"][:2], "config": {"seeds": 3, "validation": "100 of train"}}
    assert "ahead of the others by more than the spread of 3 seeds" in " ".join(report.sentences(alone))
    luck = found | {"config": {"seeds": 1, "validation": "100 of train"}}
    assert "how much of a difference is luck cannot be told" in " ".join(report.sentences(luck))


def test_hopeless_trials_come_last_and_those_that_went_on_after_what_they_became():
    trials = [ended("0", 9.0), ended("1", 0.5, hopeless=True), ended("2", 1.0, goes_on_from="3"), ended("3", 0.9)]
    assert places(trials) == [("2", 1), ("0", 2), ("3", 3), ("1", 4)]
    assert report.ranked(trials, "min")[2]["ended"] == "went on as trial 2"


@pytest.mark.parametrize(
    "values", [[5.0, 5.01, 9.0], [1e-5, 3e-4, 1e-2, 2e-3, 1e-4, 9e-3], ["b", "a"], [True, False], [7]]
)
def test_an_axis_of_the_parallel_picture_runs_from_foot_to_top_and_its_texts_stand_apart(values):
    column = report._Column("it", values)
    places, ticks = [column.place(value) for value in values], sorted(place for place, _ in column.ticks())
    assert (min(places), max(places)) == ((0.5, 0.5) if values == [7] else (0.0, 1.0))
    assert all(second - first > 0.05 for first, second in itertools.pairwise(ticks))
    if len(values) == 6:  # over three decades: logarithmic
        assert places[4] == pytest.approx(1 / 3)


def test_the_live_table_shows_trials_that_ended_and_trials_that_run(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    monkeypatch.setenv("COLUMNS", "120")
    done = [ended("0", 3.5, 0.5) | {"values": {"width": 8}, "epochs": 2, "wall_s": 12.3, "cpu_s": 9.0}]
    with report.View(OBJECTIVE, ["width"], lambda: done, total=3) as view:
        view.begin("1", {"width": 16})
        view.look("1", 1, 7.25)
    told = capsys.readouterr().err
    for text in ("1 of 3 trials", "3.5 ± 0.5", "all epochs", "12", "7.25", "running"):
        assert text in told
    with report.View(OBJECTIVE, ["width"], lambda: done, total=3, quiet=True) as view:
        view.begin("1", {"width": 16})
        view.end(done[0] | {"trial": "1"})
    assert capsys.readouterr().err == ""


# ---- a search from its first trial to its export --------------------------------------------------------------------


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search of three trials over points, one of which cannot be built; interrupted in its second, and continued."""
    directory, run, begun = tmp_path_factory.mktemp("searched") / "out", ZooHyperModel.run, []

    def cut(model, hp, seed, **arguments):
        begun.append(seed)
        if len(begun) == 4:  # the second trial's second run
            raise KeyboardInterrupt
        return run(model, hp, seed, **arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ZooHyperModel, "run", cut)
        with pytest.raises(KeyboardInterrupt):
            search(directory, **SEARCHED)
    kept = {path: path.stat().st_mtime_ns for path in directory.glob("run/trial_*/record.json")}
    ongoing = json.loads((directory / "run/oracle.json").read_text())["ongoing_trials"]
    stray = directory / "run/trial_2"  # as if killed between a trial's own file and the oracle's
    stray.mkdir()
    trial = json.loads((directory / "run/trial_1/trial.json").read_text())
    (stray / "trial.json").write_text(json.dumps(trial | {"trial_id": "2"}))
    return search(directory, **SEARCHED), directory, kept, ongoing


def search(directory, space=SPACE, **numbers):
    return tz.tuning.search("gan", "ring8", space, directory=directory, **{"tuner": "random"} | SMALL | numbers)


@pytest.mark.slow
def test_a_search_leaves_ranking_pictures_and_an_export_with_the_search_in_its_card(searched):
    found, directory, *_ = searched
    assert {path.name for path in directory.iterdir()} == {
        "ranking.md", "ranking.json", "budget.png", "parallel.png", "best", "run",
    }  # fmt: skip
    assert json.loads((directory / "ranking.json").read_text()) == found
    assert found["objective"] == "fd_points"
    assert [int(one["trial"]) for one in sorted(found["trials"], key=lambda one: one["trial"])] == [0, 1, 2]
    best = found["trials"][0]
    assert best["rank"] == 1
    assert best["spread"] > 0
    assert best["score"] == pytest.approx(np.mean([run["score"] for run in best["runs"]]))
    confirmed = found["confirmed"]
    assert confirmed["values"] == best["values"]
    assert confirmed["seed"] not in {run["seed"] for one in found["trials"] for run in one["runs"]}
    text = (directory / "ranking.md").read_text()
    assert all(f"| {one['trial']} |" in text for one in found["trials"])
    assert f"{confirmed['test']:.4g} on test" in text
    card = json.loads((directory / "best/card.json").read_text())
    assert card["about"]["search"]["space"] == found["config"]["space"]
    assert len(card["about"]["trials"]) == 3
    assert card["scores"]["fd_points_10000"] == confirmed["test"]
    assert card["protocol"]["split"] == "test"
    for name in ("budget.png", "parallel.png"):
        with Image.open(directory / name) as picture:
            assert min(picture.size) > 300
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 20
        assert (directory / "best" / name).exists()


def test_a_trial_that_cannot_be_built_is_recorded_with_its_reason_and_ends_nothing(searched):
    found, *_ = searched
    failed = [one for one in found["trials"] if one["failed"]]
    assert 0 < len(failed) < len(found["trials"])
    for one in failed:
        assert one["values"]["n_critic"] == 0
        assert one["ended"].startswith("ValueError: n_critic=0")
        assert one["score"] == found["untrained"]
        assert one in found["trials"][-len(failed) :]


def test_an_interrupted_search_keeps_what_had_ended_and_repeats_the_rest(searched):
    found, directory, kept, ongoing = searched
    assert [path.parent.name for path in kept] == ["trial_0"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert ongoing == {"tuner0": "1"}
    assert len({json.dumps(one["values"]) for one in found["trials"]}) == 3  # the stray trial was drawn anew
    statuses = [json.loads(path.read_text())["status"] for path in directory.glob("run/trial_*/trial.json")]
    assert statuses == ["COMPLETED"] * 3


def test_a_finished_search_says_so_and_takes_no_other_numbers(searched, monkeypatch, capsys):
    found, directory, *_ = searched
    monkeypatch.setattr(ZooHyperModel, "run", None)
    monkeypatch.setattr(ZooHyperModel, "train", None)
    assert search(directory, **SEARCHED) == found
    assert capsys.readouterr() == ("", "")
    search(directory, **SEARCHED | {"quiet": False})
    told = capsys.readouterr().out
    assert "gan on ring8, random search" in told
    assert f"{found['confirmed']['test']:.4g} on test" in told
    with pytest.raises(ValueError, match=r"holds another search .*seed=0 became 1.*fresh"):
        search(directory, **SEARCHED | {"seed": 1})
    with pytest.raises(ValueError, match=r"holds another search .*space="):
        search(directory, **SEARCHED | {"space": SPACE})


@pytest.mark.slow
def test_a_longer_search_adds_trials_and_a_line_for_each(searched, tmp_path, capsys):
    found, directory, *_ = searched
    there = tmp_path / "copy"
    shutil.copytree(directory, there)
    longer = search(there, **SEARCHED | {"max_trials": 5, "quiet": False})
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines() if line.startswith("trial ")] == ["3", "4"]
    assert len(longer["trials"]) == 5
    assert [one for one in longer["trials"] if int(one["trial"]) < 3 and one["score"] not in scores_of(found)] == []
    assert (there / "best/2").exists()


def scores_of(found):
    return [one["score"] for one in found["trials"]]


@pytest.mark.slow
def test_hyperband_lets_the_best_go_on_bit_for_bit(tmp_path):
    found = search(tmp_path, tuner="hyperband", epochs=3, max_trials=4)
    last = next(one for one in found["trials"] if one["goes_on_from"])
    first = next(one for one in found["trials"] if one["trial"] == last["goes_on_from"])
    assert (first["epochs"], last["epochs"]) == (1, 3)
    assert first["ended"] == f"went on as trial {last['trial']}"
    assert not list(tmp_path.glob("run/trial_*/*.keras"))
    model = ZooHyperModel("gan", "ring8", SPACE, epochs=3, split="train[:1500]", batch_size=250)
    hp = keras_tuner.HyperParameters()
    hp.Fixed("learning_rate", last["values"]["learning_rate"])
    whole = model.run(hp, seed=0, epochs=3)
    assert whole["looks"] == last["runs"][0]["looks"]


def test_no_trial_that_ends_well_is_one_sentence(tmp_path, monkeypatch):
    def hopeless(model, *arguments, **numbers):
        run = {"seed": 0, "score": 1.0, "hopeless": True, "ended": "diverged: NaN in epoch 1", "epochs": 1}
        return run | dict.fromkeys(("wall_s", "cpu_s", "fit_s", "score_s"), 0.5)

    monkeypatch.setattr(ZooHyperModel, "run", hopeless)
    with pytest.raises(RuntimeError, match=r"None of 2 trials ended well \(the first: diverged: NaN in epoch 1\)"):
        search(tmp_path, max_trials=2)
    assert "diverged" in (tmp_path / "ranking.md").read_text()


class PressesAsItGoes:
    """Ctrl-C while an object is deleted, where Python prints KeyboardInterrupt and goes on."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_python_drops_is_raised_by_the_next_check(ctrl_c):
    with interrupts.remembered():
        interrupts.check()
        PressesAsItGoes()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()
        PressesAsItGoes()
    interrupts.check()  # what was pressed within is over with it
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_ends_a_search_wherever_it_comes(tmp_path, monkeypatch, ctrl_c):
    def build(model, hp, seed=None):
        if seed is not None:
            PressesAsItGoes()
        return made(model, hp, seed)

    made = ZooHyperModel.build
    monkeypatch.setattr(ZooHyperModel, "build", build)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, max_trials=2)
    assert not list(tmp_path.glob("run/trial_*/record.json"))


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"tuner": "hiperband"}, "Unknown tuner 'hiperband'. Did you mean 'hyperband'"),
        ({"objective": "fd_clasifier"}, "Unknown score 'fd_clasifier'"),
        ({"objective": "fd_pionts"}, "Did you mean 'fd_points_300'"),
        ({"max_trials": 0}, "max_trials=0"),
        ({"seeds": 0}, "seeds=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 1.5}, "batch_size=1.5"),
        ({"every": 0}, "every=0"),
        ({"seed": -1}, "seed=-1"),
        ({"space": {"widht": 8}}, "Did you mean 'width'"),
        ({"space": {"width": [-1, 8]}}, "width|units"),
    ],
)
def test_bad_input_is_met_before_the_first_trial(numbers, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        search(tmp_path / "out", **numbers)
    assert not (tmp_path / "out").exists()


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files that are not a search's"):
        search(tmp_path, fresh=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ValueError, match="is a file"):
        search(tmp_path / "thesis.tex")


def test_a_missing_tensorboard_is_one_sentence(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name))
    with pytest.raises(RuntimeError, match="pip install tensorboard"):
        search(tmp_path / "out")


# ---- by hand, by recipe, by several ---------------------------------------------------------------------------------


def test_a_zoo_hypermodel_works_in_keras_tuners_own_search(tmp_path):
    model = tz.tuning.ZooHyperModel("gan", "ring8", SPACE, epochs=2, split="train[:1500]", batch_size=250)
    tuner = keras_tuner.RandomSearch(model, objective=model.objective, max_trials=1, seed=1, directory=tmp_path)
    tuner.search(verbose=0)
    best = tuner.oracle.get_best_trials()
    assert [trial.status for trial in best] == ["COMPLETED"]
    assert best[0].score < model.objective.untrained
    assert {"fd_points", "precision_points", "recall_points"} <= set(best[0].metrics.metrics)
    built = model.build(tuner.get_best_hyperparameters()[0])
    assert built.compiled
    assert float(built.generator_optimizer.learning_rate) == pytest.approx(
        model.values(best[0].hyperparameters)["learning_rate"]
    )
    model.policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")  # as if it was set when the search began
    keras.utils.clear_session()
    assert model.build(best[0].hyperparameters).generator.layers[1].compute_dtype == "bfloat16"


def test_the_recipe_hands_its_flags_to_the_search(monkeypatch):
    seen = {}
    monkeypatch.setattr(tz.tuning, "search", lambda *names, **numbers: seen.update(names=names, **numbers))
    tune.main(model="wgan_gp", dataset="digits", trials=12)
    assert seen["names"] == ("wgan_gp", "digits")
    assert (seen["max_trials"], seen["epochs"], seen["space"]) == (12, 60, {"width": 16})
    tune.main(model="began", dataset="ring8", narrow=True, width=8, epochs=3, out="there")
    assert seen["space"] == tz.tuning.narrow("began") | {"width": 8}
    assert (seen["epochs"], seen["directory"]) == (3, "there")


SCRIPT = """
import sys
import tfgan_zoo as tz
space = {"width": 8, "latent_dim": 3, "n_critic": 1, "beta_1": 0.5, "learning_rate": (1e-4, 1e-2, "log")}
tz.tuning.search("gan", "ring8", space, tuner="random", max_trials=4, epochs=6, split="train[:2000]", batch_size=100,
                 directory=sys.argv[1], quiet=True)
"""


def process(directory, **environment):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(directory)], cwd=ROOT, env=os.environ | environment)


def outcome(directory):
    found = json.loads((directory / "ranking.json").read_text())
    return [(one["trial"], one["values"], one["score"]) for one in found["trials"]], found["confirmed"]


@pytest.mark.slow
def test_a_killed_search_goes_on_and_two_workers_find_what_one_finds(tmp_path):
    assert process(tmp_path / "one").wait() == 0
    killed = process(tmp_path / "killed")
    deadline = time.monotonic() + 300
    while not (tmp_path / "killed/run/trial_2/trial.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)  # into the third trial
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("killed/run/trial_*/record.json")}
    assert len(kept) == 2
    assert process(tmp_path / "killed").wait() == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "one")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    names = ("chief", "worker0", "worker1")
    crowd = [process(tmp_path / "shared", KERASTUNER_TUNER_ID=name, **common) for name in names]
    assert [one.wait(timeout=600) for one in crowd] == [0, 0, 0]
    trials, confirmed = outcome(tmp_path / "shared")
    assert (trials, confirmed) == outcome(tmp_path / "one")
    found = json.loads((tmp_path / "shared/ranking.json").read_text())
    assert {one["tuner"] for one in found["trials"]} == {"worker0", "worker1"}
