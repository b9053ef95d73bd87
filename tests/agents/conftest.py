"""A workspace in a sandbox, and requests to agents."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from greylag.model import Counts, Event, Limits, Outcome, Phase, Session, Verdict
from greylag.protocols import AgentRequest, Command, Completed, Ended, Layers, Sandbox, SandboxSpec
from greylag.report import Report
from greylag.testing.repos import write


@dataclass
class Plain:
    """A sandbox that isolates nothing: the command in a directory. What it runs is what the tests look at."""

    workspace: Path
    files: Path
    name: str = "plain"
    platform: str = "linux/amd64"
    layered: bool = False
    killed: bool = False
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        if self.killed:
            return Completed(Ended.KILLED, 137, b"")
        for name, text in command.files.items():
            if not (self.files / name).exists() or (self.files / name).read_text() != text:  # others may be reading it
                (self.files / name).write_text(text)
        argv = [self._marked(word) for word in command.argv]
        self.ran.append(command.argv)
        env = {"PATH": os.environ["PATH"], **{key: self._marked(value) for key, value in command.env.items()}}
        argv[0] = sys.executable if argv[0] == "python3" else argv[0]
        try:
            done = subprocess.run(
                argv, cwd=self.workspace / command.cwd, env=env, input=command.stdin, timeout=command.seconds,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT if command.merge else subprocess.PIPE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Completed(Ended.TIMED_OUT, 137, late.stdout or b"")
        except FileNotFoundError as error:
            return Completed(Ended.EXITED, 127, str(error).encode())
        return Completed(Ended.EXITED, done.returncode, done.stdout, done.stderr or b"")

    def kill(self) -> None:
        self.killed = True

    def _marked(self, text: str) -> str:
        return text.replace("@files@", str(self.files)).replace("@workspace@", str(self.workspace))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    write(path, {"src/app.py": "def add(a, b):\n    return a - b\n", "README.md": "An example.\n"})
    return path


@pytest.fixture
def sandbox(tmp_path: Path, workspace: Path) -> Plain:
    (tmp_path / "files").mkdir()
    return Plain(workspace, tmp_path / "files")


@pytest.fixture
def real_sandbox(tmp_path: Path, workspace: Path) -> Iterator[Sandbox]:
    """The sandbox that people use; skipped loudly where it cannot be had."""
    from greylag.errors import UserError
    from greylag.sandboxes.bubblewrap import Bubblewrap

    backend = Bubblewrap()
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    for directory in (home, scratch):
        directory.mkdir()
    for path in (workspace, *workspace.rglob("*")):
        if os.getuid() == 0:
            os.chown(path, backend.owner, backend.owner, follow_symlinks=False)
    try:
        with backend.open(SandboxSpec("agent", Layers(upper=workspace), Layers(upper=home), scratch)) as box:
            box.run(Command(("true",)))  # a sandbox starts with its first command
            yield box
    except UserError as error:
        pytest.skip(f"UNPROVEN HERE: {error}")


GREEN = Report("t" * 40, "b" * 40, (Verdict("pytest", Phase.TEST, Outcome.PASSED, counts=Counts(12)),))
RED = Report("t" * 40, "b" * 40, (Verdict("pytest", Phase.TEST, Outcome.FAILED, summary="test_add failed"),))


@dataclass
class Ask:
    """Makes requests, and keeps what an agent told and verified."""

    sandbox: Sandbox
    transcript: Path
    reports: list[Report] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __call__(self, prompt: str = "Repair add.", **changes: Any) -> AgentRequest:
        verify: Callable[[], Report] = changes.pop("verify", self._verify)
        limits: Limits = changes.pop("limits", Limits(turns=20, seconds=60))
        resume: Session | None = changes.pop("resume", None)
        sandbox: Sandbox = changes.pop("sandbox", self.sandbox)
        return AgentRequest(prompt, sandbox, verify, limits, self.transcript, self.events.append, resume)

    def _verify(self) -> Report:
        return self.reports.pop(0) if self.reports else GREEN

    def said(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]


@pytest.fixture
def ask(sandbox: Plain, tmp_path: Path) -> Ask:
    return Ask(sandbox, tmp_path / "transcript.jsonl")
