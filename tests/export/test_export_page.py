"""The page of an export: its draws are NumPy's, its server is plain, and a browser shows the images of `generate`."""

import base64
import http.client
import io
import json
import pathlib
import shutil
import subprocess
import threading

import numpy as np
import pytest
from export_stand_ins import image_model
from PIL import Image

import tfgan_zoo as tz
from tfgan_zoo.export import page as writer
from tfgan_zoo.export import publishing
from tfgan_zoo.pixels import to_uint8
from tfgan_zoo.priors import Codes, Uniform
from tfgan_zoo_serving import draws, page

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = ROOT / "tfgan_zoo_serving" / "demo"
NODE = shutil.which("node")
NORMAL, HALF = {"class": "Normal", "stddev": 1.0}, {"class": "Normal", "stddev": 0.3}
UNIFORM = {"class": "Uniform", "low": 0.1, "high": 0.7}
CODES = {"class": "Codes", "categorical": [10, 3], "continuous": 2, "noise": UNIFORM}
SCRIPT = """
import {{labels, latents, philox}} from "{}";
const asked = JSON.parse(process.argv[1]);
console.log(JSON.stringify({{
  drawn: asked.map(([prior, ...told]) => [...(prior === null ? labels(...told) : latents(prior, ...told))]),
  known: philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
}}));
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_latents_and_labels_in_javascript_are_numpys():
    asked = [[prior, 7, 33, seed] for prior in (NORMAL, HALF, UNIFORM, CODES) for seed in (0, 5, 2**31 - 1)]
    asked += [[None, 50, 10, seed] for seed in (0, 2**31 - 1)]
    script = SCRIPT.format((SOURCE / "draws.js").as_uri())
    command = [NODE, "--input-type=module", "--eval", script, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["known"] == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]  # Salmon et al. publish it with Random123
    for (prior, *how), given in zip(asked, told["drawn"], strict=True):
        if prior is None:
            np.testing.assert_array_equal(given, draws.labels(*how))
        else:  # logarithms and cosines of another library may fall to the other side of a half
            np.testing.assert_allclose(given, draws.latents(prior, *how).ravel(), rtol=3e-7, atol=1e-7)


SEEN = """
import {{floats, middle, withoutCamera}} from "{}";
const [size, shapes, bytes, errors] = JSON.parse(process.argv[1]);
console.log(JSON.stringify({{
  windows: shapes.map((shape) => middle(...size, shape)),
  floats: [1, 3, 4].map((channels) => [...floats(Uint8Array.from(bytes), channels)]),
  sentences: errors.map((name) => withoutCamera({{name, message: "why"}}).message),
}}));
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_pictures_in_javascript_are_cut_in_the_middle_and_as_grey_as_pillows():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), "uint8")
    pixels[..., 3] = 255
    errors = ["NotAllowedError", "NotFoundError", "NotReadableError", "AbortError"]
    asked = [[640, 480], [[64, 64], [16, 64]], pixels.ravel().tolist(), errors]
    script = SEEN.format((SOURCE / "translator.js").as_uri())
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script, json.dumps(asked)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["windows"] == [[80, 0, 480, 480], [0, 160, 640, 160]]
    picture = Image.fromarray(pixels)
    for mode, floats in zip(("L", "RGB", "RGBA"), told["floats"], strict=True):
        wanted = np.asarray(picture.convert(mode)).astype("float32").ravel() / 127.5 - 1
        np.testing.assert_allclose(floats, wanted, atol=1e-6)
    begins = (
        "The camera was refused",
        "There is no camera here",
        "The camera is in use",
        "The camera gives no picture (why)",
    )
    assert all(sentence.startswith(begin) for sentence, begin in zip(told["sentences"], begins, strict=True))
    assert all("choose" in sentence for sentence in told["sentences"])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "export"
    model = image_model(channels=3, num_classes=3, prior=Uniform())
    return model, directory, tz.export(model, directory, formats="tflite_batch1")


