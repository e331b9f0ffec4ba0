"""The sheet for people and the score of their answers, in Python and in a browser."""

import base64
import csv
import io
import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

import tfgan_zoo as tz

DIGITS = tz.data.arrays("digits", "test")[0]
FAKES = np.random.default_rng(0).uniform(-1, 1, (40, 8, 8, 1)).astype("float32")


@pytest.fixture
def sheet(tmp_path):
    """A page of 12 images, and its key."""
    return tmp_path / "sheet.html", tz.human_sheet(FAKES, "digits", tmp_path / "sheet.html", num_images=12, seed=3)


def shown(page):
    """The images of a page, in order, uint8."""
    coded = re.findall(r'src="data:image/png;base64,([^"]+)"', page.read_text())
    return np.stack([np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in coded])


def test_the_page_holds_as_many_real_as_generated_images_and_the_key_says_which(sheet):
    page, key = sheet
    images = shown(page)
    assert images.shape == (12, 8, 8)
    assert sorted(key["answers"]) == ["generated"] * 6 + ["real"] * 6
    generated = np.asarray(tz.pixels.to_uint8(FAKES[:6]))[..., 0]
    for image, word in zip(images, key["answers"], strict=True):
        among = DIGITS[..., 0] if word == "real" else generated
        assert (among == image).all(axis=(1, 2)).any()
    assert len(np.unique(images, axis=0)) == 12
    assert json.loads((page.parent / "sheet.html.key.json").read_text()) == key


def test_the_page_is_alone_and_does_not_tell(sheet):
    page, key = sheet
    text = page.read_text()
    assert not re.search(r"https?://|<link|<script src|@import|fetch\(", text)
    assert "default-src 'none'" in text
    assert key["salt"] not in text
    assert "answers" not in re.sub(r"answers-|your answers|Save answers|answers:", "", text)
    fields = re.findall(r"<fieldset>.*?</fieldset>", text)
    bare = {re.sub(r"base64,[^\"]+|\d+", "", field) for field in fields}
    assert len(bare) == 1  # all alike but for image and number


