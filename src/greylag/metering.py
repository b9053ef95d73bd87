"""The limits of one session or question, whose requests are counted: at one place, whoever sends them."""

import threading

from greylag.exchanges import Channel, unpaid
from greylag.model import Limits, StopReason, Usage
from greylag.tallies import Tally, price


class RefusedError(Exception):
    """A request that would pass a limit, or whose cost could not be told."""


class Meter:
    """Sum of all requests of one session, those under way included. Safe for several threads.

    A limit in tokens or dollars is passed by one request at most: they run side by side only while those under way
    cannot reach it, whatever they come to.
    """

    def __init__(self, limits: Limits, channel: Channel = Channel()) -> None:
        self.channel, self._limits, self._free = channel, limits, threading.Condition()
        self._total, self._open, self.over = Usage(), list[Tally](), False
        self._out_of_turns, self.closed, self.model = False, False, ""  # the model that answered last
        self.silent = False  # it had nothing to say
        self._held: bool | None = None  # answers were no more than they could be; None: there was none yet

    @property
    def usage(self) -> Usage:
        """What has been consumed so far; nobody pays for what is played."""
        with self._free:
            return unpaid(self._sum()) if self.channel.playing else self._sum()

    @property
    def stop(self) -> StopReason | None:
        """Which limit has ended the session; None while none has."""
        return StopReason.BUDGET if self.over else StopReason.TURNS if self._out_of_turns else None

    def begin(self, tally: Tally) -> str | None:
        """Count a request from now on, when there is room for it; the answer is a reason to refuse it instead."""
        with self._free:
            self._free.wait_for(lambda: self.closed or self._exceeded() or self._room())
            if self.closed:
                return "the session is over"
            if self._exceeded():
                return "the budget of this session is spent"
            if self._total.turns + len(self._open) >= self._limits.turns:
                self._out_of_turns = True
                return f"the {self._limits.turns} turns of this session are spent"
            if self._limits.usd is not None and price(tally.api, tally.model, 1, 1) is None:
                unknown = f"no price is known for the model {tally.model!r}"
                return f"{unknown}, so that a limit in US dollars cannot be held; limit tokens instead"
            self._open.append(tally)
            return None

    def exceeded(self) -> bool:
        """Whether a limit is passed; it stays so."""
        with self._free:
            return self._exceeded()

    def close(self) -> None:
        """The session is over: nobody waits any longer."""
        with self._free:
            self.closed = True
            self._free.notify_all()

    def end(self, tally: Tally) -> None:
        """The request is over."""
        with self._free:
            self._open = [other for other in self._open if other is not tally]
            self._total += tally.usage
            if tally.answered:
                self.model, self.silent = tally.model, not tally.spoken
            if tally.answered and (most := tally.worst):
                self._held = self._held is not False and _tokens(tally.usage) <= _tokens(most)
            self._exceeded()
            self._free.notify_all()

    def _room(self) -> bool:
        """Whether those under way will leave something of each limit."""
        limits = self._limits
        if not self._open or (limits.tokens is None and limits.usd is None):
            return True
        most = [tally.worst for tally in self._open]
        if (
            not self._held
            or None in most
            or any(worst.usd is None for worst in most if worst and limits.usd is not None)
        ):
            return False
        used = sum((worst for worst in most if worst), self._total)
        return not _reached(used, limits)

    def _sum(self) -> Usage:
        return sum((tally.usage for tally in self._open), self._total)

    def _exceeded(self) -> bool:
        self.over = self.over or _reached(self._sum(), self._limits)
        return self.over


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


def _reached(usage: Usage, limits: Limits) -> bool:
    tokens = limits.tokens is not None and _tokens(usage) >= limits.tokens
    return tokens or (limits.usd is not None and (usage.usd or 0.0) >= limits.usd)
