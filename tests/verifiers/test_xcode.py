"""Xcode projects: what is found, how the tools are called, and results in the form that is documented.

No Xcode made any of these files or results; that it works with a real one is unproven. What runs beside xcodebuild is
tried with a double of it, written by its manual.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Outcome, Phase
from greylag.protocols import Activation, Completed, Ended
from greylag.testing.verifiers import Bench, Files, detect
from greylag.verifiers import _xcode_inside, _xcodeproj
from greylag.verifiers._outcome import Found, judge
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers.xcode import Xcode

GOLDEN = Path(__file__).parents[1] / "golden/xcode/written-by-the-documentation.json"
TESTED = '<TestAction><Testables><TestableReference\n skipped = "NO"></TestableReference></Testables></TestAction>'
UNTESTED = "<TestAction><Testables></Testables></TestAction>"
SCHEMES = "App.xcodeproj/xcshareddata/xcschemes"
APP = {"App.xcodeproj/project.pbxproj": "", f"{SCHEMES}/App.xcscheme": TESTED}


def _steps(activation: Activation) -> tuple[Step, ...]:
    assert isinstance(activation.plan, Plan)
    return activation.plan.steps


def _words(files: Mapping[str, str], name: str) -> list[str]:
    return list(_steps(detect(Xcode(), files)[name])[-1].arguments)


def _asked(files: Mapping[str, str], name: str = "xcodebuild build") -> dict[str, object]:
    asked: dict[str, object] = json.loads(_steps(detect(Xcode(), files)[name])[-1].files["xcode.json"])
    return asked


# -- what is found ---------------------------------------------------------------------------------------------------


def test_phases_are_what_the_project_has() -> None:
    def phases(files: Mapping[str, str]) -> list[Phase]:
        return [activation.phase for activation in detect(Xcode(), files).values()]

    assert phases(APP) == [Phase.COMPILE, Phase.TEST]
    assert phases({**APP, f"{SCHEMES}/App.xcscheme": UNTESTED}) == [Phase.COMPILE]
    left_out = TESTED.replace("NO", "YES")
    assert phases({**APP, f"{SCHEMES}/App.xcscheme": left_out}) == [Phase.COMPILE]
    planned = (
        '<TestAction><TestPlans><TestPlanReference reference = "container:A.xctestplan"/></TestPlans></TestAction>'
    )
    assert phases({**APP, f"{SCHEMES}/App.xcscheme": planned}) == [Phase.COMPILE, Phase.TEST]


def test_a_workspace_goes_before_a_project_and_names_its_schemes() -> None:
    files = {
        **APP,
        "App.xcworkspace/contents.xcworkspacedata": '<FileRef\n   location = "group:App.xcodeproj">',
        "App.xcodeproj/project.xcworkspace/contents.xcworkspacedata": "",
        "Pods/Pods.xcodeproj/project.pbxproj": "",
        "Carthage/Checkouts/Quick/Quick.xcworkspace/contents.xcworkspacedata": "",
        ".swiftpm/xcode/package.xcworkspace/contents.xcworkspacedata": "",
        "Examples/Demo.xcodeproj/project.pbxproj": "",
        "A.playground/contents.xcworkspacedata": "",
    }
    found = detect(Xcode(), files)
    assert found["xcodebuild build"].reason == "App.xcworkspace, shared scheme App"
    assert {activation.root for activation in found.values()} == {"."}
    assert _asked(files)["arguments"][:2] == ["-workspace", "./App.xcworkspace"]  # type: ignore[index]


def test_tests_that_a_workspace_lists_are_found_in_a_directory_of_tests() -> None:
    files = {
        "Kit.xcworkspace/contents.xcworkspacedata": '<FileRef location = "group:Tests/All Tests.xcodeproj">',
        "Kit.xcodeproj/project.pbxproj": "",
        "Tests/All Tests.xcodeproj/project.pbxproj": "",
        "Tests/All Tests.xcodeproj/xcshareddata/xcschemes/Mac.xcscheme": TESTED,
    }
    assert detect(Xcode(), files)["xcodebuild test"].reason == "Kit.xcworkspace, shared scheme Mac"


def test_directories_of_a_monorepo_are_projects_of_their_own() -> None:
    files = {f"{place}/{path}": text for place in ("ios", "mac") for path, text in APP.items()}
    assert {"ios", "mac"} == {
        activation.root for activation in detect(Xcode(), {**files, "Package.swift": ""}).values()
    }


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({f"{SCHEMES}/App.xcscheme": None}, "App.xcodeproj has no shared scheme"),
        ({"Podfile": "require File.join(flutter_root)"}, "Podfile needs packages of Flutter or Node"),
        (
            {"Cartfile": "", "App.xcodeproj/project.pbxproj": "path = Carthage/Build/A.framework"},
            "Carthage would have to",
        ),
    ],
)
def test_what_cannot_be_built_is_said_and_vouches_for_nothing(files: Mapping[str, str | None], why: str) -> None:
    given = {path: text for path, text in {**APP, **files}.items() if text is not None}
    (only,) = detect(Xcode(), given).values()
    nothing = _steps(only)[-1]
    assert (nothing.programs, only.phase) == ((), Phase.COMPILE)
    assert why in nothing.absent


def _pbxproj(sdk: str, target: str = "") -> str:
    """A project with one target, in the form that Xcode writes."""
    entry = "\t\t{} /* {} */ = {{\n\t\t\tisa = {};\n{}\t\t}};\n"
    lists = "\t\t\tbuildConfigurations = (\n\t\t\t\t{} /* Debug */,\n\t\t\t);\n"
    settings = "\t\t\tbuildSettings = {{\n\t\t\t\t{};\n\t\t\t}};\n"
    return "".join(
        (
            entry.format("A1", "App", "PBXNativeTarget", "\t\t\tbuildConfigurationList = A2 /* of App */;\n"),
            "\t\tF1 /* a.swift */ = {isa = PBXFileReference; path = a.swift; sourceTree = SDKROOT; };\n",
            entry.format("P1", "Project object", "PBXProject", "\t\t\tbuildConfigurationList = P2 /* of all */;\n"),
            entry.format("A2", "list", "XCConfigurationList", lists.format("A3")),
            entry.format("P2", "list", "XCConfigurationList", lists.format("P3")),
            entry.format("A3", "Debug", "XCBuildConfiguration", settings.format(target or "A = B")),
            entry.format("P3", "Debug", "XCBuildConfiguration", settings.format(f"SDKROOT = {sdk}")),
        )
    )


@pytest.mark.parametrize(
    ("sdk", "target", "platform"),
    [
        ("iphoneos", "", "iOS"),
        ("macosx", "", "macOS"),
        ("macosx", "SDKROOT = appletvos", "tvOS"),
        ("auto", 'SUPPORTED_PLATFORMS = "iphoneos iphonesimulator macosx"', "macOS"),
        ("iphoneos", 'SUPPORTED_PLATFORMS = "xros xrsimulator"', "visionOS"),
    ],
)
def test_the_platform_is_that_of_the_target(sdk: str, target: str, platform: str) -> None:
    scheme = TESTED.replace("</TestableReference>", 'BlueprintIdentifier = "A1"</TestableReference>')
    files = {"App.xcodeproj/project.pbxproj": _pbxproj(sdk, target), f"{SCHEMES}/App.xcscheme": scheme}
    assert _asked(files)["platform"] == platform


def test_the_platform_may_be_named_elsewhere() -> None:
    assert _asked({"A.xcodeproj/project.pbxproj": "", "A.xcodeproj/xcshareddata/xcschemes/A-iOS.xcscheme": TESTED})[
        "platform"
    ] == ("iOS")
    assert _asked({**APP, "Config/Base.xcconfig": "SDKROOT = watchos\n"})["platform"] == "watchOS"
    assert _asked(APP)["platform"] == "macOS"


def test_schemes_of_one_platform_are_taken_and_the_others_are_named() -> None:
    names = {"Kit iOS": TESTED, "Kit macOS": TESTED, "Tool macOS": UNTESTED}
    files = {**APP, f"{SCHEMES}/App.xcscheme": TESTED.replace("NO", "YES")}
    files |= {f"{SCHEMES}/{name}.xcscheme": text for name, text in names.items()}
    asked = _asked(files, "xcodebuild test")
    assert asked["platform"] == "macOS"
    assert (asked["schemes"], asked["tested"]) == (["App", "Kit macOS", "Tool macOS"], ["Kit macOS"])
    plan = detect(Xcode(), files)["xcodebuild test"].plan
    assert isinstance(plan, Plan)
    assert plan.note == "schemes for macOS only; left out: Kit iOS (iOS)"


# -- preparation -----------------------------------------------------------------------------------------------------


def test_packages_are_resolved_as_they_are_locked_and_later_left_alone() -> None:
    lock = "App.xcodeproj/project.xcworkspace/xcshareddata/swiftpm/Package.resolved"
    files = {**APP, "App.xcodeproj/project.pbxproj": "isa = XCRemoteSwiftPackageReference;", lock: "{}"}
    prepare = detect(Xcode(), files)["xcode packages"]
    assert _words(files, "xcode packages")[-1] == "-onlyUsePackageVersionsFromResolvedFile"
    assert (prepare.inputs, prepare.outputs) == (("App.xcodeproj/project.pbxproj", lock), ())
    assert "-disableAutomaticPackageResolution" in _asked(files)["arguments"]  # type: ignore[operator]
    unlocked = detect(Xcode(), {path: text for path, text in files.items() if path != lock})["xcode packages"]
    assert unlocked.outputs == (f"/{lock}",)


def test_pods_are_installed_where_they_are_not_tracked() -> None:
    files = {**APP, "Podfile": "workspace 'All'\n", "Podfile.lock": ""}
    prepare = detect(Xcode(), files)["xcode packages"]
    assert (_words(files, "xcode packages"), prepare.outputs) == (
        ["install", "--deployment"],
        ("/Pods/", "/All.xcworkspace/"),
    )
    assert _asked(files)["arguments"][:2] == ["-workspace", "./All.xcworkspace"]  # type: ignore[index]
    assert "xcode packages" not in detect(Xcode(), {**files, "Pods/Manifest.lock": ""})


# -- a machine without Xcode -----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "darwin", reason="there may be an Xcode")
def test_without_xcode_everything_is_skipped_for_one_reason(bench: Callable[..., Bench]) -> None:
    files = {**APP, "Podfile": "", "Podfile.lock": "", "App.xcodeproj/project.pbxproj": "XCRemoteSwiftPackageReference"}
    verdicts = bench(files).verify(Xcode())
    assert len(verdicts) == 3
    assert {(v.outcome, v.summary.partition(";")[0]) for v in verdicts.values()} == {
        (Outcome.SKIPPED, "needs macOS with Xcode")
    }
    assert not any(v.counts or v.diagnostics for v in verdicts.values())


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (
            b"xcode-select: error: tool 'xcodebuild' requires Xcode, but the active one is not",
            Outcome.SKIPPED,
        ),
        (b"You have not agreed to the Xcode license agreements.", Outcome.ERRORED),
        (b"", Outcome.ERRORED),
    ],
)
def test_an_xcode_that_cannot_say_its_version_is_the_machines(said: bytes, outcome: Outcome) -> None:
    step = _steps(detect(Xcode(), APP)["xcodebuild build"])[0]
    done = Completed(Ended.EXITED, 1, said)
    assert judge(step, Phase.COMPILE, done, Found((), None, ".", "/workspace")).outcome is outcome


# -- beside xcodebuild -----------------------------------------------------------------------------------------------

XCODEBUILD = """#!/bin/sh
printf '%s\\n' "$*" >> calls
while [ $# -gt 1 ]; do [ "$1" = -resultBundlePath ] && bundle=$2; shift; done
if [ -e "$bundle" ]; then exit 64; fi
if [ -n "$bundle" ] && [ ! -e none ]; then mkdir "$bundle"; fi
exit "$(cat code)"
"""
DEVICES = {
    "com.apple.CoreSimulator.SimRuntime.iOS-17-5": [{"name": "iPhone 15", "udid": "OLD"}],
    "com.apple.CoreSimulator.SimRuntime.iOS-18-10": [
        {"name": "iPad Air", "udid": "PAD"},
        {"name": "iPhone 16", "udid": "NEW"},
    ],
    "com.apple.CoreSimulator.SimRuntime.tvOS-26-0": [{"name": "Apple TV", "udid": "TV"}],
}
XCRUN = f"""#!/bin/sh
if [ "$1" = simctl ]; then echo '{json.dumps({"devices": DEVICES})}'; exit; fi
[ ! -e old ] || exit 64
echo '{{"testNodes": []}}'
"""


def _inside(place: Path, verb: str, platform: str = "macOS", code: int = 0, *more: str) -> tuple[int, list[str], str]:
    for name, text in (("xcodebuild", XCODEBUILD), ("xcrun", XCRUN)):
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    (place / "code").write_text(str(code))
    (place / "calls").unlink(missing_ok=True)
    request = {
        "platform": platform,
        "arguments": ["-project", "./A.xcodeproj"],
        "schemes": ["A", "B"],
        "tested": ["A"],
        "reports": [str(place / "tests-0.json")],
    }
    (place / "request").write_text(json.dumps(request))
    done = subprocess.run(
        (sys.executable, "-I", "-S", _xcode_inside.__file__, verb, place / "request", *more),
        cwd=place,
        env={"PATH": f"{place}:{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    calls = (place / "calls").read_text().splitlines() if (place / "calls").exists() else []
    return done.returncode, calls, done.stdout


def test_all_schemes_are_built_whatever_becomes_of_the_first(tmp_path: Path) -> None:
    code, calls, _ = _inside(tmp_path, "build", code=65)
    assert code == 65
    assert [re.sub(r".* -scheme ", "", call) for call in calls] == [
        "A build-for-testing CODE_SIGNING_ALLOWED=NO",
        "B build CODE_SIGNING_ALLOWED=NO",
    ]


def test_the_newest_simulator_of_the_platform_is_taken(tmp_path: Path) -> None:
    assert "-destination id=NEW " in _inside(tmp_path, "build", "iOS")[1][0]
    assert "-destination id=TV " in _inside(tmp_path, "build", "tvOS")[1][0]
    assert "-destination platform=macOS " in _inside(tmp_path, "build")[1][0]


def test_a_simulator_that_is_missing_is_the_machines(tmp_path: Path) -> None:
    code, calls, said = _inside(tmp_path, "test", "visionOS")
    assert (code, calls, said) == (69, [], "greylag: no simulator with visionOS is there\n")
    unable = _steps(detect(Xcode(), APP)["xcodebuild test"])[-1].unable
    assert re.search(unable, said)


def test_results_are_of_this_run(tmp_path: Path) -> None:
    (tmp_path / "tests-0.xcresult").mkdir()
    (tmp_path / "tests-0.json").write_text("stale")
    code, calls, _ = _inside(tmp_path, "test", "macOS", 65, "-only-testing:ATests/B/c()")
    assert (code, len(calls)) == (65, 1)
    assert "-only-testing:ATests/B/c()" in calls[0]
    assert json.loads((tmp_path / "tests-0.json").read_text()) == {"testNodes": []}
    (tmp_path / "none").touch()
    assert _inside(tmp_path, "test")[0] == 1
    assert not (tmp_path / "tests-0.json").exists()


def test_an_old_xcode_is_the_machines(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    code, _, said = _inside(tmp_path, "test")
    assert code == 69
    assert re.search(_steps(detect(Xcode(), APP)["xcodebuild test"])[-1].unable, said)
    assert not (tmp_path / "tests-0.json").exists()


# -- results ---------------------------------------------------------------------------------------------------------


def test_results_are_counted_and_located() -> None:
    files = ("App/CalcTests.swift", "App/Roots/RootTests.swift")
    counts, found = readers.xcresult_json(GOLDEN.read_bytes(), files=files)
    assert (counts, counts.passed) == (Counts(4, 3, 2), ("AppTests/CalcTests/testAdds()",))
    assert [(d.test, d.path, d.line, d.message) for d in found] == [
        (
            "AppTests/CalcTests/testMultiplies()",
            "App/CalcTests.swift",
            12,
            'XCTAssertEqual failed: ("4") is not equal to ("5") - twice two',
        ),
        ("AppTests/RootTests/roots(of:)", "App/Roots/RootTests.swift", 7, "Expectation failed: root(-1) == 1"),
        (
            "AppUITests/AppUITests-Runner encountered an error",
            None,
            None,
            "AppUITests-Runner (1234) encountered an error (Early unexpected exit)",
        ),
    ]


def test_failed_tests_are_run_again_by_their_names() -> None:
    step = _steps(detect(Xcode(), APP)["xcodebuild test"])[-1]
    assert step.again
    assert step.again([Diagnostic("no", test="AppTests/CalcTests/testAdds()")]) == (
        *step.arguments,
        "-only-testing:AppTests/CalcTests/testAdds()",
    )


def test_a_file_that_is_there_twice_is_not_guessed() -> None:
    _, found = readers.xcresult_json(GOLDEN.read_bytes(), files=("a/CalcTests.swift", "b/CalcTests.swift"))
    assert (found[0].path, found[0].line) == (None, None)
    assert found[0].message.startswith("CalcTests.swift:12: XCTAssertEqual failed")


def test_a_bundle_that_failed_without_a_test_is_a_failure() -> None:
    node = {"nodeType": "Unit test bundle", "name": "ATests", "result": "Failed", "children": []}
    counts, (failed,) = readers.xcresult_json(json.dumps({"testNodes": [node]}).encode())
    assert (counts, failed.test) == (Counts(1, 1), "ATests")
    assert readers.xcresult_json(b'{"testNodes": []}') == (Counts(0), ())


@pytest.mark.parametrize(
    "data", [b"", b"[", b"[" * 100_000, b"[]", b"{}", b'{"testNodes": 1}', b'{"testNodes": {"a": []}}', b"\xff\0"]
)
def test_what_is_no_result_is_said(data: bytes) -> None:
    counts, (said,) = readers.xcresult_json(data)
    assert (counts, said.rule) == (Counts(0), readers.UNREADABLE)


def test_hostile_results_do_not_raise_and_are_read_in_linear_time() -> None:
    odd = [1, None, "a", {"nodeType": [], "name": {}, "children": {"a": 1}, "result": []}, {"nodeType": "Test Case"}]
    assert readers.xcresult_json(json.dumps({"testNodes": odd}).encode()) == (Counts(0, 0, 1), ())
    message = {"nodeType": "Failure Message", "name": "a." * 1_000 + ":1" * 1_000}
    case = {"nodeType": "Test Case", "name": "t", "result": "Failed", "children": [message] * 250}
    counts, found = readers.xcresult_json(json.dumps({"testNodes": [case] * 4}).encode())
    assert (counts.failed, len(found)) == (4, 1)


def test_hostile_projects_are_read_in_linear_time() -> None:
    for line in (
        "\t\tA = {\n",
        "\t\tA /* ",
        'location = "',
        "<TestableReference",
        "SDKROOT = ",
        "buildConfigurationList = ",
    ):
        text = line * (1_000_000 // len(line))
        files = dict.fromkeys((*APP, "App.xcworkspace/contents.xcworkspacedata", "a.xcconfig", "Podfile"), text)
        assert len(list(_xcodeproj.find(Files(files)))) == 1
