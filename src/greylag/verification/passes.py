"""What need not be run again: passes by tree, and the report on a base commit. One JSON file each, replaced atomically.

A damaged, foreign or old entry is a miss. Nothing is evidence for longer than `AGE`, since a machine changes.
"""

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from greylag import __version__
from greylag.model import Origin, Verdict
from greylag.report import Report
from greylag.report.serialise import report_from_dict, report_to_dict, verdict_from_dict, verdict_to_dict

AGE = 7 * 86400.0  # seconds
_FORMAT = 6  # of entries, the names that readers give to tests among them: one more when either changes


def key(*parts: object) -> str:
    """32 hexadecimal digits of all parts and of the version of greylag."""
    text = "\0".join([__version__, *(str(part) for part in parts)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Passes:
    """Entries below `root`, for one repository."""

    root: Path

    def verdict(self, name: str) -> Verdict | None:
        """The pass that was kept under this key."""
        try:
            entry = self._get(name)
            return _kept(verdict_from_dict(entry["verdict"]), entry["tests"])
        except (KeyError, ValueError, TypeError):
            return None

    def keep_verdict(self, name: str, verdict: Verdict) -> None:
        """Keep a pass. Anything else, and a pass that covers only a part or came by a flaky test, is not kept."""
        flaky = any(diagnostic.origin is Origin.FLAKY for diagnostic in verdict.diagnostics)
        if verdict.passed and not flaky and not verdict.details.get("partial"):
            self._put(name, {"verdict": verdict_to_dict(verdict), "tests": _tests(verdict)})

    def report(self, name: str) -> tuple[Report, list[str]] | None:
        """The report of a base commit, failures included, and the ids of the layers that came of it."""
        try:
            entry = self._get(name)
            report = report_from_dict(entry["report"])
            kept = zip(report.verdicts, entry["tests"], strict=True)
            return replace(report, verdicts=tuple(_kept(*each) for each in kept)), [
                str(layer) for layer in entry["layers"]
            ]
        except (KeyError, ValueError, TypeError):
            return None

    def keep_report(self, name: str, report: Report, layers: Sequence[str]) -> None:
        """Keep the report of a base commit."""
        tests = [_tests(verdict) for verdict in report.verdicts]
        self._put(name, {"report": report_to_dict(report), "tests": tests, "layers": list(layers)})

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Wait until nobody else computes the entry `name`."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def prune(self) -> None:
        """Remove entries that have become too old."""
        for path in self.root.glob("*.json"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > AGE:
                    path.unlink()

    def _get(self, name: str) -> dict[str, Any]:
        try:
            entry = json.loads((self.root / f"{name}.json").read_bytes())
            fresh = entry["format"] == _FORMAT and 0 <= time.time() - entry["at"] <= AGE
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}
        return entry if fresh else {}

    def _put(self, name: str, entry: dict[str, Any]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            text = json.dumps({"format": _FORMAT, "at": time.time(), **entry})
        except (TypeError, ValueError):
            return  # a plugin's details that are no JSON: not worth more than a miss
        with tempfile.NamedTemporaryFile("w", dir=self.root, suffix=".new", delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(self.root / f"{name}.json")


def _tests(verdict: Verdict) -> list[str]:
    return list(verdict.counts.passed) if verdict.counts else []


def _kept(verdict: Verdict, tests: Sequence[str]) -> Verdict:
    """A verdict as it was kept, with the names of its tests; there is no log of it any more."""
    counts = verdict.counts and replace(verdict.counts, passed=tuple(map(str, tests)))
    return replace(verdict, counts=counts, cached=True, log=None)