def test_the_page_arrives_and_leaves_with_the_file_it_draws_with(exported, tmp_path):
    _, directory, card = exported
    names = {f"demo/{path.name}" for path in SOURCE.iterdir() if path.is_file()}  # but vendor/, where it was fetched
    assert {"demo/index.html", "demo/draws.js"} <= names <= set(card["files"])
    assert (directory / "demo" / "index.html").read_bytes() == (SOURCE / "index.html").read_bytes()
    assert "tfgan_zoo_serving page ." in (directory / "README.md").read_text(encoding="utf-8")
    copy = pathlib.Path(shutil.copytree(directory, tmp_path / "export"))
    (copy / "demo" / "vendor").mkdir()
    (copy / "demo" / "vendor" / "runtime.js").write_text("one's own")
    assert tz.verify(copy)["tflite_batch1"]["max_abs_diff"] < 1e-4
    (copy / "demo" / "draws.js").write_text("another")
    with pytest.raises(ValueError, match=r"draws.js is damaged"):
        tz.verify(copy)
    with pytest.raises(FileExistsError, match=r"draws.js was changed after it was exported, and would be lost"):
        tz.export(image_model(), copy, formats=())
    (copy / "demo" / "draws.js").write_bytes((SOURCE / "draws.js").read_bytes())
    tz.export(image_model(), copy, formats=())
    assert [path.name for path in (copy / "demo").rglob("*.*")] == ["runtime.js"]
    assert "in a browser" not in (copy / "README.md").read_text(encoding="utf-8")
    tz.verify(copy)


def test_an_interrupted_export_leaves_the_page_as_it_was(exported, tmp_path, monkeypatch):
    copy = pathlib.Path(shutil.copytree(exported[1], tmp_path / "export"))
    (copy / "demo" / "vendor").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in copy.rglob("*")}
    put, moved = publishing._put, []

    def interrupted(path, place, moving):
        put(path, place, moving)
        if "/new/demo/" in str(path) and not moved:
            moved.append(place)
            raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "_put", interrupted)
    for directory in (copy, tmp_path / "nowhere"):
        moved.clear()
        with pytest.raises(KeyboardInterrupt):
            tz.export(image_model(num_classes=3), directory, formats="tflite_batch1")
        assert moved
    assert {path: path.is_file() and path.read_bytes() for path in copy.rglob("*")} == before
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ({}, ["tflite", "saved_model"]),
        ({"seeded": False}, ["tflite_batch1"]),
        ({"image_shape": [2]}, ["tflite_batch1"]),
    ],
)
def test_no_page_where_a_browser_could_not_draw(changed, made, tmp_path):
    facts = {"seeded": True, "image_shape": [12, 12, 1], "latent_dim": 4} | changed
    assert not writer.write(tmp_path, facts, dict.fromkeys(made))
    assert not (tmp_path / "demo").exists()
    if made == ["tflite_batch1"] and len(facts["image_shape"]) == 3:
        assert writer.write(tmp_path, facts | {"translates": True}, dict.fromkeys(made))


def test_the_server_isolates_the_page_and_serves_nothing_beside_it(exported, tmp_path):
    plain = tmp_path / "plain"
    tz.export(image_model(), plain, formats=())
    with pytest.raises(FileNotFoundError, match="has nothing that a browser can draw with: export a model"):
        page.server(plain)
    with pytest.raises(FileNotFoundError, match=r"has no card\.json"):
        page.server(tmp_path)
    export = pathlib.Path(shutil.copytree(exported[1], tmp_path / "export"))
    (tmp_path / "secret").write_text("mine")
    (export / "run").mkdir()
    (export / "demo" / "vendor").mkdir()
    for name in ("demo/vendor/some.wasm", "run/log.csv", "notes.txt", ".env", "demo/mine.js", "demo/vendor/.env"):
        (export / name).write_text("2")
    (export / "demo" / "vendor" / "link").symlink_to(tmp_path / "secret")
    (export / "samples.png").unlink()
    (export / "samples.png").symlink_to(tmp_path / "secret")
    server = page.server(export)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert server.server_address[0] == "127.0.0.1"
        kinds = {
            "/demo/": "text/html",
            "/demo/?seed=3": "text/html",
            "/demo/draws.js": "text/javascript",
            "/demo/vendor/some.wasm": "application/wasm",
            "/card.json": "application/json",
        }
        for path, kind in kinds.items():
            answer = _get(server, path)
            assert (answer.status, answer.headers["Content-Type"]) == (200, kind), path
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert _get(server, "/").headers["Location"] == _get(server, "/demo").headers["Location"] == "/demo/"
        hidden = ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/run/", "/run/log.csv", "/notes.txt", "/.env"]
        hidden += ["/demo/mine.js", "/demo/vendor/", "/demo/vendor/link", "/demo/vendor/.env", "/samples.png", "/%00"]
        for path in [*hidden, "/demo/vendor/%2e%2e/%2e%2e/notes.txt", "/demo\\vendor"]:
            assert _get(server, path).status == 404, path
        for host in ("evil.example", f"evil.example:{server.server_port}", "127.0.0.1:1", ""):
            assert _get(server, "/demo/", host).status == 403, host
        assert _get(server, "/demo/", f"localhost:{server.server_port}").status == 200
    finally:
        server.shutdown()
        server.server_close()


