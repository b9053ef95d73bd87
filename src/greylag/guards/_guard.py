"""What all guards share: a guard is a name and a function from a change to findings. It runs nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from greylag.diffs import DiffError
from greylag.model import Diagnostic, Outcome, Phase, Severity, Verdict
from greylag.protocols import Activation, Change, Context, Tree
from greylag.text import one_line

MOST = 50  # findings that one guard reports one by one
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

Check = Callable[[Change], Iterable[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule on the change as such. A finding of severity error blocks, a warning is shown, information is a fact."""

    name: str
    check: Check

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Every change, whatever the repository contains."""
        return (Activation(self.name, self.name, Phase.GUARD, ".", "every change"),)

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """The findings on `context.change`; an unreadable diff blocks."""
        began = monotonic()
        try:
            found = list(dict.fromkeys(self.check(context.change)))
        except DiffError as error:
            found = [Diagnostic(f"the diff cannot be checked: it {error}", rule=f"{self.name}/unreadable-diff")]
        found.sort(key=lambda finding: _RANK[finding.severity])
        counts = Counter(finding.severity for finding in found)
        return Verdict(
            self.name, Phase.GUARD, Outcome.FAILED if counts[Severity.ERROR] else Outcome.PASSED,
            root=activation.root, reason=activation.reason, summary=_summary(counts),
            diagnostics=(*found[:MOST], *_rest(self.name, found[MOST:])), seconds=monotonic() - began,
        )  # fmt: skip


def finding(
    change: Change, kind: str, rule: str, message: str, path: str, *,
    line: int | None = None, excerpt: str = "", severity: Severity = Severity.ERROR,
) -> Diagnostic:  # fmt: skip
    """A finding that the prompt can allow by `kind`: then it stays on record as information."""
    if kind in change.scope.allow:
        message, severity = f"{message} (the prompt allows {kind})", Severity.INFO
    elif severity is not Severity.INFO:
        remedy = "take it back, or allow" if severity is Severity.ERROR else "look at it, or allow"
        message = f'{message}; {remedy} it in the prompt\'s front matter: `allow = ["{kind}"]`'
    return fact(rule, message, path, line=line, excerpt=excerpt, severity=severity)


def fact(
    rule: str, message: str, path: str | None, *,
    line: int | None = None, excerpt: str = "", severity: Severity = Severity.ERROR,
) -> Diagnostic:  # fmt: skip
    """A finding that nothing can allow. Names and excerpts come from the change: they are cleaned here."""
    return Diagnostic(
        one_line(message, 600),
        severity,
        one_line(path) if path else None,
        line,
        rule=rule,
        excerpt=one_line(excerpt, 200),
    )


def read(tree: Tree, path: str) -> str | None:
    """Contents as text, undecodable bytes replaced; None when there is no such regular file."""
    try:
        return tree.read(path).decode("utf-8", "replace")
    except KeyError:
        return None


def _summary(counts: Counter[Severity]) -> str:
    words = ((Severity.ERROR, "blocked"), (Severity.WARNING, "to look at"), (Severity.INFO, "noted"))
    return ", ".join(f"{counts[severity]} {word}" for severity, word in words if counts[severity]) or "no finding"


def _rest(name: str, hidden: Sequence[Diagnostic]) -> Iterable[Diagnostic]:
    if hidden:
        worst = min(hidden, key=lambda finding: _RANK[finding.severity]).severity
        yield Diagnostic(f"{len(hidden)} more findings of this guard", worst, rule=f"{name}/more")
