"""Whether settings of a checker demand at least what they did: more rules, fewer exceptions, a higher coverage."""

import re
from collections.abc import Mapping

_RANKS: Mapping[str, int] = {
    "off": 0, "allow": 0, "ignore": 0, "warn": 1, "warning": 1, "error": 2, "deny": 2, "forbid": 3,
}  # fmt: skip
_MORE = re.compile(r"(?:extend_)?select|enable(?:_error_code)?|checkers")  # lists of what is demanded
_ENVIRONMENTS = re.compile(r"env_?list")
_FEWER = re.compile(  # lists of exceptions
    r"(?:extend_)?(?:ignore|exclude)|omit|disable(?:_error_code)?|exclude_(?:lines|also|patterns|paths|files)|ignore_patterns"
    r"|skips?|(?:extend_)?per_file_ignores|ignored\w+|allow(?:list)?"
)
_STRICT = re.compile(
    r"strict\w*|disallow_\w+|warn_\w+|check_untyped_defs|no_implicit\w*|extra_checks|branch|xfail_strict|fail_on_\w+"
)
_LENIENT = re.compile(r"ignore_errors|ignore_missing_imports|follow_imports|allow_\w+|implicit_\w+|informational")
_LEAST = re.compile(r"fail_under|target|min(?:imum)?(?:_(?!confidence)\w+)?|coverage_?threshold|break")
_MOST = re.compile(r"max(?:imum)?_\w+|\w+_threshold")
_NEUTRAL = frozenset({  # how something is told, or where it is kept
    "comment", "package", "wheel_build_env", "cache_dir", "color", "color_output", "pretty", "show_error_codes",
    "show_error_context", "show_missing", "precision",
})  # fmt: skip
_REPORTS = re.compile(r"(?:tool\.)?coverage[.:](?:paths|html|xml|json|lcov)\.")  # where, and of what, coverage is told
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?(?=\s?%?$)")
_DEEPEST = 30
_LONGEST, _MANY = 5000, 500  # characters of a list of environments, and environments of one entry


def as_strict(old: object, new: object, path: tuple[str, ...] = ()) -> bool:
    """Whether nothing of some settings is known, or may be held, to be less strict than before."""
    if old == new:
        return True
    if _are_tables(old) and _are_tables(new):
        was, now = _by_place(old), _by_place(new)
        if was is None or now is None:
            return _leaf(old, new, path)
        old, new = was, now
    if not isinstance(old, dict) and not isinstance(new, dict):
        return _leaf(old, new, path)
    before, after = (one if isinstance(one, dict) else {} for one in (old, new))
    if len(path) > _DEEPEST or any(not isinstance(one, dict | None) for one in (old, new)):
        return False
    if not before and path and path[-1].startswith("testenv:"):
        return True  # one more environment of tox
    names = before.keys() | after.keys()  # what an empty table means, only its tool knows
    return bool(names) and all(as_strict(before.get(name), after.get(name), (*path, str(name))) for name in names)


_PLACES = ("module", "files", "includes", "include")  # what an exception is for


def _are_tables(value: object) -> bool:
    return value is None or (isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value))


def _by_place(value: object) -> dict[str, object] | None:
    """Tables of a list by what each is for; None where one does not say that, or two say the same."""
    found: dict[str, object] = {}
    for table in value if isinstance(value, list) else ():
        place = next((str(table[key]) for key in _PLACES if key in table), "")
        if not place or place in found:
            return None
        found[place] = {key: inner for key, inner in table.items() if key not in _PLACES}
    return found


def _leaf(old: object, new: object, path: tuple[str, ...]) -> bool:
    names = [name.lower().replace("-", "_") for name in path]
    name = names[-1] if names else ""
    was, now = _rank(old), _rank(new)
    if now is not None and (was is not None or old is None) and ("rules" in names or "lints" in names):
        return now >= (was or 0) and (was is not None or now >= _RANKS["error"])
    if new is None and was == 0 and "overrides" in names:
        return True
    kinds = (
        (_MORE, new is not None and old is not None and _words(old) <= _words(new)),
        (_ENVIRONMENTS, old is not None and new is not None and _expanded(old) <= _expanded(new)),
        (_FEWER, new is None or (old is not None and _words(new) <= _words(old))),
        (_STRICT, _is_true(new) or (new is None and not _is_true(old))),
        (_LENIENT, new is None or str(new).lower() in {"false", "normal"}),
    )
    known = next((strict for pattern, strict in kinds if pattern.fullmatch(name)), None)
    if _REPORTS.match(".".join(names)) or not _NEUTRAL.isdisjoint(names):
        return True
    return _by_number(old, new, name) if known is None else known


