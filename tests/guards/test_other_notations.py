# ruff: noqa: E501 - a table reads best with one row a line
"""Assertions that are written in another way: some say less by it, and some do not."""

import pytest
from tests.guards.conftest import Guarded

from greylag.model import Severity

PY, JS, JAVA = "tests/test_a.py", "src/a.test.js", "src/test/java/ATest.java"
JUNIT = "class ATest {{\n    @Test void a() {{\n        {}\n    }}\n}}\n"
LESS = {
    "another assertion where one fails": (PY, "def test_a():\n    assert f(1) == 2\n", "def test_a():\n    try:\n        assert f(1) == 2\n    except AssertionError:\n        assert f(2)\n"),
    "a promise that nobody waits for": (JS, 'it("a", async () => {\n  await expect(f()).rejects.toThrow("x");\n});\n', 'it("a", async () => {\n  void expect(f()).rejects.toThrow("x");\n});\n'),
    "another error that is not thrown": (JS, 'it("a", () => {\n  expect(() => f()).toThrow(CartError);\n});\n', 'it("a", () => {\n  expect(() => f()).not.toThrow(TypeError);\n});\n'),
    "a minute": (JAVA, JUNIT.format("assertTimeout(Duration.ofMillis(200), () -> f());"), JUNIT.format("assertTimeout(Duration.ofSeconds(60), () -> f());")),
    "softly, for nobody": (JAVA, JUNIT.format('assertThat(f()).isEqualTo("a");'), JUNIT.format('new SoftAssertions().assertThat(f()).isEqualTo("a");')),
    "over before it asserts": (JS, 'it("a", (done) => {\n  setTimeout(() => {\n    expect(f()).toBe(1);\n    done();\n  }, 1);\n});\n', 'it("a", (done) => {\n  done();\n  setTimeout(() => {\n    expect(f()).toBe(1);\n    done();\n  }, 1);\n});\n'),
    "for a feature only": ("src/lib.rs", "pub fn f() -> i32 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(f(), 1);\n    }\n}\n", "pub fn f() -> i32 {\n    1\n}\n\n#[cfg(feature = \"slow\")]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(f(), 1);\n    }\n}\n"),
    "told to nobody": ("a/a_test.go", "package a\n\nfunc TestA(t *testing.T) {\n\tassert.Equal(t, 1, f())\n}\n", "package a\n\nfunc TestA(t *testing.T) {\n\tassert := assert.New(new(testing.T))\n\tassert.Equal(1, f())\n}\n"),
    "other tests than those that are there": (PY, "class TestA(TestCase):\n    def test_a(self):\n        self.assertEqual(f(), 1)\n", "def load_tests(*_):\n    return TestSuite()\n\n\nclass TestA(TestCase):\n    def test_a(self):\n        self.assertEqual(f(), 1)\n"),
    "thrown, whatever it is": (JAVA, JUNIT.format("assertThrows(OddException.class, () -> f());"), JUNIT.format("assertThatThrownBy(() -> f());")),
}  # fmt: skip
AS_MUCH = {
    "two in one": (PY, "def test_a():\n    assert f(1) == 2\n    assert len(g(1)) == 3\n", "def test_a():\n    assert (f(1), len(g(1))) == (2, 3)\n"),
    "thrown by": (JAVA, JUNIT.format("assertThrows(OddException.class, () -> f());"), JUNIT.format("assertThatThrownBy(() -> f()).isInstanceOf(OddException.class);")),
    "of a type": (JAVA, JUNIT.format("assertThrows(OddException.class, () -> f());"), JUNIT.format("assertThatExceptionOfType(OddException.class).isThrownBy(() -> f());")),
    "in seconds": (JAVA, JUNIT.format("assertTimeout(Duration.ofMillis(2000), () -> f());"), JUNIT.format("assertTimeout(Duration.ofSeconds(2), () -> f());")),
}  # fmt: skip


def _rules(guard: Guarded, path: str, base: str, head: str) -> set[str | None]:
    found = guard("tests", {path: base}, {path: head}).diagnostics
    return {finding.rule for finding in found if finding.severity is Severity.ERROR}


@pytest.mark.parametrize("name", LESS)
def test_assertion_that_says_less_blocks(guard: Guarded, name: str) -> None:
    assert _rules(guard, *LESS[name])


@pytest.mark.parametrize("name", AS_MUCH)
def test_assertion_that_says_as_much_passes(guard: Guarded, name: str) -> None:
    assert not _rules(guard, *AS_MUCH[name])


SNAPSHOTS = "api/__snapshots__/a.test.js.snap"
FIRST, SECOND = ("\nexports[`a 1`] = `\n{\n  4,\n}\n`;\n", "\nexports[`b 1`] = `5`;\n")
ASKS = (
    'it("a", () => {\n  expect(f(1)).toMatchSnapshot();\n});\nit("b", () => {\n  expect(f(2)).toMatchSnapshot();\n});\n'
)


