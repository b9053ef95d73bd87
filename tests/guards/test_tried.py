"""Assertions that accept more of the same answer than they did, found by trying values."""

import ast
from collections.abc import Mapping

import pytest

from greylag.guards._cases.case import Proof
from greylag.guards._cases.compared import Compared
from greylag.guards._tests.tried import accepts_more

WEAKER: Mapping[str, tuple[str, str]] = {
    "whole number": ("f(1) == 2", "int(f(1)) == 2"),
    "last digit": ("f(1) == 2", "f(1) % 10 == 2"),
    "floor": ("f(1) == 2.5", "math.floor(f(1)) == 2"),
    "no places": ("f(1) == 2", "f'{f(1):.0f}' == '2'"),
    "per cent": ("f(1) == 2", "'%d' % f(1) == '2'"),
    "one place": ("f(1) == 0.3333", "round(f(1), 1) == 0.3"),
    "answer of a mapping": ("f(1) == 2", "{}.get(f(1), 2) == 2"),
    "less itself": ("f(1) == 2", "f(1) - f(1) == 0"),
    "bound": ("f(1) == 2", "f(1) >= 2"),
    "one of two": ("f(1) == 2", "f(1) in (2, 3)"),
    "or": ("f(1) == 2", "f(1) == 2 or f(1) == 0"),
    "always": ("f(1) == 2", "f(1) or True"),
    "greatest": ("f(1) == 2", "max(f(1), 2) == 2"),
    "whatever case": ("f(1) == 'ab'", "f(1).lower() == 'ab'"),
    "within": ("f(1) == 'ab'", "'ab' in f(1)"),
    "begin": ("f(1) == 'ab'", "f(1)[:1] == 'a'"),
    "one key": ("f(1) == {'a': 1, 'b': 2}", "f(1)['a'] == 1"),
    "by a name": ("x == 2", "x > 1"),
    "decimal, whole": ("f(1) == Decimal('7.50')", "int(f(1)) == 7"),
    "decimal, one place": ("f(1) == Decimal('7.50')", "f(1).quantize(Decimal('1')) == Decimal('8')"),
    "decimal, first digit": ("f(1) == Decimal('7.50')", "str(f(1))[0] == '7'"),
    "approximately": ("f(1) == approx(19.0, abs=0.01)", "f(1) == approx(19.0, rel=0.5)"),
    "approximately by place": ("f(1) == pytest.approx(19.0)", "f(1) == pytest.approx(19.0, 1)"),
    "between": ("f(1) == approx(19.0, abs=0.01)", "15 < f(1) < 25"),
    "how many": ("f(1) == [1, 2]", "len(f(1)) == 2"),
}  # fmt: skip
AS_STRICT: Mapping[str, tuple[str, str]] = {
    "another order": ("f(1) == 2", "2 == f(1)"),
    "list": ("f(1) == [1, 2]", "list(f(1)) == [1, 2]"),
    "text of a path": ("f(1) == 'a/b'", "str(f(1)) == 'a/b'"),
    "floating": ("f(1) == 2", "float(f(1)) == 2.0"),
    "many places": ("f(1) == 0.3333", "round(f(1), 4) == 0.3333"),
    "truth": ("f(1) == True", "f(1)"),
    "nothing": ("f(1) is None", "not f(1)"),
    "decimal as a float": ("f(1) == Decimal('7.50')", "float(f(1)) == 7.5"),
    "approximately the same": ("f(1) == 0.3", "f(1) == approx(0.3)"),
    "closer": ("f(1) == approx(0.3)", "f(1) == approx(0.3, abs=1e-9)"),
    "another answer": ("f(1) == 2", "f(1) == 3"),
    "stricter": ("f(1) >= 2", "f(1) == 2"),
    "of something else": ("f(1) == 2", "f(2) >= 2"),
    "not worked out": ("f(1) == 2", "f(1) >= other()"),
    "part that is a question": ("f(1)[0] == 1", "f(1)[0] == 1 and True"),
}
SCANNED: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "js: or nothing": (("f(1)", "2"), ("f(1)|0", "2")),
    "js: or": (("f(1)", "2"), ("f(1)||2", "2")),
    "js: and": (("f(1)", "2"), ("f(1)&&2", "2")),
    "js: whole number": (("f(1)", "2"), ("Math.trunc(f(1))", "2")),
    "go: rest": (("got", "2"), ("got%4", "2")),
    "java: whole number": (('newBigDecimal("10.50")', "a.total()"), ("10", "a.total().intValue()")),
    "rust: rest": (("f(1)", "2u32"), ("f(1)%4u32", "2u32")),
}


