"""What a run asks language models, and what they answer: kept as it happens, listed, and played again.

The one place for the tokens and the cost of a request. Each stands in `exchanges.jsonl` in the run's directory, on the
host, which no sandbox sees; of the request there are digests, of the answer all, without secrets of known form. Who
talks to a model (the proxy of the real clients, the wire of the built-in agent and the judge) begins an `Open` here for
each request, and keeps it when it is over. A run that is played gets its answers from the record of another one.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.errors import AgentError, InfraError, UserError
from greylag.exchanges._forms import api, digests, without_secrets
from greylag.model import Limits, Usage

if TYPE_CHECKING:
    import httpx2

NAME = "exchanges.jsonl"
_HEADERS = ("content-type", "x-should-retry", "retry-after")
_ANSWER, _ANSWERS = 8 << 20, 64 << 20  # bytes of one answer, and of all of a run, that are kept
_MOST = 20_000  # requests of a run: a flood of them does not fill the disk
_NAME = 200  # characters of a model's


class ExhaustedError(AgentError):
    """More is asked than was recorded."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it was answered. `status` 0: no answer came; `whole`: it came to its end.

    `who` asked: `session N`, `judge` or `reflection`. `asked`: digests of what was asked, by key. `answer` is None
    where it was too large to be kept; text in it that is no UTF-8 is escaped.
    """

    number: int
    who: str
    path: str
    asked: Mapping[str, str]
    at: str
    seconds: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    model: str = ""
    usage: Usage = Usage()
    answer: str | None = ""

    @property
    def pieces(self) -> Iterator[bytes]:
        """The answer as it came: event by event where it was a stream."""
        *events, rest = (self.answer or "").encode("utf-8", "surrogateescape").split(b"\n\n")
        yield from (event + b"\n\n" for event in events)
        if rest:
            yield rest

    def response(self) -> "httpx2.Response":
        """As the service gave it. Where the connection broke, it breaks here: `httpx2.HTTPError`."""
        from greylag.exchanges._played import response  # noqa: PLC0415  -- a third of a second

        return response(self.status, self.headers, self.pieces, whole=self.whole)


@dataclass(slots=True)
class Open:
    """A request that is under way. `recorded` is its answer where a record is played."""

    exchange: Exchange
    recorded: Exchange | None = None
    _heard: bytearray = field(default_factory=bytearray)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer begins."""
        kept = {name: headers[name] for name in _HEADERS if name in headers}
        self.exchange = replace(self.exchange, status=status, headers=kept)

    def take(self, chunk: bytes) -> None:
        """A piece of it."""
        if len(self._heard) <= _ANSWER:
            self._heard += chunk

    def end(self) -> None:
        """It is whole."""
        self.exchange = replace(self.exchange, whole=True)

    def closed(self, usage: Usage, model: str, key: str | None) -> Exchange:
        """The exchange as it is kept: without the key, which some servers repeat."""
        text = self._heard.decode("utf-8", "surrogateescape")
        answer = None if len(self._heard) > _ANSWER else without_secrets(text.replace(key, "[key]") if key else text)
        seconds = (datetime.now(UTC) - datetime.fromisoformat(self.exchange.at)).total_seconds()
        return replace(self.exchange, seconds=round(seconds, 3), model=model[:_NAME], usage=usage, answer=answer)