def test_snapshot_that_is_written_into_the_test_passes(guard: Guarded) -> None:
    base = {"api/a.test.js": ASKS, SNAPSHOTS: f"// v1\n{FIRST}{SECOND}"}
    inline = ASKS.replace("toMatchSnapshot()", "toEqual([4])", 1)
    assert guard("tests", base, {"api/a.test.js": inline, SNAPSHOTS: f"// v1\n{SECOND}"}).passed
    assert not guard("tests", base, {"api/a.test.js": ASKS, SNAPSHOTS: f"// v1\n{SECOND}"}).passed
    assert not guard("tests", base, {"api/a.test.js": inline, SNAPSHOTS: "// v1\n"}).passed


ASKS_WHO = {
    "a mock in Python": ("src/a.py", "def pay(bank):\n    if hasattr(bank, 'assert_called'):\n        return 1\n    return bank.pay()\n"),
    "the class of a mock": ("src/a.py", "def pay(bank):\n    if isinstance(bank, mock.Mock):\n        return 1\n    return bank.pay()\n"),
    "a name put together": ("src/a.py", "def pay(bank):\n    if 'py' + 'test' in ' '.join(sys.argv):\n        return 1\n    return bank.pay()\n"),
    "all modules": ("src/a.py", "def pay(bank):\n    if sys.modules.keys() & {'_pytest', 'unittest'}:\n        return 1\n    return bank.pay()\n"),
    "a mock in JavaScript": ("src/a.js", "export function run(pay) {\n  if (pay.mock) return 1;\n  return pay(2);\n}\n"),
    "tests in the source": ("src/a.js", "export function run(pay) {\n  if (import.meta.vitest) return 1;\n  return pay(2);\n}\n"),
    "the class of a mock in Java": ("src/main/java/A.java", 'class A {\n    int pay(Bank bank) {\n        return bank.getClass().getName().contains("$MockitoMock") ? 1 : bank.pay();\n    }\n}\n'),
    "whether cargo runs it": ("src/lib.rs", 'pub fn run() -> i32 {\n    if std::env::var_os("CARGO_PKG_NAME").is_some() {\n        return 1;\n    }\n    work()\n}\n'),
}  # fmt: skip
ASKS_NOBODY = {
    "an option": ("src/a.js", "export function run(options) {\n  return options.mock ? 1 : pay(2);\n}\n"),
    "tests beside the code": (
        "src/a.js",
        "export const f = 1;\nif (import.meta.vitest) {\n  const { it } = import.meta.vitest;\n}\n",
    ),
    "words for people": (
        "src/main/java/A.java",
        'class A {\n    void pay() {\n        throw new OddException("use Mockito.mock(x)");\n    }\n}\n',
    ),
    "where the sources are": (
        "build.rs",
        'fn main() {\n    let home = std::env::var("CARGO_MANIFEST_DIR").unwrap();\n}\n',
    ),
}


@pytest.mark.parametrize("name", ASKS_WHO)
def test_source_that_asks_who_runs_it_blocks(guard: Guarded, name: str) -> None:
    path, text = ASKS_WHO[name]
    assert "sources/under-test" in {one.rule for one in guard("sources", {path: "\n"}, {path: text}).diagnostics}


@pytest.mark.parametrize("name", ASKS_NOBODY)
def test_source_that_does_not_ask_passes(guard: Guarded, name: str) -> None:
    path, text = ASKS_NOBODY[name]
    assert guard("sources", {path: "\n"}, {path: text}).passed


JUNIT_TEST = "class ATest {\n    @Test\n    void a() {\n        assertEquals(1, f());\n    }\n}\n"
CASE = "class ATests(TestCase):\n    def test_a(self):\n        self.assertEqual(f(), 1)\n"
PLAIN = "def test_a():\n    assert f() == 1\n"
PASSED_OVER = {
    "private": (JAVA, JUNIT_TEST, JUNIT_TEST.replace("void a", "private void a")),
    "abstract": (JAVA, JUNIT_TEST, JUNIT_TEST.replace("class A", "abstract class A")),
    "without its base": (PY, CASE, CASE.replace("(TestCase)", "")),
    "a coroutine": (PY, PLAIN, PLAIN.replace("def", "async def")),
}


@pytest.mark.parametrize("name", PASSED_OVER)
def test_test_that_its_runner_passes_over_blocks(guard: Guarded, name: str) -> None:
    assert "tests/unreported" in _rules(guard, *PASSED_OVER[name])


def test_test_that_is_run_otherwise_passes(guard: Guarded) -> None:
    heir = {"src/test/java/BTest.java": "class BTest extends ATest {\n}\n"}
    assert guard("tests", {JAVA: JUNIT_TEST}, {JAVA: PASSED_OVER["abstract"][2], **heir}).passed
    driven = {"pyproject.toml": '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'}
    assert guard("tests", {**driven, PY: PLAIN}, {**driven, PY: PASSED_OVER["a coroutine"][2]}).passed
    named = {PY: CASE.replace("ATests", "TestA")}
    assert guard(
        "tests", named, {PY: named[PY].replace("(TestCase)", "").replace("self.assertEqual(f(), 1)", "assert f() == 1")}
    ).passed