def test_the_server_brings_the_page_to_a_small_export(tmp_path):
    card = tz.export(image_model(), tmp_path / "out", formats="tflite_float16_batch1", weights="float16")
    assert not any(name.startswith("demo/") for name in card["files"])
    server = page.server(tmp_path / "out")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for path in (
            "/demo/",
            "/demo/draws.js",
            "/demo/generator.js",
            "/card.json",
            "/generator_float16_batch1.tflite",
        ):
            assert _get(server, path).status == 200, path
        for path in ("/demo/../page.py", "/demo/vendor/", "/page.py", "/model.json~"):
            assert _get(server, path).status == 404, path
    finally:
        server.shutdown()
        server.server_close()


def _get(server, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def _browser():
    chromium = pytest.importorskip("benchmarks.chromium")
    if chromium.missing():
        pytest.skip(chromium.missing())
    return chromium


@pytest.mark.slow
def test_a_browser_shows_the_images_of_generate(exported):
    chromium, (model, directory, _) = _browser(), exported
    labels = draws.labels(5, 3, 9)
    wanted = model.generate(5, labels, seed=9)
    with chromium.Page(directory, "?seed=9&num_images=5") as browser:
        assert browser.run("crossOriginIsolated")
        np.testing.assert_allclose(browser.generate(5, 9), wanted, atol=1e-4)
        shown = browser.shown()
        assert np.abs(shown.astype(int) - np.asarray(to_uint8(wanted)).astype(int)).max() <= 1
        told = [2, 0, 1, 1, 2]
        np.testing.assert_allclose(browser.generate(5, 9, told), model.generate(5, np.array(told), seed=9), atol=1e-4)

        browser.run("(at => { at.value = 1; at.onchange() })(document.getElementById('label'))")
        assert browser.wait() == ""
        ones = np.asarray(to_uint8(model.generate(5, np.ones(5, np.int32), seed=9)))
        assert np.abs(browser.shown().astype(int) - ones.astype(int)).max() <= 1

        latents = model.draw_latents(5, 9).numpy()
        latents[2, 3] = 0.25
        browser.run("document.querySelectorAll('#images img')[2].onclick()")
        browser.run("(at => { at.value = 0.25; at.oninput() })(document.querySelectorAll('#latents input')[3])")
        assert browser.wait() == ""
        moved = np.asarray(to_uint8(model.ema_network([latents, np.ones(5, np.int32)], training=False)))
        assert np.abs(browser.shown().astype(int) - moved.astype(int)).max() <= 1
        assert np.abs(browser.shown()[2].astype(int) - ones[2].astype(int)).max() > 1

        for call, sentence in {
            "generator.generate(0, 0)": "0 images: ask for at least 1",
            "generator.generate(1, 2 ** 31)": "give an integer from 0 to 2147483647",
            "generator.draw([1, 2], 0)": "latents: give 8 finite numbers",
            "generator.draw(Array(8).fill(NaN), 0)": "latents: give 8 finite numbers",
            "generator.draw(Array(8).fill(0), 3)": "label 3: give an integer from 0 to 2",
            "generator.draw(Array(8).fill(0))": "label undefined",
        }.items():
            with pytest.raises(RuntimeError, match=sentence):
                browser.run(call)
        browser.run("(at => { at.value = -1; at.onchange() })(document.getElementById('seed'))")
        assert browser.wait() == "seed -1: give an integer from 0 to 2147483647."
        browser.run("(at => { at.value = 9; at.onchange() })(document.getElementById('seed'))")
        assert browser.wait() == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?num_images=100000000", "num_images 100000000: give an integer from 1 to 64."),
        ("?num_images=0&seed=1", "num_images 0: give an integer from 1 to 64."),
        ("?seed=2147483648", "seed 2147483648: give an integer from 0 to 2147483647."),
        ("?label=99", "label=99 in this page's address is none: choose above."),
        ("?seed=one", "seed=one in this page's address is none: choose above."),
    ],
)
def test_an_address_that_asks_for_what_there_is_not_is_told_so(exported, query, sentence):
    chromium = _browser()
    with chromium.Page(exported[1], query) as browser:
        assert browser.wait() == sentence
        assert browser.run("document.querySelectorAll('#images img').length") == 0
        for field, value in {"seed": 0, "num_images": 2, "label": 1}.items():
            browser.run(f"document.getElementById('{field}').value = {value}")
        browser.run("document.getElementById('seed').onchange()")
        assert browser.wait() == ""
        assert len(browser.shown()) == 2


