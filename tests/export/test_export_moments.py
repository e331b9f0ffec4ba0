"""At every moment of publishing there is a whole export: for a reader beside it, and after a kill in it."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from export_stand_ins import image_model

import tfgan_zoo as tz
import tfgan_zoo_serving
from tfgan_zoo.export import publishing
from tfgan_zoo_serving import DamagedError
from tfgan_zoo_serving import card as cards

PICTURES = ("a.png", "b.png", "demo/index.html")  # of an export that stands for a real one: a card and its files


def write(new, number, version, versions, changing=PICTURES):
    """The files of export `number`, each of whose contents tells it, and their card."""
    listed = {}
    for name in (*changing, "reference.npz", f"only_{number % 2}.bin"):
        path = new / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"%d of %s" % (number, name.encode()))
        listed[name] = measured(path)
    listed |= {f"{version}/saved_model.pb": measured(new.parent / "saved_model" / "saved_model.pb")}
    card = {
        "made_by": "tfgan_zoo 0.2.0",
        "version": version,
        "versions": versions,
        "number": number,
        "model": {
            "name": "stand_in",
            "image_shape": [2],
            "latent_dim": 8,
            "num_classes": None,
            "prior": None,
            "seeded": False,
        },
        "formats": {
            "saved_model": {
                "path": str(version),
                "signatures": {"serving_default": {"inputs": {}, "outputs": {}}},
                "parity": {"max_abs_diff": 0.0},
            },
            "tflite": {"path": "a.png", "beside": ["b.png"], "parity": {"max_abs_diff": 0.0}},
        },
        "files": listed,
    }
    card["seal"] = cards.seal(card)
    (new / "card.json").write_text(json.dumps(card))
    return card


def measured(path):
    import hashlib

    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def publish(directory, number, keep=None):
    with publishing.staging(directory) as stage:
        (stage / "saved_model").mkdir()
        (stage / "saved_model" / "saved_model.pb").write_text(f"{number}")
        finish = lambda version, versions: write(stage / "new", number, version, versions)  # noqa: E731
        return publishing.publish(stage, directory, stage / "saved_model", finish, keep)


def seen(directory):
    """Which export a reader finds, every one of whose files he has read."""

    def work(card):
        cards.check_files(directory, card)
        folder = cards.check_files(directory, card, {"a.png", "b.png"})
        contents = {int((folder / name).read_bytes().split()[0]) for name in ("a.png", "b.png")}
        contents.add(int((directory / str(card["version"]) / "saved_model.pb").read_text()))
        return card["number"], contents

    number, contents = cards.steadily(directory, work)
    assert contents == {number}
    return number


class Killed(BaseException):
    """Stands for a process that ends here: nothing more of it is done."""


@pytest.mark.parametrize("first", [False, True], ids=["a second export", "the first"])
def test_whole_after_a_kill_at_every_step(first, tmp_path, monkeypatch):
    """The steps of publishing are calls of the operating system; it is ended before each of them in turn."""
    before, steps = tmp_path / "before", 0
    if not first:
        publish(before, 0)
    while True:
        directory = tmp_path / f"killed_{steps}"
        if not first:
            shutil.copytree(before, directory)
        left = [steps]

        def counted(call, left=left):
            def counting(*arguments, **options):
                if left[0] <= 0:
                    raise Killed  # also in what would tidy up: the process is gone
                left[0] -= 1
                return call(*arguments, **options)

            return counting

        with monkeypatch.context() as patch:
            for name in ("rename", "replace", "link"):
                patch.setattr(publishing.os, name, counted(getattr(os, name)))
            patch.setattr(pathlib.Path, "unlink", counted(pathlib.Path.unlink))
            patch.setattr(pathlib.Path, "rmdir", counted(pathlib.Path.rmdir))
            patch.setattr(publishing.shutil, "rmtree", counted(shutil.rmtree))
            try:
                publish(directory, 1, keep=1)
                ended = True
            except Killed:
                ended = False
        versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
        if (directory / "card.json").is_file():
            assert seen(directory) in ((1,) if ended else (0, 1))
        else:
            assert first
        assert versions or first
        publishing.usable(directory)
        publish(directory, 2, keep=1)  # the next one clears up
        assert seen(directory) == 2
        assert not list(directory.glob(".*"))
        names = {path.name for path in directory.iterdir()}
        assert names == {"a.png", "b.png", "demo", "only_0.bin", "reference.npz", "card.json", max(names & digits())}
        if ended:
            break
        steps += 1
    assert steps > 15


def test_an_interrupt_while_tidying_up_lets_go_of_what_it_leaves(tmp_path, monkeypatch):
    """Whatever still knows of the interrupt: the next export of the same process clears up."""

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing.shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt) as kept:
            publish(tmp_path / "out", 1)
    assert list((tmp_path / "out").glob(".*"))
    publish(tmp_path / "out", 2)
    assert not list((tmp_path / "out").glob(".*"))
    assert seen(tmp_path / "out") == 2
    assert kept.tb is not None  # and with it every frame up to here


def digits():
    return {str(number) for number in range(1, 9)}


READER = """
import sys, time, pathlib
sys.path.insert(0, sys.argv[1])
import test_export_moments as moments
directory, end, count = pathlib.Path(sys.argv[2]), float(sys.argv[3]), 0
while time.time() < end:
    moments.seen(directory)
    count += 1
