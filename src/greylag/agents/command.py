"""Any program that edits the tree: codemods, sed, OpenRewrite, other agents. It runs in the sandbox, in the workspace.

The prompt is on its standard input and in the file that `GREYLAG_PROMPT` names. Exit code 0 is "done"; anything else
ends the run with the program's last lines.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from greylag.agents import _inside
from greylag.agents._record import note, session_id, tell
from greylag.errors import UserError
from greylag.model import Limits, Session, StopReason, Usage
from greylag.protocols import AgentRequest, Command, Ended
from greylag.text import cap, clean, one_line

_SHOWN = 4000  # characters of the program's output in the session
_BEGINNING = 100  # characters of a program in a message


@dataclass(frozen=True, slots=True)
class CommandAgent:
    """An agent that is one program, started once a session."""

    argv: tuple[str, ...]
    program: str  # as a person wrote it, or would write it for a shell
    prompt_on_stdin: bool = True
    corrects: bool = False
    reflects: bool = False
    turns: int = Limits().turns  # which nobody counts
    name: str = "command"

    @property
    def shown(self) -> str:
        """The beginning of the program, on one line: the record has all of it."""
        return one_line(self.program, _BEGINNING)

    def run(self, request: AgentRequest) -> Session:
        """Start the program once. Raises `AgentError` when it fails."""
        tell(request, "agent.tool", self.shown, tool="command")
        command = Command(
            self.argv,
            env={"GREYLAG_PROMPT": "@files@/prompt.md"},
            stdin=request.prompt.encode() if self.prompt_on_stdin else b"",
            files={"prompt.md": request.prompt},
            seconds=request.limits.seconds,
            verbatim=True,
        )
        try:
            done = _inside.run(request.sandbox, command)
        except _inside.Killed:
            return self._session(request, StopReason.KILLED, b"")
        note(
            request, "command", command=self.program, exit=done.returncode, ended=done.ended, output=clean(done.output)
        )
        if done.ended is Ended.TIMED_OUT:
            return self._session(request, StopReason.TIMEOUT, done.output)
        if done.returncode or done.ended is not Ended.EXITED:
            raise _inside.failed(done, f"the program `{self.shown}`")
        return self._session(request, StopReason.COMPLETED, done.output or f"`{self.shown}` printed nothing".encode())

    def _session(self, request: AgentRequest, stop: StopReason, output: bytes) -> Session:
        text = cap(clean(output[-_SHOWN:]).strip(), _SHOWN)
        session = Session(session_id(request), self.name, "", stop, Usage(), text, str(request.transcript))
        return replace(session, command=self.program)


def agent(run: str | Sequence[str], prompt_on_stdin: bool = True, corrects: bool = False) -> CommandAgent:
    """`run` is a list of words, or a text for `sh -c`. With `corrects` it is told of failures and started again.

    Without it, which suits a deterministic codemod, the first failure at the gate ends the run.
    """
    if not run or not (isinstance(run, str) or all(isinstance(word, str) for word in run)):
        raise UserError("agents `command`: `run` is a list of words, or a text for the shell")
    words = ("sh", "-c", run) if isinstance(run, str) else tuple(run)
    return CommandAgent(words, run if isinstance(run, str) else shlex.join(run), prompt_on_stdin, corrects)


PLUGIN = agent
