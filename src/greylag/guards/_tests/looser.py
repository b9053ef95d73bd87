"""Assertions that stay and accept more than before: wild cards, wider tolerances, both sides alike, conditions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.case import Case, Proof
from greylag.guards._cases.compared import TOKEN, changed, handed_over, independent, made_alike, sides, tested
from greylag.guards._cases.covered import calls
from greylag.guards._cases.wild import equal_to_all
from greylag.guards._code.bindings import Bindings, Bound, bindings
from greylag.guards._code.fresh import fresh
from greylag.guards._code.source import LARGEST, LITERAL, language, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.less import says_less
from greylag.guards._tests.margins import wider
from greylag.guards._tests.tried import accepts_more
from greylag.model import Diagnostic
from greylag.protocols import Change

_WILD = re.compile(
    r"\b(?:expect|jasmine)\.any(?:thing)?\(|\bsinon\.match\.any\b|id='ANY'|mock', ctx=Load\(\)\), attr='ANY'"
    r"|\bany(?:[A-Z]\w{0,20})?\(\)"
)
_TOLERANCE = re.compile(
    r"(arg='(?:abs|rel|delta)', value=Constant\(value=|\b(?:within|offset|byLessThan)\(|accuracy:"
    r"|^(?:\w+\.)*(?:assert(?:Equals|ArrayEquals)|(?:assert\.)?(?:closeTo|approximately)|In(?:Delta|Epsilon)|(?:EXPECT|ASSERT)_NEAR)\(.*,|\.abs\(\)<=?|\bf?abs\(.*\)<=?|\bepsilon=)"
    r"(\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?)(?=[fFdDL]?\))",
    re.DOTALL,
)
_DIGITS = re.compile(r"(arg='places', value=Constant\(value=|\.toBeCloseTo\([^,]*,)(-?\d+|UnaryOp\(op=USub)")
_USUAL_DIGITS = re.compile(r"(\.toBeCloseTo\([^,()]{1,200})\)$")
_CONSTANT = re.compile(r"Constant\(value=b?(?>'(?>(?:[^'\\]|\\.)*)'|\"(?>(?:[^\"\\]|\\.)*)\"|[^()'\"]*+)")
_CLOSE = 1e-3  # what is still as good as equal
_MOST, _WIDEST = 30, 1000  # claims that are compared one with another, and characters of one


_TYPED = frozenset({"python", "java", "js", "rust", "c", "hash"})


def looser(old: Case, new: Case) -> Iterator[tuple[str, str]]:
    """How the assertions of a test accept more: rule, and words for people."""
    gone = list((Counter(old.proof.claims) - Counter(new.proof.claims)).elements())
    come = list((Counter(new.proof.claims) - Counter(old.proof.claims)).elements())
    if _wild(gone, come) or _wild(sorted(set(old.rows) - set(new.rows)), sorted(set(new.rows) - set(old.rows))):
        yield "weaker-assertions", "compares with something that equals everything"
    if any(_wider(gone, claim) for claim in come):
        yield "weaker-assertions", "accepts a wider tolerance"
    if wider(gone, come):
        yield "weaker-assertions", "accepts a wider tolerance"
    if any(_replaced(claim, gone[:_MOST]) for claim in come[:_MOST]):
        yield "weaker-assertions", "asserts a value that may be another one than the value under test"
    if any(_fails_less(claim, gone[:_MOST]) for claim in come[:_MOST]):
        yield "weaker-assertions", "fails under a condition that demands more than before"
    yield from says_less(gone, come)
    before, after = old.proof, new.proof
    yield from _compares_less(before, after)
    asked = [calls(row) & tested(after.compared) for row in set(new.rows) - set(old.rows)]
    if any(asked) and any(not calls(row) & tested(after.compared) for row in set(old.rows) - set(new.rows)):
        yield "self-comparison", "has rows that ask the tested function what to expect"
    fewer = after.asserts - after.maybe < before.asserts - before.maybe
    if after.maybe > before.maybe and (fewer or after.exact - after.doubted < before.exact - before.doubted):
        words = "a condition, a loop or a function that is not called, or not waited for, is around it"
        yield "conditional-assertion", f"has an assertion that may not run any more: {words}"
    if accepts_more(before, after):
        yield "weaker-assertions", "accepts answers of the tested code that it refused"


_DEMANDS = re.compile(
    r"&&|\.(?:every|some|test|includes|match|matches|has|contains|indexOf|startsWith|anyMatch|allMatch|noneMatch)\("
)


def _fails_less(claim: str, gone: Sequence[str]) -> bool:
    """Whether `if (condition) fail(words)` is one that there was, but for a condition that excepts more."""
    _, mark, words = claim[:_WIDEST].rpartition("fail(")
    demands = len(_DEMANDS.findall(claim[:_WIDEST]))
    return claim.startswith("if(") and any(
        old.startswith("if(") and old.endswith(mark + words) and len(_DEMANDS.findall(old)) < demands for old in gone
    )


def _compares_less(before: Proof, after: Proof) -> Iterator[tuple[str, str]]:
    """Comparisons that hold by themselves now, or of which another function decides."""
    gone, come = changed(before.compared, after.compared)
    (had, mine), (has, now) = independent(before.compared), independent(after.compared)
    if has < had and now > mine:
        yield (
            "self-comparison",
            "compares with what the tested code answers itself, or with what holds whatever it does",
        )
    if handed_over(gone, come):
        yield "weaker-assertions", "leaves it to another function whether what is compared is equal"
    if made_alike(gone, come):
        yield "weaker-assertions", "compares a value after something that makes different ones alike"


def other_values(old: Case, new: Case) -> bool:
    """Whether an assertion is the same but for its literals: what is expected, or what the code is given."""
    before, after = ({_tolerance(claim)[0] for claim in case.proof.claims} for case in (old, new))
    shapes = set(map(_shape, before - after))
    return any(_shape(claim) in shapes for claim in after - before)


def _shape(claim: str) -> str:
    if "ctx=Load()" not in claim:
        return re.sub(r"#(?>(?:[-+*/]#)+)", "#", LITERAL.sub("#", claim))
    return re.sub(r"UnaryOp\(op=USub\(\), operand=#\)\)", "#)", _CONSTANT.sub("#", claim))


def _wild(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether one that was without a wild card has one now, and does not say all that it said beside that."""
    strict = [claim for claim in gone if not _WILD.search(claim[:_WIDEST])]
    wild = [claim for claim in come if (card := _WILD.search(claim[:_WIDEST])) and card.start()]
    loose = [claim for claim in wild[: _MOST * 5] if not any(_says(claim, was) for was in strict[:_MOST])]
    return bool(loose) and sum(not _WILD.search(claim[:_WIDEST]) for claim in come) < len(strict)


