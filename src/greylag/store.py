"""Runs, sessions, reports and the time line in SQLite: our own tables, the read side of everything.

Transcripts and logs are files in the run's directory, `<state>/runs/<run id>/`. A run's whole record is one JSON
document; the columns beside it are what lists and numbers are made from.

A run holds its directory by a lock. A record that says `running` where nobody holds it is of a run that was killed:
whoever looks is told so, and it is written down.
"""

import json
import os
import secrets
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from greylag import exchanges
from greylag.directories import WORKING, remove_tree
from greylag.errors import InfraError, UserError
from greylag.holding import HELD, claimed, is_held, release
from greylag.model import Event, Status
from greylag.recording import published
from greylag.report import Run
from greylag.spending import left, spent

_RUN = TypeAdapter(Run)
# Names of tests that passed: thousands, of no use in a record.
_NAMES: Mapping[str, Any] = {"verdicts": {"__all__": {"counts": {"passed"}}}}
_META = MetaData()
_STILLBORN = 3600.0  # seconds

RUNS = Table(
    "runs",
    _META,
    Column("id", String, primary_key=True),
    Column("task", String, index=True, nullable=False),
    Column("repo", String, nullable=False),
    Column("title", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("status", String, index=True, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
    Column("usd", Float),
    Column("pull_request", String),
    Column("document", Text, nullable=False),
)
SESSIONS = Table(
    "sessions",
    _META,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("agent", String, nullable=False),
    Column("model", String, nullable=False),
    Column("stop", String, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("usd", Float),
)
REPORTS = Table(
    "reports",
    _META,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 0 is the baseline
    Column("tree", String, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("strength", String, nullable=False),
    Column("failed", String, nullable=False),  # verifiers that said no, with commas
)
LABELS = Table(
    "words",
    _META,
    Column("number", Integer, primary_key=True),
    Column("run", ForeignKey("runs.id"), index=True, nullable=False),
    Column("label", String, nullable=False),  # what a person says of the judge's decision
    Column("at", DateTime(timezone=True), nullable=False),
)
EVENTS = Table(
    "events",
    _META,
    Column("run", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", Text, nullable=False),
)


class Store:
    """The records below one state directory. Several processes may write at once."""

    def __init__(self, state: Path) -> None:
        self.state = state
        try:
            self.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._engine = _engine(state / "greylag.db")
            weakref.finalize(self, self._engine.dispose)  # its pool would leave connections to the garbage collector
            with self._begin() as connection:
                for table in _META.sorted_tables:  # `create_all` looks first and creates later: two processes collide
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
        except OSError as error:
            raise self._unwritable(error) from error

    @property
    def runs(self) -> Path:
        """Directory of the runs' directories."""
        return self.state / "runs"

    def home(self, run_id: str) -> Path:
        """Directory of one run."""
        return self.runs / run_id

    def new_id(self) -> str:
        """A fresh run id, sortable by time, with its directory made. What killed runs left behind is removed first."""
        self.sweep()
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            self.home(run_id).mkdir(mode=0o700)
        except OSError as error:
            raise self._unwritable(error) from error
        return run_id

    def record(self, run: Run) -> None:
        """Write a run as it is now; the last one wins."""
        row = _row(run)
        with self._begin() as connection:
            if connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(row)).rowcount == 0:
                connection.execute(insert(RUNS).values(row))
            for table, rows in ((SESSIONS, _sessions(run)), (REPORTS, _reports(run))):
                connection.execute(delete(table).where(table.c.run == run.id))
                if rows:
                    connection.execute(insert(table), rows)

    def observe(self, run_id: str, number: int, item: Event) -> None:
        """Add one line to a run's time line."""
        with self._begin() as connection:
            connection.execute(insert(EVENTS).values(_event(run_id, number, item)))

    def run(self, run_id: str) -> Run:
        """One run; an unambiguous beginning of its id is enough."""
        query = select(RUNS.c.document).where(RUNS.c.id.startswith(run_id, autoescape=True)).limit(2)
        with self._begin() as connection:
            found = connection.execute(query).scalars().all()
        if len(found) != 1:
            raise UserError(f"{'several runs begin' if found else 'no run begins'} with `{run_id}`; see `greylag show`")
        return self._truth(_run(found[0]))

    def label(self, run_id: str, label: str) -> None:
        """Keep what a person says of the judge's decision on a run, beside what was said before."""
        with self._begin() as connection:
            connection.execute(insert(LABELS).values(run=run_id, label=label, at=datetime.now(UTC)))

    def labels(self) -> dict[str, list[tuple[str, datetime]]]:
        """All these words and when they were said, by run, in their order."""
        found: dict[str, list[tuple[str, datetime]]] = {}
        with self._begin() as connection:
            for row in connection.execute(select(LABELS).order_by(LABELS.c.number)):
                found.setdefault(row.run, []).append((row.label, row.at.replace(tzinfo=UTC)))
        return found

    def newest(self, limit: int | None = 20) -> list[Run]:
        """The newest runs, newest first; None: all of them."""
        query = select(RUNS.c.document).order_by(RUNS.c.started.desc()).limit(limit)
        with self._begin() as connection:
            found = connection.execute(query).scalars().all()
        return [self._truth(_run(text)) for text in found]

    def updated_by(self, run: Run) -> str | None:
        """Id of the run that has since updated the pull request of this one; None when it is as this one left it."""
        if run.pull_request is None:
            return None
        later = RUNS.c.pull_request == run.pull_request.url, RUNS.c.finished > run.finished
        with self._begin() as connection:
            found = connection.execute(select(RUNS.c.id).where(*later).order_by(RUNS.c.finished.desc()).limit(1))
            return found.scalar()

    def events(self, run_id: str) -> list[Event]:
        """The time line of a run."""
        query = select(EVENTS).where(EVENTS.c.run == run_id).order_by(EVENTS.c.number)
        with self._begin() as connection:
            rows = connection.execute(query).all()
        return [Event(r.kind, r.text, r.at.replace(tzinfo=UTC), json.loads(r.data)) for r in rows]

    def sweep(self) -> None:
        """Close the records of runs that were killed, and remove what they left behind. Logs and artefacts stay."""
        for home in [path.parent for path in self.runs.glob(f"*/{HELD}")]:
            with claimed(home) as granted:
                if granted:
                    leftovers = [home / name for name in WORKING] if self._close(home.name) else [home]
                    with suppress(OSError):  # the next one tries again
                        for path in leftovers:
                            remove_tree(path)
                        release(home)

        for home in self.runs.iterdir():
            with suppress(OSError):
                if time.time() - home.stat().st_mtime > _STILLBORN:
                    home.rmdir()  # only an empty one: its run was killed before it began

    def _truth(self, run: Run) -> Run:
        """The run as it is, whatever its record says."""
        if run.status is not Status.RUNNING or is_held(self.home(run.id)):
            return run
        return self._close(run.id) or run

    def _close(self, run_id: str) -> Run | None:
        """Record that a run which nobody carries out any more has ended; None for one that was never recorded.

        Read again first: until its lock was seen to be free, it may have written more, even its end.
        """
        with self._begin() as connection:
            document = connection.execute(select(RUNS.c.document).where(RUNS.c.id == run_id)).scalar()
        run = _run(document) if document else None
        if run is None or run.status is not Status.RUNNING:
            return run
        events = self.events(run_id)
        at = events[-1].at if events else run.started
        ended = replace(_killed(run, at), broken_off=left(run, exchanges.load(self.home(run_id))))
        with suppress(InfraError), self._begin() as connection:  # who may only look is told the truth all the same
            still = RUNS.c.id == run_id, RUNS.c.status == Status.RUNNING.value
            if connection.execute(update(RUNS).where(*still).values(_row(ended))).rowcount:
                end = Event("end", f"{ended.status.value}: {ended.reason}", at)
                connection.execute(insert(EVENTS).values(_event(run_id, len(events), end)))
        return ended

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"{self.state} cannot be written: {error.strerror}; set GREYLAG_STATE to a directory of yours")

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise InfraError(f"the records in {self.state / 'greylag.db'} cannot be used: {cause}") from error


def to_json(run: Run) -> dict[str, Any]:
    """A run for machines."""
    kept: Mapping[str, Any] = {"baseline": _NAMES, "reports": {"__all__": _NAMES}}
    data: dict[str, Any] = _RUN.dump_python(run, mode="json", exclude=kept)
    return data


def _run(document: str) -> Run:
    return _RUN.validate_python(json.loads(document))


def _engine(path: Path) -> Engine:
    url = f"sqlite:///{path}"
    if path.exists() and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        url = f"sqlite:///file:{quote(str(path))}?immutable=1&uri=true"  # in WAL mode a mere look would write as well
    engine = create_engine(url, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _killed(run: Run, at: datetime) -> Run:
    """How a run ended that was last seen alive at `at`."""
    if run.pull_request:
        status, reason = published(run.pull_request)
        return replace(run, status=status, reason=reason, finished=at)
    kept = f"kept: {', '.join(run.artefacts)}" if run.artefacts else ""
    reason = "; ".join(part for part in ("greylag was killed", run.reason, kept) if part)
    return replace(run, status=Status.ERRORED, reason=reason, finished=at)


def _event(run_id: str, number: int, item: Event) -> dict[str, Any]:
    data = json.dumps(dict(item.data), default=str)
    return {"run": run_id, "number": number, "at": item.at, "kind": item.kind, "text": item.text, "data": data}


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "task": run.task.id,
        "repo": run.task.repo.url,
        "title": run.task.title,
        "agent": run.agent,
        "status": run.status.value,
        "reason": run.reason,
        "started": run.started,
        "finished": run.finished,
        "usd": spent(run).usd,
        "pull_request": run.pull_request.url if run.pull_request else None,
        "document": json.dumps(to_json(run)),
    }


def _sessions(run: Run) -> Sequence[dict[str, Any]]:
    return [
        {
            "run": run.id,
            "number": number,
            "agent": session.agent,
            "model": session.model,
            "stop": session.stop.value,
            "turns": session.usage.turns,
            "input_tokens": session.usage.input_tokens,
            "output_tokens": session.usage.output_tokens,
            "usd": session.usage.usd,
        }
        for number, session in enumerate(run.sessions, 1)
    ]


def _reports(run: Run) -> Sequence[dict[str, Any]]:
    numbered = [*([(0, run.baseline)] if run.baseline else []), *enumerate(run.reports, 1)]
    return [
        {
            "run": run.id,
            "number": number,
            "tree": report.tree,
            "passed": report.passed,
            "strength": report.strength.value,
            "failed": ",".join(verdict.id for verdict in report.failed),
        }
        for number, report in numbered
    ]
