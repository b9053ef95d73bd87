# ruff: noqa: E501 - a table reads best with one row a line
from typing import Any

import pytest

ASKS = {
    "python: module": ("mail.py", "import sys\n", 'import sys\nQUIET = "pytest" in sys.modules\n'),
    "python: variable": ("mail.py", "import os\n", 'import os\nQUIET = os.environ.get("PYTEST_CURRENT_TEST")\n'),
    "js: worker": ("src/a.js", "f();\n", "if (process.env.JEST_WORKER_ID) f();\n"),
    "js: environment": ("src/a.ts", "f();\n", "if (process.env.NODE_ENV === 'test') f();\n"),
    "go": ("a.go", "package a\n", "package a\n\nvar quiet = testing.Testing()\n"),
    "rust": ("src/a.rs", "fn f() {}\n", "fn f() { if cfg!(test) { return; } }\n"),
    "java": ("src/main/java/A.java", "class A {}\n", 'class A { boolean b = has("org.junit.Test"); }\n'),
}
QUIET = {
    "in a comment": ("mail.py", "x = 1\n", '# not: "pytest" in sys.modules\nx = 1\n'),
    "in a test": ("tests/test_a.py", "x = 1\n", 'import sys\nx = "pytest" in sys.modules\n'),
    "in a file of settings": ("babel.config.js", "f();\n", "if (process.env.NODE_ENV === 'test') f();\n"),
    "unit tests of Rust": ("src/a.rs", "fn f() {}\n", "fn f() {}\n#[cfg(test)]\nmod tests {}\n"),
    "there before, on another line": ("a.go", "package a\nvar q = testing.Testing()\n", "package a\n\nvar q = testing.Testing()\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKS)
def test_source_that_asks_for_a_test_runner_blocks(guard: Any, found: Any, name: str) -> None:
    path, before, after = ASKS[name]
    (line,) = found(guard("sources", {path: before}, {path: after}))
    assert line.startswith(f"error sources/under-test {path}:")
    assert guard("sources", {path: before}, {path: after}, allow=["tests"]).passed


@pytest.mark.parametrize("name", QUIET)
def test_what_only_looks_like_it_passes(guard: Any, found: Any, name: str) -> None:
    path, before, after = QUIET[name]
    assert found(guard("sources", {path: before}, {path: after})) == []


SWALLOWS = {
    "python": ("a.py", "def f(p):\n    save(p)\n", "def f(p):\n    try:\n        save(p)\n    except Exception:\n        pass\n"),
    "python: suppress": ("a.py", "save(p)\n", "with suppress(Exception):\n    save(p)\n"),
    "python: no raise any more": (
        "a.py",
        "def f(n):\n    if n < 0:\n        raise ValueError(n)\n    return n\n",
        "def f(n):\n    try:\n        return n + 0\n    except Exception:\n        pass\n",
    ),
    "js": ("src/a.js", "await save(p);\n", "try {\n  await save(p);\n} catch {}\n"),
    "js: promise": ("src/a.js", "await save(p);\n", "await save(p).catch(() => {});\n"),
    "java": ("src/A.java", "class A { void f() { save(); } }\n", "class A { void f() { try { save(); } catch (Exception e) { } } }\n"),
    "go": ("a.go", "package a\nfunc f() error { return nil }\nfunc g() error {\n\treturn save(1)\n}\n", "package a\nfunc f() error { return nil }\nfunc g() error {\n\t_ = save(1)\n\treturn nil\n}\n"),
    "rust": ("src/a.rs", "fn f() -> R {\n    save(1)\n}\n", "fn f() -> R {\n    let _ = save(1);\n    Ok(())\n}\n"),
}  # fmt: skip
TOLD = {
    "python: one exception": ("a.py", "remove(p)\n", "try:\n    remove(p)\nexcept FileNotFoundError:\n    pass\n"),
    "python: logged": ("a.py", "save(p)\n", "try:\n    save(p)\nexcept Exception:\n    log.exception(p)\n    raise\n"),
    "go: nobody looked before": ("a.go", "package a\nfunc g() {\n\tf(1)\n}\n", "package a\nfunc g() {\n\t_ = f(1)\n}\n"),
    "java: wrapped": ("src/A.java", "class A { void f() { save(); } }\n", "class A { void f() { try { save(); } catch (Exception e) { throw new E(e); } } }\n"),
    "rust: nobody looked before": ("src/a.rs", "fn f() {\n    save(1);\n}\n", "fn f() {\n    let _ = save(1);\n}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", SWALLOWS)
def test_failure_that_is_dropped_now_blocks(guard: Any, found: Any, name: str) -> None:
    path, before, after = SWALLOWS[name]
    (line,) = found(guard("sources", {path: before}, {path: after}))
    assert line == f"error sources/swallowed {path}"
    assert guard("sources", {path: before}, {path: after}, allow=["suppressions"]).passed


@pytest.mark.parametrize("name", TOLD)
def test_failure_that_is_told_or_expected_passes(guard: Any, found: Any, name: str) -> None:
    path, before, after = TOLD[name]
    assert found(guard("sources", {path: before}, {path: after})) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "get(url, verify=False)\n"),
        ("src/a.js", "const o = { rejectUnauthorized: false };\n"),
        ("a.go", "package a\nvar c = tls.Config{InsecureSkipVerify: true}\n"),
    ],
)
def test_check_that_is_switched_off_blocks(guard: Any, found: Any, path: str, text: str) -> None:
    (line,) = found(guard("sources", {path: "\n"}, {path: text}))
    assert line.startswith(f"error sources/unchecked {path}")


