"""Rows that tests have from elsewhere: what a fixture returns, tables in other files of tests, files of data."""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from greylag.diffs import FileDiff, parse
from greylag.guards._cases.rows import entries
from greylag.guards._code.python_tree import UNREADABLE, Function, parsed, walk
from greylag.guards._code.source import LARGEST, brackets, language, plain, scan
from greylag.guards._guard import finding, read
from greylag.guards._tests.values import GIVEN
from greylag.kinds import classify
from greylag.model import Diagnostic
from greylag.protocols import Change

Tables = Mapping[str, Counter[str]]  # name -> its rows
_COMPOSITE = (ast.Tuple, ast.List, ast.Dict)
_ROW = re.compile(r"(?:[\w.\"'`]+\s*:\s*)?[&*]?[\w.]{0,60}[\[{(]")
_TYPE = re.compile(r"\[\]struct\s*+\{[^{}]{0,500}\}\s*+|(?:&|vec!)?[\w.*\[\]<>]{0,60}?\s*+(?=[\[{])")
_ITEM = re.compile(r"^-[ \t]+", re.MULTILINE)
_DEEP = 20  # lists within lists


def lost_rows(change: Change, files: Sequence[FileDiff], *, data: bool) -> Iterator[Diagnostic]:
    """Tables that have only lost rows, in a change of sources. `data` are files that hold no code."""
    kept = [file for file in files if file.status in {"modified", "renamed"} and not file.binary]
    if not kept or not any(classify(file.path) == "source" for file in parse(change.diff) if file not in files):
        return
    reader = _data if data else _code
    sides = [(file, _of(change, file, 0, reader), _of(change, file, 1, reader)) for file in kept]
    come = Counter[str]()
    for _, old, new in sides:
        for name, rows in new.items():
            come += rows - old.get(name, Counter())
    for file, old, new in sides:
        for name, rows in old.items():
            gone, more = rows - new.get(name, Counter()), new.get(name, Counter()) - rows
            if name in new and gone and not more and gone - come:
                told = f"`{name}` of {file.path}" if name else file.path
                message = f"takes {gone.total()} of {rows.total()} rows out of {told} while sources change"
                yield finding(change, "tests", "tests/fewer-rows", message, file.path)


def _of(change: Change, file: FileDiff, side: int, reader: Callable[[str, str], Tables]) -> Tables:
    path = (file.old_path, file.path)[side]
    text = read((change.base, change.head)[side], path) or ""
    return reader(path, text) if len(text) <= LARGEST else {}


# -- code ------------------------------------------------------------------------------------------------------------


def _code(path: str, text: str) -> Tables:
    family = language(path) or ""
    if family != "python":
        return dict(_scanned(text, family)) if family in GIVEN else {}
    try:
        return dict(_python(parsed(text)))
    except UNREADABLE:
        return {}


def _scanned(text: str, family: str) -> Iterator[tuple[str, Counter[str]]]:
    source, over = scan(text, family), 0
    closing = {pair[0]: brackets(source.code, pair) for pair in ("[]", "{}")}
    for match in GIVEN[family].finditer(source.code):
        opening = _TYPE.match(source.code, match.end()) if match.start() >= over else None
        if opening and source.code[opening.end() : opening.end() + 1] in {"[", "{"}:
            over = closing[source.code[opening.end()]].after(opening.end())[1]
            found = list(entries(source, opening.end()))
            if all(map(_ROW.match, found)):
                yield match["name"], Counter(found)


def _python(module: ast.Module) -> Iterator[tuple[str, Counter[str]]]:
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            rows = _listed(node.value, {})
            yield from ((one.id, rows) for one in targets if isinstance(one, ast.Name) and rows is not None)
    for function in (part for part in walk(module) if isinstance(part, Function)):
        fixture = any("fixture" in ast.dump(mark) for mark in function.decorator_list)
        if (rows := _returned(function) if fixture else None) is not None:
            yield f"{function.name}()", rows


def _returned(node: Function) -> Counter[str] | None:
    """The rows that a fixture gives."""
    own: dict[str, ast.expr] = {}
    for part in node.body:
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            own[part.targets[0].id] = part.value
    given = [part.value for part in walk(node) if isinstance(part, ast.Return | ast.Yield)]
    return _listed(given[0], own) if len(given) == 1 else None


def _listed(node: ast.expr | None, known: Mapping[str, ast.expr]) -> Counter[str] | None:
    """The rows of a literal; none of a part of one, since that leaves some out."""
    if isinstance(node, ast.Name) and node.id in known:
        return _listed(known[node.id], {})
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return Counter() if _listed(node.value, known) is not None else None
    if isinstance(node, ast.Dict):
        keys = (ast.dump(key) if key else "" for key in node.keys)
        rows = zip(keys, node.values, strict=True)
        found = [f"{key}{ast.dump(row)}" for key, row in rows if isinstance(row, _COMPOSITE)]
        return Counter(found) if len(found) == len(node.keys) else None
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        found = [ast.dump(row) for row in node.elts if isinstance(row, _COMPOSITE)]
        return Counter(found) if len(found) == len(node.elts) else None
    return None


# -- data ------------------------------------------------------------------------------------------------------------


def _data(path: str, text: str) -> Tables:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".csv", ".tsv", ".jsonl", ".ndjson"}:
        return {"": Counter(line.strip() for line in text.split("\n") if line.strip())}
    if suffix in {".yml", ".yaml"}:
        items = _ITEM.split(text)
        return {"": Counter(map(plain, items[1:]))}
    if suffix != ".json":
        return {}
    try:
        return dict(_json(json.loads(text), "", 0))
    except (ValueError, RecursionError):
        return {}


def _json(value: object, name: str, depth: int) -> Iterator[tuple[str, Counter[str]]]:
    if depth > _DEEP:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _json(inner, f"{name}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        if all(isinstance(row, list | dict) for row in value):
            yield name, Counter(json.dumps(row, sort_keys=True) for row in value)
        else:
            for number, inner in enumerate(value):
                yield from _json(inner, f"{name}[{number}]", depth + 1)
