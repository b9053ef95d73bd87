# ruff: noqa: E501 - a table reads best with one row a line
"""A large diff that makes one edit in many places: three are shown whole, of the others what changes; what differs stands
out whole.
"""

from collections.abc import Callable, Mapping
from time import process_time
from typing import Any

import pytest

from greylag.diffs import parse
from greylag.judge._input import Shown, compose, show
from greylag.judge._quotes import Quotable
from greylag.judge._shapes import repeated

MANY = 200


def module(number: int, call: str) -> str:
    body = "\n".join(f"    value_{number}_{at} = step(value_{number}_{at - 1}, {at})" for at in range(1, 30))
    return f"def part_{number}(value_{number}_0):\n{body}\n    return wrap_{number}({call}, now=True)\n"


def renamed(**odd: str) -> tuple[dict[str, str], dict[str, str]]:
    base = {f"src/part_{n}.py": module(n, "utcnow()") for n in range(MANY)}
    head = {f"src/part_{n}.py": module(n, "now(UTC)") for n in range(MANY)}
    return base, {**head, **{path.replace("__", "/") + ".py": text for path, text in odd.items()}}


def shown(changes: Any, base: Mapping[str, str], head: Mapping[str, str]) -> Shown:
    found: Shown = show(changes(base, head))
    return found


def test_three_of_many_alike_are_shown_whole_and_of_the_others_what_changes(changes: Any) -> None:
    change = changes(*renamed())
    found = show(change)
    assert found.text.count("_29 = step(") == 3
    assert found.text.count("\n[repeats src/part_0.py:31]\n-    return wrap_") == found.repeats == MANY - 3
    assert found.text.count("+    return wrap_") == MANY, "no line that changes is unseen"
    assert all(f"b/src/part_{n}.py" in found.text for n in range(MANY)), "each file is named"
    assert 4 * found.tokens < 0.75 * len(change.diff)
    facts = compose(change, found, (), None)
    assert f"Hunks that are cut down, as they repeat an edit: {MANY - 3} of {MANY}" in facts


def test_the_same_lines_are_not_shown_again_and_no_quote_for_what_was_not_shown(changes: Any) -> None:
    def texts(text: str) -> dict[str, str]:
        return {f"src/part_{n}.py": f"{n} = {'x' * 900}\n{text}\nkeep_{n} = 1\n" for n in range(40)}

    found = shown(changes, texts("# Licensed as A\n# by B"), texts("# Licensed as C\n# by B"))
    assert found.text.count("+# Licensed as C") == 3
    assert found.text.count("\n[repeats src/part_0.py:2, line for line]") == 37
    diff = Quotable.of(found.files)
    assert diff.find("+# Licensed as C", "src/part_39.py") == diff.find("+# Licensed as C")
    assert diff.find("keep_0 = 1")
    assert diff.find("keep_39 = 1") is None
    assert diff.find("+++ b/src/part_39.py", changed=True) is None


@pytest.mark.parametrize(
    "line", ["    return wrap_151(now(UTC), now=True)", "  return wrap_150(now(UTC), now=True)", "now(UTC)<U+200B>"]
)
def test_what_differs_is_shown_whole(changes: Any, line: str) -> None:
    usual = "    return wrap_150(now(UTC), now=True)"
    odd = module(150, "now(UTC)").replace(usual, line.replace("<U+200B>", "\u200b"))
    text = shown(changes, *renamed(src__part_150=odd)).text
    assert f"+{line}" in text
    assert "value_150_29 = step(" in text


VIEW = "def view_{n}(user):\n    check(user)\n    row = load({n})\n    return row, 'with a text of some length'\n"
LOG = "def part_{n}(a):\n    start({n}, 'with a text of some length')\n    log(a)\n    end(a, {n})\n    if a.bad:\n        log(a)\n        stop(a)\n"
ASK = "def part_{n}(a):\n    start({n})\n    if not a.valid_{n}:\n        return 1\n    return 2\n"
ROWS = "def part_{n}(a):\n    if (\n        not a.valid_{n}\n    ):\n        return 1\n    return 2\n"
C = "int part_{n}(int a)\n{{\n    start({n}, 'with a text of some length');\n    if (a)\n    {{\n        keep({n});\n    }}\n    return a;\n}}\n"