print(count)
"""


def reads_beside(directory, publishes, readers, at_least=0):
    """How often threads read while exports follow each other; whatever is not whole raises."""
    counts, faults, ended = [0] * readers, [], threading.Event()

    def reader(index):
        while not ended.is_set() or sum(counts) < at_least:
            try:
                seen(directory)
                counts[index] += 1
            except BaseException as error:
                faults.append(error)
                return

    threads = [threading.Thread(target=reader, args=(index,)) for index in range(readers)]
    for thread in threads:
        thread.start()
    for number in range(1, publishes + 1):
        publish(directory, number, keep=2)
        time.sleep(random.Random(number).uniform(0, 0.02))
    ended.set()
    for thread in threads:
        thread.join()
    return sum(counts), faults


def test_readers_beside_exports_see_one_of_them(tmp_path):
    publish(tmp_path / "out", 0)
    count, faults = reads_beside(tmp_path / "out", publishes=12, readers=2)
    assert not faults, faults
    assert count > 10
    assert seen(tmp_path / "out") == 12


def test_a_file_that_is_nowhere_is_missed(tmp_path):
    """The search for a file that is on its way takes none for it that is another."""
    out = tmp_path / "out"
    publish(out, 0)
    shutil.copytree(out, out / cards.PUBLISHING / "new")
    (out / "a.png").write_bytes(b"0 of a.pnG")
    assert seen(out) == 0
    (out / cards.PUBLISHING / "new" / "b.png").write_bytes(b"0 of b.pnG")  # and a.png lies beside its own b.png only
    with pytest.raises(DamagedError, match=r"a.png is damaged: its SHA-256 is not the card's"):
        seen(out)


EXPORTING = """
import sys
sys.path.insert(0, sys.argv[1])
import pathlib
from export_stand_ins import image_model
import importlib
from tfgan_zoo.export import export
publishing = importlib.import_module("tfgan_zoo.export.publishing")
put, count = publishing._put, 0
def slow(*arguments):
    global count
    if count == int(sys.argv[3]):
        open(sys.argv[4], "w").close()
        import time
        time.sleep(600)
    count += 1
    put(*arguments)
publishing._put = slow
export(image_model(), sys.argv[2], ("saved_model", "tflite"))
"""


@pytest.mark.slow
def test_ten_real_exports_killed_inside_publishing(tmp_path):
    here, whole = str(pathlib.Path(__file__).parent), tmp_path / "whole"
    tz.export(image_model(), whole, ("saved_model", "tflite"))
    wanted = tz.load_exported(whole, "saved_model").generate(2, seed=1)
    for kill in range(10):
        out, sign = pathlib.Path(shutil.copytree(whole, tmp_path / f"out_{kill}")), tmp_path / f"sign_{kill}"
        command = [sys.executable, "-c", EXPORTING, here, str(out), str(kill % 8), str(sign)]  # before one of 8 files
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not sign.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (out / cards.PUBLISHING).is_dir()
        assert {"saved_model", "tflite", "keras"} == tfgan_zoo_serving.verify(out).keys()
        given = tfgan_zoo_serving.load_exported(out, "saved_model").generate(2, seed=1)
        np.testing.assert_allclose(given, wanted, atol=1e-4)


@pytest.mark.slow
def test_ten_thousand_reads_beside_ten_exports_and_more(tmp_path):
    publish(tmp_path / "out", 0)
    count, faults = reads_beside(tmp_path / "out", publishes=200, readers=3, at_least=10_000)
    assert not faults, faults
    assert count >= 10_000
