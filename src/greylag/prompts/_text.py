"""A prompt in units that belong together (a paragraph, a list, headings), in sentences, without its code."""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Literal

WORDS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(files("greylag.prompts").joinpath("words.toml").read_text("utf-8")).items()
}

Kind = Literal["prose", "list", "headings"]
_Kind = Literal["prose", "item", "heading", "code"]

_ITEM = re.compile(
    r"\s{0,8}(?:(?:[-*+]|\d{1,2}[.)])\s+(?:\[.\]\s+)?"
    r"|(?=[*_]{0,2}(?:step|task|part|change|item|ticket) \d))",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"[*_]{0,2}(?:(\d{1,2})[.)]|(step|task|part|change|item|ticket) \d{1,2}\b)[\s.:)*_\u2013\u2014-]*", re.IGNORECASE
)
_HEADING = re.compile(r" {0,3}#{1,6}\s+")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_END = re.compile(r"(?<=[.!?:])[\"')*_]{0,3}\s+(?=[A-Z`\"'(*_])|(?<=[.!?])\s+(?=[a-z])")
_SHORT = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf)\.$", re.IGNORECASE)
_QUOTED = re.compile(r"`[^`\n]{0,200}`|\"[^\"\n]{0,100}\"|\([^()\n]{0,200}\)")
_SIZE = 2000  # characters of a line, and of a sentence
_LINES = 5000  # that are read


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words up to a full stop. `starts`: at which character which line begins.

    `mark`: what an item or a heading is counted by, such as `step`, or `number` where that is all.
    """

    text: str
    starts: Sequence[tuple[int, int]]
    mark: str = ""

    def at(self, offset: int = 0) -> int:
        """The line in which a character stands."""
        return self.starts[bisect_right(self.starts, (offset, 1 << 30)) - 1][1]


@dataclass(frozen=True, slots=True)
class Unit:
    """Sentences that are read together: of a paragraph, of all items of a list, or the headings below the title."""

    kind: Kind
    sentences: Sequence[Sentence]


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt outside of code. `code` tells whether there is any."""

    title: Sequence[Sentence]
    units: Sequence[Unit]
    code: bool

    @property
    def sentences(self) -> Iterator[Sentence]:
        """All of them."""
        yield from self.title
        for unit in self.units:
            yield from unit.sentences

    def first(self, pattern: re.Pattern[str], *, quoted: bool = True) -> tuple[int, re.Match[str]] | None:
        """The line and the words where a pattern is found first; else than `quoted`, not in what is marked as code."""
        for sentence in self.sentences:
            if hit := pattern.search(sentence.text if quoted else masked(sentence.text)):
                return sentence.at(hit.start()), hit
        return None


def masked(text: str) -> str:
    """As long as it was, without the words of what is quoted or in brackets."""
    return _QUOTED.sub(lambda hit: "`" + "_" * (len(hit[0]) - 2) + "`", text)


@dataclass(slots=True)
class _Block:
    kind: _Kind
    lines: list[tuple[int, str]]
    mark: str = ""


def read(text: str) -> Text:
    """Take a prompt apart."""
    blocks = list(_blocks(text))
    code = [block for block in blocks if block.kind == "code"]
    headings = [_sentences(block) for block in blocks if block.kind == "heading"]
    units: list[Unit] = []
    for kind, group in groupby((block for block in blocks if block.kind != "code"), lambda block: block.kind):
        if kind == "prose":
            units += [Unit("prose", _sentences(block)) for block in group]
        elif kind == "item":
            units.append(Unit("list", [sentence for block in group for sentence in _sentences(block)]))
    if headings[1:]:
        units.append(Unit("headings", [sentence for block in headings[1:] for sentence in block]))
    return Text(headings[0] if headings else (), units, bool(code))


def _blocks(text: str) -> Iterator[_Block]:
    block: _Block | None = None
    fence = ""
    for number, whole in enumerate(text.splitlines()[:_LINES], 1):
        line = whole[:_SIZE]
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not line.strip(" `~") else fence
            continue
        new: _Block | None = None
        if mark:
            fence, new = mark[1], _Block("code", [])
        elif heading := _HEADING.match(line):
            new = _Block("heading", *_marked(number, line[heading.end() :].strip(" #")))
        elif item := _ITEM.match(line):
            new = _Block(
                "item", *_marked(number, line.strip() if item[0].strip()[:1].isdigit() else line[item.end() :])
            )
        elif line.strip() and not (block and block.kind in {"prose", "item"}):
            new = _Block("code" if line.startswith(("    ", "\t")) else "prose", [(number, line)])
        elif line.strip() and block:
            block.lines.append((number, line))
        elif block:
            yield block
            block = None
        if new:
            if block:
                yield block
            block = new
    if block:
        yield block


def _marked(number: int, line: str) -> tuple[list[tuple[int, str]], str]:
    mark = _MARK.match(line)
    name = ("number" if mark[1] else mark[2].lower()) if mark else ""
    return [(number, line[mark.end() :] if mark else line)], name


def _sentences(block: _Block) -> list[Sentence]:
    starts: list[tuple[int, int]] = []
    size = 0
    for number, line in block.lines:
        starts.append((size, number))
        size += len(line.strip()) + 1
    text = " ".join(line.strip() for _, line in block.lines)
    found: list[Sentence] = []
    begin = 0
    ends = [hit.end() for hit in _END.finditer(text) if not _SHORT.search(text, max(0, hit.start() - 6), hit.start())]
    for end in (*ends, len(text)):
        while begin < end:
            stop = min(end, begin + _SIZE)
            near = starts[bisect_right(starts, (begin, 1 << 30)) - 1 : bisect_left(starts, (stop, 0))]
            places = [(max(0, at - begin), number) for at, number in near]
            found.append(Sentence(text[begin:stop].rstrip(), places, block.mark if not begin else ""))
            begin = stop
    return found
