"""One paper a file: its data, its budget and its figures, over the numbers that stand in `tfgan_zoo.zoo`."""

import os


def _import_tensorflow_without_its_greeting():
    """Its C++ writes a page about the CPU to stderr before Python can ask it not to; Python's errors still show."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


_import_tensorflow_without_its_greeting()
