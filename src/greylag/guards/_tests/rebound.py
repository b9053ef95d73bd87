"""Names of a test runner that a test file takes from somewhere else than before: `expect` from a file of its own."""

import re
from collections.abc import Iterator, Mapping, Sequence

from greylag.diffs import FileDiff
from greylag.guards._code.bindings import HERE, bindings
from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._guard import finding, read
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_NAMES: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(r"pytest|unittest|TestCase|raises|approx|mark|fixture|mock"),
    "js": re.compile(r"it|test|describe|suite|expect|assert|should|t|specify"),
    "java": re.compile(r"Test|Assert\w*|assert\w*|fail|verify|expect\w*|Truth"),
    "go": re.compile(r"testing|assert|require|is|qt"),
}
_RUNNERS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"(?:pytest|_pytest|unittest|unittest2|mock|testtools|django\.test|rest_framework\.test|twisted\.trial|aiounittest"
        r"|asynctest|absl\.testing|nose2?|numpy\.testing|tornado\.testing|IPython\.testing|torch\.testing)(?:\.|$)"
    ),
    "js": re.compile(r"(?![./~#]|@/|src/|tests?/)"),  # a package: a new one is a new dependency
    "java": re.compile(
        r"(?:org\.(?:junit|testng|assertj|hamcrest|mockito|spockframework|scalatest)|junit|com\.google\.common\.truth|kotlin\.test"
        r"|io\.(?:kotest|mockk)|reactor\.test|org\.springframework|jakarta|javax)\."
    ),
    "go": re.compile(r"testing$|(?:[\w-]+\.)+[a-z]+/"),
}
_INNER = frozenset({"expect", "assert"})  # other names are common ones of variables within functions
_JUNIT = "org.junit."
_METHODS = re.compile(
    r"(?:assert(?:Equals|NotEquals|True|False|Null|NotNull|Same|NotSame|\w{0,20}ArrayEquals|IterableEquals|LinesMatch|Throws\w*|That"
    r"|All|InstanceOf|DoesNotThrow|Timeout\w*|FailsWith)|fail|verify|expectThat)"
)
_UNQUALIFIED = re.compile(rf"(?<![\w.])({_METHODS.pattern})\s*+[({{<]")


_EXTENDS = re.compile(r"(?:\bextends|\bimplements|:)\s([^{;]{0,300})")
_MOST = 1000  # test classes that are read for what they inherit


def rebound(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Files that were there before and now have such a name from elsewhere; classes that hand one down."""
    for file in files:
        family = language(file.path) or ""
        before, after = read(change.base, file.old_path) or "", read(change.head, file.path) or ""
        if family not in _NAMES or not after or max(len(before), len(after)) > LARGEST:
            continue
        new = file.status in {"added", "copied"} or not before
        if not new and (found := _changed(family, before, after)):
            name, source = found
            message = f"takes `{name}` from {source} and not from the test runner any more"
            yield finding(change, "tests", "tests/runner-name", message, file.path)
        elif family == "java" and (heir := _inherited(change, "" if new else before, after)):
            message = f"declares `{heir[0]}`, which {heir[1]} now inherits in place of the test runner's"
            yield finding(change, "tests", "tests/runner-name", message, file.path)


def taken(change: Change, files: Sequence[FileDiff]) -> set[str]:
    """Names that a changed file has from somewhere else than before, or of its own now."""
    names: set[str] = set()
    for file in files:
        family, texts = language(file.path) or "", (read(change.base, file.old_path), read(change.head, file.path))
        known = family in _NAMES and file.status not in {"added", "copied"}
        if known and max(len(text or "") for text in texts) <= LARGEST:
            sides = [[bound for bound in bindings(family, text or "") if not bound.inner] for text in texts]
            old, new = ({bound.name: bound.module for bound in side} for side in sides)
            names |= {name for name in new if name in old and old[name] != new[name]}
    return names


def _changed(family: str, before: str, after: str) -> tuple[str, str] | None:
    base, head = bindings(family, before), bindings(family, after)
    runner, had = _RUNNERS[family], {(bound.name, bound.module) for bound in base}
    old = {bound.name: bound.module for bound in base if not bound.inner}
    if family == "java":
        old = dict.fromkeys(_UNQUALIFIED.findall(scan(before, family).code), _JUNIT) | old
    unbound = "global" if family == "js" else HERE  # names of runners may be global there
    for bound in [bound for bound in head if _NAMES[family].fullmatch(bound.name)]:
        was, now = old.get(bound.name, unbound), bound.module
        if (bound.inner and bound.name not in _INNER) or (bound.name, now) in had:
            continue
        if was != HERE and runner.match(was) and (now == HERE or not runner.match(now)):
            return bound.name, now
    return None


def _inherited(change: Change, before: str, after: str) -> tuple[str, str] | None:
    """A name of the runner that a class newly declares, and a test class that inherits it."""
    own = {bound.name for bound in bindings("java", after) if bound.module == HERE}
    names = {name for name in own if _METHODS.fullmatch(name)} - {bound.name for bound in bindings("java", before)}
    if not names:
        return None
    for path in [path for path in change.head.paths() if language(path) == "java" and matches(path, TESTS)][:_MOST]:
        code = scan((read(change.head, path) or "")[:LARGEST], "java").code
        called = names.intersection(_UNQUALIFIED.findall(code))
        if called and any(own.intersection(re.findall(r"\w+", clause)) for clause in _EXTENDS.findall(code)):
            return min(called), path
    return None
