"""What a value in the settings should have been, in words, from the errors of pydantic.

Types of errors: docs.pydantic.dev/latest/errors/validation_errors.
"""

import json
from collections.abc import Sequence

from pydantic_core import ErrorDetails

from greylag.text import one_line

_WORDS = {
    "int": "a whole number, such as 3",
    "float": "a number, such as 1.5",
    "bool": "true or false",
    "string": "a text in quotes",
    "path": "a path in quotes",
    "tuple": 'a list, such as ["a", "b"]',
    "list": 'a list, such as ["a", "b"]',
    "sequence": 'a list, such as ["a", "b"]',
    "is": 'a list, such as ["a", "b"]',  # `is_instance_of` a sequence
    "dict": "a table",
    "mapping": "a table",
    "model": "a table",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def misfit(errors: Sequence[ErrorDetails]) -> tuple[tuple[int | str, ...], str]:
    """Where the first of the errors is, and what is wrong with the value there, in words that follow its name."""
    first = errors[0]
    place = first["loc"]
    if first["type"] == "missing":
        return place, "is missing"
    if first["type"] == "value_error":
        return place, f"does not fit: {first['msg'].removeprefix('Value error, ')}"
    branches, depth = _branches(errors), len(place)
    words = dict.fromkeys(_expected(e) if len(e["loc"]) == depth else _WORDS["list"] for e in branches)
    place = place[:-1] if len(branches) > 1 else place
    return place, f"is {_shown(first['input'])}; it takes {' or '.join(words)}"


def where(place: Sequence[int | str]) -> str:
    """`command[2].run` for the key `run` of the second table `command`."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _branches(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """The errors of all branches of a union, whose names stand in the place of the error; else the first one alone."""
    place, value = errors[0]["loc"], errors[0]["input"]
    at = len(place) - 1
    beside = [e for e in errors if e["loc"][:at] == place[:at]]
    inner = [e for e in beside if len(e["loc"]) == at + 2 and isinstance(e["loc"][-1], int)]
    return [e for e in beside if e["input"] is value or (e in inner and isinstance(value, list))]


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]}"
    if kind == "literal_error":
        return str(context["expected"])
    return _WORDS.get("float" if kind == "finite_number" else kind.partition("_")[0], error["msg"])


def _shown(value: object) -> str:
    return one_line(json.dumps(value, default=str, ensure_ascii=False), 60)
