"""A static server for the page of an export, on this machine alone.

    python -m tfgan_zoo_serving.page exported/dcgan_fashion_mnist

Any static server will do that serves the export's own directory: the page is demo/index.html, and reads the files above
it. This one also brings the page to an export that has none of its own. It serves what the card lists, and demo/vendor;
nothing that lies beside them, no lists of directories, no links; and only to who asks for it by a name of this machine,
so that no other page reaches it by a name of its own. The headers isolate the page from other origins, which
WebAssembly with threads and exact clocks ask for.
"""

import argparse
import functools
import http.server
import pathlib
import urllib.parse

from tfgan_zoo_serving import card as cards
from tfgan_zoo_serving import runtimes
from tfgan_zoo_serving.reference import start_of

SOURCE = pathlib.Path(__file__).parent / "demo"  # of the page, which exports have a copy of, but for small ones
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Content-Type-Options": "nosniff",
}
_HOSTS = ("127.0.0.1", "localhost")
_VENDOR = "demo/vendor/"


def can_draw(model, formats):
    """Whether a browser can draw: with a .tflite of one image, of a model of images whose latents have a seed.

    Or of one that translates, whose images start from the user's.

    Args:
        model: what a card says of it.
        formats: their names.
    """
    single = any(runtimes.kind(name) == "tflite" and name.endswith("_batch1") for name in formats)
    drawn = model["seeded"] and len(start_of(model)) == 1
    return single and (drawn or model.get("translates", False)) and len(model["image_shape"]) == 3


def server(directory, port=0):
    """A threading server of an export's files on the loopback interface; `serve_forever` runs it.

    Args:
        directory: the export.
        port: of the server; 0 for any free one, then in `.server_port`.

    Raises:
        FileNotFoundError: if there is no export, or none that a browser could draw with.
        DamagedError: if its card is none.
    """
    directory = pathlib.Path(directory)
    card = cards.read(directory)
    if not can_draw(card["model"], card["formats"]):
        raise FileNotFoundError(
            f"{directory} has nothing that a browser can draw with: export a model of images with a format of one "
            "image, such as 'tflite_batch1'."
        )
    handler = functools.partial(_Handler, directory=str(directory))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(directory, port):
    """Serve until interrupted."""
    serving = server(directory, port)
    print(f"http://127.0.0.1:{serving.server_port}/demo/    Ctrl-C ends it")
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        serving.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }
    timeout = 30  # seconds that a request may take to arrive

    def send_head(self):
        host = self.headers.get("Host", "")
        if host not in {f"{name}:{self.server.server_port}" for name in _HOSTS}:
            self.send_error(403, "ask for 127.0.0.1 or localhost")
            return None
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).removeprefix("/")
        if name in ("", "demo"):
            self.send_response(302)
            self.send_header("Location", "/demo/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        name = "demo/index.html" if name == "demo/" else name
        self._found = self._find(name)
        if self._found is None:
            self.send_error(404)
            return None
        self.path = "/"
        return super().send_head()

    def translate_path(self, _):
        return str(self._found)

    def _find(self, name):
        """The file that is meant: of the export, or of the page that this package brings along; None if none is."""
        if not cards.is_inside(name) or any(part.startswith(".") for part in name.split("/")):
            return None
        directory = pathlib.Path(self.directory)
        try:  # read again: a newer export lists other files
            listed = cards.read(directory)["files"]
        except (OSError, cards.DamagedError):
            return None
        own = name == "card.json" or name in listed or name.startswith(_VENDOR)
        brought = name.startswith("demo/") and "demo/index.html" not in listed
        for root in [*([directory] if own else []), *([SOURCE.parent] if brought else [])]:
            path = root / name
            steps = [path, *path.parents[: len(pathlib.PurePosixPath(name).parts) - 1]]
            if path.is_file() and not any(step.is_symlink() for step in steps):
                return path
        return None

    def end_headers(self):
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        pass


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tfgan_zoo_serving.page", description="Serve an export's page.")
    parser.add_argument("directory", type=pathlib.Path, help="the export")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    try:
        serve(chosen.directory, chosen.port)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
