"""PHP projects: what is found, what their tools report, and the real Composer, PHPUnit and PHP_CodeSniffer."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Severity
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.php import PHP

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden"
TEST = """<?php
class CalcTest extends PHPUnit\\Framework\\TestCase
{
    public function testSum(): void
    {
        $this->assertSame(5, 2 + 3);
    }
}
"""
PROJECT = {
    "composer.json": '{"require": {"php": ">=7"}}',
    "phpunit.xml": '<phpunit><testsuite name="a"><directory>tests</directory></testsuite></phpunit>',
    "tests/CalcTest.php": TEST,
}


def requires(*packages: str, **config: str) -> str:
    return json.dumps(
        {"require-dev": dict.fromkeys(packages, "*"), "config": {k.replace("_", "-"): v for k, v in config.items()}}
    )


def plan(files: Mapping[str, str], name: str) -> Plan:
    found = detect(PHP(), files)[name].plan
    assert isinstance(found, Plan)
    return found


@pytest.mark.parametrize(
    ("settings", "whole"),
    [
        ({}, False),
        ({"autoload": {"psr-4": {"A\\\\": "src/"}}}, False),
        ({"autoload": {"classmap": ["src/"]}}, True),
        ({"autoload-dev": {"classmap": ["tests/"]}}, True),
        ({"config": {"optimize-autoloader": True}}, True),
    ],
)
def test_a_list_of_classes_that_an_installation_writes_is_of_one_tree(settings: object, whole: bool) -> None:
    files = {**PROJECT, "composer.json": json.dumps(settings)}
    assert detect(PHP(), files)["composer install"].inputs == (() if whole else ("composer.json",))


# -- detection -------------------------------------------------------------------------------------------------------


def test_each_tool_runs_where_the_project_configures_it() -> None:
    assert list(detect(PHP(), {"composer.json": "", "tests/ATest.php": ""})) == []
    files = {
        "composer.json": "",
        ".php-cs-fixer.dist.php": "",
        "phpcs.xml": "",
        "phpstan.neon": "",
        "phpunit.xml.dist": "",
    }
    assert list(detect(PHP(), files)) == ["composer install", "php-cs-fixer", "phpcs", "phpstan", "phpunit"]
    assert "pest" in detect(PHP(), {"composer.json": requires("pestphp/pest"), "phpunit.xml": ""})


def test_directories_of_a_monorepo_are_projects_of_their_own() -> None:
    files = {
        "composer.json": "",
        "phpunit.xml": "",
        "api/composer.json": "",
        "api/phpunit.xml": "",
        "vendor/a/composer.json": "",
    }
    assert {a.root for a in detect(PHP(), files).values()} == {".", "api"}


def test_a_program_that_is_required_is_taken_from_nowhere_else() -> None:
    def program(manifest: str) -> tuple[str, tuple[str, ...]]:
        step = plan({"composer.json": manifest, "phpunit.xml": ""}, "phpunit").steps[0]
        return step.programs[0][0], step.paths

    assert program("{}") == ("phpunit", ("vendor/bin", "tools"))
    assert program(requires("phpunit/phpunit"))[0] == "vendor/bin/phpunit"
    assert program(requires("phpunit/phpunit", bin_dir="bin/")) == ("bin/phpunit", ("bin", "tools"))
    assert program(requires("phpunit/phpunit", vendor_dir="../../etc", bin_dir="-x"))[0] == "vendor/bin/phpunit"


def test_what_is_installed_is_decided_by_composers_files_and_stays() -> None:
    files = {"api/composer.json": requires(bin_dir="bin"), "api/phpunit.xml": ""}
    prepare = detect(PHP(), files)["composer install (api)"]
    assert (prepare.inputs, prepare.outputs) == (
        ("api/composer.json",),
        ("/api/vendor/", "/api/bin/", "/api/composer.lock"),
    )
    prepare = detect(PHP(), {**files, "api/composer.lock": ""})["composer install (api)"]
    assert prepare.inputs == ("api/composer.json", "api/composer.lock")
    assert prepare.outputs == ("/api/vendor/", "/api/bin/")


def test_failed_tests_are_run_again_by_their_methods() -> None:
    step = plan(PROJECT, "phpunit").steps[0]
    assert step.again
    names = (
        "Acme.Tests.CalcTest.testProduct with data set #1",
        "Acme.Tests.CalcTest.testProduct with data set #2",
        "A.b",
    )
    arguments = step.again([Diagnostic("no", test=name) for name in names])
    assert arguments[-2:] == ("--filter", "/(?:CalcTest::testProduct|A::b)(?: with data set .*)?$/")


# -- real reports ----------------------------------------------------------------------------------------------------


def test_reports_of_phpunit_tell_what_ran_and_where_it_broke() -> None:
    counts, failed = readers.junit_xml((GOLDEN / "phpunit/junit.xml").read_bytes())
    assert (counts.run, counts.failed, counts.skipped) == (4, 2, 1)
    assert "Acme.Tests.CalcTest.testSum" in counts.passed
    assert [(d.test, d.path, d.line, d.message) for d in failed] == [
        (
            "Acme.Tests.CalcTest.testProduct with data set #1",
            "tests/CalcTest.php",
            17,
            "Failed asserting that 5 is identical to 6.",
        ),
        ("Acme.Tests.CalcTest.testBreaks", "tests/CalcTest.php", 27, "RuntimeException: no"),
    ]


def test_checkstyle_xml_is_read() -> None:
    found = readers.checkstyle_xml((GOLDEN / "phpcs/checkstyle.xml").read_bytes())
    assert {d.path for d in found} == {"src/lint.php"}
    rule = "Squiz.Functions.MultiLineFunctionDeclaration.BraceOnSameLine"
    assert (rule, 2, 14) in {(d.rule, d.line, d.column) for d in found}
    found = readers.checkstyle_xml((GOLDEN / "php-cs-fixer/checkstyle.xml").read_bytes())
    assert ("src/lint.php", "PHP-CS-Fixer.braces_position") in {(d.path, d.rule) for d in found}
    assert {d.severity for d in found} == {Severity.WARNING}


@pytest.mark.parametrize("data", [b"", b"<", b"words", b"<!DOCTYPE a [<!ENTITY b 'c'>]><checkstyle>&b;</checkstyle>"])
def test_nonsense_is_no_report(data: bytes) -> None:
    assert all(d.rule == readers.UNREADABLE for d in readers.checkstyle_xml(data))


# -- the real tools --------------------------------------------------------------------------------------------------


@pytest.mark.toolchain("composer")
@pytest.mark.toolchain("phpunit")
def test_tests_are_counted(bench: MakeBench) -> None:
    verdicts = bench(PROJECT).verify(PHP())
    assert [verdict.outcome for verdict in verdicts.values()] == [Outcome.PASSED, Outcome.PASSED]
    assert verdicts["phpunit"].counts == Counts(1, 0, 0, ("CalcTest.testSum",))


@pytest.mark.toolchain("phpunit")
def test_a_failed_test_is_named_with_its_place_and_none_are_no_pass(bench: MakeBench) -> None:
    red = bench({**PROJECT, "tests/CalcTest.php": TEST.replace("2 + 3", "2 * 3")}).verify(PHP(), "phpunit")["phpunit"]
    assert (red.outcome, red.summary) == (Outcome.FAILED, "1 test, 1 failed")
    assert [(d.test, d.path, d.line) for d in red.diagnostics] == [("CalcTest.testSum", "tests/CalcTest.php", 6)]
    none = {"composer.json": "{}", "phpunit.xml": PROJECT["phpunit.xml"].replace("tests<", ".<"), "CalcTest.php": ""}
    verdict = bench(none).verify(PHP(), "phpunit")["phpunit"]
    assert verdict.outcome is not Outcome.PASSED


@pytest.mark.toolchain("phpunit")
def test_a_file_that_cannot_be_parsed_is_told(bench: MakeBench) -> None:
    verdict = bench({**PROJECT, "tests/CalcTest.php": TEST.replace("public", "publik")}).verify(PHP(), "phpunit")[
        "phpunit"
    ]
    assert verdict.outcome is Outcome.FAILED
    assert "publik" in "".join(d.message + d.excerpt for d in verdict.diagnostics)


@pytest.mark.toolchain("phpcs")
def test_a_linter_finds_places_and_one_that_is_missing_is_said(bench: MakeBench) -> None:
    rules = '<ruleset><file>.</file><rule ref="Generic.PHP.LowerCaseConstant"/></ruleset>'
    files = {"composer.json": "{}", "phpcs.xml": rules, "a.php": "<?php\n$a = TRUE;\n", "phpstan.neon": ""}
    verdicts = bench(files).verify(PHP(), "phpcs", "phpstan")
    assert verdicts["phpcs"].outcome is Outcome.FAILED
    assert [(d.path, d.line) for d in verdicts["phpcs"].diagnostics] == [("a.php", 2)]
    pinned = bench({**files, "composer.json": requires("squizlabs/php_codesniffer")}).verify(PHP(), "phpcs")["phpcs"]
    assert (pinned.outcome, pinned.summary) == (Outcome.SKIPPED, "phpcs.xml is there, but no phpcs")


@pytest.mark.toolchain("composer")
@pytest.mark.parametrize("package", ["acme/nothing", "ext-nothing", "php"])
def test_a_registry_that_is_down_and_a_php_that_is_another_are_the_machines(bench: MakeBench, package: str) -> None:
    at = bench({**PROJECT, "composer.json": json.dumps({"require": {package: ">=99"}})})
    assert at.verify(PHP(), "composer install")["composer install"].outcome is Outcome.ERRORED
