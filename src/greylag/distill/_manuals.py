"""Manuals that tools print with an error, the same for every one: they take the room of what the error is."""

from collections.abc import Sequence

BEGIN, _END = "Jest encountered an unexpected token", "Details:"
_LONGEST = 40  # lines of one


def without_manuals(lines: Sequence[str]) -> list[str]:
    """The lines without those in which jest explains its settings, up to its details."""
    kept: list[str] = []
    at = 0
    ends = [at for at, line in enumerate(lines) if line.strip() == _END]
    for end in ends:
        begin = next((row for row in range(max(at, end - _LONGEST), end) if lines[row].strip() == BEGIN), end)
        kept += lines[at:begin]
        at = end + (begin < end)
    return [*kept, *lines[at:]]
