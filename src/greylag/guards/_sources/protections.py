"""What made foreign text harmless and is gone: escaping, a path's confinement to its root, a guard of prototypes."""

import re
from collections.abc import Iterable, Iterator, Mapping

from greylag.diffs import FileDiff
from greylag.guards._cases.runs import Run, concerned, text
from greylag.guards._code.source import LITERAL, language
from greylag.guards._guard import finding
from greylag.model import Diagnostic
from greylag.protocols import Change

_ROOT = r"[\w.]*(?:root|base|dir|folder|home|parent|prefix)\w*"
_WITHIN = "keeps a path within its root"
_PATHS = re.compile(
    r"\b(?:resolve|join|normali[sz]e|canonical\w*|absolute|abspath|realpath|toRealPath)\b|Clean\(|[pP]ath"
)
_KINDS: Mapping[str, re.Pattern[str]] = {
    "escapes": re.compile(
        r"(?<![\w])(?:escape|html\.escape|escape_?[hH](?:tml|TML)\w*|html_?[eE]scape\w*|htmlspecialchars|HTMLEscape\w*"
        r"|DOMPurify\.sanitize|sanitize_?[hH]tml|shlex\.quote|(?:parse\.)?quote_plus|parse\.quote|encodeURI(?:Component)?"
        r"|(?:Path|Query)Escape|URLEncoder\.encode|escape_identifier|quote_ident\w*|shell_?[eE]scape|escapeshellarg"
        r"|g_markup_escape_text|curl_easy_escape|escape_html|encode_text|Encode\.for\w+)\s?\("
    ),
    _WITHIN: re.compile(
        rf"\.is_relative_to\(|\bcommonpath\(|\bHasPrefix\([^\n]{{0,100}},\s?{_ROOT}|\bfilepath\.IsLocal\("
        rf"|\.starts_?[wW]ith\(\s?{_ROOT}|\bsecure_filename\(|\b[sS]ecureJoin\(|\bstrncmp\([^,\n]{{1,60}},\s?{_ROOT}"
    ),
    "keeps prototypes as they are": re.compile(r"__proto__|\bObject\.create\(null\)"),
}
_SAFE = re.compile(  # ways that do the same: by a template, by parameters, by text nodes
    r"render|template|params\b|[pP]arams\(|searchParams|UriBuilder|url\.Values|urlencode|textContent|createTextNode|innerText"
    r"|SQL\(|Identifier\(|execFile|spawn|\bsubprocess\.\w+\(\s?\["
    r"|\bexec\.Command|ProcessBuilder\(|Command::new|\bIsLocal\b|OpenInRoot|OpenRoot|os\.Root|cap_std|new Map\b"
    r"|Object\.entries\([^)]*\)\.filter"
)
_PUTS = re.compile(r"\[\w+\]\s?=(?!=)|\bObject\.(?:assign|fromEntries)\(")
_WORDS = re.compile(r"[A-Za-z_]\w*")
_PLAIN = """
if not return self this new const let var raise throw Error String string strings filepath path html false true None
null nil and or in of for
"""
_COMMON = frozenset(_PLAIN.split())
_IMPORTS = re.compile(r"^\s?(?:import|from|use|using|export|#\s?include)\b[^\n]*", re.MULTILINE)
_JSX = re.compile(r"(?<!\$)\{\s?(\w+)[^{}]{0,60}\}")


def unprotected(change: Change, files: Iterable[FileDiff]) -> Iterator[Diagnostic]:
    """Places of sources that have such a call no more, while what it was given is used there as before."""
    places = [(file, run) for file, run in concerned(change, files) if language(file.path)]
    come = [run.new for _, run in places] + [text(file.added) for file in files if file.status == "added"]
    of_paths = {file.path for file, _ in places if any(_PATHS.search(line.text[:200]) for line in file.lines)}
    kept = {what for what, pattern in _KINDS.items() if any(pattern.search(one) or _SAFE.search(one) for one in come)}
    for file, run in places:
        for what, pattern in _KINDS.items():
            lines = [given for line in run.removed for given in _given(pattern, line.text[:500])]
            if what == _WITHIN and file.path not in of_paths:
                continue
            if lines and what not in kept and _used(file, run, lines):
                message = f"drops what {what}: `{' '.join(lines[0].split())[:80]}`"
                yield finding(change, "suppressions", "sources/unprotected", message, file.path, line=run.line)
                break


def _given(pattern: re.Pattern[str], line: str) -> Iterator[str]:
    """What such a call of a line is given, with the call."""
    for match in pattern.finditer(line):
        yield match[0] + line[match.end() :].partition(")")[0]


def _used(file: FileDiff, run: Run, lines: Iterable[str]) -> bool:
    """Whether something of these lines is in the code that is there now, other than where the platform escapes it."""
    now = run.new if run.added else text(run.after)
    now = _IMPORTS.sub("", now)
    if any("__proto__" in line or "create(null)" in line for line in lines):
        return _PUTS.search(text(file.added)) is not None
    safe = set(_JSX.findall(now)) if re.search(r"<\w[^>\n]*>\s?\{", now) and "`" not in now else set()
    words = (
        {word for given in lines for word in _WORDS.findall(LITERAL.sub(" ", given.partition("(")[2]))} - _COMMON - safe
    )
    return bool(words & set(_WORDS.findall(now)))
