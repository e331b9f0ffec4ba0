"""What is kept of real images: whole or not at all, on disk and, up to a size, in memory."""

import numpy as np
import pytest

from tfgan_zoo.metrics import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path))
    cache.forget()
    yield tmp_path
    cache.forget()


def test_arrays_come_back_as_they_were():
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "word": np.array("none"), "number": np.array(7)}
    cache.fetch({"key": 1}, lambda: arrays)
    cache.forget()
    found = cache.fetch({"key": 1}, lambda: pytest.fail("it is on disk"))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_memory_holds_the_latest_and_disk_the_others(monkeypatch):
    monkeypatch.setattr(cache, "KEPT_IN_MEMORY", 2 * 800)
    for key in range(4):
        cache.fetch({"key": key}, lambda key=key: {"a": np.full(100, key, np.float64)})
    assert list(cache._recent) == [cache.path_of({"key": key}) for key in (2, 3)]
    cache.fetch({"key": 4}, lambda: {"a": np.zeros(10_000)})  # larger than all of it: what is in use stays
    assert list(cache._recent) == [cache.path_of({"key": 4})]
    assert cache.fetch({"key": 0}, lambda: pytest.fail("it is on disk"))["a"][0] == 0


@pytest.mark.parametrize("position", [0, 40, -1])
def test_one_changed_byte_is_noticed(position):
    path = cache.path_of({"key": 1})
    cache.fetch({"key": 1}, lambda: {"a": np.zeros(100)})
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    cache.forget()
    assert cache.fetch({"key": 1}, lambda: {"a": np.ones(100)})["a"][0] == 1
    cache.forget()
    assert cache.fetch({"key": 1}, lambda: pytest.fail("it was written again"))["a"][0] == 1
