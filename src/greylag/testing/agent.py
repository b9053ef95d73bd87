"""What every agent must do, as functions that take a bench and assert. For plugins that drive a real client.

    bench = Bench(lambda url: MyAgent(base_url=url), Bubblewrap(), tmp_path, edit=..., verify=...)
    agent.edits_a_file_and_calls_verify(bench)

The client is real, the sandbox is real; only the model is played, by `greylag.testing.model_server`. `CONTRACT` is for
every agent that asks a model; `greylag.testing.agent_faults` has what it must bear of that model's service, and what
holds for a client that runs whole inside the sandbox.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from greylag.errors import GreylagError, InfraError
from greylag.model import Diagnostic, Event, Limits, Outcome, Phase, Session, StopReason, Verdict
from greylag.protocols import Agent, AgentRequest, Bounds, Layers, Sandbox, SandboxBackend, SandboxSpec
from greylag.report import Report
from greylag.testing import model_server
from greylag.testing.model_server import Model
from greylag.testing.takeovers import CANARY

Step = Mapping[str, Any]
GREEN = Report("a" * 40, "b" * 40, (Verdict("tests", Phase.TEST, Outcome.PASSED),))
RED = Report(
    "a" * 40, "b" * 40, (Verdict("tests", Phase.TEST, Outcome.FAILED, diagnostics=(Diagnostic("six times nine"),)),)
)  # fmt: skip
REASON = "six times nine"
TOKENS = {"input_tokens": 1000, "output_tokens": 50}


@dataclass(frozen=True, slots=True)
class Bench:
    """One agent to try, and where.

    `make` builds it for a model at a URL. `edit(path, old, new)` and `verify` are calls of tools as this client's model
    makes them: objects with `name` and `input`. `hostile` are files by which a repository could try to take this client
    over; their commands create the file `CANARY`, and their words contain the canary. `program` tells the client's
    process: a part of the first two words of its command line. `crippled` builds the agent without a way to `verify`.
    """

    make: Callable[[str], Agent]
    backend: SandboxBackend
    directory: Path
    edit: Callable[[str, str, str], Sequence[Step]]
    verify: Step
    hostile: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = Bounds(memory=4 << 30)
    program: str = ""
    crippled: Callable[[str], Agent] | None = None


@dataclass(slots=True)
class Trial:
    """An agent in a sandbox with a workspace, and a model that plays a script."""

    agent: Agent
    model: Model
    sandbox: Sandbox
    workspace: Path
    transcript: Path
    verify: Callable[[], Report]
    events: list[Event]

    def run(self, prompt: str = "Do it.", *, limits: Limits = Limits(), resume: Session | None = None) -> Session:
        """One session."""
        return self.agent.run(
            AgentRequest(prompt, self.sandbox, self.verify, limits, self.transcript, self.events.append, resume)
        )

    def kinds(self, kind: str) -> list[str]:
        """Texts of the events of one kind."""
        return [event.text for event in self.events if event.kind == kind]


@contextmanager
def trial(
    bench: Bench, steps: Sequence[Step], *, reports: Sequence[Report] = (), files: Mapping[str, str] | None = None
) -> Iterator[Trial]:
    """A trial with a script of the model and the reports that verification will give (then: a pass)."""
    left = list(reports)
    paths = [bench.directory / name for name in ("workspace", "home", "scratch")]
    for path in paths:
        path.mkdir(parents=True)
    workspace, home, scratch = paths
    for name, text in (files or {"answer.txt": "41\n"}).items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(text, "utf-8")
    if os.getuid() == 0:
        for path in (workspace, *workspace.rglob("*")):
            os.chown(path, bench.backend.owner, -1)
    spec = SandboxSpec("agent", Layers(upper=workspace), Layers(upper=home), scratch, bounds=bench.bounds)
    with model_server.serve(steps) as model, bench.backend.open(spec) as sandbox:
        transcript = bench.directory / "transcript.jsonl"
        yield Trial(
            bench.make(model.url), model, sandbox, workspace, transcript, lambda: left.pop(0) if left else GREEN, []
        )


def edits_a_file_and_calls_verify(bench: Bench) -> None:
    """The model edits by the client's tool and reads what `verify` answers."""
    steps: list[Step] = [
        {"text": "I edit.", "tools": [*bench.edit("answer.txt", "41", "42")]},
        {"tools": [bench.verify]},
        {"text": "All done."},
    ]
    with trial(bench, steps, reports=[RED]) as tried:
        session = tried.run("Correct the answer.")
        assert (tried.workspace / "answer.txt").read_text("utf-8") == "42\n"
        assert "Correct the answer." in tried.model.requests[0].text
        assert REASON in tried.model.questions[2].text
        assert (session.stop, session.text) == (StopReason.COMPLETED, "All done.")
        assert session.verifications == 1
        assert session.agent == tried.agent.name
        assert "I edit." in tried.kinds("agent.text")
        assert any("answer.txt" in text for text in tried.kinds("agent.tool"))
        assert "All done." in tried.transcript.read_text("utf-8")


def is_sent_back_by_the_stop_gate(bench: Bench) -> None:
    """It wants to end with a failure, reads the reason, and may end after the repair."""
    steps: list[Step] = [
        {"text": "Done?"},
        {"text": "Repaired.", "tools": [*bench.edit("answer.txt", "41", "42")]},
        {"text": "Done."},
    ]
    with trial(bench, steps, reports=[RED]) as tried:
        session = tried.run()
        assert REASON in tried.model.questions[1].text
        assert (session.blocks, session.stop, session.text) == (1, StopReason.COMPLETED, "Done.")
        assert tried.model.left == 0


