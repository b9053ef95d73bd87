"""Reader of what uvu prints: totals at the end, and a block for each failed test; of others it prints no name."""

import re
from collections.abc import Iterator, Sequence

from greylag.model import Counts
from greylag.readers._common import LARGEST, MOST, WORKSPACE, Tests, capped, locator, unreadable
from greylag.readers._failures import Failed, diagnose, resolver
from greylag.text import clean

_TOTALS = re.compile(r"^ +Total: +(\d{1,9})\n +Passed: +(\d{1,9})\n +Skipped: +(\d{1,9})$", re.MULTILINE)
_FAIL = re.compile(r' {1,9}FAIL {1,9}(?:(\S[^"]{0,300}) )?"(.{1,500})"')
_END = re.compile(r".{0,400}\(\d{1,9} / \d{1,9}\)$| +Total: ")  # the line of the next suite, or the totals
_LINES = 60  # of one block that are kept


def uvu_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests | tuple[()]:
    """Counts and failed tests, from one or several runs; nothing where there are no totals."""
    if len(data) > LARGEST:
        return Counts(0), (unreadable("uvu", f"{len(data)} bytes"),)
    text = clean(data)
    totals = [tuple(map(int, found)) for found in _TOTALS.findall(text)]
    if not totals:
        return ()
    total, passed, skipped = map(sum, zip(*totals, strict=True))
    locate, resolve = locator(cwd, workspace), resolver(())
    diagnostics = capped(diagnose(failed, locate, resolve) for failed in _failures(text.split("\n")))
    return Counts(total, max(0, total - passed), skipped), diagnostics


def _failures(lines: Sequence[str]) -> Iterator[Failed]:
    name, block, found = "", list[str](), 0
    for line in (*lines, "  Total: "):
        hit = _FAIL.fullmatch(line)
        if (hit or _END.match(line)) and name and found < MOST:
            found += 1
            said = "\n".join(block)
            yield Failed(name, said, said)
        if hit:
            name, block = " > ".join(filter(None, ((hit[1] or "").strip(), hit[2]))), []
        elif _END.match(line):
            name = ""
        elif name and line.strip() and len(block) < _LINES and not (_traced(block) and not line.startswith(" ")):
            block.append(line)


def _traced(block: Sequence[str]) -> bool:
    """Whether a block has come to its stack trace, which ends it."""
    return bool(block) and block[-1].startswith("    at ")
