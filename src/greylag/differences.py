"""How a replay differs from the run whose answers it played: outcome, verdicts, judge, patch, requests."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from greylag.exchanges import Exchanges
from greylag.model import Phase, Status
from greylag.report import Report, Run
from greylag.text import one_line

_SHOWN = 10  # requests, or verifiers, that are named one by one


def differences(then: Run, now: Run, exchanges: Exchanges) -> list[str]:
    """Lines for people; none where all is as it was. A pull request then is a pass now."""
    return [*_outcome(then, now), *_reports(then, now), *_patch(then, now), *_requests(exchanges)]


def _outcome(then: Run, now: Run) -> Iterator[str]:
    published = {Status.OPENED, Status.UPDATED}
    before = Status.PASSED if then.status in published else then.status
    if before is not now.status:
        yield f"outcome: {now.status.value}, was {then.status.value} ({one_line(now.reason, 200)})"
    if len(then.sessions) != len(now.sessions):
        yield f"sessions: {len(now.sessions)}, were {len(then.sessions)}"
    for number, (old, new) in enumerate(zip(then.sessions, now.sessions, strict=False), 1):
        if old.stop is not new.stop:
            yield f"session {number}: ended by {new.stop.value}, was {old.stop.value}"


def _reports(then: Run, now: Run) -> Iterator[str]:
    yield from _verdicts("baseline", then.baseline, now.baseline)
    for number, (old, new) in enumerate(zip_longest(then.reports, now.reports), 1):
        yield from _verdicts(f"report {number}", old, new)


def _verdicts(name: str, then: Report | None, now: Report | None) -> Iterator[str]:
    if then is None or now is None:
        if then is not now:
            yield f"{name}: {'new' if now else 'missing'}"
        return
    old, new = _said(then), _said(now)
    for key in old:
        if key in new and old[key] != new[key]:
            yield f"{name}, {key}: {new[key]}, was {old[key]}"
    for what, keys in (("no verdict of", old.keys() - new.keys()), ("new verdict of", new.keys() - old.keys())):
        if keys:
            yield f"{name}: {what} {_listed(sorted(keys))}"


def _said(report: Report) -> dict[str, str]:
    """Outcomes by verifier and phase; the judge's decision with the categories of what it found."""
    return {
        one_line(f"{v.id} ({v.phase.name.lower()})"): _ruling(v.details) if v.phase is Phase.JUDGE else v.outcome.value
        for v in report.verdicts
    }


def _ruling(details: Any) -> str:
    found = sorted({finding["category"] for finding in details.get("findings", ())})
    return " ".join((str(details.get("decision", "no decision")), *found))


def _patch(then: Run, now: Run) -> Iterator[str]:
    if then.tree != now.tree:
        yield f"patch: tree {(now.tree or 'none')[:12]}, was {(then.tree or 'none')[:12]}"


def _requests(exchanges: Exchanges) -> Iterator[str]:
    changed = sorted(exchanges.changed.items())
    for number, keys in changed[:_SHOWN]:
        yield f"request {number}: something else was asked than was recorded ({one_line(', '.join(keys), 200)})"
    if len(changed) > _SHOWN:
        yield f"and {len(changed) - _SHOWN} more requests"
    if exchanges.exhausted:
        yield f"requests: {exchanges.exhausted}"
    if exchanges.left:
        yield f"requests: {_listed([str(exchange.number) for exchange in exchanges.left])} not asked this time"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
