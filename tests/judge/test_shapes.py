"""A large diff that makes one edit in many places: three of them are shown, and all that differs."""

from collections.abc import Mapping
from typing import Any

from greylag.judge._input import show

MANY = 200


def module(number: int, call: str) -> str:
    body = "\n".join(f"    value_{number}_{at} = step(value_{number}_{at - 1}, {at})" for at in range(1, 30))
    return f"def part_{number}(value_{number}_0):\n{body}\n    return wrap_{number}({call}, now=True)\n"


def renamed(**odd: str) -> tuple[dict[str, str], dict[str, str]]:
    base = {f"src/part_{n}.py": module(n, "utcnow()") for n in range(MANY)}
    head = {f"src/part_{n}.py": module(n, "now(UTC)") for n in range(MANY)}
    return base, {**head, **{path.replace("__", "/") + ".py": text for path, text in odd.items()}}


def texts(changes: Any, base: Mapping[str, str], head: Mapping[str, str]) -> str:
    return show(changes(base, head)).text


def test_three_of_many_alike_are_shown_and_the_others_counted(changes: Any) -> None:
    text = texts(changes, *renamed())
    assert text.count("+    return wrap_") == 3
    assert text.count("[not shown: the same edit as above, `utcnow` to `now`]") == MANY - 3
    assert all(f"b/src/part_{n}.py" in text for n in range(MANY)), "each file is named"


def test_what_differs_is_shown_in_full(changes: Any) -> None:
    odd = module(150, "now(UTC)").replace("wrap_150", "wrap_151")
    text = texts(changes, *renamed(src__part_150=odd))
    assert "+    return wrap_151(now(UTC), now=True)" in text
    spaced = module(150, "now(UTC)").replace("    return", "  return")
    assert "+  return wrap_150(now(UTC), now=True)" in texts(changes, *renamed(src__part_150=spaced))
    joined = module(150, "now(UTC)\u200b")
    assert "now(UTC)<U+200B>" in texts(changes, *renamed(src__part_150=joined))


def test_tests_and_builds_are_always_shown(changes: Any) -> None:
    base, head = renamed()
    base = {path.replace("src/part", "tests/test_part"): text for path, text in base.items()}
    head = {path.replace("src/part", "tests/test_part"): text for path, text in head.items()}
    text = texts(changes, base, head)
    assert text.count("+    return wrap_") == MANY
    assert "not shown" not in text


def test_a_small_diff_is_shown_whole(changes: Any) -> None:
    base, head = renamed()
    few = [f"src/part_{n}.py" for n in range(20)]
    text = texts(changes, {path: base[path] for path in few}, {path: head[path] for path in few})
    assert text.count("+    return wrap_") == 20