def in_turn(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


HIDDEN: dict[str, tuple[str, Callable[[str], str], Callable[[str], str]]] = {
    "moved over other lines": (VIEW, in_turn("check", "audit"), lambda text: text.replace("    check(user)\n", "").replace("    return", "    audit(user)\n    return")),
    "put where nothing gets to": (VIEW.replace("    check(user)\n", ""), in_turn("):\n", "):\n    audit(user)\n"), lambda text: text + "    audit(user)\n"),
    "put below a condition": (ASK, in_turn("    return 2\n", "    audit(a)\n    return 2\n"), in_turn("    return 2\n", "        audit(a)\n    return 2\n")),
    "taken from a block": (LOG, in_turn("    log(a)\n    end", "    end"), in_turn("        log(a)\n", "")),
    "put into the place of a body": (C, in_turn("    {\n", "    {\n        audit(a);\n"), in_turn("    {\n        keep", "        audit(a);\n    {\n        keep")),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_the_same_tokens_in_another_place_are_shown_whole(changes: Any, name: str) -> None:
    text, usual, odd = HIDDEN[name]
    base = {f"src/part_{n}.py": "#\n" * 5 + text.format(n=n) for n in range(MANY)}
    head = {path: usual(content) for path, content in base.items()}
    head["src/part_40.py"] = odd(base["src/part_40.py"])
    assert base["src/part_40.py"] != head["src/part_40.py"] != usual(base["src/part_40.py"])
    found = shown(changes, base, head)
    assert found.repeats == MANY - 4
    assert_whole(found, "src/part_40.py")


def test_the_same_edit_of_a_line_behind_a_return_is_shown_whole(changes: Any) -> None:
    base = {f"src/part_{n}.py": VIEW.format(n=n) for n in range(MANY)}
    base["src/part_40.py"] = "def view_40(user):\n    row = load(40)\n    return row\n    check(user)\n"
    found = shown(changes, base, {path: content.replace("check", "audit") for path, content in base.items()})
    assert found.repeats == MANY - 4
    assert_whole(found, "src/part_40.py")


@pytest.mark.parametrize("text", [ASK, ROWS])
def test_the_same_edit_of_a_condition_for_something_else_is_shown_whole(changes: Any, text: str) -> None:
    base = {f"src/part_{n}.py": text.format(n=n) for n in range(MANY)}
    base["src/part_40.py"] = base["src/part_40.py"].replace("return 1", "raise Denied")
    found = shown(changes, base, {path: content.replace("not ", "") for path, content in base.items()})
    assert found.repeats == MANY - 4
    assert_whole(found, "src/part_40.py")
    assert "raise Denied" in found.text


def assert_whole(found: Shown, path: str) -> None:
    (file,) = (file for file in found.files if file.path == path)
    for heading, lines in file.hunks:
        assert "[repeats" not in heading
        assert any(line.sign == " " for line in lines)


def test_no_example_is_in_a_file_that_is_not_shown(changes: Any) -> None:
    base, head = (
        {f"dist/{path}" if n < 4 else path: text for n, (path, text) in enumerate(side.items())} for side in renamed()
    )
    found = show(changes(base, head, allow=["generated"]))
    assert (len(found.elided), found.repeats) == (4, MANY - 4 - 3)
    assert "[repeats dist" not in found.text


@pytest.mark.parametrize(
    "path", ["tests/test_part_{}.py", "vendor/part_{}/Makefile", "ci/part_{}.sh", "part_{}.gradle", "part_{}/build.sbt"]
)
def test_what_is_guarded_is_always_shown_whole(changes: Any, path: str) -> None:
    base, head = ({path.format(n): text for n, text in enumerate(side.values())} for side in renamed())
    found = shown(changes, base, head)
    assert (found.repeats, found.elided) == (0, ())
    assert found.text.count("_29 = step(") == MANY


def test_a_small_diff_is_shown_whole(changes: Any) -> None:
    base, head = renamed()
    few = [f"src/part_{n}.py" for n in range(20)]
    assert shown(changes, {path: base[path] for path in few}, {path: head[path] for path in few}).repeats == 0


@pytest.mark.parametrize(
    "line", [" " * 2_000_000 + "x", "x" + " " * 2_000_000 + "y", ")" * 2_000_000, "a " * 1_000_000]
)
def test_hostile_lines_cost_little(line: str) -> None:
    head = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n"
    files = parse(f"{head}@@ -1,3 +1,3 @@\n {line}\n-a\n+b\n {line}\n@@ -9,1 +9,1 @@\n-{line}\n+{line}z\n")
    began = process_time()
    repeated(files)
    assert process_time() - began < 5
