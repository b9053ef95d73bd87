"""CMake projects in C, C++ and others: configuration, compilation, and CTest where the project has tests.

The build directory is in the home, so that nothing is written into the tree. What a configuration fetches
(FetchContent, ExternalProject, CPM) is fetched by the preparation; later phases configure again without a network.

Options with which CI turns tests on are taken over from the base commit's CI. Where the base commit cannot be built
with them, as when they need what this machine lacks, they are left out, and that is said.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Outcome, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _cmake_options, _native, _tool
from greylag.verifiers._pyproject import text
from greylag.verifiers._tool import Plan, Step

_LISTS = "CMakeLists.txt"
_PROJECT = re.compile(r"^[ \t]*project\s*\(", re.IGNORECASE | re.MULTILINE)
_TESTS = re.compile(r"^[ \t]*(?:enable_testing\s*\(|include\s*\(\s*CTest\b)", re.IGNORECASE | re.MULTILINE)
_FETCHES = re.compile(r"FetchContent|ExternalProject|CPMAddPackage|file\s*\(\s*DOWNLOAD", re.IGNORECASE)
_MACHINE = r"No CMAKE_\w+_COMPILER could be found|CMake \S+ or higher is required|could not find CMAKE_MAKE_PROGRAM"
_PLAIN = 4  # arguments of a configuration without options
_LEFT_OUT = "left out"  # key of details
_INSTALL = "install cmake and a compiler"


class CMake:
    """Verifier of CMake projects: each outermost CMakeLists.txt with a `project`."""

    name = "cmake"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation where something is fetched, compilation, and tests where they are enabled."""
        found = _native.projects(
            tree, (_LISTS,), lambda lists: bool(_PROJECT.search(text(tree, lists))), _native.OWNERS
        )
        return [activation for lists in found for activation in _activations(lists, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation, with the options of the base commit's CI: a change does not choose them."""
        plan, base = activation.plan, context.change.base
        if not isinstance(plan, Plan) or not any(map(_configures, plan.steps)):
            return _tool.run(activation, context)
        options = _options(base, _lists(base, activation.root))
        plain = replace(activation, plan=_without(plan, options))
        before = context.before(activation)
        if options and before and before.details.get(_LEFT_OUT) == list(options):
            return _left_out(_tool.run(plain, context), options)
        verdict = _tool.run(replace(activation, plan=_with(plan, options)), context)
        tried = options and (context.mode == "baseline" or activation.phase is Phase.PREPARE)
        if tried and verdict.outcome is Outcome.FAILED and (other := _tool.run(plain, context)).passed:
            return _left_out(other, options)
        return verdict


PLUGIN = CMake


def _activations(reason: str, tree: Tree) -> Iterator[Activation]:
    root = posixpath.dirname(reason) or "."
    below = reason.removesuffix(_LISTS)
    inputs = tuple(path for path in tree.paths() if path.startswith(below) and _decides(path))
    lists = _lists(tree, root)
    options = _options(tree, lists)
    build = f"@home@/.greylag/cmake-{re.sub(r'[^A-Za-z0-9]+', '-', root)}"
    tools = _native.versions("cmake")
    configure = _cmake("-S", ".", "-B", build, offline=("-DFETCHCONTENT_FULLY_DISCONNECTED=ON",))
    if _FETCHES.search(lists):
        prepare = _with(Plan((configure,), tools), options)
        yield Activation("cmake", "cmake", Phase.PREPARE, root, reason, inputs, prepare, ())
    compile_ = _with(Plan((configure, _cmake("--build", build, "--parallel", "@cpus@")), tools), options)
    yield Activation("cmake", "cmake --build", Phase.COMPILE, root, reason, (), compile_)
    if _TESTS.search(lists):
        yield Activation("cmake", "ctest", Phase.TEST, root, reason, (), Plan((_ctest(build),), tools))


def _lists(tree: Tree, root: str) -> str:
    """All files of CMake of a project."""
    below = "" if root == "." else f"{root}/"
    return "\n".join(text(tree, path) for path in tree.paths() if path.startswith(below) and _decides(path))


def _options(tree: Tree, lists: str) -> tuple[str, ...]:
    """Options of CI that a project knows; one of them comes with CMake's own module for tests."""
    known = "BUILD_TESTING" if _TESTS.search(lists) else ""
    return tuple(it for it in _cmake_options.tests(tree) if _cmake_options.name(it) in lists + known)


def _with(plan: Plan, options: Sequence[str]) -> Plan:
    note = f"with {' '.join(options)}, as CI has it" if options else ""
    return _configured(plan, options, note)


def _without(plan: Plan, options: Sequence[str]) -> Plan:
    """The build directory may have them from an attempt with them."""
    note = f"without {' '.join(options)}, although CI has it: that cannot be built here"
    return _configured(plan, [f"-U{_cmake_options.name(option)}" for option in options], note)


def _left_out(verdict: Verdict, options: Sequence[str]) -> Verdict:
    return replace(verdict, details={**verdict.details, _LEFT_OUT: list(options)})


def _configured(plan: Plan, options: Sequence[str], note: str) -> Plan:
    """A plan with these options in the place of those that it has from its own tree."""
    steps = [
        replace(step, arguments=(*step.arguments[:_PLAIN], *options)) if _configures(step) else step
        for step in plan.steps
    ]
    return replace(plan, steps=tuple(steps), note=note)


def _configures(step: Step) -> bool:
    return step.arguments[:1] == ("-S",)


def _decides(path: str) -> bool:
    """Whether a file can say what is fetched."""
    name = posixpath.basename(path)
    return name in {_LISTS, "CMakePresets.json"} or name.endswith(".cmake")


def _cmake(*arguments: str, offline: tuple[str, ...] = ()) -> Step:
    return Step(
        (("cmake",),),
        arguments,
        install=_INSTALL,
        env={"MAKEFLAGS": "-k", "CLICOLOR": "0"},  # all errors, not the first one
        offline=offline,
        read_log=readers.native_text,
        unable=_MACHINE,
    )


def _ctest(build: str) -> Step:
    report = f"{build}-tests.xml"
    arguments = ("--test-dir", build, "--output-on-failure", "--output-junit", report, "-j", "@cpus@")
    return Step(
        (("ctest",),),
        arguments,
        install=_INSTALL,
        reports=(report,),
        read_report=readers.junit_xml,
        read_log=readers.ctest_text,
        empty=r"No tests were found!!!",
        again=lambda failed: (*arguments, "-R", _only(failed)),
    )


def _only(failed: Sequence[Diagnostic]) -> str:
    return "^(" + "|".join(dict.fromkeys(re.sub(r"[^\w -]", ".", str(d.test)) for d in failed)) + ")$"
