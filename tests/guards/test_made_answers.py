# ruff: noqa: E501 - a table reads best with one row a line
"""Tests that compared what the sources answer, and compare what they have made themselves now."""

import pytest
from tests.guards.conftest import Guarded

from greylag.model import Outcome, Severity, Verdict

SHOP = {
    "src/shop/__init__.py": "",
    "src/shop/prices.py": "def discounted(price, percent):\n    return price * (100 - percent) / 100\n",
    "src/shop/orders.py": "from shop.prices import discounted\n\n\nclass Order:\n    def __init__(self, percent):\n        self.percent = percent\n\n    def amount(self):\n        return discounted(200, self.percent)\n\n    def save(self):\n        pass\n",
}
P = "tests/test_orders.py"
HEAD = "from unittest import mock\nimport pytest\nfrom shop.orders import Order\n\n\n"
TEST = "def test_amount():\n    order = Order(10)\n    assert order.amount() == 180\n"
MADE = {
    "a mock of the class": ("order = Order(10)", "order = mock.Mock(spec=Order)\n    order.amount.return_value = 180"),
    "a class of the test": ("    order = Order(10)", "    class Fixed(Order):\n        def amount(self):\n            return 180\n\n    order = Fixed(10)"),
    "a patched method": ("    assert order", "    with mock.patch.object(Order, 'amount', return_value=180):\n        assert order"),
    "a decorator": ("def test_amount():", "@mock.patch('shop.orders.Order.amount', return_value=180)\ndef test_amount(_):"),
    "a fixture that patches": ("def test_amount():\n", "def test_amount(monkeypatch):\n    monkeypatch.setattr(Order, 'amount', lambda self: 180)\n"),
    "an assignment on the class": ("    assert order", "    Order.amount = lambda self: 180\n    assert order"),
    "an assignment on the object": ("    assert order", "    order.amount = mock.Mock(return_value=180)\n    assert order"),
    "what it calls": ("    assert order", "    with mock.patch('shop.orders.discounted', return_value=180):\n        assert order"),
}  # fmt: skip


def stopped(verdict: Verdict) -> bool:
    errors = {finding.rule for finding in verdict.diagnostics if finding.severity is Severity.ERROR}
    assert errors <= {"tests/not-the-source"}
    return verdict.outcome is Outcome.FAILED


@pytest.mark.parametrize("name", MADE)
def test_answer_that_the_test_has_made_blocks(guard: Guarded, name: str) -> None:
    old, new = MADE[name]
    assert old in TEST
    assert stopped(guard("tests", {**SHOP, P: HEAD + TEST}, {**SHOP, P: HEAD + TEST.replace(old, new, 1)}))


def test_answer_that_a_set_up_has_made_blocks(guard: Guarded) -> None:
    base = f"{HEAD}class OrderTest(TestCase):\n    def setUp(self):\n        self.order = Order(10)\n\n    def test_amount(self):\n        self.assertEqual(self.order.amount(), 180)\n"
    head = base.replace("Order(10)", "mock.MagicMock(spec=Order)\n        self.order.amount.return_value = 180")
    assert stopped(guard("tests", {**SHOP, P: base}, {**SHOP, P: head}))


_AUTO = "@pytest.fixture(autouse=True)\n"
AROUND = {
    "a patch": _AUTO
    + "def fixed():\n    with mock.patch.object(Order, 'amount', return_value=180):\n        yield\n\n\n",
    "a setting": _AUTO + "def fixed(monkeypatch):\n    monkeypatch.setattr(Order, 'amount', lambda self: 180)\n\n\n",
    "an assignment while it is loaded": "Order.amount = lambda self: 180\n\n\n",
    "an assignment": _AUTO + "def fixed():\n    Order.amount = lambda self: 180\n\n\n",
}


@pytest.mark.parametrize("where", [P, "tests/conftest.py"])
@pytest.mark.parametrize("name", AROUND)
def test_answer_that_is_made_before_every_test_blocks(guard: Guarded, name: str, where: str) -> None:
    base = {**SHOP, P: HEAD + TEST, "tests/conftest.py": HEAD}
    head = {**base, where: HEAD + AROUND[name] + (TEST if where == P else "")}
    assert stopped(guard("tests", base, head))
    kept = {
        path: text.replace("Order, 'amount'", "Order, 'save'").replace("Order.amount", "Order.save")
        for path, text in head.items()
    }
    assert not stopped(guard("tests", base, kept))