def _by_number(old: object, new: object, name: str) -> bool:
    was, now = (_NUMBER.match(str(one)) for one in (old, new))
    if now is None:
        return False
    if _LEAST.fullmatch(name):
        return old is None or (was is not None and float(now[0]) > float(was[0]))
    return _MOST.fullmatch(name) is not None and (old is None or (was is not None and float(now[0]) < float(was[0])))


def _rank(value: object) -> int | None:
    """How severe a finding of a rule is; rules of ESLint may have options behind that."""
    if isinstance(value, list) and value and len(value) == 1:
        value = value[0]
    return _RANKS.get(value.lower()) if isinstance(value, str) else None


def _words(value: object) -> frozenset[str]:
    """Entries of a list, which INI files separate by commas and blanks."""
    if isinstance(value, list):
        return frozenset(map(str, value))
    return frozenset(re.split(r"[\s,]+", str(value).strip()))


def _expanded(value: object) -> frozenset[str]:
    """Environments of tox that a list stands for: `py3{1-3}-{a,b}` has six."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    found: set[str] = set()
    for entry in re.split(r"[\s,]+(?![^{}]*\})", text.strip()[:_LONGEST]):
        names = [""]
        for part in re.findall(r"\{[^{}]*\}|[^{}]+", entry):
            ways = _ways(part[1:-1]) if part.startswith("{") else [part]
            names = [name + way for name in names for way in ways][:_MANY]
        found.update(names)
    return frozenset(found - {""})


def _ways(text: str) -> list[str]:
    found: list[str] = []
    for way in text.split(","):
        span = re.fullmatch(r"\s*(\d{1,3})-(\d{1,3})\s*", way)
        found += map(str, range(int(span[1]), int(span[2]) + 1)) if span else [way.strip()]
    return found


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() in {"true", "1", "yes", "on"}


# -- rules that ESLint is given in code -----------------------------------------------------------------------------

_ERROR = re.compile(r"([\"']?)([@\w][\w@/-]{0,100})\1\s*+:\s*+(?:[\"']error[\"']|2)(?=\s*+[,}])")


def only_more_rules(old: str, new: str) -> bool:
    """Whether code differs in nothing but rules that are errors, and that it did not name before."""
    added = [match for match in _ERROR.finditer(new) if match[2] not in old]
    rest, position = [], 0
    for match in added:
        rest.append(new[position : match.start()])
        position = match.end()
    before, after = (re.sub(r"[\s,]++", "", text) for text in (old, "".join([*rest, new[position:]])))
    return bool(added) and before == after and "rules" in old


# -- scripts of a `package.json` -------------------------------------------------------------------------------------

_STRICTER = re.compile(
    r"--(?:strict\w*|noImplicit\w+|exactOptional\w+|noUnchecked\w+|noUnused\w+|noFallthrough\w+|noEmit|check-coverage|coverage)"
    r"|--max-warnings(?:=0)?|--(?:lines|branches|functions|statements)(?:=\d+)?|\d{1,3}",
    re.IGNORECASE,
)
_BUILDS_THE_SAME = re.compile(
    r"--(?:incremental|source-?maps?|declaration(?:map)?|minify|pretty|verbose|colou?rs?|cache|stats|dts)",
    re.IGNORECASE,
)
_WRITES = re.compile(r"(?:^|\s)(?:--write|--fix|-w|--watch(?:All)?|watch)(?:\s|$)")  # what does so is no check
_HOOK = re.compile(r"(?:pre|post)\w+")
_ON_INSTALL = frozenset({"prepare", "install", "preinstall", "postinstall", "dependencies"})
_CHECKS = re.compile(r"test|lint|check|tsc|verify|audit", re.IGNORECASE)


def script_as_strict(name: str, old: object, new: object) -> bool:
    """Whether a script runs what it ran and more, or, where an installation runs it, less that checks nothing."""
    if old is None and isinstance(new, str):
        return bool(_WRITES.search(new)) and not _HOOK.match(name) and name not in _ON_INSTALL
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    before, after = ([one.split() for one in re.split(r"\s&&\s", text)] for text in (old, new))
    if any(mark in "".join(new.split()).replace("&&", "") for mark in ("||", ";", "|", "&", "\n", "$(")):
        return False
    if name in _ON_INSTALL:
        gone = [one for one in before if one not in after]
        return all(one in before for one in after) and not any(_CHECKS.search(" ".join(one)) for one in gone)
    rest, builds = iter(after), not _CHECKS.search(name)
    return all(any(_adds_demands(one, other, builds) for other in rest) for one in before)


def _adds_demands(old: list[str], new: list[str], builds: bool) -> bool:
    """Whether a command is another one with more options that demand something, or build the same."""
    ahead = list(old)
    for word in new:
        if ahead and word == ahead[0]:
            ahead.pop(0)
        elif not _STRICTER.fullmatch(word) and not (builds and _BUILDS_THE_SAME.fullmatch(word)):
            return False
    return not ahead
