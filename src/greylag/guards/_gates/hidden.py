"""Files that hide others from tools: ignore files, and stubs that type checkers read in place of a module."""

from collections.abc import Iterator
from posixpath import dirname

from pathspec import GitIgnoreSpec

from greylag.diffs import FileDiff
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change, Tree

_IGNORES = frozenset(
    {".gitignore", ".ignore", ".rgignore", ".ruffignore", ".npmignore", ".stylelintignore", ".biomeignore"}
    | {".eslintignore", ".oxlintignore", ".pylintignore", ".mypyignore", ".nxignore", ".turboignore", ".vercelignore"}
)
_NAMED = 3  # hidden files that a finding names
_MOST = 100_000  # paths that are compared with patterns


def hides(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """What a changed file hides from tools that honour it, and what of that is new."""
    name = file.path.rpartition("/")[2]
    if name in _IGNORES and file.status != "deleted":
        yield from _ignored(change, file)
    elif name.endswith(".pyi") and file.status in {"added", "copied", "renamed"}:
        module = file.path.removesuffix("i")
        if read(change.head, module) is not None:
            message = f"adds {file.path}: type checkers read it in place of {module}"
            yield finding(change, "lint", "gates/hidden", message, file.path)
    elif "py.typed" in {path.rpartition("/")[2] for path in file.names} and file.status in {"deleted", "renamed"}:
        message = f"removes {file.old_path}, without which type checkers ignore the package's types"
        yield finding(change, "lint", "gates/hidden", message, file.old_path)


def _ignored(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """Tracked files: linters that honour ignore files do not look at them any more."""
    before, after = _spec(change.base, file.old_path), _spec(change.head, file.path)
    home = dirname(file.path)
    paths = [path for path in change.head.paths()[:_MOST] if not home or path.startswith(f"{home}/")]
    inner = {path: path[len(home) + 1 :] if home else path for path in paths}
    hidden = [path for path in paths if after.match_file(inner[path]) and not before.match_file(inner[path])]
    if hidden:
        kind = "tests" if any(matches(path, TESTS) for path in hidden) else "lint"
        more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
        message = f"{file.path} hides {', '.join(hidden[:_NAMED])}{more} from tools that honour it"
        yield finding(change, kind, "gates/hidden", message, file.path)


def _spec(tree: Tree, path: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines((read(tree, path) or "").splitlines())
