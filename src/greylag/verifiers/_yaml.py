"""YAML of a repository as plain values, read without harm: it may be hostile, and this runs outside of every sandbox.

Values are made from events: nothing is constructed or merged, nothing recurses, an alias is the value that it names and
is not copied. Whatever reads it must bound how much it looks at, since aliases make a small text a large tree.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml  # type: ignore[import-untyped]

Value = object  # str, list or dict; numbers and dates stay the words that they are

_LARGEST = 1 << 18  # characters that are read
_DEEPEST = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A list, or a table whose next key is `key`, that has not ended yet."""

    value: "list[Value] | dict[str, Value]"
    key: str | None = None

    def add(self, value: Value) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is None:
            self.key = value if isinstance(value, str) else ""
        else:
            self.value[self.key], self.key = value, None


@dataclass(slots=True)
class _Document:
    """The values of the first document, as far as they have been read."""

    top: _Open = field(default_factory=lambda: _Open([]))
    open: list[_Open] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._add(self.named.get(event.anchor, ""))
        elif isinstance(event, yaml.ScalarEvent):
            self._name(event, event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            made: list[Value] | dict[str, Value] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self._name(event, made)
            self.open.append(_Open(made))

    def _name(self, event: yaml.NodeEvent, value: Value) -> None:
        if event.anchor:
            self.named[event.anchor] = value
        self._add(value)

    def _add(self, value: Value) -> None:
        (self.open[-1] if self.open else self.top).add(value)


@functools.lru_cache(maxsize=8)
def load(source: str) -> Value:
    """The first document; None when it cannot be read, is nested too deeply or is too long."""
    document = _Document()
    try:
        for event in _events(source):
            document.take(event)
            if len(document.open) > _DEEPEST or isinstance(event, yaml.DocumentEndEvent):
                break
    except (yaml.YAMLError, ValueError):
        return None
    read = document.top.value
    return read[0] if isinstance(read, list) and read and not document.open else None


def words(source: str) -> Iterator[str]:
    """All scalars of all documents in their order, without what aliases stand for; as far as it can be read."""
    depth = 0
    try:
        for event in _events(source):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return
            if isinstance(event, yaml.ScalarEvent):
                yield event.value
    except (yaml.YAMLError, ValueError):
        return


def _events(source: str) -> Iterator[yaml.Event]:
    if len(source) <= _LARGEST:
        yield from yaml.parse(source, Loader=_LOADER)
