"""What verifiers of single files have in common: which files, one command over all of them, a structured report.

The program is the one of the repository's package manager where that has it, in the version that pre-commit pins where
PyPI has it, else the machine's own. Where there is none, that is said; it vouches for nothing and blocks nothing, as
with any linter. Names of files are hostile: each begins with `./`, and there are never too many for a command line.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from greylag.kinds import VENDORED, matches
from greylag.model import Diagnostic, Phase, Severity, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _evidence, _hooked, _tool, _uvtool
from greylag.verifiers._evidence import Evidence
from greylag.verifiers._hooked import HOOKS
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers._pyproject import FOREIGN, below, text

Read = Callable[[bytes, str, str], tuple[Diagnostic, ...]]

_PASSED_OVER = f"{VENDORED} fixtures/ testdata/ __snapshots__/"
_ROOM = 96 << 10  # bytes of names in one command line, of the 128 KiB that every system has
_MANIFESTS = ("pyproject.toml", "requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "package.json")
_ENVIRONMENTS = (".venv/bin", "node_modules/.bin")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that is given the names of files. `files` fits their paths; `configs` and `options` are for `_evidence`.

    `packages` are names under which package managers have it, `pins` repositories of hooks with their package on PyPI.
    `before` is done first, and `settings` are arguments by settings that a repository has.
    """

    name: str
    files: re.Pattern[str]
    arguments: tuple[str, ...]
    read: Read = field(repr=False)
    install: str
    configs: tuple[str, ...] = ()
    options: str = ""
    packages: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Step, ...] = ()
    version: tuple[str, ...] = ("--version",)


class FileVerifier:
    """Verifier of the files that one tool looks at, where the repository uses that tool."""

    tool: ClassVar[Tool]

    @property
    def name(self) -> str:
        """Name in settings and records."""
        return self.tool.name

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """One activation for each directory in which the tool is used, with all its files below."""
        found = _evidence.find(tree, self.tool.name, self.tool.configs, self.tool.options)
        return [activation for evidence in found for activation in _activations(self.tool, evidence, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run it; its exit code decides."""
        return _tool.run(activation, context)


def _activations(tool: Tool, evidence: Evidence, tree: Tree) -> Iterator[Activation]:
    root = evidence.root
    files = [posixpath.relpath(path, root) for path in tree.paths() if below(path, root) and tool.files.fullmatch(path)]
    files = [file for file in files if not matches(file, _PASSED_OVER)]
    if not files:
        return
    version, directory, prepare = _pinned(tool, tree) if root == "." else ("", "", None)
    if prepare:
        inputs = tuple(path for path in HOOKS if path in tree.paths())
        reason = f"{tool.name} {version} in {inputs[0]}"
        yield Activation(tool.name, f"{tool.name} install", Phase.PREPARE, root, reason, inputs, Plan((prepare,)), ())
    step = replace(
        program(tool.name, tool.install, environments(tree, root, tool.packages)),
        arguments=(*tool.arguments, *evidence.options, "--"),
        read_log=tool.read,
        title=tool.name,
    )
    step = replace(step, paths=(*step.paths, *((directory,) if directory else ())))
    steps = [replace(step, arguments=(*step.arguments, *names)) for names in _batches(files)]
    plan = Plan((*tool.before, *steps), {tool.name: (tool.name, *tool.version)}, keep_going=not tool.before)
    reason = f"{evidence.reason}; {some(files)}"
    yield Activation(tool.name, tool.name, Phase.STATIC, root, reason, (), plan)


def program(name: str, install: str, paths: tuple[str, ...] = ()) -> Step:
    """A step of a linter that the machine may lack, without arguments."""
    return Step(((name,),), absent=f"this machine has no {name}: {install}", paths=paths, merge=False)


def environments(tree: Tree, root: str, packages: Sequence[str]) -> tuple[str, ...]:
    """Where package managers put programs, if a manifest in `root` or at the top names one of `packages`."""
    places = dict.fromkeys((root, "."))
    manifests = "\n".join(text(tree, f"{place}/{name}") for place in places for name in _MANIFESTS)
    if not any(re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", manifests) for package in packages):
        return ()
    return tuple(posixpath.relpath(f"{place}/{below}", root) for place in places for below in _ENVIRONMENTS)


def roots(tree: Tree, fits: Callable[[str], bool]) -> list[str]:
    """Directories with a file whose name fits, without material such as samples and vendored copies."""
    found = {posixpath.dirname(path) or "." for path in tree.paths() if fits(posixpath.basename(path))}
    return sorted(root for root in found if not FOREIGN & set(root.lower().split("/")))


def some(files: Sequence[str]) -> str:
    """What a person is told of files."""
    return files[0] if len(files) == 1 else f"{len(files)} files such as {files[0]}"


def failing(read: Read, *, alone: bool = False) -> Read:
    """All that `read` finds as errors, for a tool that fails for whatever it reports; `alone`: if none is an error.

    When the tool passes, they are no errors any more.
    """

    def promoted(data: bytes, root: str, workspace: str) -> tuple[Diagnostic, ...]:
        found = read(data, root, workspace)
        if alone and any(d.severity is Severity.ERROR for d in found):
            return found
        return tuple(replace(d, severity=Severity.ERROR) for d in found)

    return promoted


def _pinned(tool: Tool, tree: Tree) -> tuple[str, str, Step | None]:
    """The version that pre-commit pins, the directory where its program will be, and how it gets there."""
    for repository, package in tool.pins.items():
        if version := _hooked.pinned(tree, repository):
            return version, f"{_uvtool.directory(package, version)}/bin", _uvtool.install(package, version)
    return "", "", None


def _batches(files: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Names that fit into one command line, none of which looks like an option."""
    batch: list[str] = []
    room = _ROOM
    for name in (f"./{file}" for file in files):
        room -= len(name.encode("utf-8", "surrogateescape")) + 1
        if batch and room < 0:
            yield tuple(batch)
            batch, room = [], _ROOM - len(name.encode("utf-8", "surrogateescape")) - 1
        batch.append(name)
    yield tuple(batch)