@pytest.mark.slow
def test_a_page_from_a_file_says_what_to_do(exported):
    chromium = _browser()
    with chromium.Page(exported[1]) as browser:
        told = browser.run("document.getElementById('told').textContent")
        assert told.endswith("The images of a seed are those of model.generate, to less than half a grey level.")
        browser._ask("Page.navigate", url=(exported[1] / "demo" / "index.html").as_uri())
        assert "Serve the directory of the export: `python -m tfgan_zoo_serving.page .`" in browser.wait()


@pytest.mark.slow
def test_codes_have_controls_of_their_own(tmp_path):
    chromium, model = _browser(), image_model(prior=Codes((3,), 2))
    tz.export(model, tmp_path / "out", formats=["tflite_batch1", "tflite_dynamic_range_batch1"])
    latents = model.draw_latents(2, 4).numpy()
    with chromium.Page(tmp_path / "out", "?seed=4&num_images=2") as browser:
        names = browser.run(
            "[...document.querySelectorAll('#latents label')].map((one) => one.firstChild.textContent.trim())"
        )
        assert names == ["category of 3", "code 6", "code 7", "latent 0", "latent 1", "latent 2"]
        for category in range(3):
            browser.run(f"(at => {{ at.value = {category}; at.oninput() }})(document.querySelector('#latents select'))")
            assert browser.wait() == ""
            latents[0, 3:6] = np.eye(3)[category]
            wanted = np.asarray(to_uint8(model.ema_network(latents[:1], training=False))).astype(int)
            assert np.abs(browser.shown()[0].astype(int) - wanted[0]).max() <= 1


CHOOSE = """(async () => {{
  const canvas = Object.assign(document.createElement("canvas"), {{width: 96, height: 48}});
  const context = canvas.getContext("2d");
  for (const [index, colour] of ["red", "lime", "blue"].entries()) {{
    context.fillStyle = colour;
    context.fillRect(32 * index, 0, 32, 48);
  }}
  const chosen = new DataTransfer();
  chosen.items.add(new File([{}], "picture.png"));
  document.getElementById("file").files = chosen.files;
  await document.getElementById("file").onchange();
}})()"""
BLOB = "await new Promise((done) => canvas.toBlob(done))"


