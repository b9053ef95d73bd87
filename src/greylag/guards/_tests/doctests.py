"""Examples in the documentation of Rust: cargo runs them as tests, so they are compared like tests."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.case import Case
from greylag.guards._cases.cases import cases
from greylag.guards._cases.matching import Stage, after, alike, always, before, matched
from greylag.guards._code.source import language
from greylag.guards._guard import finding, read
from greylag.guards._tests.losses import weaker
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_DOC = re.compile(r"[ \t]{0,100}//([/!])(?!/) ?(.*)", re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*([^`]*)")
_RUN = re.compile(r"rust|edition\d+|should_panic|")
_ITEM = re.compile(r"\b(?:fn|struct|enum|union|trait|mod|const|static|type|macro_rules!)\s+(\w+)")
_WORD = re.compile(r"\w+")
_HIDDEN = re.compile(r"^\s*#(?:\s+|$)")
_WHOLE = "the module"
_WHAT = "the documentation's example "
_MOST = 500  # examples of one file


def doctests(path: str, text: str, *, run: bool = True) -> tuple[Case, ...]:
    """The examples that run, or those that do not, each by the name of what it documents."""
    if language(path) != "rust" or ("```" not in text and "~~~" not in text):
        return ()
    found: list[Case] = []
    for name, line, code, panics in _examples(text, run=run):
        mark = "#[should_panic]\n" if panics else ""
        for case in cases("doc.rs", f"#[test]\n{mark}fn example() {{\n{code}\n}}\n")[:1]:
            number = sum(one.name.partition("#")[0] == name for one in found[-20:]) + 1
            found.append(replace(case, name=name if number == 1 else f"{name}#{number}", line=line))
        if len(found) == _MOST:
            break
    return tuple(found)


def _examples(text: str, *, run: bool) -> Iterator[tuple[str, int, str, bool]]:
    waiting: list[tuple[int, str, bool]] = []  # line, code, and whether it must panic, of the item that follows
    block: list[str] | None = None
    fence, info, began = "", "", 0
    for number, line in enumerate(text.split("\n"), 1):
        doc = _DOC.fullmatch(line.rstrip("\r"))
        if doc is None:
            if line.strip() and not line.lstrip().startswith(("#", "//")):
                item = _ITEM.search(line[:300]) or _WORD.search(line[:300])
                yield from ((item[item.lastindex or 0] if item else "?", *one) for one in waiting)
                waiting = []
            block = None
        elif block is None:
            if opened := _FENCE.fullmatch(doc[2]):
                block, fence, info, began = [], opened[1], opened[2].strip(), number
        elif doc[2].strip().startswith(fence):
            words = re.split(r"[,\s]+", info)
            if all(map(_RUN.fullmatch, words)) is run:
                found = began, "\n".join(block), "should_panic" in words
                if doc[1] == "!":
                    yield _WHOLE, *found
                else:
                    waiting.append(found)
            block = None
        else:
            block.append(_HIDDEN.sub("", doc[2]))


def lost_examples(change: Change) -> Iterator[Diagnostic]:
    """Examples that assert less than they did, or that are not run any more."""
    files = [file for file in parse(change.diff) if language(file.path) == "rust" and not file.binary]
    base = [found for found in before(change, files, doctests) if found.case.proof.asserts]
    if not base:
        return
    idle = {found.case.digest for found in after(change, files, partial(doctests, run=False))}
    pairs, gone, _ = matched(base, list(after(change, files, doctests)), _STAGES)
    for was, now in pairs:
        yield from weaker(change, was, now, what=_WHAT)
    for found in gone:
        message = f"no longer runs {_WHAT}of `{found.case.name}`, which asserts"
        sure = found.case.digest in idle or _is_left(change, found.file, found.case.name)
        shown = Severity.ERROR if sure else Severity.WARNING
        yield finding(change, "tests", "tests/deleted-test", message, found.file.path, severity=shown)


def _is_left(change: Change, file: FileDiff, name: str) -> bool:
    """Whether the item that an example documents is still there."""
    text = read(change.head, file.path) if file.status != "deleted" else None
    word = name.partition("#")[0]
    return text is not None and word != _WHOLE and re.search(rf"\b{re.escape(word)}\b", text) is not None


_STAGES: tuple[Stage, ...] = (
    (lambda found: found.case.digest, always),
    (lambda found: (found.file.path, found.case.name), always),
    (lambda found: found.case.name, alike),
)
