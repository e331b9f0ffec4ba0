"""Recipes as a user runs them: flags, figures, files, a second run, a killed run, and sentences for bad input."""

import csv
import fcntl
import importlib
import inspect
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz
from recipes import dcgan, vanilla_gan
from tfgan_zoo import directories
from tfgan_zoo.metrics.features import Resize, make_extractor

ROOT = pathlib.Path(__file__).parent.parent
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[a-z]*.py"))
QUICK = {"cgan"}  # the others are built of the same parts and take minutes together
EXPERIMENTS = {
    "divergences",
    "families",
    "game_dynamics",
    "mode_collapse",
    "optimal_discriminator",
    "vanishing_gradients",
}
EXPERIMENTS |= {"factors", "limited_data", "outliers", "pretraining"}
OF_THEIR_OWN = {
    "improved_gan",
    "semi_supervised_autoencoder",
    "tune",
    *EXPERIMENTS,
}  # which tell another story than `runs.recipe`
OF_TRANSLATION = {"cyclegan", "pix2pix", "stargan"}  # which learn from pairs, two domains, or attributes
OF_IMAGES = {"conditional_pixelcnn", "pixelcnn", "pixelgan_autoencoder", "pixelvae"}  # which have an order of pixels
OF_IMAGES |= {"rbm", "progressive_gan", "stylegan", "stylegan2", "stylegan2_ada", "conditional_stylegan2_ada"}
OF_CLASSES = {"vector_arithmetic"}  # which want the classifier that is shipped for a dataset
NOT_OF_POINTS = OF_THEIR_OWN | OF_CLASSES | OF_IMAGES | OF_TRANSLATION
IMAGES = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name in RECIPES
    if name not in OF_THEIR_OWN | OF_TRANSLATION
]


def command(recipe, *flags, **arguments):
    return subprocess.run(
        [sys.executable, "-m", f"recipes.{recipe}", *map(str, flags)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        **arguments,
    )


def test_dcgan_leaves_what_it_promises_and_a_second_run_says_so(tmp_path, capsys):
    out = tmp_path / "out"
    record = dcgan.main(epochs=2, width=4, image_size=8, batch_size=128, out=out, quiet=True)
    assert {"fd_classifier_360", "fd_classifier_360_floor", "recall_classifier_360"} <= set(record["scores"])
    assert record["epoch"] in (1, 2)
    assert record["last"]["epoch"] == 2
    served = {path.name for path in out.iterdir()}
    assert {"1", "generator.tflite", "generator.keras", "samples.png", "card.json", "README.md", "run"} <= served
    private = {path.name for path in (out / "run").iterdir()}
    assert {"config.json", "history.csv", "checkpoints", "last.keras", "samples", "curves.png", "done.json"} <= private
    assert json.loads((out / "run/config.json").read_text())["width"] == 4
    assert (out / "run/samples/samples.gif").exists()
    capsys.readouterr()
    assert dcgan.main(epochs=2, width=4, image_size=8, batch_size=128, out=out, quiet=True) == record
    assert "is done already" in capsys.readouterr().out
    assert not (out / "2").exists()


@pytest.mark.parametrize("name", RECIPES)
def test_every_flag_is_a_typed_keyword_and_the_page_says_how_to_run_it(name):
    recipe = importlib.import_module(f"recipes.{name}")
    flags = inspect.signature(recipe.main).parameters
    assert {"dataset", "seed", "out", "fresh", "quiet"} <= set(flags) or name in OF_THEIR_OWN
    for flag in flags.values():
        assert flag.annotation is not flag.empty, flag
        assert flag.default is not flag.empty, flag
    assert re.search(rf"^    python -m recipes.{name}( |$)", recipe.__doc__, flags=re.M)
    assert name in OF_THEIR_OWN or re.search(r"\(.* (19|20)\d\d\)", recipe.__doc__.splitlines()[0])  # the paper
    for command_line in re.findall(rf"python -m recipes.{name}(.*)", recipe.__doc__.replace("\\\n", " ")):
        named = {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", command_line)}
        assert named <= {*flags, *tz.cli.MACHINE}, command_line


@pytest.mark.parametrize("name", IMAGES)
def test_a_recipe_draws_its_papers_figure_and_exports(tmp_path, name):
    main = importlib.import_module(f"recipes.{name}").main
    small = {"dataset": "digits", "epochs": 1, "width": 4, "image_size": 16, "batch_size": 64}
    small["compact"] = name == "cgan"
    flags = {flag: value for flag, value in small.items() if flag in inspect.signature(main).parameters}
    record = main(**flags, **at(tmp_path))
    assert np.isfinite(tz.metrics.records.score(record, "fd_classifier"))
    assert ("clustering_accuracy_360" in record["scores"]) == (name == "infogan")
    card = json.loads((tmp_path / "out/card.json").read_text())
    figures = set(card["pictures"].values()) - {"samples.png", "samples.gif", "curves.png"}
    assert figures
    if small["compact"]:
        assert "by_epoch.png" not in figures
        assert (tmp_path / "out/run/by_epoch.png").is_file()
    for figure in figures:
        with Image.open(tmp_path / "out" / figure) as picture:
            assert min(picture.size) > 200
            levels = len(np.unique(np.asarray(picture.convert("L"))))
            assert levels > (1 if name == "rbm" else 3), figure  # an untrained G is nearly grey; an RBM has bits


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "score"), [("pix2pix", "paired_psnr_182"), ("cyclegan", "arrived_769"), ("stargan", "right_dark_200")]
)
def test_a_recipe_of_translation_draws_before_and_after(tmp_path, name, score):
    main = importlib.import_module(f"recipes.{name}").main
    record = main(epochs=1, width=4, image_size=16, split="train[:320]", **at(tmp_path))
    assert np.isfinite(record["scores"][score])
    with Image.open(tmp_path / "out/translations.png") as picture:
        assert min(picture.size) > 200
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    card = json.loads((tmp_path / "out/card.json").read_text())
    assert "translate" in card["formats"]["saved_model"]["signatures"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name not in NOT_OF_POINTS])