def _says(new: str, old: str) -> bool:
    return not Counter(re.findall(r"[\w.]+", old[:_WIDEST])) - Counter(re.findall(r"[\w.]+", new[:_WIDEST]))


def _wider(gone: Sequence[str], claim: str) -> bool:
    shape, tolerance = _tolerance(claim[:_WIDEST])
    if tolerance <= _CLOSE:
        return False
    same = [width for other, width in map(_tolerance, (one[:_WIDEST] for one in gone[:_MOST])) if other == shape]
    return bool(same) and tolerance > max(same)


def _tolerance(claim: str) -> tuple[str, float]:
    """The claim without its tolerance, and that: 0 where none is named."""
    claim = _USUAL_DIGITS.sub(r"\1,2)", claim)
    if match := _DIGITS.search(claim):
        digits = int(match[2]) if match[2].lstrip("-").isdigit() else -1
        return claim[: match.start(2)] + claim[match.end() :], 10.0 ** -max(-9, min(digits, 9))
    match = _TOLERANCE.search(claim)
    if match is None or (match[1].startswith(("assert", "Assert")) and len(sides(claim)) < 3):
        return claim, 0.0
    return claim[: match.end(1)].rstrip(",") + claim[match.end() :], float(match[2].replace("_", ""))


_JOINT = re.compile(r"&&|\|\||\?\?|\?(?![.?])|:|=>|->|,")
_LITERAL = re.compile(r"(?![\"'`]{2}$|0$)(?:[\"'`].*[\"'`]|[\d.+*/_-]+[fFdDlLn]?|true)", re.DOTALL)


