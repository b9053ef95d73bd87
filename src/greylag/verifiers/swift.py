"""Swift packages: resolution, build, and `swift test`. Written by the documentation; unproven.

Preparation checks dependencies out into `.build`, in the versions of Package.resolved where one is tracked.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._evidence import outermost
from greylag.verifiers._files import roots
from greylag.verifiers._plan import Again
from greylag.verifiers._pyproject import text
from greylag.verifiers._tool import Plan, Step

_MANIFEST, _LOCK = "Package.swift", "Package.resolved"
_DEPENDENCY = re.compile(r"\.package\s*\(\s*(?:name:[^,]{0,200},\s*)?(?:url|id):")
_MACHINE = r"is using Swift tools version \S+ but the installed version is|error: terminated\(9\)"
_NETWORK = r"Could not resolve host|Failed to connect to|Couldn.t fetch updates from remote repositories"
_FLAGS = ("--disable-automatic-resolution",)


class Swift:
    """Verifier of Swift packages: the outermost Package.swift of each tree of them."""

    name = "swift"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation where there are dependencies, compilation, and tests where there are some."""
        found = outermost(roots(tree, lambda name: name == _MANIFEST))
        return [activation for root in found for activation in _activations(root, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Swift


def _activations(root: str, tree: Tree) -> Iterator[Activation]:
    prefix = "" if root == "." else f"{root}/"
    manifest, tools = f"{prefix}{_MANIFEST}", {"swift": ("swift", "--version")}
    inputs = tuple(path for path in (f"{prefix}{_LOCK}", manifest) if path in tree.paths())
    fetches, locked = bool(_DEPENDENCY.search(text(tree, manifest))), len(inputs) > 1
    if fetches:
        resolve = _swift("package", "resolve", *(("--force-resolved-versions",) if locked else ()), network=True)
        outputs = (f"/{prefix}.build/", *(() if locked else (f"/{prefix}{_LOCK}",)))
        plan = Plan((resolve,), tools)
        yield Activation("swift", "swift package resolve", Phase.PREPARE, root, manifest, inputs, plan, outputs)
    flags = _FLAGS if fetches else ()
    build = _swift("build", "--build-tests", "--jobs", "@cpus@", *flags)
    yield Activation("swift", "swift build", Phase.COMPILE, root, manifest, (), Plan((build,), tools))
    if any(path.startswith(f"{prefix}Tests/") and path.endswith(".swift") for path in tree.paths()):
        report = f"@home@/.greylag/swift-{re.sub(r'[^A-Za-z0-9]+', '-', posixpath.normpath(root))}"
        words = ("test", "--parallel", "--num-workers", "@cpus@", "--xunit-output", f"{report}.xml", *flags)
        # Tests of Swift Testing are reported in a file of their own.
        reports = (f"{report}.xml", f"{report}-swift-testing.xml")
        test = _swift(*words, reports=reports, again=lambda failed: (*words, "--filter", _only(failed)))
        yield Activation("swift", "swift test", Phase.TEST, root, manifest, (), Plan((test,), tools))


def _only(failed: Sequence[Diagnostic]) -> str:
    """A pattern of failed tests, which are `Target.Class.method` in reports and `Target.Class/method` here."""
    names = (re.sub(r"\W", ".", str(d.test).partition("(")[0]) for d in failed)
    return f"({'|'.join(dict.fromkeys(names))})"


def _swift(*words: str, reports: tuple[str, ...] = (), again: Again | None = None, network: bool = False) -> Step:
    return Step(
        (("swift",),),
        words,
        install="install Swift",
        reports=reports,
        read_report=readers.junit_xml if reports else None,
        read_log=readers.native_text,
        again=again,
        unable=f"{_MACHINE}|{_NETWORK}" if network else _MACHINE,
        title=" ".join(("swift", *words[: 1 + network])),
    )
