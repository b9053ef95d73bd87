# ruff: noqa: E501 - a table reads best with one row a line
import json
from typing import Any

import pytest

from greylag.model import Severity

PYPROJECT = '[project]\nname = "x"\ndependencies = ["click>=8"]\n\n[tool.ruff]\nline-length = 100\n\n[tool.mypy]\nstrict = true\n\n[tool.coverage.report]\nfail_under = 90\n\n[tool.hatch.version]\npath = "x.py"\n'
PACKAGE = json.dumps(
    {"name": "x", "scripts": {"test": "vitest run", "lint": "eslint .", "docs": "typedoc"}, "dependencies": {"a": "1"}},
    indent=2,
)
TSCONFIG = '{\n  // comment with "quotes"\n  "compilerOptions": {"strict": true, "target": "es2022",},\n  "include": ["src"]\n}\n'
POM = "<project>\n  <plugin>\n    <artifactId>maven-checkstyle-plugin</artifactId>\n    <version>3.1</version>\n  </plugin>\n</project>\n"

BLOCKED = {
    "workflow edited": (".github/workflows/ci.yml", "run: make test\n", "run: true\n", "ci"),
    "workflow added": (".github/workflows/x.yml", None, "on: push\n", "ci"),
    "workflow deleted": (".github/workflows/ci.yml", "run: make test\n", None, "ci"),
    "gitlab": (".gitlab-ci.yml", "a: 1\n", "a: 2\n", "ci"),
    "jenkins": ("Jenkinsfile", "a\n", "b\n", "ci"),
    "code owners": (".github/CODEOWNERS", "* @a\n", "* @b\n", "ci"),
    "in another case": (".GitHub/Workflows/ci.yml", "a\n", "b\n", "ci"),
    "pre-commit": (".pre-commit-config.yaml", "repos: []\n", "repos: [1]\n", "lint"),
    "eslint": ("web/.eslintrc.json", "{}\n", '{"rules": {}}\n', "lint"),
    "flat eslint": ("eslint.config.mjs", "a\n", "b\n", "lint"),
    "golangci": (".golangci.yml", "a: 1\n", "a: 2\n", "lint"),
    "ruff": ("ruff.toml", "a = 1\n", "a = 2\n", "lint"),
    "mypy": ("mypy.ini", "[mypy]\nstrict = True\n", "[mypy]\n", "lint"),
    "pytest": ("pytest.ini", "[pytest]\n", "[pytest]\naddopts = -k nothing\n", "tests"),
    "coverage": (".coveragerc", "[report]\nfail_under = 90\n", "[report]\nfail_under = 1\n", "tests"),
    "codecov": ("codecov.yml", "a: 1\n", "a: 2\n", "tests"),
    "jest": ("jest.config.js", "a\n", "b\n", "tests"),
    "jest: code taken into a comment": ("jest.config.js", "a\nb\nc\n", "a\n/*\nb\n*/\nc\n", "tests"),
    "jest: code taken out of a comment": ("jest.config.js", "a\n/*\nb\n*/\nc\n", "a\nb\nc\n", "tests"),
    "jest: code beside a comment": ("jest.config.js", "a\n", "a\n/* b */ c\n", "tests"),
    "workflow: code becomes a comment": (".github/workflows/ci.yml", "a: 1\nb: 2\n", "a: 1\n# b: 2\n", "ci"),
    "pyproject: coverage": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("90", "10"), "tests"),
    "pyproject: mypy": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("strict = true", "strict = false"), "lint"),
    "pyproject: table gone": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("[tool.mypy]\nstrict = true\n", ""), "lint"),
    "pyproject: pytest added": ("pyproject.toml", PYPROJECT, PYPROJECT + '[tool.pytest.ini_options]\naddopts = "-x"\n', "tests"),
    "pyproject: broken": ("pyproject.toml", PYPROJECT, PYPROJECT + "[[[", "unreadable"),
    "setup.cfg: flake8": ("setup.cfg", "[metadata]\nname = x\n[flake8]\nmax = 1\n", "[metadata]\nname = x\n[flake8]\nmax = 9\n", "lint"),
    "tox": ("tox.ini", "[testenv]\ncommands = pytest\n", "[testenv]\ncommands = true\n", "tests"),
    "package.json: test script": ("package.json", PACKAGE, PACKAGE.replace("vitest run", "true"), "tests"),
    "package.json: lint script gone": ("package.json", PACKAGE, PACKAGE.replace('"lint": "eslint .",', ""), "lint"),
    "package.json: install hook": ("package.json", PACKAGE, PACKAGE.replace('"docs": "typedoc"', '"docs": "typedoc", "postinstall": "node x.js"'), "build"),
    "package.json: jest table": ("package.json", PACKAGE, PACKAGE.replace('"dependencies"', '"jest": {"bail": 1}, "dependencies"'), "tests"),
    "tsconfig: strict off": ("tsconfig.json", TSCONFIG, TSCONFIG.replace("true", "false"), "lint"),
    "tsconfig: strict gone": ("tsconfig.json", TSCONFIG, TSCONFIG.replace('"strict": true, ', ""), "lint"),
    "tsconfig: one of strict off": ("packages/a/tsconfig.build.json", TSCONFIG, TSCONFIG.replace("true,", 'true, "noImplicitAny": false,'), "lint"),
    "tsconfig: libraries unchecked": ("tsconfig.json", TSCONFIG, TSCONFIG.replace("true,", 'true, "skipLibCheck": true,'), "lint"),
    "tsconfig: types unchecked": ("tsconfig.json", TSCONFIG, TSCONFIG.replace("true,", 'true, "noCheck": true,'), "lint"),
    "tsconfig: files no longer included": ("tsconfig.json", TSCONFIG, TSCONFIG.replace('"src"', '"src/good"'), "lint"),
    "tsconfig: files excluded": ("tsconfig.json", TSCONFIG, TSCONFIG.replace('"include"', '"exclude": ["src/bad"], "include"'), "lint"),
    "cargo: lints": ("Cargo.toml", '[package]\nname = "x"\n[lints.rust]\nunsafe_code = "forbid"\n', '[package]\nname = "x"\n', "lint"),
    "cargo: tests off": ("Cargo.toml", '[package]\nname = "x"\n', '[package]\nname = "x"\nautotests = false\n', "tests"),
    "maven: skipTests": ("pom.xml", POM, POM.replace("<plugin>", "<skipTests>true</skipTests>\n  <plugin>"), "loosened"),
    "maven: failures ignored": ("pom.xml", POM, POM.replace("<plugin>", "<testFailureIgnore>true</testFailureIgnore>\n  <plugin>"), "loosened"),
    "maven: check removed": ("pom.xml", POM, "<project>\n</project>\n", "removed"),
    "gradle: failures ignored": ("build.gradle", "test { }\n", "test { }\ncheckstyle { ignoreFailures = true }\n", "loosened"),
    "gradle: check off": ("build.gradle.kts", "x\n", "x\ntasks.named(\"pmdMain\") { enabled = false }\n", "loosened"),
    "make: || true": ("Makefile", "test:\n\tpytest\n", "test:\n\tpytest || true\n", "loosened"),
    "make: linter with other options": ("Makefile", "lint:\n\tshellcheck a.sh\n", "lint:\n\tshellcheck -S error a.sh\n", "removed"),
    "actionlint": (".github/actionlint.yaml", "a: 1\n", "a: 2\n", "lint"),
    "buf": ("api/buf.yaml", "version: v2\n", "version: v2\nlint:\n  except: [FIELD_LOWER_SNAKE_CASE]\n", "lint"),
    "cmake: a test that passes when it fails": ("t/CMakeLists.txt", "add_test(a a)\n", "add_test(a a)\nset_tests_properties(a PROPERTIES WILL_FAIL TRUE)\n", "loosened"),
    "cmake: a test that passes by what it prints": ("t/CMakeLists.txt", "add_test(a a)\n", 'add_test(a a)\nset_tests_properties(a PROPERTIES PASS_REGULAR_EXPRESSION "failed")\n', "loosened"),
    "script: no verify": ("scripts/release.sh", "git push\n", "git push --no-verify\n", "loosened"),
    "script: options by environment": ("Makefile", "test:\n\tpytest\n", "export PYTEST_ADDOPTS = -k x\ntest:\n\tpytest\n", "loosened"),
    "script: code by environment": ("scripts/t.sh", "npm test\n", "NODE_OPTIONS='--import ./x.js' npm test\n", "loosened"),
    ".net: warnings": ("Directory.Build.props", "<a/>\n", "<a/>\n<TreatWarningsAsErrors>false</TreatWarningsAsErrors>\n", "loosened"),
}  # fmt: skip
CLEAN = {
    "pyproject: dependency bump": ("pyproject.toml", PYPROJECT, PYPROJECT.replace("click>=8", "click>=9")),
    "pyproject: version": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('name = "x"', 'name = "x"\nversion = "2"')),
    "pyproject: build requirement": ("pyproject.toml", PYPROJECT, PYPROJECT + '[build-system]\nrequires = ["hatchling"]\n'),
    "pyproject: comment and order": ("pyproject.toml", PYPROJECT, "# a comment\n" + PYPROJECT),
    "pyproject: another tool": ("pyproject.toml", PYPROJECT, PYPROJECT.replace('path = "x.py"', 'path = "y.py"')),
    "package.json: dependency bump": ("package.json", PACKAGE, PACKAGE.replace('"a": "1"', '"a": "2"')),
    "package.json: other script": ("package.json", PACKAGE, PACKAGE.replace("typedoc", "typedoc --json")),
    "package.json: reformatted": ("package.json", PACKAGE, json.dumps(json.loads(PACKAGE))),
    "tsconfig: stricter": ("tsconfig.json", TSCONFIG, TSCONFIG.replace("true,", 'true, "noUnusedLocals": true,')),
    "tsconfig: target": ("tsconfig.json", TSCONFIG, TSCONFIG.replace("es2022", "es2024")),
    "tsconfig: first one": ("tsconfig.json", None, TSCONFIG),
    "maven: plugin version": ("pom.xml", POM, POM.replace("3.1", "3.6")),
    "maven: moved check": ("pom.xml", POM, POM.replace("<project>\n", "<project>\n  <name>x</name>\n")),
    "script: mark of a linter goes": ("scripts/a.sh", "# shellcheck disable=SC2086\necho $x\n", 'echo "$x"\n'),
    "make: linter stays": ("Makefile", "lint:\n\tshellcheck -x a.sh; ls\n", "lint:\n\tshellcheck -x a.sh; pwd\n"),
    "make: new target": ("Makefile", "test:\n\tpytest\n", "test:\n\tpytest\n\ndocs:\n\tmkdocs build\n"),
    "script: memory of node": ("scripts/b.sh", "npm test\n", "NODE_OPTIONS=--max-old-space-size=4096 npm test\n"),
    "source named ci": ("src/ci.py", "a = 1\n", "a = 2\n"),
    "document about workflows": ("docs/workflows/ci.md", "a\n", "b\n"),
    "source with || true": ("src/a.js", "a\n", "const x = y || true;\n"),
    "cargo: version": ("Cargo.toml", '[package]\nname = "x"\nversion = "1.0.0"\n', '[package]\nname = "x"\nversion = "1.0.1"\n'),
}  # fmt: skip