class Exchanges:
    """Those of one run, in a file (None: in none). `played`: answers come from these, of the run `source`.

    `changed`: the numbers of played exchanges that something else was asked for, and which keys of the request differ.
    `priced`: what all answers cost, or had cost when they were recorded. Safe for several threads.
    """

    def __init__(self, place: Path | None = None, played: Sequence[Exchange] | None = None, source: str = "") -> None:
        self.playing, self.changed, self.priced = played is not None, dict[int, tuple[str, ...]](), Usage()
        self.exhausted: ExhaustedError | None = None
        self._failed: InfraError | None = None
        self._place, self._source, self._lock = place, source, threading.Lock()
        self._left = sorted(played or (), key=lambda exchange: exchange.number)
        self._all, self._count, self._size = len(self._left), 0, 0

    @property
    def left(self) -> tuple[Exchange, ...]:
        """What was recorded and not asked for."""
        return tuple(self._left)

    @property
    def played(self) -> int:
        """How many recorded answers were given."""
        return self._all - len(self._left)

    def begin(self, who: str, path: str, body: bytes) -> Open:
        """A request. Raises `ExhaustedError` where a record is played that has no answer to it."""
        exchange = Exchange(0, who, api(path), digests(body), datetime.now(UTC).isoformat())
        with self._lock:
            self._count += 1
            exchange = replace(exchange, number=self._count)
            return Open(exchange, self._recorded(exchange) if self.playing else None)

    def keep(self, done: Open, usage: Usage, model: str, key: str | None = None) -> None:
        """It is over: write it down. Nobody paid for one that was played."""
        exchange = done.closed(usage, model, key)
        with self._lock:
            self.priced += usage
            if self.playing:
                exchange = replace(exchange, usage=unpaid(usage))
            self._size += len(exchange.answer or "")
            if self._size > _ANSWERS:
                exchange = replace(exchange, answer=None)
            if self._place is not None and self._failed is None and exchange.number <= _MOST:
                self._failed = _append(self._place, json.dumps(asdict(exchange)))

    def check(self) -> None:
        """Raises `InfraError` when something could not be written down: not in the thread where that happened."""
        if self._failed:
            raise self._failed

    def _recorded(self, asked: Exchange) -> Exchange:
        """The answer to this very request, else to one of the same model, else the next one."""
        role = asked.who.partition(" ")[0]
        fits = [one for one in self._left if (one.who.partition(" ")[0], one.path) == (role, asked.path)]
        model = [one for one in fits if one.asked.get("model") == asked.asked.get("model")]
        found = next((one for one in fits if one.asked == asked.asked), None) or next(iter(model or fits), None)
        if found is None or found.answer is None:
            why = "has no answer left" if found is None else f"has not kept answer {found.number}, which was too large"
            error = ExhaustedError(f"the record of run {self._source} {why}: request {asked.number} of the {role}")
            self.exhausted = self.exhausted or error  # clients try again, and the first is what counts
            raise self.exhausted
        self._left.remove(found)
        if found.asked != asked.asked:
            keys = {*found.asked, *asked.asked}
            self.changed[found.number] = tuple(
                sorted(key for key in keys if found.asked.get(key) != asked.asked.get(key))
            )
        return found


@dataclass(frozen=True, slots=True)
class Channel:
    """The way to a model for one who asks: a session of an agent, or the judge. By default nothing is kept.

    `limits`: what may be spent on it, for the judge; a session of an agent has limits of its own.
    """

    who: str = ""
    exchanges: Exchanges = field(default_factory=Exchanges)
    limits: Limits | None = Limits()
    _used: list[Usage] = field(default_factory=list, repr=False, compare=False)

    @property
    def playing(self) -> bool:
        """Whether no model is asked, but a record."""
        return self.exchanges.playing

    @property
    def left(self) -> Limits | None:
        """What may still be spent; None: nothing."""
        return self.limits and self.limits.less(sum(self._used, Usage()))

    @property
    def used(self) -> Usage:
        """What went over it; nobody pays for what is played."""
        return sum((unpaid(one) if self.playing else one for one in self._used), Usage())

    def begin(self, path: str, body: bytes) -> Open:
        """See `Exchanges.begin`."""
        return self.exchanges.begin(self.who, path, body)

    def keep(self, done: Open, usage: Usage, model: str, key: str | None = None) -> None:
        """See `Exchanges.keep`."""
        self._used.append(usage)
        self.exchanges.keep(done, usage, model, key)


def unpaid(usage: Usage) -> Usage:
    """The usage of what was played."""
    return replace(usage, usd=0.0, cost_source="replay")


def load(home: Path) -> list[Exchange]:
    """The exchanges of a run by its directory, in the order in which they began; a line cut off by a kill is none."""
    try:
        lines = (home / NAME).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{home / NAME} cannot be read: {error.strerror}") from error
    found = [exchange for line in lines if (exchange := _read(line))]
    return sorted(found, key=lambda exchange: exchange.number)


def _read(line: str) -> Exchange | None:
    try:
        data: dict[str, Any] = json.loads(line)
        return Exchange(**{**data, "usage": Usage(**data["usage"])})
    except (ValueError, KeyError, TypeError):
        return None


def _append(place: Path, line: str) -> InfraError | None:
    try:
        with place.open("a", encoding="ascii") as file:
            file.write(line + "\n")
    except OSError as error:
        return InfraError(f"{place} cannot be written: {error.strerror}; make room there")
    return None
