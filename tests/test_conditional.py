"""GANs that know classes or codes: their losses, who is told what, and whose weights move."""

import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import tfgan_zoo as tz
from tfgan_zoo.models.conditional import class_loss
from tfgan_zoo.models.optimisation import frozen_call
from tfgan_zoo.networks import heads, mlp

RNG = np.random.default_rng(0)
CLASSES = 4
LABELS = RNG.integers(0, CLASSES, 24).astype("int32")
POINTS = np.stack([RNG.normal(size=24), LABELS], axis=1).astype("float32")  # a point tells its label
OBJECTIVE = tz.objectives.NonSaturating()
LATENT_DIM = 5


def tell_tale(latent_dim=LATENT_DIM):
    """A generator whose points tell the label they were asked for."""
    latents, labels = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    told = ops.cast(labels, "float32")[:, None]
    return keras.Model([latents, labels], layers.Concatenate()([layers.Dense(1)(latents), told]))


def networks(kind):
    """Of points: a generator and a discriminator for a kind of model."""
    body = mlp.body((2,), 6, 1)
    if kind == "conditional":
        return tell_tale(), mlp.discriminator((2,), 6, 1, num_classes=CLASSES)
    if kind == "acgan":
        return tell_tale(), heads.discriminator(body, classes=layers.Dense(CLASSES, name="classes"))
    if kind == "infogan":
        return mlp.generator((2,), LATENT_DIM, 6, 1), heads.discriminator(body, codes=layers.Dense(4, name="codes"))
    return mlp.generator((2,), LATENT_DIM, 6, 1), heads.classifier(body, CLASSES)


CODES = tz.priors.Codes((3,), continuous=1)


def model_of(kind, cls=None, **arguments):
    cls = (
        cls
        or {
            "conditional": tz.ConditionalGAN,
            "acgan": tz.ACGAN,
            "infogan": tz.InfoGAN,
            "semi": tz.SemiSupervisedGAN,
        }[kind]
    )
    told = {"prior": CODES} if kind == "infogan" else {"num_classes": CLASSES}
    model = cls(*networks(kind), **({"objective": OBJECTIVE, "seed": 1} | told | arguments))
    model.compile(run_eagerly=True)
    return model


def batches(batch_size=12, labels=LABELS):
    return tf.data.Dataset.from_tensor_slices((POINTS, labels)).batch(batch_size)


def arrays(weights):
    return {weight.path: np.array(weight) for weight in weights}


def moved(before, weights):
    return {path for path, now in arrays(weights).items() if np.abs(now - before[path]).max() > 0}


def cross_entropy(logits, labels):
    """Of each example, in float64."""
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]


# ---- the class loss -----------------------------------------------------------------------------------------------


def test_class_loss_is_the_mean_cross_entropy_and_its_gradient():
    logits = 3 * RNG.normal(size=(24, CLASSES)).astype("float32")
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = class_loss(variable, LABELS)
    assert float(loss) == pytest.approx(cross_entropy(logits, LABELS).mean(), rel=1e-5)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = (shares - np.eye(CLASSES)[LABELS]) / 24
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, rtol=1e-4, atol=1e-7)


def test_images_without_a_label_do_not_count():
    logits, known = 3 * RNG.normal(size=(24, CLASSES)).astype("float32"), np.arange(24) % 3 == 0
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = class_loss(variable, np.where(known, LABELS, -1).astype("int32"))
    assert float(loss) == pytest.approx(cross_entropy(logits, LABELS)[known].mean(), rel=1e-5)
    gradient = tape.gradient(loss, variable).numpy()
    np.testing.assert_array_equal(gradient[~known], 0.0)
    assert (np.abs(gradient[known]).max(1) > 1e-6).all()


def test_without_any_label_the_loss_is_nothing():
    variable = tf.Variable(1e3 * RNG.normal(size=(6, CLASSES)).astype("float32"))
    with tf.GradientTape() as tape:
        loss = class_loss(variable, tf.fill((6,), -1))
    assert float(loss) == 0.0
    np.testing.assert_array_equal(tape.gradient(loss, variable), np.zeros((6, CLASSES)))


# ---- ACGAN --------------------------------------------------------------------------------------------------------


