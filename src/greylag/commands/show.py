"""`greylag show`: the newest runs, or one run with its time line."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from greylag import config, costs, exchanges, numbers, questions, transcripts
from greylag.errors import UserError
from greylag.model import StopReason
from greylag.progress import worth_a_line
from greylag.report import Run, paging
from greylag.spending import spent
from greylag.store import Store, to_json
from greylag.text import clean, one_line


@click.command(name="show", help="Show the newest runs, or the time line of RUN (the beginning of its id is enough).")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--log", metavar="ID", help="Print a log of this run, as a report names it.")
@click.option("--page", metavar="K", type=click.IntRange(1), help="Only this page of the log.")
@click.option("--search", metavar="TEXT", default="", help="Only the lines of the log around this text.")
@click.option("--transcript", is_flag=True, help="Print what the agent was asked, said and did in this run.")
@click.option("--requests", is_flag=True, help="Print each request to a model: tokens, cost and its source, time.")
@click.option("--diff", is_flag=True, help="Print the change that was kept when no pull request was opened.")
@click.option(
    "--veto-was-wrong", "label", flag_value="veto-was-wrong", help="Say that the judge should have passed this change."
)
@click.option(
    "--should-have-vetoed", "label", flag_value="should-have-vetoed", help="Say that it should not have passed it."
)
@click.option(
    "--judge", "judge_by", type=click.Choice(list(numbers.KEYS)), help="How often the judge vetoed, by one of these."
)
@click.option("--cost", "cost_by", type=click.Choice(costs.KEYS), help="What runs used and cost, by one of these.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many runs to list.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    run_id: str | None, *, log: str | None, page: int | None, search: str, limit: int, label: numbers.Label | None,
    judge_by: str | None, cost_by: str | None, diff: bool, transcript: bool, requests: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print records."""
    store = Store(config.Directories.of(os.environ).state)
    _fit(run_id, bool(log or diff or label or transcript or requests), bool(cost_by or judge_by))
    if judge_by:
        lines = _numbers(store, judge_by, as_json=as_json)
    elif cost_by:
        found = costs.costs(store.newest(None), cost_by)
        listed = {
            name: {"runs": one.runs, "unpriced": one.unpriced, **asdict(one.usage)} for name, one in found.items()
        }
        lines = [json.dumps(listed)] if as_json else list(costs.table(found))
    elif run_id and requests:
        lines = _requests(store, store.run(run_id), as_json=as_json)
    elif run_id and transcript:
        lines = _transcript(store, store.run(run_id), as_json=as_json)
    elif run_id and label:
        lines = [_labelled(store, store.run(run_id), label)]
    elif run_id is None:
        runs = store.newest(limit)
        lines = [json.dumps([to_json(run) for run in runs])] if as_json else _table(runs)
    else:
        run = store.run(run_id)
        home = store.home(run.id)
        if log or diff:
            path = paging.find(home / "logs", log) if log else paging.find(home, "change.diff")
            if path is None:
                raise UserError(_nothing(run, home, log))
            part = log and (page or search)
            lines = [paging.page(paging.load(path), page or 1, search) if part else clean(path.read_bytes())]
        elif as_json:
            events = [{"at": e.at.isoformat(), "kind": e.kind, "text": e.text, **e.data} for e in store.events(run.id)]
            labels = [{"label": label, "at": at.isoformat()} for label, at in store.labels().get(run.id, [])]
            data = {**to_json(run), "updated_by": store.updated_by(run), "events": events, "labels": labels}
            lines = [json.dumps(data, default=str)]
        else:
            lines = [
                *_head(run, _said(store, run)),
                *_time_line(store, run),
                *_end(run, str(home), store.updated_by(run)),
            ]
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _fit(run_id: str | None, of_one: bool, of_all: bool) -> None:
    """Raises `UserError` for flags that ask for something else than what is named."""
    if run_id is None and of_one:
        asked = "--log, --diff, --transcript, --requests and what you say of its judge"
        raise UserError(f"name a RUN for {asked}; `greylag show` lists them")
    if run_id and of_all:
        raise UserError("--cost and --judge are about all runs; for one run there are `--requests` and no flag at all")


def _numbers(store: Store, by: str, *, as_json: bool) -> list[str]:
    labels = {run: {label for label, _ in said} for run, said in store.labels().items()}
    found = numbers.numbers(store.newest(None), labels, by)
    if as_json:
        return [json.dumps({name: one.to_json() for name, one in found.items()})]
    return list(numbers.table({_named(name): one for name, one in found.items()}, by))


def _named(name: str) -> str:
    """On one line; the end of a long one tells prompts apart."""
    line = one_line(name, 400)
    return line if len(line) <= 70 else f"{line[:52].strip()} ... {line[-12:].strip()}"


def _transcript(store: Store, run: Run, *, as_json: bool) -> list[str]:
    path = store.home(run.id) / "transcript.jsonl"
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        raise UserError(f"run {run.id} has no transcript: no agent was asked") from None
    return text.splitlines() if as_json else list(transcripts.readable(text))


