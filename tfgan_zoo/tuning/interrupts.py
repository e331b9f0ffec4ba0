"""Ctrl-C that Python drops: while an object is deleted, as Keras' and TensorFlow's are by the thousand between two
trials, a KeyboardInterrupt is printed as "ignored" and forgotten."""

import contextlib
import signal
import threading

_pressed = threading.Event()


@contextlib.contextmanager
def remembered():
    """A block in which `check` raises the KeyboardInterrupt that was dropped."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number, frame):
        _pressed.set()
        before(number, frame)

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _pressed.clear()


def check():
    """Raise KeyboardInterrupt if Ctrl-C was pressed within the block and the block goes on."""
    if _pressed.is_set():
        _pressed.clear()
        raise KeyboardInterrupt
