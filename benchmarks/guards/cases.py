"""Reads the labelled changes. README.md says how they are written."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

PLACE = Path(__file__).parent
HELD_OUT = "held_out"  # the directory of changes that were labelled without knowledge of the guards
LABELS = ("block", "pass")
_KEYS = {"label", "why", "like", "allow", "paths"}

Files = dict[str, str | bytes]


@dataclass
class Case:
    """One change, and whether a careful maintainer wants it stopped."""

    language: str
    name: str
    label: str = ""
    why: str = ""
    like: str = ""  # the public commit that it was written after, as `owner/repository@commit`
    allow: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    base: Files = field(default_factory=dict)
    head: Files = field(default_factory=dict)
    held_out: bool = False  # written and labelled by somebody who had not read the guards: none is mended by it


def cases(place: Path = PLACE) -> Iterator[Case]:
    """All cases, one file for each language, those that are held out last."""
    for path in [*sorted(place.glob("*.diff")), *sorted(place.glob(f"{HELD_OUT}/*.diff"))]:
        for part in ("\n" + path.read_text("utf-8")).split("\n=== ")[1:]:
            yield replace(_case(path.stem, part.split("\n")), held_out=path.parent.name == HELD_OUT)


def _case(language: str, lines: list[str]) -> Case:
    where = f"{language}.diff, {lines[0]}"
    heads = [number for number, line in enumerate(lines) if line.startswith("@@ ")]
    if not heads:
        raise ValueError(f"{where}: no file")
    words = dict(line.split(": ", 1) for line in lines[1 : heads[0]] if line)
    if words.get("label") not in LABELS or "why" not in words or words.keys() - _KEYS:
        raise ValueError(f"{where}: must say label (block or pass) and why, may say like, allow and paths")
    case = Case(
        language, lines[0], words["label"], words["why"], words.get("like", ""),
        tuple(words.get("allow", "").split()), tuple(words.get("paths", "").split()),
    )  # fmt: skip
    for begin, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        _file(case, lines[begin].removeprefix("@@ "), lines[begin + 1 : end], where)
    return case


def _file(case: Case, name: str, lines: list[str], where: str) -> None:
    """Both sides of one file. One that has only added lines is new, one that has only removed lines is deleted."""
    while lines and not lines[-1]:
        lines = lines[:-1]  # between cases
    if odd := [line for line in lines if line[:1] not in {"", " ", "+", "-"}]:
        raise ValueError(f"{where}: `{odd[0]}` begins with none of blank, + and -")
    path = name.removesuffix(" (binary)")
    for side, mark in ((case.base, "-"), (case.head, "+")):
        kept = [line[1:] for line in lines if not line or line[0] in {" ", mark}]
        if any(line[:1] in {" ", mark} for line in lines):
            text = "".join(f"{line}\n" for line in kept).replace("<join>", "")
            side[path] = text if path == name else b"\0" + text.encode()
