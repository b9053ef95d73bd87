"""Numbers of assertions that Python has no literals for: decimal ones, approximate ones, and what is asked of these."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

LARGEST = 10**9  # numbers that are worked with
_DIGITS = 64  # of a decimal number
_USUAL, _LEAST = 1e-6, 1e-12  # tolerances of pytest


class UnknownError(Exception):
    """Nothing can be said of the expression."""


@dataclass(frozen=True, eq=False, slots=True)
class Approximate:
    """What all numbers are equal to that are no farther from one than a margin."""

    number: float
    margin: float

    def __eq__(self, other: object) -> bool:
        return is_number(other) and abs(float(other) - self.number) <= self.margin

    def __hash__(self) -> int:
        return hash(self.number)


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, and no truth value."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def approximate(number: Any, *given: Any, **named: Any) -> Any:
    """As pytest has it: where only an absolute tolerance is named, there is no relative one."""
    rel = given[0] if given else named.get("rel")
    within = given[1] if len(given) > 1 else named.get("abs")
    if not is_number(number):
        raise UnknownError
    relative = float(rel) if rel is not None else 0.0 if within is not None else _USUAL
    return Approximate(float(number), max(_LEAST if within is None else float(within), relative * abs(float(number))))


def decimal(written: Any, *_: Any) -> Decimal:
    """A decimal number of a size that can be worked with."""
    number = Decimal(written if len(str(written)) < _DIGITS else "NaN")
    if not number.is_finite() or abs(number) > LARGEST or abs(number.adjusted()) > _DIGITS:
        raise UnknownError
    return number


def half_up(number: Any, digits: Any = 0) -> Any:
    """Rounded as Java, Rust and JavaScript do."""
    if abs(digits) > _DIGITS:
        raise UnknownError
    scale = type(number)(10) ** int(digits)
    return math.copysign(1, number) * float(math.floor(abs(float(number * scale)) + 0.5)) / float(scale)


def _fixed(number: Any, digits: Any = 0) -> str:
    if not 0 <= digits <= _DIGITS:
        raise UnknownError
    return f"{number:.{digits}f}"


METHODS: Mapping[str, Callable[..., Any]] = {
    "intValue": int, "longValue": int, "intValueExact": int, "doubleValue": float, "floatValue": float, "abs": abs,
    "to_integral_value": half_up, "to_integral": half_up, "round": half_up, "toFixed": _fixed, "floor": math.floor,
    "ceil": math.ceil, "trunc": math.trunc, "is_finite": math.isfinite, "is_nan": math.isnan,
    "signum": lambda number: (number > 0) - (number < 0),
    "quantize": lambda number, unit, *_, **_named: number.quantize(unit),
}  # fmt: skip
