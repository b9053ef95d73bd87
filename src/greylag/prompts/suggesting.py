"""A model words a prompt anew, when somebody asks for that. What it says is shown, never used."""

from collections.abc import Sequence
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from greylag import llm
from greylag.config import Prompt
from greylag.errors import AgentError
from greylag.prompts import Advice
from greylag.text import clean, fence, nonce

_CORRECTIONS = 2  # times that the model may mend an answer that does not fit the schema


class Suggestion(BaseModel):
    """What the model fills in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: tuple[str, ...] = Field(default=(), max_length=5)
    prompt: str = Field(min_length=1)

    def text(self) -> str:
        """Both, for a terminal."""
        asked = "\n".join(f"- {clean(question)}" for question in self.questions)
        return f"{asked and f'Only you know:{chr(10)}{asked}{chr(10)}{chr(10)}'}{clean(self.prompt).strip()}"


def suggest(prompt: Prompt, found: Sequence[Advice], model: llm.LLM) -> Suggestion:
    """Ask once. Raises `UserError` for a key, `InfraError` when nobody answers, `AgentError` for nonsense."""
    from pydantic_ai import Agent, exceptions  # noqa: PLC0415 - seconds

    model.check()
    mark = nonce()
    missing = "\n".join(f"{advice.rule}: {advice.message}" for advice in found) or "nothing"
    question = f"{fence(prompt.text, mark, 'prompt')}\n\n{fence(missing, mark, 'missing')}"
    instructions = files("greylag.prompts").joinpath("suggest.md").read_text("utf-8").partition("\n\n")[2]
    agent = Agent(llm.build(model), output_type=Suggestion, instructions=instructions, retries=_CORRECTIONS)
    with llm.blame(model):
        try:
            return llm.run(agent.run(question)).output
        except exceptions.UnexpectedModelBehavior:
            raise AgentError("the model's answer does not fit the form that was asked for; try another one") from None
