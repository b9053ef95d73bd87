"""Commands of a shell's text: comments, quoted words and documents are none, nor is what is never reached."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<blank>(?>(?:[ \t\r]|\\\n)+))|(?P<note>\#[^\n]*+)|(?P<to>\d?>>?&[\d-]?|&>>?|\d?<&[\d-])"
    r"|(?P<mark>&&|\|\||\|&|;;&?|[;&|()\n`])"
    r"|(?P<word>(?>(?:[^\s'\"\\;&|()`\#]|(?<=[^\s;&|()`])\#|'[^']*+'|\"(?>(?:[^\"\\]|\\.)*)\"|\\.|['\"\\])+))"
    r"|(?P<other>.)",
    re.DOTALL,
)
_DOCUMENT = re.compile(r"(?<!<)<<-?[ \t]*+[\"'\\]?(\w{1,60})")
_SHELL = re.compile(r"^\s*+(?:\S{0,60}/)?(?:ba|da|z|k)?sh\b|\bssh\b")
_QUOTED = re.compile(r"'([^']*+)'|\"((?>(?:[^\"\\]|\\.)*))\"|\\(.)", re.DOTALL)
_AHEAD = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"})
_OPENS, _CLOSES = frozenset({"if", "case", "for", "while", "until", "{"}), frozenset({"fi", "esac", "done", "}"})
_UNSURE, _ASKS = frozenset({"then", "case"}), frozenset({"[", "[[", "test", "command", "which", "hash", "type"})
_INNER = re.compile(r"-[a-z]*c")  # the option of a shell behind which a text of its own stands
_SHELLS = re.compile(r"(?:ba|da|z|k|a)?sh|eval")
_HARMLESS = frozenset({"true", ":", "echo", "printf"})
_FAILS = frozenset({"false", "exit", "return", "die", "fail"})
_MOST, _LARGEST, _DEEPEST = 2000, 200_000, 3  # commands, characters of one text, and texts within texts


@dataclass(frozen=True, slots=True)
class Command:
    """The words of one command, the line that it begins on, and whether its failure is one of the whole."""

    words: tuple[str, ...]
    line: int
    heeded: bool = True
    sure: bool = True  # no condition stands before it


@dataclass(slots=True)
class _Read:
    """A command as it is read, with the mark behind it."""

    words: list[str]
    line: int
    mark: str = "\n"


def commands(text: str, *, line: int = 1, pipefail: bool = False, script: bool = False) -> list[Command]:
    """Commands in their order. `script`: a whole one, which ends with a plain `exit`, or as another program."""
    text = _without_documents(text[:_LARGEST])
    pipefail = pipefail or "pipefail" in text
    return list(_commands(text, line, pipefail, script, 0))


def _commands(text: str, line: int, pipefail: bool, script: bool, deep: int) -> Iterator[Command]:
    found = _split(text, line)
    own = _defined(found)
    waited = max((n for n, one in enumerate(found) if one.words[0] == "wait" and len(one.words) > 1), default=-1)
    blocks, before, strict, left = list[str](), "\n", script, False
    for number, one in enumerate(found):
        _nest(blocks, one.words)
        asked = (
            before in {"&&", "||"} and number > 0 and (_without_keywords(found[number - 1].words) or [""])[0] in _ASKS
        )
        sure = not (left or asked or _UNSURE.intersection(blocks))
        words = _without_keywords(one.words)
        inner = _inner(words) if deep < _DEEPEST else None
        strict = strict or (words[:1] == ["set"] and "e" in words[-1][:6])
        if inner is not None:
            yield from _commands(inner, one.line, pipefail, False, deep + 1)
        elif words and words[0] not in own:
            yield Command(tuple(words), one.line, _heeded(found, number, waited, pipefail, strict), sure)
        if script and _ends(words) and one.mark in "\n;":
            if not blocks and before in "\n;":
                return
            left = left or (words in (["exit"], ["exit", "0"]) and not {"case", "{"}.intersection(blocks))
        before = one.mark


def _nest(blocks: list[str], words: Sequence[str]) -> None:
    """Opens and closes what the keywords at the beginning of a command do."""
    for word in words:
        if word in _CLOSES:
            del blocks[-1:]
        elif word in {"then", "else", "elif"}:
            blocks[-1:] = ["then"]
        elif word in _OPENS:
            blocks.append(word)
        elif word not in _AHEAD:
            break


def _ends(words: Sequence[str]) -> bool:
    return words[:1] == ["exit"] or (words[:1] == ["exec"] and len(words) > 1 and words[1][0] not in "<>0123456789")


def _split(text: str, line: int) -> list[_Read]:
    found, words, begin = list[_Read](), list[str](), line
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind == "word":
            begin = begin if words else line
            words.append(token if token in _AHEAD else _QUOTED.sub(lambda m: m[1] or m[2] or m[3] or "", token))
        elif kind == "mark":
            if words:
                found.append(_Read(words, begin, token))
                words = []
            elif found and token in {"||", "&&"}:
                found[-1].mark = token  # behind the bracket or the new line
        line += token.count("\n")
        if len(found) >= _MOST:
            break
    return [*found, _Read(words, begin)] if words else found


def _defined(found: Sequence[_Read]) -> set[str]:
    """Names that functions and aliases of the text take."""
    names: set[str] = set()
    for one in found:
        if one.mark == "(" and len(one.words) == 1:
            names.add(one.words[0])
        elif one.words[0] == "function":
            names.update(one.words[1:2])
        elif one.words[0] == "alias":
            names.update(word.partition("=")[0] for word in one.words[1:])
    return names


def _without_keywords(words: Sequence[str]) -> list[str]:
    start = next((number for number, word in enumerate(words) if word not in _AHEAD), len(words))
    return [word for word in words[start:] if not re.match(r"\d?[<>]", word)]


def _inner(words: Sequence[str]) -> str | None:
    """The text that a shell is given to run."""
    if "eval" in words[:1]:
        return " ".join(words[1:])
    for number, word in enumerate(words[1:6], 1):
        if _INNER.fullmatch(word) and any(_SHELLS.fullmatch(one.rpartition("/")[2]) for one in words[:number]):
            return words[number + 1] if number + 1 < len(words) else None
    return None


def _heeded(found: Sequence[_Read], number: int, waited: int, pipefail: bool, strict: bool) -> bool:
    """Whether a failure ends the text, or is asked for behind."""
    mark = found[number].mark
    if mark in {"|", "|&"}:
        return pipefail
    rest = []
    for one in found[number + 1 : number + 30]:
        rest.append(one)
        if one.mark == "\n":
            break
    told = any("$?" in word or word in _FAILS for one in rest for word in one.words if one.words[-2:] != ["exit", "0"])
    if mark == "&":
        return number < waited
    if not rest or told or mark not in {"||", ";"}:
        return True
    head = (_without_keywords(rest[0].words) or [""])[0]
    if mark == ";":
        return strict or rest[0].words[0] in _AHEAD | _CLOSES
    return head not in _HARMLESS and rest[0].words != ["exit", "0"]


def _without_documents(text: str) -> str:
    """Blank lines for what stands in a here-document, but for one that a shell runs."""
    if "<<" not in text:
        return text
    lines, end = list[str](), ""
    for line in text.split("\n"):
        if end:
            end = "" if line.strip() == end else end
            lines.append("")
            continue
        match = _DOCUMENT.search(line[:_MOST])
        end = match[1] if match and not _SHELL.search(line[:_MOST]) else ""
        lines.append(line)
    return "\n".join(lines)