def files(path: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {path: text}


@pytest.mark.parametrize("name", BLOCKED)
def test_moved_gate_blocks(guard: Any, name: str) -> None:
    path, base, head, rule = BLOCKED[name]
    verdict = guard("gates", files(path, base), files(path, head))
    assert not verdict.passed
    assert {d.rule for d in verdict.diagnostics if d.severity is Severity.ERROR} == {f"gates/{rule}"}
    assert {finding.path for finding in verdict.diagnostics} == {path}


@pytest.mark.parametrize("name", CLEAN)
def test_ordinary_edit_of_a_mixed_file_passes(guard: Any, found: Any, name: str) -> None:
    path, base, head = CLEAN[name]
    told = found(guard("gates", files(path, base), files(path, head)))
    assert [line for line in told if not line.startswith("info gates/loaded")] == []


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        ("vitest.config.ts", "// Copyright A\n"),
        ("jest.config.js", "/*\n * Copyright A * B\n */\n"),
        (".github/workflows/ci.yml", "# Copyright A\n"),
    ],
)
def test_comments_of_a_gate_are_told_and_do_not_block(guard: Any, found: Any, path: str, comment: str) -> None:
    for base, head in (("a\n", f"{comment}a\n"), (f"{comment}a\n", "a\n"), (f"{comment}a\n", f"{comment}\na\n")):
        (finding,) = found(guard("gates", {path: base}, {path: head}))
        assert finding.startswith("info gates/")
    assert not guard("gates", {path: f"{comment}a\n"}, {path: f"{comment}b\n"}).passed


