"""What a person or a machine sees while a run goes on: a live view on a terminal, plain lines in a pipe, JSON lines.

All text in events is data of agents, tools and repositories; it is cleaned before a terminal gets it.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from greylag.model import Event
from greylag.text import one_line

_SAID_BELOW = {"end"}  # the conclusion, or the line of an error, says it
_PREFIXES = {"gate.refused": "refused: "}
LOUD = {
    "checkout",
    "baseline",
    "attempt",
    "gate",
    "gate.refused",
    "publish",
    "end",
    "replay",
    "egress.refused",
    "budget.warning",
}
NORMAL = LOUD | {"verdict", "formatted", "agent.tool", "agent.blocked", "agent.text"}


def worth_a_line(event: Event) -> bool:
    """Whether a person wants to see it: a guard that has nothing to say is not worth a line."""
    quiet = event.kind == "verdict" and event.data.get("phase") == "guard" and event.data.get("outcome") == "passed"
    return event.kind in NORMAL and not quiet


class Progress(Protocol):
    """Takes the events of a run, from any thread."""

    def __call__(self, event: Event) -> None:
        """Show one event."""
        ...


class Lines:
    """One plain line per event."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._start, self._lock = out, time.monotonic(), threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print it, with minutes and seconds since the start."""
        if worth_a_line(event) and event.kind not in _SAID_BELOW:
            minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
            with self._lock:
                print(f"{minutes:02}:{seconds:02} {line(event)}", file=self._out, flush=True)


class JsonLines:
    """One JSON object per event: `kind`, `text`, `at`, and the event's own data."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print it."""
        item = {"kind": event.kind, "text": event.text, "at": event.at.isoformat(), **event.data}
        with self._lock:
            print(json.dumps(item, default=str), file=self._out, flush=True)


class Screen:
    """The live view: what has been done above, and below it phase, attempt, time, tokens, cost."""

    def __init__(self, console: Console) -> None:
        self._console, self._start = console, time.monotonic()
        self._now, self._attempt, self._usage = "starting", "", ""
        self._spinner = Spinner("dots")
        self.live = Live(get_renderable=self._status, console=console, refresh_per_second=8, transient=True)

    def __call__(self, event: Event) -> None:
        """Take it into the view."""
        if event.kind == "usage":
            self._usage = event.text
        elif worth_a_line(event) and event.kind not in _SAID_BELOW:
            self._console.print(Text(line(event), style=_style(event)), soft_wrap=True, highlight=False)
        if event.kind == "attempt":
            self._attempt = one_line(event.text, 40)
        if event.kind in LOUD or event.kind.endswith(".started"):
            self._now = one_line(event.text, 60)

    def _status(self) -> Group:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        parts = [f"{minutes:02}:{seconds:02}", self._now, self._attempt, self._usage]
        self._spinner.update(text=Text("  ".join(part for part in parts if part), style="dim"))
        return Group(self._spinner)


@contextmanager
def show(out: TextIO, *, as_json: bool) -> Iterator[Progress]:
    """The way to show progress that fits `out`."""
    if as_json:
        yield JsonLines(out)
    elif out.isatty():
        screen = Screen(Console(file=out))
        with screen.live:
            yield screen
    else:
        yield Lines(out)


def line(event: Event) -> str:
    """An event as one safe line."""
    indent = "" if event.kind in LOUD else "  "
    return indent + _PREFIXES.get(event.kind, "") + one_line(event.text, 240)


def _style(event: Event) -> str:
    if event.kind == "verdict":
        return "green" if event.data.get("outcome") == "passed" else "red"
    return "yellow" if event.kind == "gate.refused" else "bold" if event.kind in LOUD else ""
