"""How an agent says, in plain text, that a task cannot or should not be done. One convention for all agents."""

import re

from greylag.text import clean

HOW_TO_DECLINE = (
    "If the task cannot be done here, or should not be, change nothing and end with a paragraph that starts with "
    "`DECLINED:` and gives the reason."
)

_DECLINED = re.compile(r"[\s#>*_`]*DECLINED[*_`]*:[*_`]*\s*(.*)", re.DOTALL)


def declined(text: str) -> str | None:
    """The reason, when the last paragraph of an agent's final text (or the whole text) declines the task; else None.

    Emphasis around the word is tolerated. The word elsewhere, as in a quoted log, does not count.
    """
    text = clean(text).strip()
    for candidate in (text, re.split(r"\n\s*\n", text)[-1]):
        if found := _DECLINED.match(candidate):
            return found.group(1).strip() or "no reason given"
    return None
