"""Recipes as a user runs them: flags, figures, files, a second run, a killed run, and sentences for bad input."""

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

ROOT = pathlib.Path(__file__).parent.parent
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[a-z]*.py"))
QUICK = {"cgan"}  # the others are built of the same parts and take minutes together
EXPERIMENTS = {"divergences", "game_dynamics", "mode_collapse", "optimal_discriminator", "vanishing_gradients"}
OF_THEIR_OWN = {"improved_gan", "tune", *EXPERIMENTS}  # which tell another story than `runs.run_recipe`
OF_CLASSES = {"vector_arithmetic"}  # which want the classifier that is shipped for a dataset
IMAGES = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in RECIPES if name not in OF_THEIR_OWN
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
    for command_line in re.findall(rf"python -m recipes.{name}(.*)", recipe.__doc__):
        named = {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", command_line)}
        assert named <= set(flags), command_line


@pytest.mark.parametrize("name", IMAGES)
def test_a_recipe_draws_its_papers_figure_and_exports(tmp_path, name):
    main = importlib.import_module(f"recipes.{name}").main
    small = {"dataset": "digits", "epochs": 1, "width": 4, "image_size": 16, "batch_size": 64}
    record = main(
        **{flag: n for flag, n in small.items() if flag in inspect.signature(main).parameters}, **at(tmp_path)
    )
    assert np.isfinite(tz.metrics.records.score(record, "fd_classifier"))
    assert ("clustering_accuracy_360" in record["scores"]) == (name == "infogan")
    card = json.loads((tmp_path / "out/card.json").read_text())
    figures = set(card["pictures"].values()) - {"samples.png", "samples.gif", "curves.png"}
    assert figures
    for figure in figures:
        with Image.open(tmp_path / "out" / figure) as picture:
            assert min(picture.size) > 200
            assert len(np.unique(np.asarray(picture.convert("L")))) > 3, figure  # an untrained G is nearly grey


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name not in OF_THEIR_OWN | OF_CLASSES])
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
    assert (cut / "run/history.csv").read_text() == (tmp_path / "whole/run/history.csv").read_text()
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
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True)
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
    assert "--batch-size" in command("dcgan", "--help").stdout


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files that are not a run's"):
        dcgan.main(out=tmp_path, fresh=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ValueError, match="is a file"):
        dcgan.main(out=tmp_path / "thesis.tex")


def test_a_run_with_other_numbers_is_not_mixed_in_and_fresh_forgets_it(tmp_path):
    run = tz.Run(tmp_path, {"width": 8, "epochs": 3})
    run.callbacks(3)
    with pytest.raises(ValueError, match=r"width=8 became 16.*--fresh"):
        tz.Run(tmp_path, {"width": 16, "epochs": 3})
    tz.Run(tmp_path, {"width": 8, "epochs": 9})
    tz.Run(tmp_path, {"width": 16, "epochs": 3}, fresh=True)
    assert not (tmp_path / "run").exists()


def flags_of(tmp_path, **numbers):
    return (
        {"dataset": "digits", "epochs": 1, "width": 4, "seed": 0, "fresh": False, "quiet": True}
        | numbers
        | at(tmp_path)
    )


def test_a_flag_comes_before_its_budget_and_one_more_flag_is_kept_with_the_run(tmp_path, monkeypatch):
    seen = []

    def train(run, entry, quiet, **overrides):
        seen.append((entry, run.config, overrides))
        raise InterruptedError

    monkeypatch.setattr(tz.Run, "train", train)
    budgets = {"digits": {"epochs": 7, "width": 32, "image_size": 16}, None: {"epochs": 9, "batch_size": 100}}
    for dataset in ("digits", "fashion_mnist"):
        flags = flags_of(tmp_path, dataset=dataset, epochs=None, gamma=0.3)
        with pytest.raises(InterruptedError):
            tz.runs.run_recipe("began", "BEGAN", flags, budgets, clip=1)
        assert flags["out"] == tmp_path / "out"  # as it was given
    common = {"width": 4, "seed": 0, "gamma": 0.3}
    digits = {"dataset": "digits", "epochs": 7, "batch_size": 64, "image_size": 16}
    fashion = {"dataset": "fashion_mnist", "epochs": 9, "batch_size": 100, "image_size": None}
    assert seen == [("began", config | common, {"clip": 1}) for config in (digits, fashion)]


def test_data_without_classes_is_refused_where_an_entry_needs_them(tmp_path):
    with pytest.raises(ValueError, match="gaussian has no classes, but 'cgan'"):
        tz.runs.run_recipe("cgan", "cGAN", flags_of(tmp_path, dataset="gaussian"), {None: {}})
    assert not (tmp_path / "out").exists()


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
        expected = gan([latents, np.full(3, row, "int32")])
        np.testing.assert_allclose(seen.images[3 * row : 3 * row + 3], expected, atol=1e-6)
