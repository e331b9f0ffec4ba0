"""The lectures' experiments: their numbers against closed forms, what they write, and their sentences for bad input."""

import importlib
import math
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.integrate import quad
from scipy.stats import norm

import tfgan_zoo as tz
from recipes import (
    divergences,
    factors,
    families,
    game_dynamics,
    limited_data,
    optimal_discriminator,
    vanishing_gradients,
)
from tfgan_zoo import yardsticks

WASSERSTEIN, MINIMAX = tz.objectives.Wasserstein(), tz.objectives.MinimaxGAN()
PLACES = np.array([[1.0, 0.5], [-0.3, 1.2], [0.0, -0.7]])
RATE = 0.1


def written(directory):
    """The JSON there; every picture has a size and colours."""
    (kept,) = directory.glob("*.json")
    table = kept.with_suffix(".md").read_text(encoding="utf-8").splitlines()
    assert len({line.count("|") - line.count("\\|") for line in table}) == 1
    pictures = list(directory.glob("*.png"))
    assert pictures
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) > 200
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    return tz.metrics.records.load(kept)


# ---- game_dynamics --------------------------------------------------------------------------------------------------


def test_the_players_go_down_the_zoos_losses_each_game_alone():
    theta, psi = (tf.constant(column[:, None], tf.float32) for column in PLACES.T)
    sigma = 1 / (1 + np.exp(-PLACES[:, 0] * PLACES[:, 1]))
    moves = game_dynamics.descent(MINIMAX, (), 0.0, theta, psi)
    np.testing.assert_allclose(moves[0][:, 0], PLACES[:, 1] * sigma, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(moves[1][:, 0], -PLACES[:, 0] * sigma, rtol=1e-5, atol=1e-7)
    sloped = game_dynamics.descent(MINIMAX, (tz.penalties.GradientPenalty(2.0),), 0.0, theta, psi)
    pulled = -4.0 * (np.abs(PLACES[:, 1]) - 1) * np.sign(PLACES[:, 1])
    np.testing.assert_allclose(sloped[1] - moves[1], pulled[:, None], rtol=1e-4)
    np.testing.assert_array_equal(sloped[0], moves[0])


def test_the_bilinear_game_keeps_its_laws():
    """Simultaneous descent widens by (1 + h^2)^(1/2) a round; alternating keeps an ellipse; the others contract."""
    rounds = 60
    film = {
        name: game_dynamics.play(WASSERSTEIN, PLACES, RATE, rounds, **game_dynamics.METHODS[name])
        for name in ("simultaneous", "alternating", "average of alternating", "consensus", "R1")
    }
    start = np.linalg.norm(PLACES, axis=1)
    ends = {name: np.linalg.norm(places[-1], axis=1) for name, places in film.items()}
    assert {places.shape for places in film.values()} == {(rounds + 1, 3, 2)}
    np.testing.assert_allclose(ends["simultaneous"], start * (1 + RATE**2) ** (rounds / 2), rtol=1e-4)
    theta, psi = np.moveaxis(film["alternating"], -1, 0)
    ellipse = theta**2 + psi**2 - RATE * theta * psi
    np.testing.assert_allclose(ellipse, np.broadcast_to(ellipse[0], ellipse.shape), rtol=1e-4)
    assert np.ptp(theta, axis=0).min() > 0.5  # and goes round it
    np.testing.assert_allclose(ends["consensus"], start * ((1 - RATE) ** 2 + RATE**2) ** (rounds / 2), rtol=1e-3)
    told = np.array([[1.0, 0.0], [-RATE, 1 - RATE]])  # D's update with R1, then G's
    once = np.array([[1.0, RATE], [0.0, 1.0]]) @ told
    expected = PLACES @ np.linalg.matrix_power(once, rounds).T
    np.testing.assert_allclose(film["R1"][-1], expected, atol=1e-5)
    mean = PLACES
    for step, now in enumerate(film["alternating"][1:], start=1):  # as GAN.update_ema does
        mean = mean + (now - mean) * (1 - min(0.999, (1 + step) / (10 + step)))
    np.testing.assert_allclose(film["average of alternating"][-1], mean, atol=1e-6)


def test_five_updates_of_d_a_round():
    film = game_dynamics.play(WASSERSTEIN, PLACES, RATE, 1, n_critic=5)
    psi = PLACES[:, 1] - 5 * RATE * PLACES[:, 0]
    np.testing.assert_allclose(film[1], np.stack([PLACES[:, 0] + RATE * psi, psi], axis=1), atol=1e-6)


def test_game_dynamics_draws_both_games(tmp_path, monkeypatch, capsys):
    methods = {name: game_dynamics.METHODS[name] for name in ("alternating", "R1")}
    monkeypatch.setattr(game_dynamics, "METHODS", methods)
    game_dynamics.main(rounds=20, out=tmp_path, quiet=True)
    distances = written(tmp_path)["distances"]
    assert set(distances) == {f"{game} {name}" for game in ("dirac", "bilinear") for name in methods}
    assert {path.name for path in tmp_path.glob("*.png")} == {"dirac.png", "bilinear.png"}
    for game in ("dirac", "bilinear"):
        assert distances[f"{game} R1"][-1] < 0.8 < distances[f"{game} alternating"][-1] < 1.6
    assert "| bilinear | R1 |" in capsys.readouterr().out


@pytest.mark.slow
def test_what_diverges_what_orbits_and_what_arrives(tmp_path):
    """Mescheder et al. 2018, Fig. 3."""
    game_dynamics.main(out=tmp_path, quiet=True)
    for key, (first, _, third, last, end) in written(tmp_path)["distances"].items():
        if "simultaneous" in key:
            assert first * 1.3 < last < end * 1.3
        elif "average" in key:
            assert 0.05 < last < 0.6 * first
        elif "alternating" in key or "WGAN-GP" in key:
            assert last == pytest.approx(third, rel=0.05)
            assert 0.8 < last < 2.5
        else:
            assert 0 <= end < 1e-4


# ---- optimal_discriminator ------------------------------------------------------------------------------------------


def divergence(normals, generated):
    """Jensen and Shannon's, by adaptive quadrature."""

    def density(x, parts):
        return sum(weight * norm.pdf(x, *moments) for weight, *moments in parts)

    def term(x):
        p, q = density(x, normals), density(x, [generated])
        return (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))) / 2

    return quad(term, -8, 8, points=(-2.5, -1, 0, 1.5), limit=200)[0]


