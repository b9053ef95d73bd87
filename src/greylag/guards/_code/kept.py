"""Answers about texts that many ask for: the last ones are kept, bounded by the characters of their texts."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property, wraps
from threading import Lock
from typing import Generic, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_LARGEST = 1_000_000  # characters of all texts of one function: more trees would cost the collector of garbage
_LEAST = 1000  # characters that each of them counts for at least


def kept(function: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
    """A function of texts whose answers nobody changes. What it raises is not kept."""
    known: OrderedDict[Hashable, tuple[_Answer, int]] = OrderedDict()
    lock, sizes = Lock(), [0]

    @wraps(function)
    def asked(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        with lock:
            if args in known:
                known.move_to_end(args)
                return known[args][0]
        answer = function(*args, **kwargs)
        size = max(_LEAST, sum(len(one) for one in args if isinstance(one, str)))
        with lock:
            if args not in known:
                known[args] = answer, size
                sizes[0] += size
            while sizes[0] > _LARGEST and len(known) > 1:
                sizes[0] -= known.popitem(last=False)[1][1]
        return answer

    return asked


class Later(Generic[_Answer]):
    """An answer that is found when somebody asks for it, once."""

    def __init__(self, find: Callable[[], _Answer]) -> None:
        self._find = find

    @cached_property
    def answer(self) -> _Answer:
        """It."""
        return self._find()
