"""Hunks that make one and the same edit: what a change repeats in a hundred files need not be shown a hundred times.

Two hunks are alike when the tokens that go and the tokens that come are the same, white space and line ends among them;
so nothing that is changed stays unseen. What the edits stand in may differ.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from greylag.diffs import FileDiff, Line
from greylag.judge._reveal import hidden
from greylag.kinds import GUARDED, classify

Edit = tuple[tuple[str, str], ...]  # what goes, what comes

_EXAMPLES = 3  # of one edit that are shown
_MANY = 8  # hunks of one edit, from which on the others are left out
_CHARACTERS, _TOKENS = 2000, 300  # of a hunk that is compared at all
_TOKEN = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")


def repeated(files: Sequence[FileDiff]) -> dict[tuple[str, int], Edit]:
    """Hunks that need not be shown, by path and number: further ones of an edit that many make.

    Never those of tests, CI, build files and the like, and never one with characters that do not show.
    """
    edits = {
        (file.path, number): edit
        for file in files
        if classify(file.path) not in GUARDED
        for number, (_, lines) in enumerate(file.hunks)
        if (edit := _edit(lines))
    }
    times = Counter(edits.values())
    shown: Counter[Edit] = Counter()
    left: dict[tuple[str, int], Edit] = {}
    for place, edit in edits.items():
        shown[edit] += 1
        if times[edit] >= _MANY and shown[edit] > _EXAMPLES:
            left[place] = edit
    return left


def _edit(lines: Sequence[Line]) -> Edit:
    """What a hunk takes away and puts there; nothing for one that is too long, or not quite what it looks like."""
    old, new = ("\n".join(line.text for line in lines if line.sign == sign) for sign in "-+")
    if len(old) + len(new) > _CHARACTERS or any(hidden(line.text) for line in lines):
        return ()
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) + len(after) > _TOKENS:
        return ()
    return tuple(_changes(before, after))


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield "".join(before[a:b]), "".join(after[c:d])
