"""What a prompt asks for: several changes, or the way in place of the end."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from greylag.prompts._requests import Order, orders
from greylag.prompts._strands import beside, strands
from greylag.prompts._text import WORDS, Sentence, Text, Unit, masked
from greylag.text import one_line

_SEVERAL = 3  # changes in one paragraph or list; what has fewer may be one that was told in parts
_STEPS = 3  # orders of a way, two of which at least are moves or stand in an order
_SHOWN = 4
_NOUN = 2  # words of a heading that may be a name: `Log format`
_MORE = re.compile(  # where it begins a clause: what something `must also log` is no other change
    r"(?:^|[.,;:(\u2013\u2014-]\s*|\b(?:and|but|then|please|you (?:should|must|can|may))\s+)"
    r"(?P<more>(?:also|additionally|in addition|furthermore|besides"
    r"|while (?:you(?:'re| are) )?(?:at it|there|in there))\b[,:]? (?:please )?(?P<verb>\w+))(?P<about>[^.;]*)",
    re.IGNORECASE,
)
_NUMBER = (
    r"(?:two|three|four|five|six|several|multiple|various|a few|a couple of|a number of|\d|following) (?:\w+ ){0,2}?"
)
_THINGS = (
    r"(?:changes|fixes|improvements|chores|todos|cleanups|tweaks|upgrades|things(?=:| (?:to|that|need|we|i)\b))(?!\w)"
)
_COUNTED = re.compile(
    rf"\b(?:need|want|make|do|apply|there are|fix|address|complete) (?:the |these |all )?{_NUMBER}{_THINGS}"
    rf"|\b(?:do|fix|address|complete|close) (?:the |these |all )?{_NUMBER}(?:tasks|tickets|bugs|issues)\b"
    r"|\bfollowing (?:tasks|changes|fixes) (?:should|must|have to|need)\b",
    re.IGNORECASE,
)
_UNWANTED = re.compile(r"\b(?:not|no|never|without|none|scope)\b|n't\b", re.IGNORECASE)
_VERSIONS = re.compile(
    r"([A-Za-z][\w.+#-]*) v?\d[\w.]*(?:,? and|,| &| \+) (?:the |to )?(?:[A-Za-z][\w.+#-]* )?([A-Za-z][\w.+#-]*) v?\d",
    re.IGNORECASE,
)
_TO_VERSIONS = frozenset(("bump", "migrate", "move", "port", "switch", "update", "upgrade"))


def several(title: str, text: Text) -> tuple[int, str] | None:
    """The line where a second change begins, and the words that say so."""
    head = Sentence(title, ((0, 1),))
    if len(found := strands(_changes([head]))) > 1:
        return 1, f"its title asks for {_named(found)}"
    for sentence in (head, *text.sentences):
        if told := _told(sentence):
            return told
    for unit in text.units:
        found = _several(unit, title)
        if found:
            return found[0].line, f"it asks for {_named(found)}"
        if len(parts := [one for one in unit.sentences if one.mark not in {"", "number", "step"}]) > 1:
            return parts[1].at(), f"it has {len(parts)} {parts[1].mark}s"
    return None


def way(title: str, text: Text) -> tuple[int, int] | None:
    """The line where steps begin, and how many there are."""
    for unit in text.units:
        found = [order for sentence in unit.sentences for order in orders(sentence)]
        led = [order for order in found if order.ordered or order.kind == "move"]
        if len(found) >= _STEPS and len(led) > 1 and not _several(unit, title):
            return found[0].line, len(found)
    return None


def _several(unit: Unit, title: str) -> Sequence[Order]:
    """Orders that have nothing in common, and are no way to one of them."""
    if sum(order.kind == "move" for sentence in unit.sentences for order in orders(sentence)) > 1:
        return ()
    spoken = [one for one in unit.sentences if unit.kind != "headings" or len(one.text.split()) > _NOUN]
    found = strands(_changes(spoken), title if orders(Sentence(title, ((0, 1),))) else "")
    return found if len(found) >= (2 if unit.kind == "headings" else _SEVERAL) else ()


def _changes(sentences: Sequence[Sentence]) -> Iterator[Order]:
    return (order for sentence in sentences for order in orders(sentence) if order.kind == "change")


def _told(sentence: Sentence) -> tuple[int, str] | None:
    words = sentence.text
    more = _MORE.search(words)
    verb = more["verb"].lower() if more else ""
    if more and verb in WORDS["change"] and not beside(verb, more["about"]):
        return sentence.at(more.start("more")), f"`{more['more']}` begins another change"
    if (counted := _COUNTED.search(words)) and not _UNWANTED.search(words):
        return sentence.at(counted.start()), f"`{counted[0]}` are more than one"
    for order in orders(sentence):
        both = _VERSIONS.search(masked(order.about))
        if both and order.verb in _TO_VERSIONS and both[1].lower() != both[2].lower():
            return order.line, f"`{one_line(both[0], 60)}` are two changes"
    return None


def _named(found: Sequence[Order]) -> str:
    asked = (f"{order.verb}{order.about}".rstrip(" .,;:&-").removesuffix(" and").replace("`", "") for order in found)
    return f"{len(found)} changes ({', '.join(f'`{one_line(words, 40)}`' for words in islice(asked, _SHOWN))})"