CODE = "def test_a():\n    assert f() == 1\n"


@pytest.mark.parametrize("path", ["tests/test_a.py", "src/a.py", "tests/conftest.py", "setup.py"])
@pytest.mark.parametrize(
    "line",
    [
        "# coding: unicode_escape",
        "#!/usr/bin/python\n# -*- coding: utf-7 -*-",
        "\n\f # vim: fileencoding=raw_unicode_escape",
        "# encoding=rot13",
        "\ufeff# coding:punycode",
        "# a\r# coding: idna",
        "# coding: hz",
        "# coding: cp037",
        "# coding: own",
        f"#{' x' * 5000} coding: utf-16",
        "# coding: coding: UTF_7",
    ],
)
def test_encoding_in_which_other_code_runs_than_is_read_blocks(guard: Any, found: Any, path: str, line: str) -> None:
    told = found(guard("gates", {path: CODE}, {path: f"{line}\n{CODE}"}))
    assert f"error gates/encoding {path}" in told
    told = found(guard("gates", {path: f"# coding: utf-8\n{CODE}"}, {path: f"{line}\n{CODE}"}))
    assert f"error gates/encoding {path}" in told
    assert guard("gates", {}, {"tests/test_a.py": f"{line}\n{CODE}"}, allow=["tests"]).passed


