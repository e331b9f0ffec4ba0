"""The command line `tfgan-zoo`: what it prints, what it refuses, and that it starts without TensorFlow."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tfgan_zoo_cli import entries, recipes
from tfgan_zoo_cli.commands import app

ROOT = pathlib.Path(__file__).parent.parent


def run(*words):
    """(status, standard output, standard error) of a command, within this process."""
    argv = sys.argv
    result = CliRunner().invoke(app, list(map(str, words)))
    sys.argv = argv  # a recipe reads its own
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("program", ["tfgan_zoo", "tfgan_zoo_cli"])
def test_help_is_there_without_tensorflow(program):
    script = "import sys; from tfgan_zoo_cli.__main__ import main\n"
    script += "try:\n main()\nexcept SystemExit:\n print(*sys.modules)"
    command = ["-c", script] if program == "tfgan_zoo_cli" else ["-m", program]
    result = subprocess.run([sys.executable, *command, "--help"], capture_output=True, text=True, cwd=ROOT, check=True)
    for name in ("list", "info", "generate", "train", "tune", "evaluate", "compare", "export", "verify", "data"):
        assert f"\n  {name} " in result.stdout
    modules = {name.split(".")[0] for name in result.stdout.splitlines()[-1].split()}
    assert not modules & {"tensorflow", "keras", "numpy", "tfgan_zoo"}


def test_a_picture_is_drawn_without_tensorflow(tmp_path):
    script = "import sys; from tfgan_zoo_cli.__main__ import main\n"
    script += "try:\n main()\nexcept SystemExit:\n print(*{name.split('.')[0] for name in sys.modules})"
    words = ["generate", "cgan_digits", "-n", "20", "--seed", "1", "--out", str(tmp_path / "grid.png")]
    result = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=ROOT)
    assert result.stderr == ""
    assert "20 images of cgan_digits, from tflite_batch1" in result.stdout
    assert not {"tensorflow", "keras", "tfgan_zoo"} & {*result.stdout.split()}
    with Image.open(tmp_path / "grid.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 50


def test_what_is_drawn_is_what_the_model_draws(tmp_path):
    import tfgan_zoo_serving

    words = ["generate", "cgan_digits", "--seed", 4, "--out"]
    status, out, _ = run(*words, tmp_path / "a.npz", "-n", 6, "--labels", "3,8")
    assert (status, "6 images" in out) == (0, True)
    images = np.load(tmp_path / "a.npz")["images"]
    wanted = tfgan_zoo_serving.load_exported("cgan_digits").generate(6, labels=[3, 8] * 3, seed=4)
    np.testing.assert_allclose(images, wanted, atol=1e-5)
    status, out, _ = run(*words, tmp_path / "single", "-n", 3, "--json")
    assert json.loads(out) | {"export": ""} == {
        "out": str(tmp_path / "single"),
        "images": 3,
        "seed": 4,
        "format": "tflite_batch1",
        "export": "",
    }
    assert len(list((tmp_path / "single").glob("*.png"))) == 3


def test_every_model_is_listed_with_its_paper_and_its_recipe():
    import tfgan_zoo as tz

    assert list(entries.known()) == tz.list_models()
    status, out, _ = run("list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (status, list(rows)) == (0, tz.list_models())
    assert all(row["paper"] for row in rows.values())
    assert rows["gan"]["recipe"] == "vanilla_gan"
    assert "cgan_digits" in rows["cgan"]["trained"]
    assert "cgan_digits" in run("list", "cgan*")[1]


def test_what_is_known_of_a_model_and_of_an_export():
    out = run("info", "dcgan")[1]
    assert "Radford et al. 2016" in out
    assert "learning_rate = 0.0002" in out
    assert "tfgan-zoo train dcgan" in out
    assert "dcgan_fashion_mnist" in out
    out = run("info", "cgan_digits")[1]
    assert "fd_classifier_360" in out
    assert "real images: 7.73" in out
    assert json.loads(run("info", "cgan_digits", "--json")[1])["name"] == "cgan"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("genrate", "x"), "There is no command 'genrate'. Did you mean generate"),
        (("list", "dcgn"), "Did you mean 'dcgan'"),
        (("info", "cgan_digit"), "Did you mean 'cgan_digits'"),
        (("generate", "cgan_digit"), "Did you mean 'cgan_digits'"),
        (("generate", "cgan_digits", "-n", 0), "-n 0: ask for at least 1 image"),
        (
            ("generate", "cgan_digits", "--labels", "three"),
            "labels are names, such as 'three', and the card of cgan knows",
        ),
        (("generate", "cgan_digits", "--labels", "10"), "cgan knows 0 to 9"),
        (("generate", "cgan_digits", "--out", "a.bmp"), "--out a.bmp: give a name that ends in .png or .npz"),
        (("generate", "cgan_digits", "--format", "tflite_bach1"), "Did you mean 'tflite_batch1'"),
        (("train", "dcgn"), "Did you mean 'dcgan'"),
        (("train", "dcgan", "--data", "no/such/folder"), "--data no/such/folder: there is no such file or folder"),
        (("tune", "dcgn"), "Did you mean 'dcgan'"),
        (("evaluate", "nothing.keras", "--data", "digits"), "There is no file nothing.keras"),
        (("compare", "cgan_digits", "dcgan_fashion_mnist"), "cannot be ranked"),
        (("verify",), "Name an export, or give --all"),
        (("data", "chek"), "Did you mean 'check'"),
        (("data", "import", "mnist"), "Did you mean 'mnist_10k'"),
        (("serve", "dcgan_fashion_mnst"), "Did you mean 'dcgan_fashion_mnist'"),
    ],
)
def test_bad_input_is_a_sentence_and_status_2(words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, told = run(*words)
    assert status == 2, told
    assert sentence in told
    assert out == ""
    assert len(told.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_directories_of_others_are_refused(tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday/card.json").write_text("{}")
    for words in (
        ("generate", tmp_path / "holiday"),
        ("verify", tmp_path / "holiday"),
        ("doctor", tmp_path / "holiday"),
    ):
        status, _, told = run(*words)
        assert (status, len(told.strip().splitlines())) == (2, 1), told
    status, _, told = run("export", tmp_path, "--out", tmp_path / "out")
    assert status == 2
    assert "holds neither an export (card.json) nor a run" in told


def test_exports_are_verified_and_scores_compared():
    status, out, _ = run("verify", "cgan_digits", "--json")
    assert status == 0
    assert max(one["max_abs_diff"] for one in json.loads(out)["cgan_digits"].values()) < 0.1
    status, out, _ = run("compare", "cgan_digits", "cgan_digits")
    assert (status, "fd_classifier_360" in out) == (0, True)


def test_a_run_is_trained_examined_scored_and_exported_by_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "small"
    words = ["train", "dcgan", "--data", "digits", "--width", 4, "--image-size", 8, "--budget", "smoke", "--quiet"]
    assert run(*words, "--train-only", "--out", out)[0] == 0
    status, told, _ = run("doctor", out, "--json")
    assert (status, isinstance(json.loads(told), list)) == (0, True)
    status, told, _ = run("evaluate", out, "--data", "digits", "--metrics", "fd", "-n", 300, "--json")
    assert (status, "fd_classifier_300" in json.loads(told)["scores"]) == (0, True)
    status, told, _ = run("export", out, "--out", tmp_path / "served", "--formats", "tflite")
    assert (status, "generator.tflite" in told) == (0, True)
    assert run("generate", tmp_path / "served", "-n", 4, "--out", tmp_path / "four.png")[0] == 0
    assert (tmp_path / "four.png").is_file()


def test_recipes_are_found_and_each_says_what_it_ships():
    assert recipes.directory() == ROOT / "recipes"
    rows = recipes.shipped()
    recipe, options = rows["cgan_fashion_mnist"]
    assert (recipe, options["dataset"], options["minutes"]) == ("cgan", "fashion_mnist", 20.0)
    assert rows["dcgan_fashion_mnist"][1]["width"] == 32
    assert "latent_walk_fashion_mnist" not in rows