def test_acgans_losses_are_the_papers():
    """With both rates 0 the losses of a step can be made again from the networks."""
    model = model_of("acgan", class_weight=0.7)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    labels = tf.constant(LABELS)
    latents = {purpose: model.latents(purpose, 24) for purpose in ("critic", "generator")}
    judged = {"real": frozen_call(model.discriminator, POINTS)} | {
        purpose: frozen_call(model.discriminator, frozen_call(model.generator, [drawn, labels]))
        for purpose, drawn in latents.items()
    }
    logs = model.fit(batches(24), verbose=0).history
    for name, kind in (("real", "real"), ("fake", "critic"), ("generator", "generator")):
        expected = 0.7 * cross_entropy(judged[kind]["classes"], LABELS).mean()
        assert logs[f"{name}_class_loss"][0] == pytest.approx(expected, rel=1e-5)
    expected = OBJECTIVE.discriminator_loss(judged["real"]["logits"], judged["critic"]["logits"])
    assert logs["discriminator_loss"][0] == pytest.approx(float(expected), rel=1e-5)
    expected = OBJECTIVE.generator_loss(judged["generator"]["logits"])
    assert logs["generator_loss"][0] == pytest.approx(float(expected), rel=1e-5)
    right = (np.array(judged["real"]["classes"]).argmax(1) == LABELS).mean()
    assert logs["class_accuracy"][0] == pytest.approx(right, abs=1e-6)
    losses = [logs[name][0] for name in model.loss_names()]
    assert len(losses) == 5
    assert logs["loss"][0] == pytest.approx(sum(losses), rel=1e-5)  # the accuracy is not among them


def test_tf_gan_agrees_on_acgan(tfgan):
    """Its reduction, a sum over the nonzero weights' number, is the mean over examples, as ours."""
    model, one_hot = model_of("acgan"), np.eye(CLASSES, dtype="float32")[LABELS]
    real, fake = (2 * RNG.normal(size=(2, 24, CLASSES))).astype("float32")
    told = tf.constant(LABELS)
    ours = model.auxiliary({"classes": real}, told)["real_class_loss"]
    ours += model.auxiliary({"classes": fake}, told, latents=0)["fake_class_loss"]
    theirs = tfgan.losses.wargs.acgan_discriminator_loss(real, fake, one_hot)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
    ours = model.generator_auxiliary({"classes": fake}, told, None)["generator_class_loss"]
    assert float(ours) == pytest.approx(float(tfgan.losses.wargs.acgan_generator_loss(fake, one_hot)), rel=1e-5)


# ---- InfoGAN ------------------------------------------------------------------------------------------------------

LAYOUT = tz.priors.Codes((3, 4), continuous=2)


def with_codes(**weights):
    generator = mlp.generator((2,), 12, 4, 1)
    critic = heads.discriminator(mlp.body((2,), 4, 1), codes=layers.Dense(9, name="codes"))
    return tz.InfoGAN(generator, critic, prior=LAYOUT, objective=OBJECTIVE, seed=1, **weights)


def test_information_is_cross_entropy_and_half_the_squared_error():
    drawn = np.array(LAYOUT.sample(24, 12, tf.constant([1, 2])))
    read = 2 * RNG.normal(size=(24, 9)).astype("float32")
    first = cross_entropy(read[:, :3], drawn[:, 3:6].argmax(1)).mean()
    second = cross_entropy(read[:, 3:7], drawn[:, 6:10].argmax(1)).mean()
    error = ((read[:, 7:] - drawn[:, 10:]) ** 2).sum(1).mean() / 2
    for weights in ((1.0, 0.1), (0.5, 2.0), (0.0, 1.0), (1.0, 0.0)):
        model = with_codes(categorical_weight=weights[0], continuous_weight=weights[1])
        expected = weights[0] * (first + second) + weights[1] * error
        assert float(model.information_loss(read, drawn)) == pytest.approx(expected, rel=1e-5)


