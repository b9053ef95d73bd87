"""Output of formatters, linters and runners (golden files, made by running them) becomes diagnostics."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Counts, Diagnostic, Severity
from greylag.verifiers import _summaries

GOLDEN = Path(__file__).parent / "golden"
Read = Callable[..., tuple[Diagnostic, ...]]
READERS: list[Read] = [
    readers.ty_gitlab,
    readers.biome_gitlab,
    readers.flake8_text,
    readers.mypy_text,
    readers.black_text,
    readers.biome_text,
]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def places(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{d.path}:{d.line}:{d.column} {d.rule}" for d in found]


def test_black_names_files_that_it_would_change_and_places_that_it_cannot_read() -> None:
    found = readers.black_text(golden("black/check.txt"))
    assert places(found) == ["src/calc.py:None:None black", "src/bad.py:1:6 black"]
    assert found[1].message == "cannot parse for target version Python 3.15"
    older = b"error: cannot format /workspace/src/bad.py: Cannot parse: 1:6: def f(:\nOh no!\n"
    assert places(readers.black_text(older)) == ["src/bad.py:1:6 black"]


@pytest.mark.parametrize("version", ["22.12.0", "24.10.0"])
def test_black_tells_the_first_line_that_differs(version: str) -> None:
    found = readers.black_text(golden(f"black/diff-{version}.txt"))
    assert sorted(places(found)) == ["bad.py:1:6 black", "pkg/a.py:5:None black", "pkg/b c.py:1:None black"]
    assert "+z = {1: 2}" in next(d.excerpt for d in found if d.line == 5)


@pytest.mark.parametrize("version", ["0.4", "0.17"])
def test_the_formatter_of_ruff_tells_the_first_line_that_differs(version: str) -> None:
    found = readers.ruff_format_text(golden(f"ruff/format-diff-{version}.txt"), "api")
    assert places(found) == [
        "api/pkg/a.py:5:None ruff-format",
        "api/pkg/b c.py:1:None ruff-format",
        "api/bad.py:1:7 None",
    ]


def test_a_hostile_diff_takes_no_time_and_hides_nothing_that_stands_before_it() -> None:
    head = b"--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-x\n+y\n x\n"
    for part in (b"+++ b.py\n@@ -1,999999999 +1,999999999 @@\n", b"@@ -1 +1 @@\n", b"-\n+\n"):
        found = readers.ruff_format_text(head + part * ((1 << 20) // len(part)))
        assert places(found)[0] == "a.py:1:None ruff-format"


def test_flake8() -> None:
    found = readers.flake8_text(golden("flake8/default.txt"), "api")
    assert places(found)[:2] == ["api/src/bad.py:1:8 E999", "api/src/calc.py:1:1 F401"]
    assert found[-1].message == "undefined name 'undefined_name'"
    assert len(found) == 5


def test_mypy_that_writes_no_json() -> None:
    found = readers.mypy_text(golden("mypy/text.txt"), "api")
    errors = tuple(d for d in found if d.severity is Severity.ERROR)
    assert places(errors)[:2] == ["api/a.py:1:None import", "api/a.py:5:None return-value"]
    assert [d.rule for d in errors[-3:]] == [None, "assignment", "syntax"]
    assert errors[-3].message == 'Unused "type: ignore" comment'
    assert (len(found), len(errors)) == (10, 7)


def test_ty() -> None:
    found = readers.ty_gitlab(golden("ty/gitlab.json"))
    assert places(found) == ["src/calc.py:5:12 invalid-explicit-return", "src/calc.py:9:12 unresolved-reference"]
    assert found[0].message == "Return type does not match returned value: expected `int`, found `str`"
    assert {d.severity for d in found} == {Severity.ERROR}


def test_basedpyright_as_pyright() -> None:
    found = readers.pyright_json(golden("basedpyright/output.json"))
    assert places(found)[:2] == ["src/calc.py:1:8 reportUnusedImport", "src/calc.py:5:12 reportReturnType"]
    assert [d.severity for d in found[:2]] == [Severity.WARNING, Severity.ERROR]


def test_biome_with_its_colours() -> None:
    found = readers.biome_gitlab(golden("biome/ci.json"), "web")
    assert golden("biome/ci.json").startswith(b"\x1b")
    errors = [d for d in found if d.severity is Severity.ERROR]
    assert places(tuple(errors))[:2] == [
        "web/src/a.ts:2:None lint/suspicious/noDebugger",
        "web/src/a.ts:3:None lint/suspicious/noDoubleEquals",
    ]
    assert {d.rule for d in errors} >= {"format", "parse"}
    assert "web/src/a.ts:3:None lint/suspicious/noExplicitAny" in places(found)
    behind_npm = b"> a@1 lint\n> biome ci\n\n" + golden("biome/ci.json") + b"\nELIFECYCLE\n"
    assert readers.biome_gitlab(behind_npm, "web") == found


def test_biome_by_its_text() -> None:
    found = readers.biome_text(golden("biome/ci-2.0.txt"), "web")
    assert places(found) == ["web/biome.json:None:None format", "web/test/a.js:None:None format"]
    assert found[0].message == "File content differs from formatting output"
    lint = (
        "src/a.ts:2:1 lint/suspicious/noDebugger  FIXABLE  \u2501\u2501\u2501\u2501\n\n  \u00d7 This is unexpected.\n"
    )
    assert places(readers.biome_text(lint.encode())) == ["src/a.ts:2:1 lint/suspicious/noDebugger"]


def test_prettier() -> None:
    found = _summaries.prettier(golden("prettier/check.txt"), "web", "/workspace")
    assert places(found) == ["web/src/a.ts:None:None prettier", "web/src/b.ts:1:18 prettier"]
    assert found[1].message == "SyntaxError: Expression expected."


def test_bun_by_its_junit_report_and_by_its_text() -> None:
    counts, (failed,) = readers.junit_xml(golden("bun/junit.xml"))
    assert counts == Counts(2, 1, 2)
    assert (failed.path, failed.line, failed.test) == ("a.test.ts", 4, "sums breaks")
    told = _summaries.javascript(golden("bun/output.txt"), ".", "/workspace")
    assert told
    assert told[0] == Counts(3, 2, 1), "a file that cannot be loaded is a failure that only the text has"


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("data", [b"", b"\0\xff", b"[" * 5000, b'{"a": 1}', b'[1, {"location": 3}, {}]', b":::" * 3000])
def test_nonsense_is_no_crash(read: Read, data: bytes) -> None:
    assert all(isinstance(d, Diagnostic) for d in read(data))


def test_what_cannot_be_read_is_said() -> None:
    for read in (readers.ty_gitlab, readers.biome_gitlab):
        assert [d.rule for d in read(b'{"not": "an array"}')] == [readers.UNREADABLE]


def test_a_module_of_tests_that_cannot_be_imported_is_told_with_the_source_that_is_to_blame() -> None:
    counts, found = _summaries.unittest(golden("unittest/imports.txt"), ".", "/workspace")
    assert (counts.run, counts.failed) == (3, 3)
    assert [(d.path, d.line, d.message) for d in found] == [
        ("tests/test_fine.py", 6, "ValueError: invalid literal for int() with base 10: 'twenty'"),
        ("tests/test_price.py", 3, "SyntaxError: shop/price.py:5: expected ':'"),
        ("tests/test_vat.py", 3, "ModuleNotFoundError: shop/vat.py:1: No module named 'shop.nothing'"),
    ]
    assert "unittest/loader.py" not in found[1].excerpt
    assert "if percent < 0" in found[1].excerpt
