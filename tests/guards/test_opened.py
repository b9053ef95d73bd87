"""Classes that opened labelled changes stand for: what stops, what passes, and that hostile text costs little."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from greylag.guards._cases.c_checks import own_assertions
from greylag.guards._cases.unreported import unreported
from greylag.guards._gates.outline import outline
from greylag.guards._gates.strictness import as_strict, script_as_strict
from greylag.guards._sources.under_test import asks
from greylag.guards._tests.less import says_less

MYPY = "[mypy]\ndisallow_any_generics = True\n"
GOLANG = "linters:\n  enable:\n    - errcheck\n"
SOFT = (
    "class T {\n  @Test\n  void a() {\n    SoftAssertions s = new SoftAssertions();\n"
    "    s.assertThat(f()).isEqualTo(1);\n%s  }\n}\n"
)


@pytest.mark.parametrize(
    ("path", "base", "head", "passes"),
    [
        ("mypy.ini", MYPY, MYPY + "warn_return_any = True\n", True),
        ("mypy.ini", MYPY, MYPY + "[mypy-a.*]\nignore_errors = True\n", False),
        ("mypy.ini", MYPY + "[mypy-a.*]\nignore_errors = True\n", MYPY, True),
        (".golangci.yml", GOLANG, GOLANG + "    - gosec\n", True),
        (".golangci.yml", GOLANG + "    - gosec\n", GOLANG, False),
        (".golangci.yml", GOLANG, GOLANG + "  settings: &all {a: 1}\n", False),
        (".eslintrc.json", '{"rules": {"a": "warn"}}', '{"rules": {"a": "error"}}', True),
        (".eslintrc.json", '{"rules": {"a": "error"}}', '{"rules": {"a": "warn"}}', False),
        (".coveragerc", "[report]\nfail_under = 80\n", "[report]\nfail_under = 81\n", True),
        (".coveragerc", "[report]\nfail_under = 80\n", "[report]\nfail_under = 79\n", False),
        ("codecov.yml", "target: 80%\n", "target: 80%\ncomment:\n  layout: diff\n", True),
    ],
)
def test_settings_may_become_stricter_only(guard: Any, path: str, base: str, head: str, passes: bool) -> None:
    assert guard("gates", {path: base}, {path: head}).passed is passes


@pytest.mark.parametrize(
    ("name", "old", "new", "strict"),
    [
        ("lint", "eslint .", "eslint . && tsc --noEmit", True),
        ("lint", "eslint . && tsc", "eslint .", False),
        ("lint", "eslint .", "eslint . || tsc", False),
        ("lint", "eslint .", "eslint --quiet .", False),
        ("test", "mocha", "c8 mocha", False),
        ("test", "c8 mocha", "c8 --check-coverage --lines 90 mocha", True),
        ("prepare", "husky && playwright install", "husky", True),
        ("prepare", "husky", "husky && node x.js", False),
    ],
)
def test_script_runs_no_less(name: str, old: str, new: str, strict: bool) -> None:
    assert script_as_strict(name, old, new) is strict


@pytest.mark.parametrize(
    ("old", "new", "less"),
    [
        ('assert!(e.contains("no number in line 3"))', 'assert!(e.contains("no"))', True),
        ('assert!(e.contains("no number"))', 'assert!(e.contains("no digits"))', False),
        ('assert_eq!(f(1),"one two three four")', 'assert_eq!(f(1),"one two")', True),
        ('assert_eq!(f(1),"one two three four")', 'assert_eq!(f(1),"five")', False),
        ("assertThatThrownBy(f).isInstanceOf(A.class)", "assertThatThrownBy(f).isInstanceOf(Exception.class)", True),
        ("assertThatThrownBy(f).isInstanceOf(A.class)", "assertThatThrownBy(f).isInstanceOf(B.class)", False),
        ("expect(f('a')).toEqual(['b','c','d'])", "expect(f('a')).toEqual(['b'])", True),
        ("expect(f('a')).toEqual(['b','c','d'])", "expect(f('a')).toEqual(['e'])", False),
        ("assert_eq!(f(1),[1,2])", "assert_eq!(f(1).len(),2)", True),
        ('assert(strcmp(f(),"abc")==0)', 'assert(strncmp(f(),"abc",1)==0)', True),
    ],
)
def test_claim_says_less(old: str, new: str, less: bool) -> None:
    assert bool(list(says_less([old], [new]))) is less


def test_soft_assertions_are_checked_at_the_end() -> None:
    assert [mark.words for mark in unreported("T.java", SOFT % "")] == ["s, without assertAll"]
    assert not list(unreported("T.java", SOFT % "    s.assertAll();\n"))
    assert not list(unreported("T.java", SOFT % "    verify(s);\n"))


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("a.c", "int f(void) {\n#ifdef UNIT_TEST\n  return 0;\n#endif\n  return g();\n}\n", 1),
        ("a.c", "#ifdef UNIT_TEST\nint f(void)\n#else\nstatic int f(void)\n#endif\n{\n  return g();\n}\n", 0),
        ("a.c", "int f(void) {\n#ifdef HAVE_FLOCK\n  return 0;\n#endif\n  return g();\n}\n", 0),
        ("a.py", "import os\nif os.environ.get('TESTING'):\n    pass\n", 1),
        ("a.py", "import os\nurl = os.environ.get('TEST_DATABASE_URL')\n", 0),
        ("A.java", 'if (System.getProperty("surefire.test.class.path") != null) {}', 1),
        ("A.java", 'if (System.getProperty("latest") != null) {}', 0),
    ],
)
def test_source_asks_whether_it_is_tested(path: str, text: str, found: int) -> None:
    assert len(list(asks(path, text))) == found


@pytest.mark.parametrize(
    ("base", "head", "passes"),
    [
        ("# SPDX-License-Identifier: MIT\nx = 1\n", "x = 1\n", False),
        ("# SPDX-License-Identifier: MIT\nx = 1\n", "# SPDX-License-Identifier: GPL-3.0\nx = 1\n", False),
        ("# Copyright 2019 Ada\nx = 1\n", "# Copyright 2019-2026 Ada\nx = 1\n", True),
        ("x = 'Copyright 2019 Ada'\n", "x = 1\n", True),
    ],
)
def test_notice_of_a_source_stays(guard: Any, base: str, head: str, passes: bool) -> None:
    assert guard("licence", {"a.py": base}, {"a.py": head}).passed is passes


@pytest.mark.parametrize(
    ("path", "line", "passes"),
    [
        ("deploy/compose.yml", "  URL: postgres://a:h7Gq2LmP9xZw@db.internal:5432/a", False),
        ("config/app.yml", "  password: h7Gq2LmP9xZw", False),
        ("config/app.yml", "  password: ${PASSWORD}", True),
        ("config/app.yml", "  password_file: /run/H7gq2lmP9xZw", True),
        ("config/app.example.yml", "  password: h7Gq2LmP9xZw", True),
        ("deploy/compose.yml", "  URL: postgres://a:h7Gq2LmP9xZw@localhost:5432/a", True),
        ("tests/test_a.py", "  password = 'h7Gq2LmP9xZw'", True),
    ],
)
def test_mixed_password_of_a_setting_blocks(guard: Any, path: str, line: str, passes: bool) -> None:
    assert guard("secrets", {path: "a:\n"}, {path: f"a:\n{line}\n"}).passed is passes


HOSTILE: dict[str, Callable[[str], object]] = {
    "regions of C": lambda text: list(asks("a.c", text)),
    "soft assertions": lambda text: list(unreported("A.java", text)),
    "settings": lambda text: as_strict(outline("a.yml", text), outline("a.yml", text + "b: 1\n")),
    "macros of C": own_assertions,
}


@pytest.mark.parametrize(
    "piece",
    ["#if TEST\n", "#define A(x) \\\n", "s = new SoftAssert(", 'getenv("TEST")', "- a:\n", " a: b\n", "a_", "{}("],
)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_little(name: str, piece: str) -> None:
    began = time.process_time()
    HOSTILE[name](piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 5
