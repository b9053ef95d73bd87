"""What is left of a conversation that is too long for its model."""

from typing import Any

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from greylag.agents._window import Window, _size, shorten
from greylag.errors import UserError

START = ModelRequest([UserPromptPart("Repair add.")])


def step(number: int, result: str, *, tokens: int = 0, **arguments: Any) -> list[ModelMessage]:
    """A call of a tool and what came of it."""
    call = ToolCallPart("tool", {"path": f"{number}.py", **arguments}, f"id{number}")
    answer = ModelResponse([call], usage=RequestUsage(input_tokens=tokens))
    return [answer, ModelRequest([ToolReturnPart("tool", result, f"id{number}")])]


def talk(*steps: list[ModelMessage]) -> list[ModelMessage]:
    return [START, *(message for one in steps for message in one)]


def ids(messages: list[ModelMessage], kind: Any) -> list[str]:
    return [part.tool_call_id for message in messages for part in message.parts if isinstance(part, kind)]


LONG: dict[str, list[ModelMessage]] = {
    "large results": talk(*(step(n, "x" * 5_000) for n in range(40))),
    "small results": talk(*(step(n, "x" * 200) for n in range(900))),
    "large arguments": talk(*(step(n, "written", content="x" * 9_000) for n in range(20))),
    "one result": talk(step(1, "x" * 500_000)),
    "one argument": talk(step(1, "written", content="x" * 500_000)),
    "many results at once": [
        START,
        ModelResponse([ToolCallPart("tool", {}, f"id{n}") for n in range(30)]),
        ModelRequest([ToolReturnPart("tool", "ü" * 10_000, f"id{n}") for n in range(30)]),
    ],
    "words": [START, ModelResponse([TextPart("x" * 100_000)]), ModelRequest([UserPromptPart("y" * 100_000)])],
}


@pytest.mark.parametrize("kind", LONG)
def test_a_conversation_never_outgrows_its_window(kind: str) -> None:
    shorter = shorten(LONG[kind], 60_000)
    assert _size(shorter) <= 60_000
    assert "Repair add." in str(shorter[0])
    assert ids(shorter, ToolCallPart) == ids(shorter, ToolReturnPart), "no result without its call"
    assert shorter[-1].kind == "request"
    assert shorten(shorter, 60_000) is shorter, "what fits stays as it is, and in the provider's cache"


def test_what_is_oldest_goes_first_and_only_as_much_as_must() -> None:
    shorter = shorten(LONG["large results"], 60_000)
    told = [str(part.content) for message in shorter for part in message.parts if isinstance(part, ToolReturnPart)]
    assert len(told) == 40
    assert told[0].startswith("[dropped to save room")
    assert told[-1] == "x" * 5_000
    assert 20_000 < _size(shorter) <= 40_000


def test_what_was_done_stays_where_large_results_of_a_few_turns_can_go() -> None:
    reads: list[list[ModelMessage]] = [
        [
            ModelResponse([ToolCallPart("read", {"n": n}, f"{turn}-{n}") for n in range(5)]),
            ModelRequest([ToolReturnPart("read", "x" * 5_000, f"{turn}-{n}") for n in range(5)]),
        ]
        for turn in range(3)
    ]
    shorter = shorten(talk(step(1, "edited", old="a", new="b"), *reads), 60_000)
    assert "id1" in ids(shorter, ToolCallPart), "the edit"
    assert len(shorter) == 9
    assert str(shorter[-1]).count("x" * 5_000) == 5


def test_what_was_asked_last_is_not_left_out_with_the_steps_before_it() -> None:
    steps = [step(n, "x" * 200) for n in range(900)]
    steps[450] = [ModelResponse([TextPart("Done.")]), ModelRequest([UserPromptPart("The judge says no.")])]
    shorter = shorten(talk(*steps), 30_000)
    assert "The judge says no." in str(shorter[0])
    assert "Earlier steps are left out" in str(shorter[0])
    again = shorten([*shorter, *(message for n in range(900, 1400) for message in step(n, "x" * 200))], 30_000)
    assert str(again[0]).count("Earlier steps") == 1


def test_what_is_written_in_dense_letters_is_learned_from_what_the_service_counts() -> None:
    window = Window(20_000)
    begun = talk(step(1, "x" * 30_000))
    assert window.fit(begun) is begun
    assert _size(window.fit([*begun, *step(2, "x" * 1_000, tokens=21_000)])) < 28_000, "half a token for each byte"
    assert _size(window.fit([*begun, *step(2, "x" * 1_000, tokens=10**9)])) > 1_000, "no server can make it all go"


def test_a_prompt_that_does_not_fit_is_the_persons_to_shorten() -> None:
    with pytest.raises(UserError, match="raise `window`"):
        shorten([ModelRequest([UserPromptPart("x" * 100_000)])], 60_000)
