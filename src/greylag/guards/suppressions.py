"""Marks that tell a tool to look away: `noqa`, `type: ignore`, `eslint-disable`, `@SuppressWarnings`, `nolint` ..."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from greylag.diffs import FileDiff, parse
from greylag.guards._code.fresh import Mark, fresh
from greylag.guards._code.source import language, scan
from greylag.guards._guard import Guard, finding, read
from greylag.guards._sources.casts import casts
from greylag.kinds import TESTS, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change, Tree

_COMMENT = re.compile(
    r"\b(?:noqa\b|type:\s*ignore|pyright:\s*(?:ignore|basic)|pyrefly:\s*ignore|ty:\s*ignore|mypy:\s*(?:ignore|disable)|pylint:\s*(?:disable|skip-file)"
    r"|flake8:\s*noqa|ruff:\s*(?:noqa|ignore|disable)|nosec\b|nosemgrep|pragma:\s*no\s*(?:cover|branch)|isort:\s*(?:skip|off)"
    r"|fmt:\s*(?:off|skip)|yapf:\s*disable|pytype:\s*(?:disable|skip)"
    r"|eslint-disable|tslint:disable|biome-ignore|oxlint-disable|prettier-ignore|stylelint-disable|standard:disable"
    r"|(?:istanbul|v8|c8)\s+ignore|jshint\s+ignore|jscs:disable|deno-lint-ignore|deno-coverage-ignore"
    r"|nolint\b|NOSONAR|CHECKSTYLE[.:\s]*OFF|NOPMD|noinspection|spotless:off|formatter:off|scalafix:off|scalastyle:off|ktlint-disable"
    r"|rubocop:disable|phpcs:(?:ignore|disable)|phpstan-ignore|psalm-suppress|codeCoverageIgnore"
    r"|swiftlint:disable|swift-format-ignore|NOLINT|clang-format\s+off|LCOV_EXCL|GCOV_EXCL|cppcheck-suppress|shellcheck\s+(?:[\w-]+=\S+\s+){0,9}disable|hadolint\s+ignore"
    r"|yamllint\s+disable|buf:lint:ignore|markdownlint-disable|tflint-ignore|tfsec:ignore|checkov:skip|trivy:ignore|gitleaks:allow|pragma:\s*allowlist"
    r"|lgtm\s*\[|codeql\s*\[|cspell:\s*(?:disable|ignore)|credo:disable|ignore_for_file|sobelow_skip)"
    r"|:nocov:|@ts-(?:ignore|expect-error|nocheck)|@phpstan-ignore|@psalm-suppress|@codeCoverageIgnore|@formatter:off|^\s*//\s*ignore:",
    re.IGNORECASE,
)  # fmt: skip
_CODE = re.compile(
    r"@(?:file:)?Suppress(?:Warnings|FBWarnings|Lint)?\b|\#!?\[\s*(?:allow|expect)\s*\(|\#!?\[\s*cfg_attr\s*\([^\n]{0,200}\ballow\s*\("
    r"|\#!?\[\s*(?:rustfmt::skip|rustfmt_skip)\b|\#\[\s*coverage\s*\(\s*off|^\s*\#\s*pragma\s+warning\s+disable|^\s*\#\s*pragma\s+(?:GCC|clang)\s+diagnostic\s+ignored"
    r"|\[(?:assembly:\s*)?(?:\w+\.)*(?:SuppressMessage|ExcludeFromCodeCoverage)\b|@nowarn\b|@(?:\w{1,40}\.)?no_type_check\b|@ExcludeFromJacoco\w*"
    r"|@(?:lombok\.)?Generated\b|__attribute__\s*\(\(\s*_{0,2}no_sanitize|\[\[\s*(?:gnu|clang)::no_sanitize"
    r"|\b__lsan_(?:disable|ignore_object|do_leak_check)\b|\b__\w{1,3}san_default_(?:options|suppressions)\b",
)  # fmt: skip
_DATA = "*.md *.rst *.adoc *.txt *.json *.lock *.csv *.snap *.svg *.ipynb *.po *.patch *.diff"
_RULE = re.compile(r"\b(?:[A-Z]{1,4}\d{2,5}|@?[a-z]\w*(?:[-/][\w-]+)+)\b")
_PROSE = re.compile(r"noqa$|nosec$|nolint$|type:", re.IGNORECASE)  # a tool wants these right after the comment's mark
_MARKER = re.compile(r"(?:#|//|/\*|<!--)[\s#/*]*$")
_QUOTED = re.compile(r"\"([\w.:-]{1,60})\"")
_ALL_RULES = frozenset({"all", "ALL"})
_LONGEST, _MOST = 2000, 500  # characters of a line that are looked at, and marks that one may stand for


class _Mark(NamedTuple):
    """One mark: what it is, which rules it names, and the code before it on its line."""

    directive: str
    rules: frozenset[str]
    code: str
    words: str


def check(change: Change) -> Iterator[Diagnostic]:
    """New marks in code and comments; one that the change moved or kept on an edited line is not new."""
    files = [file for file in parse(change.diff) if not matches(file.path, _DATA)]
    moved = Counter(line.text.strip() for file in files for line in file.removed if _maybe(line.text))
    yield from _lenient(change, files)
    yield from _listed(change)
    yield from casts(change, [file for file in files if not matches(file.path, TESTS)])
    told: set[tuple[str | None, int | None]] = set()
    for file in files:
        if file.status != "deleted" and any(_maybe(line.text) for line in file.added):
            found = list(_file(change, file, moved))
            told.update((one.path, one.line) for one in found)
            yield from found
    for file, mark in fresh(change, [file for file in files if file.path.endswith(".rs")], allowed):
        if (file.path, mark.line) not in told:
            message = f"allows `{mark.words}`: the compiler accepts more"
            yield finding(change, "suppressions", "suppressions/added", message, file.path, line=mark.line)


def _listed(change: Change) -> Iterator[Diagnostic]:
    """New entries of files that say what Valgrind, a sanitizer or a scanner does not report."""
    files = [file for file in parse(change.diff) if matches(file.path, _LISTS)]
    gone = Counter(line.text.strip() for file in files for line in file.removed)
    for file in files:
        for line in file.added:
            entry = line.text.strip()
            if gone[entry]:
                gone[entry] -= 1
            elif entry.strip("{}") and not entry.startswith(("#", "<!--", "//")):
                message = f"adds `{entry[:80]}` to what a tool does not report"
                yield finding(change, "suppressions", "suppressions/added", message, file.path, line=line.new)
                break


def allowed(_path: str, text: str) -> Iterator[Mark]:
    """Lints that attributes of Rust allow or expect, one by one."""
    for match in _ALLOWED.finditer(code := scan(text, "rust").code):
        line, position = code.count("\n", 0, match.start(1)) + 1, match.start(1)
        for name in match[1].split(","):
            ahead = len(name) - len(name.lstrip())
            number = line + code.count("\n", match.start(1), position + ahead)
            position += len(name) + 1
            if lint := name.strip():
                yield Mark(lint, number, lint)


_LISTS = (
    "*.supp *suppression*.txt *suppression*.xml *ignorelist*.txt *blacklist*.txt *lint-baseline*.xml"
    " detekt*baseline*.xml detekt/baseline*.xml *-baseline.neon .errcheck*exclude*"
)
_ALLOWED = re.compile(r"#!?\[\s*+(?:cfg_attr\s*+\([^\]\n]{0,200}?,\s*+)?(?:allow|expect)\s*+\(([^()]{1,4000})\)")
_DENIED = re.compile(r"#!?\[\s*(?:deny|forbid)\s*\(([^()]{1,2000})\)\s*\]")
_STRICT = re.compile(
    r"^\s*//\s*@ts-check\b|\bdeclare\s*\(\s*strict_types\s*=\s*1|^\s*#\s*mypy:\s*(?:strict|disallow|check)|^\s*#\s*typed:\s*strict"
)


def _lenient(change: Change, files: list[FileDiff]) -> Iterator[Diagnostic]:
    """Marks by which a file asks for more than the settings do, and that are gone."""
    kept = [file for file in files if file.status in {"modified", "renamed"}]
    lost: Counter[str] = Counter()
    for sign, tree in ((1, change.base), (-1, change.head)):
        for file in [file for file in files if language(file.path) == "rust"]:
            for names in _DENIED.findall(read(tree, file.old_path if sign > 0 else file.path) or ""):
                for name in {name.strip() for name in names.split(",")} - {""}:
                    lost[name] += sign
    gone = {name for name, count in lost.items() if count > 0}
    for file in [file for file in kept if language(file.path) == "rust"]:
        denied = {
            name.strip()
            for names in _DENIED.findall(read(change.base, file.old_path) or "")
            for name in names.split(",")
        }
        for name in sorted(denied & gone):
            message = f"no longer denies `{name}`: the compiler accepts more"
            yield finding(change, "suppressions", "suppressions/lenient", message, file.path)
    come = Counter(
        match[0].strip() for file in files for line in file.added for match in _STRICT.finditer(line.text[:_LONGEST])
    )
    for file in kept:
        for mark in (match[0].strip() for line in file.removed for match in _STRICT.finditer(line.text[:_LONGEST])):
            if come[mark]:
                come[mark] -= 1
            else:
                yield finding(change, "suppressions", "suppressions/lenient", f"removes `{mark}`", file.path)


def _file(change: Change, file: FileDiff, moved: Counter[str]) -> Iterator[Diagnostic]:
    wanted = {line.new or 0: line.text for line in file.added if _maybe(line.text)}
    gone = {line.old or 0: line.text for line in file.removed if _maybe(line.text)}
    kept = Counter(mark for _, mark, _ in _marks(change.base, file.old_path, gone))
    found = list(_marks(change.head, file.path, wanted))
    same = kept & Counter(mark for _, mark, _ in found)
    left = kept - same
    for number, mark, sure in found:
        text = wanted[number].strip()
        if same[mark]:
            same[mark] -= 1
        elif wider := next((one for one in islice(left, _MOST) if _no_wider(mark, one)), None):
            left[wider] -= 1
            if not left[wider]:
                del left[wider]
        elif moved[text]:
            moved[text] -= 1
        else:
            where = "" if sure else ", in what looks like a string"
            expected = "expect-error" in mark.words and matches(file.path, TESTS)  # a test that wrong types are refused
            severity = Severity.ERROR if sure and not expected else Severity.WARNING
            yield finding(
                change, "suppressions", "suppressions/added",
                f"adds `{mark.words}`, which makes a tool look away{where}", file.path,
                line=number, excerpt=text, severity=severity,
            )  # fmt: skip


def _marks(tree: Tree, path: str, lines: dict[int, str]) -> Iterator[tuple[int, _Mark, bool]]:
    """Line number, mark, and whether it is certain. Comments and code are told from strings by the whole file."""
    family, text = language(path), read(tree, path) if lines else None
    comments: list[str] = []
    code: list[str] = []
    if family and text is not None:
        source = scan(text, family)
        comments, code = source.comments.split("\n"), source.code.split("\n")
    for number, whole in lines.items():
        known = 0 < number <= len(comments)
        views = (_COMMENT, comments[number - 1] if known else whole), (_CODE, code[number - 1] if known else whole)
        found = [(match, view) for pattern, view in views for match in pattern.finditer(view[:_LONGEST])]
        found = [(match, view) for match, view in found if not _PROSE.match(match[0]) or _begins(match, view)]
        yield from ((number, _mark(match, view, whole), True) for match, view in found)
        if not found:  # a scanner can be led astray; what is written like a comment is at least shown
            written = (match for match in _COMMENT.finditer(whole[:_LONGEST]) if _begins(match, whole))
            yield from ((number, _mark(match, whole, whole), False) for match in written)


def _begins(match: re.Match[str], line: str) -> bool:
    return bool(_MARKER.search(line[: match.start()]))


def _mark(match: re.Match[str], line: str, whole: str) -> _Mark:
    """The directive and the rules that it names, so that a broader one is not taken for the one before."""
    directive = " ".join(match[0].split()).strip("# /").lower()
    rules = _RULE.findall(line[match.end() : match.end() + 120])
    if match[0].startswith("@") or match.re is _CODE:
        rules += _QUOTED.findall(whole[match.end() : match.end() + 200])
    code = "".join(_MARKER.sub("", whole[: match.start()]).split())
    words = " ".join([*match[0].split(), *sorted(rules)]).strip("# /").lower()
    return _Mark(directive, frozenset(rules), code, words)


def _no_wider(new: _Mark, old: _Mark) -> bool:
    """Whether one makes a tool look away from no more than another did: fewer rules, or others of the same line."""
    allow = new.directive.replace("expect", "allow") if "[" in new.directive else new.directive
    if old.directive not in {new.directive, allow, new.directive.replace("@ts-expect-error", "@ts-ignore")}:
        return False
    if new.rules <= old.rules:
        return bool(new.rules) or not old.rules
    same = bool(new.code) and new.code == old.code and len(new.rules) <= len(old.rules)
    return not old.rules or (same and not _ALL_RULES & new.rules)


def _maybe(text: str) -> bool:
    head = text[:_LONGEST]
    return bool(_COMMENT.search(head) or _CODE.search(head))


PLUGIN = partial(Guard, "suppressions", check)
