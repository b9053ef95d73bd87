from typing import Any

import pytest

BLOCKED = {
    "python noqa": ("a.py", "x = 1\n", "x = 1  # noqa: F401\n"),
    "python type: ignore": ("a.py", "x = f()\n", "x = f()  # type: ignore[arg-type]\n"),
    "python pragma": ("a.py", "if x:\n    pass\n", "if x:  # pragma: no cover\n    pass\n"),
    "python file-wide": ("a.py", "x = 1\n", "# ruff: noqa\nx = 1\n"),
    "python pylint": ("a.py", "x = 1\n", "x = 1  # pylint: disable=invalid-name\n"),
    "python nosec": ("a.py", "x = 1\n", "x = 1  # nosec B101\n"),
    "python decorator": ("a.py", "def f(): ...\n", "@no_type_check\ndef f(): ...\n"),
    "a rule more": ("a.py", "x = 1  # noqa: E501\n", "x = 1  # noqa: E501, F401\n"),
    "from one rule to all": ("a.py", "x = 1  # noqa: E501\n", "x = 1  # noqa\n"),
    "js eslint": ("a.js", "f()\n", "// eslint-disable-next-line no-console\nf()\n"),
    "js block": ("a.tsx", "f()\n", "/* eslint-disable */\nf()\n"),
    "js behind a string with a hash": ("a.js", "f()\n", "f('#') // eslint-disable-line\n"),
    "ts ignore": ("a.ts", "f()\n", "// @ts-ignore\nf()\n"),
    "ts expect-error": ("a.ts", "f()\n", "  // @ts-expect-error wrong types upstream\nf()\n"),
    "mark becomes laxer": ("a.ts", "// @ts-expect-error\nf()\n", "// @ts-ignore\nf()\n"),
    "js coverage": ("a.js", "f()\n", "/* istanbul ignore next */\nf()\n"),
    "java annotation": ("A.java", "class A {}\n", '@SuppressWarnings("unchecked")\nclass A {}\n'),
    "java NOSONAR": ("A.java", "int a;\n", "int a; // NOSONAR\n"),
    "kotlin": ("A.kt", "val a = b!!\n", '@Suppress("UNSAFE_CALL")\nval a = b!!\n'),
    "go": ("a.go", "f()\n", "f() //nolint:errcheck\n"),
    "rust": ("a.rs", "fn f() {}\n", "#[allow(dead_code)]\nfn f() {}\n"),
    "rust crate": ("a.rs", "fn f() {}\n", "#![allow(warnings)]\nfn f() {}\n"),
    "c#": ("a.cs", "int a;\n", "#pragma warning disable CS0168\nint a;\n"),
    "c": ("a.c", "int a;\n", '#pragma GCC diagnostic ignored "-Wall"\nint a;\n'),
    "ruby": ("a.rb", "x = 1\n", "x = 1 # rubocop:disable Style/Foo\n"),
    "shell": ("a.sh", "echo $x\n", "# shellcheck disable=SC2086\necho $x\n"),
    "shell, behind others": ("a.sh", "echo $x\n", "# shellcheck   shell=sh enable=all disable=SC2086\necho $x\n"),
    "php": ("a.php", "<?php f();\n", "<?php f(); // @phpstan-ignore-line\n"),
    "swift": ("a.swift", "let a = b!\n", "let a = b! // swiftlint:disable:this force_unwrapping\n"),
    "dockerfile": ("Dockerfile", "RUN x\n", "# hadolint ignore=DL3008\nRUN x\n"),
    "protobuf": ("a.proto", "int32 A = 1;\n", "// buf:lint:ignore FIELD_LOWER_SNAKE_CASE\nint32 A = 1;\n"),
    "yaml": ("a.yml", "a: 1\n", "a: 1 # yamllint disable-line\n"),
}
CLEAN = {
    "word in a document": ("a.md", "x\n", "Use `# noqa` where needed.\n"),
    "word without a comment": ("a.py", "x = 1\n", "noqa = 1\nnosec = noqa\n"),
    "word in a string": ("a.py", "x = 1\n", 'x = "type: ignore this"\n'),
    "annotation in a string": ("A.java", "String a;\n", 'String a = "@SuppressWarnings(";\n'),
    "annotation in a comment": ("A.java", "int a;\n", "// not @SuppressWarnings\nint a;\n"),
    "line with a mark is edited": ("a.py", "x = 1  # noqa: E501\n", "x = 12  # noqa: E501\n"),
    "line with a mark is moved": ("a.py", "x = 1  # noqa\ny = 2\nz = 3\n", "y = 2\nz = 3\nx = 1  # noqa\n"),
    "mark becomes stricter": ("a.ts", "// @ts-ignore\nf()\n", "// @ts-expect-error\nf()\n"),
    "mark is removed": ("a.py", "x = 1  # noqa\n", "x = 1\n"),
    "mark becomes narrower in place": ("a.go", "f() //nolint:errcheck\n", "g() //nolint:errcheck\n"),
    "a sentence about marks": (
        ".golangci.yml",
        "a: 1\n",
        "# we allow unused nolint marks, noqa and nosec in tests\na: 1\n",
    ),
    "rust lifetime is no string": ("a.rs", "fn f() {}\n", "fn f<'a>(x: &'a str) -> &'a str { x }\n"),
    "python in a docstring": ("a.py", "x = 1\n", '"""Says type: ignore in a sentence."""\nx = 1\n'),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_new_mark_blocks(guard: Any, found: Any, name: str) -> None:
    path, base, head = BLOCKED[name]
    (line,) = found(guard("suppressions", {path: base}, {path: head}))
    assert line.startswith(f"error suppressions/added {path}:")


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_no_new_mark_passes(guard: Any, found: Any, name: str) -> None:
    path, base, head = CLEAN[name]
    assert found(guard("suppressions", {path: base}, {path: head})) == []


def test_file_with_marks_may_be_moved(guard: Any, found: Any) -> None:
    text = "import os  # noqa: F401\nx = 1\n"
    assert found(guard("suppressions", {"a.py": text}, {"b/c.py": text})) == []
    split = guard("suppressions", {"a.py": text}, {"a.py": "x = 1\n", "b.py": "import os  # noqa: F401\n"})
    assert found(split) == []


def test_new_file_with_a_mark_blocks(guard: Any, found: Any) -> None:
    assert found(guard("suppressions", {}, {"a.py": "x = 1  # noqa\n"})) == ["error suppressions/added a.py:1"]


def test_mark_that_looks_like_a_comment_in_a_string_is_shown(guard: Any, found: Any) -> None:
    verdict = guard("suppressions", {"a.py": "x = 1\n"}, {"a.py": 'x = "y = 1  # noqa"\n'})
    assert verdict.passed
    assert found(verdict) == ["warning suppressions/added a.py:1"]


def test_scanner_that_is_led_astray_does_not_hide_a_mark(guard: Any, found: Any) -> None:
    head = "function f() { return /`/; }\n// eslint-disable-next-line\nf()\n"
    assert found(guard("suppressions", {"a.js": "f()\n"}, {"a.js": head})) == ["warning suppressions/added a.js:2"]


def test_test_that_types_are_refused_is_shown(guard: Any, found: Any) -> None:
    head = {"test/a.ts": "// @ts-expect-error - must be refused\nf(1)\n", "src/a.ts": "// @ts-expect-error\nf(1)\n"}
    assert found(guard("suppressions", {}, head)) == [
        "error suppressions/added src/a.ts:1", "warning suppressions/added test/a.ts:1",
    ]  # fmt: skip


def test_prompt_may_allow_marks(guard: Any, found: Any) -> None:
    verdict = guard("suppressions", {"a.py": "x\n"}, {"a.py": "x  # noqa\n"}, allow=["suppressions"])
    assert found(verdict) == ["info suppressions/added a.py:1"]
    assert verdict.passed
