"""sbt: scalafmt and scalafix where they are set up, compilation and tests of each build, in the version that it pins.

Preparation resolves all dependencies and goes as far as running tests with a name that nothing has: which compiler,
plug-ins and test frameworks a build needs is known only by running it. Later phases never look at a network.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greylag import readers
from greylag.kinds import classify
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._native import above
from greylag.verifiers._pyproject import FOREIGN, below, text
from greylag.verifiers._tool import Plan, Step

_PROPERTIES = "project/build.properties"
_VERSION = re.compile(r"^[ \t]*sbt\.version[ \t]*[=:][ \t]*(\S+)", re.MULTILINE)
_PASSED_OVER = FOREIGN | {"project", "src", "sbt-test", "target", "resources", "it"}
_SETTINGS = {".scalafmt.conf", ".scalafix.conf", ".jvmopts", ".sbtopts", "sbt", "sbtx"}
_SOURCES = (".scala", ".java", ".kt")
_CLASS = re.compile(r"(?:[\w$]+\.)*?[A-Z]\w*")
_OPTIONS = (
    "-Duser.home=@home@ -Dsbt.color=false -Dsbt.supershell=false -Dsbt.server.autostart=false"
    " -XX:ActiveProcessorCount=@cpus@"
)
_NOT_BUILT = r"(?m)^\[warn\] Project loading failed|^\[error\] .*ResolveException|^\[error\] \[launcher\] "
_MACHINE = (  # what this machine has is not what the project needs, or too little
    r"(?m)^(?:Error: )?(?:No java installations? |Unrecognized VM option|Could not create the Java Virtual Machine"
    r"|Exception in thread .*UnsupportedClassVersionError|.*There is insufficient memory for the Java"
    r"|Error occurred during initialization of VM|\[error\] .*(?:UnsupportedClassVersionError"
    r"|No space left on device|invalid (?:source|target) release|release version \S+ not supported"
    r"|bad option '-release'|is not a valid choice for '-release'))"
)
_NETWORK = (
    r"|^(?:\[error\])? *download error: Caught (?:java\.net\.(?:UnknownHost|Connect|Socket\w*|NoRouteToHost)Exception"
    r'|javax\.net\.ssl\.|.*(?:[Tt]imed out|Connection reset|returns "HTTP/1\.\d 50[0234]'
    r"|response code: (?:429|50[0234])))"
)
_TOOLS = {"java": ("java", "-version")}  # sbt's is what the build pins
_CHECKS = (  # name, phase, command, its settings, its plug-in
    ("scalafmt", Phase.FORMAT, "scalafmtCheckAll", ".scalafmt.conf", '"sbt-scalafmt"'),
    ("scalafix", Phase.STATIC, "scalafixAll --check", ".scalafix.conf", '"sbt-scalafix"'),
)


@dataclass(frozen=True, slots=True)
class Build:
    """One build. `version` is what it pins, `files` are all that belong to it, `wrapper` is a script that it has."""

    root: str
    reason: str
    version: str
    files: tuple[str, ...]
    wrapper: str
    definition: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """What decides what is downloaded."""
        here = {_at(self.root, name) for name in _SETTINGS}
        return tuple(f for f in self.files if f in here or f.endswith(".sbt") or below(f, _at(self.root, "project")))

    @property
    def old(self) -> bool:
        """Whether it is of a time that had other names for tasks."""
        return self.version.startswith("0.")


class Sbt:
    """Verifier of sbt builds: each outermost one, and those below it that pin a version of their own."""

    name = "sbt"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, what checks the sources where that is set up, compilation, and tests where there are some."""
        return [activation for build in _builds(tree) for activation in _activations(build)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run sbt; the XML reports of all projects say what the tests did."""
        return _tool.run(activation, context)


PLUGIN = Sbt


def _builds(tree: Tree) -> list[Build]:
    """A build below another is its own when it pins a version, and is part of the other where that names it."""
    pinned = {
        path.removesuffix(_PROPERTIES).rstrip("/") or "."
        for path in tree.paths()
        if f"/{path}".endswith(f"/{_PROPERTIES}") and _VERSION.search(text(tree, path))
    }
    found = {
        posixpath.dirname(path) or "." for path in tree.paths() if posixpath.basename(path) == "build.sbt"
    } | pinned
    found = {root for root in found if not _PASSED_OVER & set(root.split("/"))}
    outermost = {root for root in found if not any(up in found for up in above(root))}
    inner = sorted(found & pinned - outermost)
    roots = sorted(outermost.union(root for root in inner if not _named(tree, root, outermost)))
    return [_build(tree, root, [other for other in roots if below(other, root)]) for root in roots]


def _named(tree: Tree, root: str, outermost: set[str]) -> bool:
    up = next(place for place in above(root) if place in outermost)
    return f'"{posixpath.relpath(root, up)}"' in text(tree, _at(up, "build.sbt"))


def _build(tree: Tree, root: str, others: Sequence[str]) -> Build:
    files = tuple(p for p in tree.paths() if below(p, root) and not any(below(p, other) for other in others))
    pin = _VERSION.search(text(tree, _at(root, _PROPERTIES)))
    definition = "\n".join(
        text(tree, path) for path in files if path.endswith(".sbt") and below(path, _at(root, "project"))
    )
    wrapper = next((name for name in ("sbt", "sbtx") if "sbt-launch" in text(tree, _at(root, name))), "")
    first = _at(root, "build.sbt") if _at(root, "build.sbt") in files else _at(root, _PROPERTIES)
    return Build(root, first + (f", sbt {pin[1]}" if pin else ""), pin[1] if pin else "", files, wrapper, definition)


def _at(root: str, name: str) -> str:
    return posixpath.normpath(f"{root}/{name}")


def _activations(build: Build) -> Iterator[Activation]:
    def activation(name: str, phase: Phase, *steps: Step, reason: str = build.reason) -> Activation:
        inputs, outputs = (build.inputs, ()) if phase is Phase.PREPARE else ((), None)
        return Activation("sbt", name, phase, build.root, reason, inputs, Plan(steps, _TOOLS), outputs)

    checks = [check for check in _CHECKS if _at(build.root, check[3]) in build.files and check[4] in build.definition]
    warm = _step(build, "update", "testOnly GreylagMatchesNoTest")
    warm = replace(warm, may_fail=True, fatal=_NOT_BUILT, unable=_MACHINE + _NETWORK)
    yield activation("sbt update", Phase.PREPARE, warm, *(replace(_step(build, c[2]), may_fail=True) for c in checks))
    for name, phase, command, settings, _ in checks:
        yield activation(f"sbt {name}", phase, _step(build, command), reason=_at(build.root, settings))
    compile_ = "test:compile" if build.old else "Test/compile"
    yield activation("sbt compile", Phase.COMPILE, _step(build, compile_))
    if any(classify(path) == "tests" and path.endswith(_SOURCES) for path in build.files):
        yield activation("sbt test", Phase.TEST, _test(build))


def _step(build: Build, *commands: str) -> Step:
    """A wrapper is run by `bash`, since its executable bit is often lost."""
    return Step(
        (("bash", f"./{build.wrapper}"), ("sbt",)) if build.wrapper else (("sbt",),),
        ("--server", *commands) if build.version.startswith("2.") else commands,
        install="install sbt, or commit the script `sbt` with which others run it",
        env={"COURSIER_CACHE": "@home@/.cache/coursier/v1"},
        append={"SBT_OPTS": _OPTIONS},
        offline_env={"COURSIER_MODE": "offline"},
        read_log=readers.sbt_text,
        unable=_MACHINE,
        title=f"sbt {commands[0]}",
    )


def _test(build: Build) -> Step:
    """All tests: what is called `test` since sbt 2 leaves out those that have passed before.

    Their own output is in the log, so no word in it tells a failure of the machine.
    """
    goal = "testFull" if build.version.startswith("2.") else "test"

    def commands(what: str) -> tuple[str, ...]:
        return f"alias {readers.SBT_END} = exit", what, f"alias {readers.SBT_END}"

    step = _step(build, *commands(goal))
    return replace(
        step,
        reports=("**/target/**/test-reports/*.xml",),
        read_report=readers.junit_xml,
        read_log=readers.sbt_tests,
        unable="",
        again=lambda failed: _step(build, *commands(f"testOnly {_only(failed)}")).arguments,
        title=f"sbt {goal}",
    )


def _only(failed: Sequence[Diagnostic]) -> str:
    """The suites of failed tests."""
    classes = dict.fromkeys(hit[0] for d in failed if (hit := _CLASS.match(d.test or "")))
    return " ".join(pattern for name in classes for pattern in (name, f"{name}$*"))
