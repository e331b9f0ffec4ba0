"""Exports by name: of this repository, of a folder, fetched; and what is made from their cards."""

import functools
import http.server
import json
import pathlib
import threading

import numpy as np
import pytest

import tfgan_zoo as tz
from benchmarks import gallery, leaderboard, zoo_index
from tfgan_zoo.export import compact
from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import collection

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with one compact export, and its model."""
    where = tmp_path_factory.mktemp("exports")
    tz.runtime.setup(seed=3)
    gan = tz.create("cgan", image_shape=(8, 8, 1), width=4)
    protocol = {"reference": "digits", "split": "test", "num_generated": 360, "extractor": {"hash": "a"}}
    record = {"scores": {"fd_classifier_360": 12.5, "fd_classifier_360_floor": 7.0}, "protocol": protocol}
    about = {"model": "cGAN", "data": "digits", "command": "tfgan-zoo train cgan"}
    tz.export(gan, where / "cgan_small", scores=record, about=about, **compact(gan))
    return where, gan


def test_what_stands_in_exported_is_found_by_name_and_is_what_the_index_says():
    rows = collection.known()
    found = zoo_index.read()
    assert {"cgan_digits", "dcgan_fashion_mnist"} <= set(found) == set(tz.list_exported())
    assert zoo_index.index(zoo_index.EXPORTED, found) == rows, "make zoo-index"
    assert list(zoo_index.faults(found, rows)) == []
    assert collection.find("cgan_digits") == ROOT / "exported/cgan_digits"
    assert tz.list_exported("cgan_dig*") == ["cgan_digits"]


def test_pages_made_from_the_cards_are_what_stands_in_docs():
    found = zoo_index.read()
    assert (ROOT / "docs/leaderboard.md").read_text(encoding="utf-8") == leaderboard.markdown(found), "make zoo-index"
    assert (ROOT / "docs/gallery.md").read_text(encoding="utf-8") == gallery.markdown(found), "make zoo-index"
    assert (ROOT / "docs/gallery.html").read_text(encoding="utf-8") == gallery.page(found), "make zoo-index"
    for name, card in found.items():
        assert (ROOT / "exported" / name / gallery.told(card)["picture"]).is_file()


def test_a_compact_export_is_small_and_its_model_comes_back(small):
    where, gan = small
    card = cards.read(where / "cgan_small")
    assert list(card["formats"]) == ["tflite_float16_batch1", "keras"]
    assert not any(name.startswith("demo") for name in card["files"])
    again = tz.load_model(where / "cgan_small")
    images = gan.generate(5, labels=[0, 1, 2, 3, 4], seed=1)
    np.testing.assert_allclose(again.generate(5, labels=[0, 1, 2, 3, 4], seed=1), images, atol=1e-3)
    served = tz.load_exported(where / "cgan_small")
    assert served.format == "tflite_float16_batch1"
    np.testing.assert_allclose(served.generate(5, labels=[0, 1, 2, 3, 4], seed=1), images, atol=1e-3)
    assert all(one["max_abs_diff"] < 1e-3 for one in tz.verify(where / "cgan_small").values())
    again.compile()  # and it can be trained on
    again.fit(tz.data.load("digits").take(1), verbose=0)


def test_the_whole_of_it_is_exported_again_from_the_small(small, tmp_path):
    where, gan = small
    card = tz.export(tz.load_model(where / "cgan_small"), tmp_path / "whole", formats=("tflite",))
    assert set(card["formats"]) == {"tflite", "keras"}
    images = tz.load_exported(tmp_path / "whole").generate(3, labels=[7, 8, 9], seed=2)
    np.testing.assert_allclose(images, gan.generate(3, labels=[7, 8, 9], seed=2), atol=1e-3)


@pytest.fixture
def remote(small, tmp_path, monkeypatch):
    """A server of the folder, as the place to fetch from, and an empty cache."""
    where, _ = small
    found = zoo_index.read(where)
    (where / "index.json").write_text(json.dumps(zoo_index.index(where, found)), encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(where)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TFGAN_ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TFGAN_ZOO_EXPORTED", f"http://127.0.0.1:{server.server_port}/")
    collection._remote_index.cache_clear()
    yield where
    server.shutdown()
    server.server_close()
    collection._remote_index.cache_clear()


def test_an_export_is_fetched_once_and_whole(remote, tmp_path, monkeypatch):
    assert "cgan_small" in tz.list_exported()
    assert tz.load_exported("cgan_small").generate(1, seed=0).shape == (1, 8, 8, 1)
    there = tmp_path / "cache/exported/cgan_small"
    assert collection.find("cgan_small") == there
    assert {path.name for path in there.parent.iterdir()} == {"cgan_small"}
    monkeypatch.setenv("TFGAN_ZOO_EXPORTED", str(remote))  # a folder is asked before the cache
    assert collection.find("cgan_small") == remote / "cgan_small"


def test_what_is_fetched_and_is_not_what_was_published_is_refused(remote, tmp_path):
    file = remote / "cgan_small/generator.keras"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"x")
    with pytest.raises(cards.DamagedError, match=r"generator\.keras"):
        tz.load_exported("cgan_small")
    file.write_bytes(whole)
    assert list((tmp_path / "cache/exported").iterdir()) == []
    rows = json.loads((remote / "index.json").read_text())
    rows["cgan_small"]["card"] = "0" * 64
    (remote / "index.json").write_text(json.dumps(rows))
    collection._remote_index.cache_clear()
    with pytest.raises(cards.DamagedError, match="not what was published"):
        tz.load_exported("cgan_small")


def test_a_name_that_is_none_and_a_place_that_does_not_answer(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="Did you mean 'cgan_digits'"):
        tz.load_exported("cgan_digit")
    monkeypatch.setenv("TFGAN_ZOO_EXPORTED", "http://127.0.0.1:9/")
    collection._remote_index.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"127.0.0.1:9.*TFGAN_ZOO_EXPORTED"):
        tz.list_exported()
    collection._remote_index.cache_clear()


def test_the_leaderboard_ranks_like_with_like(small):
    where, _ = small
    card = cards.read(where / "cgan_small")
    other = card | {"scores": {"fd_classifier_360": 10.5}}
    longer = card | {"protocol": card["protocol"] | {"num_generated": 100}}
    found = {"b": card, "a": other, "a_seed1": card | {"scores": {"fd_classifier_360": 11.5}}, "c": longer}
    (rows, alone) = leaderboard.tables(found).values()
    assert list(rows) == ["a", "b"]
    assert (rows["a"]["fd"], rows["a"]["seeds"]) == (11.0, 2)
    assert rows["a"]["spread"] == pytest.approx(0.5**0.5)
    assert list(alone) == ["c"]
    text = leaderboard.markdown(found)
    assert "**11.0** ± 0.7" in text
    assert "**12.5**" in text
    ours = {name: {"entry": name, "fd": fd} for name, fd in {"dcgan": 1.0, "lsgan": 2.0, "wgan": 3.0}.items()}
    assert leaderboard.agreement(ours) == (-1 / 3, 3)  # of their three pairs one agrees


@pytest.mark.slow
def test_the_gallery_is_whole_and_readable_on_a_phone_and_a_desk(tmp_path):
    """Every picture loads, nothing is complained of, nothing runs out of the screen, no letter is below 12 pixels."""
    from benchmarks import chromium

    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    with chromium.Browser((ROOT / "docs/gallery.html").as_uri()) as browser:
        for width, columns in ((390, 1), (1280, 3)):
            (tmp_path / f"{width}.png").write_bytes(browser.seen(width))
            assert browser.run("document.documentElement.scrollWidth") <= width
            tops = "[...document.querySelectorAll('article')].map(one => one.getBoundingClientRect().left)"
            assert browser.run(f"new Set({tops}).size") >= columns
        pictures = browser.run("[...document.images].map(one => [one.alt, one.naturalWidth])")
        assert {alt for alt, wide in pictures if not wide} == set()
        assert len(pictures) == len(zoo_index.read())
        sizes = "[...document.querySelectorAll('p, code, h2')].map(one => parseFloat(getComputedStyle(one).fontSize))"
        assert browser.run(f"Math.min(...{sizes})") >= 12
        assert browser.complaints() == []


@pytest.mark.slow
def test_a_browser_tells_what_a_page_complains_of(tmp_path):
    from benchmarks import chromium

    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    page = tmp_path / "bad.html"
    page.write_text("<img src='gone.png'><script>console.error('told', 3); missing()</script>")
    with chromium.Browser(page.as_uri()) as browser:
        told = " ".join(browser.complaints())
    assert "told 3" in told
    assert "missing is not defined" in told
    assert "gone.png" in told
