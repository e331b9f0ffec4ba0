"""Human evaluation: a page of real and generated images to mark, and the score of what was marked."""

import base64
import csv
import hashlib
import io
import json
import pathlib
import string

import numpy as np

from tfgan_zoo import data, files, pixels

_SHOWN = 160  # pixels of the longer side on the page
_WORDS = ("real", "generated")


def human_sheet(model, reference, to, num_images=50, split="test", labels=None, seed=0):
    """Write a page of real and generated images in random order, for a person to say which is which.

    The test of Denton et al. 2015 (LAPGAN), Sec. 5.3, without their time limit; by Salimans et al. 2016, Sec. 4, people
    become much better at it when they are told their mistakes, so the page does not tell them.

    The page is one file: it needs no network, and asks for none. It does not say which image is what: that stands in
    the key beside it, `<to>.key.json`, which stays with whoever asks. Page and key have one name, made from the key's
    content and a random salt in it, so that neither can be changed without the other.

    Args:
        model: any generative model of images; or images (N, height, width, channels), float32 in [-1, 1] or uint8.
        reference: real images: a data source such as "digits", as in `tz.data.arrays`; brought to the model's size.
        to: the page to write, such as "sheet.html".
        num_images: on the page, an even number: as many real as generated.
        split: of the reference; people who know the training split should not be shown it.
        labels: (num_images // 2,) for a conditional model; None draws them from the seed.
        seed: which images, and in which order.

    Returns:
        The key: dict with "sheet" (its name), "salt", "seed", "answers" (num_images words, "real" or "generated").

    Raises:
        ValueError: if num_images is odd or too large, or the images are not of a kind.

    Example:

    >>> import tempfile, tfgan_zoo as tz
    >>> gan = tz.create("gan", image_shape=(8, 8, 1), width=8)
    >>> key = human_sheet(gan, "digits", f"{tempfile.mkdtemp()}/sheet.html", num_images=4)
    >>> human_score({"sheet": key["sheet"], "answers": dict(enumerate(key["answers"], 1))}, key)["accuracy"]
    1.0
    """
    if (
        isinstance(num_images, bool)
        or not isinstance(num_images, (int, np.integer))
        or num_images < 2
        or num_images % 2
    ):
        raise ValueError(
            f"num_images={num_images!r}: give an even number, half for real and half for generated images."
        )
    half = int(num_images) // 2
    generated = _generated(model, half, labels, seed)
    as_stored = data.info(reference).image_shape[:2] == generated.shape[1:3]
    side = None if as_stored else generated.shape[1]
    stored, _ = data.arrays(reference, split, image_size=side, channels=generated.shape[3])
    if stored.shape[1:] != generated.shape[1:]:
        raise ValueError(
            f"Real images are {stored.shape[1:]} and generated ones {generated.shape[1:]}: give one shape."
        )
    if len(stored) < half:
        raise ValueError(
            f"num_images={num_images}, but the split {split!r} has {len(stored)} real images: ask for fewer."
        )
    # the order is not that of every sheet of this seed: who has the code cannot guess it
    random = np.random.default_rng([seed, *hashlib.sha256(generated.tobytes()).digest()])
    both = np.concatenate([pixels.shown(stored[random.permutation(len(stored))[:half]]), pixels.shown(generated)])
    order = random.permutation(2 * half)
    key = {"salt": random.bytes(16).hex(), "seed": seed, "answers": [_WORDS[int(row >= half)] for row in order]}
    key = {"sheet": _name(key)} | key
    to = pathlib.Path(to)
    page = string.Template(_PAGE).substitute(
        sheet=key["sheet"], count=2 * half, figures="\n".join(map(_figure, range(1, 2 * half + 1), both[order]))
    )
    files.write_json(to.with_name(f"{to.name}.key.json"), key)
    with files.atomic_write(to) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return key


def human_score(answers, key, confidence=0.95):
    """How often people were right, and how sure that is.

    The interval is Wilson's (1927); the p-value is that of an exact binomial test against guessing (1/2). Images
    without an answer do not count. Answers of several people are taken together, as if they were one's.

    Args:
        answers: what the page gives: the path of its JSON or CSV file, or its content as a dict; or a list of these.
        key: what `human_sheet` returned, or the path of the file that it wrote.
        confidence: of the interval, in (0, 1).

    Returns:
        dict: "accuracy", "low" and "high" of its interval, "p_value", "num_answers", "real_called_real" and
        "generated_called_real" (shares; None where there was no answer). An accuracy of 1/2 is that of guessing:
        nobody could tell.

    Raises:
        ValueError: if the key was changed, or answers are of another sheet, to no image of it, or none at all.
    """
    from scipy.stats import binomtest

    key = key if isinstance(key, dict) else files.read_json(key)
    if key.get("sheet") != _name(key):
        raise ValueError("The key is not the one its sheet was written with: its answers, salt or seed were changed.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r}: give a number between 0 and 1, such as 0.95.")
    given = [pair for one in (answers if isinstance(answers, list) else [answers]) for pair in _read(one, key)]
    if not given:
        raise ValueError("There is no answer to score: mark some images first.")
    truth, said = np.array(given).T
    test = binomtest(int((truth == said).sum()), len(given), 0.5)
    interval = test.proportion_ci(confidence, method="wilson")
    shares = {f"{word}_called_real": _share(said[truth == word] == "real") for word in _WORDS}
    bounds = {"low": float(interval.low), "high": float(interval.high), "p_value": float(test.pvalue)}
    return {"accuracy": float(test.statistic), **bounds, "num_answers": len(given), **shares}


