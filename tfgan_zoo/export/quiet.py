"""Silence for the C++ below: TensorFlow's converter writes past Python's logging."""

import contextlib
import os
import sys
import threading

_lock = threading.Lock()
_kept = {}  # the process's own stdout and stderr, while somebody wants silence
_wanting = 0


@contextlib.contextmanager
def quiet():
    """Send whatever the process writes to stdout and stderr nowhere; exceptions still arrive."""
    global _wanting
    with _lock:  # two threads share one stdout: the first silences it, the last gives it back
        _wanting += 1
        if _wanting == 1:
            _silence()
    try:
        yield
    finally:
        with _lock:
            _wanting -= 1
            if _wanting == 0:
                _restore()


def _silence():
    _flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        _kept[number] = os.dup(number)
        os.dup2(nowhere, number)
    os.close(nowhere)


def _restore():
    _flush()
    while _kept:
        number, copy = _kept.popitem()
        os.dup2(copy, number)
        os.close(copy)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
