"""Which files a formatter may put right by itself: those that the change touches, as far as they were right before.

What was not formatted on the base commit stays as it is: the change would be about the formatter then.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from greylag.diffs import DiffError, parse, renames
from greylag.model import Outcome
from greylag.protocols import Activation, Context
from greylag.verifiers._outcome import Result
from greylag.verifiers._plan import Step

MOST = 1000  # files of one command


def rewriting(
    step: Step, result: Result, activation: Activation, context: Context
) -> tuple[Step, Sequence[str]] | None:
    """The step that formats what `step` complains about, and the files of the repository that it rewrites."""
    if step.rewrite is None or context.rewrite is None or result.outcome is not Outcome.FAILED:
        return None
    known = _unformatted_before(activation, context)
    if known is None:
        return None
    said = {d.path for d in result.diagnostics if d.path}
    paths = sorted(said & _touched(context) - known)[:MOST]
    place = posixpath.normpath(posixpath.join(activation.root, step.cwd))
    names = (f"./{posixpath.relpath(path, place)}" for path in paths)
    return (replace(step.rewrite, arguments=(*step.rewrite.arguments, *names)), paths) if paths else None


def _unformatted_before(activation: Activation, context: Context) -> set[str] | None:
    """Files that were not formatted on the base commit; None where nobody knows."""
    before = context.before(activation)
    if before is None or before.outcome not in {Outcome.PASSED, Outcome.FAILED}:
        return None
    paths = {d.path for d in before.diagnostics}
    try:
        moved = renames(context.change.diff)
    except DiffError:
        return None
    return None if None in paths else {name for path in paths if path for name in (path, moved.get(path, path))}


def _touched(context: Context) -> set[str]:
    """Files that the change adds or modifies."""
    try:
        names = {name for file in parse(context.change.diff) for name in file.names}
    except DiffError:
        return set()
    return names & set(context.change.head.paths())