@pytest.mark.slow
def test_d_measures_the_divergence_of_known_densities(tmp_path, monkeypatch):
    pairs = {"overlapping": optimal_discriminator.PAIRS["overlapping"]}
    monkeypatch.setattr(optimal_discriminator, "PAIRS", pairs)
    monkeypatch.setattr(optimal_discriminator, "LOOKS", 5)
    optimal_discriminator.main(steps=400, out=tmp_path, quiet=True)
    check_pair(written(tmp_path)["pairs"]["overlapping"], pairs["overlapping"])


def check_pair(found, pair):
    expected = divergence(*pair)
    assert found["jsd"] == pytest.approx(expected, abs=1e-6)
    assert found["theory"] == pytest.approx(2 * expected - np.log(4), abs=1e-6)
    assert found["value"] == pytest.approx(found["theory"], rel=0.02)
    assert found["value"] < found["theory"] + 1e-9  # no D is better than the best
    assert found["jsd_by_d"] == pytest.approx(expected, abs=0.01)
    assert 0 < found["error"] < 0.03


@pytest.mark.slow
def test_apart_overlapping_and_equal_densities(tmp_path):
    optimal_discriminator.main(out=tmp_path, quiet=True)
    found = written(tmp_path)["pairs"]
    for name, pair in optimal_discriminator.PAIRS.items():
        check_pair(found[name], pair)
    assert found["equal"]["value"] == pytest.approx(-np.log(4), abs=1e-3)
    assert found["apart"]["jsd"] > 0.6 > 0.2 > found["overlapping"]["jsd"] > 0.05


