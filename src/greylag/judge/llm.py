"""The judge: one stateless, typed question to a language model. It answers with quotes; code checks and decides."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, get_args

from greylag import llm
from greylag.diffs import DiffError
from greylag.errors import AgentError, InfraError, UserError
from greylag.judge._answer import Answer, Ruling, rule
from greylag.judge._input import Shown, compose, show
from greylag.judge._quotes import Quotable
from greylag.metering import Meter
from greylag.model import Outcome, Phase, Severity, Usage, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.questions import Kept, keep
from greylag.text import one_line

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model

Mode = Literal["off", "shadow", "advise", "veto"]

_SPENT = "the budget of the run is used up"
_TWO_MINDS = "it gave several answers at once that are not the same"
_CORRECTIONS = 2  # times that the model may mend an answer that does not fit the schema


@dataclass(frozen=True)
class Judge:
    """A verifier in the last phase. `tokens` bounds the diff that is shown, `seconds` one judgement.

    `rubric`: a file of the user's own in place of ours.
    """

    model: llm.LLM
    mode: Mode = "veto"
    tokens: int = 60_000
    seconds: float = 600.0
    rubric: str | None = None
    name: str = "judge"

    @cached_property
    def _recording(self) -> "Model":
        """One object for all questions of a run: the position is kept in it."""
        return llm.build(self.model, "judge")

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Every change, unless the judge is off."""
        return () if self.mode == "off" else (Activation(self.name, self.name, Phase.JUDGE, ".", "every change"),)

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Pass, veto or abstain, as the mode says.

        Raises `UserError` for a refused key or an unknown model and `InfraError` when the model does not answer: no
        mode turns that into a pass.
        """
        began = monotonic()
        ruling, answer, shown, usage = self._judge(context)
        details = _details(self, ruling, answer, shown, usage)
        if context.logs.is_dir():
            keep(context.logs, Kept(context.change, tuple(context.earlier), context.baseline, details))
        verdict = Verdict(
            self.name, Phase.JUDGE, Outcome.PASSED, root=activation.root, reason=activation.reason,
            seconds=monotonic() - began, details=details,
        )  # fmt: skip
        return replace(verdict, **_by_mode(self.mode, ruling))

    def _judge(self, context: Context) -> tuple[Ruling, Answer | None, Shown | None, Usage]:
        try:
            shown = show(context.change)
        except DiffError as error:
            return Ruling("abstain", f"the diff {error}"), None, None, Usage()
        if shown.tokens > self.tokens:
            reason = f"the diff has about {shown.tokens} tokens; at most {self.tokens} are shown"
            return Ruling("abstain", reason), None, shown, Usage()
        question = compose(context.change, shown, context.earlier, context.baseline)
        if (limits := context.channel.left) is None:
            return Ruling("abstain", _SPENT), None, shown, Usage()
        answer, usage, problem = self._ask(question, Meter(limits, context.channel))
        if answer is None:
            return Ruling("abstain", problem), None, shown, usage
        ruling = rule(answer, Quotable.of(shown.files), prompt=context.change.prompt, unseen=shown.unseen)
        return ruling, answer, shown, usage

    def _ask(self, question: str, meter: Meter) -> tuple[Answer | None, Usage, str]:
        """The answer, or why there is none that fits; and what it took."""
        from pydantic_ai import Agent, exceptions  # noqa: PLC0415 - seconds
        from pydantic_ai.usage import RunUsage  # noqa: PLC0415

        spent = RunUsage()
        model = self._recording if self.model.replayed else llm.build(self.model, "judge", meter)
        agent = Agent(model, output_type=Answer, instructions=read_rubric(self.rubric)[1], retries=_CORRECTIONS)
        try:
            with llm.blame(self.model):
                try:
                    done = llm.run(asyncio.wait_for(agent.run(question, usage=spent), self.seconds))
                except exceptions.UnexpectedModelBehavior:
                    unfit = "its answer does not fit the form that was asked for"
                    return None, llm.usage(self.model, meter, spent), unfit
        except TimeoutError:
            raise InfraError(f"the judge's model did not answer within {self.seconds:.0f} seconds") from None
        except UserError:
            if meter.stop is None:
                raise
            return None, meter.usage, _SPENT
        except AgentError as error:
            if self.model.replayed or meter.channel.playing:
                raise  # a recording that does not fit what really happened
            raise InfraError(f"the judge was not answered: {error}") from None
        used = llm.usage(self.model, meter, spent)
        return (done.output, used, "") if _of_one_mind(done.all_messages()) else (None, used, _TWO_MINDS)


def plugin(
    model: str, *, base_url: str | None = None, key_env: str | None = None, key_file: str | None = None,
    mode: str = "veto", tokens: int = 60_000, seconds: float = 600.0, rubric: str | None = None,
) -> Judge:  # fmt: skip
    """The judge, from its settings; the first four are those of `greylag.llm.LLM`. Raises `UserError`."""
    if mode not in get_args(Mode):
        raise UserError(f"judge mode `{one_line(mode, 60)}` is none of {', '.join(get_args(Mode))}")
    asked = llm.LLM(model, base_url, key_env, key_file, "judge")
    if mode != "off":
        asked.check()
        read_rubric(rubric)
    return Judge(asked, mode, tokens, seconds, rubric)  # type: ignore[arg-type]  # checked


@cache
def read_rubric(file: str | None = None) -> tuple[str, str]:
    """Version and text of the rubric in a file, or of the one that comes with greylag. Raises `UserError`."""
    try:
        place = Path(file).expanduser() if file else files("greylag.judge").joinpath("rubric.md")
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"rubric {file} cannot be read: {error}") from error
    version, _, rest = text.partition("\n\n")
    if not (named := re.fullmatch(r"Version: (\S{1,40})", version.strip())) or not rest.strip():
        raise UserError(f"rubric {file} does not begin with a line `Version: NAME` and an empty one; write it there")
    return named[1], rest


def _of_one_mind(messages: Sequence["ModelMessage"]) -> bool:
    """Whether the last answer fills in the form once, or always in the same way but for what is said beside."""
    last = next(message for message in reversed(messages) if message.kind == "response")
    called = [_read(part.args) for part in last.parts if part.part_kind == "tool-call"]  # None: it does not fit
    said = [_read(part.content) for part in last.parts if part.part_kind == "text"]  # None: mere words
    return len({*called, *filter(None, said)}) <= 1


def _read(form: object) -> Answer | None:
    """A form that is filled in, without what is said beside; None: it is none."""
    try:
        answer = Answer.model_validate_json(form) if isinstance(form, str) else Answer.model_validate(form)
    except ValueError:
        return None
    return answer.model_copy(update={"reasoning": "", "comment": ""})


def _by_mode(mode: Mode, ruling: Ruling) -> dict[str, Any]:
    """Outcome, summary and diagnostics of a verdict. Only the mode `veto` keeps a change from passing."""
    if mode == "veto":
        outcome = Outcome.PASSED if ruling.decision == "pass" else Outcome.FAILED
        summary = ruling.reason if ruling.decision == "pass" else f"{ruling.decision}: {ruling.reason}"
        return {"outcome": outcome, "summary": summary, "diagnostics": ruling.diagnostics}
    would = {"pass": "would have passed", "veto": "would have vetoed", "abstain": "would have abstained"}
    summary = f"{mode}: {would[ruling.decision]} ({ruling.reason})"
    advice = [replace(found, severity=Severity.WARNING) for found in ruling.diagnostics] if mode == "advise" else []
    return {"summary": summary, "diagnostics": tuple(advice)}


def _details(judge: Judge, ruling: Ruling, answer: Answer | None, shown: Shown | None, usage: Usage) -> dict[str, Any]:
    """JSON for the pull request and the record. All text in it was cleaned; `quotes` are in the diff."""
    return {
        "mode": judge.mode,
        "decision": ruling.decision,
        "reason": ruling.reason,
        "model": judge.model.model,
        "rubric": read_rubric(judge.rubric)[0],
        "requirements": [
            {"text": one_line(r.text), "status": r.status, "quotes": [one_line(quote) for quote in r.quotes]}
            for r in ruling.requirements
        ],
        "findings": [
            {"category": f.category, "text": one_line(f.text), "asked": one_line(f.asked),
             "path": one_line(f.place.path) if f.place else "", "line": f.place.line if f.place else None,
             "quote": one_line(f.place.text) if f.place else "", "why": one_line(f.why)}
            for f in ruling.findings
        ],
        "dropped_quotes": ruling.dropped,
        "comment": one_line(answer.comment, 600) if answer else "",
        "reasoning": one_line(answer.reasoning, 2000) if answer else "",
        "elided": [{"path": one_line(path), "why": why} for path, why in (shown.elided if shown else ())],
        "repeats": shown.repeats if shown else 0,
        "usage": {
            "requests": usage.turns, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens, "usd": usage.usd, "source": usage.cost_source,
        },
    }  # fmt: skip


PLUGIN = plugin