def test_tf_gan_agrees_on_mutual_information(tfgan):
    """Up to 1/2 log(2 pi) for each continuous code, the constant of a Gaussian of variance 1, which has no gradient.

    Its default reduction is the mean over codes; the sum is Chen et al.'s.
    """
    drawn = tf.constant(LAYOUT.sample(24, 12, tf.constant([1, 2])))
    read = tf.constant(2 * RNG.normal(size=(24, 9)).astype("float32"))
    model = with_codes(continuous_weight=1.0)

    def theirs(read):
        def categorical(at, to):
            logits = tf.nn.log_softmax(read[:, at:to])
            return types.SimpleNamespace(log_prob=lambda one_hot: tf.reduce_sum(one_hot * logits, axis=-1))

        def gaussian(at):
            constant = 0.5 * np.log(2 * np.pi)
            return types.SimpleNamespace(log_prob=lambda value: -((value - read[:, at]) ** 2) / 2 - constant)

        told = [drawn[:, 3:6], drawn[:, 6:10], drawn[:, 10], drawn[:, 11]]
        predicted = [categorical(0, 3), categorical(3, 7), gaussian(7), gaussian(8)]
        total = tf.compat.v1.losses.Reduction.SUM
        return tfgan.losses.wargs.mutual_information_penalty(told, predicted, reduction=total)

    values, gradients = [], []
    for loss in (theirs, lambda read: model.information_loss(read, drawn)):
        with tf.GradientTape() as tape:
            tape.watch(read)
            value = loss(read)
        values.append(float(value))
        gradients.append(tape.gradient(value, read))
    assert values[0] - values[1] == pytest.approx(np.log(2 * np.pi), rel=1e-4)
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-7)


def test_both_players_pay_for_codes_that_are_not_read():
    model = model_of("infogan", categorical_weight=0.6, continuous_weight=0.2)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    expected = {}
    for purpose in ("critic", "generator"):
        latents = model.latents(purpose, 24)
        read = frozen_call(model.discriminator, frozen_call(model.generator, latents))["codes"]
        categorical = cross_entropy(read[:, :3], np.array(latents)[:, 1:4].argmax(1)).mean()
        expected[purpose] = 0.6 * categorical + 0.1 * float(np.mean((read[:, 3] - latents[:, 4]) ** 2))
    logs = model.fit(batches(24), verbose=0).history
    assert logs["information_loss"][0] == pytest.approx(expected["critic"], rel=1e-5)
    assert logs["generator_information_loss"][0] == pytest.approx(expected["generator"], rel=1e-5)
    assert set(logs) == {"loss", *model.loss_names()}


# ---- labels: where they go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["conditional", "acgan"])
def test_generate_tells_the_generator_the_label_of_each_image(kind):
    model = model_of(kind)
    asked = np.arange(300) % CLASSES
    for labels in (asked, list(asked), asked.astype("uint8")):
        np.testing.assert_array_equal(model.generate(300, labels=labels, seed=1)[:, 1], asked)
    one = model.generate(300, labels=np.full(300, 2), seed=1)
    np.testing.assert_array_equal(one[:, 1], 2)
    np.testing.assert_allclose(one[:, 0], model.generate(300, labels=asked, seed=1)[:, 0], atol=1e-6)


def test_generate_takes_labels_as_a_column():
    np.testing.assert_array_equal(model_of("conditional").generate(3, labels=[[0], [3], [1]], seed=1)[:, 1], [0, 3, 1])


def test_labels_may_be_names_once_the_model_knows_them(tmp_path):
    model = model_of("conditional")
    with pytest.raises(
        ValueError, match=r"labels are names, such as 'cat', and .* knows its classes by their numbers only"
    ):
        model.generate(1, labels=["cat"])
    names = ("cat", "dog", "horse", "Noto Sans", "owl")[:CLASSES]
    model.name_classes(names)
    given = model.generate(3, labels=[names[0], names[2], names[0]], seed=1)
    np.testing.assert_array_equal(given[:, 1], [0, 2, 0])
    np.testing.assert_array_equal(given, model.generate(3, labels=[0, 2, 0], seed=1))
    for wrong, sentence in ((["hors"], "Unknown class 'hors'. Did you mean 'horse'"), (["zz"], "Known: ")):
        with pytest.raises(ValueError, match=sentence):
            model.generate(1, labels=wrong)
    with pytest.raises(ValueError, match="for each of the 3 images"):
        model.generate(3, labels=["cat"])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.condition.names == names
    np.testing.assert_array_equal(again.generate(1, labels=["dog"], seed=2)[:, 1], [1])
    for wrong in (names[1:], (names[0],) * CLASSES):
        with pytest.raises(ValueError, match=f"give {CLASSES} names of classes, each once"):
            model.name_classes(wrong)
    with pytest.raises(ValueError, match="is told no classes"):
        tz.create("gan", (2,), width=4, class_names=("a", "b"))