def _requests(store: Store, run: Run, *, as_json: bool) -> list[str]:
    found = exchanges.load(store.home(run.id))
    if not found:
        raise UserError(f"run {run.id} has no record of requests: no model was asked, or it is older than such records")
    return [json.dumps([costs.to_json(one) for one in found])] if as_json else list(costs.requests(found))


def _labelled(store: Store, run: Run, label: numbers.Label) -> str:
    """Keep what a person says of the judge, and what it was asked as a case to measure judges by."""
    said = [details["decision"] for details in numbers.decisions(run)]
    if not said:
        raise UserError(f"run {run.id} has no decision of a judge that could be right or wrong")
    passed = label == "should-have-vetoed"
    if not any((decision == "pass") == passed for decision in said):
        raise UserError(f"the judge said {', '.join(said)} in run {run.id}: that cannot be said of it")
    store.label(run.id, label)
    name = f"{run.id}.{label}.json"
    place = questions.label(store.home(run.id), store.state / "labelled" / name, label, passed=passed)
    kept = f", and kept as a labelled case: {place}" if place else "; the question itself was not kept"
    return "\n".join((*_said(store, run), f"run {run.id}: {_words(label)}; noted{kept}"))


def _said(store: Store, run: Run) -> Iterator[str]:
    """What people have said of the judge in this run, each word with its time; which of them count."""
    said = store.labels().get(run.id, [])
    for label, at in said:
        yield f"said of its judge: {_words(label)}, {at.astimezone():%Y-%m-%d %H:%M}"
    if len(said) > 1:
        yield f"counted: {' and '.join(dict.fromkeys(_words(label) for label, _ in said))}, once each"


def _words(label: str) -> str:
    return label.replace("-", " ")


def _nothing(run: Run, home: Path, log: str | None) -> str:
    if not log:
        where = f"it is on branch {run.branch}" if run.pull_request else "the agent changed nothing, or did not end"
        return f"run {run.id} has no kept change; {where}"
    return f"run {run.id} has no log `{log}`; {paging.known(home / 'logs')}"


def _table(runs: list[Run]) -> list[str]:
    rows = [
        f"{run.id}  {run.status.value:11}  {run.started.astimezone():%Y-%m-%d %H:%M}  "
        f"{one_line(run.task.repo.url.rsplit('/', 1)[-1], 24):24}  {'(replay) ' if run.replay_of else ''}"
        f"{one_line(run.task.title, 60)}"
        for run in runs
    ]
    return rows or ["no run yet; start one with `greylag run`"]


def _head(run: Run, said: Iterable[str]) -> Iterator[str]:
    yield f"run {run.id}: {run.status.value}"
    yield f"task {run.task.id}: {one_line(run.task.title)}"
    base, tree = run.base[:12] or "unknown", (run.tree or "none")[:12]
    yield f"repository {one_line(run.task.repo.url)}, base {base}, tree {tree}"
    if run.replay_of:
        yield f"replay of run {run.replay_of}"
    program = next((session.command for session in run.sessions if session.command), "")
    what = f", the program {one_line(program, 200)}" if program else ""
    version = next((f" ({session.instructions})" for session in run.sessions if session.instructions), "")
    yield f"agent {run.agent}{version}: {len(run.sessions)} session{'' if len(run.sessions) == 1 else 's'}{what}"
    if (used := spent(run)).turns:
        judged = ", the judge's among them" if numbers.decisions(run) else ""
        yield f"models: {costs.told(used)}{judged}"
    if not run.pull_request and run.reason:
        yield f"why: {one_line(run.reason)}"
    if run.reflection and run.reflection.stop is StopReason.COMPLETED and run.reflection.text:
        yield f"what the prompt lacked, by the agent: {one_line(run.reflection.text, 600)}"
    for stamp in run.stamps:
        yield f"note: {one_line(stamp)}"
    yield from said
    yield ""


def _time_line(store: Store, run: Run) -> Iterator[str]:
    for event in filter(worth_a_line, store.events(run.id)):
        minutes, seconds = divmod(int((event.at - run.started).total_seconds()), 60)
        yield f"{minutes:02}:{seconds:02} {event.kind:16} {one_line(event.text, 200)}"


def _end(run: Run, home: str, updated_by: str | None) -> Iterator[str]:
    if run.reports:
        yield ""
        yield run.reports[-1].render(2000)
    if run.pull_request:
        pull = run.pull_request
        yield ""
        yield f"pull request {pull.number} ({pull.state}) on {pull.forge}: {pull.url}"
        if updated_by:
            yield f"  updated since by run {updated_by}: what follows is how this run left it"
        yield f"  {pull.branch} -> {pull.base}, head {pull.head}, labels {', '.join(pull.labels) or 'none'}"
        yield ""
        yield clean(f"{pull.title}\n\n{pull.body}")
    yield ""
    if Path(home).is_dir():
        yield f"files: {home}"
