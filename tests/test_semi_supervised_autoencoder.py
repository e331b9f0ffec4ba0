"""A class and a style from few labels: who moves whom, what codes are, what an unlabelled image says; the recipe."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from recipes import semi_supervised_autoencoder as recipe
from tfgan_zoo.likelihoods import Gaussian
from tfgan_zoo.networks import autoencoder as networks
from tfgan_zoo.networks import mlp

SHAPE, CLASSES = (8, 8, 1), 3
IMAGES = np.tanh(np.random.default_rng(0).normal(size=(12, *SHAPE))).astype("float32")
LABELS = np.resize([0, 1, 2, -1], 12).astype("int32")


def small(**numbers):
    tz.runtime.seed_all(0)
    numbers = {"num_classes": CLASSES, "style_dim": 2, "width": 4, "seed": 0} | numbers
    return tz.create("semi_supervised_autoencoder", SHAPE, **numbers)


def stepped(labels=LABELS, **numbers):
    """Weights by network after one step of plain descent, from one start."""
    model = small(**numbers)
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    model.train_on_batch(IMAGES, labels)
    return {name: network.get_weights() for name, network in model.networks.items()}


def moved(one, other):
    """The networks that differ."""
    pairs = {name: zip(one[name], other[name], strict=True) for name in one}
    return {name for name, both in pairs.items() if any(not np.allclose(a, b, atol=1e-7) for a, b in both)}


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"class_weight": 5.0}, {"encoder"}),
        ({"adversarial_weight": 3.0}, {"encoder"}),
        ({"labels": (LABELS + 2) % 4 - 1}, {"encoder"}),
        ({"objective": tz.objectives.LeastSquares()}, {"encoder", "discriminator", "class_discriminator"}),
    ],
)
def test_who_moves_whom(change, moves):
    assert moved(stepped(), stepped(**change)) == moves


def test_images_without_a_label_say_nothing_about_classes():
    model = small()
    losses = model.batch_losses(tf.constant(IMAGES), tf.constant(LABELS), training=False)
    known = LABELS >= 0
    logits = model.classify(IMAGES).astype("float64")
    by_hand = np.log(np.exp(logits).sum(1)) - logits[np.arange(12), LABELS]
    assert float(losses["class_loss"]) == pytest.approx(model.class_weight * by_hand[known].mean(), rel=1e-5)
    assert float(losses["class_accuracy"]) == pytest.approx((logits.argmax(1) == LABELS)[known].mean())
    nothing = model.batch_losses(tf.constant(IMAGES), tf.fill((12,), -1), training=False)
    assert float(nothing["class_loss"]) == 0.0
    assert set(losses) == {*model.loss_names(), *model.monitor_names()}


def test_codes_are_a_style_and_shares_of_classes_and_latents_a_style_and_one_class():
    model = small()
    codes, latents = np.asarray(model.encode(IMAGES)), np.asarray(model.draw_latents(600, seed=1))
    assert codes.shape == (12, 5)
    np.testing.assert_allclose(codes[:, 2:].sum(1), 1.0, atol=1e-6)
    assert (codes[:, 2:].argmax(1) == model.classify(IMAGES).argmax(1)).all()
    assert set(np.unique(latents[:, 2:])) == {0.0, 1.0}
    np.testing.assert_allclose(latents[:, 2:].mean(0), 1 / 3, atol=0.07)
    np.testing.assert_allclose([latents[:, :2].mean(), latents[:, :2].std()], [0, 1], atol=0.1)
    np.testing.assert_allclose(model.reconstruct(IMAGES), model.decode(codes), atol=1e-6)


def test_two_labels_name_two_clouds_and_the_code_draws_them():
    """Points of two clouds, one of each labelled: the others are named right, and each class is its cloud."""
    keras.utils.set_random_seed(0)
    sides = np.resize([0, 1], 2000)
    points = np.random.default_rng(0).normal(0, 0.3, (2000, 2)) + np.where(sides == 0, -2.0, 2.0)[:, None]
    points, labels = points.astype("float32"), np.full(2000, -1, "int32")
    numbers = {
        "num_classes": 2,
        "style_dim": 1,
        "width": 4,
        "seed": 0,
        "likelihood": Gaussian(0.3),
        "class_weight": 20.0,
    }
    model = tz.create("semi_supervised_autoencoder", (2,), **numbers)
    model.compile(keras.optimizers.Adam(5e-3, beta_1=0.5), steps_per_execution=4)
    labels[:2] = [1, 0]  # which is not the order of their places
    rows = np.concatenate([np.tile([0, 1], 200), np.random.default_rng(1).permutation(2000)[:400]])
    model.fit(points[rows], labels[rows], batch_size=200, epochs=50, verbose=0)
    assert (model.classify(points).argmax(1) == 1 - sides).mean() > 0.98
    latents = np.asarray(model.draw_latents(500, seed=0))
    right = np.sign(np.asarray(model.draw(tf.constant(latents))).mean(1)) == np.where(latents[:, 1] > 0, 1, -1)
    assert right.mean() > 0.75


@pytest.mark.slow
def test_the_recipe_leaves_errors_figures_and_an_export(tmp_path, monkeypatch, capsys):
    flags = {"epochs": 1, "batch_size": 200, "width": 4, "labels": 20, "seeds": 2, "quiet": True}
    record = recipe.main(out=tmp_path / "out", **flags)
    card = json.loads((tmp_path / "out/card.json").read_text())
    kinds = ("autoencoder", "encoder alone")
    assert set(card["about"]["test_errors"]) == {f"{kind}, seed {seed}" for kind in kinds for seed in (0, 1)}
    assert {"styles.png", "same_style.png"} <= set(card["pictures"].values())
    assert -1.0 <= record["scores"]["reconstruction_ssim_360"] <= 1.0
    assert "sample_codes" in card["formats"]["saved_model"]["signatures"]
    monkeypatch.setattr(recipe, "trained", None)
    assert recipe.main(out=tmp_path / "out", **flags) == record
    assert "is done already" in capsys.readouterr().out


def parts(styles=2, classes=CLASSES, **numbers):
    made = (networks.dense_encoder(SHAPE, 5, 4), networks.dense_decoder(SHAPE, 5, 4))
    players = (mlp.discriminator((styles,), 4), mlp.discriminator((classes,), 4))
    rest = {"num_classes": CLASSES, "likelihood": Gaussian(1.0), "objective": tz.objectives.NonSaturating()}
    return tz.SemiSupervisedAutoencoder(*made, *players, **rest | numbers)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: parts(styles=3), r"discriminator reads \(3,\), but what it is to judge is \(2,\)"),
        (lambda: parts(classes=4), r"class_discriminator reads \(4,\)"),
        (lambda: parts(num_classes=5), "encoder gives 5 numbers, and the classes alone are 5"),
        (lambda: small(class_weight=0.0), "class_weight=0.0"),
        (lambda: small(adversarial_weight=-1.0), "adversarial_weight=-1.0"),
        (lambda: small(num_classes=1), "num_classes=1"),
        (lambda: small(style_dim=0), "latent_dim=0|style_dim=0"),
        (lambda: stepped(labels=None), "needs labels"),
        (lambda: stepped(labels=LABELS + 1), "labels run from 0 to 3"),
    ],
)
def test_refuses_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