def test_a_recipe_takes_points_too(tmp_path, name):
    main = importlib.import_module(f"recipes.{name}").main
    record = main(dataset="ring8", epochs=1, width=16, batch_size=1000, **at(tmp_path))
    assert 0 <= record["scores"]["modes_covered_10000"] <= 8


def at(tmp_path):
    return {"out": tmp_path / "out", "quiet": True}


@pytest.mark.slow
def test_the_lectures_gaussian_is_found(tmp_path):
    record = vanilla_gan.main(epochs=5, out=tmp_path / "out", quiet=True)
    assert record["scores"]["fd_points_10000"] < 0.3  # a cloud at the origin has 50
    cloud = tz.data.arrays("gaussian", split="test")[0]
    import keras

    points = keras.models.load_model(tmp_path / "out/run/last.keras").generate(4000, seed=1)
    np.testing.assert_allclose(points.mean(0), cloud.mean(0), atol=0.4)
    np.testing.assert_allclose(points.std(0), cloud.std(0), atol=0.4)
    with Image.open(tmp_path / "out/run/by_epoch.png") as figure:
        assert len(np.unique(np.asarray(figure))) > 50


@pytest.mark.slow
def test_a_killed_run_continues_and_ends_as_an_uninterrupted_one(tmp_path):
    flags = ("--epochs", 12, "--width", 4, "--image-size", 8, "--quiet")
    assert command("dcgan", *flags, "--out", tmp_path / "whole").returncode == 0
    cut = tmp_path / "cut"
    process = subprocess.Popen(
        [sys.executable, "-m", "recipes.dcgan", *map(str, flags), "--out", str(cut)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (cut / "run/checkpoints/epoch_0004").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (cut / "run/done.json").exists()
    finished = command("dcgan", *flags, "--out", cut)
    assert finished.returncode == 0, finished.stderr
    ours, theirs = (list(csv.DictReader((path / "run/history.csv").open())) for path in (cut, tmp_path / "whole"))
    marks = [row.pop("continued_from") for row in ours]  # a column more, which says where a restart went on
    assert any(marks)
    assert ours == theirs
    import keras

    a, b = (keras.models.load_model(path / "run/last.keras") for path in (cut, tmp_path / "whole"))
    for ours, theirs in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        for ours, theirs in zip(getattr(a, name).variables, getattr(b, name).variables, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_ctrl_c_leaves_a_state_to_go_on_from(tmp_path):
    arguments = [sys.executable, "-m", "recipes.vanilla_gan", "--epochs", "400", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which is ignored where tests run with &
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "out/run/checkpoints").glob("epoch_*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command continues" in stderr
    assert "Traceback" not in stderr


@pytest.mark.slow
def test_flags_and_their_sentences(tmp_path):
    bad = command("dcgan", "--dataset", "fashion_mnst", "--out", tmp_path / "x")
    assert bad.returncode == 2
    assert "Did you mean 'fashion_mnist'" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert not (tmp_path / "x").exists()
    page = command("dcgan", "--help").stdout
    assert "--batch-size" in page
    assert "Radford et al. 2016" in page  # the recipe's own


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files that are not a run's"):
        dcgan.main(out=tmp_path, fresh=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ValueError, match="is a file"):
        dcgan.main(out=tmp_path / "thesis.tex")


def test_a_run_with_other_numbers_is_not_mixed_in_and_fresh_forgets_it(tmp_path):
    run = tz.Run(tmp_path, {"width": 8, "epochs": 3})
    run.callbacks()
    with pytest.raises(ValueError, match=r"width=8 became 16.*--fresh"):
        tz.Run(tmp_path, {"width": 16, "epochs": 3})
    tz.Run(tmp_path, {"width": 8, "epochs": 9})
    tz.Run(tmp_path, {"width": 16, "epochs": 3}, fresh=True)
    assert not (tmp_path / "run").exists()


def test_a_run_mirrors_and_jitters_what_it_learns_from(tmp_path, monkeypatch):
    """The paper's 286 for 256, at 16: windows of 16 of images of 18."""
    seen = []

    def load(*arguments, **told):
        seen.append(told)
        raise KeyboardInterrupt

    monkeypatch.setattr(tz.data, "load", load)
    with pytest.raises(KeyboardInterrupt):
        dcgan.main(dataset="digits", image_size=16, width=4, flip=True, jitter=286 / 256, out=tmp_path, quiet=True)
    assert seen[-1] | {"flip": True, "crop_from": (18, 18), "image_size": (16, 16)} == seen[-1]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"epochs": -1}, "epochs=-1: give a whole number, at least 1"),
        ({"width": 0}, "width=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"image_size": 1.5}, "image_size=1.5"),
        ({"n_critic": 0}, "n_critic=0"),
        ({"seed": -1}, "seed=-1: give a whole number, at least 0"),
        ({"minutes": 0.0}, "minutes=0.0: give a number above 0"),
        ({"jitter": 0.9}, "jitter=0.9: how much larger images come than they are cut, from 1"),
        ({"dataset": "ring8", "jitter": 1.1}, "jitter=1.1: ring8 is points, which are not cut"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: give a number above 0"),
        ({"split": "train+test[:9]"}, "split='train\\+test\\[:9\\]': a run is scored on the test split"),
        ({"dataset": "digit"}, "Did you mean 'digits'"),
        ({"image_size": 13, "width": 4}, "nearest is"),
    ],
)
def test_a_number_that_no_run_can_have_is_met_before_work(flags, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        dcgan.main(**flags, **at(tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_bad_number_ends_the_command_with_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dcgan", "--epochs", "-1", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stopped:
        tz.cli.run(dcgan.main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: epochs=-1: give a whole number, at least 1.\n"


def begun(monkeypatch, main, **flags):
    """(entry, configuration, keywords of the entry) of the training that a recipe begins."""
    seen = []

    def train(run, entry, quiet, **overrides):
        seen.append((entry, run.config, overrides))
        raise InterruptedError

    monkeypatch.setattr(tz.Run, "train", train)
    with pytest.raises(InterruptedError):
        main(**flags)
    return seen[0]


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in OF_THEIR_OWN])
def test_a_number_that_nobody_gives_is_left_to_the_entry(tmp_path, monkeypatch, name):
    entry, _, keywords = begun(monkeypatch, importlib.import_module(f"recipes.{name}").main, **at(tmp_path))
    defaults, off = tz.registry.keywords(entry), {"path_length"} if name == "conditional_stylegan2_ada" else set()
    assert {one for one, value in keywords.items() if value is None and defaults.get(one) is not None} == off


def own(gamma: float = 0.3, a: int | None = None):
    return {"clip": gamma}


def test_a_flag_comes_before_its_budget_and_one_more_flag_is_kept_with_the_run(tmp_path, monkeypatch):
    budgets = {"digits": {"epochs": 7, "width": 32, "image_size": 16, "a": 2}, None: {"epochs": 9, "batch_size": 100}}
    main = tz.runs.recipe("began", "BEGAN", budgets, flags=own)
    entry, config, keywords = begun(monkeypatch, main, width=4, **at(tmp_path))
    common = {"width": 4, "seed": 0, "gamma": 0.3}
    digits = {"dataset": "digits", "epochs": 7, "batch_size": 64, "image_size": 16, "a": 2}
    assert (entry, config, keywords) == ("began", digits | common, {"clip": 0.3})
    rest = {"n_critic": 2, "skip_corrupt": True, "split": "train[:900]"}
    _, config, _ = begun(monkeypatch, main, dataset="fashion_mnist", width=4, gamma=0.5, **rest, **at(tmp_path))
    fashion = {"dataset": "fashion_mnist", "epochs": 9, "batch_size": 100, "image_size": None}
    assert config == fashion | rest | common | {"gamma": 0.5}
    with pytest.raises(TypeError, match="widht"):
        main(widht=4)


def test_recipes_of_one_family_take_the_flags_that_its_entry_registers():
    from recipes import conditional_r3gan, conditional_stylegan2_ada, r3gan, stylegan2_ada

    def flags(recipe):
        parameters = inspect.signature(recipe.main).parameters
        return {
            name: parameters[name].default
            for name in inspect.signature(tz.registry.flags(recipe.main.entry)).parameters
        }

    assert tz.registry.flags("conditional_r3gan") is tz.registry.flags("r3gan")
    assert flags(r3gan) == flags(conditional_r3gan)
    changed = {"style_mixing": 0.0, "path_length": False, "kimg": 500.0}
    assert flags(conditional_stylegan2_ada) == flags(stylegan2_ada) | changed
    assert tz.registry.flags("stylegan2_ada")(gamma=2.0, path_length=False)["path_length"] is None
    assert tz.registry.flags("dcgan") is None
    with pytest.raises(ValueError, match=r"Unknown flag of 'r3gan' 'gama'\. Did you mean 'gamma'"):
        tz.runs.recipe("r3gan", "R3GAN", {None: {}}, flags={"gama": 1.0})


def test_a_run_trains_on_the_split_and_the_rate_that_its_flags_say(tmp_path, monkeypatch):
    config = {"dataset": "digits", "epochs": 1, "batch_size": 32, "image_size": None, "width": 2, "seed": 0}
    config |= {"n_critic": 2, "learning_rate": 1e-3, "split": "train[:640]"}
    seen = {}
    monkeypatch.setattr(tz.GAN, "fit", lambda model, images, **_: seen.update(images=images))
    model = tz.Run(tmp_path, config).train("dcgan", quiet=True)
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(1e-3)
    assert (model.n_critic, len(seen["images"])) == (2, 10)
    assert tz.data.shape_of(seen["images"]) == model.image_shape == (8, 8, 1)


def test_a_run_of_minutes_is_done_when_they_are_and_goes_on_for_more(tmp_path, monkeypatch):
    assert begun(monkeypatch, dcgan.main, minutes=0.5, **at(tmp_path / "begun"))[1]["epochs"] > 1000
    monkeypatch.undo()
    config = {"dataset": "gaussian", "epochs": 50, "batch_size": 50, "image_size": None, "width": 2, "seed": 0}
    run = tz.Run(tmp_path, config | {"minutes": 1e-4})
    run.train("dcgan", quiet=True)
    assert [row["epoch"] for row in run.checkpoint.history] == [1]
    assert not run.is_done(50, 1e-4)
    run.finish(1, None, 1e-4)
    longer = tz.Run(tmp_path, config | {"minutes": 2e-4})
    assert longer.is_done(50, 1e-4)
    assert longer.is_done(1)
    assert not longer.is_done(50, 2e-4)
    assert not longer.is_done(50)


@pytest.mark.parametrize("name", ["r3gan", "conditional_r3gan"])
def test_a_number_of_the_entry_comes_from_the_budget_where_no_flag_gives_it(tmp_path, monkeypatch, name):
    main = importlib.import_module(f"recipes.{name}").main
    _, config, keywords = begun(monkeypatch, main, **at(tmp_path))
    assert config["learning_rate"] == 1e-3
    assert "learning_rate" not in keywords


def test_data_without_classes_is_refused_where_an_entry_needs_them(tmp_path):
    main = tz.runs.recipe("cgan", "cGAN", {None: {"epochs": 1}})
    with pytest.raises(ValueError, match="gaussian has no classes, but 'cgan'"):
        main(dataset="gaussian", **at(tmp_path))
    assert not (tmp_path / "out").exists()


def test_clusters_stand_in_for_classes_from_the_data_to_the_figure(tmp_path, monkeypatch):
    config = {"dataset": "digits", "epochs": 1, "batch_size": 32, "image_size": None, "width": 2, "seed": 0}
    run = tz.Run(tmp_path, config | {"clusters": 4})
    seen = types.SimpleNamespace()
    monkeypatch.setattr(tz.GAN, "fit", lambda model, images, **_: vars(seen).update(images=images))
    model = run.train("cgan", quiet=True)
    assert model.num_classes == 4
    labels = np.concatenate([labels for _, labels in seen.images])
    assert (np.bincount(labels) > 0.9 * len(labels) / 4).all()
    named = lambda images, path, columns, **titles: vars(seen).update(**titles)  # noqa: E731
    monkeypatch.setattr(tz.pictures, "save_labelled_grid", named)
    run.by_class(model)
    assert seen.row_titles == ("cluster 0", "cluster 1", "cluster 2", "cluster 3")


@pytest.mark.parametrize("number", [0, 3])
def test_clusters_that_cannot_be_are_met_before_work(number, tmp_path):
    main = tz.runs.recipe("cgan", "cGAN", {None: {"epochs": 1}})
    with pytest.raises(ValueError, match=f"num_clusters={number} is no power of two"):
        main(dataset="digits", clusters=number, **at(tmp_path))
    with pytest.raises(ValueError, match="clusters=4: 'dcgan' is told no classes"):
        dcgan.main(dataset="digits", clusters=4, **at(tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_directory_has_one_writer(tmp_path):
    config = {"width": 8, "epochs": 3}
    run = tz.Run(tmp_path, config)
    run.callbacks()
    tz.Run(tmp_path, config).callbacks()  # of the same process
    with open(run.directory / ".lock") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    directories.release(run.directory)
    with open(run.directory / ".lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for claim in (tz.Run(tmp_path, config).callbacks, lambda _: tz.Run(tmp_path, config, fresh=True)):
            with pytest.raises(RuntimeError, match="another process"):
                claim(3)
    assert (run.directory / "config.json").exists()
    tz.Run(tmp_path, config, fresh=True).callbacks()


@pytest.mark.parametrize(
    ("scores", "seen"),
    [
        ({"class_histogram": [0.02, 0.98]}, "98% of its images are taken for one class, seven"),
        ({"class_histogram": [0.06, 0.94]}, None),
        ({"precision_points_9": 1.0, "recall_points_9": 0.0}, r"real and alike \(precision 1.00, recall 0.00\)"),
        ({"precision_points_9": 1.0, "recall_points_9": 0.3}, None),
        ({"precision_points_9": 0.0, "recall_points_9": 0.0}, None),
    ],
)
def test_what_a_record_says_of_a_collapse(scores, seen):
    sentence = tz.runs.collapse_in({"scores": scores}, ("one", "seven"))
    assert sentence is None if seen is None else re.search(seen, sentence)
    assert tz.runs.collapse_in(None) is None


@pytest.mark.parametrize(("recall", "headline"), [(0.5, "is ready to serve"), (0.0, "is exported, but its model has")])
def test_the_last_screen_says_what_was_seen_and_names_the_figures(recall, headline, tmp_path, monkeypatch, capsys):
    run = tz.Run(tmp_path, {"dataset": "ring8"})
    for name in ("card.json", "samples.png", "walks.png"):
        tz.files.write_json(tmp_path / name, {"pictures": {"Samples": "samples.png", "Walks": "walks.png"}})
    protocol = {"num_generated": 9, "num_real": 9, "reference": "ring8", "split": "test"}
    record = {"scores": {"precision_points_9": 1.0, "recall_points_9": recall}, "protocol": protocol}
    run.finish(3, record)
    for again in (False, True):
        assert run.report(again) == record
        shown = capsys.readouterr().out
        assert (headline if not again else "is done already") in shown
        assert ("collapsed" in shown) == (recall == 0.0)
        assert re.search(r"walks.png +Walks", shown)
        assert "generator.keras" not in shown  # it is not there


def test_an_extractor_passes_through_a_run(tmp_path):
    import keras

    inputs = keras.Input((8, 8, 1))
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 1)).astype("uint8")
    np.savez(tmp_path / "mine.npz", images=images)
    other = Resize("nearest", "nearest", lambda images, size: images, always=True)
    config = {"dataset": str(tmp_path / "mine.npz"), "epochs": 1, "batch_size": 20, "image_size": None}
    config |= {"width": 4, "seed": 0}
    run = tz.Run(tmp_path / "plain", config, extractor=network)
    assert [type(one) for one in run.callbacks(config["dataset"])][1] == tz.callbacks.Evaluate
    assert run.checkpoint.monitor == "fd_custom"
    run = tz.Run(tmp_path / "resized", config, extractor=make_extractor("custom", "mine", network, other))
    model = run.train("gan", quiet=True)
    assert "nearest" in run.checkpoint.monitor
    assert run.checkpoint.best == run.checkpoint.history[0][run.checkpoint.monitor]
    record = run.score(model, config["dataset"], quiet=True, split="train", floor=False)
    assert tz.metrics.records.score(record, "fd_custom") > 0


def test_images_of_the_test_split_are_spread_over_it_as_a_model_sees_them(tmp_path):
    run = tz.Run(tmp_path / "out", {"dataset": "digits", "image_size": 16})
    images, labels = run.test_images()
    assert images.shape == (360, 16, 16, 1)
    assert images.dtype == np.float32
    assert -1 <= images.min() < -0.9 < 0.9 < images.max() <= 1
    some, theirs = run.test_images(100)
    np.testing.assert_array_equal(some, images[:300:3])
    np.testing.assert_array_equal(theirs, labels[:300:3])
    assert len(run.test_images(1000)[0]) == 360
    points, _ = tz.Run(tmp_path / "out", {"dataset": "ring8", "image_size": None}).test_images(7)
    assert points.shape == (7, 2)


def test_a_row_of_the_class_grid_is_a_class_and_a_column_a_latent(tmp_path, monkeypatch):
    run = tz.Run(tmp_path, {"dataset": "digits", "image_size": None})
    seen = types.SimpleNamespace()
    monkeypatch.setattr(
        tz.pictures,
        "save_labelled_grid",
        lambda images, path, columns, **titles: vars(seen).update(images=images, columns=columns, **titles),
    )
    gan = tz.create("cgan", (8, 8, 1), width=4)
    run.by_class(gan, columns=3, rows=4)
    assert seen.row_titles == tuple("0123")
    latents = gan.draw_latents(3, seed=0)
    for row in range(4):
        expected = gan.draw(latents=latents, condition=gan.condition.as_tensor(np.full(3, row)))
        np.testing.assert_allclose(seen.images[3 * row : 3 * row + 3], expected, atol=1e-6)
