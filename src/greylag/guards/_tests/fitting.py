"""Which names that a runner reported may be those of a test that is known from the contents of its file."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from greylag.guards._cases.matching import Found
from greylag.guards._cases.reported import plain, steady
from greylag.guards._cases.titles import Pieces, filled
from greylag.text import one_line

_SEPARATOR = re.compile(r"[\s.:>/#]")
_LONGEST = 500  # characters of a name
_WORD = r"[^\s.:>/#]"


@dataclass(frozen=True, slots=True)
class Names:
    """Names by their last word, and all of them by "": a report may have tens of thousands."""

    index: dict[str, list[str]]

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """The index of these names."""
        index: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            index[""].append(name)
            index[_SEPARATOR.split(name)[-1]].append(name)
        return cls(dict(index))

    def fitting(self, found: Found) -> list[str]:
        """Names that end with a test's title. One with places that a run fills says little: then the titles of the
        blocks around it must be there as well, and any of them must say something.
        """
        *around, own = _titles(found)
        if len(own) == 1:
            titles = dict.fromkeys((steady(own[0]), plain(own[0])))
            return [name for title in titles for name in self._ending(((title,),))]
        said = any(re.search(_WORD, piece) for title in (*around, own) for piece in title)
        return self._ending((*around, tuple(map(steady, own)))) if said else []

    def _ending(self, titles: tuple[Pieces, ...]) -> list[str]:
        words = _SEPARATOR.split(titles[-1][-1])
        near = self.index.get(words[-1] if len(words) > 1 or len(titles[-1]) == 1 else "", ())
        pattern = _pattern(titles)
        return [name for name in near if pattern.match(name)]


def certain(found: Found) -> bool:
    """Whether the title of a test has no places that a run fills."""
    return len(_titles(found)[-1]) == 1


def _titles(found: Found) -> tuple[Pieces, ...]:
    if found.case.titles:  # blanks as readers of reports leave them
        return tuple(tuple(one_line(piece, _LONGEST) for piece in title) for title in found.case.titles)
    name = re.sub(r"#\d+$", "", found.case.name).strip("`")
    return ((name.rpartition(".")[2],) if found.file.path.endswith(".py") else filled(name),)


def _pattern(titles: tuple[Pieces, ...]) -> re.Pattern[str]:
    """The titles in their order, each after a separator. Atomic groups: no name takes more than linear time."""
    begin, around = f"(?<!{_WORD})", ""
    for first, *more in titles[:-1]:
        parts = [begin + re.escape(first), *map(re.escape, more)]
        parts[-1] += f"(?!{_WORD})" if (more or [first])[-1] else ""
        around += "".join(f"(?>.*?{part})" for part in parts)
    *before, last = titles[-1]
    own = [(begin if number == 0 else "") + re.escape(part) for number, part in enumerate(before)]
    middle = "".join(f"(?>.*?{part})" for part in own)
    return re.compile(f"{around}{middle}.*{'' if own else begin}{re.escape(last)}$", re.DOTALL)
