"""Names that a change gives to functions and classes of the sources: tests that follow are the tests they were."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.case import Case
from greylag.guards._cases.cases import unit_tests
from greylag.guards._cases.matching import Found
from greylag.guards._cases.runs import WIDEST, runs
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import read
from greylag.kinds import TESTS, matches
from greylag.protocols import Change, Tree

_WORD = re.compile(r"[^\W\d]\w*|\W|\d\w*")
_MAKES = (
    r"\b(?:def|defp|function|func|fn|fun|class|struct|enum|trait|interface|module|defmodule|type|const|let|var)\b"
    r"[^=;]{0,100}?"
)
_LONGEST, _MOST = 5000, 200  # lines of a body, and names that are looked at


def renamed_sources(change: Change) -> dict[str, str]:
    """Names that are gone from a source -> those that took their place, with the same body."""
    found: dict[str, str] = {}
    for file in parse(change.diff):
        if file.status not in {"modified", "renamed"} or language(file.path) is None or matches(file.path, TESTS):
            continue
        old, new = (_code(*side) for side in ((change.base, file.old_path), (change.head, file.path)))
        had, has = (frozenset(re.findall(r"\w+", code)) for code in (old, new))
        pairs = islice(_candidates(file), _MOST)
        gone = {was: now for was, now in pairs if was in had and was not in has and now not in had}
        lines = [code.split("\n") for code in (translated(old, gone), new)] if gone else []
        found |= {was: now for was, now in gone.items() if _same(lines[0], lines[1], now)}
    return found


def translated(text: str, names: Mapping[str, str]) -> str:
    """A text with the new names in the place of the old ones."""
    return re.sub(r"[^\W\d]\w*", lambda match: names.get(match[0], match[0]), text)


def followed(
    change: Change, rest: Sequence[Found], cases: Callable[[str, str], Sequence[Case]]
) -> Iterator[tuple[Found, Found]]:
    """Lost tests, and what they are with the new names of the sources; nothing of those that have none of these."""
    names = renamed_sources(change) if rest else {}
    files = {found.file.path: found.file for found in rest if not names.keys().isdisjoint(found.case.words)}
    for file in files.values():
        text = (read(change.base, file.old_path) or "")[:LARGEST]
        own = [found for found in rest if found.file is file]
        was, now = cases(file.old_path, text), cases(file.old_path, translated(text, names))
        if len(was) == len(now):
            places = {case.line: new for case, new in zip(was, now, strict=True)}
            for found in own:
                if new := places.get(found.case.line):
                    yield found, Found(file, new)


def kept(found: Found, new: Found) -> Found:
    """A test with the new names in its body, under the name by which a runner knew it."""
    return replace(new, case=replace(new.case, name=found.case.name, titles=found.case.titles))


def _code(tree: Tree, path: str) -> str:
    """The code of a source, without the unit tests in it."""
    text = (read(tree, path) or "")[:LARGEST]
    return scan(text, language(path) or "hash").code[: unit_tests(path, text) or None]


def _candidates(file: FileDiff) -> Iterator[tuple[str, str]]:
    """Words in which a removed line and the one that came for it differ, and nothing else."""
    for run in runs(file):
        for was, now in zip(run.removed, run.added, strict=False):
            yield from _differing(_WORD.findall(was.text[:WIDEST]), _WORD.findall(now.text[:WIDEST]))


def _differing(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    if len(old) == len(new):
        found = {(was, now) for was, now in zip(old, new, strict=True) if was != now}
        if all(was[:1].isidentifier() and now[:1].isidentifier() for was, now in found):
            yield from found


def _same(old: list[str], new: list[str], name: str) -> bool:
    """Whether both sides, with the new names, have one definition of a name, and the same one."""
    word = re.escape(name)
    made = re.compile(
        rf"{_MAKES}\b{word}\b|^[\w\s*&<>,.:\[\]]{{0,200}}(?<![\w.]){word}\s*+\([^;=]{{0,500}}[{{(,]\s*+$"
        rf"|(?<!\w){word}\s*+[:=]\s*+(?:async\b|function\b|\(|\w+\s*+=>)"
    )
    before, after = ([_block(lines, number) for number in _made(lines, made, name)] for lines in (old, new))
    return bool(before) and before == after


def _made(lines: list[str], made: re.Pattern[str], name: str) -> list[int]:
    return [number for number, line in enumerate(lines) if name in line and made.search(line[:WIDEST])]


def _block(lines: list[str], start: int) -> str:
    """A line, and those that are deeper than it, without blanks."""
    level = len(lines[start]) - len(lines[start].lstrip())
    parts = [lines[start]]
    for line in lines[start + 1 : start + _LONGEST]:
        if line.strip() and len(line) - len(line.lstrip()) <= level:
            break
        parts.append(line)
    return "".join("".join(parts).split())
