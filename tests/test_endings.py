"""Declining is said in one way by all agents, and not by accident."""

import pytest

from greylag.endings import HOW_TO_DECLINE, declined


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DECLINED: there is no such module", "there is no such module"),
        ("I looked.\n\n**DECLINED:** the API is gone,\nfor good.\n", "the API is gone,\nfor good."),
        ("DECLINED: first\n\nmore of the reason", "first\n\nmore of the reason"),
        ("DECLINED:", "no reason given"),
        ("Done. The server says DECLINED: card", None),
        ("Log:\n\nDECLINED: card 12\n\nI handle that now.", None),
        ("I declined: to reformat.", None),
        ("", None),
    ],
)  # fmt: skip
def test_only_the_last_paragraph_or_the_whole_text_declines(text: str, reason: str | None) -> None:
    assert declined(text) == reason


def test_the_convention_that_agents_are_told_is_the_one_that_is_read() -> None:
    assert "`DECLINED:`" in HOW_TO_DECLINE
