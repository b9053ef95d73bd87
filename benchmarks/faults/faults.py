"""Reads the faults. README.md says how they are written."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent
ENDS = {"passed": 0, "failed": 1, "errored": 75}  # exit codes of `greylag verify`
_KEYS = {"name", "ends", "says", "never", "before", "edits", "files", "settings", "needs"}


@dataclass(frozen=True)
class Fault:
    """One change to a small repository, and how `greylag verify` must end."""

    ecosystem: str
    name: str
    base: dict[str, str]
    setup: tuple[str, ...]  # a command that completes the base, as by a lock file
    change: dict[str, str | None]  # None: the file is deleted
    ends: str  # one of `ENDS`
    says: tuple[str, ...]  # words that the first ten lines of the report have
    never: tuple[str, ...]  # words that the report must not have
    settings: str  # of greylag, in TOML
    needs: tuple[str, ...]  # programs without which it cannot be tried


def faults(place: Path = PLACE) -> Iterator[Fault]:
    """All faults, one file for each ecosystem."""
    for path in sorted(place.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for entry in data["fault"]:
            yield _fault(path.stem, data, entry)


def _fault(ecosystem: str, data: Mapping[str, Any], entry: Mapping[str, Any]) -> Fault:
    where = f"{ecosystem}.toml, {entry.get('name')}"
    ends = entry.get("ends", "failed")
    if entry.keys() - _KEYS or ends not in ENDS:
        raise ValueError(f"{where}: unknown keys {sorted(entry.keys() - _KEYS)}, or an unknown end `{ends}`")
    base = {**data["base"], **entry.get("before", {})}
    change: dict[str, str | None] = {}
    for name, (old, new) in entry.get("edits", {}).items():
        if old not in base[name]:
            raise ValueError(f"{where}: {name} has no `{old}`")
        change[name] = base[name].replace(old, new)
    change |= {name: None if text is False else text for name, text in entry.get("files", {}).items()}
    return Fault(
        ecosystem, entry["name"], base, tuple(data.get("setup", ())), change, ends, tuple(entry.get("says", ())),
        tuple(entry.get("never", ())), entry.get("settings", ""), (*data.get("needs", ()), *entry.get("needs", ())),
    )  # fmt: skip
