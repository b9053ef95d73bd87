"""Log text to the few lines that matter, without a model: for tools and CI logs that have no structured report.

Lines are scored one by one (what they say, where they stand), neighbours of telling lines inherit a part, repetitions
of one template lose, and the best lines that fit are given back in their order. Long lines are taken apart first and
patterns see only lines that hold a telling word, so that the time is linear in the size of the log, whatever it holds.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from greylag.distill import _signals as signals
from greylag.distill._lines import Lines, lines_of
from greylag.distill._locations import located
from greylag.distill._shown import Shown
from greylag.distill.bounded import Bounded
from greylag.model import Diagnostic
from greylag.text import fit, size

_WINDOW = 80  # telling lines before the first failed step
_WINDOW_SHARE = 0.4  # of the budget
_FAINT = 0.3  # a score of a line that says what others have said
_SILENT = 0.4  # of the budget that telling lines leave: such a log says little in words that are known
_CLEAR, _CONTEXT = 10.0, 0.1  # a score that leaves no doubt; of the budget, then, for lines that tell nothing
_REPEATED = (1.0, 0.75, 0.5)  # of its score keeps the first, second, third line of one template
_OFTEN = 0.03  # and each of the others
_KNOWN = 0.03  # of its score keeps a line that stands in the baseline, too
_MESSAGE = 12.0  # of a score its neighbours inherit from; what is more comes from totals, which have no neighbours
_BEFORE = 4  # lines before a telling one that inherit from it
_ALIKE = bytes.maketrans(b"23456789", b"11111111")  # lines that differ in these only say the same; 0 is another thing
_FORMS = 1_500  # telling lines of different forms that are judged: so many of the first, twice as many of the last
_GIST = 10  # lines
_BEGINNING, _END = 0.9, 0.7  # of the best score of its pieces get the two ends of a long line
_MARK = 22  # characters of the longest gap mark


@dataclass(frozen=True, slots=True)
class Distilled:
    """What was kept of a log: `text` with its gaps marked, and the diagnostics that could be located in it.

    `gist` is the part of `text` that says most, where there is room for a few lines only.
    """

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()
    gist: str = ""


def distill(log: bytes | Bounded, *, budget: int, baseline: bytes | Bounded | None = None) -> Distilled:
    """The lines of `log` that tell why it failed, at most `budget` tokens of four bytes, in their order.

    `baseline` is an earlier log of the same command that did not fail like this one: lines that occur there, too, count
    less. Any bytes are accepted; time is linear in the size of the log.
    """
    read = lines_of(log)
    lines = read.texts
    old = _old(lines, lines_of(baseline).texts) if baseline else bytearray(len(lines))
    own, ends = _own(lines)
    if baseline:  # what the other log has, too, is noise; what it has not is worth a look, whatever it says
        own = [value * _KNOWN if old[at] else value + bool(lines[at]) for at, value in enumerate(own)]
    scores = _inherited(lines, own, set(ends))
    _keep_ends(read, scores)
    if ends:
        _damp(scores, [at for at, line in enumerate(lines) if signals.starts_step(line)], ends)
    shown = Shown(read)
    kept = _all(lines, 4 * budget) or sorted(_choose(lines, scores, ends, old, 4 * budget))
    while size(text := shown.text(kept)) > 4 * budget and len(kept) > 1:  # by a gap mark at most
        kept.remove(min(kept, key=lambda at: (scores[at], -at)))
    text = fit(text, 4 * budget)
    return Distilled(text, located(_blocks(lines, kept)), _gist(shown, scores, kept, text))


def _all(lines: list[str], room: int) -> list[int]:
    """All lines with text, if they fit."""
    if len(lines) > room or sum(map(size, lines)) + len(lines) > room:
        return []
    return [at for at, line in enumerate(lines) if line]


def _keep_ends(read: Lines, scores: list[float]) -> None:
    """The two ends of a long line tell what a piece between them belongs to."""
    at = read.more.find(1) - 1
    while at >= 0:
        end = read.more.find(0, at + 1)
        end = end if end >= 0 else len(scores)
        best = max(scores[at:end])
        scores[at] = max(scores[at], _BEGINNING * best)
        scores[end - 1] = max(scores[end - 1], _END * best)
        at = read.more.find(1, end) - 1


def _old(lines: list[str], baseline: list[str]) -> bytearray:
    """A flag per line: whether a line of the same template stands in the baseline."""
    known = {hash(signals.template(line)) for line in set(baseline)}
    flags = {line: hash(signals.template(line)) in known for line in set(lines)}
    return bytearray(flags[line] for line in lines)


def _own(lines: list[str]) -> tuple[list[float], list[int]]:
    """Score of each line by what it says, and the lines where steps ended in failure."""
    own = [0.0] * len(lines)
    telling = list(signals.telling(lines))
    alike = "\n".join([lines[at] for at in telling]).encode().translate(_ALIKE).split(b"\n")
    forms = dict(zip(alike, telling, strict=False))  # and of each a line
    judged: dict[bytes, tuple[float, str, bool]] = {}
    for form in _looked_at(list(forms)):
        line = lines[forms[form]]
        if value := signals.score(line):
            judged[form] = (value, signals.template(line), signals.ends_step(line))
    often = {form: value * _OFTEN for form, (value, _, _) in judged.items()}
    for at, value in zip(telling, [often.get(form, 0.0) for form in alike], strict=False):
        own[at] = value
    left = dict.fromkeys((key for _, key, _ in judged.values()), len(_REPEATED))
    for at, form in zip(telling, alike, strict=False):
        if not left:
            break
        if (found := judged.get(form)) and (times := left.get(found[1])):
            own[at] = found[0] * _REPEATED[-times]
            left[found[1]] -= 1
            if times == 1:
                del left[found[1]]
    ending = {form for form, (_, _, ends_step) in judged.items() if ends_step}
    ends = [at for at, form in zip(telling, alike, strict=False) if form in ending] if ending else []
    return own, ends


def _looked_at(forms: list[bytes]) -> Iterable[bytes]:
    """Those that are judged: of too many the first and the last, and those that hardly another one resembles."""
    if len(forms) <= 3 * _FORMS:
        return forms
    kinds = signals.kinds(b"\n".join(forms))
    times = Counter(kinds)
    rare = (form for form, kind in zip(forms, kinds, strict=True) if times[kind] <= signals.FEW)
    return {*forms[:_FORMS], *forms[-2 * _FORMS :], *islice(rare, _FORMS)}


def _inherited(lines: list[str], own: list[float], ends: set[int]) -> list[float]:
    scores = list(own)
    after, last = 0.0, 0
    for at, line in enumerate(lines):
        if own[at] >= 4:
            after, last = (0.0 if at in ends else max(min(own[at], _MESSAGE) * 0.7, after * 0.8)), at
            _inherit_before(lines, scores, at, own[at])
        elif line and after > 0.3:
            after *= 0.93 if signals.continues(line) else 0.7
            places = after > 3 and at - last < _BEFORE and signals.has_place(line)
            value = 1.5 * after if places else after
            if value > scores[at] and not signals.is_noise(line):
                scores[at] = value
    return scores


def _inherit_before(lines: list[str], scores: list[float], at: int, value: float) -> None:
    """A few lines before a telling one get a part of its value; the nearest that names a place, most of it."""
    placed = signals.has_place(lines[at])
    for back in range(1, min(_BEFORE, at) + 1):
        line = lines[at - back]
        part = 0.36 - 0.06 * back
        if not placed and signals.has_place(line):
            part, placed = 0.85, True
        scores[at - back] = max(scores[at - back], value * part if line else 0.0)


def _damp(scores: list[float], steps: list[int], ends: list[int]) -> None:
    """Lines of steps that did not fail count half, where the log shows steps."""
    if not steps:
        return
    for start, stop in zip([0, *steps], [*steps, len(scores)], strict=True):
        if bisect(ends, stop - 1) == bisect(ends, start - 1):
            scores[start:stop] = [value / 2 for value in scores[start:stop]]


def _choose(lines: list[str], scores: list[float], ends: list[int], old: bytearray, room: int) -> set[int]:
    """Indices of the lines to keep: a share for those before the first failed step, the rest by score alone."""
    end = ends[0] if ends else len(lines) - 1
    last = [at for at in range(max(0, end - 4 * _WINDOW), end + 1) if lines[at] and not old[at]]
    few = set(signals.rare([lines[at] for at in last]))
    near = [at for place, at in enumerate(last) if scores[at] > _FAINT or place in few][-_WINDOW:]
    boosted = {at: scores[at] + 5 * (rank + 1) / len(near) for rank, at in enumerate(near)}
    chosen: set[int] = set()
    left = _take(lines, sorted(near, key=lambda at: -boosted[at]), int(room * _WINDOW_SHARE), chosen)
    rest = sorted((at for at, value in enumerate(scores) if value > 0.8), key=lambda at: -scores[at])
    left = _take(lines, rest, left + room - int(room * _WINDOW_SHARE), chosen)
    left = _take(lines, reversed(near), left, chosen)
    if left > room * _SILENT:
        left = _take(lines, signals.rare(lines), left, chosen)
    if max(scores, default=0.0) >= _CLEAR:
        left = min(left, int(room * _CONTEXT))
    _take(lines, reversed(last), left, chosen)
    return chosen


def _take(lines: list[str], order: Iterable[int], room: int, chosen: set[int]) -> int:
    """Add lines in `order` while they fit into `room`; what is left of it is the answer."""
    for at in order:
        if room < 8:
            break
        if at in chosen or not lines[at]:
            continue
        gaps = 1 - _touches(lines, at - 1, -1, chosen) - _touches(lines, at + 1, 1, chosen)
        cost = size(lines[at]) + 1 + _MARK * gaps
        if cost <= room:
            chosen.add(at)
            room -= cost
    return room


def _touches(lines: list[str], at: int, step: int, chosen: set[int]) -> bool:
    """Whether the next line that is not empty is chosen already, or there is none."""
    while 0 <= at < len(lines) and not lines[at]:
        at += step
    return at in chosen or not 0 <= at < len(lines)


def _blocks(lines: list[str], kept: list[int]) -> list[str]:
    """The lines that are kept, with an empty one for each gap."""
    blocks: list[str] = []
    for before, at in zip([-1, *kept], kept, strict=False):
        if at > before + 1:
            blocks.append("")
        blocks.append(lines[at])
    return blocks


def _gist(shown: Shown, scores: list[float], kept: list[int], text: str) -> str:
    """As many of the lines that score best, the last ones first among equals, as fit into a few with their gaps."""
    telling = sorted(kept, key=lambda at: (-scores[at], -at))
    for number in range(_GIST, 0, -1):
        if text.count("\n") < _GIST:
            break
        text = fit(shown.text(sorted(telling[:number])), size(text))
    return text