# ---- divergences ----------------------------------------------------------------------------------------------------


def test_half_apart_js_is_log_2_and_flat_and_w1_is_the_way_between():
    value, slope, kl = divergences.learned("js", -0.5, 300, 0)
    assert value / 2 + np.log(2) == pytest.approx(np.log(2), abs=0.005)
    assert abs(slope) < 0.02
    assert 6 < kl < 100
    distance, slope, _ = divergences.learned("w1", -0.5, 300, 0)
    assert distance == pytest.approx(0.5, rel=0.05)
    assert slope == pytest.approx(-1.0, abs=0.1)


def test_divergences_writes_the_estimates_beside_the_truth(tmp_path, monkeypatch, capsys):
    def truth(play, theta, steps, seed):
        return (2 * np.log(2) * (bool(theta) - 1), 0.0, 12.0) if play == "js" else (abs(theta), np.sign(theta), 0.0)

    monkeypatch.setattr(divergences, "learned", truth)
    divergences.main(places=5, out=tmp_path, quiet=True)
    rows = written(tmp_path)["places"]
    assert [row["theta"] for row in rows] == [-1, -0.5, 0, 0.5, 1]
    assert [row["w1"] for row in rows] == [1, 0.5, 0, 0.5, 1]
    np.testing.assert_allclose([row["js"] for row in rows], np.log([2, 2, 1, 2, 2]), atol=1e-12)
    assert "| -0.5 | 12 | 0.6931 | 0 | 0.5 | -1 |" in capsys.readouterr().out


@pytest.mark.slow
def test_js_stays_and_w1_falls(tmp_path):
    """Arjovsky et al. 2017, Example 1 and Fig. 1."""
    divergences.main(places=5, out=tmp_path, quiet=True)
    for row in written(tmp_path)["places"]:
        theta = row["theta"]
        assert row["js"] == pytest.approx(np.log(2) if theta else 0.0, abs=0.005)
        assert row["w1"] == pytest.approx(abs(theta), abs=0.03)
        assert row["kl"] > 6 if theta else abs(row["kl"]) < 0.1
        if theta:
            assert abs(row["js_slope"]) < 0.02
            assert row["w1_slope"] == pytest.approx(np.sign(theta), abs=0.1)


# ---- vanishing_gradients --------------------------------------------------------------------------------------------


def test_a_d_that_knows_nothing_tells_both_losses_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(vanishing_gradients, "LOOKS", 10)
    vanishing_gradients.main(dataset="digits", epochs="1", steps=30, out=tmp_path, quiet=True)
    found = written(tmp_path)["gradients"]
    assert set(found) == {"log(1 - D) after 1", "-log D after 1"}
    minimax, heuristic = found["log(1 - D) after 1"], found["-log D after 1"]
    assert minimax["first"] == pytest.approx(heuristic["first"], rel=0.2)  # D = 1/2: both weigh a logit's slope by 1/2
    assert 0 < minimax["first"] <= minimax["peak"]
    assert tmp_path.joinpath("digits.png").exists()


@pytest.mark.slow
def test_the_minimax_gradient_vanishes_and_the_heuristic_one_does_not(tmp_path):
    """Arjovsky & Bottou 2017, Fig. 2 and 3."""
    vanishing_gradients.main(dataset="digits", epochs="1,10", steps=500, out=tmp_path, quiet=True)
    found = written(tmp_path)["gradients"]
    for minimax, heuristic in (
        (found[f"log(1 - D) after {epoch}"], found[f"-log D after {epoch}"]) for epoch in (1, 10)
    ):
        assert 0 < minimax["last"] < minimax["peak"] / 10
        assert heuristic["last"] > heuristic["first"]
        assert heuristic["last"] > 30 * minimax["last"]


