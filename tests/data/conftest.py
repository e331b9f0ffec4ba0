"""What the tests of data share: a cache of their own."""

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
