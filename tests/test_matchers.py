"""Problem matchers, in the formats of GitHub Actions and VS Code, on what real tools print (golden files)."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from greylag.errors import UserError
from greylag.model import Diagnostic, Severity
from greylag.readers import _ecmascript, matcher_files
from greylag.readers._known_matchers import KNOWN
from greylag.readers.matchers import Matchers

GOLDEN = Path(__file__).parent / "golden" / "matchers"


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.txt").read_bytes()


def matchers(*declared: object, files: tuple[str, ...] = ()) -> Matchers:
    return Matchers(tuple(m for each in declared for m in matcher_files.parsed(each)), files)


def published(*matcher: dict[str, Any]) -> object:
    """As a file holds it."""
    return matcher_files.table(json.dumps({"problemMatcher": matcher}).encode(), "m.json")


def one(regexp: str, **more: Any) -> object:
    return published({"owner": "own", "pattern": [{"regexp": regexp, **more}]})


def places(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{d.severity.value} {d.path}:{d.line}:{d.column} {d.rule}" for d in found]


# -- those that are known by a name, on real output --------------------------------------------------------------------

KNOWN_FINDS = {
    ("$gcc", "gcc"): [
        "error src/list.c:10:12 gcc",
        "info src/list.c:10:12 gcc",
        "warning src/list.c:14:14 -Wformat=",
        "warning src/list.c:11:1 -Wreturn-type",
        "warning src/list.c:4:12 -Wunused-function",
        "error src/absent.c:1:10 gcc",
    ],
    ("$gcc", "mypy"): [
        "error app/cart.py:8:None return-value",
        "error app/cart.py:12:None attr-defined",
        "error app/cart.py:15:None arg-type",
    ],
    ("$gcc", "shellcheck"): [
        "warning scripts/deploy.sh:3:1 SC2164",
        "info scripts/deploy.sh:3:4 SC2086",
        "error scripts/deploy.sh:4:10 SC2045",
        "info scripts/deploy.sh:4:10 SC2006",
        "info scripts/deploy.sh:4:14 SC2035",
        "info scripts/deploy.sh:7:1 SC2162",
        "warning scripts/deploy.sh:7:6 SC2034",
        "info scripts/deploy.sh:8:6 SC2086",
        "warning scripts/deploy.sh:10:8 SC3009",
        "error scripts/broken.sh:2:1 SC1046",
        "error scripts/broken.sh:2:1 SC1073",
        "error scripts/broken.sh:4:1 SC1047",
        "error scripts/broken.sh:4:1 SC1072",
    ],
    ("$tsc", "tsc"): [
        "error app/cart.ts:4:35 TS2551",
        "error app/cart.ts:7:7 TS2322",
        "error app/cart.ts:7:30 TS2741",
        "error app/cart.ts:8:13 TS2552",
    ],
    ("$eslint-stylish", "eslint-stylish"): [
        "error app/broken.js:1:17 eslint",
        "warning app/cart.js:1:10 no-unused-vars",
        "error app/cart.js:4:18 eqeqeq",
        "error app/cart.js:8:1 no-undef",
        "error app/cart.js:8:13 no-undef",
        "error app/total.js:2:3 no-var",
        "warning app/total.js:2:7 no-unused-vars",
    ],
    ("$go", "go-build"): ["error bad/bad.go:4:9 go", "error bad/bad.go:4:13 go"],
    ("$go", "go-vet"): ["error bad/bad.go:4:9 go", "error cart.go:7:14 go", "error cart.go:12:50 go"],
    ("$go", "go-test"): ["error cart_test.go:7:None go"],
    ("$rustc", "rustc"): ["error app/cart.rs:3:33 E0425", "error app/cart.rs:7:26 E0308"],
    ("$python", "python"): ["error app/run.py:9:None KeyError"],
}


@pytest.mark.parametrize(("name", "tool"), KNOWN_FINDS)
def test_matchers_that_are_known_by_a_name_read_their_tool(name: str, tool: str) -> None:
    assert places(matchers(name)(golden(tool))) == KNOWN_FINDS[name, tool]


def test_forms_of_one_tool_say_the_same() -> None:
    assert places(matchers("$tsc")(golden("tsc-pretty"))) == places(matchers("$tsc")(golden("tsc")))
    assert places(matchers("$msCompile")(golden("tsc"))) == places(matchers("$tsc")(golden("tsc")))
    stylish, compact = golden("eslint-stylish"), golden("eslint-compact")
    assert places(matchers("$eslint-compact")(compact)) == places(matchers("$eslint-stylish")(stylish))


def test_messages_are_those_of_the_tools() -> None:
    assert matchers("$gcc")(golden("mypy"))[1].message == '"Cart" has no attribute "itms"; maybe "items"?'
    assert matchers("$eslint-stylish")(golden("eslint-stylish"))[2].message == "Expected '===' and instead saw '=='"
    assert matchers("$rustc")(golden("rustc"))[0].message == "cannot find value `missing` in this scope"
    assert matchers("$python")(golden("python"))[0].message == "KeyError: 'a'"


def test_msbuild_with_a_project_behind_the_message() -> None:
    (found,) = matchers("$msCompile")(b"  3>src\\A.cs(4,9,4,12): error CS0103: The name 'x' is unknown [/w/A.csproj]\n")
    assert (found.path, found.line, found.column, found.rule) == ("src/A.cs", 4, 9, "CS0103")
    assert found.message == "The name 'x' is unknown"


# -- the published formats ---------------------------------------------------------------------------------------------


def test_the_last_pattern_loops_until_a_line_does_not_fit() -> None:
    stylish = published(
        {
            "owner": "style",
            "pattern": [
                {"regexp": "^([^\\s].*)$", "file": 1},
                {"regexp": "^\\s+(\\d+):(\\d+)\\s+(\\w+)\\s+(.*)\\s\\s+(.*)$", "line": 1, "column": 2, "severity": 3}
                | {"message": 4, "code": 5, "loop": True},
            ],
        }
    )
    found = matchers(stylish)(b"a.js\n  1:2  error  No  no\n  3:4  warning  Bad  bad\n\n  5:6  error  Lost  lost\n")
    assert places(found) == ["error a.js:1:2 no", "warning a.js:3:4 bad"]
    assert matchers(stylish)(b"a.js\nunrelated words\n\n  1:2  error  No  no\n") == ()


def test_lines_of_one_finding_follow_each_other_from_any_line_on() -> None:
    three = [
        {"regexp": "^A (.*)", "code": 1, "message": 1},
        {"regexp": "^B (.*)", "file": 1},
        {"regexp": "^C (.*)", "message": 1},
    ]
    found = matchers(published({"owner": "x", "pattern": three}))
    assert [d.message for d in found(b"A 1\nA 2\nB f\nC end\nC more\n")] == ["2 end"]
    assert found(b"A 1\nB f\n\nC end\n") == ()


def test_the_first_matcher_that_finds_something_has_the_line() -> None:
    first, second = one("^(E\\d): (.*)", code=1, message=2), one("^(.*)$", message=1)
    assert [d.rule for d in matchers(first, second)(b"E1: a\nother\n")] == ["E1", "own"]


def test_a_pattern_alone_has_the_groups_of_vs_code() -> None:
    (found,) = matchers({"owner": "x", "pattern": {"regexp": r"^(\S+) (\d+) (\d+) bad$"}})(b"a.c 3 4 bad\n")
    assert (found.path, found.line, found.column, found.message) == ("a.c", 3, 4, "a.c 3 4 bad")
    where = {"regexp": r"^(\S+)\((\d+,\d+,\d+,\d+)\): (.*)$", "location": 2, "message": 3}
    (found,) = matchers({"pattern": where})(b"a.c(3,4,5,6): bad\n")
    assert (found.path, found.line, found.column, found.message, found.rule) == ("a.c", 3, 4, "bad", None)
    (found,) = matchers({"pattern": {"regexp": r"^(\S+) (.*)$", "kind": "file", "message": 2}})(b"a.c bad\n")
    assert (found.path, found.line, found.message) == ("a.c", None, "bad")


@pytest.mark.parametrize(
    ("word", "default", "severity"),
    [
        ("error", "warning", Severity.ERROR),
        ("Fatal Error", None, Severity.ERROR),
        ("WARNING", None, Severity.WARNING),
        ("W", None, Severity.WARNING),
        ("note", None, Severity.INFO),
        ("odd", None, Severity.ERROR),
        ("odd", "notice", Severity.INFO),
    ],
)
def test_severities(word: str, default: str | None, severity: Severity) -> None:
    own = {"owner": "x", "severity": default, "pattern": [{"regexp": "^(.*?): (.*)", "severity": 1, "message": 2}]}
    assert matchers(published(own))(f"{word}: x\n".encode())[0].severity is severity


@pytest.mark.parametrize(
    ("location", "printed", "path"),
    [
        (None, "a.c", "api/a.c"),
        (None, "api/a.c", "api/a.c"),
        (None, "./none.c", "api/none.c"),
        (None, "/workspace/api/a.c", "api/a.c"),
        (None, "/usr/include/a.h", "/usr/include/a.h"),
        ("autoDetect", "lib/b.c", "lib/b.c"),
        ("absolute", "/workspace/lib/b.c", "lib/b.c"),
        (["relative", "${workspaceFolder}/lib"], "b.c", "lib/b.c"),
        (["relative", "${workspaceFolder}"], "a.c", "a.c"),
        (["relative", "${cwd}"], "a.c", "api/a.c"),
        ("search", "deep/c.c", "lib/very/deep/c.c"),
        ("search", "../../b.c", "lib/b.c"),
        ("search", "twice.c", "api/twice.c"),
    ],
)
def test_paths_are_relative_to_the_repository(location: object, printed: str, path: str) -> None:
    own = {"pattern": {"regexp": "^(.*): (.*)", "file": 1, "message": 2}}
    files = ("api/a.c", "lib/b.c", "lib/very/deep/c.c", "lib/twice.c", "x/twice.c")
    found = matchers(own | ({"fileLocation": location} if location else {}), files=files)
    assert found(f"{printed}: x\n".encode(), "api")[0].path == path


def test_a_project_file_says_where_paths_begin() -> None:
    own = one(r"^(\S+): (.*) \[(.*)\]$", file=1, message=2, fromPath=3)
    assert matchers(own)(b"A.cs: bad [/workspace/src/A.csproj]\n")[0].path == "src/A.cs"
    assert matchers(own)(b"/workspace/A.cs: bad [src/A.csproj]\n")[0].path == "A.cs"


def test_a_file_may_have_comments_and_refer_to_what_is_known() -> None:
    text = b"""{ // published so
      "problemMatcher": [{ "base": "$gcc", "owner": "mine" /* not "gcc" */ }, "$tsc",
        {"owner": "http://x", "pattern": "$go", "applyTo": "allDocuments", "background": {"beginsPattern": "("}}]}"""
    found = matchers(matcher_files.table(text, "m.json"))
    assert [d.rule for d in found(b"a.c:1:2: error: x\na.ts(1,2): error TS1: y\na.go:3:4: z\n")] == [
        "mine",
        "TS1",
        "http://x",
    ]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("$gdb", ["$gdb", "$eslint-compact, $eslint-stylish, $gcc"]),
        ({"owner": "x", "base": "gcc"}, ["`x`", "`base`", "$gcc"]),
        ({"owner": "x", "pattern": "$gdb"}, ["`x`", "`pattern`", "$gcc"]),
        ({"owner": "x"}, ["`x`", "`pattern` must be a table"]),
        ({"owner": "x", "pattern": []}, ["`x`", "`pattern` must be a table"]),
        ({"owner": "x", "pattern": [{"message": 1}]}, ["`x`", "regexp"]),
        ({"owner": "x", "pattern": [{"regexp": "("}]}, ["`x`", "`(` cannot be read", "missing )"]),
        ({"owner": "x", "pattern": [{"regexp": "a++?b**"}]}, ["`x`", "cannot be read"]),
        ({"owner": "x", "pattern": [{"regexp": "[a"}]}, ["`x`", "has no end"]),
        ({"owner": "x", "pattern": [{"regexp": "(?P<a>b)"}]}, ["`x`", "JavaScript"]),
        ({"owner": "x", "pattern": [{"regexp": "a{999999999}"}]}, ["`x`", "repeat too much"]),
        ({"owner": "x", "pattern": [{"regexp": "(?:(?:[(]\\){99}){99}){99}"}]}, ["`x`", "repeat too much"]),
        ({"owner": "x", "pattern": [{"regexp": "a" * 5000}]}, ["`x`", "4000 characters"]),
        ({"owner": "x", "pattern": [{"regexp": "(a)", "message": 2}]}, ["`x`", "`message` is 2", "1 to 1"]),
        ({"owner": "x", "pattern": [{"regexp": "(a)", "message": "1"}]}, ["`x`", "`message` is 1"]),
        ({"owner": "x", "pattern": [{"regexp": "(a)", "mesage": 1}]}, ["`x`", "did you mean `message`"]),
        ({"owner": "x", "pattern": [{"regexp": "(a)", "file": 1}]}, ["`x`", "no pattern", "`message`"]),
        (
            {"owner": "x", "pattern": [{"regexp": "a", "message": 0, "loop": True}, {"regexp": "b"}]},
            ["`x`", "only the last"],
        ),
        ({"owner": "x", "pattern": "$gcc", "fileLocation": "near"}, ["`x`", "`near`", "absolute"]),
        ({"owner": "x", "pattern": "$gcc", "fileLocation": ["relative", "${fileDirname}"]}, ["fileDirname", "${cwd}"]),
        ({"owner": "x", "pattern": "$gcc", "severity": 3}, ["`x`", "`severity`"]),
        (3, ["3", "neither a name nor a table"]),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_in_one_line(declared: object, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        matcher_files.parsed(declared)
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"words", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'"problemMatcher"', "no `problemMatcher`"),
        (b'{"matchers": []}', "no `problemMatcher`"),
        (b" " * (1 << 19), "too many"),
    ],
)
def test_a_file_that_is_none_is_named(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        matcher_files.table(data, "a/m.json")
    assert "a/m.json" in str(error.value)


def test_an_error_in_a_file_names_the_file() -> None:
    with pytest.raises(UserError, match=r"`x` of m\.json"):
        matcher_files.parsed(published({"owner": "x"}))


# -- expressions of JavaScript -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text", "groups"),
    [  # each as `new RegExp(source).exec(text)` answers
        (r"^(?<name>\w+)\/\k<name>", "ab/ab", ("ab",)),
        (r"[\w-\/]+", "a-b/c d", "a-b/c"),
        (r"[^]x", "\u00e9x", "\u00e9x"),
        (r"a[]|b", "ab", "b"),
        (r"[[:alpha:]]", "b]:]", ":]"),
        (r"{a{1,2}}", "{aa}", "{aa}"),
        (r"\x41\u0042\cI\0?", "AB\t", "AB\t"),
        (r"\m\-\#", "m-#", "m-#"),
        (r"\d+", "\u0661\u06623", "3"),
        (r"(?<!MSB)(\d+)$", "CS12", ("12",)),
        (r"(a)|(b)", "b", (None, "b")),
        (r"[a&&b]+[+--]", "&b-", "&b-"),
        (r"\\(\w)\1", r"\aa", ("a",)),
        (
            r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) a{0,999999}",
            "0" * 8 + "-0000" * 3 + "-" + "0" * 12 + " ",
            None,
        ),
    ],
)
def test_expressions_mean_what_they_mean_in_javascript(source: str, text: str, groups: object) -> None:
    hit = _ecmascript.compiled(source).search(text)
    assert hit
    assert (hit[0] if isinstance(groups, str) else hit.groups()) == (groups or (text.strip(),))


# -- hostile output ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "one line": b"a:1:1: " * (1 << 17),
    "many lines": b"a.c:1:1: error: x [y]\n" * 5_000,
    "frames": b'  File "a", line 1\n    x\n' * 3_000,
    "blanks": (b"  1:1  error  " + b"a  " * 600 + b"\n") * 600,
    "brackets": (b"a.c(1,1): error C1: " + b" [a (b" * 300 + b"\n") * 500,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_output_makes_the_known_matchers_slow(kind: str) -> None:
    started = time.thread_time()
    for name in KNOWN:
        found = matchers(f"${name}")(HOSTILE[kind])
        assert "problem-matcher" not in {d.rule for d in found}
    assert time.thread_time() - started < 20


@pytest.mark.parametrize(("regexp", "line"), [("^(a|aa)+$", b"a" * 1900 + b"!"), ("^(.*?,){40}P", b"1,2," * 480)])
def test_an_expression_that_takes_too_long_ends_the_reading_altogether(
    regexp: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greylag.readers.matchers._EACH", 0.05)
    reader = matchers("$gcc", one(regexp, message=0))
    data = b"a.c:1:1: error: known\n" + line + b"\nb.c:1:1: error: new\n"
    started = time.thread_time()
    (found,) = reader(data)
    assert time.thread_time() - started < 5
    assert found.severity is Severity.WARNING
    assert "`own` took too long" in found.message
    assert reader.rest(data) == data


def test_all_of_an_output_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greylag.readers.matchers._ALL", 0.0)
    (found,) = matchers("$gcc", "$go")(b"a.c:1:1: error: x\n")
    assert "`gcc, go` took too long" in found.message


def test_what_is_found_is_cleaned_and_bounded() -> None:
    reader = matchers(one(r"^(\S+) (\S+) (.*)$", file=1, line=2, message=3))
    (found,) = reader(b"\x1b[31ma.c\x1b[0m 99999999999 \x1b]0;t\x07" + b"m\xff\xe2\x80\xae" * 3000 + b"\n")
    assert (found.path, found.line) == ("a.c", None)
    assert len(found.message) <= 1000
    assert "\u202e" not in found.message
    assert len(reader(b"".join(b"a.c %d x\n" % n for n in range(30_000)))) == 20_000


# -- what is left ------------------------------------------------------------------------------------------------------


def test_the_rest_of_an_output_is_what_no_matcher_has_used() -> None:
    data = b"\x1b[1ma.js\x1b[0m\n  1:2  error  No  no\n\nTypeError: it fell over\n"
    assert matchers("$eslint-stylish").rest(data) == b"\nTypeError: it fell over\n"


def test_what_is_only_for_information_is_left_for_a_comparison() -> None:
    data = b"a.sh:1:2: warning: bad [SC1]\na.sh:3:4: note: so-so [SC2]\n"
    assert matchers("$gcc").rest(data) == b"a.sh:3:4: note: so-so [SC2]\n"