KEPT = {
    "another method is replaced": ("    assert order", "    order.save = mock.Mock()\n    assert order"),
    "a spy": ("    assert order", "    with mock.patch.object(Order, 'amount', wraps=order.amount):\n        assert order"),
    "a class of the test without an answer": ("    order = Order(10)", "    class Quiet(Order):\n        def save(self):\n            pass\n\n    order = Quiet(10)"),
    "a mock beside it": ("    assert order", "    bank = mock.Mock()\n    bank.amount.return_value = 180\n    assert order"),
    "a field": ("    assert order", "    order.percent = 10\n    assert order"),
    "a patch that returns something else": ("    assert order", "    with mock.patch('shop.orders.discounted', return_value=3):\n        pass\n    assert order"),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_answer_of_the_sources_passes(guard: Guarded, name: str) -> None:
    old, new = KEPT[name]
    assert not stopped(guard("tests", {**SHOP, P: HEAD + TEST}, {**SHOP, P: HEAD + TEST.replace(old, new, 1)}))


def test_mock_of_what_the_sources_no_longer_have_passes(guard: Guarded) -> None:
    head = {**SHOP, P: HEAD + TEST.replace("Order(10)", "mock.Mock()"), "src/shop/orders.py": "Order = None\n"}
    assert not stopped(guard("tests", {**SHOP, P: HEAD + TEST}, head))


CART = "export class Cart {\n  add(price) {}\n  total() { return 5; }\n}\nexport function sum(items) { return items.length; }\n"
CART_TEST = 'import { Cart, sum } from "./cart.js";\n\ntest("totals", () => {\n  const cart = new Cart();\n  cart.add(2);\n  expect(cart.total()).toBe(5);\n  expect(sum([1])).toBe(1);\n  const many = sum([1, 2]);\n  expect(many).toBe(2);\n});\n'
ACCOUNT = (
    "package bank;\n\npublic class Account {\n    public int balance() { return 0; }\n    public void close() { }\n}\n"
)
ACCOUNT_TEST = "package bank;\n\nclass AccountTest {\n    @Test\n    void balance() {\n        Account account = new Account();\n        assertEquals(10, account.balance());\n    }\n\n    @Test\n    void other() {\n        assertEquals(10, new Account().balance());\n    }\n}\n"
BRACES = {
    "js: a class of the test": ("const cart = new Cart();", "class Fixed extends Cart { total() { return 5; } }\n  const cart = new Fixed();"),
    "js: a class without a name": ("new Cart();", "new (class extends Cart { total() { return 5; } })();"),
    "js: an object literal": ("new Cart();", "{ add() {}, total: () => 5 };"),
    "js: on the prototype": ("  cart.add(2);", "  Cart.prototype.total = () => 5;"),
    "js: a value": ("const many = sum([1, 2]);", "const many = [2];"),
    "js: a function": ("expect(sum([1]))", "const spy = vi.fn(sum).mockReturnValue(1);\n  expect(spy([1]))"),
    "java: a mock": ("Account account = new Account();", "Account account = Mockito.mock(Account.class);\n        when(account.balance()).thenReturn(10);"),
    "java: a class without a name": ("Account account = new Account();", "Account account = new Account() {\n            @Override public int balance() { return 10; }\n        };"),
    "java: a class of the test": ("        Account account = new Account();", "        class Fixed extends Account {\n            @Override public int balance() { return 10; }\n        }\n        Account account = new Fixed();"),
}  # fmt: skip
BRACES_KEPT = {
    "js: a class without an answer": ("const cart = new Cart();", "class Quiet extends Cart { add() {} }\n  const cart = new Quiet();"),
    "js: a mock beside it": ("  cart.add(2);", "  const total = vi.fn();\n  cart.add(2);"),
    "java: a class without an answer": ("Account account = new Account();", "Account account = new Account() {\n            @Override public void close() { }\n        };"),
}  # fmt: skip


def _braces(guard: Guarded, name: str, old: str, new: str) -> Verdict:
    files = {"src/cart.js": CART, "src/main/java/bank/Account.java": ACCOUNT}
    js = name.startswith("js")
    path, text = ("src/cart.test.js", CART_TEST) if js else ("src/test/java/bank/AccountTest.java", ACCOUNT_TEST)
    assert old in text
    return guard("tests", {**files, path: text}, {**files, path: text.replace(old, new, 1)})


@pytest.mark.parametrize("name", BRACES)
def test_other_languages_block_too(guard: Guarded, name: str) -> None:
    assert stopped(_braces(guard, name, *BRACES[name]))


@pytest.mark.parametrize("name", BRACES_KEPT)
def test_other_languages_pass_too(guard: Guarded, name: str) -> None:
    assert not stopped(_braces(guard, name, *BRACES_KEPT[name]))
