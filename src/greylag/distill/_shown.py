"""How the lines that were kept are shown: in their order, with a mark for each gap."""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from greylag.distill._lines import Lines

_OURS = re.compile(r"\.\.\. (?:\d{1,20} (?:lines|characters)|\(the log is cut)")


class Shown:
    """Text of some of the lines. A mark counts the lines with text that a gap holds, or the characters of one line."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        begins = map(operator.gt, map(bool, lines.texts), lines.more)
        self._filled = list(accumulate(begins, initial=0))
        long = 1 in lines.more
        self._sizes = list(accumulate(map(len, lines.texts), initial=0)) if long else [0] * len(self._filled)

    def text(self, kept: Sequence[int]) -> str:
        """The lines of these numbers. Lines of the log that look like marks are moved to the right."""
        out: list[str] = []
        last = -1
        for at in [*kept, len(self._lines.texts)]:
            gap = self._gap(last, at)
            if gap:
                out += ["\n"] * bool(out) + [gap]
            if at < len(self._lines.texts):
                text = self._lines.texts[at]
                begins = bool(gap) or not self._lines.more[at]
                out += ["\n"] * (begins and bool(out)) + [" "] * (begins and bool(_OURS.match(text))) + [text]
            last = at
        return "".join(out)

    def _gap(self, last: int, at: int) -> str:
        """The mark for what is left out between two lines, if anything."""
        filled, sizes, end = self._filled, self._sizes, len(self._lines.texts)
        row, following = filled[last + 1], filled[min(at + 1, end)] + (at == end)
        if row == following:
            characters = sizes[at] - sizes[last + 1]
        else:
            rest = sizes[bisect_right(filled, row) - 1] - sizes[last + 1] if last >= 0 else 0
            characters = rest + (sizes[at] - sizes[bisect_left(filled, following) - 1] if at < end else 0)
        counts = ((max(0, following - row - 1), "lines"), (characters, "characters"))
        said = [", ".join(f"{count} {what}" for count, what in counts if count)]
        if self._lines.lost and last < self._lines.cut <= at:
            said.append(f"(the log is cut here: {max(1, round(self._lines.lost / 1e6))} MB are not shown)")
        return " ".join(["...", *filter(None, said)]) if any(said) else ""