CLAIMS: Mapping[str, tuple[str, str]] = {
    "rust: rounded": ("assert!((mean-4.5).abs()<1e-9)", "assert_eq!(mean.round(),5.0)"),
    "rust: finite": ("assert!((mean-4.5).abs()<1e-9)", "assert!(mean.is_finite())"),
    "go: below": ("ifgot!=7", "ifgot<0"),
    "java: above": ("assertEquals(7,total())", "assertTrue(total()>0)"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_of_other_languages_are_read(name: str) -> None:
    old, new = CLAIMS[name]
    assert accepts_more(Proof(claims=(old,)), Proof(claims=(new,)))
    assert not accepts_more(Proof(claims=(new,)), Proof(claims=(old,)))


def _claims(*conditions: str) -> Proof:
    return Proof(claims=tuple(ast.dump(ast.parse(one, mode="eval").body) for one in conditions))


@pytest.mark.parametrize("name", WEAKER)
def test_condition_that_accepts_more_is_found(name: str) -> None:
    old, new = WEAKER[name]
    assert accepts_more(_claims(old), _claims(new))


@pytest.mark.parametrize("name", AS_STRICT)
def test_condition_that_accepts_no_more_is_left_alone(name: str) -> None:
    old, new = AS_STRICT[name]
    assert not accepts_more(_claims(old), _claims(new))


@pytest.mark.parametrize("name", SCANNED)
def test_other_languages_are_read_too(name: str) -> None:
    old, new = SCANNED[name]
    assert accepts_more(Proof(compared=(Compared(*old),)), Proof(compared=(Compared(*new),)))


def test_all_conditions_count_together() -> None:
    assert not accepts_more(_claims("f(1) == 2"), _claims("f(1) >= 2", "f(1) <= 2"))
    assert not accepts_more(_claims("f(1) == 2"), _claims("f(1) >= 2", "check(f(1))"))
    assert accepts_more(_claims("f(1) == 2", "f(1) > 0"), _claims("f(1) > 0", "f(1) < 5"))


@pytest.mark.parametrize(
    "hostile",
    [
        "'%999999999d' % f(1) == ''",
        "f'{f(1):>999999999}' == ''",
        "9 ** 9 ** 9 ** 9 == f(1)",
        "'a' * 9 ** 9 == f(1)",
        "f(1)" + f".replace('a', '{'a' * 900}')" * 4 + " == ''",
        "'" + "%(a)s" * 150 + "' % {'a': '" + "%(a)s" * 150 + "' % {'a': f(1)}} == ''",
        "round(2, -10 ** 9) == f(1)",
        "1 << 10 ** 9 == f(1)",
        "Decimal('1e999999999') == f(1)",
        "int(Decimal('9e999999')) == f(1)",
        "f(1).quantize(Decimal('1e-999999')) == 1",
        "f(1).toFixed(10 ** 9) == ''",
        f"{'not ' * 300}f(1)",
        f"f(1) == {'[' * 90}{']' * 90}",
        f"f(1) == {'-' * 900}2",
    ],
)
def test_hostile_condition_ends_at_once(hostile: str) -> None:
    accepts_more(_claims("f(1) == 2"), _claims(hostile))
