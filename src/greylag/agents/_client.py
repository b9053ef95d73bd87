"""An agent that is a real client, which runs whole inside the sandbox: how it starts, what it reaches, how it ends.

Each client has its own command and lines of output (`Client`); all else is the same for all of them (`ClientAgent`).
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from greylag.agents._record import note, session_id, tell
from greylag.agents._shims import source
from greylag.bridge import TOOL, Gate, sockets
from greylag.endings import declined
from greylag.errors import AgentError, InfraError, UserError
from greylag.exchanges.patience import LONGEST_WAIT
from greylag.llm import LLM
from greylag.metering import Meter
from greylag.model import Limits, Session, StopReason, Usage
from greylag.protocols import AgentRequest, Command, Completed, Ended
from greylag.proxy import Proxy, Upstream, serve
from greylag.text import cap, one_line

_GLANCE = 0.1  # seconds
_PATIENCE = 12  # requests in a row without an answer: more than a client makes that waits in between
_FINDS = re.compile(r"tool_search.*|exec")  # by which a model finds, or calls in code, what it is not offered by name
_SIGNALS = 128  # which shells and sandboxes add to the signal that ended a program
_LAST = 2000  # bytes of output in which a client that crashed says why


REFUSED = 9
"""Exit code of what starts a client, for a repository in which it must not be started. The reason is on its stderr."""


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


def _nowhere() -> Path | None:
    return None


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its name in settings and records, for people, and as a program; and how it is spoken to.

    `tried` is the version with which it was tried, `provider` whose models it asks, `bundled` where it may be when it
    is not on PATH.
    """

    agent: str
    title: str
    program: str
    tried: str
    install: str
    provider: str
    command: Callable[["ClientAgent", AgentRequest], Command]
    account: Callable[[AgentRequest], Account]
    bundled: Callable[[], Path | None] = _nowhere
    hooked: bool = True  # it asks the stop gate itself; else that is asked when it has ended
    tells: bool = False  # it says by itself whether it has `verify`; else that is seen by what it offers its model

    @property
    def advice(self) -> str:
        """What to look at when it does not even start as it should."""
        return f"greylag was tried with {self.title} {self.tried}; `{self.program} --version` tells which one this is"


@dataclass(frozen=True, slots=True)
class ClientAgent:
    """The agent that is this client. The key is read from the variable `key_env` or the file `key_file`, nowhere else.

    `model` None leaves the choice to the client, `base_url` None is the provider's own, `binary` None the usual name on
    PATH. `max_blocks`: how often the stop gate sends it back in one session.
    Raises `UserError` when the client or the key is missing.
    """

    client: Client
    model: str | None = None
    base_url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    binary: str | None = None
    max_blocks: int = 3

    def __post_init__(self) -> None:
        self.program()
        self.upstream()

    @property
    def name(self) -> str:
        """Name of the agent in settings and records."""
        return self.client.agent

    @property
    def corrects(self) -> bool:
        """True: it does better when it is told what failed."""
        return True

    @property
    def reflects(self) -> bool:
        """True: its conversation can go on."""
        return True

    @property
    def turns(self) -> int:
        """As usual: it keeps its own context in order."""
        return Limits().turns

    @property
    def bare_model(self) -> str | None:
        """The model as the client knows it: without its provider."""
        return self.model.removeprefix(f"{self.client.provider}:") if self.model else None

    def program(self) -> Path:
        """The client's program, on PATH or where it is bundled."""
        name = self.binary or self.client.program
        found = shutil.which(name) or (None if self.binary else self.client.bundled())
        if found is None:
            client = self.client
            raise UserError(f"agent {client.agent}: `{name}` is not installed; {client.install}, or set its `binary`")
        return Path(os.path.realpath(found))

    def upstream(self) -> Upstream:
        """The LLM service with its key, read anew."""
        model = f"{self.client.provider}:{self.bare_model or self.client.program}"
        llm = LLM(model, self.base_url, self.key_env, self.key_file)
        return Upstream(llm.url, llm.key(), llm.key_place)

    def run(self, request: AgentRequest) -> Session:
        """One session in the sandbox of `request`; its conversation goes on when `request.resume` is given.

        Raises `UserError` for a refused key, `InfraError` for an LLM that does not answer, `AgentError` for a client
        that does not start or crashes, and whatever verification raised.
        """
        gate = Gate(request.verify, request.observe, self.max_blocks, request.log)
        account, command = self.client.account(request), self.client.command(self, request)

        def line(text: str) -> None:
            if account.line(text):
                _tell_usage(request, proxy.meter.usage)

        note(request, "prompt", text=request.prompt, model=self.bare_model or "", resumed=request.resume is not None)
        place = request.transcript.parent / "sockets"
        deadline = time.monotonic() + request.limits.seconds

        def crippled() -> bool:
            return not self.client.tells and _crippled(gate, proxy)

        with ExitStack() as stack:
            proxy, llm = stack.enter_context(serve(self.upstream(), request.limits, place, request.channel))
            paths = stack.enter_context(sockets(gate, place))
            watch = stack.enter_context(_watched(crippled, proxy, account, request, deadline))
            while True:
                completed = request.sandbox.run(
                    replace(
                        command,
                        seconds=max(1.0, deadline - time.monotonic()),
                        sockets={**paths, "llm": llm},
                        forwards=("llm",),
                        files={**command.files, "relay.py": source("_relay.py")},
                        on_line=line,
                        merge=False,
                    )
                )
                ended = completed.ended is Ended.EXITED and account.stop is StopReason.COMPLETED
                reason = self._reason(gate, account) if ended and not self.client.hooked else ""
                if not reason:
                    break
                last = _session(self, account, request, gate, stop=StopReason.COMPLETED, meter=proxy.meter)
                command = self.client.command(self, replace(request, prompt=reason, resume=last))
        gate.settle()
        if watch.is_set() and (problem := proxy.problem()):
            raise problem
        stop = _stop(self.client, completed, account, proxy)
        note(request, "end", stop=stop.value, text=account.last_words)
        _tell_usage(request, proxy.meter.usage)
        return _session(self, account, request, gate, stop=stop, meter=proxy.meter)

    def _reason(self, gate: Gate, account: Account) -> str:
        """What the stop gate has against the end of a client that does not ask it."""
        return gate.stop({"last_assistant_message": account.last_words}).get("reason", "")


