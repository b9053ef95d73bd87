"""What a run may still spend: its budget covers all its sessions and the judge, and somebody is warned in time."""

from collections.abc import Sequence
from datetime import UTC, datetime

from greylag.exchanges import Exchange
from greylag.model import Event, Limits, Phase, Usage
from greylag.protocols import Observe
from greylag.report import Report, Run

_WARN = 0.8  # of the budget


def spent(run: Run) -> Usage:
    """What the sessions of a run and its judge have used so far, one that an error ended among them."""
    return sum(_parts(run), Usage())


def left(run: Run, asked: Sequence[Exchange]) -> Usage:
    """What requests of a run have used that no session or judgement of it tells of: those after all that they had."""
    told, rest = spent(run).turns, list[Usage]()
    for one in asked:
        if told < one.usage.turns:
            rest.append(one.usage)
        else:
            told -= one.usage.turns
    return sum(rest, Usage())


def unpriced(run: Run) -> bool:
    """Whether a part of what a run has used has no known price."""
    return any(part.turns and part.usd is None for part in _parts(run))


def _parts(run: Run) -> tuple[Usage, ...]:
    sessions = (*run.sessions, *((run.reflection,) if run.reflection else ()))
    return (*(session.usage for session in sessions), *_judged(run.reports), run.broken_off)


def _judged(reports: Sequence[Report]) -> Sequence[Usage]:
    told = [v.details.get("usage") for report in reports for v in report.verdicts if v.phase is Phase.JUDGE]
    return [
        Usage(
            used.get("requests", 1), used.get("input_tokens", 0), used.get("output_tokens", 0),
            used.get("cached_tokens", 0), used.get("usd"), used.get("source", "unknown"),
        )
        for used in told
        if isinstance(used, dict)
    ]  # fmt: skip


class Warned:
    """Passes events on, and adds one when a run has used most of its budget.

    `before` is what it had used when the session began whose events are passed on.
    """

    def __init__(self, observe: Observe, limits: Limits) -> None:
        self._observe, self._limits, self._done = observe, limits, False
        self.before = Usage()

    def __call__(self, event: Event) -> None:
        """Pass it on."""
        self._observe(event)
        if event.kind == "usage":
            data = event.data
            tokens = data.get("input_tokens") or 0, data.get("output_tokens") or 0
            self.look(self.before + Usage(0, tokens[0], tokens[1], usd=data.get("usd") or 0.0))

    def look(self, used: Usage) -> None:
        """Warn, once, when so much was used that little is left."""
        parts = (
            (used.usd or 0.0, self._limits.usd, "${:.2f}"),
            (used.input_tokens + used.output_tokens, self._limits.tokens, "{} tokens"),
        )
        for amount, limit, form in parts:
            if limit is not None and amount >= _WARN * limit and not self._done:
                self._done = True
                said = f"{amount / limit:.0%} of the budget is used: {form.format(amount)} of {form.format(limit)}"
                self._observe(Event("budget.warning", said, datetime.now(UTC), {"used": amount, "limit": limit}))
