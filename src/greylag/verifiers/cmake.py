"""CMake projects in C, C++ and others: configuration, compilation, and CTest where the project has tests.

The build directory is in the home, so that nothing is written into the tree. What a configuration fetches
(FetchContent, ExternalProject, CPM) is fetched by the preparation; later phases configure again without a network.
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

_LISTS = "CMakeLists.txt"
_PROJECT = re.compile(r"^[ \t]*project\s*\(", re.IGNORECASE | re.MULTILINE)
_TESTS = re.compile(r"^[ \t]*(?:enable_testing\s*\(|include\s*\(\s*CTest\b)", re.IGNORECASE | re.MULTILINE)
_FETCHES = re.compile(r"FetchContent|ExternalProject|CPMAddPackage|file\s*\(\s*DOWNLOAD", re.IGNORECASE)
_MACHINE = r"No CMAKE_\w+_COMPILER could be found|CMake \S+ or higher is required|could not find CMAKE_MAKE_PROGRAM"
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
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = CMake


def _activations(reason: str, tree: Tree) -> Iterator[Activation]:
    root = posixpath.dirname(reason) or "."
    below = reason.removesuffix(_LISTS)
    inputs = tuple(path for path in tree.paths() if path.startswith(below) and _decides(path))
    lists = "\n".join(text(tree, path) for path in inputs)
    build = f"@home@/.greylag/cmake-{re.sub(r'[^A-Za-z0-9]+', '-', root)}"
    tools = _native.versions("cmake")
    configure = _cmake("-S", ".", "-B", build, offline=("-DFETCHCONTENT_FULLY_DISCONNECTED=ON",))
    if _FETCHES.search(lists):
        yield Activation("cmake", "cmake", Phase.PREPARE, root, reason, inputs, Plan((configure,), tools), ())
    compile_ = _cmake("--build", build, "--parallel", "@cpus@")
    yield Activation("cmake", "cmake --build", Phase.COMPILE, root, reason, (), Plan((configure, compile_), tools))
    if _TESTS.search(lists):
        yield Activation("cmake", "ctest", Phase.TEST, root, reason, (), Plan((_ctest(build),), tools))


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