@contextmanager
def _watched(
    crippled: Callable[[], bool], proxy: Proxy, account: Account, request: AgentRequest, deadline: float
) -> Iterator[threading.Event]:
    """End a client that waits in vain: it gets no answer again and again, or is told to come back much later.

    That is what the event says. And end one that has no `verify`, where it does not tell so by itself.
    """
    over, hopeless = threading.Event(), threading.Event()

    def watch() -> None:
        answered = 0
        while not over.wait(_GLANCE):
            answered = answered if proxy.last else proxy.requests
            if proxy.requests - answered > _PATIENCE:
                hopeless.set()
            if proxy.last and proxy.last.wait > min(LONGEST_WAIT, deadline - time.monotonic()):
                hopeless.set()
            account.crippled = account.crippled or crippled()
            if hopeless.is_set() or account.crippled:
                request.sandbox.kill()
                return

    watcher = threading.Thread(target=watch, name="greylag watch", daemon=True)
    watcher.start()
    try:
        yield hopeless
    finally:
        over.set()
        watcher.join()


def _crippled(gate: Gate, proxy: Proxy) -> bool:
    """Whether a client asks its model and has not asked for our tools, or does not offer them, now or on demand."""
    names = proxy.offered
    told = any(name.endswith(TOOL) or _FINDS.fullmatch(name) for name in names)
    return bool(proxy.requests and not gate.announced) or bool(names and not told)


def _session(
    agent: ClientAgent, account: Account, request: AgentRequest, gate: Gate, *, stop: StopReason, meter: Meter
) -> Session:
    text = "" if meter.silent else account.last_words  # else it would be the client's word for an empty answer
    return Session(
        id=session_id(request),
        agent=agent.name,
        model=account.model or one_line(meter.model, 80) or agent.bare_model or "",
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
        if isinstance(problem := proxy.problem(), InfraError):
            raise problem  # it waited for an answer all the time that was left
        return StopReason.TIMEOUT
    if proxy.meter.stop is not None:
        return proxy.meter.stop
    if completed.ended is Ended.KILLED:
        return StopReason.KILLED
    if completed.ended is not Ended.EXITED:
        raise AgentError(f"{client.title} was ended by the sandbox: {completed.ended.value}")
    if account.stop in {None, StopReason.LLM_ERROR, StopReason.COMPLETED} and (problem := proxy.problem()):
        raise problem
    if completed.returncode == REFUSED and not account.started:
        raise UserError(_said(completed))
    if completed.returncode in {126, 127} and not account.started:
        raise UserError(
            f"{client.title} cannot be started in the sandbox: put the directory of `{client.program}` on PATH, "
            "so that it is mounted"
        )
    if account.stop is None or not account.started:
        advice = "" if account.started else f". {client.advice}"
        code = completed.returncode
        killed = f"was killed by signal {code - _SIGNALS}" if _SIGNALS < code < _SIGNALS + 65 else ""
        how = killed or f"ended with exit code {code} and without a result"
        raise AgentError(f"{client.title} {how}: {_said(completed)}{advice}")
    return account.stop


def _said(completed: Completed) -> str:
    """What a program printed at its end, for people: no events for machines."""
    lines = (completed.errors[-_LAST:] or completed.output[-_LAST:]).decode("utf-8", "replace").splitlines()
    return one_line(" ".join(line for line in lines if line[:1] != "{"), 300) or "no word"


def _tell_usage(request: AgentRequest, usage: Usage) -> None:
    money = "" if usage.usd is None else f", ${usage.usd:.4f}"
    text = f"{usage.turns} turns, {usage.input_tokens} tokens in, {usage.output_tokens} out{money}"
    tell(
        request, "usage", text, turns=usage.turns, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
        usd=usage.usd,
    )  # fmt: skip
