"""What LLM responses cost: token counts from three wire formats, prices, and the limits of one session.

Formats: Anthropic Messages (`usage` in `message_start` and `message_delta`), OpenAI Responses (`response.completed`),
OpenAI Chat Completions (`usage` in the last chunk); not streamed, `usage` stands in the one JSON object.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from greylag.model import Limits, StopReason, Usage

_LINE = 32 << 20  # bytes of one server-sent event; what is longer is relayed, but not read


@dataclass(slots=True)
class Tally:
    """Tokens of one request, as far as its response has told. `prompt` is the size of the request in characters."""

    api: str  # `anthropic` or `openai`
    model: str
    prompt: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    heard: int = 0  # characters that the model has written
    answered: bool = False
    error: str = ""  # that a stream ended with
    _rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        """Read a piece of an event stream."""
        self.answered = True
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE:
            self._rest = b""
        for line in lines:
            if line.startswith(b"data:"):
                self.read(line[5:])

    def read(self, text: bytes) -> None:
        """Read one JSON object: a whole response, or an event of a stream."""
        self.answered = True
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return
        for part in (data, *(_sub(data, name) for name in ("message", "response"))):
            if isinstance(part, dict):
                self.model = part["model"] if isinstance(part.get("model"), str) else self.model
                for key, value in _counts(self.api, part.get("usage")).items():
                    self.counts[key] = max(value, self.counts.get(key, 0))  # a stream repeats them, growing
        if _sub(data, "type") == "error":
            self.error = str(_sub(_sub(data, "error"), "message") or "error in the stream")
        self.heard += _written(data)

    @property
    def input(self) -> int:
        """Input tokens, those from the cache included; estimated when a cut-off response never told."""
        return self.counts.get("input", self.prompt // 4 if self.answered else 0)

    @property
    def output(self) -> int:
        """Output tokens; estimated while the response has not told, so that hanging up early saves nothing."""
        return max(self.counts.get("output", 0), self.heard // 4)

    @property
    def usage(self) -> Usage:
        """The same as a delta. `usd` is None when no price of the model is known."""
        if not self.answered:
            return Usage()
        usd = price(self.api, self.model, self.input, self.output, self.counts)
        source = "unknown" if usd is None else "prices"
        return Usage(1, self.input, self.output, self.counts.get("cached", 0), usd, source)


def price(api: str, model: str, inputs: int, outputs: int, counts: Mapping[str, int] | None = None) -> float | None:
    """US dollars by the list prices that come with `genai_prices`; None for a model that it does not know."""
    import genai_prices  # noqa: PLC0415  -- half a second, for runs that call an LLM only

    cached, written = (min((counts or {}).get(key, 0), inputs) for key in ("cached", "written"))
    usage = genai_prices.Usage(
        input_tokens=inputs, output_tokens=outputs, cache_read_tokens=cached, cache_write_tokens=written
    )
    try:
        total: Decimal = genai_prices.calc_price(usage, model, provider_id=api).total_price
    except LookupError:
        return None
    return float(total)


class Meter:
    """Sum of all requests of one session, those under way included. Safe for several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._lock = limits, threading.Lock()
        self._total, self._open, self.over = Usage(), list[Tally](), False
        self._out_of_turns, self.model = False, ""  # the model that answered last

    @property
    def usage(self) -> Usage:
        """What has been consumed so far."""
        with self._lock:
            return self._sum()

    @property
    def stop(self) -> StopReason | None:
        """Which limit has ended the session; None while none has."""
        return StopReason.BUDGET if self.over else StopReason.TURNS if self._out_of_turns else None

    def begin(self, tally: Tally) -> str | None:
        """Count a request from now on; the answer is a reason to refuse it instead."""
        with self._lock:
            if self._exceeded():
                return "the budget of this session is spent"
            if self._total.turns + len(self._open) >= self._limits.turns:
                self._out_of_turns = True
                return f"the {self._limits.turns} turns of this session are spent"
            if self._limits.usd is not None and price(tally.api, tally.model, 1, 1) is None:
                return f"no price is known for the model {tally.model!r}, so that a limit in US dollars cannot be held"
            self._open.append(tally)
            return None

    def exceeded(self) -> bool:
        """Whether a limit is passed; it stays so."""
        with self._lock:
            return self._exceeded()

    def end(self, tally: Tally) -> None:
        """The request is over."""
        with self._lock:
            self._open = [other for other in self._open if other is not tally]
            self._total += tally.usage
            self.model = tally.model if tally.answered else self.model
            self._exceeded()

    def _sum(self) -> Usage:
        return sum((tally.usage for tally in self._open), self._total)

    def _exceeded(self) -> bool:
        usage, limits = self._sum(), self._limits
        tokens = limits.tokens is not None and usage.input_tokens + usage.output_tokens >= limits.tokens
        self.over = self.over or tokens or (limits.usd is not None and (usage.usd or 0.0) >= limits.usd)
        return self.over


def _counts(api: str, usage: object) -> dict[str, int]:
    """`input` (all of it), `cached`, `written`, `output`: those that this usage object tells."""
    if not isinstance(usage, dict):
        return {}
    details = _sub(usage, "input_tokens_details") or _sub(usage, "prompt_tokens_details")
    known = {
        "input": _number(usage, "input_tokens", "prompt_tokens"),
        "output": _number(usage, "output_tokens", "completion_tokens"),
        "cached": _number(usage, "cache_read_input_tokens") or _number(details, "cached_tokens"),
        "written": _number(usage, "cache_creation_input_tokens"),
    }
    if api == "anthropic" and known["input"] is not None:  # which counts the cached ones apart
        known["input"] += (known["cached"] or 0) + (known["written"] or 0)
    return {key: value for key, value in known.items() if value is not None}


def _number(data: object, *names: str) -> int | None:
    for name in names:
        value = data.get(name) if isinstance(data, dict) else None
        if isinstance(value, int) and value >= 0:
            return value
    return None


def _sub(data: object, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _written(event: object) -> int:
    """Characters of a model's words in one event."""
    delta = _sub(event, "delta")
    choices = _sub(event, "choices")
    deltas = [delta, *(_sub(choice, "delta") for choice in choices)] if isinstance(choices, list) else [delta]
    return sum(len(d) if isinstance(d, str) else _text(d) for d in deltas)


def _text(delta: object) -> int:
    return sum(len(v) for v in delta.values() if isinstance(v, str)) if isinstance(delta, dict) else 0
