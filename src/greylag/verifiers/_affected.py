"""In an agent's loop only the tests that a change can affect, where all of them take long: the gate runs all.

What is found by reading imports is a guess: programs that are started, files that are opened and names that are made
up at run time are not seen. So nothing that was run in part counts as a pass of the whole, and where a part does not
run as the whole would, the whole is run.
"""

import posixpath
from collections.abc import Collection, Iterable, Mapping

from greylag.diffs import DiffError, parse
from greylag.kinds import classify
from greylag.model import Outcome
from greylag.protocols import Activation, Context
from greylag.verifiers._outcome import Result
from greylag.verifiers._plan import Step

WORTH = 30.0  # seconds that all took on the base commit
_PROSE = (".md", ".rst", ".adoc")  # text files are data as often
SAID = "only what the change can affect: the gate runs all"


def narrowed(step: Step, activation: Activation, context: Context) -> Step | None:
    """The step that runs only a part; None where all is to be run."""
    if step.affected is None or context.mode != "loop" or _seconds(step, activation, context) < WORTH:
        return None
    try:
        files = parse(context.change.diff)
    except DiffError:
        return None
    names = {name for file in files for name in (file.path, file.old_path)}
    changed = {name for name in names if not (classify(name) == "docs" and name.endswith(_PROSE))}
    return step.affected(context.change.head, frozenset(changed)) if changed else None


def _seconds(step: Step, activation: Activation, context: Context) -> float:
    """What all of it took on the base commit; 0 where that is not known."""
    before = context.before(activation)
    helpers = [v for v in (context.baseline.verdicts if context.baseline else ()) if v.root == activation.root]
    return sum(v.seconds for v in helpers if v.verifier == step.helper) + before.seconds if before else 0.0


def conclusive(result: Result) -> bool:
    """Whether a part has run as the whole would have: tests passed, or tests failed."""
    counts = result.counts
    if counts is None or not counts.run:
        return False
    return result.outcome is Outcome.PASSED or (result.outcome is Outcome.FAILED and counts.failed > 0)


def dependents(uses: Mapping[str, Iterable[str]], changed: Iterable[str]) -> set[str]:
    """`changed` and all that uses any of it, directly or not. `uses`: for each name those that it depends on."""
    users: dict[str, list[str]] = {}
    for user, used in uses.items():
        for name in used:
            users.setdefault(name, []).append(user)
    found, todo = set(changed), list(changed)
    while todo:
        for user in users.get(todo.pop(), ()):
            if user not in found:
                found.add(user)
                todo.append(user)
    return found


def nearest(path: str, places: Collection[str]) -> str | None:
    """The innermost of `places` (directories of the repository) that a path is in."""
    while path not in {"", "."}:
        path = posixpath.dirname(path) or "."
        if path in places:
            return path
    return None
