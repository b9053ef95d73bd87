"""What neither linter nor type checker can say of our own source."""

import re
from pathlib import Path

import greylag

_POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+")


def test_no_group_is_repeated_possessively() -> None:
    """Before Python 3.11.5 `(?:a|b)*+` does not match what it should; an atomic group `(?>(?:a|b)*)` does."""
    for path in sorted(Path(greylag.__file__).parent.rglob("*.py")):
        found = _POSSESSIVE_GROUP.search(path.read_text("utf-8"))
        assert not found, f"{path}: {found[0]}"
