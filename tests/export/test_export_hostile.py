"""Exports from strangers: whatever is changed in a card or an archive is refused, in a sentence, before it is used."""

import copy as copies
import json
import os
import pathlib
import random
import shutil
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from export_stand_ins import image_model

import tfgan_zoo as tz
from tfgan_zoo_serving import DamagedError, runtimes
from tfgan_zoo_serving import card as cards


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "export"
    tz.export(image_model(num_classes=3), directory, formats=("saved_model", "tflite", "tflite_float16"))
    return directory


@pytest.fixture
def copy(exported, tmp_path, monkeypatch):
    """A copy of the export that a test may damage, of which no file is loaded."""
    monkeypatch.setattr(runtimes, "load", lambda *_, **__: pytest.fail("a file was loaded"))
    return pathlib.Path(shutil.copytree(exported, tmp_path / "export"))


def rewrite(directory, change):
    """Change a card as one who knows how a seal is made."""
    card = json.loads((directory / "card.json").read_text(encoding="utf-8"))
    change(card)
    try:
        card["seal"] = cards.seal(card)
    except UnicodeEncodeError:
        card["seal"] = "0" * 64
    (directory / "card.json").write_text(json.dumps(card), encoding="utf-8")


def refused(directory, sentence):
    for refuse in (tz.verify, tz.load_exported, lambda one: tz.verify(one, run=False)):
        with pytest.raises(DamagedError, match=sentence) as caught:
            refuse(directory)
        assert "\n" not in str(caught.value)


def path_of(name):
    return lambda card: card["formats"]["tflite"].update(path=name)


def listing(name):
    return lambda card: card["files"].update({name: card["files"]["samples.png"]})


