"""Bazel: all targets of each workspace are built, and all tests run, never from the cache of results.

Preparation analyses all targets, which fetches the repositories that they need; later phases fetch nothing. Nothing is
run on other machines. Bazelisk is preferred, since it brings the version that the repository pins.
"""

import posixpath
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _evidence, _tool
from greylag.verifiers._pyproject import FOREIGN, below, text
from greylag.verifiers._tool import Plan, Step

_BOUNDARIES = ("MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel")
_DECIDING = re.compile(
    r"(?:.*/)?(?:MODULE\.bazel(?:\.lock)?|WORKSPACE(?:\.bazel|\.bzlmod)?|\.bazelversion|\.bazelrc|\.bazeliskrc|.*\.bzl"
    r"|BUILD(?:\.bazel)?|.*\.MODULE\.bazel|maven_install\.json|requirements[\w.-]*|go\.(?:mod|sum)|Cargo\.(?:toml|lock)"
    r"|package\.json|pnpm-lock\.yaml|.*\.patch)"
)
_TEST = re.compile(r"\b\w{0,100}_tests?\(|\btest_suite\(")
_EXACT = re.compile(r"\d+\.\d+\.\d+(?:[-\w.]*)")
_STARTUP = ("--batch", "--output_user_root=@home@/.cache/bazel")
_OPTIONS = (
    *("--keep_going", "--noshow_progress", "--color=no", "--curses=no", "--jobs=@cpus@", "--symlink_prefix=/"),
    *("--remote_cache=", "--remote_executor=", "--bes_backend=", "--disk_cache="),
)
_TESTED = ("--nocache_test_results", "--test_output=errors", "--flaky_test_attempts=1", "--runs_per_test=1")
_OFFLINE = ("--nofetch",)
_OTHERS = (
    *("go.mod", "CMakeLists.txt", "Cargo.toml", "pom.xml", "package.json", "pyproject.toml", "setup.py", "Makefile"),
    *("build.gradle", "build.gradle.kts", "meson.build", "build.sbt", "Package.swift", "configure.ac"),
)
_NO_TESTS = 4
_ELSEWHERE = (32, 33, 34, 36, 37, 38, 39, 45)  # exit codes for the environment, memory, remote caches, Bazel itself
_PINNED = (
    'program=$(command -v bazelisk || command -v bazel) || { echo "sh: bazel: not found"; exit 127; }; '
    'have=$("$program" --version); [ "$have" = "bazel $1" ] || { echo "Bazel $1 is needed, not $have"; exit 1; }'
)
_INSTALL = "install bazelisk, or Bazel in the version that the repository pins"
_NETWORK = (
    r"(?m)^(?:ERROR|Error in \w+): .*(?:Unknown host|Connection (?:refused|reset)|[Tt]imed out|GET returned 50[0234])"
)
_UNFETCHED = r"(?m)^ERROR: .*(?:fetching (?:repositories )?is disabled|to fix, run\b)"


class Bazel:
    """Verifier of Bazel workspaces: the outermost ones."""

    name = "bazel"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, compilation, and tests where there is a rule for them."""
        named = {posixpath.dirname(path) or "." for path in tree.paths() if posixpath.basename(path) in _BOUNDARIES}
        roots = _evidence.outermost({root for root in named if not FOREIGN & set(root.split("/"))})
        return [activation for root in roots if _built(root, tree) for activation in _activations(root, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run Bazel; its events and the reports of all targets say what the tests did."""
        return _tool.run(activation, context)


PLUGIN = Bazel


def _built(root: str, tree: Tree) -> bool:
    """Whether it is Bazel's for certain: a file can be called WORKSPACE for other reasons."""
    names = {posixpath.basename(path) for path in tree.paths() if below(path, root)}
    return not names.isdisjoint({"MODULE.bazel", "WORKSPACE.bazel", "BUILD", "BUILD.bazel"})


def _activations(root: str, tree: Tree) -> Iterator[Activation]:
    files = [path for path in tree.paths() if below(path, root)]
    inputs = tuple(path for path in files if _DECIDING.fullmatch(path))
    reason = next(path for name in _BOUNDARIES if (path := posixpath.normpath(f"{root}/{name}")) in files)
    pin = text(tree, f"{root}/.bazelversion".removeprefix("./")).strip()
    reason += f", Bazel {pin}" if _EXACT.fullmatch(pin) else ""
    tools = {"bazel": ("bazel", "--version")}
    warm = replace(_bazel("build", *_OPTIONS, "--nobuild"), unable=_NETWORK)
    there = (_there(),) if _built_otherwise(files, root) else ()
    check = (_pinned(pin),) if _EXACT.fullmatch(pin) else ()
    fetch = Plan((*there, *check, warm), tools)
    yield Activation("bazel", "bazel fetch", Phase.PREPARE, root, reason, inputs, fetch, ())
    build = replace(_bazel("build", *_OPTIONS), offline=_OFFLINE, unable=_UNFETCHED)
    yield Activation("bazel", "bazel build", Phase.COMPILE, root, reason, (), Plan((*there, build), tools))
    rules = (path for path in inputs if posixpath.basename(path).startswith("BUILD") or path.endswith(".bzl"))
    if tested := next((path for path in rules if _TEST.search(text(tree, path))), ""):
        yield Activation("bazel", "bazel test", Phase.TEST, root, tested, (), Plan((*there, _test(root)), tools))


def _built_otherwise(files: Sequence[str], root: str) -> bool:
    """Whether another build stands beside Bazel's, so that a machine may well have none that works."""
    return any(posixpath.normpath(f"{root}/{name}") in files for name in _OTHERS)


def _there() -> Step:
    beside = "and there is another build beside Bazel's"
    programs = (("bazelisk",), ("bazel",))
    absent = f"there is no Bazel on this machine, {beside}"
    return Step(programs, ("--version",), absent=absent, untold=r"(?s)\A.{0,300}", title="bazel --version")


def _pinned(version: str) -> Step:
    """Whether the program at hand is, or brings, the version that the repository pins exactly."""
    return Step((("sh",),), ("-c", _PINNED, "sh", version), unable=r"(?m)^Bazel \S+ is needed", title="bazel --version")


def _bazel(command: str, *options: str) -> Step:
    return Step(
        (("bazelisk",), ("bazel",)),
        (*_STARTUP, command, *options, "//..."),
        install=_INSTALL,
        read_log=readers.bazel_text,
        unable_codes=_ELSEWHERE,
        title=f"bazel {command}",
    )


def _test(root: str) -> Step:
    name = f"@home@/.greylag/bazel-{re.sub(r'[^A-Za-z0-9]+', '-', root)}"
    inside = ("@files@/bazel_inside.py", f"{name}.events", f"{name}.json")
    options = ("test", *_OPTIONS, *_TESTED, f"--build_event_json_file={name}.events")
    return replace(
        _bazel("test"),
        programs=((sys.executable, "-I", "-S"),),
        arguments=(*inside, *_STARTUP, *options, "//..."),
        files={"bazel_inside.py": Path(__file__).with_name("_bazel_inside.py").read_text("utf-8")},
        reports=(f"{name}.json",),
        read_report=readers.bazel_report,
        empty_codes=(_NO_TESTS,),
        offline=_OFFLINE,
        again=lambda failed: (*inside, *_STARTUP, *options, *_only(failed)),
    )


def _only(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    """The targets of failed tests: labels, and nothing that could be an option."""
    labels = dict.fromkeys(str(d.test).partition(" ")[0] for d in failed)
    return tuple(label for label in labels if label.startswith(("//", "@")))