def test_a_source_names_the_classes():
    model = tz.create("cgan", (2,), width=4, num_classes=8)
    model.compile()
    model.fit("ring8", epochs=1, steps_per_epoch=1, verbose=0)
    assert model.condition.names[3] == "mode 3"
    model.generate(2, labels=["mode 1", "mode 7"], seed=0)


def test_labels_are_drawn_evenly_and_label_i_from_the_seed_and_i_alone():
    model = model_of("conditional")
    drawn = model.generate(4000, seed=5)[:, 1]
    counts = np.bincount(drawn.astype(int), minlength=CLASSES)
    assert len(counts) == CLASSES
    np.testing.assert_allclose(counts, 1000, atol=4 * np.sqrt(4000 * 3 / 16))
    np.testing.assert_array_equal(model.generate(7, seed=5)[:, 1], drawn[:7])
    streamed = np.concatenate(list(model.stream(100, seed=5, batch_size=7)))
    np.testing.assert_array_equal(streamed[:, 1], drawn[:100])
    other = model.generate(4000, seed=6)[:, 1]
    assert np.mean(other == drawn) == pytest.approx(1 / CLASSES, abs=0.03)
    latent = model.generate(4000, seed=5)[:, 0]
    assert abs(np.corrcoef(latent, drawn)[0, 1]) < 0.08  # labels and latents are draws of their own


@pytest.mark.parametrize("kind", ["conditional", "acgan"])
def test_each_critic_step_gets_its_images_own_labels_and_the_generator_the_last_slices(kind):
    critic_steps, generator_steps, shown = [], [], []

    class Spy({"conditional": tz.ConditionalGAN, "acgan": tz.ACGAN}[kind]):
        def critic_losses(self, real, fake, told, latents, index):
            critic_steps.append((real.numpy(), fake.numpy(), told.numpy()))
            return super().critic_losses(real, fake, told, latents, index)

        def generator_losses(self, real, told):
            generator_steps.append((real.numpy(), told.numpy()))
            return super().generator_losses(real, told)

    model = model_of(kind, Spy, n_critic=3)
    discriminate = model.adversary.discriminate

    def spied(images, told, **options):
        shown.append((images.numpy(), told.numpy()))
        return discriminate(images, told, **options)

    model.adversary.discriminate = spied
    model.fit(batches(24), verbose=0)
    assert len(critic_steps) == 3
    for index, (real, fake, told) in enumerate(critic_steps):
        np.testing.assert_array_equal(real, POINTS[index::3])
        np.testing.assert_array_equal(told, LABELS[index::3])
        np.testing.assert_array_equal(fake[:, 1], told)
    ((real, told),) = generator_steps
    np.testing.assert_array_equal(real, POINTS[2::3])
    np.testing.assert_array_equal(told, LABELS[2::3])
    assert len(shown) == 4  # three times the generated images, and the generator's own
    for images, told in shown:
        np.testing.assert_array_equal(images[:, 1], told)


def test_the_discriminator_looks_at_the_label():
    model = model_of("conditional")
    logits = [
        np.array(model.adversary.discriminate(POINTS, np.full(24, label, "int32"))["logits"])
        for label in range(CLASSES)
    ]
    assert np.ptp(logits, axis=0).min() > 1e-4


def test_labels_may_come_as_a_column_and_in_any_integers():
    logs = []
    for labels in (LABELS, LABELS[:, None], LABELS.astype("uint8")):
        tz.runtime.setup(seed=0)
        logs.append(model_of("conditional").fit(batches(24, labels), verbose=0).history)
    assert all(one == logs[0] for one in logs)


