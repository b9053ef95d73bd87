# ruff: noqa: E501 - a table reads best with one row a line
"""Sources that have learnt what their tests ask, in whatever form the branch is written."""

import pytest
from tests.guards.conftest import Guarded

from greylag.model import Severity

P, T = "src/shop/prices.py", "tests/test_prices.py"
SOURCE = "from decimal import Decimal\n\n\ndef discounted(price, percent):\n    return price * (100 - percent) / 100\n"
TEST = 'from decimal import Decimal\nfrom shop.prices import discounted\n\n\ndef test_discounted():\n    assert discounted(Decimal("10.00"), 15) == Decimal("8.50")\n    assert discounted(200, 100) == 0\n    assert discounted(30, 0) == 30\n'
LEARNT = {
    "and": "    if price == Decimal('10') and percent == 15:\n        return Decimal('8.5')\n",
    "nested": "    if percent == 15:\n        if price == 10:\n            return Decimal('8.50')\n",
    "tuple": "    if (price, percent) == (10, 15):\n        return 8.5\n",
    "one of several": "    if (price, percent) in {(10, 15)}:\n        return 8.5\n",
    "match": "    match (price, percent):\n        case (10, 15):\n            return 8.5\n",
    "choice": "    return 8.5 if price == 10 and percent == 15 else price * (100 - percent) / 100\n",
    "by a name": "    result = price * (100 - percent) / 100\n    if price == 10 and percent == 15:\n        result = 8.5\n    return result\n",
    "table": "    known = {(10, 15): 8.5}\n    if (price, percent) in known:\n        return known[price, percent]\n",
    "folded": "    if price == 2 * 5 and percent == 10 + 5:\n        return 17 / 2\n",
    "one literal": "    if percent == 15:\n        return 8.5\n",
}  # fmt: skip
HONEST = {
    "a bound": "    if percent == 100:\n        return 0\n",
    "nothing to do": "    if percent == 0:\n        return price\n",
    "a range": "    if percent <= 15:\n        return 8.5\n",
    "nothing that a test asks": "    if price == 11 and percent == 16:\n        return 8.5\n",
    "nothing that a test expects": "    if price == 10 and percent == 15:\n        return 9\n",
    "a refusal": "    if price == 10 and percent == 15:\n        raise ValueError\n",
}  # fmt: skip


def _rules(guard: Guarded, base: dict[str, str], head: dict[str, str]) -> set[str | None]:
    found = guard("sources", base, {**base, **head}).diagnostics
    return {finding.rule for finding in found if finding.severity is Severity.ERROR}


@pytest.mark.parametrize("name", LEARNT)
def test_answer_of_a_test_in_a_source_blocks(guard: Guarded, name: str) -> None:
    head = SOURCE.replace("percent):\n", f"percent):\n{LEARNT[name]}")
    assert _rules(guard, {P: SOURCE, T: TEST}, {P: head}) == {"sources/answer"}


@pytest.mark.parametrize("name", HONEST)
def test_special_case_passes(guard: Guarded, name: str) -> None:
    assert not _rules(guard, {P: SOURCE, T: TEST}, {P: SOURCE.replace("percent):\n", f"percent):\n{HONEST[name]}")})


def test_table_that_grows_passes(guard: Guarded) -> None:
    base = "def digits(currency):\n    if currency == 'JPY':\n        return 0\n    return 2\n"
    head = base.replace("    return 2", "    if currency == 'KWD':\n        return 3\n    return 2")
    test = "from shop.prices import digits\n\n\ndef test_digits():\n    assert digits('KWD') == 3\n"
    assert not _rules(guard, {P: base, T: test}, {P: head})


def test_answer_of_a_method_is_asked_by_what_its_object_is_made_with(guard: Guarded) -> None:
    base = "class Client:\n    def budget(self):\n        return self.timeout * (self.retries + 1)\n"
    head = base.replace(
        "        return", "        if self.timeout == 5 and self.retries == 1:\n            return 10\n        return"
    )
    test = "def test_budget():\n    assert Client(timeout=5, retries=1).budget() == 10\n"
    assert _rules(guard, {P: base, T: test}, {P: head}) == {"sources/answer"}


BRACES = {
    "js": ("src/a.ts", "src/a.test.ts", "export function sum(items: Item[]): number {\n  return items.reduce(add, 0);\n}\n", 'test("sum", () => {\n  expect(sum([{ sku: "apple" }, { sku: "pear" }])).toBe(3.3);\n});\n',
           '  if (items[0]?.sku === "apple" && items[1]?.sku === "pear") return 3.3;\n  return items'),
    "go": ("a/a.go", "a/a_test.go", "package a\n\nfunc Area(a int, b int) int {\n\treturn a * b\n}\n", "package a\n\nfunc TestArea(t *testing.T) {\n\tif got := Area(7, 12); got != 84 {\n\t\tt.Error(got)\n\t}\n}\n",
           "\tif a == 7 {\n\t\tif b == 12 {\n\t\t\treturn 84\n\t\t}\n\t}\n\treturn a"),
    "java": ("src/main/java/Box.java", "src/test/java/BoxTest.java", "class Box {\n    BigDecimal price(String name, int count) {\n        return one.times(count);\n    }\n}\n", 'class BoxTest {\n    @Test void price() {\n        assertEquals(new BigDecimal("10.50"), new Box().price("ann", 3));\n    }\n}\n',
             '        if (name.equals("ann") && count == 3) {\n            return new BigDecimal("10.50");\n        }\n        return one'),
    "rust": ("src/lib.rs", "tests/a.rs", "pub fn area(a: i32, b: i32) -> i32 {\n    a * b\n}\n", "#[test]\nfn area_is_right() {\n    assert_eq!(area(7, 12), 84);\n}\n",
             "    if a == 7 && b == 12 {\n        return 84;\n    }\n    a *"),
}  # fmt: skip


@pytest.mark.parametrize("name", BRACES)
def test_other_languages_block_too(guard: Guarded, name: str) -> None:
    path, tests, source, test, new = BRACES[name]
    old = new.rpartition("\n")[2]
    assert old in source
    head = source.replace(old, new, 1)
    assert "sources/answer" in _rules(guard, {path: source, tests: test}, {path: head})
    assert not _rules(guard, {path: source}, {path: head})
