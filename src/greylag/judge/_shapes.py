"""Hunks that make one and the same edit: what a change repeats in a hundred files need not be shown whole each time.

Two hunks are alike when the same tokens go and come, white space and line ends among them. Of the lines around, those
must be alike that give an edit its meaning: how the statement begins that a changed line follows, and the block that it
opens; where lines come or go, what they stand behind and all that lies between. Further ones are cut down to the lines
that change, so that no changed line stays unseen but one that was shown before, word for word.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, takewhile

from greylag.diffs import FileDiff, Line
from greylag.judge._reveal import hidden

_EXAMPLES = 3  # of one edit that are shown whole
_MANY = 8  # hunks of one edit, from which on the others are cut down
_WORTH = 24  # characters that are left out of a hunk, at least, since the mark takes some
_CHARACTERS, _TOKENS = 2000, 300  # in the changed lines of a hunk that is compared at all
_COMPARED = 60  # tokens that are compared one by one, where two lines differ
_START = 200  # characters of a line that tell how it begins
_TOKEN = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")
_LEAD = re.compile(  # a word that begins a statement, in most languages: not what is called or assigned to
    r"[})\]\s]*([^\W\d]\w*)(?=\s*[;:{]?\s*$|\s+(?![-+*/%&|^<>?:!.~@]{0,3}=(?!=)|\+\+|--|<-|=>))"
)

Place = tuple[str, int]  # path, number of the hunk
_Part = tuple[Line, ...]  # neighbouring lines that all change, or all stay


@dataclass(frozen=True, slots=True)
class Again:
    """A hunk that repeats the edit of an example: what is left of it, and where in the head the example stands.

    Nothing is left where all that would be left is there, too.
    """

    path: str
    line: int
    lines: tuple[Line, ...] = ()


def repeated(files: Sequence[FileDiff]) -> dict[Place, Again]:
    """Hunks that need not be shown whole, as further ones of an edit that many make; never with hidden characters."""
    alike: dict[tuple[object, ...], list[tuple[Place, Sequence[Line]]]] = defaultdict(list)
    for file in files:
        for number, (_, lines) in enumerate(file.hunks):
            if edit := _edit(lines):
                alike[edit].append(((file.path, number), lines))
    return dict(again for found in alike.values() if len(found) >= _MANY for again in _further(found))


def _further(found: Sequence[tuple[Place, Sequence[Line]]]) -> Iterator[tuple[Place, Again]]:
    """All but the examples, and but those that would hardly get shorter."""
    shown: dict[tuple[str, ...], tuple[str, int]] = {}
    for at, (place, lines) in enumerate(found):
        cut = tuple(_cut(lines))
        here = place[0], next((line.new for line in cut if line.new), 1)
        there = shown.setdefault(tuple(line.sign + line.text for line in cut), here)
        again = Again(*there) if there != here else Again(*next(iter(shown.values())), cut)
        if at >= _EXAMPLES and _size(lines) - _size(again.lines) >= _WORTH:
            yield place, again


def _size(lines: Iterable[Line]) -> int:
    return sum(len(line.text) + 2 for line in lines)


def _cut(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines that change; where some come or go, with the one above and the one below, which tell where."""
    parts = _parts(lines)
    if all(map(_in_place, parts)):
        return [line for line in lines if line.sign != " "]
    kept: set[Line] = set()
    for before, part, after in _around(parts):
        kept.update(part, filter(None, (_said(reversed(before)), _said(after))))
    return [line for line in lines if line in kept]


def _edit(lines: Sequence[Line]) -> tuple[object, ...]:
    """What a hunk does, as far as it must be alike; empty for one that is too long, or not quite what it looks like."""
    changed = [line.text for line in lines if line.sign != " "]
    if sum(map(len, changed)) > _CHARACTERS or any(hidden(line.text) for line in lines):
        return ()
    if sum(len(_TOKEN.findall(text)) for text in changed) > _TOKENS:
        return ()
    parts = _parts(lines)
    if all(map(_in_place, parts)):
        near = (((_below(part, before), _opens(part, after)), _changes(part)) for before, part, after in _around(parts))
        return (frozenset((lines, change) for lines, changes in near for change in changes),)
    between = (tuple(_lead(line.text) for line in part) for part in parts[1:-1] if part[0].sign == " ")
    edit = (
        (tuple(_changes(part)), _behind(part, before), _opens(part, after)) for before, part, after in _around(parts)
    )
    return *edit, tuple(between)


def _parts(lines: Sequence[Line]) -> list[_Part]:
    return [tuple(part) for _, part in groupby(lines, lambda line: line.sign == " ")]


def _around(parts: Sequence[_Part]) -> Iterator[tuple[_Part, _Part, _Part]]:
    """Each part that changes, with what stays before it and after it."""
    for before, part, after in zip([(), *parts], parts, [*parts[1:], ()], strict=False):
        if part[0].sign != " ":
            yield before, part, after


def _in_place(part: _Part) -> bool:
    """Whether no line comes or goes: each that is taken away has one with the same indentation in its place."""
    old, new = ([_indent(line.text) for line in part if line.sign == sign] for sign in "-+")
    return old == new


def _changes(part: _Part) -> Iterator[tuple[str, str]]:
    """Tokens that go and that come: line by line where no line comes or goes."""
    old, new = ([line.text for line in part if line.sign == sign] for sign in "-+")
    for a, b in zip(old, new, strict=True) if _in_place(part) else [("\n".join(old), "\n".join(new))]:
        before, after = _apart(_TOKEN.findall(a), _TOKEN.findall(b))
        if len(before) + len(after) > _COMPARED:
            yield "".join(before), "".join(after)
            continue
        for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                yield "".join(before[i:j]), "".join(after[k:m])


def _apart(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """Both without what they begin and end with alike."""
    start = _alike(before, after)
    before, after = before[start:], after[start:]
    end = _alike(reversed(before), reversed(after))
    return before[: len(before) - end], after[: len(after) - end]


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _opens(part: _Part, after: _Part) -> str | None:
    """How the block begins that the last changed line opens, also one of several lines; None: it opens none."""
    above = _said(reversed(part)) or part[-1]
    for line in after:
        if re.search(r"\w", line.text):
            return _lead(line.text) if _depth(line) > _depth(above) else None
        above = line if line.text.strip() else above  # `):` or `{`
    return None


def _below(part: _Part, before: _Part) -> str:
    """How the statement begins that a changed line follows in the same block, such as a `return`."""
    first, above = _said(part) or part[0], _said(reversed(before))
    return _lead(above.text) if above and _depth(above) == _depth(first) else ""


def _behind(part: _Part, before: _Part) -> tuple[object, ...]:
    """What lines that come or go stand behind: how a statement begins and ends, or a block that has ended."""
    first, above = _said(part) or part[0], _said(reversed(before))
    if above is None or _depth(above) > _depth(first):
        return (above is None,)
    return _depth(first) > _depth(above), _lead(above.text), re.sub(r"\w", "", above.text.rstrip()[-1])


def _said(lines: Iterable[Line]) -> Line | None:
    """The first that is not empty."""
    return next((line for line in lines if line.text.strip()), None)


def _depth(line: Line) -> int:
    return len(_indent(line.text).expandtabs())


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _lead(text: str) -> str:
    return found[1] if (found := _LEAD.match(text.strip()[:_START])) else ""