def test_a_seed_repeats_and_another_does_not_and_order_is_not_the_seeds_alone(tmp_path):
    keys = [
        tz.human_sheet(images, "digits", tmp_path / "a.html", num_images=40, seed=seed)["answers"]
        for images, seed in ((FAKES, 0), (FAKES, 0), (FAKES, 1), (-FAKES, 0))
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
    assert keys[0] != keys[3]


def test_a_conditional_model_is_asked_for_labels_it_is_given(tmp_path):
    cgan = tz.create("cgan", image_shape=(16, 16, 3), width=4, seed=0)
    key = tz.human_sheet(cgan, "digits", tmp_path / "a.html", num_images=4, labels=[3, 4], seed=1)
    made = np.asarray(tz.pixels.to_uint8(cgan.generate(2, labels=[3, 4], seed=1)))
    fakes = shown(tmp_path / "a.html")[[word == "generated" for word in key["answers"]]]
    assert sorted(image.tobytes() for image in fakes) == sorted(image.tobytes() for image in made)


def wilson(right, count, z=1.959963984540054):
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half


def answered(key, wrong=()):
    other = {"real": "generated", "generated": "real"}
    words = {n: other[word] if n in wrong else word for n, word in enumerate(key["answers"], 1)}
    return {"sheet": key["sheet"], "answers": words}


def test_the_score_is_the_share_of_right_answers_with_wilsons_interval(sheet):
    _, key = sheet
    score = tz.human_score(answered(key, wrong=(1, 2, 5)), key)
    assert score["accuracy"] == 9 / 12
    assert (score["low"], score["high"]) == pytest.approx(wilson(9, 12))
    assert score["p_value"] == pytest.approx(2 * sum(math.comb(12, k) for k in range(9, 13)) / 2**12)
    fooled = sum(key["answers"][n - 1] == "generated" for n in (1, 2, 5))
    assert score["generated_called_real"] == pytest.approx(fooled / 6)
    assert score["real_called_real"] == pytest.approx(1 - (3 - fooled) / 6)
    perfect = tz.human_score(answered(key), key)
    assert (perfect["accuracy"], perfect["high"], perfect["generated_called_real"]) == (1.0, pytest.approx(1.0), 0.0)
    assert perfect["low"] > score["low"]
    assert tz.human_score(answered(key), key, confidence=0.5)["low"] > perfect["low"]


def test_answers_that_are_missing_do_not_count_and_those_of_several_people_add_up(sheet):
    _, key = sheet
    few = {"sheet": key["sheet"], "answers": {"3": key["answers"][2]}}
    score = tz.human_score(few, key)
    assert (score["num_answers"], score["accuracy"]) == (1, 1.0)
    assert None in (score["real_called_real"], score["generated_called_real"])
    both = tz.human_score([answered(key, wrong=(4,)), answered(key), few], key)
    assert (both["num_answers"], both["accuracy"]) == (25, 24 / 25)


def test_files_are_read_as_the_page_writes_them(sheet):
    page, key = sheet
    answers = answered(key, wrong=(7,))
    (page.parent / "a.json").write_text(json.dumps(answers))
    with open(page.parent / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [("sheet", "image", "answer"), *((key["sheet"], *pair) for pair in answers["answers"].items())]
        )
    expected = tz.human_score(answers, key)
    assert expected["accuracy"] == 11 / 12
    for name in ("a.json", "a.csv"):
        assert tz.human_score(page.parent / name, page.parent / "sheet.html.key.json") == expected


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda k: tz.human_score(answered(k) | {"sheet": "x"}, k), "answers are to sheet 'x', and the key is of"),
        (lambda k: tz.human_score(answered(k), k | {"answers": k["answers"][::-1]}), "key is not the one"),
        (lambda k: tz.human_score(answered(k), k | {"salt": "00"}), "key is not the one"),
        (lambda k: tz.human_score(answered(k) | {"answers": {}}, k), "There is no answer to score"),
        (lambda k: tz.human_score(answered(k) | {"answers": {"13": "real"}}, k), "Image 13 was called 'real'"),
        (lambda k: tz.human_score(answered(k) | {"answers": {"1": "maybe"}}, k), "Image 1 was called 'maybe'"),
        (lambda k: tz.human_score(answered(k), k, confidence=95), "confidence=95"),
    ],
)
def test_answers_that_do_not_fit_are_refused_in_a_sentence(sheet, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(sheet[1])


POINTS = tz.create("gan", image_shape=(2,), width=4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_images": 7}, "num_images=7: give an even number"),
        ({"num_images": 0}, "num_images=0"),
        ({"num_images": 100}, r"images has shape \(40, 8, 8, 1\).* N >= 50"),
        ({"num_images": 8, "reference": DIGITS[:3]}, "'train' has 3 real images"),
        ({"num_images": 8, "model": POINTS}, "gan makes points"),
        ({"num_images": 8, "reference": "ring8"}, "ring8 is points"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, arguments, sentence):
    arguments = {"model": FAKES, "reference": "digits", "to": tmp_path / "a.html"} | arguments
    if not isinstance(arguments["reference"], str):
        arguments["split"] = "train"
    with pytest.raises(ValueError, match=sentence):
        tz.human_sheet(**arguments)
    assert not list(tmp_path.iterdir())


CLICKS = """<script>
  const saved = {};
  URL.createObjectURL = blob => { blob.text().then(text => {
    saved[blob.type] = text;
    if (Object.keys(saved).length === 2) document.title = JSON.stringify({
      saved, done: document.getElementById("done").value,
      sizes: [...document.images].map(image => [image.naturalWidth, image.width])});
  }); return "#"; };
  HTMLAnchorElement.prototype.click = () => {};
  const words = %s;
  words.forEach((word, at) => document.querySelector(`[name="image-${at + 1}"][value="${word}"]`).click());
  document.getElementById("json").click();
  document.getElementById("csv").click();
</script></body>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
def test_a_browser_marks_the_page_and_saves_answers_that_can_be_scored(sheet):
    page, key = sheet
    wrong = answered(key, wrong=(2, 9))["answers"]
    clicked = page.parent / "clicked.html"
    clicked.write_text(page.read_text().replace("</body>", CLICKS % json.dumps(list(wrong.values()))))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command += ["--disable-background-networking", f"--user-data-dir={page.parent / 'profile'}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", clicked.as_uri()]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = json.loads(re.search(r"<title>(.*?)</title>", seen, flags=re.S)[1].replace("&amp;", "&"))
    assert found["done"] == "12 of 12 marked"
    assert found["sizes"] == [[8, 160]] * 12
    for kind, name in {"application/json": "a.json", "text/csv": "a.csv"}.items():
        (page.parent / name).write_text(found["saved"][kind])
        score = tz.human_score(page.parent / name, key)
        assert (score["num_answers"], score["accuracy"]) == (12, 10 / 12)