def _replaced(claim: str, gone: Sequence[str]) -> bool:
    """Whether a claim is one that there was, about `add(2, 3) && 5` in place of `add(2, 3)`."""
    claim = claim[:_WIDEST]
    arguments = sides(claim)
    last = re.search(r"\(([^()]*)\)$", claim)
    for side in arguments[:3]:
        joints, operands = _operands(side)
        for number, operand in enumerate(operands):
            if not joints or claim.replace(side, operand, 1) not in gone:
                continue
            expected = {last[1] if last else "", *arguments} - {side, ""}
            left = number < len(operands) - 1 and (joints[-1] == "," or (joints[-1] == "&&" and "true" not in expected))
            others = [other for other in operands if other != operand]
            if left or any(other in expected or _LITERAL.fullmatch(other) for other in others):
                return True
    return False


def _operands(side: str) -> tuple[list[str], list[str]]:
    """The operators that choose one of several values, and these."""
    found, joints, depth = [""], list[str](), 0
    for part in TOKEN.findall(_bare(side)):
        depth += (part in "([{") - (part in ")]}")
        start = 0
        for joint in _JOINT.finditer(part) if depth == 0 else ():
            found[-1] += part[start : joint.start()]
            found.append("")
            joints.append(joint[0])
            start = joint.end()
        found[-1] += part[start:]
    functions = any(joint in {"=>", "->"} for joint in joints) or (":" in joints and "?" not in joints)
    return ([], []) if functions else (joints, [_bare(one) for one in found])


def _bare(text: str) -> str:
    """An expression without parentheses around the whole of it."""
    for _ in range(3):
        if text.startswith("(") and f"({','.join(sides(text))})" == text:
            text = text[1:-1]
    return text


# -- whole files -----------------------------------------------------------------------------------------------------


def loosened(change: Change, files: Sequence[FileDiff]) -> Iterator[Diagnostic]:
    """Values that equal everything, and comparisons that became loose by another import."""
    sources = [file for file in parse(change.diff) if file not in files and language(file.path) in _TYPED]
    for file, mark in fresh(change, [*files, *sources], equal_to_all):
        message = f"adds `{mark.words}`, which makes a value equal to everything"
        yield finding(change, "tests", "tests/equal-to-all", message, file.path, line=mark.line)
    for file in files:
        before, after = read(change.base, file.old_path), read(change.head, file.path)
        if language(file.path) != "js" or not before or not after or max(len(before), len(after)) > LARGEST:
            continue
        old, new = _counted(before), _counted(after)
        if new["loose"] > old["loose"] and new["strict"] < old["strict"]:
            message = "compares loosely now (`==` and not `===`): the `assert` of Node without `strict`"
            yield finding(change, "tests", "tests/weaker-assertions", message, file.path)


_NODE = re.compile(r"(?:node:)?assert(/strict)?")
_COMPARED = re.compile(r"(?<![\w.$])(?:(\w+)\.(?:strict\.)?)?(\w*[eE]qual)\s*\(")


def _counted(text: str) -> Counter[str]:
    """Comparisons by the `assert` of Node, strict and loose ones."""
    strict = {bound.name: is_strict for bound in _of_node(bindings("js", text)) for is_strict in [_is_strict(bound)]}
    found: Counter[str] = Counter()
    for match in _COMPARED.finditer(scan(text, "js").code):
        name = match[1] or match[2]
        if name in strict:
            found["strict" if strict[name] or "trict" in match[0] else "loose"] += 1
    return found


def _of_node(found: Bindings) -> Bindings:
    return tuple(bound for bound in found if _NODE.fullmatch(bound.module))


def _is_strict(bound: Bound) -> bool:
    return bound.module.endswith("/strict") or "trict" in bound.symbol