def test_a_penalty_is_told_the_labels():
    model = model_of("conditional", penalties=(tz.penalties.R1(2.0),))
    images, labels = tf.constant(POINTS), tf.constant(LABELS)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model.discriminator([images, labels])
    expected = tf.reduce_sum(tape.gradient(logits, images) ** 2) / 24
    found = model.adversary.penalise(model.penalties[0], images, images, labels, 0)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    wrong = model.adversary.penalise(model.penalties[0], images, images, (labels + 1) % CLASSES, 0)
    assert float(wrong) != pytest.approx(float(expected), rel=1e-3)


# ---- heads --------------------------------------------------------------------------------------------------------


def test_the_projection_head_is_the_papers_equation():
    body = mlp.body((2,), 7, 1)
    critic = heads.projection(body, CLASSES)
    embedding = next(layer for layer in critic.layers if isinstance(layer, layers.Embedding))
    psi = critic.get_layer("logits")
    embedding.set_weights([RNG.normal(size=(CLASSES, 7))])
    psi.set_weights([RNG.normal(size=(7, 1)), np.array([0.3])])
    features = np.array(body(POINTS), "float64")
    matrix, (kernel, bias) = np.array(embedding.embeddings), psi.get_weights()
    expected = np.eye(CLASSES)[LABELS] @ matrix * features  # y' V phi(x), before it is summed
    expected = expected.sum(1, keepdims=True) + features @ kernel + bias
    np.testing.assert_allclose(critic([POINTS, LABELS]), expected, rtol=1e-4, atol=1e-5)
    model = tz.ConditionalGAN(tell_tale(), critic, num_classes=CLASSES, objective=tz.objectives.Hinge(), seed=0)
    model.compile(run_eagerly=True)
    before = arrays(critic.weights)
    model.fit(batches(24), verbose=0)
    assert moved(before, critic.weights) == set(before)


