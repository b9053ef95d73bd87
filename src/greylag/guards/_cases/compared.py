"""Both sides of a comparison, with what local names stand for: whether it can fail by what is tested at all.

Sides are text: of Python as `ast.unparse` writes it, of other languages without blanks.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from greylag.guards._code.source import LITERAL

WIDEST = 500  # characters of a side that are looked at
RAISED = "raised by the test"  # a side that is an exception which the test itself raises
_MOST = 30  # comparisons that are compared one with another


class Compared(NamedTuple):
    """One comparison for equality, with values in the place of names."""

    left: str
    right: str


def own(one: Compared) -> bool:
    """Whether it holds by itself: two calls of one function, a choice that has the expected value, literals alone."""
    left, right = (re.sub(r"^(?:await ?)+(?=\w)", "", side) for side in one)
    if max(len(left), len(right)) > WIDEST or not left or not right:
        return False
    if left == right or (_callee(left) and _callee(left) == _callee(right)):
        return True
    if RAISED in one or not any(_NAMES.search(LITERAL.sub("0", side)) for side in one):
        return True
    return _picks(left, right) or _picks(right, left) or _falls_back(left, right) or _falls_back(right, left)


def independent(found: Sequence[Compared]) -> tuple[int, int]:
    """How many say something, and how many hold by themselves."""
    mine = sum(map(own, found))
    return len(found) - mine, mine


def changed(old: Sequence[Compared], new: Sequence[Compared]) -> tuple[list[Compared], list[Compared]]:
    """Comparisons that are gone, and those that have come."""
    before, after = Counter(old), Counter(new)
    return list((before - after).elements())[:_MOST], list((after - before).elements())[:_MOST]


def tested(found: Sequence[Compared]) -> frozenset[str]:
    """Last names of the functions whose answers are compared."""
    return frozenset(
        name.rstrip("(").rpartition(".")[2]
        for one in found for side in one if len(side) <= WIDEST and (name := _callee(side))
    )  # fmt: skip


TOKEN = re.compile(
    r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|`(?>(?:[^`\\]|\\.)*)`|[(){}\[\],]|[^(){}\[\],\"'`]+|."
)


def sides(claim: str) -> list[str]:
    """The arguments of a call."""
    found, depth = [""], 0
    for match in TOKEN.finditer(claim[: 2 * WIDEST]):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if depth == 1 and match[0] == ",":
            found.append("")
        elif depth > 1 or (depth == 1 and match[0] not in "([{"):
            found[-1] += match[0]
        elif depth == 0 and match[0] in ")]}":
            break
    return [one.strip() for one in found]


# -- a comparison by itself ------------------------------------------------------------------------------------------

_NAMES = re.compile(
    r"(?<![\w.\"'`])(?!(?:True|False|None|true|false|null|undefined|new|List|Set|Map|Arrays)\b)[A-Za-z_$]"
)
_CALLED = re.compile(r"(?!new[A-Z])(?:[\w$]+\.)*(?P<leaf>[a-z_$][\w$]*)\(")
_WORDS = """
abs all any bool bytes dict enumerate filter float frozenset getattr hash id int iter len list map max min next of ord
parse pow range repr reversed round set sorted str string stringify sum super tuple type vars zip asList fromEntries
keys values entries copyOf valueOf
"""
_COMMON = frozenset(_WORDS.split())  # build or convert values: that both sides call them says nothing
_JOINTS = re.compile(r"&&|\|\||\?\?|\?(?![.?])|:| or | and | if | else ")
_CLOSES = {")": "(", "]": "[", "}": "{"}


def _callee(side: str) -> str:
    """The function that a side is a call of as a whole: its last name, for one of an object with that."""
    match = _CALLED.match(side)
    if match is None or match["leaf"] in _COMMON or _end(side, match.end() - 1) != len(side):
        return ""
    return match[0]


def _end(text: str, start: int) -> int:
    """Where the bracket that opens at a place is closed, and after it."""
    depth = 0
    for place, _, mark in _marks(text[start:]):
        depth += (mark in "([{") - (mark in ")]}")
        if depth == 0:
            return start + place + 1
    return -1


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    """Brackets and commas outside of strings."""
    strings = r"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|`(?>(?:[^`\\]|\\.)*)`|(?P<mark>[(){}\[\],])"
    for match in re.finditer(strings, text):
        if match["mark"]:
            yield match.start(), match.end(), match["mark"]


def _picks(side: str, other: str) -> bool:
    """Whether one side is a choice, or a call, that is given the other side beside something else."""
    operands = _split(side)
    if len(operands) > 1 and other in operands:
        return True
    name = re.match(r"(?!new[A-Z])(?:[\w$]+\.)*([\w$]+)\(", side)
    if name is None or _end(side, name.end() - 1) != len(side) or name[1] in _BUILD:
        return False
    given = sides(side)
    return other in given and any(one != other and "(" in one for one in given)


_BUILD = frozenset({"of", "asList", "list", "tuple", "Arrays"})


def _split(side: str) -> list[str]:
    """Operands of the operators that choose one of several values, at the top of an expression."""
    found, depth, begin = list[str](), 0, 0
    for match in re.finditer(rf"\"(?>(?:[^\"\\]|\\.)*)\"|'(?>(?:[^'\\]|\\.)*)'|[(){{}}\[\]]|{_JOINTS.pattern}", side):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if depth == 0 and _JOINTS.fullmatch(match[0]):
            found.append(side[begin : match.start()].strip())
            begin = match.end()
    return [*found, side[begin:].strip()]


_FALLBACK = re.compile(
    r"(?:(?:[A-Za-z_$][\w$]{0,100}|[)\]]) ?(?:\?\?|\|\|| or | else )"
    r"|\b(?:get|getattr|next|pop|setdefault|getOrDefault|orElse|max|min"
    r"|defaultTo|withDefault)"
    r"\((?:[^()]{1,100},\s?)?)"
    rf"(?P<value>{LITERAL.pattern})"
)
_PLAIN = re.compile(r"None|null|undefined|nil|Some|[Tt]rue|[Ff]alse|0|-1|\"\"|''|``")


def _falls_back(side: str, other: str) -> bool:
    """Whether a part of one side becomes, where it is missing, a literal that the other side has."""
    return any(
        not _PLAIN.fullmatch(match["value"]) and match["value"] in LITERAL.findall(other)
        for match in _FALLBACK.finditer(side)
        if _NAMES.search(LITERAL.sub("0", side))
    )


# -- one comparison in place of another ------------------------------------------------------------------------------

_LOSSY = (
    r"(?:abs|fabs|round|floor|ceil|trunc|lower|upper|casefold|l?r?strip|trim|substring|substr|toLowerCase|toUpperCase"
    r"|startsWith|startswith)"
)
_ORDERED = (
    r"(?:sorted\w*|to_?[sS]orted\w*|sort\w*|(?:frozen|new)?[sS]et|toSet|to(?:Mutable|Hash)Set|Counter|HashSet(?:::\w+)?|TreeSet(?:<>)?"
    r"|BTreeSet(?:::\w+)?)"
)
_SET = r"collect::<\w*Set<[^<>()]{0,40}>>"
_LOSES = re.compile(
    rf"(?<![\w$]){_LOSSY}\(|\[[^\[\]{{}}]{{0,40}}:[^\[\]{{}}]{{0,40}}\]|\.slice\(|\.[tT]rim(?:Space|_\w+)?\(|\.TrimSpace\("
)
ORDERS = re.compile(rf"(?<![\w$]){_ORDERED}\(|{_SET}")
UNORDERED = re.compile(  # what has no order by itself
    r"listdir|iterdir|scandir|read_?dir|ReadDir|glob|\bwalk|listFiles|list_files|\bkeys\b|keySet|\bvalues\b|entrySet|\bitems\b|entries"
    r"|Object\.|Map\(|[sS]et\b"
)


def made_alike(gone: Sequence[Compared], come: Sequence[Compared]) -> bool:
    """Whether a value is compared with the same one as before, after something that makes different ones alike."""
    return any(
        loses(new, old)
        for old in gone for new in come if max(map(len, (*old, *new))) <= WIDEST
    )  # fmt: skip


def loses(new: Compared, old: Compared) -> bool:
    """Whether the one side that was is in the new one, within a call that loses a part of it, or its order."""
    for was, same, now, still in (
        (old.left, old.right, new.left, new.right), (old.right, old.left, new.right, new.left),
    ):  # fmt: skip
        around = _around(was, now)
        if _TRUTH.search(still) and not _TRUTH.search(same) and "(" in was and was == now:
            return True
        if "(" not in was or not around:
            continue
        plain = not (_names(same) or _names(still))
        alike = same == still or bool(_around(same, still)) or (plain and _bare(same) == _bare(still))
        unordered = not UNORDERED.search(was) and (ORDERS.search(around) or around == "{}")
        if (alike and _LOSES.search(around)) or ((alike or plain) and unordered):
            return True
        if plain and (_TRIMS.search(around) or _TYPES.search(around)):
            return True
        if alike and same != still and _REDUCES.search(around):
            return True
        if plain and _REDUCES.search(around) and len(LITERAL.findall(still)) < len(LITERAL.findall(same)):
            return True
    return False


def _around(was: str, now: str) -> str:
    """What stands around one expression in another, whatever literals it has; of a list that is a set, its braces."""
    before, after = LITERAL.sub("#", _LISTED.sub(r"\1", was)), LITERAL.sub("#", now)
    place = after.find(before) if before != after else -1
    if place < 0 and f"{before[:1]}{before[-1:]}{after[:1]}{after[-1:]}" == "[]{}" and before[1:-1] == after[1:-1]:
        return "{}"
    return after[:place] + after[place + len(before) :] if place >= 0 else ""


def _bare(side: str) -> str:
    return re.sub(r"[\W_]", "", side).lower()


_TRUTH = re.compile(r"[+*-] ?(?:\([^()]{0,200}(?:[=!]=|[<>])[^()]{0,200}\)|[Tt]rue\b|[Ff]alse\b|not )")  # as a number
_TYPES = re.compile(r"(?<![\w$.])(?:type|typeof|bool|Boolean|isinstance|callable)(?:\(|\b|(?=[a-z]))|\.getClass\(")
_REDUCES = re.compile(
    r"(?<![\w$])(?:len|sum|max|min|any|all|hash|count|size|length|list|tuple|slice|substr\w*|sub[lL]ist|keys|values|first|last|at|take)\(|\.(?:length|size)\b|\[[^\[\]]{0,40}\]"
)
_LISTED = re.compile(r"^(?:list|tuple)\((\w[\w.]*\(.*\))\)$", re.DOTALL)  # what sorting makes a list of, too
_TRIMS = re.compile(r"(?<![\w$])(?:l?r?strip|trim\w*|TrimSpace)\(")
_MAKES = re.compile(
    r"\b(?:new)?(?:frozenset|set|Set|HashSet(?:::\w+)?|BTreeSet(?:::\w+)?|(?:List|Set|Map)\.of|Arrays\.asList|(?:list|set)Of|vec|string)\b!?"
)


def _names(side: str) -> bool:
    """Whether a side is more than literals, and what makes a list or set of them."""
    return _NAMES.search(LITERAL.sub("0", _MAKES.sub("", side))) is not None


def handed_over(gone: Sequence[Compared], come: Sequence[Compared]) -> bool:
    """Whether both sides of a comparison went into a call whose answer is compared in their place."""
    for new in come:
        for side in new:
            given = sides(side) if len(side) <= WIDEST and re.match(r"!?[\w$.]+\(", side) else []
            if any(old.left in given and old.right in given for old in gone):
                return True
    return False
