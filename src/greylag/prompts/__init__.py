"""Prompts: what the field has learned of those that succeed, looked for in the words of one, without a model.

Each rule points at one thing that prompts of failed changes lack. It reads English; a prompt in another language is
told so once, and nothing else. Advice is advice: nothing of it keeps a run from starting.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from greylag.config import Prompt

_GOAL = re.compile(
    r"\b(?:done|finished|completed?|succe(?:ss|eds)|fixed) (?:when|if|once|means)|\bacceptance|\bdefinition of done"
    r"|\b(?:must|should|shall|may|does|do|can|will)(?: no longer| not|n't)? (?:be|pass|occur|exist|contain|appear"
    r"|remain|return|raise|fail|build|compile|print|accept|reject|throw|have|use|work)\b|\bno longer\b"
    r"|\bno (?:more )?(?:use|call|import|occurrence|reference|warning|error)s?\b|\bevery (?:use|call|import)\b"
    r"|\b(?:tests?|build|suite|lint(?:er)?) (?:still )?(?:pass(?:es)?|succeeds?|compiles?)\b"
    r"|\bso that\b|\binstead of\b",
    re.IGNORECASE,
)
_WHEN_NOT = re.compile(
    r"(?:\b(?:if|where)|(?<!done )(?<!finished )(?<!complete )\bwhen) (?:the|a|an|there|it|this|no|any|your|its)\b"
    r"|\bunless\b|\bonly (?:if|when|where)\b|\bexcept\b"
    r"|\b(?:leave|skip|ignore) (?:it|them|the|this|that|any)\b|\bdo nothing\b|\bnothing to do\b|\balready\b"
    r"|\bprecondition|\bapplies (?:to|when|if)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\bfor (?:example|instance)\b|\be\.g\.|\bsuch as\b|\bbefore:|\bafter:|->|=>|\u2192", re.IGNORECASE
)
_BOUNDS = re.compile(
    r"\b(?:change|touch|edit|modify) (?:nothing|no other|only|no)\b|\b(?:do not|don't|never|must not|without) "
    r"(?:chang|touch|edit|modif|remov|renam|add|refactor|reformat|delet)\w*|\bonly (?:in|the|these|those|files)\b"
    r"|\b(?:stays?|remains?|keep|kept|preserv\w+)\b[^.\n]{0,60}\b(?:as (?:it|they)|same|intact)"
    r"|\bnothing else\b|\bout of scope\b|\bunchanged\b|\blimited to\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:also|additionally|in addition|furthermore|besides|while (?:you(?:'re| are) )?(?:at it|there|in there))\b"
    r"[,:]? (?:please )?(\w+)",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:improve|clean ?up|tidy|moderni[sz]e|polish|enhance|optimi[sz]e"
    r"|make (?:\w+ ){0,3}(?:better|nicer|cleaner|robust)|best practices?"
    r"|as (?:needed|appropriate|necessary)|where (?:appropriate|it makes sense)|and so on|etc\.?)\b",
    re.IGNORECASE,
)
_STEP = re.compile(r"\s{0,8}(?:\d{1,2}[.)]|step \d+\b|(?:first|second|third|then|next|finally)\b,?)\s", re.IGNORECASE)
_WAY = re.compile(  # steps in one sentence
    r"\bfirst,? \w[^\n]{0,200}?\b(?:then|next|after that),? \w[^\n]{0,200}?\b(?:then|next|after that|finally),? \w",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s{0,8}(?:[-*+]|\d{1,2}[.)])\s+(?:\[.\]\s+)?[*_`]{0,2}(\w+)")
_VERBS = frozenset(
    (
        *("add", "adjust", "apply", "bump", "change", "configure", "convert", "copy", "create", "delete"),
        *("document", "drop", "enable", "ensure", "extract", "fix", "format", "implement", "improve"),
        *("increase", "inline", "install", "introduce", "lower", "make", "merge", "migrate", "modify", "move"),
        *("open", "port", "raise", "reduce", "refactor", "regenerate", "remove", "rename", "reorganize"),
        *("replace", "rewrite", "run", "set", "simplify", "split", "stop", "switch", "turn", "update", "upgrade"),
        *("use", "write"),
    )
)  # fmt: skip
_TOOLS = re.compile(
    r"\b(?:run|execute|invoke)\b[^.\n]{0,30}(?:`[^`\n]{1,60}(?:test|lint|check|build)[^`\n]{0,40}`"
    r"|\b(?:the )?(?:tests?|test suite|linters?|formatters?)\b)",
    re.IGNORECASE,
)
_NEEDS: Mapping[str, re.Pattern[str]] = {
    "tests": re.compile(
        r"\b(?:remove|delete|skip|disable|rewrite|replace|drop|migrate|convert|port)\b[^.\n]{0,40}\btests?\b",
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
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_LONG = 1500  # words
_STEPS = 3  # items that tell an agent the way


@dataclass(frozen=True, slots=True)
class Advice:
    """What a prompt lacks, and what to write. `line` counts from 1 in its text, None where it is about all of it."""

    rule: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Text:
    """Lines of a prompt outside of code, with their numbers; `code` tells whether there is any."""

    lines: Sequence[tuple[int, str]]
    code: bool

    @property
    def all(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def first(self, pattern: re.Pattern[str]) -> tuple[int, re.Match[str]] | None:
        return next(((number, hit) for number, line in self.lines if (hit := pattern.search(line))), None)


def check(prompt: Prompt) -> tuple[Advice, ...]:
    """What is missing, by rule; nothing where nothing is."""
    text = _read(prompt.text)
    words = text.all.split()
    if len(words) > 20 and len(_ENGLISH.findall(text.all)) < len(words) / 20:
        return (Advice("language", "it is not in English, which is all that is understood here"),)
    return tuple(advice for rule in _RULES for advice in rule(prompt, text))


def _read(text: str) -> _Text:
    lines: list[tuple[int, str]] = []
    fence = ""
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not line.strip(" `~") else fence
        elif mark:
            fence, code = mark[1], True
        elif line.startswith(("    ", "\t")) and not _ITEM.match(line) and line.strip():
            code = True
        else:
            lines.append((number, line[:2000]))
    return _Text(lines, code)


def _goal(_: Prompt, text: _Text) -> Iterator[Advice]:
    if not text.first(_GOAL):
        yield Advice(
            "goal", "nothing says how one sees that it is done; write `It is done when ...`, as a tool can see it"
        )


def _one_change(prompt: Prompt, text: _Text) -> Iterator[Advice]:
    title = re.search(rf"^\W*(\w+)\b.*?(?:,| and| &) (?:then )?({'|'.join(_VERBS)})\b", prompt.title, re.IGNORECASE)
    if title and title[1].lower() in _VERBS:
        asked = f"its title asks for two changes (`{title[1]}`, `{title[2]}`)"
        yield Advice("one-change", f"{asked}; give each its own prompt", 1)
        return
    for number, line in text.lines:
        if (more := _MORE.search(line)) and more[1].lower() in _VERBS:
            yield Advice("one-change", f"`{more[0]}` begins another change; give it a prompt of its own", number)
            return


def _steps(_: Prompt, text: _Text) -> Iterator[Advice]:
    steps = [number for number, line in text.lines if _STEP.match(line) and _imperative(line)]
    remedy = "say what holds at the end, and leave the way to the agent"
    if len(steps) >= _STEPS:
        yield Advice("steps", f"{len(steps)} steps tell the way; {remedy}", steps[0])
    elif way := next((number for number, line in text.lines if _WAY.search(line)), None):
        yield Advice("steps", f"steps tell the way; {remedy}", way)


def _imperative(line: str) -> bool:
    words = re.findall(r"[a-z]+", _STEP.sub("", line, count=1).lower())
    return bool(words) and (words[0] in _VERBS or (len(words) > 1 and words[1] in _VERBS))


def _preconditions(prompt: Prompt, text: _Text) -> Iterator[Advice]:
    if not (prompt.settings.preconditions or text.first(_WHEN_NOT)):
        remedy = "write `If ..., leave it alone`, or `[[preconditions]]` in the front matter"
        yield Advice("preconditions", f"nothing says when it does not apply; {remedy}")


def _example(_: Prompt, text: _Text) -> Iterator[Advice]:
    if not text.code and not text.first(_EXAMPLE) and text.all.count("`") < 4:  # two names, as in `a` becomes `b`
        yield Advice("example", "it has no example; show one place before and after")


def _scope(prompt: Prompt, text: _Text) -> Iterator[Advice]:
    if not prompt.settings.paths and not text.first(_BOUNDS):
        yield Advice(
            "scope", "nothing says what must stay as it is; write `Change nothing else`, or `paths` in the front matter"
        )


def _allow(prompt: Prompt, text: _Text) -> Iterator[Advice]:
    for kind, pattern in _NEEDS.items():
        if kind not in prompt.settings.allow and (hit := text.first(pattern)):
            number, words = hit
            clause = re.split(r"[.;:]", words.string[: words.start()])[-1]
            if not re.search(r"\b(?:not|never|without|nothing)\b|n't\b", clause, re.IGNORECASE):
                remedy = f'write `allow = ["{kind}"]` in the front matter'
                yield Advice("allow", f"`{words[0]}` is blocked by guards; {remedy}", number)


def _vague(_: Prompt, text: _Text) -> Iterator[Advice]:
    if hit := text.first(_VAGUE):
        yield Advice("vague", f"`{hit[1][0]}` cannot be checked; say what is different at the end", hit[0])


def _tools(_: Prompt, text: _Text) -> Iterator[Advice]:
    if hit := text.first(_TOOLS):
        yield Advice("tools", f"`{hit[1][0]}` is not needed: verifiers are found and run without being asked", hit[0])


def _long(prompt: Prompt, _: _Text) -> Iterator[Advice]:
    if (words := len(prompt.text.split())) > _LONG:
        yield Advice("long", f"it has {words} words; requirements get lost in more than {_LONG}")


_RULES: tuple[Callable[[Prompt, _Text], Iterator[Advice]], ...] = (
    _goal, _one_change, _steps, _preconditions, _example, _scope, _allow, _vague, _tools, _long,
)  # fmt: skip