def _generated(model, count, labels, seed):
    if hasattr(model, "generate"):
        if len(model.image_shape) != 3:
            raise ValueError(
                f"{model.name} makes points: a person marks images; draw them with tz.pictures.save_scatter."
            )
        return model.generate(count, labels=labels, seed=seed)
    images = np.asarray(model)
    if images.ndim != 4 or len(images) < count:
        raise ValueError(
            f"images has shape {images.shape}: give (N, height, width, channels) with N >= {count}, or a model."
        )
    return images[:count]


def _figure(number, image):
    """One image of the page, enlarged by a whole factor where it is small, with its two answers."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(stream, format="PNG")
    factor = max(1, _SHOWN // max(image.shape[:2]))
    height, width = factor * image.shape[0], factor * image.shape[1]
    source = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
    choices = "".join(
        f'<label><input type="radio" name="image-{number}" value="{word}"> {word}</label>' for word in _WORDS
    )
    picture = f'<img src="{source}" width="{width}" height="{height}" alt="image {number}">'
    return f"<fieldset><legend>{number}</legend>{picture}<div>{choices}</div></fieldset>"


def _name(key):
    """The sheet's name: a hash of everything in its key."""
    content = json.dumps([key.get(part) for part in ("salt", "seed", "answers")])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _read(answers, key):
    """Pairs (truth, answer) of one person."""
    if not isinstance(answers, dict):
        path = pathlib.Path(answers)
        answers = _from_csv(path) if path.suffix == ".csv" else files.read_json(path)
    if answers.get("sheet") != key["sheet"]:
        raise ValueError(f"The answers are to sheet {answers.get('sheet')!r}, and the key is of {key['sheet']!r}.")
    pairs = []
    for number, word in answers["answers"].items():
        number = int(number)
        if not 1 <= number <= len(key["answers"]) or word not in _WORDS:
            raise ValueError(
                f"Image {number} was called {word!r}: there are images 1 to {len(key['answers'])}, real or generated."
            )
        pairs.append((key["answers"][number - 1], word))
    return pairs


def _from_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sheets = {row.get("sheet") for row in rows}
    if len(sheets) != 1:
        raise ValueError(f"{path} is no answer of one sheet: its rows are sheet,image,answer.")
    return {"sheet": sheets.pop(), "answers": {row["image"]: row["answer"] for row in rows}}


def _share(right):
    return float(right.mean()) if len(right) else None


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Real or generated?</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: #111; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1rem; }
  fieldset { border: 1px solid #bbb; border-radius: 6px; text-align: center; margin: 0; }
  fieldset:has(:checked) { background: #eef4fb; }
  img { image-rendering: pixelated; max-width: 100%; }
  label { margin: 0 .3rem; }
  footer { position: sticky; bottom: 0; background: #fff; border-top: 1px solid #bbb; padding: .8rem 0; }
  button { font: inherit; padding: .3rem .8rem; }
</style>
</head>
<body data-sheet="$sheet">
<h1>Real or generated?</h1>
<p>Half of these $count images are real, half were generated. Say of each what you think it is. Leave out none; guess
where you are unsure. Then save your answers and send the file to whoever gave you this page.</p>
<form><main>
$figures
</main>
<footer>
  <output id="done">0 of $count marked</output>
  <button type="button" id="json">Save answers (JSON)</button>
  <button type="button" id="csv">Save answers (CSV)</button>
</footer></form>
<script>
  const sheet = document.body.dataset.sheet;
  const marked = () => [...document.querySelectorAll("input:checked")].map(box => [box.name.slice(6), box.value]);
  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type}));
    link.download = name;
    link.click();
  };
  document.querySelector("form").addEventListener("change", () => {
    document.getElementById("done").value = marked().length + " of $count marked";
  });
  document.getElementById("json").addEventListener("click", () =>
    save("answers-" + sheet + ".json", "application/json",
         JSON.stringify({sheet, answers: Object.fromEntries(marked())}, null, 2)));
  document.getElementById("csv").addEventListener("click", () =>
    save("answers-" + sheet + ".csv", "text/csv",
         ["sheet,image,answer", ...marked().map(([image, answer]) => [sheet, image, answer].join(","))].join("\\n")));
</script>
</body>
</html>
"""
