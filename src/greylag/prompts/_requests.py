"""What a prompt asks for, clause by clause: an order that begins with a verb, and the words that it is about.

English without a grammar: a clause is an order where it begins with a verb of `words.toml` and is no statement. The
verbs say what kind of order: to change something, or to make a move on the way to that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from greylag.prompts._text import WORDS, Sentence, masked

_PAIRED = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")


def _doing(verb: str) -> str:
    stem = verb.removesuffix("e") if len(verb) > 2 else verb
    return f"{stem}{stem[-1] if _PAIRED.search(stem) and not verb.endswith('e') else ''}ing"


_KINDS = {form: kind for kind in ("move", "change") for verb in WORDS[kind] for form in (verb, _doing(verb))}
_LEAD = re.compile(
    r"[\s*_\"'(\[]*"
    r"(?P<order>(?:first(?:ly| of all)?|second(?:ly)?|third(?:ly)?|then|next|finally|lastly"
    r"|after (?:that|this)|afterwards|(?:start|begin) (?:by|with)|to begin with)\b,?\s*)?"
    r"(?:(?:and|also|please|now|just|simply|kindly|then|you (?:should|must|need to)|we (?:need|want|have) to"
    r"|(?:i|we) (?:want|would like) you to|can you|could you|let's)\b,?\s*){0,4}",
    re.IGNORECASE,
)
_VERB = re.compile(r"[A-Za-z]+")
_CUT = re.compile(
    r"(?:\.\s+(?=(?-i:[A-Z]))|[,;:](?=\s)|\s[-\u2013\u2014&]\s)\s*(?:(?:and|or)\s+)?|\s+and\s+|\s+(?=then\s)",
    re.IGNORECASE,
)
_TOLD = re.compile(r"[^\n]*(?::|\s[-\u2013\u2014])\s+|\s*(?:,|&)?\s*(?:and|or)?\s+", re.IGNORECASE)
_TYPE = re.compile(r"(?:\([^()]*\))?!?:")
_PURPOSE = re.compile(r"\W*(?:to|for|in order to|as a)\b", re.IGNORECASE)
_STATES = re.compile(
    r"\b(?:must|should|shall|may|can|could|will|would|is|are|was|were|has|have|had|does|do|did|becomes?|remains?|stays?"
    r"|needs?|takes?|holds?|fails?|comes?|goes)\b",
    re.IGNORECASE,
)
_SUB = re.compile(
    r"\b(?:that|which|who|so|if|when|where|until|unless|because|as|than|since|what|how|whatever|whose|while)\b",
    re.IGNORECASE,
)
_RULED_OUT = re.compile(r"\b(?:nothing|only|no|none|not|never|neither)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Order:
    """One clause that tells the agent to do something. `ordered`: it is said to be one of several in a row."""

    verb: str
    kind: str  # `change` or `move`
    about: str
    line: int
    ordered: bool


def orders(sentence: Sentence) -> list[Order]:
    """The orders of a sentence: none where it states something, or only holds under a condition."""
    found: list[tuple[str, int, int, bool]] = []  # verb, where its clause and what comes after it begin, ordered
    fresh = True  # an order may begin here: at the beginning, or after another one
    ordered = bool(sentence.mark)
    for begin, text in _clauses(sentence.text):
        lead = _LEAD.match(text)
        ordered = ordered or bool(lead and lead["order"])
        word = _VERB.match(text, lead.end() if lead else 0)
        if word and fresh and _begins(text, word):
            if found and _TOLD.fullmatch(sentence.text, found[-1][2], begin):
                found.pop()  # what follows says how, or shares what it is about
            found.append((word[0].lower(), begin, begin + word.end(), ordered))
        elif word and not found and not _PURPOSE.match(text):
            fresh = text.endswith((";", ":"))
        ordered = ordered and not word
    ends = [*(begin for _, begin, _, _ in found[1:]), len(sentence.text)]
    every = (
        Order(verb, _KINDS[verb], sentence.text[rest:end], sentence.at(begin), in_order)
        for (verb, begin, rest, in_order), end in zip(found, ends, strict=False)
    )
    return [order for order in every if not _RULED_OUT.search(order.about)]


def _begins(text: str, word: re.Match[str]) -> bool:
    """Whether a clause is an order: it has the verb of one, and is no type of a commit (`fix:`) and no statement."""
    rest = text[word.end() :]
    return (
        word[0].lower() in _KINDS and not _TYPE.fullmatch(rest) and not _STATES.search(_SUB.split(rest, maxsplit=1)[0])
    )


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    """Each with the character at which it begins; what is quoted is not taken apart."""
    begin = 0
    for cut in _CUT.finditer(masked(text)):
        yield begin, text[begin : cut.start() + 1].rstrip()
        begin = cut.end()
    yield begin, text[begin:]
