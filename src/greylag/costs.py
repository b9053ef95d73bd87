"""What was asked of models and what it cost: request by request, by session, by run, and over many runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from greylag.exchanges import Exchange
from greylag.model import Usage
from greylag.report import Run
from greylag.spending import spent, unpriced
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


@dataclass(frozen=True, slots=True)
class Costs:
    """What some runs used. Of `unpriced` runs a part has no known price, and is not in the dollars."""

    runs: int = 0
    unpriced: int = 0
    usage: Usage = Usage()

    def __add__(self, run: Run) -> "Costs":
        return Costs(self.runs + 1, self.unpriced + unpriced(run), self.usage + spent(run))


def costs(runs: Iterable[Run], by: str) -> dict[str, Costs]:
    """What runs used, by a key of `KEYS`; replays, for which nobody pays, are left out."""
    found: dict[str, Costs] = {}
    for run in runs:
        if not run.replay_of:
            names = {
                "all": "all",
                "campaign": run.task.campaign or "none",
                "agent": run.agent,
                "prompt": run.task.version,
            }
            found[names[by]] = found.get(names[by], Costs()) + run
    return dict(sorted(found.items()))


def table(found: Mapping[str, Costs]) -> Iterator[str]:
    """Lines for a terminal."""
    for name, one in found.items():
        missing = f"; {one.unpriced} of them used models without a known price" if one.unpriced else ""
        yield f"{one_line(name, 60)}: {one.runs} run{'s' * (one.runs != 1)}, {told(one.usage)}{missing}"
