"""A static server for the page of an export, on this machine alone.

    python -m tfgan_zoo_serving.page exported/dcgan_fashion_mnist

Any static server will do that serves the export's own directory: the page is demo/index.html, and reads the files above
it. This one serves what the card lists, and demo/vendor; nothing that lies beside them, no lists of directories, no
links; and only to who asks for it by a name of this machine, so that no other page reaches it by a name of its own. The
headers isolate the page from other origins, which WebAssembly with threads and exact clocks ask for.
"""

import argparse
import functools
import http.server
import pathlib
import urllib.parse

from tfgan_zoo_serving import card as cards

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Content-Type-Options": "nosniff",
}
_HOSTS = ("127.0.0.1", "localhost")
_VENDOR = "demo/vendor/"


def server(directory, port=0):
    """A threading server of an export's files on the loopback interface; `serve_forever` runs it.

    Args:
        directory: the export.
        port: of the server; 0 for any free one, then in `.server_port`.

    Raises:
        FileNotFoundError: if there is no export, or it has no page.
        DamagedError: if its card is none.
    """
    directory = pathlib.Path(directory)
    listed = cards.read(directory)["files"]
    if "demo/index.html" not in listed:
        raise FileNotFoundError(
            f"{directory} has no demo/index.html: export a model of images with a format of one image, "
            "such as 'tflite_batch1'."
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
        if not self._is_served(name):
            self.send_error(404)
            return None
        self.path = f"/{urllib.parse.quote(name)}"
        return super().send_head()

    def _is_served(self, name):
        if not cards.is_inside(name) or any(part.startswith(".") for part in name.split("/")):
            return False
        directory = pathlib.Path(self.directory)
        path = directory / name
        steps = [path, *path.parents[: len(pathlib.PurePosixPath(name).parts) - 1]]
        if not path.is_file() or any(step.is_symlink() for step in steps):
            return False
        try:  # read again: a newer export lists other files
            return name == "card.json" or name.startswith(_VENDOR) or name in cards.read(directory)["files"]
        except (OSError, cards.DamagedError):
            return False

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
