"""Maven: compilation and tests of a reactor, with the project's wrapper where it has one.

Preparation fetches what the build needs while there is a network. Later phases run with `-o`. Which plug-ins a build
uses is known only by running it, so preparation goes through the phases up to `test` with a test name that nothing has:
that brings compiler, surefire and its provider, too. What is wrong with the code is for the later phases to say; only a
project that cannot be read and dependencies that cannot be resolved fail the preparation.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._affected import nearest
from greylag.verifiers._tool import Plan, Reader, Step

_NOBODY = "GreylagMatchesNoTest"
_QUIET = (
    "-B",
    "-ntp",
    "-fae",
    "-Dstyle.color=never",
    "-Duser.home=@home@",
    "-Dmaven.repo.local=@home@/.m2/repository",
)
_PLAIN = re.compile(r"\w[\w./-]*")  # a module as `--projects` takes it, which is not the root itself
_NO_TEST_FITS = (
    "-DfailIfNoTests=false",
    "-Dsurefire.failIfNoSpecifiedTests=false",
    "-Dfailsafe.failIfNoSpecifiedTests=false",
)
_UNRESOLVED = (
    r"Could not resolve dependencies|Could not find artifact|Non-resolvable (?:parent|import) POM|Non-parseable POM"
    r"|problems were encountered while processing the POMs|Malformed POM|could not be resolved|Could not transfer"
)
_MACHINE = (  # what this machine has is not what the project needs
    r"invalid (?:target|source) release|release version \S+ not supported|JAVA_HOME .* is not defined"
    r"|Detected (?:Maven|JDK) (?:V|v)ersion\S* .*is not in the allowed range|requires Maven version \d"
)
_CRASHED = (  # with the class where surefire names it, else with the module
    r"The forked VM terminated without [^\n]*(?:\n[^\n]*){0,6}?\n\[ERROR\] Crashed tests:\n\[ERROR\] [^\n]*"
    r"|(?:on project [^\n]{1,300}?: )?The forked VM terminated without [^\n]*"
    r"|There was (?:an error in the forked process|a timeout or other error in the fork)"
)
_THROUGH = "-Dmaven.test.failure.ignore=true"  # reports tell what failed; else modules that depend on that are skipped
_FAILSAFE = re.compile(r"<artifactId>\s*maven-failsafe-plugin\s*</artifactId>")
_FOREIGN = {
    "src",
    "target",
    "test",
    "tests",
    "testdata",
    "fixtures",
    "examples",
    "samples",
    "node_modules",
    "vendor",
    "it",
}


class Maven:
    """Verifier of Maven reactors: the outermost pom.xml of each tree of poms."""

    name = "maven"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, compilation and tests for each reactor."""
        return [activation for root in _reactors(tree) for activation in _activations(root, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run Maven; surefire's and failsafe's XML reports of all modules say what the tests did."""
        return _tool.run(activation, context)


PLUGIN = Maven


def _reactors(tree: Tree) -> list[str]:
    """Directories with a pom.xml that have none above them. A stray sample project is not a reactor."""
    poms = {posixpath.dirname(path) or "." for path in tree.paths() if posixpath.basename(path) == "pom.xml"}
    return sorted(
        root for root in poms if not any(up in poms for up in _above(root)) and not _FOREIGN & set(root.split("/"))
    )


def _above(root: str) -> Iterator[str]:
    while root != ".":
        root = posixpath.dirname(root) or "."
        yield root


def _activations(root: str, tree: Tree) -> Iterator[Activation]:
    inputs = tuple(path for path in tree.paths() if _inside(path, root) and _decides(path))
    poms = "".join(tree.read(path).decode("utf-8", "replace") for path in inputs if path.endswith("pom.xml"))
    goal = "verify" if _FAILSAFE.search(poms) else "test"
    programs = _programs(root, tree)
    tools = {"maven": (*programs[0], "-v")}
    reason = posixpath.normpath(f"{root}/pom.xml") + (", mvnw" if len(programs) > 1 else "")
    warm = _step(programs, goal, f"-Dtest={_NOBODY}", f"-Dit.test={_NOBODY}", *_NO_TEST_FITS, may_fail=True)
    yield Activation("maven", "maven resolve", Phase.PREPARE, root, reason, inputs, Plan((warm,), tools), ())
    build = _step(programs, "test-compile", read_log=readers.maven_text)
    yield Activation("maven", "maven compile", Phase.COMPILE, root, reason, (), Plan((build,), tools))
    if any(_inside(path, root) and "src/test/" in path for path in tree.paths()):
        test = _step(programs, goal, _THROUGH, reports=True, read_log=readers.maven_text)
        test = replace(
            test,
            again=lambda failed: (*test.arguments, *_only(failed)),
            affected=lambda tree, changed: _part(test, root, tree, changed),
        )
        yield Activation("maven", f"maven {goal}", Phase.TEST, root, reason, (), Plan((test,), tools))


def _only(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    """The classes of failed tests, for surefire and failsafe alike."""
    tests = (str(d.test).partition("(")[0].partition("[")[0].rpartition(".")[0] for d in failed)
    classes = ",".join(dict.fromkeys(test.partition("$")[0] for test in tests))
    return (f"-Dtest={classes}", f"-Dit.test={classes}", *_NO_TEST_FITS)


def _part(test: Step, root: str, tree: Tree, changed: Collection[str]) -> Step | None:
    """The modules that a change touches with those that depend on them, and what they need to be built."""
    poms = {posixpath.dirname(path) or "." for path in tree.paths() if posixpath.basename(path) == "pom.xml"}
    touched = {nearest(path, poms) for path in changed}
    modules = [posixpath.relpath(place, root) for place in sorted(filter(None, touched))]
    if None in touched or any(_decides(path) for path in changed) or not all(map(_PLAIN.fullmatch, modules)):
        return None
    return replace(
        test, arguments=(*test.arguments, "--projects", ",".join(modules), "--also-make", "--also-make-dependents")
    )


def _inside(path: str, root: str) -> bool:
    return root == "." or path.startswith(f"{root}/")


def _decides(path: str) -> bool:
    """Whether a file can change which artefacts a build needs."""
    return posixpath.basename(path) in {"pom.xml", "mvnw", "extensions.xml", "maven.config"} or "/.mvn/" in f"/{path}"


def _programs(root: str, tree: Tree) -> tuple[tuple[str, ...], ...]:
    """The wrapper, run by `sh` since its executable bit is often lost, or the machine's Maven."""
    wrapper = {posixpath.normpath(f"{root}/{file}") for file in ("mvnw", ".mvn/wrapper/maven-wrapper.properties")}
    return (("sh", "./mvnw"), ("mvn",)) if wrapper <= set(tree.paths()) else (("mvn",),)


def _step(
    programs: tuple[tuple[str, ...], ...],
    *goals: str,
    may_fail: bool = False,
    reports: bool = False,
    read_log: Reader | None = None,
) -> Step:
    return Step(
        programs,
        (*_QUIET, *goals),
        install="install maven, or commit the project's wrapper `mvnw`",
        append={"MAVEN_OPTS": "-XX:ActiveProcessorCount=@cpus@ -Duser.home=@home@"},
        offline=("-o",),
        reports=("**/target/surefire-reports/TEST-*.xml", "**/target/failsafe-reports/TEST-*.xml") if reports else (),
        read_report=readers.junit_xml if reports else None,
        read_log=read_log,
        cut_short=_CRASHED if reports else "",
        may_fail=may_fail,
        fatal=_UNRESOLVED,
        unable=_MACHINE,
        title=f"mvn {goals[0]}",
    )
