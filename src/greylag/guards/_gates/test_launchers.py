"""Settings of CMake and Meson by which tests are run through something else, not at all, or are to fail."""

import re
from collections.abc import Iterator
from itertools import islice

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import brackets
from greylag.kinds import matches

_CMAKE = re.compile(
    r"^[ \t]*+(?P<own>(?:function|macro)\s*+\(\s*+(?:_*add_test|\w{1,20}_discover_tests|enable_testing"
    r"|set_tests_properties|add_executable|include)\b)"
    r"|(?<![\w-])(?P<through>(?:CMAKE_)?(?:CROSSCOMPILING_EMULATOR|TEST_LAUNCHER))\b(?!\})"
    r"|(?<![\w-])(?P<off>CTEST_CUSTOM_\w*IGNORE|CMAKE_SKIP_TEST\w*)\b",
    re.MULTILINE | re.IGNORECASE,
)
_TARGET = re.compile(r"\bCMAKE_SYSTEM_(?:NAME|PROCESSOR)\b|\bCMAKE_CROSSCOMPILING\b")  # of a tool chain for others
_MESON = re.compile(r"(?P<call>\b(?:add_test_setup|test|benchmark)\s*+\()")
_FAILS = re.compile(r"\bshould_fail\s*+:\s*+(?!false\b)([^,)\n]{1,80})")
_WRAPPER = re.compile(r"\bexe_wrapper\s*+:\s*+(?:\[[^\]\n]{0,200}\]|[^,)\n]{0,200})")
_DEFAULT = re.compile(r"\bis_default\s*+:\s*+true\b")
_IDLE = re.compile(r"\b(?:true|echo|test|sh|env|printf)\b")
_FILES, _MOST = "CMakeLists.txt *.cmake meson.build", 500


def launchers(path: str, text: str) -> Iterator[Mark]:
    """Each such setting of a file that builds."""
    if not matches(path, _FILES):
        return
    code = re.sub(r"#[^\n]*+", lambda note: " " * len(note[0]), text)
    if path.endswith("meson.build"):
        yield from _meson(code)
        return
    for match in islice(_CMAKE.finditer(code), _MOST):
        if match["through"] and _TARGET.search(code):
            continue
        words = " ".join(match[0].split())
        yield Mark(words.lower(), code.count("\n", 0, match.start()) + 1, words)


def _meson(code: str) -> Iterator[Mark]:
    round_, over = brackets(code, "()"), 0
    for match in islice(_MESON.finditer(code), _MOST):
        begin, end = round_.after(match.start())
        if match.start() < over:
            continue
        over = end
        line = code.count("\n", 0, match.start()) + 1
        if match["call"].startswith("add_test_setup"):
            wrapper = _WRAPPER.search(code, begin, end)
            if wrapper and (_DEFAULT.search(code, begin, end) or _IDLE.search(wrapper[0])):
                yield Mark("exe_wrapper", line, wrapper[0])
        elif fails := _FAILS.search(code, begin, end):
            yield Mark(f"should_fail {fails[1]}", line, fails[0])
