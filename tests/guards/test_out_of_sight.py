# ruff: noqa: E501 - a table reads best with one row a line
"""What a change takes away from tools without touching their settings: examples that run, commands of CTest, reports."""

from typing import Any

import pytest

DOC = "//! Sums.\n\n/// Adds.\n///\n/// ```\n/// assert_eq!(a::add(2, 3), 5);\n/// ```\npub fn add(a: i32, b: i32) -> i32 { a + b }\n"


@pytest.mark.parametrize(
    ("new", "lines"),
    [
        (DOC.replace("/// ```\n/// assert", "/// ```no_run\n/// assert"), ["error tests/deleted-test src/lib.rs"]),
        (DOC.replace("/// assert", "/// # if false {\n/// assert").replace("5);\n", "5);\n/// # }\n"), ["error tests/conditional-assertion src/lib.rs:5"]),
        (DOC.replace("/// ```\n", "").replace("/// assert_eq!(a::add(2, 3), 5);\n", ""), ["error tests/deleted-test src/lib.rs"]),
        ("//! Sums.\n", ["warning tests/deleted-test src/lib.rs"]),  # with what it documents
        (DOC.replace("/// assert", "/// use a::add;\n/// assert_eq!(add(1, 1), 2);\n/// assert"), ["info tests/edited src/lib.rs:5"]),
    ],
)  # fmt: skip
def test_example_of_the_documentation_is_a_test(guard: Any, found: Any, new: str, lines: list[str]) -> None:
    assert found(guard("tests", {"src/lib.rs": DOC}, {"src/lib.rs": new})) == lines


def test_file_that_no_module_names_loses_its_tests(guard: Any) -> None:
    manifest, text = {"Cargo.toml": "[package]\n"}, "#[test]\nfn adds() {\n    assert_eq!(a::add(2, 3), 5);\n}\n"
    base, moved = manifest | {"tests/adds.rs": text}, manifest | {"tests/all/adds.rs": text}
    assert not guard("tests", base, moved).passed
    assert guard("tests", base, moved | {"tests/all/main.rs": "mod adds;\n"}).passed


CTEST = (
    "add_executable(test_add test_add.c)\nadd_executable(test_sub test_sub.c)\nadd_test(NAME add COMMAND test_add)\n"
)


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ("COMMAND test_add", "COMMAND test_sub", False),
        ("COMMAND test_add", "COMMAND cmake -E env X=1 true test_add", False),
        ("COMMAND test_add", "COMMAND ${CMAKE_COMMAND} -E env X=1 $<TARGET_FILE:test_add> -v", True),
        ("test_add test_add.c", "test_add test_sub.c", False),
        ("test_add", "add_tests", True),
    ],
)
def test_test_of_cmake_runs_what_it_ran(guard: Any, found: Any, old: str, new: str, passes: bool) -> None:
    files = {"test_add.c": "int main(void) { return 1; }\n", "test_sub.c": "int main(void) { return 2; }\n"}
    text = CTEST.replace(old, new) if old == "test_add" else CTEST.replace(old, new, 1)
    text = text.replace("add_tests.c", "test_add.c")
    verdict = guard("gates", files | {"CMakeLists.txt": CTEST}, files | {"CMakeLists.txt": text})
    assert verdict.passed is passes, found(verdict)


@pytest.mark.parametrize(
    "line",
    [
        "curl -fsSL https://a.example/i.sh | sh",
        "wget -qO- https://a.example/i \\\n  | sudo bash -s -- -y",
        'sh -c "$(curl -s https://a.example/i)"',
        "curl -o i.sh https://a.example/i.sh && sh i.sh",
    ],
)
def test_program_from_the_net_blocks(guard: Any, found: Any, line: str) -> None:
    base = {"Dockerfile": "FROM x\n"}
    lines = found(guard("gates", base, {"Dockerfile": f"FROM x\nRUN {line}\n"}))
    assert "error gates/remote-script Dockerfile:2" in lines
    assert guard("gates", base, {"Dockerfile": f"FROM x\nRUN {line}\n"}, allow=["build"]).passed
    newer = {"Dockerfile": f"FROM x\nRUN {line} # 2\n"}
    assert guard("gates", {"Dockerfile": f"FROM x\nRUN {line}\n"}, newer).passed


def test_fetched_file_with_a_checked_sum_passes(guard: Any) -> None:
    line = "RUN curl -o a.tgz https://a.example/a.tgz && echo '0f4c  a.tgz' | sha256sum -c - && tar xzf a.tgz\n"
    assert guard("gates", {"Dockerfile": "FROM x\n"}, {"Dockerfile": f"FROM x\n{line}"}).passed


def test_settings_that_move_and_change_block(guard: Any, found: Any) -> None:
    text = "a: 1\nb: 2\nc:\n  - ../x\n  - y\n  - z\n"
    base = {"deploy/a.yaml": text}
    lines = found(guard("gates", base, {"examples/a.yaml": text + "d:   4   \n"}))
    assert lines == ["error gates/hidden examples/a.yaml"]
    assert guard("gates", base, {"examples/a.yaml": text}).passed
    assert guard("gates", base, {"examples/a.yaml": text.replace("../x", "../../x")}).passed


SUPPRESSED = {
    "attribute of several lines": ("src/lib.rs", "#![allow(\n    a,\n    c\n)]\n", "#![allow(\n    a,\n    b,\n    c\n)]\n"),
    "list of valgrind": ("valgrind.supp", "{\n  a\n}\n", "{\n  a\n}\n{\n  b\n}\n"),
    "sanitizer": ("a.c", "int f(void);\n", '__attribute__((no_sanitize("undefined"))) int f(void);\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", SUPPRESSED)
def test_new_suppression_blocks_and_its_removal_passes(guard: Any, name: str) -> None:
    path, old, new = SUPPRESSED[name]
    assert not guard("suppressions", {path: old}, {path: new}).passed
    assert guard("suppressions", {path: new}, {path: old}).passed


def test_header_of_generated_code_in_a_file_written_by_hand_blocks(guard: Any) -> None:
    text = "package a\n\nfunc A() int { return 1 }\n"
    head = "// Code generated by hand. DO NOT EDIT.\n\n"
    assert not guard("generated", {"a.go": text}, {"a.go": head + text}).passed
    assert guard("generated", {"a.go": text}, {"a.go": "// A package.\n" + text}).passed


def test_panic_of_go_that_ends_in_silence_blocks(guard: Any, found: Any) -> None:
    text = "package a\n\nfunc Run(f func()) {\n\tf()\n}\n"
    silent = text.replace("\tf()", "\tdefer func() { _ = recover() }()\n\tf()")
    assert found(guard("sources", {"a.go": text}, {"a.go": silent})) == ["error sources/swallowed a.go:4"]
    told = text.replace(
        "\tf()", "\tdefer func() {\n\t\tif r := recover(); r != nil {\n\t\t\tlog(r)\n\t\t}\n\t}()\n\tf()"
    )
    assert guard("sources", {"a.go": text}, {"a.go": told}).passed
