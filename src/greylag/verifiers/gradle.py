"""Gradle: compilation, linters and tests of each build, with the project's wrapper where it has one.

Preparation fetches what the build needs while there is a network, by going through `check` with a test name that
nothing has. Later phases run with `--offline`, without a daemon that outlives them. Results of tests never come from a
cache: reports are removed before each run, so that Gradle finds a test task out of date, and the build cache is off.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _gradle, _tool
from greylag.verifiers._gradle import Build
from greylag.verifiers._tool import Plan, Step

# Which tests run, and names for what all kinds of projects have. `--tests` of the command line only knows tasks that it
# names, and fails in each project that has no such test.
_INIT = r"""
def only = System.getProperty('greylag.tests')
def untested = System.getProperty('greylag.untested')
def goals = [greylagCheck: ['check'],
             greylagCompile: ['classes', 'testClasses', 'jvmMainClasses', 'jvmTestClasses', 'compileDebugSources',
                              'compileDebugUnitTestSources']]
def each = { found, action ->
    found.metaClass.respondsTo(found, 'configureEach') ? found.configureEach(action) : found.all(action)
}
allprojects { project ->
    each(project.tasks.withType(AbstractTestTask)) { test ->
        if (untested) test.enabled = false
        if (only) {
            test.filter.setIncludePatterns(only.split(',') as String[])
            test.filter.failOnNoMatchingTests = false
        }
        def xml = test.reports.junitXml
        if (xml.hasProperty('mergeReruns')) xml.mergeReruns.set(true)
    }
    if (only) each(project.tasks.matching { it.name =~ /(?i)coverage|kover/ }) { it.enabled = false }
    def add = project.tasks.metaClass.respondsTo(project.tasks, 'register') ? 'register' : 'create'
    goals.each { goal, names ->
        project.tasks."$add"(goal) { it.dependsOn(project.tasks.matching { it.name in names }) }
    }
}
"""
_ARGUMENTS = (
    *("--no-daemon", "--console=plain", "--continue", "--no-build-cache", "--max-workers=@cpus@"),
    *("-Dorg.gradle.warning.mode=none", "-Dorg.gradle.vfs.watch=false", "-I", "@files@/greylag.init.gradle"),
)
_MACHINE = (  # what this machine has is not what the project needs, or too little
    r"ERROR: JAVA_HOME is |Gradle requires JVM \S+ or later|Gradle \S+ requires Java \S+ or later"
    r"|Could not determine java version from|(?:BUG! .*)?Unsupported class file major version"
    r"|No (?:matching|compatible) toolchains? |Cannot find a Java installation on your machine"
    r"|Could not target platform: |Dependency requires at least JVM runtime version|SDK location not found"
    r"|(?:error: )?(?:release version \S+ not supported|invalid (?:source|target) release)"
    r"|No cached (?:version|resource) \S.* available for offline mode|Gradle build daemon disappeared"
    r"|There is insufficient memory for the Java|Could not determine a usable local IP|No space left on device"
)
_NETWORK = (
    r"|(?:Exception in thread .*|(?<=> ).*)(?:Connection (?:refused|reset)|[Tt]imed out|Network is unreachable"
    r'|UnknownHostException|Proxy returns "HTTP/1\.\d 50[0234]|Name or service not known'
    r"|Temporary failure in name resolution|Received status code (?:429|50[0234]) from"
    r"|Server returned HTTP response code: 50[0234])"
)
_NOT_BUILT = (  # no word of Gradle's at all, or one that is not of a task that failed, or of one for want of something
    r"(?m)\A(?![\s\S]*^\* What went wrong:)|^\* What went wrong:\n(?!Execution failed for task )"
    r"|^ *> Could not (?:resolve|download) |^ *> Could not find [\w.-]+:[\w.-]+:"
)
_CLASS = re.compile(r"(?:[\w$]+\.)*?[A-Z]\w*")


class Gradle:
    """Verifier of Gradle builds: each outermost one, and each below it that no other includes."""

    name = "gradle"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, linters where the build has some, compilation and tests, for each build."""
        return [activation for build in _gradle.builds(tree) for activation in _activations(build)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run Gradle; the XML reports of all test tasks say what the tests did."""
        return _tool.run(activation, context)


PLUGIN = Gradle


def _activations(build: Build) -> Iterator[Activation]:
    def activation(name: str, phase: Phase, step: Step, reason: str = build.reason) -> Activation:
        plan = Plan((step,), {"gradle": (*step.programs[0], "--version")})
        inputs, outputs = (build.inputs, ()) if phase is Phase.PREPARE else ((), None)
        return Activation("gradle", name, phase, build.root, reason, inputs, plan, outputs)

    warm = _step(build, "gradle resolve", "greylagCheck", "greylagCompile", "-Dgreylag.tests=GreylagMatchesNoTest")
    warm = replace(warm, may_fail=True, fatal=_NOT_BUILT, unable=_gradle_says(_MACHINE + _NETWORK))
    yield activation("gradle resolve", Phase.PREPARE, warm)
    if build.linter:
        lint = _step(build, "gradle check without tests", "greylagCheck", "-Dgreylag.untested=true")
        yield activation("gradle check", Phase.STATIC, lint, build.linter)
    yield activation("gradle compile", Phase.COMPILE, _step(build, "gradle classes testClasses", "greylagCompile"))
    if build.tests:
        yield activation("gradle test", Phase.TEST, _test(build))


def _step(build: Build, title: str, *words: str) -> Step:
    """A wrapper is run by `sh`, since its executable bit is often lost."""
    return Step(
        (("sh", build.wrapper) if build.wrapper else ("gradle",),),
        (*_ARGUMENTS, *words),
        install="install Gradle, or commit the project's wrapper `gradlew` with its jar",
        env={"GRADLE_USER_HOME": "@home@/.gradle"},
        files={"greylag.init.gradle": _INIT},
        offline=("--offline",),
        read_log=readers.gradle_text,
        unable=_gradle_says(_MACHINE),
        title=title,
    )


def _test(build: Build) -> Step:
    """`check` and not `test`: it has the other test suites, and what the build demands of coverage."""
    step = _step(build, "gradle check", "greylagCheck")
    return replace(
        step,
        reports=("**/build/**/test-results/**/TEST-*.xml",),
        read_report=readers.junit_xml,
        again=lambda failed: (*step.arguments, f"-Dgreylag.tests={_only(failed)}"),
    )


def _gradle_says(words: str) -> str:
    """A pattern for what Gradle itself says, at the beginning of a line or behind `>`: what tests print is indented."""
    return rf"(?m)^(?: *> )?(?:{words})"


def _only(failed: Sequence[Diagnostic]) -> str:
    """Patterns for the classes of failed tests."""
    classes = dict.fromkeys(hit[0] for d in failed if (hit := _CLASS.match(d.test or "")))
    return ",".join(pattern for name in classes for pattern in (name, f"{name}$*"))
