"""What LLM responses cost: token counts from three wire formats, and prices.

Formats: Anthropic Messages (`usage` in `message_start` and `message_delta`), OpenAI Responses (`response.completed`),
OpenAI Chat Completions (`usage` in the last chunk); not streamed, `usage` stands in the one JSON object.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from greylag.model import Usage

_EVENTS = {
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
    "message_stop",
}  # of Anthropic's streams
_ENDS = {"message_stop", "response.completed", "response.incomplete", "response.failed"}
_WORDS = {"text", "partial_json", "thinking", "delta", "content", "arguments", "input", "refusal", "reasoning_content"}
_PIECES = ("delta", "choices", "content", "output")  # of what is written, each word once
_WHOLE = ("item", "response")  # where some services tell at the end what they have told in pieces, or have not
_DATA = {"input", "arguments"}  # what a tool is called with: each text in it was written
_MOST = 10**9  # tokens; a count above is nonsense
_LONGEST = 64  # characters of a token, on average of an answer: whoever tells fewer tokens has not counted
_HOUR = 0.75  # of the price of input: what an hour in the cache costs more than five minutes, as Anthropic lists it
_MOST_WRITTEN = ("max_tokens", "max_output_tokens", "max_completion_tokens")
_LINE = 32 << 20  # bytes of one server-sent event; what is longer is relayed, but not read


@dataclass(slots=True)
class Tally:
    """Tokens of one request, as far as its response has told. `prompt` is the size of the request in characters.

    `most`: tokens that it lets the model write; None: it does not say.
    """

    api: str  # `anthropic` or `openai`
    model: str
    prompt: int = 0
    most: int | None = None
    asked: str = ""  # the model that the request names
    counts: dict[str, int] = field(default_factory=dict)
    heard: int = 0  # characters that the model has written
    spoken: bool = False  # it has said something, or called a tool
    answered: bool = False  # in a shape of the API: nonsense is no answer
    streamed: bool = False  # the answer came in events
    told: bool = False  # output tokens of all that was heard
    ended: bool = False  # the stream has come to its proper end
    dropped: bool = False  # we hung up on a service that had the request
    error: str = ""  # that stands in place of the answer, or that a stream ended with
    _rest: bytes = b""

    @classmethod
    def of(cls, api: str, body: bytes) -> "Tally":
        """Of a request with this body."""
        asked = _object(body) or {}
        model = asked["model"] if isinstance(asked.get("model"), str) else ""
        return cls(api, model, len(body), _number(asked, *_MOST_WRITTEN), model)

    def feed(self, chunk: bytes) -> None:
        """Read a piece of an event stream."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE:
            self._rest = b""
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())

    def read(self, body: bytes) -> None:
        """Read a whole response. It may be a stream all the same, by a server that does not say so."""
        data = _object(body)
        if data is None:
            self.feed(body + b"\n")
        else:
            self._take(data)

    def _event(self, text: bytes) -> None:
        data = _object(text)
        if data is not None:
            self._take(data)
            self.streamed = self.answered
            self.ended = self.ended or (self.answered and _ends(data))
        elif text == b"[DONE]":
            self.ended = True
        else:
            self.error = self.error or "an event that is no JSON object"

    def _take(self, data: Mapping[str, Any]) -> None:
        if not _shaped(self.api, data):
            if data.get("type") == "error" or _sub(data, "error"):
                words = _sub(_sub(data, "error"), "message") or _sub(data, "message")
                self.error = str(words or "an error in place of an answer")
            return
        self.answered = True
        if words := _written(data, _PIECES):
            self.heard += words
            self.told = False
        self.spoken = self.spoken or bool(words or _written(data, _WHOLE))
        for name in ("", "message", "response"):
            part = _sub(data, name) if name else data
            self.model = part["model"] if isinstance(_sub(part, "model"), str) else self.model
            counts = _counts(self.api, _sub(part, "usage"))
            for key, value in counts.items():
                self.counts[key] = max(value, self.counts.get(key, 0))  # a stream repeats them, growing
            if "output" in counts and name != "message":  # which comes first, when nothing is written yet
                self.told = True

    @property
    def input(self) -> int:
        """Input tokens, those from the cache included; estimated when a cut-off response never told, or told none."""
        return self.counts.get("input", 0) or (self.prompt // 4 if self.billed else 0)

    @property
    def output(self) -> int:
        """Output tokens as told; estimated before, so that a stream can be cut and hanging up early saves nothing."""
        return max(self.counts.get("output", 0), self.heard // (_LONGEST if self.told else 4))

    @property
    def billed(self) -> bool:
        """Whether there is something to pay: for an answer, and for one that nobody has waited for."""
        return self.answered or self.dropped

    @property
    def trusted(self) -> bool:
        """Whether the counts are those of the service, and can be."""
        return self.told and bool(self.counts.get("input")) and self.output == self.counts.get("output", 0)

    @property
    def usage(self) -> Usage:
        """The same as a delta; nothing for nonsense.

        `usd` is by the model that answered, else by the one that was asked: a gateway may have names of its own. It is
        None when no price of either is known.
        """
        if not self.billed:
            return Usage()
        prices = (price(self.api, name, self.input, self.output, self.counts) for name in (self.model, self.asked))
        usd = next((usd for usd in prices if usd is not None), None)
        known = "prices" if self.trusted else "estimate"
        source = "unknown" if usd is None else known
        return Usage(1, self.input, self.output, self.counts.get("cached", 0), usd, source)

    @property
    def worst(self) -> Usage | None:
        """The most that it can come to: no token is shorter than a character. None: nobody knows."""
        if self.most is None:
            return None
        prices = (price(self.api, self.model, self.prompt, self.most, {key: self.prompt}) for key in ("written", ""))
        return Usage(1, self.prompt, self.most, usd=max((usd for usd in prices if usd is not None), default=None))


def price(api: str, model: str, inputs: int, outputs: int, counts: Mapping[str, int] | None = None) -> float | None:
    """US dollars by the list prices that come with `genai_prices`; None for a model that it does not know."""
    import genai_prices  # noqa: PLC0415  -- half a second, for runs that call an LLM only

    cached, written = (min((counts or {}).get(key, 0), inputs) for key in ("cached", "written"))
    usage = genai_prices.Usage(
        input_tokens=inputs, output_tokens=outputs, cache_read_tokens=cached, cache_write_tokens=written
    )
    try:
        total: Decimal = genai_prices.calc_price(usage, model, provider_id=api).total_price
        if counts and (longer := min(counts.get("written_hour", 0), written)):
            added = genai_prices.calc_price(genai_prices.Usage(input_tokens=longer), model, provider_id=api).total_price
            total += added * Decimal(_HOUR)
    except LookupError:
        return None
    return float(total)


def _counts(api: str, usage: object) -> dict[str, int]:
    """`input` (all of it), `cached`, `written` (`written_hour` of it), `output`: those that this usage object tells."""
    if not isinstance(usage, dict):
        return {}
    details = _sub(usage, "input_tokens_details") or _sub(usage, "prompt_tokens_details")
    known = {
        "input": _number(usage, "input_tokens", "prompt_tokens"),
        "output": _number(usage, "output_tokens", "completion_tokens"),
        "cached": _number(usage, "cache_read_input_tokens") or _number(details, "cached_tokens"),
        "written": _number(usage, "cache_creation_input_tokens"),
        "written_hour": _number(_sub(usage, "cache_creation"), "ephemeral_1h_input_tokens"),
    }
    if api == "anthropic" and known["input"] is not None:  # which counts the cached ones apart
        known["input"] += (known["cached"] or 0) + (known["written"] or 0)
    return {key: value for key, value in known.items() if value is not None}


def _number(data: object, *names: str) -> int | None:
    for name in names:
        value = data.get(name) if isinstance(data, dict) else None
        if type(value) is int and 0 <= value <= _MOST:
            return value
    return None


def _sub(data: object, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _shaped(api: str, data: Mapping[str, Any]) -> bool:
    """Whether this is a response of the API, or an event of one."""
    kind = data.get("type")
    if not isinstance(kind, str):
        kind = ""
    if api == "anthropic":
        return kind in _EVENTS or (kind == "message" and isinstance(data.get("content"), list))
    return kind.startswith("response.") or any(isinstance(data.get(name), list) for name in ("choices", "output"))


def _ends(event: Mapping[str, Any]) -> bool:
    choices = event.get("choices")
    finished = isinstance(choices, list) and any(_sub(choice, "finish_reason") for choice in choices)
    return finished or str(event.get("type")) in _ENDS


def _written(data: Mapping[str, Any], within: Sequence[str]) -> int:
    """Characters of a model's own words in parts of an event or a response; types, names and signatures are none."""
    count, left = 0, [(name, data.get(name)) for name in within]
    while left:  # no recursion: how deep it goes is up to the server
        name, value = left.pop()
        if isinstance(value, str):
            count += len(value) if name in _WORDS else 0
        elif isinstance(value, dict):
            left += ((name if name in _DATA else key, item) for key, item in value.items())
        elif isinstance(value, list):
            left += ((name, item) for item in value)
    return count