# ---- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "flags", "sentence"),
    [
        ("game_dynamics", ["--rate", "0"], "rate lies in (0, 0.5]"),
        ("game_dynamics", ["--rounds", "3"], "rounds from 4"),
        ("optimal_discriminator", ["--steps", "49"], "give from 50 to 25600"),
        ("divergences", ["--places", "4"], "an odd number of places from 3"),
        ("divergences", ["--steps", "0"], "at least 1 step"),
        ("vanishing_gradients", ["--epochs", "1,x"], "epochs from 1, like 1,10,25"),
        ("vanishing_gradients", ["--epochs", "0"], "epochs from 1, like 1,10,25"),
        ("vanishing_gradients", ["--steps", "49"], "steps from 50"),
        ("vanishing_gradients", ["--dataset", "digit"], "Did you mean 'digits'"),
    ],
)
def test_bad_input_is_met_by_a_sentence_before_anything_is_written(
    name, flags, sentence, tmp_path, capsys, monkeypatch
):
    assert sentence in refused(name, [*flags, "--out", str(tmp_path / "out")], capsys, monkeypatch)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["divergences", "game_dynamics", "optimal_discriminator", "vanishing_gradients"])
def test_a_file_in_the_way_of_the_directory_is_met_before_work(name, tmp_path, capsys, monkeypatch):
    (tmp_path / "thesis.tex").write_text("years of work")
    flags = ["--dataset", "digits"] if name == "vanishing_gradients" else []
    for out in (tmp_path / "thesis.tex", tmp_path / "thesis.tex" / "within"):
        assert "a file is in the place of a directory" in refused(
            name, [*flags, "--out", str(out)], capsys, monkeypatch
        )
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def refused(name, flags, capsys, monkeypatch):
    """What stands on stderr when a recipe refuses its flags."""
    monkeypatch.setattr(sys, "argv", [name, *flags])
    with pytest.raises(SystemExit) as stopped:
        tz.cli.run(importlib.import_module(f"recipes.{name}").main)
    assert stopped.value.code == 2
    stderr = capsys.readouterr().err
    assert "Traceback" not in stderr
    return " ".join(stderr.replace("│", " ").split())


def test_ctrl_c_promises_no_checkpoint_where_none_is_kept(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["game_dynamics"])
    monkeypatch.setattr(tz.files, "directory", lambda out: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(SystemExit) as stopped:
        tz.cli.run(game_dynamics.main)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"


# ---- families -------------------------------------------------------------------------------------------------------


def test_a_row_says_what_a_likelihood_is_of_and_how_many_bits_it_saves():
    scores = {
        "fd_classifier_360": 12.34,
        "precision_classifier_360": 0.5,
        "recall_classifier_360": 0.25,
        "copying": 0.4,
    }
    found = {"scores": scores, "failed": "", "rate": 1234.4, "seen": 1000, "nats": -64 * math.log(2.0)}
    found["how"] = {"kind": "exact", "data_scale": 256, "samples": 1, "dequantisation": "uniform"}
    cells = yardsticks.row([found, {"failed": "NaN"}], 64, "exact")
    assert (cells["fd"], cells["fd by seed"], cells["failed"], cells["images/CPU s"]) == (
        "12.3",
        "12.3",
        "1 of 2",
        "1,234",
    )
    assert (cells["likelihood"], cells["of"]) == ("-44.4 nats (exact)", "grey levels")
    assert cells["bits an image"] == "576"  # 64 for the density and 8 for the level of each of 64 pixels
    assert (
        yardsticks.row([{key: found[key] for key in ("scores", "failed", "rate", "seen")}], 64, "sharp")["likelihood"]
        == "none"
    )
    assert yardsticks.row([{"failed": "NaN"}], 64, "sharp")["failed"] == "1 of 1"


def test_scores_over_time_are_those_of_the_epochs_that_were_scored(tmp_path):
    path = tmp_path / "history.csv"
    assert yardsticks.over_time(path) == []
    path.write_text("epoch,loss,minutes,fd_classifier\n1,0.5,0.25,\n2,0.4,0.5,31.5\n3,0.4,0.75,30.0\n")
    assert yardsticks.over_time(path) == [(0.5, 31.5), (0.75, 30.0)]
    path.write_text("epoch,loss,minutes\n1,0.5,0.25\n")
    assert yardsticks.over_time(path) == []


def test_png_needs_fewer_bits_for_black_and_white():
    grey, black = yardsticks.by_png(np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 1)))
    assert 16 * 16 * 8 < grey < 16 * 16 * 8 + 1500
    assert 16 * 16 < black < 16 * 16 + 1000


