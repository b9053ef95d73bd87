"""What was asked of models and what it cost: request by request, by session, by run, and over many runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from greylag.exchanges import Exchange
from greylag.model import Usage
from greylag.report import Run
from greylag.spending import spent
from greylag.text import one_line

KEYS = ("all", "campaign", "agent", "prompt")
"""What costs can be told apart by."""


def requests(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Lines for a terminal: a request each, then what those of one session come to."""
    yield "  no  asked by    model                         in   cached      out        cost            seconds  status"
    for one in exchanges:
        used, model = one.usage, one_line(one.model, 26)
        yield (
            f"{one.number:4}  {one_line(one.who, 10):10}  {model:26} {used.input_tokens:9}{used.cached_tokens:9}"
            f"{used.output_tokens:9}  {_cost(used):20}{one.seconds:9.1f}  {status(one)}"
        )
    yield ""
    for who in dict.fromkeys(one.who for one in exchanges):
        yield f"{one_line(who, 10)}: {told(sum((one.usage for one in exchanges if one.who == who), Usage()))}"
    yield f"all: {told(sum((one.usage for one in exchanges), Usage()))}"


def status(exchange: Exchange) -> str:
    """How a request ended, in words."""
    if exchange.status == 0:
        return "no answer"
    return str(exchange.status) if exchange.whole else f"{exchange.status}, broken off"


def to_json(exchange: Exchange) -> dict[str, Any]:
    """A request for machines, without what was said."""
    return {name: value for name, value in asdict(exchange).items() if name not in {"answer", "asked", "headers"}}


def told(usage: Usage) -> str:
    """Answered requests, tokens and cost in words."""
    tokens = f"{usage.input_tokens} tokens in ({usage.cached_tokens} cached), {usage.output_tokens} out"
    return f"{usage.turns} request{'s' * (usage.turns != 1)}, {tokens}, {_cost(usage) or 'nothing to pay'}"


def _cost(usage: Usage) -> str:
    if usage.usd is None:
        return "cost unknown" if usage.turns else ""
    return f"${usage.usd:.4f} ({usage.cost_source})"


def costs(runs: Iterable[Run], by: str) -> dict[str, tuple[int, Usage]]:
    """Runs and what they used, by a key of `KEYS`; replays, for which nobody pays, are left out."""
    found: dict[str, tuple[int, Usage]] = {}
    for run in runs:
        if not run.replay_of:
            names = {
                "all": "all",
                "campaign": run.task.campaign or "none",
                "agent": run.agent,
                "prompt": run.task.title,
            }
            count, used = found.get(names[by], (0, Usage()))
            found[names[by]] = count + 1, used + spent(run)
    return dict(sorted(found.items()))


def table(found: Mapping[str, tuple[int, Usage]]) -> Iterator[str]:
    """Lines for a terminal."""
    for name, (runs, used) in found.items():
        yield f"{one_line(name, 60)}: {runs} run{'s' * (runs != 1)}, {told(used)}"
