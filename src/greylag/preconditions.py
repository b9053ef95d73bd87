"""What must hold in a repository before an agent is paid: patterns in its files, commands in a sandbox.

All of it is asked of the base commit. What does not hold ends the run as `no change`, with its reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from greylag.directories import remove_tree
from greylag.errors import InfraError, UserError
from greylag.model import Precondition
from greylag.protocols import Bounds, Command, Completed, Ended, Layers, SandboxBackend, SandboxSpec, Tree
from greylag.text import one_line

if TYPE_CHECKING:
    import regex

_SECONDS = 10.0  # of one pattern on one file
_FILE = 4 << 20  # bytes of a file that are looked at
_NOT_STARTED = frozenset((126, 127))  # exit codes of a shell


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands run: each in `directory`, which is made and removed, with what `export` writes there."""

    backend: SandboxBackend
    bounds: Bounds
    directory: Path
    export: Callable[[Path], None]

    def run(self, line: str) -> Completed:
        """Run a command line without a network, on a copy that is thrown away."""
        workspace, home, scratch = (self.directory / name for name in ("workspace", "home", "sandbox"))
        try:
            for directory in (home, scratch):
                directory.mkdir(parents=True)
            self.export(workspace)
            spec = SandboxSpec("verifier", Layers(upper=workspace), Layers(upper=home), scratch, bounds=self.bounds)
            with self.backend.open(spec) as sandbox:
                return sandbox.run(Command(("sh", "-c", line)))
        finally:
            remove_tree(self.directory)


def unmet(preconditions: Sequence[Precondition], tree: Tree, place: Place) -> str:
    """Why the first one that does not hold does not, in words; empty when all hold. Patterns are asked first.

    Raises `UserError` for a precondition that cannot be checked, `InfraError` for a machine that cannot check it.
    """
    for wanted in sorted(preconditions, key=lambda one: bool(one.run)):
        holds = _succeeds(wanted.run, place) if wanted.run else _occurs(wanted, tree)
        if holds == wanted.negate:
            return f"precondition not met: {one_line(wanted.why, 300) or _words(wanted)}"
    return ""


def _words(wanted: Precondition) -> str:
    if wanted.run:
        return one_line(f"`{wanted.run}` {'succeeds' if wanted.negate else 'fails'}", 300)
    files = f"a file of {', '.join(wanted.files)}" if wanted.files else "a file"
    what = f"{files} with `{wanted.contains}`" if wanted.contains else files
    return one_line(f"there is {what if wanted.negate else 'no' + what.removeprefix('a')}", 300)


def _occurs(wanted: Precondition, tree: Tree) -> bool:
    """Whether a file of these names has the pattern; without one, whether there is such a file."""
    paths = tree.paths()
    if wanted.files:
        paths = list(GitIgnoreSpec.from_lines(wanted.files).match_files(paths))
    if not wanted.contains:
        return bool(paths)
    import regex  # noqa: PLC0415 - few need it, and all would wait for it

    try:
        pattern = regex.compile(wanted.contains, regex.MULTILINE)
    except regex.error as error:
        raise UserError(f"precondition: `{one_line(wanted.contains, 100)}` is no pattern: {error}") from error
    return any(_found(pattern, tree.read(path)[:_FILE].decode("utf-8", "replace")) for path in paths)


def _found(pattern: "regex.Pattern[str]", text: str) -> bool:
    try:
        return pattern.search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        said = f"precondition: `{one_line(pattern.pattern, 100)}` takes too long; write a simpler pattern"
        raise UserError(said) from None


def _succeeds(line: str, place: Place) -> bool:
    done = place.run(line)
    said = one_line(line, 200)
    if done.ended is Ended.TIMED_OUT:
        raise UserError(f"precondition `{said}` was still running after {done.seconds:.0f} s; write a quicker one")
    if done.ended is not Ended.EXITED:
        raise InfraError(f"precondition `{said}` could not be checked: {done.ended.value}")
    if done.returncode in _NOT_STARTED:
        last = one_line((done.errors or done.output)[-500:], 200)
        raise UserError(f"precondition `{said}` cannot be run: {last}; give a command that the sandbox has")
    return done.returncode == 0
