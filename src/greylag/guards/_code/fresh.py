"""What a change brings: marks in the head's files that the base's do not have, wherever a move has put them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from greylag.diffs import FileDiff
from greylag.guards._code.source import LARGEST
from greylag.guards._guard import read
from greylag.protocols import Change, Tree


@dataclass(frozen=True, slots=True)
class Mark:
    """Something in a file. `key` is what makes two of them the same; `words` says it to people."""

    key: str
    line: int
    words: str


Marks = Callable[[str, str], Iterable[Mark]]  # of a path and a text


def fresh(change: Change, files: Sequence[FileDiff], marks: Marks) -> Iterator[tuple[FileDiff, Mark]]:
    """Marks by which the head has more than the base: first within each file, then over all files."""
    more: list[tuple[FileDiff, Mark]] = []
    gone: Counter[str] = Counter()
    for file in files:
        had = Counter(mark.key for mark in _before(change, file, marks))
        added = {line.new for line in file.added}
        found = _of(change.head, file.path, marks) if file.status != "deleted" else ()
        for mark in sorted(found, key=lambda mark: (mark.line in added, mark.line)):
            if had[mark.key] > 0:
                had[mark.key] -= 1
            else:
                more.append((file, mark))
        gone += had
    for file, mark in more:
        if gone[mark.key] > 0:
            gone[mark.key] -= 1
        else:
            yield file, mark


def _before(change: Change, file: FileDiff, marks: Marks) -> Iterable[Mark]:
    return _of(change.base, file.old_path, marks) if file.status not in {"added", "copied"} else ()


def _of(tree: Tree, path: str, marks: Marks) -> Iterable[Mark]:
    text = read(tree, path)
    return marks(path, text) if text is not None and len(text) <= LARGEST else ()
