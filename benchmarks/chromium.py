"""A headless Chromium and one page in it, driven through the DevTools protocol over a pipe.

Source: chromedevtools.github.io/devtools-protocol: JSON messages that end in a zero byte, on file descriptors 3 and 4.
"""

import base64
import fcntl
import io
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from tfgan_zoo_serving import page

VENDOR = pathlib.Path(__file__).resolve().parent.parent / "build/litertjs/node_modules/@litertjs"
_FLAGS = (
    *("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing but this machine
    "--remote-debugging-pipe",
)
_AS_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""  # shells do not take numbers of two digits


def missing():
    """What has to be installed before a page can be run, as a sentence; None if nothing."""
    if program() is None:
        return "Chromium is not installed"
    if not VENDOR.is_dir():
        return "LiteRT.js is not here: make demo-vendor"
    return None


def program():
    """Path of the browser, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """A headless Chromium with one page in it; a context manager.

    Args:
        url: of the page.
        seconds: that an answer may take.
        flags: further ones of the browser, such as those of a camera that is none.
    """

    def __init__(self, url, seconds=60, flags=()):
        self._seconds, self._numbers, self._read = seconds, itertools.count(1), b""
        self._complaints = []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs, self._to = os.pipe()
        self._from, answers = os.pipe()
        high = [fcntl.fcntl(number, fcntl.F_DUPFD, 10) for number in (theirs, answers)]  # neither is 3 or 4
        flags = [
            *_FLAGS,
            *flags,
            f"--user-data-dir={self._profile.name}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        self._browser = subprocess.Popen(
            [sys.executable, "-S", "-c", _AS_3_AND_4, *map(str, high), program(), *flags, "about:blank"],
            pass_fds=high,
            stderr=subprocess.DEVNULL,
        )
        for number in (theirs, answers, *high):
            os.close(number)
        self._session = {}
        try:
            target = self._ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = {
                "sessionId": self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            }
            for domain in ("Runtime", "Log"):
                self._ask(f"{domain}.enable")
            self._ask("Page.navigate", url=url)
            self.wait()
        except BaseException:
            self.close()
            raise

    def wait(self):
        """Until the page and its pictures are loaded."""
        self._until(lambda: self.run("document.readyState === 'complete' && location.href !== 'about:blank'"))

    def _until(self, holds):
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.05)
        raise TimeoutError(f"The page was not ready in {self._seconds} s.")

    def complaints(self):
        """What stands in the console: errors, and what could not be loaded."""
        self.run("0")  # upon which all that was said before has arrived
        return list(self._complaints)

    def run(self, script):
        """The value of a JavaScript expression in the page, awaited if it is a promise.

        Raises:
            RuntimeError: with what the script threw.
        """
        told = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            thrown = told["exceptionDetails"]
            raise RuntimeError(thrown.get("exception", {}).get("description", thrown["text"]))
        return told["result"].get("value")

    def seen(self, width=390, height=844):
        """The page as a screen of so many pixels shows it, a PNG's bytes."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def close(self):
        """End the browser."""
        os.close(self._to)  # upon which it leaves
        os.close(self._from)
        try:
            self._browser.wait(10)
        except subprocess.TimeoutExpired:
            self._browser.kill()
            self._browser.wait()
        self._profile.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _ask(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **self._session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self._seconds
        while True:
            while b"\0" not in self._read:
                if not select.select([self._from], [], [], max(0, end - time.monotonic()))[0]:
                    raise TimeoutError(f"The browser did not answer {method} in {self._seconds} s.")
                part = os.read(self._from, 1 << 20)
                if not part:
                    raise RuntimeError("The browser left.")
                self._read += part
            message, _, self._read = self._read.partition(b"\0")
            told = json.loads(message)
            self._hear(told.get("method"), told.get("params", {}))
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                return told["result"]

    def _hear(self, event, told):
        if event == "Runtime.exceptionThrown":
            self._complaints.append(told["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif event == "Runtime.consoleAPICalled" and told["type"] == "error":
            self._complaints.append(" ".join(str(one.get("value", one.get("description"))) for one in told["args"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self._complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}".strip())


class Page(Browser):
    """The page of an export, served beside LiteRT.js.

    Args:
        directory: the export; LiteRT.js is put beside a copy of it.
        query: of the page's address, such as "?seed=3".
        seconds, flags: as for `Browser`.
    """

    def __init__(self, directory, query="", seconds=60, flags=()):
        self._room = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._server = page.server(_beside_litertjs(pathlib.Path(directory), pathlib.Path(self._room.name)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        super().__init__(f"http://127.0.0.1:{self._server.server_port}/demo/{query}", seconds, flags)

    def wait(self):
        """Until the page has drawn what it was asked for; returns what it complains of, or ""."""
        self._until(lambda: self.run("document.body?.dataset.state ?? ''") in ("ready", "failed"))
        return self.run("document.getElementById('message').textContent")

    def translate(self, images, told=None, seed=0):
        """What the page's translator makes of images (N, *source_shape): float32 (N, *image_shape)."""
        told = [None] * len(images) if told is None else np.asarray(told).tolist()
        made = [
            self.run(
                f"generator.translate({json.dumps(image.ravel().tolist())}, {json.dumps(one)} ?? undefined, {seed})"
                ".then((image) => [...image])"
            )
            for image, one in zip(np.asarray(images, np.float32), told, strict=True)
        ]
        return np.array(made, np.float32).reshape(-1, *self.run("generator.card.model.image_shape"))

    def generate(self, num_images, seed, labels=None):
        """What the page's generator draws: float32 (N, *image_shape)."""
        told = "undefined" if labels is None else json.dumps([int(label) for label in labels])
        rows, shape = self.run(
            f"generator.generate({json.dumps(num_images)}, {json.dumps(seed)}, {told})"
            ".then((images) => [images.map((image) => [...image]), generator.card.model.image_shape])"
        )
        return np.array(rows, np.float32).reshape(-1, *shape)

    def shown(self):
        """The pictures that stand on the page: uint8 (N, height, width, 3)."""
        from PIL import Image

        urls = self.run("[...document.querySelectorAll('#images img')].map((image) => image.src)")
        files = [io.BytesIO(base64.b64decode(url.partition(",")[2])) for url in urls]
        return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])

    def close(self):
        """End the browser and the server."""
        super().close()
        self._server.shutdown()
        self._server.server_close()
        self._room.cleanup()


def _beside_litertjs(directory, room):
    """A copy of the export in a room of its own, where demo/vendor is what `make demo-vendor` got."""
    shutil.copytree(directory, room / "export", ignore=shutil.ignore_patterns("vendor", "run", ".*"))
    shutil.copytree(VENDOR, room / "export" / "demo" / "vendor")  # the server follows no links
    return room / "export"
