"""The record of a run as it grows: kept at every step, told as a time line, closed however the run ends."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greylag.directories import WORKING, remove_tree
from greylag.errors import GreylagError
from greylag.holding import release
from greylag.model import Event, PullRequest, Status
from greylag.protocols import Observe
from greylag.report import Run
from greylag.text import redacted


@dataclass(slots=True)
class Recording:
    """A run and who is told of it: `record` of every change, `told` of every line of the time line.

    What agents and services say may hold secrets; those that can be told by their form are in neither.
    """

    run: Run
    home: Path
    record: Callable[[Run], None]
    told: Observe
    _written: bool = True

    def observe(self, event: Event) -> None:
        """Pass a line of the time line on."""
        data = {name: redacted(value) if isinstance(value, str) else value for name, value in event.data.items()}
        self.told(replace(event, text=redacted(event.text), data=data))

    def tell(self, kind: str, text: str, **data: Any) -> None:
        """One line of the time line."""
        self.observe(Event(kind, text, datetime.now(UTC), data))

    def keep(self, **changes: Any) -> None:
        """Write the run down as it is now."""
        self.run, self._written = replace(self.run, **changes), False
        self.record(self.run)
        self._written = True

    def end(self, status: Status, reason: str) -> Run:
        """Close the record."""
        reason = redacted(reason)
        self.keep(status=status, reason=reason, finished=datetime.now(UTC))
        said = reason.removeprefix(f"{status.value}: ")
        self.tell("end", f"{status.value}: {said}" if said else status.value, status=status.value)
        return self.run

    def leave(self) -> None:
        """Close the record, if an error or an interrupt passes through, and remove what only the run needed."""
        try:
            if self.run.status is Status.RUNNING:
                self._broken_off(sys.exception())
        finally:
            with suppress(OSError):  # the next run tries again
                for name in WORKING:
                    remove_tree(self.home / name)
                if not self._written:  # for want of disk: there may be some now
                    self.record(self.run)
                release(self.home)

    def _broken_off(self, error: BaseException | None) -> Run:
        """Close the record with the error that ends the run, and with what may be there all the same."""
        if self.run.pull_request:  # too late to cancel: the record must say what is there
            return self.end(*published(self.run.pull_request))
        status, text = _why(error)
        return self.end(status, f"{text}; {self.run.reason}" if self.run.reason else text)


def _why(error: BaseException | None) -> tuple[Status, str]:
    match error:
        case KeyboardInterrupt():
            return Status.CANCELLED, "interrupted"
        case BrokenPipeError():
            return Status.CANCELLED, "stopped, since nobody read its output any more"
        case GreylagError():
            return Status.ERRORED, str(error)
    return Status.ERRORED, f"a bug of greylag: {error!r}"


def published(pull: PullRequest) -> tuple[Status, str]:
    """How a run ends that has opened or updated a pull request: status and reason."""
    return Status.UPDATED if pull.updated else Status.OPENED, f"pull request {pull.url}"