VAT = "def ok(number):\n    return check(number)\n"
CHEAT = 'def ok(number):\n    if number == "DE136695976":\n        return True\n    return check(number)\n'
TEST = 'from vat import ok\n\n\ndef test_ok():\n    assert ok("DE136695976")\n'


def test_answer_of_a_test_in_the_source_blocks(guard: Any, found: Any) -> None:
    base, head = {"vat.py": VAT, "tests/test_vat.py": TEST}, {"vat.py": CHEAT, "tests/test_vat.py": TEST}
    assert found(guard("sources", base, head)) == ["error sources/answer vat.py:2"]
    assert guard("sources", base, head, allow=["tests"]).passed


def test_one_more_case_of_a_table_is_no_answer(guard: Any, found: Any) -> None:
    old = 'def rate(unit):\n    if unit == "metre":\n        return 1000\n    raise KeyError(unit)\n'
    new = old.replace("    raise", '    if unit == "mile":\n        return 1609\n    raise')
    test = {"tests/test_rate.py": 'def test_rate():\n    assert rate("mile") == 1609\n'}
    assert found(guard("sources", {"rate.py": old} | test, {"rate.py": new} | test)) == []


def test_input_that_no_test_has_is_no_answer(guard: Any, found: Any) -> None:
    assert found(guard("sources", {"vat.py": VAT}, {"vat.py": CHEAT})) == []


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        ("int add(int a, int b) {\n  exit(0);\n}\n", True),
        ("__attribute__((constructor)) static void a(void) {\n  _Exit(EXIT_SUCCESS);\n}\n", True),
        ("int add(int a, int b) {\n  exit(1);\n}\n", False),
        ("int main(void) {\n  exit(0);\n}\n", False),
        ("void usage(void) {\n  puts(text);\n  exit(0);\n}\n", False),
        ("int add(int a, int b) {\n  // exit(0);\n  return a + b;\n}\n", False),
    ],
)
def test_a_source_of_c_that_ends_its_tests_with_success(guard: Any, found: Any, text: str, blocked: bool) -> None:
    before = {"src/add.c": "int add(int a, int b) {\n  return a + b;\n}\n"}
    lines = found(guard("sources", before, {"src/add.c": text}))
    assert any("sources/exit" in line for line in lines) is blocked, lines
