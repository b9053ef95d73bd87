"""Prompts: what the field has learned of those that succeed, looked for in the words of one, without a model.

Each rule points at one thing that prompts of failed changes lack. It reads English; a prompt in another language is
told so once, and nothing else. Advice is advice: nothing of it keeps a run from starting.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from greylag.config import Prompt
from greylag.prompts import _asked, _bounds
from greylag.prompts._text import Text, read

_VAGUE = re.compile(
    r"\b(?:improve|clean ?up|tidy|moderni[sz]e|polish|enhance|optimi[sz]e|best practices?|up to date"
    r"|(?:better|nicer|cleaner|easier|simpler|faster"
    r"|more (?:robust|reliable|readable|maintainable|flexible|efficient))(?! than)"
    r"|as (?:needed|appropriate|necessary)|where (?:appropriate|it makes sense)|and so on|etc\.?)(?!\w)",
    re.IGNORECASE,
)
_SNIPPET = re.compile(r"`[\w./-]{0,200}[^`\n\w./-][^`\n]{0,200}`")  # more than a name
_TOOLS = re.compile(
    r"\b(?:run|execute|invoke)\b[^.\n]{0,30}(?:`[^`\n]{1,60}(?:test|lint|check|build)[^`\n]{0,40}`"
    r"|\b(?:the )?(?:tests?|test suite|linters?|formatters?)\b)",
    re.IGNORECASE,
)
_NEEDS: Mapping[str, re.Pattern[str]] = {
    "tests": re.compile(
        r"\b(?:remove|delete|skip(?! tests)|disable|rewrite|replace|drop|migrate|convert|port)\b"
        r"[^.,;\n]{0,40}\btests?\b",
        re.IGNORECASE,
    ),
    "dependencies": re.compile(
        r"\b(?:add|install|introduce|switch to|depend on)\b[^.\n]{0,40}\b(?:dependenc\w+|package|library|crate|gem)\b",
        re.IGNORECASE,
    ),
    "ci": re.compile(
        r"\b(?:change|update|edit|add|remove|pin|migrate|replace)\b[^.\n]{0,50}"
        r"(?:\b(?:ci|workflows?|pipelines?|github actions|codeowners|dependabot|renovate)\b|\.github/)",
        re.IGNORECASE,
    ),
    "lint": re.compile(
        r"\b(?:change|update|edit|relax|disable|configure|enable|add|turn (?:on|off))\b[^.\n]{0,40}"
        r"\b(?:lint(?:er|ing)?(?: rules?)?|eslint|ruff|mypy|rubocop|checkstyle|pre-commit)\b",
        re.IGNORECASE,
    ),
}
_ENGLISH = re.compile(r"\b(?:the|and|of|to|is|in|a|it|use|all|with|for|by|that|must|not)\b", re.IGNORECASE)
_LONG = 1500  # words
_NAMES = 4  # marks of code around two names, as in `a` becomes `b`


@dataclass(frozen=True, slots=True)
class Advice:
    """What a prompt lacks, and what to write. `line` counts from 1 in its file, None where it is about all of it."""

    rule: str
    message: str
    line: int | None = None


def check(prompt: Prompt) -> tuple[Advice, ...]:
    """What is missing, by rule; nothing where nothing is."""
    text = read(prompt.text)
    plain = " ".join(sentence.text for sentence in text.sentences)
    words = plain.split()
    if len(words) > 20 and len(_ENGLISH.findall(plain)) < len(words) / 20:
        return (Advice("language", "it is not in English, which is all that is understood here"),)
    found = (advice for rule in _RULES for advice in rule(prompt, text))
    return tuple(replace(one, line=one.line and one.line + prompt.first - 1) for one in found)


def _goal(_: Prompt, text: Text) -> Iterator[Advice]:
    if not _bounds.ends(text):
        yield Advice(
            "goal", "nothing says how one sees that it is done; write `It is done when ...`, as a tool can see it"
        )


def _one_change(prompt: Prompt, text: Text) -> Iterator[Advice]:
    if found := _asked.several(prompt.title, text):
        line, why = found
        yield Advice("one-change", f"{why}; give each change a prompt of its own", line)


def _steps(prompt: Prompt, text: Text) -> Iterator[Advice]:
    if found := _asked.way(prompt.title, text):
        line, steps = found
        yield Advice(
            "steps", f"{steps} steps tell the way; say what holds at the end, and leave the way to the agent", line
        )


def _preconditions(prompt: Prompt, text: Text) -> Iterator[Advice]:
    if not (prompt.settings.preconditions or _bounds.exempts(text)):
        remedy = "write `If ..., leave it alone`, or `[[preconditions]]` in the front matter"
        yield Advice("preconditions", f"nothing says when it does not apply; {remedy}")


def _example(_: Prompt, text: Text) -> Iterator[Advice]:
    ticks = sum(sentence.text.count("`") for sentence in text.sentences)
    shown = text.code or ticks >= _NAMES or text.first(_bounds.EXAMPLE) or text.first(_SNIPPET)
    if not shown:
        yield Advice("example", "it has no example; show one place before and after")


def _scope(prompt: Prompt, text: Text) -> Iterator[Advice]:
    if not prompt.settings.paths and not _bounds.keeps(text):
        yield Advice(
            "scope", "nothing says what must stay as it is; write `Change nothing else`, or `paths` in the front matter"
        )


def _allow(prompt: Prompt, text: Text) -> Iterator[Advice]:
    for kind, pattern in _NEEDS.items():
        if kind not in prompt.settings.allow and (hit := text.first(pattern)):
            number, words = hit
            clause = re.split(r"[.;:]", words.string[: words.start()])[-1]
            if not re.search(r"\b(?:not|never|without|nothing)\b|n't\b", clause, re.IGNORECASE):
                remedy = f'write `allow = ["{kind}"]` in the front matter'
                yield Advice("allow", f"`{words[0]}` is blocked by guards; {remedy}", number)


def _vague(_: Prompt, text: Text) -> Iterator[Advice]:
    if hit := text.first(_VAGUE, quoted=False):
        yield Advice("vague", f"`{hit[1][0]}` cannot be checked; say what is different at the end", hit[0])


def _tools(_: Prompt, text: Text) -> Iterator[Advice]:
    if hit := text.first(_TOOLS):
        yield Advice("tools", f"`{hit[1][0]}` is not needed: verifiers are found and run without being asked", hit[0])


def _long(prompt: Prompt, _: Text) -> Iterator[Advice]:
    if (words := len(prompt.text.split())) > _LONG:
        yield Advice("long", f"it has {words} words; requirements get lost in more than {_LONG}")


_RULES: tuple[Callable[[Prompt, Text], Iterator[Advice]], ...] = (
    _goal, _one_change, _steps, _preconditions, _example, _scope, _allow, _vague, _tools, _long,
)  # fmt: skip
