"""Structured reports of tools -> diagnostics and counts. One function per format; verifiers import them by name.

Reports are written by hostile code: sizes are capped, nothing is trusted, nothing raises. What cannot be read gives an
error diagnostic with the rule `unreadable-report`. Readers take the bytes of a report and where the tool ran: `cwd`
relative to the repository, and `workspace`, the repository's absolute path as the tool saw it. Paths come out relative
to the repository; those outside of it stay absolute.
"""

from greylag.model import Counts, Diagnostic

Tests = tuple[Counts, tuple[Diagnostic, ...]]
WORKSPACE = "/workspace"


def junit_xml(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """JUnit XML of pytest, surefire and failsafe, vitest, mocha, jest-junit, node:test."""
    raise NotImplementedError


def jest_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """`jest --json` and `vitest --reporter=json`."""
    raise NotImplementedError


def tap(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> Tests:
    """TAP 13 and 14, as node:test, ava and tap print it."""
    raise NotImplementedError


def sarif(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """SARIF 2.1.0."""
    raise NotImplementedError


def ruff_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`ruff check --output-format json`."""
    raise NotImplementedError


def mypy_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`mypy --output json`: one object a line."""
    raise NotImplementedError


def pyright_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`pyright --outputjson`."""
    raise NotImplementedError


def eslint_json(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`eslint -f json`, also of xo."""
    raise NotImplementedError


def tsc_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """`tsc --pretty false`."""
    raise NotImplementedError


def maven_text(data: bytes, cwd: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """Maven's console: compiler errors, and why a goal failed."""
    raise NotImplementedError
