"""How often the judge vetoes, abstains, is heeded, and was wrong by what people said: by campaign, agent, model ..."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from greylag.model import Phase
from greylag.report import Run

Label = Literal["veto-was-wrong", "should-have-vetoed"]


@dataclass(slots=True)
class Numbers:
    """Of runs that a judge saw: what it said first, and what came of it.

    `corrected`: vetoed at first and passed in the end. `wrong`, `missed`: runs that a person has labelled
    `veto-was-wrong`, `should-have-vetoed`, or both, each counted once. `made_up`: quotes that were not in the diff.
    `usd`: None where no price is known.
    """

    judged: int = 0
    passed: int = 0
    vetoed: int = 0
    abstained: int = 0
    corrected: int = 0
    wrong: int = 0
    missed: int = 0
    made_up: int = 0
    usd: float | None = None

    def add(self, decisions: list[Mapping[str, Any]], labels: Collection[str]) -> None:
        """Count one run, of which these were the decisions in order."""
        first, last = decisions[0]["decision"], decisions[-1]["decision"]
        self.judged += 1
        self.passed += first == "pass"
        self.vetoed += first == "veto"
        self.abstained += first == "abstain"
        self.corrected += first == "veto" and last == "pass"
        self.wrong += "veto-was-wrong" in labels
        self.missed += "should-have-vetoed" in labels
        self.made_up += sum(details.get("dropped_quotes", 0) for details in decisions)
        known = [usd for details in decisions if (usd := details.get("usage", {}).get("usd")) is not None]
        if known:
            self.usd = (self.usd or 0.0) + sum(known)

    def to_json(self) -> dict[str, Any]:
        """For machines, with the rates that have something to be a rate of."""
        rates = {"veto_rate": (self.vetoed, self.judged), "abstain_rate": (self.abstained, self.judged)}
        rates["corrected_share"] = (self.corrected, self.vetoed)
        return {**asdict(self), **{name: part / whole if whole else None for name, (part, whole) in rates.items()}}


def decisions(run: Run) -> list[Mapping[str, Any]]:
    """The details of each judgement of a run, in order."""
    verdicts = (verdict for report in run.reports for verdict in report.verdicts if verdict.phase is Phase.JUDGE)
    return [verdict.details for verdict in verdicts if verdict.details.get("decision")]


KEYS: Mapping[str, Callable[[Run, Mapping[str, Any]], Iterable[str]]] = {
    "all": lambda _run, _details: ("all",),
    "campaign": lambda run, _details: (run.task.campaign or "none",),
    "agent": lambda run, _details: (run.agent,),
    "model": lambda _run, details: (details["model"],),
    "rubric": lambda _run, details: (details["rubric"],),
    "prompt": lambda run, _details: (run.task.version,),
    "category": lambda _run, details: {found["category"] for found in details["findings"]} or ("none",),
}
"""What numbers can be told apart by, from the run and its first judgement. A run counts in each category it has."""


def numbers(runs: Iterable[Run], labels: Mapping[str, Collection[str]], by: str) -> dict[str, Numbers]:
    """Numbers by a key of `KEYS`, in alphabetical order; a replay, whose answers were counted before, is in none."""
    found: dict[str, Numbers] = {}
    for run in runs:
        if (judged := decisions(run)) and not run.replay_of:
            for name in KEYS[by](run, judged[0]):
                found.setdefault(name, Numbers()).add(judged, labels.get(run.id, ()))
    return dict(sorted(found.items()))


def table(found: Mapping[str, Numbers], by: str) -> Iterator[str]:
    """Lines for a terminal."""
    width = max([len(by), *map(len, found)], default=0)
    yield f"{by:{width}}  judged  passed  vetoed  corrected  abstained  veto was wrong  should have vetoed"
    for name, n in found.items():
        veto = f"{n.vetoed} ({n.vetoed / n.judged:.0%})"
        yield (
            f"{name:{width}}  {n.judged:6}  {n.passed:6}  {veto:>6}  {n.corrected:9}  {n.abstained:9}  {n.wrong:14}"
            f"  {n.missed:18}"
        )
