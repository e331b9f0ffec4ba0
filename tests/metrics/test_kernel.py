"""The kernel distance against TF-GAN, its definition in loops, and what unbiased means."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_zoo.metrics import kernel_distance


@pytest.fixture
def clouds():
    random = np.random.default_rng(0)
    return random.normal(size=(60, 12)), 1.2 * random.normal(size=(60, 12)) + 0.3


def test_equals_tfgan(clouds, tfgan):
    expected, _ = tfgan.eval.kernel_classifier_distance_and_std_from_activations(
        *map(tf.constant, clouds), max_block_size=60
    )
    mean, std = kernel_distance(*clouds, subset_size=60, num_subsets=1)
    assert mean == pytest.approx(float(expected), rel=1e-9)
    assert std == 0


def test_equals_its_definition(clouds):
    left, right = (cloud[:9] for cloud in clouds)

    def kernel(a, b):
        return (0.5 * float(a @ b) + 2) ** 2

    pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
    expected = np.mean([kernel(left[i], left[j]) + kernel(right[i], right[j]) for i, j in pairs])
    expected -= 2 * np.mean([kernel(a, b) for a in left for b in right])
    found, _ = kernel_distance(left, right, subset_size=9, num_subsets=3, degree=2, gamma=0.5, coef0=2)
    assert found == pytest.approx(expected, rel=1e-9)


def test_two_halves_of_one_set_are_at_distance_zero_on_average():
    random = np.random.default_rng(1)
    found = []
    for _ in range(200):
        cloud = random.normal(size=(60, 8))
        found.append(kernel_distance(cloud[:30], cloud[30:], subset_size=30, num_subsets=1)[0])
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert 0.2 < np.mean(np.array(found) < 0) < 0.8  # a biased estimate would be positive throughout


def test_grows_with_a_shift_and_does_not_with_the_number_of_images():
    random = np.random.default_rng(2)
    few, many = random.normal(size=(2, 100, 8)), random.normal(size=(2, 1000, 8))
    values = [kernel_distance(real, fake + 1, subset_size=len(real), num_subsets=1)[0] for real, fake in (few, many)]
    assert values[0] == pytest.approx(values[1], rel=0.2)
    near, far = (kernel_distance(many[0], many[1] + shift, 200, 10)[0] for shift in (0.1, 0.5))
    assert near < far / 4


def test_a_seed_gives_the_same_subsets_and_another_others(clouds):
    found = kernel_distance(*clouds, subset_size=20, num_subsets=5, seed=3)
    assert found == kernel_distance(*clouds, subset_size=20, num_subsets=5, seed=3)
    assert found != kernel_distance(*clouds, subset_size=20, num_subsets=5, seed=4)
    assert found[1] > 0


def test_bad_input_is_named(clouds):
    with pytest.raises(ValueError, match="subset_size=1000 must lie between 2 and the 60 images"):
        kernel_distance(*clouds)
    with pytest.raises(ValueError, match="num_subsets=0"):
        kernel_distance(*clouds, subset_size=20, num_subsets=0)
    with pytest.raises(ValueError, match="12 features per image and fake 11"):
        kernel_distance(clouds[0], clouds[1][:, 1:], subset_size=20)
    with pytest.raises(ValueError, match="NaN"):
        kernel_distance(clouds[0], np.full((60, 12), np.nan), subset_size=20)