def is_let_go_after_the_cap(bench: Bench, cap: int) -> None:
    """A failure that it cannot repair does not hold it for ever."""
    with trial(bench, [{"text": f"Attempt {n}."} for n in range(cap + 1)], reports=[RED] * (cap + 1)) as tried:
        session = tried.run()
        assert (session.blocks, session.stop) == (cap, StopReason.COMPLETED)


def goes_on_after_a_veto(bench: Bench) -> None:
    """A second run is the same conversation, and its usage is its own."""
    with trial(bench, [{"text": "First."}, {"text": "Second."}], reports=[GREEN, GREEN]) as tried:
        first = tried.run("The task.")
        second = tried.run("The judge says no.", resume=first)
        last = tried.model.questions[-1].text
        assert all(words in last for words in ("The task.", "First.", "The judge says no."))
        assert (first.text, second.text) == ("First.", "Second.")
        assert first.id == second.id
        assert first.usage.turns == second.usage.turns == 1
        assert first.usage.input_tokens == second.usage.input_tokens == TOKENS["input_tokens"]
        assert first.usage.output_tokens == second.usage.output_tokens == TOKENS["output_tokens"]


def keeps_to_its_limits(bench: Bench) -> None:
    """Turns and tokens end a session, and say so."""
    busy = {"tools": [bench.verify], "usage": TOKENS}
    for number, (limits, stop) in enumerate(
        [(Limits(turns=2), StopReason.TURNS), (Limits(tokens=2000), StopReason.BUDGET)]
    ):
        with trial(replace(bench, directory=bench.directory / str(number)), [busy] * 5) as tried:
            session = tried.run(limits=limits)
            assert session.stop is stop
            assert session.usage.turns == 2
            assert tried.model.left == 3


def keeps_to_its_budget(bench: Bench) -> None:
    """A budget in dollars is passed by one request at most. The model must be one whose price is known."""
    dear = {"tools": [bench.verify], "usage": {"input_tokens": 12_000, "output_tokens": 50}}
    with trial(bench, [dear] * 9) as tried:
        session = tried.run(limits=Limits(usd=0.10))
        usage, asked = session.usage, 9 - tried.model.left
        assert (session.stop, usage.turns) == (StopReason.BUDGET, asked)
        assert usage.usd is not None
        assert 0.10 <= usage.usd < 0.10 + usage.usd / asked


def ends_at_its_time_limit(bench: Bench, seconds: float = 3.0) -> None:
    """A model that never answers does not hold it."""
    with trial(bench, [{"hang": True}]) as tried:
        assert tried.run(limits=Limits(seconds=seconds)).stop is StopReason.TIMEOUT


def goes_on_after_its_turns(bench: Bench) -> None:
    """A session that its turns have ended is continued by the next, with turns of its own."""
    busy = {"tools": [bench.verify], "usage": TOKENS}
    with trial(bench, [busy, busy, {"text": "Done.", "usage": TOKENS}]) as tried:
        first = tried.run("The task.", limits=Limits(turns=2))
        second = tried.run("Go on.", limits=Limits(turns=2), resume=first)
        last = tried.model.questions[-1].text
        assert all(words in last for words in ("The task.", "Go on."))
        assert (first.stop, second.stop, second.text) == (StopReason.TURNS, StopReason.COMPLETED, "Done.")
        assert (second.usage.turns, second.usage.input_tokens) == (1, TOKENS["input_tokens"])


def declines_in_words(bench: Bench) -> None:
    """A task that it explains it cannot do is told apart, and is not sent back."""
    with trial(bench, [{"text": "I looked.\n\nDECLINED: there is no such service."}], reports=[RED]) as tried:
        session = tried.run()
        assert (session.stop, session.text) == (StopReason.DECLINED, "there is no such service.")
        assert session.blocks == 0


def raises_what_verification_raised(bench: Bench) -> None:
    """A failure of infrastructure is nothing that the model reads, and ends the run."""

    def broken() -> Report:
        raise InfraError(f"no space left on device {CANARY}")

    with trial(bench, [{"tools": [bench.verify]}, {"text": "Done."}]) as tried:
        tried.verify = broken
        assert CANARY in raised(InfraError, tried.run)
        assert CANARY not in "".join(request.text for request in tried.model.requests)


def is_deaf_to_the_repository(bench: Bench) -> None:
    """What a repository tells this client by files is not done, not read, and does not switch the gate off."""
    assert bench.hostile, "name the files by which a repository could take this client over"
    with trial(bench, [{"text": "Done?"}, {"text": "Done."}], reports=[RED], files=bench.hostile) as tried:
        session = tried.run("A prompt.")
        assert session.blocks == 1
        assert len(tried.model.questions) == 2
        assert CANARY not in "".join(request.text for request in tried.model.requests)
        assert not list(tried.workspace.rglob("CANARY"))


CONTRACT = (
    edits_a_file_and_calls_verify,
    is_sent_back_by_the_stop_gate,
    goes_on_after_a_veto,
    goes_on_after_its_turns,
    keeps_to_its_limits,
    keeps_to_its_budget,
    ends_at_its_time_limit,
    declines_in_words,
    raises_what_verification_raised,
    is_deaf_to_the_repository,
)


def raised(kind: type[GreylagError], session: Callable[[], Session]) -> str:
    """The one line of the error of this kind that ends the session."""
    try:
        ended = session()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}, but a session: {ended}")
