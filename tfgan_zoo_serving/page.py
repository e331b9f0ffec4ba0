"""A static server for the page of an export, on this machine alone.

    python -m tfgan_zoo_serving.page exported/dcgan_fashion_mnist

Any static server will do that serves the export's own directory: the page is demo/index.html, and reads the files above
it. The two headers isolate the page from other origins, which WebAssembly with threads and exact clocks ask for.
"""

import argparse
import functools
import http.server
import pathlib

_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def server(directory, port=0):
    """A threading server of an export's files on the loopback interface; `serve_forever` runs it.

    Args:
        directory: the export.
        port: of the server; 0 for any free one, then in `.server_port`.

    Raises:
        FileNotFoundError: if the export has no page.
    """
    directory = pathlib.Path(directory)
    if not (directory / "demo" / "index.html").is_file():
        raise FileNotFoundError(
            f"{directory} has no demo/index.html: export a model of images with a format of one image, "
            "such as 'tflite_batch1'."
        )
    handler = functools.partial(_Handler, directory=str(directory))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        pass


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tfgan_zoo_serving.page", description="Serve an export's page.")
    parser.add_argument("directory", type=pathlib.Path, help="the export")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    try:
        serving = server(chosen.directory, chosen.port)
    except OSError as error:
        parser.error(str(error))
    print(f"http://127.0.0.1:{serving.server_port}/demo/    Ctrl-C ends it")
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        serving.server_close()


if __name__ == "__main__":
    main()
