"""Perceptual path length where it is known: linear generators, straight and round paths."""

import numpy as np
import pytest

from tfgan_zoo.geometry import lerp
from tfgan_zoo.metrics import perceptual_path_length


def same(x):
    return x


def test_a_linear_generator_has_the_length_of_its_lines():
    latents = np.random.default_rng(0).normal(size=(400, 6))
    matrix = np.random.default_rng(1).normal(size=(6, 9))
    expected = np.sort(np.sum(((latents[200:] - latents[:200]) @ matrix) ** 2, 1))[2:-2]  # 1 % cut at either end
    mean, error = perceptual_path_length(lambda z: z.astype(float) @ matrix, same, latents, interpolate=lerp)
    assert mean == pytest.approx(expected.mean(), rel=0.02)  # latents are float32 and the step is 1e-4
    assert error == pytest.approx(expected.std(ddof=1) / np.sqrt(196), rel=0.02)


def test_on_a_sphere_the_speed_is_the_angle():
    latents = np.random.default_rng(2).normal(size=(300, 8))
    latents *= 4 / np.linalg.norm(latents, axis=1, keepdims=True)
    cosine = np.sum(latents[:150] * latents[150:], 1) / 16
    expected = np.sort((4 * np.arccos(cosine)) ** 2)[1:-1]
    assert perceptual_path_length(same, same, latents, epsilon=1e-3)[0] == pytest.approx(expected.mean(), rel=0.01)


def test_a_rougher_generator_has_a_longer_path():
    latents = np.random.default_rng(3).normal(size=(200, 4))
    smooth, rough = (
        perceptual_path_length(lambda z, f=f: np.sin(f * z.astype(float)), same, latents)[0] for f in (1, 5)
    )
    assert rough > 5 * smooth
    assert perceptual_path_length(np.zeros_like, same, latents) == (0, 0)


def test_batches_change_nothing_and_a_seed_gives_the_places():
    latents = np.random.default_rng(4).normal(size=(60, 4))

    def length(**keywords):
        return perceptual_path_length(lambda z: np.sin(5 * z.astype(float)), same, latents, **keywords)

    assert length() == pytest.approx(length(batch_size=7), rel=1e-9)
    assert length(seed=1) == length(seed=1) != length(seed=2)


def test_bad_input_is_named():
    latents = np.zeros((8, 2))
    with pytest.raises(ValueError, match=r"two for each of P ≥ 2 paths; they are \(7, 2\)"):
        perceptual_path_length(same, same, latents[:7])
    with pytest.raises(ValueError, match="epsilon=0"):
        perceptual_path_length(same, same, latents, epsilon=0)
    with pytest.raises(ValueError, match=r"finite matrix \(n, d\).*\(4, 2, 1\)"):
        perceptual_path_length(same, lambda x: x[..., None], latents)
    with pytest.raises(ValueError, match="with NaN"):
        perceptual_path_length(same, lambda x: x * np.nan, latents)
