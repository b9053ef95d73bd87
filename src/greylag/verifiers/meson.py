"""Meson projects: setup and compilation in a directory outside of the tree, and `meson test` where there are tests.

Preparation downloads what wrap files name. They mostly stand in for what the system has, so a download that fails is
no failure of the preparation. Where the setup misses it, that is the machine's.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _native, _tool
from greylag.verifiers._pyproject import text
from greylag.verifiers._tool import Plan, Step

_BUILD = "meson.build"
_PROJECT = re.compile(r"^project\s*\(", re.MULTILINE)
_TEST = re.compile(r"^[ \t]*test\s*\(", re.MULTILINE)
_INSTALL = "install meson, ninja and a compiler"
_MACHINE = (
    r"ERROR: (?:Unknown compiler\(s\)|Could not detect Ninja|Meson version is \S+ but project requires"
    r"|Could not invoke sanity test|Automatic wrap-based subproject downloading is disabled"
    r"|could not get \S+ is the internet available)|unable to access '[^']*': (?:Could not resolve|Failed to connect)"
    r"|fatal error: Killed signal terminated program"
)
_NAME = re.compile(  # of a test in a report, maybe with its project and suite before it and a point of TAP behind it
    r"(?:[^./]*\.)?(?:[^/]* / )?(?P<name>.+?)(?:[ .]\d+(?: - .*)?)?"
)


class Meson:
    """Verifier of Meson projects: each outermost meson.build with a `project`."""

    name = "meson"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation where there are wraps, compilation, and tests where there are some."""
        found = _native.projects(tree, (_BUILD,), lambda file: bool(_PROJECT.search(text(tree, file))), _native.OWNERS)
        return [activation for file in found for activation in _activations(file, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Meson


def _activations(reason: str, tree: Tree) -> Iterator[Activation]:
    root = posixpath.dirname(reason) or "."
    below = reason.removesuffix(_BUILD)
    files = [path for path in tree.paths() if path.startswith(below)]
    wraps = tuple(path for path in files if path.startswith(f"{below}subprojects/") and _decides(path))
    build = f"@home@/.greylag/meson-{re.sub(r'[^A-Za-z0-9]+', '-', root)}"
    tools = _native.versions("meson", "ninja")
    if any(path.endswith(".wrap") for path in wraps):
        plan = Plan((_meson("subprojects", "download", may_fail=True),), tools)
        outputs = (f"/{below}subprojects/",)
        yield Activation("meson", "meson subprojects", Phase.PREPARE, root, wraps[0], wraps, plan, outputs)
    setup = _meson("setup", build, ".", offline=("--wrap-mode=nodownload",))
    compile_ = _meson("compile", "-C", build, "-j", "@cpus@", "--ninja-args=-k,0")  # all errors, not the first one
    yield Activation("meson", "meson compile", Phase.COMPILE, root, reason, (), Plan((setup, compile_), tools))
    if any(_TEST.search(text(tree, path)) for path in files if posixpath.basename(path) == _BUILD):
        yield Activation("meson", "meson test", Phase.TEST, root, reason, (), Plan((_tests(build),), tools))


def _decides(path: str) -> bool:
    """Whether a file of `subprojects` can say what is downloaded, or is put into it."""
    return path.endswith(".wrap") or "/packagefiles/" in path


def _meson(*arguments: str, offline: tuple[str, ...] = (), may_fail: bool = False) -> Step:
    return Step(
        (("meson",),),
        arguments,
        install=_INSTALL,
        offline=offline,
        read_log=readers.native_text,
        may_fail=may_fail,
        unable=_MACHINE,
        title=f"meson {arguments[0]}",
    )


def _tests(build: str) -> Step:
    reports = tuple(f"{build}/meson-logs/testlog.{form}" for form in ("junit.xml", "json"))
    arguments = ("test", "-C", build, "--num-processes", "@cpus@", "--print-errorlogs")
    return Step(
        (("meson",),),
        arguments,
        install=_INSTALL,
        reports=reports,
        read_report=readers.meson_tests,
        read_log=readers.native_text,  # what only tests need is compiled by now
        unable=_MACHINE,
        again=lambda failed: (*arguments, "--", *_only(failed)),
        title="meson test",
    )


def _only(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    found = (_NAME.fullmatch(str(d.test)) for d in failed)
    return tuple(dict.fromkeys(hit["name"] for hit in found if hit))
