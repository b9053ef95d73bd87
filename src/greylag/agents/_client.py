"""What the real clients share that run whole inside the sandbox: how they start, what they reach, how they end.

Each has its own flags, settings and lines of output (`Account`); `converse` does the rest.
"""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Protocol

from greylag.agents._record import session_id, tell
from greylag.bridge import Gate, sockets
from greylag.endings import HOW_TO_DECLINE, declined
from greylag.errors import AgentError, UserError
from greylag.model import Session, StopReason, Usage
from greylag.protocols import AgentRequest, Command, Completed, Ended
from greylag.proxy import Proxy, Upstream, serve
from greylag.proxy.metering import Meter
from greylag.text import cap, one_line

SERVER = "greylag"  # the MCP server's name, as the client knows it
_LAST = 2000  # bytes of output in which a client that crashed says why


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its name in settings and records, for people, and as a program; and the model that it is to use.

    `tried` is the version with which it was tried.
    """

    agent: str
    title: str
    program: str
    tried: str
    model: str | None
    max_blocks: int

    @property
    def advice(self) -> str:
        """What to look at when it does not even start as it should."""
        return f"greylag was tried with {self.title} {self.tried}; `{self.program} --version` tells which one this is"


class Account(Protocol):
    """A run of a client, as its lines of output tell it. All of it is untrusted text."""

    session: str  # the client's own id of the conversation; empty until it is known
    model: str
    started: bool
    crippled: bool  # it has no tool `verify`

    def line(self, line: str) -> bool:
        """Take one line of standard output; the answer is whether the model has spoken."""
        ...

    @property
    def stop(self) -> StopReason | None:
        """How it ended by its own account; None when it did not say."""
        ...

    @property
    def last_words(self) -> str:
        """The final text: an answer, or an error in the client's words."""
        ...


def converse(client: Client, upstream: Upstream, command: Command, account: Account, request: AgentRequest) -> Session:
    """Run `command`, to which sockets and limits are added, to the end of the session.

    Raises `UserError` for a refused key, `InfraError` for an LLM that does not answer, `AgentError` for a client that
    does not start or crashes, and whatever verification raised.
    """
    gate = Gate(request.verify, request.observe, client.max_blocks)

    def line(text: str) -> None:
        if account.line(text):
            _tell_usage(request, proxy.meter.usage)

    place = request.transcript.parent / "sockets"
    with ExitStack() as stack:
        proxy, llm = stack.enter_context(serve(upstream, request.limits, place))
        paths = stack.enter_context(sockets(gate, place))
        completed = request.sandbox.run(
            replace(
                command,
                seconds=request.limits.seconds,
                sockets={**paths, "llm": llm},
                forwards=("llm",),
                files={**command.files, "relay.py": source("_relay.py")},
                on_line=line,
                merge=False,
            )
        )
    gate.settle()
    stop = _stop(client, completed, account, proxy)
    _tell_usage(request, proxy.meter.usage)
    return _session(client, account, request, gate, stop=stop, meter=proxy.meter)


def _session(
    client: Client, account: Account, request: AgentRequest, gate: Gate, *, stop: StopReason, meter: Meter
) -> Session:
    text = account.last_words
    return Session(
        id=session_id(request),
        agent=client.agent,
        model=account.model or one_line(meter.model, 80) or client.model or "",
        stop=StopReason.DECLINED if stop is StopReason.COMPLETED and declined(text) is not None else stop,
        usage=meter.usage,
        text=cap(declined(text) or text, 4000),
        transcript=str(request.transcript),
        resume=account.session or None,
        verifications=gate.verifications,
        blocks=gate.blocks,
    )


def _stop(client: Client, completed: Completed, account: Account, proxy: Proxy) -> StopReason:
    """Why it ended: our own knowledge first, then the client's account. Raises when nobody's work can go on."""
    if account.crippled:
        raise AgentError(f"{client.title} started without the tool `verify`; nothing was done. {client.advice}")
    if account.stop is StopReason.COMPLETED and (proxy.meter.usage.turns or not proxy.last):
        return StopReason.COMPLETED
    if completed.ended is Ended.TIMED_OUT:
        return StopReason.TIMEOUT
    if proxy.meter.stop is not None:
        return proxy.meter.stop
    if completed.ended is Ended.KILLED:
        return StopReason.KILLED
    if completed.ended is not Ended.EXITED:
        raise AgentError(f"{client.title} was ended by the sandbox: {completed.ended.value}")
    if account.stop in {None, StopReason.LLM_ERROR, StopReason.COMPLETED} and (problem := proxy.problem()):
        raise problem
    if completed.returncode in {126, 127} and not account.started:
        raise UserError(
            f"{client.title} cannot be started in the sandbox: put the directory of `{client.program}` on PATH, "
            "so that it is mounted"
        )
    if account.stop is None or not account.started:
        words = one_line(completed.errors[-_LAST:] or completed.output[-_LAST:], 300) or "no word"
        advice = "" if account.started else f". {client.advice}"
        how = f"ended with exit code {completed.returncode} and without a result"
        raise AgentError(f"{client.title} {how}: {words}{advice}")
    return account.stop


def script(name: str) -> tuple[str, ...]:
    """Words that run one of the command's files inside."""
    return (os.path.realpath(sys.executable), "-I", "-S", f"@files@/{name}")


def relay(name: str) -> tuple[str, ...]:
    """Words of the command by which the client reaches `verify` or the stop gate."""
    return (*script("relay.py"), f"@sockets@/{name}")


def hook() -> str:
    """The command of the stop hook, as a line for a shell."""
    return " ".join(f'"{word}"' for word in relay("stop"))


def instructions() -> str:
    """What the model is told of the job, beside the client's own system prompt."""
    return source("client.md").replace("{decline}", HOW_TO_DECLINE)


def source(name: str) -> str:
    """A file of this package."""
    return files("greylag.agents").joinpath(name).read_text("utf-8")


def _tell_usage(request: AgentRequest, usage: Usage) -> None:
    money = "" if usage.usd is None else f", ${usage.usd:.4f}"
    text = f"{usage.turns} turns, {usage.input_tokens} tokens in, {usage.output_tokens} out{money}"
    tell(request, "usage", text, turns=usage.turns, usd=usage.usd)