def test_the_classifiers_logit_is_its_classes_log_sum_exp():
    body = mlp.body((2,), 7, 1)
    found = heads.classifier(body, CLASSES)(POINTS)
    np.testing.assert_allclose(found["features"], body(POINTS), rtol=1e-6)
    classes = np.array(found["classes"], "float64")
    np.testing.assert_allclose(found["logits"], np.log(np.exp(classes).sum(1, keepdims=True)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("kind", "head"), [("acgan", "classes"), ("infogan", "codes"), ("semi", "classes")])
def test_a_head_belongs_to_the_discriminators_optimizer(kind, head):
    model = model_of(kind)
    critic, generator = model.discriminator.weights, model.generator.weights
    before = arrays(critic), arrays(generator)
    real, told = model.critic_batch(tf.constant(POINTS), tf.constant(LABELS), 0)
    model.update_discriminator(real, told)
    assert moved(before[0], critic) == set(before[0])
    assert any(head in path for path in before[0])
    assert moved(before[1], generator) == set()
    after = arrays(critic)
    model.update_generator(real, told)
    assert moved(after, critic) == set()
    assert moved(before[1], generator) == set(before[1])


def test_the_information_moves_the_generator_by_itself():
    """With a flat objective, all that moves G and Q is the information."""

    class Flat(tz.objectives.Objective):
        def discriminator_loss(self, real_logits, fake_logits):
            return 0.0 * ops.mean(fake_logits)

        def generator_loss(self, fake_logits, real_logits=None):
            return 0.0 * ops.mean(fake_logits)

    for weight in (0.0, 1.0):
        model = model_of("infogan", objective=Flat(), categorical_weight=weight, continuous_weight=weight)
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
        before = arrays(model.generator.weights), arrays(model.discriminator.weights)
        model.fit(batches(24), verbose=0)
        after = moved(before[0], model.generator.weights), moved(before[1], model.discriminator.weights)
        if weight:
            assert after[0] == set(before[0])
            assert {path for path in before[1] if "codes" in path} <= after[1]
            assert not any("logits" in path for path in after[1])
        else:
            assert after == (set(), set())


# ---- semi-supervised ----------------------------------------------------------------------------------------------


def hand_made(labels):
    """D's logits are far apart: class 0 left of x = 0, class 1 right of it, never 2 or 3."""
    model = model_of("semi")
    body = [layer for layer in model.discriminator.layers if isinstance(layer, layers.Dense)]
    for layer in body:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    kernel = np.zeros_like(body[0].kernel)
    kernel[0, 0], kernel[0, 1] = -10.0, 10.0
    body[0].set_weights([kernel, np.zeros(len(kernel[0]))])
    kernel = np.zeros_like(body[1].kernel)
    kernel[0, 0] = kernel[1, 1] = 1.0
    body[1].set_weights([kernel, np.array([0.0, 0.0, -50.0, -50.0])])
    points = np.array([[-1, 0], [-2, 0], [3, 0], [4, 0], [5, 0], [-6, 0]], "float32")
    return model, points, tf.data.Dataset.from_tensor_slices((points, np.array(labels, "int32"))).batch(6)


@pytest.mark.parametrize(
    ("labels", "accuracy"),
    [
        ([0, 0, 1, 1, 1, 0], 1.0),
        ([1, 1, 0, 0, 0, 1], 0.0),
        ([0, 1, 1, 2, 3, 0], 0.5),
        ([0, 1, -1, -1, -1, -1], 0.5),  # those without a label do not count
        ([-1, -1, 1, 1, 0, -1], 2 / 3),
        ([-1] * 6, 0.0),
    ],
)
def test_the_accuracy_counts_labelled_images(labels, accuracy):
    model, points, data = hand_made(labels)
    found = model.evaluate(data, verbose=0, return_dict=True)
    assert found["class_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    np.testing.assert_array_equal(model.classify(points).argmax(1), [0, 0, 1, 1, 1, 0])
    assert np.isfinite(found["loss"])


def test_an_infogan_reads_the_codes_of_images_in_inference_mode_in_any_batch_size():
    model = with_codes()
    outputs = np.asarray(model.discriminator(POINTS, training=False)["codes"])
    for batch_size in (500, 5):
        (first, second), means = model.codes(POINTS, batch_size=batch_size)
        np.testing.assert_allclose(np.concatenate([first, second, means], axis=1), outputs, atol=1e-6)
    assert means.shape == (24, model.prior.continuous)


def test_classify_gives_the_class_logits_in_inference_mode_in_any_batch_size():
    tz.runtime.setup(seed=0)
    model = tz.create("improved_gan", (2,), width=8, num_classes=CLASSES)  # its D is noisy while it trains
    found = model.classify(POINTS)
    assert found.shape == (24, CLASSES)
    np.testing.assert_array_equal(model.classify(POINTS), found)
    np.testing.assert_allclose(model.classify(POINTS, batch_size=5), found, atol=1e-6)
    np.testing.assert_allclose(found, model.discriminator(POINTS, training=False)["classes"], atol=1e-6)


def test_the_class_loss_is_of_real_labelled_images_alone():
    labels = np.where(np.arange(24) < 6, LABELS, -1).astype("int32")
    model = model_of("semi", class_weight=0.5, objective=tz.objectives.FeatureMatching())
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    expected = 0.5 * cross_entropy(model.classify(POINTS)[:6], LABELS[:6]).mean()
    logs = model.fit(batches(24, labels), verbose=0).history
    assert logs["class_loss"][0] == pytest.approx(expected, rel=1e-5)
    assert set(logs) == {"loss", "discriminator_loss", "generator_loss", "class_loss", "class_accuracy"}
    none = model.fit(batches(24, np.full(24, -1)), verbose=0).history
    assert none["class_loss"][0] == 0.0
    assert np.isfinite(none["loss"]).all()


def test_few_labels_teach_a_classifier():
    """Salimans et al. 2016, Sec. 5, in small: scikit-learn's digits, ten labels a class, chance is one in ten."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 8 - 1).astype("float32")
    images, labels, unseen, truth = images[:1280], labels[:1280], images[1280:], labels[1280:]
    first = np.concatenate([np.flatnonzero(labels == digit)[:10] for digit in range(10)])
    known = np.full(1280, -1, "int32")
    known[first] = labels[first]
    tz.runtime.setup(seed=0)
    body = mlp.body((8, 8, 1), 128, dropout=0.2)
    model = tz.SemiSupervisedGAN(
        mlp.generator((8, 8, 1), 20, 128),
        heads.classifier(body, 10),
        num_classes=10,
        objective=tz.objectives.FeatureMatching(OBJECTIVE),
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    assert (model.classify(unseen).argmax(1) == truth).mean() < 0.4
    data = tf.data.Dataset.from_tensor_slices((images, known)).shuffle(1280, seed=0).batch(128)
    model.fit(data, epochs=12, verbose=0)
    assert (model.classify(unseen).argmax(1) == truth).mean() > 0.6


# ---- saving -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("conditional", {"num_classes": CLASSES}),
        ("acgan", {"num_classes": CLASSES, "class_weight": 0.3}),
        ("infogan", {"categorical_weight": 0.4, "continuous_weight": 0.5, "prior": CODES}),
        ("semi", {"num_classes": CLASSES, "class_weight": 0.3}),
    ],
)
def test_saved_and_loaded_they_are_the_same(kind, numbers, tmp_path):
    model = model_of(kind, **numbers)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert type(loaded) is type(model)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert loaded.prior == model.prior
    assert numbers.items() <= (loaded.get_config() | {"prior": loaded.prior}).items()
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))


# ---- bad input: one sentence each ---------------------------------------------------------------------------------

LAST_IS_BAD = LABELS.copy()
LAST_IS_BAD[-1] = CLASSES


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("conditional", lambda: (tf.data.Dataset.from_tensor_slices(POINTS).batch(12),), "needs labels beside images"),
        ("conditional", lambda: (POINTS,), "needs labels beside images"),
        ("conditional", lambda: (batches(12, LABELS + 1),), "labels run from . to 4: .* knows 0 to 3"),
        ("conditional", lambda: (batches(12, LABELS - 1),), "labels run from -1 to .: .* knows 0 to 3"),
        ("conditional", lambda: (POINTS, LAST_IS_BAD), "labels run from 0 to 4: .* knows 0 to 3"),
        ("conditional", lambda: (batches(12, np.eye(CLASSES)[LABELS]),), r"labels are float64 \(12, 4\)"),
        ("conditional", lambda: (batches(12, LABELS.astype("float32")),), r"labels are float32 \(12,\)"),
        ("conditional", lambda: (POINTS, LABELS > 1), r"labels are bool \(24,\)"),
        ("conditional", lambda: (POINTS, LABELS[:20]), r"labels are int32 \(20,\).*each of the 24 images"),
        ("acgan", lambda: (POINTS, LAST_IS_BAD), "labels run from 0 to 4: .* knows 0 to 3"),
        ("acgan", lambda: (batches(12, np.full(24, -1)),), "labels run from -1 to -1: .* knows 0 to 3"),
        ("semi", lambda: (POINTS,), "needs labels beside images"),
        ("semi", lambda: (POINTS, LAST_IS_BAD), "labels run from 0 to 4: .* knows -1 to 3"),
        ("semi", lambda: (batches(12, LABELS - 2),), "labels run from -2 to .: .* knows -1 to 3"),
    ],
)
def test_fit_refuses_labels_before_the_first_step(kind, data, sentence):
    model = model_of(kind)
    before = model.get_weights()
    with pytest.raises(ValueError, match=sentence):
        model.fit(*data(), verbose=0)
    assert int(model.step) == 0
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_fit_refuses_validation_labels_before_the_first_step():
    model = model_of("acgan")
    with pytest.raises(ValueError, match="needs labels beside images"):
        model.fit(POINTS, LABELS, validation_data=POINTS, verbose=0)
    with pytest.raises(ValueError, match="labels run from 0 to 4"):
        model.fit(POINTS, LABELS, validation_data=(POINTS, LAST_IS_BAD), verbose=0)
    assert int(model.step) == 0


def test_arrays_may_hold_images_without_a_label():
    model = model_of("semi")
    model.fit(POINTS, np.where(np.arange(24) < 12, LABELS, -1), batch_size=12, verbose=0)
    assert int(model.step) == 2


def test_no_images_and_no_labels_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"shape \(0, 2\)|no images|empty"):
        model_of("conditional").fit(POINTS[:0], LABELS[:0], verbose=0)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, 4], "labels run from 0 to 4: .* knows 0 to 3"),
        ([0, -1, 2], "labels run from -1 to 2"),
        ([0, 1], r"labels are int64 \(2,\).*each of the 3 images"),
        ([0.0, 1.0, 2.0], r"labels are float64 \(3,\)"),
        (1, r"labels are int64 \(\)"),
        (np.eye(4, dtype=int)[:3], r"labels are int64 \(3, 4\)"),
    ],
)
def test_generate_refuses_labels(labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        model_of("conditional").generate(3, labels=labels, seed=0)


@pytest.mark.parametrize("kind", ["infogan", "semi"])
def test_a_generator_that_is_told_nothing_refuses_labels(kind):
    with pytest.raises(ValueError, match="unconditional: leave them out"):
        model_of(kind).generate(3, labels=[0, 1, 2])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: model_of("conditional", num_classes=1), "num_classes=1: give the number of classes, at least 2"),
        (lambda: model_of("conditional", num_classes=True), "num_classes=True"),
        (lambda: model_of("conditional", num_classes=4.0), "num_classes=4.0"),
        (lambda: model_of("semi", num_classes=0), "num_classes=0"),
        pytest.param(
            lambda: model_of("acgan", num_classes="4"),
            "num_classes='4'",
        ),
        (lambda: model_of("acgan", num_classes=5), r"must give 'classes' \(N, 5\) .* gives 4 of them"),
        (lambda: model_of("semi", num_classes=5), r"must give 'classes' \(N, 5\) .* gives 4 of them"),
        (
            lambda: tz.ACGAN(*networks("conditional"), num_classes=CLASSES, objective=OBJECTIVE),
            r"must give 'classes' \(N, 4\) beside its logits, and gives none.*Dense\(4\)",
        ),
        (
            lambda: tz.SemiSupervisedGAN(*networks("infogan"), num_classes=CLASSES, objective=OBJECTIVE),
            r"must give 'classes' \(N, 4\) beside its logits, and gives none",
        ),
        (
            lambda: tz.InfoGAN(*networks("semi"), prior=CODES, objective=OBJECTIVE),
            r"must give 'codes' \(N, 4\) beside its logits, and gives none",
        ),
        (
            lambda: model_of("infogan", prior=tz.priors.Codes((3,), continuous=2)),
            r"must give 'codes' \(N, 5\) .* gives 4 of them",
        ),
        (
            lambda: model_of("infogan", prior=tz.priors.Codes((10,), continuous=2)),
            r"latents of 5 coordinates, but the codes alone are 12: give it latent_dim >= 12",
        ),
        (lambda: tz.create("infogan", (2,), width=4, latent_dim=11), "give it latent_dim >= 12"),
        (lambda: model_of("infogan", prior=tz.priors.Normal()), r"prior=Normal.*InfoGAN needs codes"),
        (lambda: model_of("infogan", continuous_weight=-0.1), "continuous_weight=-0.1"),
        (lambda: model_of("infogan", categorical_weight=-1.0), "categorical_weight=-1.0"),
        (lambda: model_of("acgan", class_weight=0.0), "class_weight=0.0"),
        pytest.param(
            lambda: model_of("semi", class_weight=-1.0),
            "class_weight=-1.0",
        ),
        (
            lambda: tz.ConditionalGAN(
                networks("semi")[0], networks("conditional")[1], num_classes=CLASSES, objective=OBJECTIVE
            ),
            "generator has no input for labels",
        ),
        (
            lambda: tz.ConditionalGAN(tell_tale(), networks("semi")[1], num_classes=CLASSES, objective=OBJECTIVE),
            "discriminator has no input for labels",
        ),
        (
            lambda: tz.ACGAN(networks("semi")[0], networks("acgan")[1], num_classes=CLASSES, objective=OBJECTIVE),
            "generator has no input for labels",
        ),
        (
            lambda: tz.ACGAN(
                tell_tale(),
                heads.discriminator(mlp.body((2,), 4, 1, num_classes=CLASSES), classes=layers.Dense(CLASSES)),
                num_classes=CLASSES,
                objective=OBJECTIVE,
            ),
            "discriminator takes labels, but ACGAN's is asked for them",
        ),
        (
            lambda: tz.SemiSupervisedGAN(
                networks("semi")[0],
                heads.discriminator(mlp.body((2,), 4, 1), classes=layers.Dense(CLASSES)),
                num_classes=CLASSES,
                objective=tz.objectives.FeatureMatching(),
            ),
            "compares 'features', but discriminator gives 'logits', 'classes'",
        ),
    ],
)
def test_construction_refuses(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
