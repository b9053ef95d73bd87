"""What runs in the sandbox around xcodebuild: standard library only, nothing of greylag is imported here.

`python xcode.py build|test REQUEST ARGUMENT...`: one scheme after the other, on this Mac or on a simulator that is
there, all of them, whatever becomes of the first. Results are taken out of their bundle, which must not exist before.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_RUNTIMES = {"iOS": "iOS", "tvOS": "tvOS", "visionOS": "xrOS", "watchOS": "watchOS"}
_CANNOT = 69  # EX_UNAVAILABLE


def destination(platform: str) -> str:
    """This Mac, or a simulator with the newest system that is there; nothing where there is none."""
    if platform == "macOS":
        return "platform=macOS"
    listed = subprocess.run(
        ("xcrun", "simctl", "list", "devices", "available", "-j"), stdout=subprocess.PIPE, check=False
    )
    try:
        runtimes = json.loads(listed.stdout)["devices"]
        found = [entry for name, devices in runtimes.items() for entry in _devices(platform, name, devices)]
    except (ValueError, LookupError, TypeError, AttributeError):
        found = []
    return f"id={max(found)[-1]}" if found else ""


def _devices(platform: str, runtime: str, devices: Any) -> list[tuple[list[int], bool, str]]:
    """How new the system of each device is, whether it is a telephone, and its id."""
    hit = re.fullmatch(rf"com\.apple\.CoreSimulator\.SimRuntime\.{_RUNTIMES[platform]}-(\d+(?:-\d+)*)", runtime)
    version = [int(part) for part in hit[1].split("-")] if hit else []
    return [(version, device["name"].startswith("iPhone"), device["udid"]) for device in devices] if hit else []


def build(words: list[str], asked: dict[str, Any]) -> int:
    """Build each scheme, with its tests where it has some."""
    actions = [(scheme, "build-for-testing" if scheme in asked["tested"] else "build") for scheme in asked["schemes"]]
    codes = [
        subprocess.run((*words, "-scheme", scheme, action, "CODE_SIGNING_ALLOWED=NO"), check=False).returncode
        for scheme, action in actions
    ]
    return next(filter(None, codes), 0)


def test(words: list[str], asked: dict[str, Any]) -> int:
    """Test what is built, and leave the results as files."""
    codes = [
        _tested(words, scheme, Path(report)) for scheme, report in zip(asked["tested"], asked["reports"], strict=True)
    ]
    return next(filter(None, codes), 0)


def _tested(words: list[str], scheme: str, report: Path) -> int:
    bundle = report.with_suffix(".xcresult")
    shutil.rmtree(bundle, ignore_errors=True)
    report.unlink(missing_ok=True)
    if bundle.exists() or bundle.is_symlink():
        print(f"greylag: {bundle} cannot be removed")
        return _CANNOT
    ran = subprocess.run((*words, "-scheme", scheme, "test-without-building", "-resultBundlePath", bundle), check=False)
    if not bundle.exists():
        print("greylag: xcodebuild has left no results")
        return ran.returncode or 1
    read = ("xcrun", "xcresulttool", "get", "test-results", "tests", "--path", str(bundle))
    with report.open("wb") as file:
        told = subprocess.run(read, stdout=file, check=False)
    if told.returncode:
        report.unlink()
        print("greylag: xcresulttool cannot read the results, which takes Xcode 16 or later")
        return _CANNOT
    return ran.returncode


def main(verb: str, request: str, *more: str) -> int:
    """Entry point: `build` or `test`, a file that says what of, and more arguments for xcodebuild."""
    asked = json.loads(Path(request).read_text("utf-8"))
    where = destination(asked["platform"])
    if not where:
        print(f"greylag: no simulator with {asked['platform']} is there")
        return _CANNOT
    words = ["xcodebuild", *asked["arguments"], "-destination", where, *more]
    return build(words, asked) if verb == "build" else test(words, asked)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