def shown(browser, id):
    url = browser.run(f"document.getElementById('{id}').src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


@pytest.mark.slow
def test_a_browser_translates_what_is_chosen_and_what_the_camera_sees(tmp_path):
    chromium = _browser()
    names = {"attribute_names": ("red", "old", "green"), "exclusive": (("red", "green"),)}
    model = tz.create("stargan", (16, 16, 3), width=4, blocks=1, seed=0, **names)
    card = tz.export(model, tmp_path / "out", formats="tflite_batch1")
    assert card["model"]["attribute_groups"] == [["red", "green"]]
    images = np.tanh(np.random.default_rng(0).normal(size=(2, 16, 16, 3))).astype("float32")
    told = np.array([[1, 0, 0], [0, 1, 1]], "float32")
    camera = "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    with chromium.Page(tmp_path / "out", flags=camera) as browser:
        np.testing.assert_allclose(browser.translate(images, told), model.translate(images, told), atol=1e-4)
        for call, sentence in {
            "generator.translate([0], [1, 0, 0])": "give 768 numbers from -1 to 1",
            "generator.translate(Array(768).fill(0), [1, 0])": "give 3 numbers from 0 to 1: red, old, green",
        }.items():
            with pytest.raises(RuntimeError, match=sentence):
                browser.run(call)

        browser.run(CHOOSE.format(BLOB))
        assert browser.wait() == ""
        before = shown(browser, "before")
        assert before.shape == (16, 16, 3)  # the middle: a quarter red, half green, a quarter blue
        assert before[8, 1].tolist() == [255, 0, 0]
        assert before[8, 8].tolist() == [0, 255, 0]
        assert before[8, 14].tolist() == [0, 0, 255]
        floats = (before[None] / 127.5 - 1).astype("float32")
        after = np.asarray(to_uint8(model.translate(floats, told[:1])))[0]
        assert np.abs(shown(browser, "after").astype(int) - after).max() <= 1
        controls = "document.querySelectorAll('#condition select, #condition input')"
        browser.run(f"(([group, old]) => {{ group.value = 1; old.checked = true; return old.onchange() }})({controls})")
        after = np.asarray(to_uint8(model.translate(floats, told[1:])))[0]
        assert np.abs(shown(browser, "after").astype(int) - after).max() <= 1

        browser.run(CHOOSE.format("'no picture'"))
        assert browser.wait() == "picture.png is no picture that this browser reads: choose a PNG, a JPEG or a WebP."
        browser.run("document.getElementById('camera').onclick()")
        assert browser.wait() == ""
        browser.run("document.getElementById('take').onclick()")
        assert browser.wait() == ""
        assert np.abs(shown(browser, "before").astype(int) - before).max() > 50
        assert browser.run("document.getElementById('video').srcObject === null")
        browser.run("(navigator.mediaDevices.getUserMedia = undefined, document.getElementById('camera').onclick())")
        assert browser.wait().startswith("A browser gives a camera to pages from https:// and of this machine only")
    with chromium.Page(tmp_path / "out") as browser:
        browser.run("document.getElementById('camera').onclick()")
        assert browser.wait() == "There is no camera here: choose a picture."
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_a_seed_means_the_same_dropout_in_a_browser(tmp_path):
    chromium, model = _browser(), tz.create("pix2pix", (16, 16, 3), source_channels=1, width=4, seed=0)
    tz.export(model, tmp_path / "out", formats="tflite_batch1")
    images = np.tanh(np.random.default_rng(0).normal(size=(1, 16, 16, 1))).astype("float32")
    with chromium.Page(tmp_path / "out", "?seed=5") as browser:
        for seed in (0, 5):
            made = browser.translate(images, seed=seed)
            np.testing.assert_allclose(made, model.translate(images, seed=seed), atol=1e-4)
        browser.run(CHOOSE.format(BLOB))
        assert browser.wait() == ""
        before = shown(browser, "before")[None, ..., :1]
        after = np.asarray(to_uint8(model.translate((before / 127.5 - 1).astype("float32"), seed=5)))[0]
        assert np.abs(shown(browser, "after").astype(int) - after).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan_fashion_mnist", "cgan_digits"])
def test_pages_in_the_repository_draw_what_python_draws(name):
    chromium = _browser()
    with chromium.Page(ROOT / "exported" / name) as browser:
        format = browser.run("generator.format")
        wanted = tz.load_exported(ROOT / "exported" / name, format).generate(6, seed=4)
        np.testing.assert_allclose(browser.generate(6, 4), wanted, atol=1e-4)  # the same file, in two LiteRTs


@pytest.mark.slow
def test_a_browser_draws_with_a_small_export(tmp_path):
    chromium, model = _browser(), image_model()
    tz.export(model, tmp_path / "out", formats="tflite_float16_batch1", weights="float16")
    with chromium.Page(tmp_path / "out") as browser:
        np.testing.assert_allclose(browser.generate(3, 5), model.generate(3, seed=5), atol=2e-3)
        assert "to less than half a grey level" in browser.run("document.getElementById('told').textContent")


@pytest.mark.slow
def test_without_litertjs_the_page_says_what_to_do(exported, monkeypatch, tmp_path):
    chromium = _browser()
    monkeypatch.setattr(chromium, "VENDOR", tmp_path)
    with chromium.Page(exported[1]) as browser:
        assert "make demo-vendor" in browser.wait()
