"""What agents and people read of a report: short, grouped by cause, bounded, and harmless whatever the tools printed.

Tools' words stand either inside one line of ours, folded, or behind the prefix `    | `; so no text of theirs can pass
for a line of ours. Sizes are bytes of UTF-8; a token is taken for four of them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from greylag.model import Counts, Diagnostic, Origin, Outcome, Phase, Severity, Strength, Verdict
from greylag.text import cap, clean, fit, one_line, size

HARD_CAP = 2000  # tokens, whatever is asked for
GROUPS = 5  # per phase
_LINES, _ENDING = 10, 4  # of one excerpt, and of them at its end
_OK_LINES = 12
_ASIDES, _WARNING = 3, 600  # of a kind that are named; characters of a warning, which a guard's has at most
_ARGUMENTS = re.compile(r"[\[({]")  # of pytest and JUnit
_SUBTESTS = re.compile(r"[\[({/]")  # and of Go, whose names have no `::`
_TEMPLATE = re.compile(r"'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`|0x[0-9a-fA-F]+|\d+|/\S+")


@dataclass(frozen=True, slots=True)
class Group:
    """Diagnostics of one verdict with one cause; the first stands for all."""

    verdict: Verdict
    diagnostics: tuple[Diagnostic, ...]

    @property
    def first(self) -> Diagnostic:
        """The example that is shown in full."""
        return self.diagnostics[0]


def render(
    verdicts: Sequence[Verdict], notes: Sequence[str], *, passed: bool, strength: Strength, budget: int = 800
) -> str:
    """The text of a report: at most `budget` tokens, and never more than `HARD_CAP`."""
    total = 4 * min(budget, HARD_CAP)
    bad = [v for v in verdicts if v.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}]
    untested = passed and not any(v.counts and v.counts.run for v in verdicts) and "no tests ran" not in notes
    first = [*_errored(verdicts), *_asides(verdicts)]
    last = _remarks(notes, strength if untested else None)
    warned = _warned(verdicts, total // 2 - _size([*first, *last]))
    tail = _fit([*first, *warned, *last], total // 2)
    room = total - _size(tail) - 1
    if bad:
        head = _failed(bad, room)
    elif passed:
        head = _passed(verdicts)
    else:
        head = ["NOT VERIFIED: nothing vouches for this tree", *_obstacle(verdicts)]
    return "\n".join(_fit([*_fit(head, room), *tail], total))


def _obstacle(verdicts: Sequence[Verdict]) -> list[str]:
    """What was in the way before any change, in the words of its tool."""
    old = (d for v in verdicts for d in v.diagnostics if d.origin is Origin.PRE_EXISTING and d.excerpt)
    return [f"    | {line}" for found in islice(old, 1) for line in _excerpt(found)]


# -- failed ----------------------------------------------------------------------------------------------------------


def _failed(verdicts: Sequence[Verdict], room: int) -> list[str]:
    """Per phase: a headline, one line per group, then each group in detail as far as there is room."""
    phases = sorted({v.phase for v in verdicts})
    lines: list[str] = []
    for done, phase in enumerate(phases):
        section = _section(phase, [v for v in verdicts if v.phase is phase], room // (len(phases) - done))
        room -= _size(section)
        lines += section
    return lines


def _section(phase: Phase, verdicts: Sequence[Verdict], room: int) -> list[str]:
    grouped = [_groups(v) for v in verdicts]
    shown = _fair(grouped)
    index = [f"FAILED in {_name(phase)}: " + "; ".join(_tally(v) for v in verdicts[:GROUPS])]
    if len(verdicts) > GROUPS:
        index[0] += f"; and {len(verdicts) - GROUPS} more verifiers"
    index += [f"{number}. {_headline(group, named=len(verdicts) > 1)}" for number, group in enumerate(shown, 1)]
    hidden = sum(len(groups) for groups in grouped) - len(shown)
    if hidden:
        index.append(f"{hidden} more kinds of failure are not shown; repair these first.")
    logs = [f"details: log {one_line(v.log, 80)} ({_id(v)})" for v in verdicts[: 2 * GROUPS] if v.log]
    room -= _size(logs)
    left = room - _size(index)
    needs = [_size(_detail(number, group, left)) for number, group in enumerate(shown, 1)]
    for number, (group, share) in enumerate(zip(shown, _shares(needs, left), strict=True), 1):
        index += _detail(number, group, share)
    return _fit(index, room) + logs


def _groups(verdict: Verdict) -> list[Group]:
    """New errors (or, where a tool fails for warnings, these) by cause: rule, else message without its particulars.

    Each finding of a judge is a cause of its own, for what it is about is in the line that it quotes.
    """
    new = [d for d in verdict.diagnostics if d.origin is Origin.NEW and d.severity is not Severity.INFO]
    causes: dict[str, list[Diagnostic]] = {}
    first: dict[tuple[str, str, int], str] = {}  # cases of one test that fail at one line have one cause
    for number, diagnostic in enumerate([d for d in new if d.severity is Severity.ERROR] or new):
        cause, place = str(number) if verdict.phase is Phase.JUDGE else _cause(diagnostic), _case(diagnostic)
        causes.setdefault(first.setdefault(place, cause) if place else cause, []).append(diagnostic)
    if not causes:
        return [Group(verdict, (Diagnostic(verdict.summary or verdict.reason or "no reason given; see the log"),))]
    groups = [Group(verdict, tuple(diagnostics)) for diagnostics in causes.values()]
    if verdict.phase is Phase.TEST:  # the first error of a compiler is the cause; among tests, what breaks most is
        groups.sort(key=lambda group: -len(group.diagnostics))
    return groups


def _case(diagnostic: Diagnostic) -> tuple[str, str, int] | None:
    """The test that a parametrised one or a subtest is a case of, and the line where it fails."""
    place, mark, name = (diagnostic.test or "").rpartition("::")
    whole = (_ARGUMENTS if mark else _SUBTESTS).split(name, maxsplit=1)[0]
    path, line = diagnostic.path, diagnostic.line
    return (place + mark + whole, path, line) if path and line and whole != name else None


def _cause(diagnostic: Diagnostic) -> str:
    if diagnostic.rule and not diagnostic.test:
        return diagnostic.rule
    return _TEMPLATE.sub("#", one_line(diagnostic.message, 300))[:80]


def _fair(grouped: Sequence[Sequence[Group]]) -> list[Group]:
    """At most `GROUPS` groups: the first of each verdict, then the second of each, and so on; in verdict order."""
    turns = [group for row in zip_longest(*grouped) for group in row if group is not None][:GROUPS]
    return [group for groups in grouped for group in groups if any(group is turn for turn in turns)]


def _headline(group: Group, *, named: bool) -> str:
    more = len(group.diagnostics) - 1
    name = f"[{_id(group.verdict)}] " if named else ""
    return name + _located(group.first, 240) + (f" (+{more} like this)" if more else "")


def _located(diagnostic: Diagnostic, limit: int) -> str:
    """`path:line:column rule test: message` with what is known of it."""
    place = ":".join(str(part) for part in (diagnostic.path, diagnostic.line, diagnostic.column) if part)
    rule = diagnostic.rule or ""
    rule = "" if rule.startswith("output-") else rule  # a digest, which tells one failure from another
    known = (one_line(part, 160) for part in (place, rule, diagnostic.test or ""))
    where = " ".join(part for part in known if part)
    return f"{where}: {one_line(diagnostic.message, limit)}" if where else one_line(diagnostic.message, limit)


def _detail(number: int, group: Group, room: int) -> list[str]:
    """Excerpt of the first example and the places of the others; nothing when it would say nothing new."""
    lines = [f"    | {line}" for line in _excerpt(group.first)]
    others = group.diagnostics[1:]
    listed = [f"    also {_located(other, 120)}" for other in others[:_LINES]]
    room -= len(f"[{number}] {_id(group.verdict)}") + 1
    for kept in range(len(listed), -1, -1):  # places matter more than the end of an excerpt
        rest = _rest(others[kept:])
        if kept == 0 or _size(listed[:kept]) + _size(rest) <= max(room - _size(lines[:4]), room // 2):
            listed = listed[:kept] + rest
            break
    lines = _fit(lines, room - _size(listed)) + listed
    return [f"[{number}] {_id(group.verdict)}", *lines] if lines else []


def _excerpt(diagnostic: Diagnostic) -> list[str]:
    source = diagnostic.excerpt or (diagnostic.message if len(diagnostic.message) > 240 else "")
    lines = [cap(line.rstrip(), 200) for line in clean(source[:20_000]).split("\n") if line.strip()]
    if len(lines) <= _LINES:
        return lines
    left = len(lines) - _LINES + 1  # a stack says most at one of its ends
    return [*lines[: _LINES - 1 - _ENDING], f"... {left} more lines", *lines[-_ENDING:]]


def _rest(diagnostics: Sequence[Diagnostic]) -> list[str]:
    if not diagnostics:
        return []
    files = Counter(one_line(d.path or d.test or "no place", 100) for d in diagnostics)
    named = ", ".join(f"{path} ({n})" if n > 1 else path for path, n in files.most_common(3))
    return [f"    {len(diagnostics)} more like this in {named}" + (", ..." if len(files) > 3 else "")]


def _tally(verdict: Verdict) -> str:
    """`pytest 3 of 31 tests failed` or `ruff 4 errors`."""
    if verdict.outcome is Outcome.TIMED_OUT:
        return f"{_id(verdict)} TIMED OUT after {verdict.seconds:.0f} s"
    if tests := failed_tests(verdict):
        return f"{_id(verdict)} {tests}" + (", again when they were run again" if verdict.details.get("again") else "")
    new = sum(d.origin is Origin.NEW and d.severity is Severity.ERROR for d in verdict.diagnostics)
    return f"{_id(verdict)} {_plural(new, 'error')}" if new else _id(verdict)


def failed_tests(verdict: Verdict) -> str:
    """`3 of 31 tests failed`, with `(2 new, 1 as before)` where that is known of some; empty when none failed."""
    if not (verdict.counts and verdict.counts.failed):
        return ""
    errors = [d for d in verdict.diagnostics if d.test and d.severity is Severity.ERROR]
    new = {(d.path, d.test) for d in errors if d.origin is Origin.NEW}
    old = {(d.path, d.test) for d in errors if d.origin is Origin.PRE_EXISTING} - new
    known = min(len(old), verdict.counts.failed)
    split = f" ({verdict.counts.failed - known} new, {known} as before)" if known else ""
    return _failed_of(verdict.counts) + split


def _failed_of(counts: Counts | None) -> str:
    return f"{counts.failed} of {_plural(counts.run, 'test')} failed" if counts else ""


# -- passed ----------------------------------------------------------------------------------------------------------


def verdict_line(verdict: Verdict) -> str:
    """One verdict on one line, with the first thing that is wrong."""
    failed, outcome = failed_tests(verdict), verdict.outcome
    said = [failed] if failed and outcome is Outcome.FAILED else [outcome.value, failed or _tests([verdict]).strip()]
    line = f"{_id(verdict)}: " + ", ".join([*filter(None, said), *(["cached"] if verdict.cached else [])])
    if outcome is Outcome.PASSED or (outcome is Outcome.RED_BEFORE and failed):
        return line
    groups = _groups(verdict)
    more = f"; {len(groups) - 1} more" if len(groups) > 1 else ""
    return f"{line}, {_headline(groups[0], named=False)}{more}"


def _passed(verdicts: Sequence[Verdict]) -> list[str]:
    """One line per verifier; guards have nothing to say when they pass, and share one."""
    guards = [v for v in verdicts if v.phase is Phase.GUARD]
    lines = _passed_each([v for v in verdicts if v.phase is not Phase.GUARD])
    told = sum(d.severity is Severity.INFO for v in guards for d in v.diagnostics)
    more = f", {_plural(told, 'finding')} for information" if told else ""
    return [*lines, f"ok: {len(guards)} guards{more}"] if guards else lines


def _passed_each(verdicts: Sequence[Verdict]) -> list[str]:
    lines = [_ok(v) for v in verdicts]
    if len(lines) <= _OK_LINES:
        return lines
    by_name: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        name = verdict.id if verdict.outcome is Outcome.RED_BEFORE else verdict.verifier
        by_name.setdefault(name, []).append(verdict)
    grouped = [_ok(group[0]) if len(group) == 1 else _ok_many(name, group) for name, group in by_name.items()]
    more = len(grouped) - _OK_LINES
    return grouped if more <= 0 else [*grouped[:_OK_LINES], f"ok: {more} more verifiers"]


def _ok(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.RED_BEFORE:
        tally = f"{_id(verdict)} {_failed_of(verdict.counts)}" if failed_tests(verdict) else _tally(verdict)
        return f"as before: {tally}, all of that before this change, too"
    root = "" if verdict.root in {"", "."} else f" ({one_line(verdict.root, 80)})"
    seconds = " cached" if verdict.cached else f" {verdict.seconds:.0f} s"
    return f"ok: {one_line(verdict.verifier, 60)}{_tests([verdict])}{root}{seconds}"


def _ok_many(name: str, verdicts: Sequence[Verdict]) -> str:
    seconds = sum(v.seconds for v in verdicts)
    return f"ok: {one_line(name, 60)}{_tests(verdicts)} in {len(verdicts)} directories {seconds:.0f} s"


def _tests(verdicts: Iterable[Verdict]) -> str:
    counts = [v.counts for v in verdicts if v.counts]
    if not counts:
        return ""
    skipped = sum(c.skipped for c in counts)
    return f" {_plural(sum(c.run for c in counts), 'test')}" + (f", {skipped} skipped" if skipped else "")


# -- the rest --------------------------------------------------------------------------------------------------------


def _errored(verdicts: Sequence[Verdict]) -> list[str]:
    errored = [v for v in verdicts if v.outcome is Outcome.ERRORED]
    if not errored:
        return []
    said = [
        f"COULD NOT RUN: {_id(v)}: {one_line(v.summary or v.reason or 'no reason known', 240)}" for v in errored[:3]
    ]
    if len(errored) > 3:
        said.append(f"COULD NOT RUN: {len(errored) - 3} more verifiers")
    return [
        *said,
        "That is a failure of the machine or a service, not of the code: do not edit anything because of it.",
    ]


def _asides(verdicts: Sequence[Verdict]) -> list[str]:
    """What is not to be repaired: failures from before, flaky tests, verifiers that were not reached."""
    ds = [d for v in verdicts for d in v.diagnostics]
    failed = any(v.outcome in {Outcome.FAILED, Outcome.TIMED_OUT} for v in verdicts)
    old = [d for d in ds if d.origin is Origin.PRE_EXISTING and d.severity is Severity.ERROR]
    flaky = [d for d in ds if d.origin is Origin.FLAKY]
    skipped = sorted({v.phase for v in verdicts if v.outcome is Outcome.SKIPPED})
    lines = [
        _aside("pre-existing, failed before this change, too, and not counted", old),
        _aside("flaky, failed and then passed on the same tree, not counted", flaky),
    ]
    if skipped:
        why = " until that passes" if failed else ""
        lines.append(f"not run{why}: {', '.join(_name(phase) for phase in skipped)}")
    return [line for line in lines if line]


def _aside(title: str, diagnostics: Sequence[Diagnostic]) -> str:
    if not diagnostics:
        return ""
    named = "; ".join(_located(d, 80) for d in diagnostics[:_ASIDES])
    return cap(f"{title}: {len(diagnostics)}: {named}", 500) + ("; ..." if len(diagnostics) > _ASIDES else "")


def _warned(verdicts: Sequence[Verdict], room: int) -> list[str]:
    """A line for each of the first, never a part of one: its end says what to do; and how many more there are."""
    warnings = [d for v in verdicts for d in v.diagnostics if d.origin is Origin.NEW and d.severity is Severity.WARNING]
    lines: list[str] = []
    for warning in warnings[:_ASIDES]:
        line = f"warning: {_located(warning, _WARNING)}"
        if _size([*lines, line]) > min(room - len("999999 more warnings"), 2 * _WARNING):
            break
        lines.append(line)
    more = len(warnings) - len(lines)
    return [*lines, _plural(more, "more warning" if lines else "warning")] if more else lines


def _remarks(notes: Sequence[str], strength: Strength | None) -> list[str]:
    lines = [f"note: {one_line(note, 300)}" for note in notes[:8]]
    if strength is Strength.WEAK:
        lines.append("note: no test ran; only the tools above vouch for this tree")
    return lines


def _id(verdict: Verdict) -> str:
    return one_line(verdict.id, 100)


def _name(phase: Phase) -> str:
    return phase.name.lower()


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _size(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)


def _fit(lines: Sequence[str], room: int) -> list[str]:
    """The first lines that fit into `room` with their line ends; a line that does not fit is cut."""
    kept: list[str] = []
    for line in lines:
        if size(line) > room:
            return [*kept, fit(line, room)] if room > 20 else kept
        kept.append(line)
        room -= size(line) + 1
    return kept


def _shares(needs: Sequence[int], total: int) -> list[int]:
    """Room for each: what it needs, or an equal part of what those with smaller needs leave over."""
    shares = [0] * len(needs)
    left = len(needs)
    for position in sorted(range(len(needs)), key=lambda i: needs[i]):
        shares[position] = max(0, min(needs[position], total // left))
        total -= shares[position]
        left -= 1
    return shares