FORMS = {
    "above": (path_of("../secret.tflite"), "path of the format 'tflite' is none inside of it"),
    "absolute": (path_of("/etc/passwd"), "path of the format 'tflite' is none inside of it"),
    "of Windows": (path_of("C:secret.tflite"), "path of the format 'tflite' is none inside of it"),
    "backwards": (path_of("..\\secret"), "path of the format 'tflite' is none inside of it"),
    "no hash": (path_of("other.tflite"), "no SHA-256 for what the format 'tflite' reads"),
    "a folder": (path_of("1"), "no SHA-256 for what the format 'tflite' reads"),
    "itself": (path_of("."), "path of the format 'tflite' is none inside of it"),
    "no hash beside": (
        lambda card: card["formats"]["tflite"].update(beside=["generator.bin"]),
        "no SHA-256 for what the format 'tflite' reads",
    ),
    "beside is text": (lambda card: card["formats"]["tflite"].update(beside="1"), "no SHA-256 for what"),
    "lists above": (listing("../secret"), r"lists '../secret', which lies outside of it"),
    "lists absolutely": (listing("/etc/passwd"), "lists '/etc/passwd', which lies outside of it"),
    "lists between": (listing("demo/../../secret"), "which lies outside of it"),
    "lists nothing": (listing(""), "lists '', which lies outside of it"),
    "lists zero": (listing("a\0b"), "has no name that every system takes"),
    "a list": (lambda card: card.update(files=[]), "have to be objects"),
    "text": (lambda card: card.update(formats="tflite"), "have to be objects"),
    "no model": (lambda card: card.update(model=None), "have to be objects"),
    "no size": (lambda card: card["files"]["samples.png"].pop("bytes"), "no size and SHA-256 for samples.png"),
    "a negative size": (lambda card: card["files"]["samples.png"].update(bytes=-1), "no size and SHA-256"),
    "half a hash": (lambda card: card["files"]["samples.png"].update(sha256="00"), "no size and SHA-256"),
    "no reference": (lambda card: card["files"].pop("reference.npz"), "no SHA-256 of reference.npz"),
    "no name": (lambda card: card["model"].pop("name"), "the model has no name"),
    "a shape of text": (lambda card: card["model"].update(image_shape="28"), "image_shape is no list of sizes"),
    "a vast shape": (lambda card: card["model"].update(image_shape=[2**40, 2**40, 1]), "image_shape is no list"),
    "a shape of halves": (lambda card: card["model"].update(image_shape=[1.5, 2, 1]), "image_shape is no list"),
    "true classes": (lambda card: card["model"].update(num_classes=True), "num_classes is no number of them"),
    "no classes": (lambda card: card["model"].pop("num_classes"), "num_classes is no number of them"),
    "seeded by words": (lambda card: card["model"].update(seeded="yes"), "does not say how the model draws"),
    "a name for no class": (
        lambda card: card["model"].update(class_names=["a"]),
        "class_names are none of its classes",
    ),
    "attributes of numbers": (lambda card: card["model"].update(attribute_names=[1]), "no list of names"),
    "groups of nothing": (
        lambda card: card["model"].update(attribute_groups=[["hair"]]),
        "no groups of attribute_names",
    ),
    "no start": (lambda card: card["model"].update(start={}), "what the model's images start from"),
    "a prior of words": (lambda card: card["model"].update(prior="Normal"), "latents are drawn from"),
    "another prior": (lambda card: card["model"]["prior"].update({"class": "os.system"}), "latents are drawn from"),
    "codes of codes": (
        lambda card: card["model"].update(
            prior={
                "class": "Codes",
                "categorical": [2],
                "continuous": 1,
                "noise": card["model"]["prior"] | {"class": "Codes"},
            }
        ),
        "latents are drawn from",
    ),
    "a spread of text": (lambda card: card["model"]["prior"].update(stddev="1"), "latents are drawn from"),
    "no parity": (lambda card: card["formats"]["tflite"].pop("parity"), "how exact the format 'tflite' is"),
    "parity of text": (
        lambda card: card["formats"]["tflite"]["parity"].update(max_abs_diff="0"),
        "how exact the format 'tflite' is",
    ),
    "no signatures": (
        lambda card: card["formats"]["saved_model"].update(signatures=[]),
        "what the format 'saved_model'",
    ),
    "no images": (lambda card: card["formats"]["saved_model"].update(max_images=0), "how many images"),
    "surrogates": (lambda card: card["about"].update({"by": "\ud800"}), "it is not JSON"),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_card_of_another_form_is_refused_before_anything_is_loaded(copy, what):
    change, sentence = FORMS[what]
    (copy.parent / "secret.tflite").write_bytes((copy / "generator.tflite").read_bytes())
    rewrite(copy, change)
    if what == "no reference":
        with pytest.raises(DamagedError, match=sentence):
            tz.verify(copy)
    else:
        refused(copy, sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000 + "]" * 100_000, "it is not JSON"),
        ('{"a":' * 50_000, "it is not JSON"),
        ('{"model": NaN}', "it is not JSON"),
        ('{"model": 1, "model": 2}', "it is not JSON"),
        ('{"model": ' + "9" * 10_000 + "}", "it is not JSON"),
        ("\ufeff{}", "it is not JSON"),
        ("null", "is not the card of an export"),
        ('{"seal": {}, "model": 1, "files": 2, "formats": 3}', "changed after it was written"),
        (" " * (17 << 20), "is no card"),
    ],
    ids=["deep lists", "deep objects", "NaN", "twice", "digits", "a mark", "null", "a seal of another kind", "long"],
)
def test_text_that_is_no_card_is_refused_at_once(copy, text, sentence):
    (copy / "card.json").write_text(text, encoding="utf-8")
    begin = time.monotonic()
    refused(copy, sentence)
    assert time.monotonic() - begin < 20  # three times, on a machine that does something else


def test_links_lead_nowhere(copy, tmp_path):
    (copy / "1" / "more").symlink_to(tmp_path)
    for refuse in (tz.verify, lambda directory: tz.load_exported(directory, "saved_model")):
        with pytest.raises(DamagedError, match="more is not part of this export"):
            refuse(copy)


def test_an_archive_that_would_grow_is_not_unpacked(copy):
    kept = dict(np.load(copy / "reference.npz"))
    np.savez_compressed(copy / "reference.npz", **kept | {"more": np.zeros(40_000_000)})
    rewrite(copy, lambda card: card["files"].update({"reference.npz": measured(copy / "reference.npz")}))
    tracemalloc.start()
    with pytest.raises(DamagedError, match="it is compressed"):
        tz.verify(copy)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def measured(path):
    from tfgan_zoo.export.card import measured

    return measured(path)


