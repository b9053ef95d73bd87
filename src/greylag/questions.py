"""What a judge was asked, as one JSON file beside the logs: enough to ask another one, and to label a case."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greylag.errors import UserError
from greylag.model import Scope, Verdict
from greylag.protocols import Change
from greylag.report import Report
from greylag.report.serialise import report_from_dict, report_to_dict, verdict_from_dict, verdict_to_dict

NAME = "judge.json"
_FORMAT = "judged-1"  # the only key; another one is of another greylag


@dataclass(frozen=True, slots=True)
class UnknownTree:
    """A tree of which only the diff is known."""

    id: str

    def paths(self) -> Sequence[str]:
        """Nothing is known of it."""
        return ()

    def read(self, path: str) -> bytes:
        """Nothing is known of it."""
        raise KeyError(path)


@dataclass(frozen=True, slots=True)
class Kept:
    """One question: the change, what was measured before, and the details of the verdict that came of it."""

    change: Change
    earlier: tuple[Verdict, ...]
    baseline: Report | None
    details: dict[str, Any]


def keep(directory: Path, kept: Kept) -> None:
    """Write it below a directory of logs."""
    change = kept.change
    data = {
        "prompt": change.prompt,
        "allow": change.scope.allow,
        "paths": change.scope.paths,
        "base": change.base.id,
        "head": change.head.id,
        "diff": change.diff,
        "earlier": [verdict_to_dict(verdict) for verdict in kept.earlier],
        "baseline": report_to_dict(kept.baseline) if kept.baseline else None,
        "details": kept.details,
    }
    directory.joinpath(NAME).write_text(json.dumps({_FORMAT: data}))


def asked(home: Path) -> list[Path]:
    """The questions of a run, by its directory, in their order."""
    return sorted((home / "logs").glob(f"*/{NAME}"))


def label(home: Path, path: Path, label: str, *, passed: bool) -> Path | None:
    """Write the last question of a run that was `passed`, or was not, to `path`, with what a person says of that
    decision; None: no such question was kept.
    """
    for place in reversed(asked(home)):
        data = json.loads(place.read_bytes())
        if (load(place).details.get("decision") == "pass") != passed:
            continue
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps({**data, "label": label}))
        return path
    return None


def load(path: Path) -> Kept:
    """Read it. Raises `UserError` for what `keep` has not written."""
    try:
        data = json.loads(path.read_bytes())[_FORMAT]
        base, head = UnknownTree(data["base"]), UnknownTree(data["head"])
        scope = Scope(tuple(data["allow"]), tuple(data["paths"]))
        earlier = tuple(verdict_from_dict(verdict) for verdict in data["earlier"])
        baseline = report_from_dict(data["baseline"]) if data["baseline"] else None
        return Kept(Change(base, head, data["diff"], data["prompt"], scope), earlier, baseline, data["details"])
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is no question to a judge of this greylag: {error}") from error
