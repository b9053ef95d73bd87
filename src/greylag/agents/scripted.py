"""An agent that does what it is told, step by step, without any model: for tests and demonstrations.

Each session takes the next step, and one after the last does nothing. A step is a table:

    files = {"a.py" = "new text"}     # written in the sandbox; `delete = ["b.py"]` removes
    verify = true                     # calls the tool `verify` after the files are written
    text = "Done."                    # what the agent says in the end
    decline = "why"                   # ends the session as declined
    stop = "turn limit"               # ends it for another reason: a value of `StopReason`
    fail = "why"                      # raises `AgentError`
    sleep = 30                        # seconds, in the sandbox, before anything else; to be killed or timed out
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from greylag.agents._inside import Killed, Refused, files_tool, run
from greylag.agents._record import note, session_id, tell
from greylag.errors import AgentError, UserError
from greylag.model import Limits, Session, StopReason, Usage
from greylag.protocols import AgentRequest, Command, Ended
from greylag.text import one_line


class Step(BaseModel):
    """What one session does. The keys are explained above."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str] = {}
    delete: tuple[str, ...] = ()
    verify: bool = False
    text: str = ""
    decline: str | None = None
    stop: StopReason = StopReason.COMPLETED
    fail: str | None = None
    sleep: float = 0.0


class Scripted:
    """Plays steps, one a session. `prompts` and `reports` are what it was told, for a test to look at."""

    name = "scripted"
    corrects = True
    reflects = False
    turns = Limits().turns

    def __init__(self, steps: Sequence[Mapping[str, Any]] = ()) -> None:
        try:
            self._steps = [Step.model_validate(step) for step in steps]
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise UserError(f"agents `scripted`: step {first['loc']}: {one_line(first['msg'])}") from None
        self.prompts: list[str] = []
        self.reports: list[str] = []

    def run(self, request: AgentRequest) -> Session:
        """The next step."""
        step = self._steps[len(self.prompts)] if len(self.prompts) < len(self._steps) else Step()
        self.prompts.append(request.prompt)
        try:
            stop = self._carry_out(step, request)
        except Killed:
            stop = StopReason.KILLED
        except Refused as refusal:
            raise AgentError(f"the script cannot be carried out: {one_line(str(refusal))}") from refusal
        note(request, "step", **step.model_dump(exclude_defaults=True, mode="json"))
        text = step.decline or step.text
        return Session(
            session_id(request), self.name, "", stop, Usage(turns=1), text, str(request.transcript),
            verifications=int(step.verify),
        )  # fmt: skip

    def _carry_out(self, step: Step, request: AgentRequest) -> StopReason:
        if step.sleep:
            command = Command(("sleep", str(step.sleep)), seconds=request.limits.seconds)
            if run(request.sandbox, command).ended is Ended.TIMED_OUT:
                return StopReason.TIMEOUT
        for path, content in step.files.items():
            tell(request, "agent.tool", f"write_file {path}", tool="write_file")
            files_tool(request.sandbox, "write", path=path, content=content)
        for path in step.delete:
            tell(request, "agent.tool", f"delete_file {path}", tool="delete_file")
            files_tool(request.sandbox, "delete", path=path)
        if step.verify:
            tell(request, "agent.tool", "verify", tool="verify")
            self.reports.append(request.verify().render())
        if step.fail is not None:
            raise AgentError(step.fail)
        return step.stop if step.decline is None else StopReason.DECLINED


PLUGIN = Scripted
