"""Swift packages: what is found and how the tools are called. That it works with a real Swift is unproven."""

from collections.abc import Mapping

from greylag import readers
from greylag.model import Counts, Diagnostic, Phase
from greylag.testing.verifiers import detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.swift import Swift


def test_phases_are_what_the_package_has() -> None:
    def phases(files: Mapping[str, str]) -> list[Phase]:
        return [activation.phase for activation in detect(Swift(), {"Package.swift": "", **files}).values()]

    assert phases({}) == [Phase.COMPILE]
    assert phases({"Tests/ATests/A.swift": ""}) == [Phase.COMPILE, Phase.TEST]
    dependency = '.package(url: "https://example.org/a", from: "1.0.0")'
    assert phases({"Package.swift": dependency}) == [Phase.PREPARE, Phase.COMPILE]


def test_directories_of_a_monorepo_are_packages_of_their_own() -> None:
    files = dict.fromkeys(("a/Package.swift", "a/b/Package.swift", "c/Package.swift", "Examples/d/Package.swift"), "")
    assert {"a", "c"} == {activation.root for activation in detect(Swift(), files).values()}


def test_a_lock_file_is_kept_to() -> None:
    files = {"a/Package.swift": '.package(name: "x", url: "y")', "a/Package.resolved": ""}
    prepare = detect(Swift(), files)["swift package resolve (a)"]
    assert isinstance(prepare.plan, Plan)
    assert prepare.plan.steps[0].arguments[-1] == "--force-resolved-versions"
    assert prepare.inputs == ("a/Package.resolved", "a/Package.swift")
    assert prepare.outputs == ("/a/.build/",)


def test_both_reports_are_read_and_failed_tests_are_run_again() -> None:
    plan = detect(Swift(), {"Package.swift": "", "Tests/ATests/A.swift": ""})["swift test"].plan
    assert isinstance(plan, Plan)
    step = plan.steps[0]
    assert [report.rpartition("/")[2] for report in step.reports] == ["swift--.xml", "swift---swift-testing.xml"]
    assert step.again
    assert step.again([Diagnostic("no", test="ATests.CalcTests.testAdds")])[-1] == "(ATests.CalcTests.testAdds)"


def test_reports_are_read() -> None:
    case = '<testcase classname="ATests.CalcTests" name="{}" time="0.1">{}</testcase>'
    cases = case.format("testAdds", "") + case.format("testFails", '<failure message="failed"></failure>')
    counts, (failed,) = readers.junit_xml(
        f'<testsuites><testsuite name="TestResults">{cases}</testsuite></testsuites>'.encode()
    )
    assert (counts, failed.test) == (Counts(2, 1), "ATests.CalcTests.testFails")
