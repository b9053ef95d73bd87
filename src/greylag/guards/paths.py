"""Where a change may reach: the prompt's path patterns; and names and modes that no change should bring."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import partial

from pathspec import GitIgnoreSpec

from greylag.diffs import FileDiff, parse
from greylag.guards._guard import Guard, fact, read
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_MOST = 100_000  # paths whose names are compared


def check(change: Change) -> Iterator[Diagnostic]:
    """Files outside the declared scope block, whatever they are; so does what the diff hides."""
    files = parse(change.diff)
    yield from _outside(change, files)
    for file in files:
        yield from _mode(change, file)
    yield from _unseen(change, files)
    yield from _collisions(change, files)


def _outside(change: Change, files: tuple[FileDiff, ...]) -> Iterator[Diagnostic]:
    if not change.scope.paths:
        return
    spec = GitIgnoreSpec.from_lines(change.scope.paths)
    for name in dict.fromkeys(name for file in files for name in sorted(file.names)):
        if not spec.match_file(name):
            remedy = "take it back, or widen `paths` in the prompt's front matter"
            message = f"changes {name}, outside the prompt's scope; {remedy}"
            yield fact("paths/out-of-scope", message, name)


def _mode(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    if file.new_mode == "100755" != file.old_mode and not (read(change.head, file.path) or "").startswith("#!"):
        yield fact("paths/executable", f"makes {file.path} executable", file.path, severity=Severity.WARNING)


def _unseen(change: Change, files: tuple[FileDiff, ...]) -> Iterator[Diagnostic]:
    """The trees are the truth: what came or went must be in the diff that everybody looks at."""
    shown = {name for file in files for name in (file.path, file.old_path)}
    for name in sorted((set(change.base.paths()) ^ set(change.head.paths())) - shown)[:20]:
        yield fact("paths/unseen", f"{name} was added or deleted, and the diff does not show it", name)


def _collisions(change: Change, files: tuple[FileDiff, ...]) -> Iterator[Diagnostic]:
    """Two names that are one on file systems that fold case or normalise Unicode."""
    added = {file.path for file in files if file.status in {"added", "renamed", "copied"}}
    if added:
        names = Counter(_folded(name) for name in change.head.paths()[:_MOST])
        for name in sorted(added):
            if names[_folded(name)] > 1:
                yield fact("paths/collision", f"{name} differs from another file in case only", name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


PLUGIN = partial(Guard, "paths", check)
