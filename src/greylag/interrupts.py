"""Polite signals: a person's Ctrl-C, a supervisor's SIGTERM, a terminal that was closed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_off() -> Iterator[None]:
    """Let the block come to its end first: `KeyboardInterrupt` is raised after it. A second Ctrl-C does not wait.

    For what must not stay half done, and is bounded in time by itself. Outside of the main thread, where no signal
    arrives, nothing happens. An error of the block goes before the interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1 and number == signal.SIGINT:  # a person; a closing terminal sends more than one signal, too
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in POLITE}
    wanted = [number for number, handler in before.items() if handler not in {signal.SIG_IGN, None}]
    try:
        for number in wanted:
            signal.signal(number, note)
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])
    if came:
        raise KeyboardInterrupt


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold all polite signals back for some milliseconds; their own handlers hear of the first one after the block.

    For what cannot be taken up again, such as the start of a process that nobody would know of.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: handler for number in POLITE if callable(handler := signal.getsignal(number))}
    caught: list[int] = []
    try:
        for number in handlers:
            signal.signal(number, lambda received, _frame: caught.append(received))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for received in caught[:1]:
            signal.raise_signal(received)
