"""NumPy draws the latents and labels that the model draws, bit by bit."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import tfgan_zoo as tz
from tfgan_zoo import noise
from tfgan_zoo.priors import Codes, Normal, Uniform
from tfgan_zoo_serving import draws


def told(prior):
    """A prior as a card tells it."""
    fields = {field.name: getattr(prior, field.name) for field in dataclasses.fields(prior)}
    nested = {key: told(value) if dataclasses.is_dataclass(value) else value for key, value in fields.items()}
    return {"class": type(prior).__name__, **nested}


@pytest.mark.parametrize(
    ("counter", "key", "wanted"),
    [  # the known answers that Salmon et al. publish with Random123
        ("00000000" * 4, "00000000" * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff" * 4, "ffffffff" * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a8885a308d313198a2e03707344", "a4093822299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers(counter, key, wanted):
    words = [np.frombuffer(bytes.fromhex(text), ">u4").astype(np.uint64) for text in (counter, key)]
    assert " ".join(f"{word:08x}" for word in draws._philox(words[0][:, None], words[1])[:, 0]) == wanted


@pytest.mark.parametrize("seed", [(0, 0), (7, -5), (2**31 - 1, 123456)])
def test_bits_and_folds_are_tensorflows(seed):
    bits = tf.random.stateless_uniform((13, 7), seed, None, None, tf.uint32, alg="philox")
    np.testing.assert_array_equal(draws._bits(91, seed), np.ravel(bits))
    np.testing.assert_array_equal(draws._folded(seed, 3), noise.fold(tf.constant(seed), 3))


@pytest.mark.parametrize("seed", [0, 5, 2**31 - 1])
@pytest.mark.parametrize(
    "prior",
    [Normal(), Normal(0.3), Uniform(), Uniform(0.1, 0.7), Codes((10, 3), 2), Codes((), 1), Codes((4,), 0, Uniform())],
    ids=str,
)
def test_latents_are_those_of_the_prior(prior, seed):
    for width in (33, 64):
        blocks = [(min(256, 600 - first), noise.block_seed(seed, first // 256)) for first in range(0, 600, 256)]
        wanted = np.concatenate([prior.sample(rows, width, block).numpy() for rows, block in blocks])
        drawn = draws.latents(told(prior), 600, width, seed)
        assert drawn.dtype == np.float32
        np.testing.assert_allclose(drawn, wanted, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(draws.latents(told(prior), 7, width, seed), drawn[:7])
    np.testing.assert_allclose(draws.rows(told(prior), 3, (width,), seed), wanted[:3], rtol=1e-6, atol=1e-6)


def test_latents_and_labels_are_those_of_generate():
    model = tz.create("cgan", image_shape=(2,), width=4)
    drawn = draws.latents(told(model.prior), 500, model.latent_dim, 11)
    np.testing.assert_array_equal(drawn, model.draw_latents(500, 11))
    labels = draws.labels(500, 10, 11)
    assert (labels.dtype, set(labels)) == (np.int32, set(range(10)))
    np.testing.assert_array_equal(labels, model.condition_for(500, None, 11))
    assert not np.array_equal(labels, draws.labels(500, 10, 12))


@pytest.mark.parametrize("prior", [None, {"class": "Cauchy"}])
def test_another_prior_is_refused(prior):
    with pytest.raises(ValueError, match="cannot be drawn here: call it with latents"):
        draws.latents(prior, 2, 3, 0)