@pytest.mark.slow
def test_families_are_compared_and_a_second_call_trains_nothing(tmp_path, monkeypatch, capsys):
    chosen = {
        "dataset": "digits",
        "minutes": 1e-3,
        "seeds": 1,
        "only": "RBM,GAN,diffusion",
        "out": tmp_path,
        "quiet": True,
    }
    families.main(**chosen)
    said = capsys.readouterr().out
    assert "| RBM | " in said
    assert "nats (bound) | grey levels" in said
    pictures = {"families.png", "samples.png", "over_time.png"}
    assert {"families.md", *pictures} <= {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr(families.tz.Run, "train", None)
    families.main(**chosen)
    assert capsys.readouterr().out == said
    with pytest.raises(ValueError, match="Unknown family 'GANs'"):
        families.main(only="GANs")


# ---- limited_data ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_few_images_are_learned_twice_and_what_is_seen_is_written(tmp_path, capsys):
    limited_data.main(dataset="digits", count=64, kimg=2, every=1, width=2, image_size=8, out=tmp_path, quiet=True)
    found = {name: tz.metrics.records.load(tmp_path / f"{name}.json")["rows"] for name in ("without", "ADA")}
    for rows in found.values():
        assert [row["kimg"] for row in rows] == [1, 2]
        assert all(np.isfinite(list(row.values())).all() for row in rows)
    assert found["without"][-1]["p"] == 0.0
    said = capsys.readouterr().out
    assert "p at the end" in said
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    limited_data.main(dataset="digits", count=64, kimg=2, every=1, width=2, image_size=8, out=tmp_path, quiet=True)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")} == before  # nothing again
    assert capsys.readouterr().out == said


# ---- factors --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_directions_are_judged_by_what_an_oracle_says_of_each_factor(tmp_path, monkeypatch, capsys):
    counts = np.array(list(factors.FACTORS.values()))

    def oracle(size, seed):
        def told(images):
            seen = images.reshape(len(images), -1)[:, : 7 * 60 : 60]
            return np.where(seen > np.median(seen, axis=0), counts - 1, 0)

        return told, np.full(7, 0.75)

    monkeypatch.setattr(factors, "oracle", oracle)
    model = tz.create("dcgan", (16, 16, 3), width=4, seed=0)
    monkeypatch.setattr(factors.tz.Run, "train", lambda run, entry, quiet: model)
    factors.main(image_size=16, samples=400, out=tmp_path, quiet=True)
    said = capsys.readouterr().out
    rows = [line.split(" | ") for line in said.splitlines() if line.startswith("| ") and "oracle" not in line]
    assert [row[0].removeprefix("| ") for row in rows] == list(tz.data.shapes.factors())
    numbers = np.array([[float(one.strip(" |")) for one in row[1:]] for row in rows])
    assert numbers.shape == (7, 4)
    assert (numbers >= 0).all()
    assert (numbers <= 1).all()
    assert (numbers[:, 0] > 0.6).all()  # brightness of a pixel is nearly linear in the latents of a small network
    assert (numbers[:, 3] == 0.75).all()
    assert "latents: disentanglement" in said
    assert (tmp_path / "factors.md").read_text() in said
    assert (tmp_path / "factors.png").exists()


@pytest.mark.parametrize("wrong", [{"entry": "diffusion"}, {"entry": "dcgan", "samples": 20}])
def test_directions_need_latents_and_samples_before_anything_is_trained(tmp_path, wrong):
    with pytest.raises(ValueError, match="give an entry with latents, such as 'dcgan', and at least 80 samples"):
        factors.main(**wrong, width=8, image_size=16, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
