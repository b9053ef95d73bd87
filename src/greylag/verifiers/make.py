"""Makefiles that people write: compilation in C and C++, and the target `test` or `check` in any language.

Only targets that a Makefile has are run. One that CMake, Meson or autotools generate, or that stands beside the files
of another build, is left to those. Compilation is tried in parallel first; what fails is done again one job at a time,
since many Makefiles do not name all that a target depends on.

What a target runs is known to nobody but the Makefile: tests are counted where they speak TAP, else a pass says that
no test could be counted.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.kinds import VENDORED, matches
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.text import clean
from greylag.verifiers import _native, _summaries, _tool
from greylag.verifiers._plan import Plan, Reader, Step, Tests
from greylag.verifiers._pyproject import below, text

_NAMES = ("GNUmakefile", "makefile", "Makefile")  # in the order of make's choice
_OWNERS = _native.OWNERS | {
    *("CMakeLists.txt", "meson.build", "configure.ac", "configure.in", "configure", "Makefile.am", "Makefile.in"),
    *("Makefile.PL", "go.mod", "go.work", "pom.xml", "Gemfile", "composer.json", "mix.exs", "Package.swift"),
    *("BUILD.bazel", "MODULE.bazel", "WORKSPACE", "build.sbt", "build.zig", "dune-project", "rebar.config"),
}
_SOURCE = re.compile(r".*\.(?:c|cc|cpp|cxx|c\+\+|C)")
_RULE = re.compile(r"^ *(?![\t .#])([^\t\n#:=%]{1,500}?)[ \t]*::?(?![:=])", re.MULTILINE)
_INCLUDE = re.compile(r"^[ ]*[-s]?include[ \t]+([^\n#]{1,2000})", re.MULTILINE)
_DEFAULT = re.compile(r"^\.DEFAULT_GOAL[ \t]*[:?]?=[ \t]*([\w.-]+)", re.MULTILINE)
_GENERATED = re.compile(r"(?i)#[^\n]{0,80}\bgenerated (?:automatically )?by\b|# CMAKE generated file")
_GOALS, _TESTS = ("all", "build"), ("test", "check")
_NO_BUILD = re.compile(r"(?i)help|usage|install.*|clean.*|run|start|serve|deploy.*|release|publish|push|test.*|check.*")
_INSTALL = "install make, and a compiler"
_COMPILERS = r"(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+|ar|ld|as)(?:-\d+)?"
_MACHINE = (
    rf"(?m)^(?:g?make(?:\[\d+\])?|.{{0,40}}\bsh: (?:line )?\d+): {_COMPILERS}: "
    r"(?:No such file or directory|(?:command )?not found)$"
    r"|fatal error: Killed signal terminated program|No space left on device|[Cc]annot allocate memory"
)
_NOTHING = r"(?m)^g?make(?:\[\d+\])?: (?:Nothing to be done for )?['`](?:test|check)'(?:\.$| is up to date)|^1\.\.0\b"
_PLANNED = re.compile(r"^1\.\.\d+\b", re.MULTILINE)
_DEPTH = 4  # Makefiles that include others
_LARGEST = 1 << 18  # characters of a Makefile with what it includes


class Make:
    """Verifier of Makefiles: the outermost one of each tree of them with something to compile or to test."""

    name = "make"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Compilation of C and C++, and tests where there is a target for them."""
        found = _native.projects(tree, _NAMES, lambda makefile: bool(list(_activations(makefile, tree))), _OWNERS)
        return [activation for makefile in found for activation in _activations(makefile, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run make. A pass without a count of tests says so."""
        return _summaries.uncounted(_tool.run(activation, context))


PLUGIN = Make


def _activations(makefile: str, tree: Tree) -> Iterator[Activation]:
    root = posixpath.dirname(makefile) or "."
    source = _whole(tree, makefile, root)
    if _GENERATED.search(source[:1000]):
        return
    targets = [target for rule in _RULE.finditer(source) for target in rule[1].split()]
    tools = _native.versions("make")
    if any(_compiled(path, root) for path in tree.paths()) and (goal := _goal(source, targets)):
        alone = _step(goal, read=readers.native_text)
        build = replace(alone, arguments=("-j@cpus@", *alone.arguments), fallback=alone, fallback_on=r"\*\*\* ")
        reason = f"target `{goal}` in {makefile}"
        yield Activation("make", build.title, Phase.COMPILE, root, reason, (), Plan((build,), tools))
    if target := next((target for target in _TESTS if target in targets), None):
        test = replace(_step(target, read=_told), empty=_NOTHING)
        reason = f"target `{target}` in {makefile}"
        yield Activation("make", test.title, Phase.TEST, root, reason, (), Plan((test,), tools))


def _whole(tree: Tree, makefile: str, root: str, depth: int = _DEPTH) -> str:
    """A Makefile with those that it includes by their plain names, in its own place of each."""
    source = text(tree, makefile)[:_LARGEST]

    def included(hit: re.Match[str]) -> str:
        names = [posixpath.normpath(f"{root}/{name}") for name in hit[1].split()]
        return "\n".join(_whole(tree, name, root, depth - 1) for name in names[:50] if depth and name != makefile)

    return _INCLUDE.sub(included, source)[:_LARGEST]


def _compiled(path: str, root: str) -> bool:
    return below(path, root) and bool(_SOURCE.fullmatch(path)) and not matches(path, VENDORED)


def _goal(source: str, targets: Sequence[str]) -> str | None:
    """What compiles: a target that is named so, else the one that make takes when it is told none."""
    default = _DEFAULT.search(source)
    first = default[1] if default else next((t for t in targets if re.fullmatch(r"\w[\w./+-]*", t)), "")
    goals = (*(goal for goal in _GOALS if goal in targets), *([] if _NO_BUILD.fullmatch(first) else [first]))
    return next(filter(None, goals), None)


def _step(target: str, read: Reader) -> Step:
    """All that can be made is made, so that all errors are seen and not the first one."""
    return Step(
        (("make",), ("gmake",)),
        ("-k", "--", target),
        install=_INSTALL,
        read_log=read,
        unable=_MACHINE,
        title=f"make {target}",
    )


def _told(data: bytes, root: str, workspace: str) -> Tests | tuple[Diagnostic, ...]:
    """TAP, if a plan of it is there, and errors of the compiler: tests are often compiled by their own target."""
    errors = readers.native_text(data, root, workspace)
    if not _PLANNED.search(clean(data)):
        return errors
    counts, failed = readers.tap(data, root, workspace)
    return counts, (*failed, *errors)
