"""A run from its parts to its last screen: for the verbs that carry out a task."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from greylag.commands import _screen
from greylag.errors import GreylagError
from greylag.exchanges import NAME, Exchanges
from greylag.model import Event, Task
from greylag.pipeline import Parts, run_task
from greylag.progress import Progress, show
from greylag.report import Run
from greylag.store import Store, to_json


def carry_out(
    task: Task, parts: Parts, store: Store, *, as_json: bool, exchanges: Callable[[Path], Exchanges] = Exchanges,
    compare: Callable[[Run, Exchanges], Sequence[Event]] | None = None,
) -> int:  # fmt: skip
    """Carry it out and say what came of it; the answer is the exit code. Raises what `run_task` raises.

    `exchanges` makes those with models, kept in a file; `compare` says how a replay differs, however it ends.
    """
    run_id = store.new_id()
    home = store.home(run_id)
    recorder, asked = _Recorder(store, run_id), exchanges(home / NAME)
    more: dict[str, Any] = {}

    def finish() -> None:
        if compare and recorder.run:
            found = compare(recorder.run, asked)
            more["differences"] = [event.text for event in found if event.data["differs"]]
            for event in found:
                recorder.observe(event)

    try:
        with show(sys.stderr if as_json else sys.stdout, as_json=as_json) as progress:
            for stamp in parts.stamps if not as_json else ():
                print(f"greylag: {stamp}", file=sys.stderr)
            recorder.progress = progress
            try:
                run = run_task(
                    task, run_id, home, parts, observe=recorder.observe, record=recorder.record, exchanges=asked
                )
            finally:
                finish()
    except KeyboardInterrupt:
        _early_end(recorder, more, as_json=as_json)
        print(_screen.interrupted(recorder.run, home), file=sys.stderr)
        return 130
    except GreylagError as error:
        _early_end(recorder, more, as_json=as_json)
        for line in _screen.kept(home):
            error.add_note(line)
        raise
    print(json.dumps({**to_json(run), **more}) if as_json else _screen.conclusion(run, home))
    return run.status.exit_code


def _early_end(recorder: "_Recorder", more: dict[str, Any], *, as_json: bool) -> None:
    """Machines get the record of a run that did not come to its end, too."""
    if as_json and recorder.run:
        print(json.dumps({**to_json(recorder.run), **more}))


@dataclass(slots=True)
class _Recorder:
    """Shows each event and writes it down; `run` is the record as it was last written."""

    store: Store
    run_id: str
    run: Run | None = None
    progress: Progress | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def observe(self, event: Event) -> None:
        if self.progress:
            self.progress(event)
        self.store.observe(self.run_id, next(self.numbers), event)

    def record(self, run: Run) -> None:
        self.store.record(run)
        self.run = run