@pytest.mark.parametrize(
    "line",
    [
        "# coding: utf-8",
        "# -*- coding: UTF_8 -*-",
        "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :",
        "# coding: ascii",
        "# coding: iso-8859-15",
        "# coding: cp1252",
        "# coding: utf-8-unix",
        '"""Text."""\n# coding: rot13',
        "x = 1  # coding: rot13",
        "# a\n# b\n# coding: rot13",
        "# On coding.",
        '"""\n# coding: rot13\n"""',
    ],
)
def test_encoding_in_which_the_same_runs_passes(guard: Any, found: Any, line: str) -> None:
    assert found(guard("gates", {}, {"src/a.py": f"{line}\n{CODE}"})) == []


def test_encoding_that_was_there_passes(guard: Any, found: Any) -> None:
    text = f"# coding: utf-7\n{CODE}"
    assert found(guard("gates", {"src/a.py": text}, {"src/a.py": f"{text}\n"})) == []
    assert found(guard("gates", {"src/a.py": text}, {"src/b.py": text})) == []
    assert found(guard("gates", {"src/a.py": text}, {"src/a.py": CODE})) == []


def test_gate_that_is_renamed_away_blocks(guard: Any, found: Any) -> None:
    text = "on: push\njobs: {}\n"
    verdict = guard("gates", {".github/workflows/ci.yml": text}, {".github/ci.yml.off": text})
    assert found(verdict) == ["error gates/ci .github/workflows/ci.yml"]


def test_each_kind_is_allowed_by_its_own_name(guard: Any) -> None:
    change = {"ruff.toml": "a = 1\n"}, {"ruff.toml": "a = 2\n"}
    assert not guard("gates", *change, allow=["ci", "tests"]).passed
    assert guard("gates", *change, allow=["lint"]).passed


def test_finding_says_where_what_and_how_to_allow_it(guard: Any) -> None:
    (finding,) = guard(
        "gates", {"pyproject.toml": PYPROJECT}, {"pyproject.toml": PYPROJECT.replace("90", "10")}
    ).diagnostics
    assert finding.path == "pyproject.toml"
    assert "[tool.coverage]" in finding.message
    assert '`allow = ["tests"]`' in finding.message


@pytest.mark.parametrize(
    ("line", "blocked"),
    [
        ("MAKEFLAGS += -i", True),
        ("MAKEFLAGS=--ignore-errors", True),
        ("export MAKEFLAGS := n", True),
        ("MAKEFLAGS += -j4 -kn", True),
        ("\t./t & wait", True),
        ("\t./t &", True),
        ("MAKEFLAGS += -j$(nproc) --no-print-directory -rR", False),
        ("MAKEFLAGS += -Otarget --output-sync=target", False),
        ("\t./t >log 2>&1", False),
        ("\t./t && ./u", False),
    ],
)
def test_ways_to_have_make_ignore_a_failure(guard: Any, found: Any, line: str, blocked: bool) -> None:
    text = "test:\n\t./t\n"
    verdict = guard("gates", {"Makefile": text}, {"Makefile": f"{text}\nother:\n{line}\n"})
    assert ("error gates/loosened Makefile:5" in "\n".join(found(verdict))) is blocked, found(verdict)


def test_a_makefile_that_is_looked_for_first(guard: Any, found: Any) -> None:
    base = {"Makefile": "test:\n\t./t\n", "lib/a.c": ""}
    for name in ("GNUmakefile", "makefile"):
        verdict = guard("gates", base, {**base, name: "test:\n\ttrue\n"})
        assert any(line.startswith(f"error gates/shadow {name}") for line in found(verdict)), found(verdict)
    verdict = guard("gates", base, {**base, "lib/Makefile": "all:\n\tcc a.c\n"})
    assert not any("gates/shadow" in line for line in found(verdict))
