"""Reader of TAP 13 and 14, with the indented subtests that node:test and tap print."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from greylag.kinds import classify
from greylag.model import Counts, Diagnostic
from greylag.readers._common import LARGEST, MOST, WORKSPACE, Tests, capped, locator, names, number, unreadable
from greylag.readers._failures import Failed, diagnose, resolver
from greylag.text import clean

_POINT = re.compile(r"((?: {4})*)(not )?ok\b ?(\d*) ?(.*)")
_PLAN = re.compile(r"1\.\.(\d{1,9})\b")
_SUBTEST = re.compile(r"( {0,100})# Subtest: (.*)")  # deeper ones are nobody's
_DIRECTIVE = re.compile(r"(?:^| )# ?(skip|todo)\b", re.IGNORECASE)
_COMMENT = re.compile(r" *# ?(.*)")
_TITLE = re.compile(r"# (?:(SKIP) )?(.*)")  # of a test of tape
_PLACE = re.compile(r"\bat (\S+) line (\d{1,9})\.$|\bin test file (\S+), line (\d{1,9})\)$")  # of Perl, of bats
_KEY = re.compile(r"(\w+) *: ?(.*)")
_SCRIPT = re.compile(r"\.[cm]?[jt]s$")
_LINE = 2000
_COMMENTS = 20  # lines of them below a point that are kept


@dataclass
class _Points:
    """Test points so far. A point that follows deeper ones is their parent and counts as no test.

    `assertions`: points are what tests have asserted. The test is the subtest around them, or what the comment before
    them says.
    """

    assertions: bool = False
    names: dict[int, str] = field(default_factory=dict)
    deepest: int = -1  # indentation of points since the last one of less or equal depth
    deeper_failed: bool = False
    skipped: int = 0
    passed: list[str] = field(default_factory=list)
    failed: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    seen: bool = False
    planned: int = 0  # at the top, by all plans
    ran: int = 0  # at the top

    def point(self, indent: int, bad: bool, name: str, directive: bool) -> dict[str, str] | None:
        """Count one point; where it failed, the answer takes its YAML block."""
        self.seen = True
        self.ran += indent == 0
        parent = self.deepest > indent
        self.deepest = indent
        if parent and (self.deeper_failed or not bad):
            if indent == 0:
                self.deeper_failed = False
            return None
        if directive:
            self.skipped += 1
            return None
        file, full = self._full(indent, name)
        if not bad:
            self.passed.append(full)
            return None
        self.deeper_failed = indent > 0
        facts = {"assertion": name, "location": file} if self.assertions else {}
        self.failed.append((full, facts))
        return facts

    def _full(self, indent: int, name: str) -> tuple[str, str]:
        """The file of a test, where it is the outermost subtest, as of tap; and the name of the test."""
        above = [self.names[at] for at in sorted(self.names) if at < indent]
        if not self.assertions:
            return "", " > ".join((*above, name))
        named = [*above, *([name] if not above or self.names.get(indent) == name else ())]
        file = named[0] if _SCRIPT.search(named[0]) else ""
        return file, " > ".join(named[1:] if file and len(named) > 1 else named)

    def title(self, found: re.Match[str]) -> None:
        """What the next points belong to, where no subtest is around them."""
        self.names[-1] = found[2]
        self.skipped += bool(found[1])

    def by_test(self) -> None:
        """Let each test count once: as the first failure among its points, else as passed."""
        bad: dict[str, dict[str, str]] = {}
        for name, facts in self.failed:
            bad.setdefault(name, facts)
        self.failed = list(bad.items())
        self.passed = [name for name in dict.fromkeys(self.passed) if name not in bad]


def tap(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, *, assertions: bool = False) -> Tests:
    """TAP. Points marked SKIP or TODO count as skipped; a bail-out is an error, and so is a plan that was not kept.

    `assertions`: as tape and node-tap print it, whose points are no tests of their own.
    """
    if len(data) > LARGEST:
        return Counts(0), (unreadable("TAP", f"{len(data)} bytes"),)
    lines = [line[:_LINE] for line in clean(data).split("\n")]
    points, bails = _points(lines, _Points(assertions))
    if assertions:
        points.by_test()
    if not points.seen:
        return Counts(0), (*bails, unreadable("TAP", "no test point in it"))
    locate, resolve = locator(cwd, workspace), resolver(())
    diagnostics = capped(diagnose(_failure(name, facts), locate, resolve) for name, facts in points.failed[:MOST])
    early = () if points.ran >= points.planned else (_early(points),)
    failed, passed = len(points.failed), names(points.passed)
    return Counts(len(points.passed) + failed, failed, points.skipped, passed), (*bails, *diagnostics, *early)


def ava_tap(data: bytes, cwd: str = ".", workspace: str = WORKSPACE, files: Collection[str] = ()) -> Tests:
    """`ava --tap`, whose failures tell no place in the tests: titles begin with what their files are called."""
    counts, found = tap(data, cwd, workspace)
    named = {path: _words(path) for path in files if _SCRIPT.search(path) and classify(path) == "tests"}
    return counts, tuple(replace(d, path=_file(d.test, named)) if d.test and d.path is None else d for d in found)


def _words(path: str) -> list[str]:
    """As ava does it, which leaves out the directories that all of the files have in common."""
    *places, name = (word for word in path.split("/") if word != "__tests__")
    name = name.replace(".spec.", ".", 1).replace(".test.", ".", 1).replace("test-", "", 1)
    return [*places, _SCRIPT.sub("", name)]


def _file(test: str, named: Mapping[str, list[str]]) -> str | None:
    """The one file whose last words are the first ones of a title; where there is but one file, that."""
    title = test.split(" \u203a ")
    best: dict[int, list[str]] = {}
    for path, words in named.items():
        fits = (n for n in range(min(len(words), len(title) - 1), 0, -1) if words[-n:] == title[:n])
        best.setdefault(next(fits, 0), []).append(path)
    found = best[max(best)] if best else []
    return found[0] if len(found) == 1 and (max(best) or len(named) == 1) else None


def _early(points: _Points) -> Diagnostic:
    return unreadable("TAP", f"{points.planned} tests were planned, and it ends after {points.ran}")


def _points(lines: Sequence[str], points: _Points) -> tuple[_Points, list[Diagnostic]]:
    bails = list[Diagnostic]()
    facts: dict[str, str] | None = None
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if found := _SUBTEST.match(line):
            points.names[len(found[1])] = found[2]
            points.names.pop(-1, None)
        elif points.assertions and (found := _TITLE.match(line)):
            points.title(found)
        elif found := _POINT.match(line):
            name = _DIRECTIVE.split(found[4])[0].removeprefix("- ").strip()
            facts = points.point(len(found[1]), bool(found[2]), name, bool(_DIRECTIVE.search(found[4])))
        elif line.strip() == "---":
            end = next((n for n in range(at, len(lines)) if lines[n].strip() == "..."), len(lines))
            if facts is not None:
                facts.update(_yaml(lines[at:end]))
            facts, at = None, end + 1
        elif facts is not None and len(facts) < _COMMENTS and (found := _COMMENT.match(line)):
            facts[f"#{len(facts)}"] = found[1].strip()
        elif found := _PLAN.match(line):
            points.planned += int(found[1])
        elif line.startswith("Bail out!"):
            bails.append(Diagnostic(line))
    return points, bails


def _yaml(lines: Sequence[str]) -> dict[str, str]:
    """Keys of one flat YAML block, however deep it stands; the lines of block scalars joined, quotes taken off."""
    facts: dict[str, str] = {}
    key = ""
    first = next((row for row in lines if row.strip()), "")
    indent = len(first) - len(first.lstrip())
    for line in (row[indent:] for row in lines):
        if not line.startswith(" ") and (found := _KEY.match(line)):
            key, value = found.groups()
            facts[key] = "" if value in {"|", "|-", ">", ">-"} else value.strip("'\"")
        elif key:
            facts[key] = f"{facts[key]}\n{line[2:]}".strip("\n")
    return facts


def _failure(name: str, facts: dict[str, str]) -> Failed:
    said = next((facts[key] for key in ("error", "message", "values", "details") if facts.get(key)), "")  # ava's last
    kind = facts.get("name", "")
    own, _, rest = facts.get("location", "").partition(":")
    line = number(rest.partition(":")[0]) if own else None
    if all(key.startswith("#") for key in facts):
        own, line, said = _commented(list(facts.values()))
    told = [f"{key}: {facts[key]}" for key in ("expected", "actual") if facts.get(key)]
    if assertion := facts.get("assertion"):
        said = "\n".join((said or assertion, *(told if facts.get("expected") != facts.get("actual") else ())))
    lines = (facts.get("stack") or facts.get("at", "")).split("\n")
    frames = (line.strip().removeprefix("at ") for line in lines if not (assertion and line.endswith(f": {assertion}")))
    stack = "\n".join(f"    at {frame}" for frame in frames if frame)
    message = f"{kind}: {said}" if kind and said else said
    details = next((facts[key] for key in ("details", "diff") if facts.get(key) and facts[key] != said), "")
    return Failed(name, message, "\n".join(filter(None, (said, details, stack))), own or None, line)


def _commented(lines: Sequence[str]) -> tuple[str, int | None, str]:
    """File, line and words of a failure that is told in comments."""
    hits = {line: hit for line in lines if (hit := _PLACE.search(line))}
    said = "\n".join(line for line in lines if line not in hits)
    own, row, other, below = next(iter(hits.values())).groups() if hits else ("", None, "", None)
    return own or other or "", number(row or below), said