def header_of(shape, dtype="<f4"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


REFERENCES = {
    "an array that says it is vast": ({"images": header_of((2**50,))}, "an array is cut short"),
    "an array that overflows": ({"images": header_of((2**63, 2**63))}, "an array is cut short"),
    "objects": ({"images": header_of((1,), "|O") + b"x" * 8}, "something else than numbers"),
    "no array": ({"images": b"MZ"}, "is damaged"),
    "code for a header": ({"images": b"\x93NUMPY\x01\x00\x10\x00__import__('os')"}, "is damaged"),
    "no images": ({"images": None}, "no images of shape"),
    "no rows": ({"rows": None}, "of which rows it is"),
    "a far row": ({"rows": header_of((8,), "<i8") + np.full(8, 2**40).tobytes()}, "it is of row"),
    "a row below": ({"rows": header_of((8,), "<i8") + np.full(8, -1).tobytes()}, "it is of row"),
    "NaN": ({"latents": header_of((8, 8)) + np.full((8, 8), np.nan, "f").tobytes()}, "are no numbers of their kind"),
    "labels of halves": ({"labels": header_of((8,)) + np.zeros(8, "f").tobytes()}, "are no numbers of their kind"),
}


@pytest.mark.parametrize("what", REFERENCES)
def test_a_reference_of_another_form_is_refused(copy, what):
    changes, sentence = REFERENCES[what]
    with zipfile.ZipFile(copy / "reference.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {f"{name}.npy": content for name, content in changes.items()}
    with zipfile.ZipFile(copy / "reference.npz", "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    rewrite(copy, lambda card: card["files"].update({"reference.npz": measured(copy / "reference.npz")}))
    with pytest.raises(DamagedError, match=sentence) as caught:
        tz.verify(copy)
    assert "\n" not in str(caught.value)


def test_a_signature_is_of_one_key_and_one_card(exported, copy, monkeypatch):
    key, other = os.urandom(32), os.urandom(32)
    with pytest.raises(DamagedError, match=r"card.sig is missing: take the export only from whom you trust"):
        tz.verify(copy, run=False, key=key)
    with pytest.raises(ValueError, match="at least 16 bytes"):
        tz.sign(copy, b"short")
    tz.sign(copy, key)
    assert tz.verify(copy, run=False, key=key).keys() == tz.verify(copy, run=False).keys()
    for load in (tz.load_exported, tz.verify):
        with pytest.raises(DamagedError, match="is of another card or another key"):
            load(copy, key=other)
    rewrite(copy, lambda card: card["about"].update(by="a stranger"))
    for load in (tz.load_exported, tz.verify):
        with pytest.raises(DamagedError, match="is of another card or another key"):
            load(copy, key=key)


def test_hashes_are_checked_without_running_anything(copy):
    told = tz.verify(copy, run=False)  # `copy` fails a test that loads a file
    assert all("it was not run" in one["skipped"] for one in told.values())
    (copy / "1" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"saved_model.pb is damaged"):
        tz.verify(copy, run=False)


def test_ends_of_lines_are_not_damage(copy):
    """git's core.autocrlf changes text on its way to Windows; what people write into README.md is theirs."""
    for name in ("models.config", "batching.config"):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content.replace(b"\n", b"\r\n"))
    (copy / "README.md").write_text("notes of mine", encoding="utf-8")
    tz.verify(copy, run=False)
    (copy / "models.config").write_bytes(content.replace(b"\n", b"\r\n") + b"\r\n")
    with pytest.raises(DamagedError, match=r"models.config is damaged"):
        tz.verify(copy, run=False)


def test_the_repository_keeps_exports_as_they_are():
    root = pathlib.Path(__file__).parents[2]
    assert "exported/** -text" in (root / ".gitattributes").read_text(encoding="utf-8").splitlines()


# ---- a fuzz ----------------------------------------------------------------------------------------------------------

ODD = [None, True, -1, 0, 1.5, 2**63, 1e300, "", "../x", "/x", "\ud800", [], {}, [[]], {"class": "Codes"}, "a" * 1000]


def nodes(value, at=()):
    yield at
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from nodes(value[key], (*at, key))


def mutated(card, draw):
    """A card with one to three of its values taken away, exchanged or replaced."""
    card = copies.deepcopy(card)
    for _ in range(draw.randint(1, 3)):
        *way, last = draw.choice([at for at in nodes(card) if at])
        parent = card
        for key in way:
            parent = parent[key]
        if draw.random() < 0.3:
            del parent[last]
        else:
            parent[last] = copies.deepcopy(draw.choice(ODD))
    return card


def harmed(content, draw):
    """Bytes of which one was flipped, some are missing, or some are there twice."""
    at, kind = draw.randrange(len(content)), draw.randrange(3)
    if kind == 0:
        return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]
    until = at + draw.randint(1, 50)
    return content[:at] + content[until:] if kind == 1 else content[:until] + content[at:]


def fuzz(directory, count):
    """Mutate cards, with their seal and without, and files; returns (refused, slowest, what was wrong)."""
    text = (directory / "card.json").read_bytes()
    card, names = json.loads(text), ["reference.npz", "generator.tflite", "generator.keras", "1/saved_model.pb"]
    found, slowest, wrong = 0, 0.0, []
    for number in range(count):
        draw = random.Random(number)
        kind, name = number % 4, draw.choice(names)
        original = (directory / name).read_bytes()
        if kind == 0:  # a card as bytes
            (directory / "card.json").write_bytes(harmed(text, draw))
            changed = _differs((directory / "card.json").read_bytes(), card)
        elif kind == 1:  # a card, sealed again by one who knows how
            changed = None
            rewrite(directory, lambda one, draw=draw: (one.clear(), one.update(mutated(card, draw))))
        elif kind == 2:  # a file
            (directory / name).write_bytes(harmed(original, draw))
            changed = (directory / name).read_bytes() != original
        else:  # the archive that is parsed here, with hash and seal
            name = "reference.npz"
            original = (directory / name).read_bytes()
            (directory / name).write_bytes(harmed(original, draw))
            rewrite(
                directory, lambda one: one["files"].update({"reference.npz": measured(directory / "reference.npz")})
            )
            changed = None
        begin = time.monotonic()
        try:
            tz.verify(directory, run=False)
            if changed:
                wrong.append((number, "accepted"))
        except DamagedError as error:
            found += 1
            if "\n" in str(error) or len(str(error)) > 1000:
                wrong.append((number, str(error)))
        except Exception as error:
            wrong.append((number, repr(error)))
        slowest = max(slowest, time.monotonic() - begin)
        (directory / name).write_bytes(original)
        (directory / "card.json").write_bytes(text)
    return found, slowest, wrong


def _differs(content, card):
    try:
        return json.loads(content) != card
    except (ValueError, RecursionError):
        return True


def test_mutations_are_refused(copy):
    found, _, wrong = fuzz(copy, 160)
    assert not wrong, wrong
    assert found > 120


@pytest.mark.slow
def test_two_thousand_mutations_are_refused(copy):
    found, slowest, wrong = fuzz(copy, 2000)
    print(f"{found} of 2000 refused, the slowest in {slowest:.2f} s")
    assert not wrong, wrong
    assert found > 1500
    assert slowest < 2


def test_a_file_that_its_runtime_cannot_read_is_damaged(exported, tmp_path):
    copy = pathlib.Path(shutil.copytree(exported, tmp_path / "export"))
    (copy / "generator.keras").write_bytes(b"PK no archive")
    rewrite(copy, lambda card: card["files"].update({"generator.keras": measured(copy / "generator.keras")}))
    for refuse in (lambda: tz.load_exported(copy, "keras"), lambda: tz.verify(copy, ["keras"])):
        with pytest.raises(DamagedError, match=r"generator.keras cannot be loaded: .*") as caught:
            refuse()
        assert "\n" not in str(caught.value)
