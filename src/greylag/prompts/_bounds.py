"""Sentences that bound a change: how it ends, where it does not apply, what it leaves as it is.

Each needs two things in one sentence, such as what is spared (`other charts`) and that it is (`stay`), in whatever words
come between.
"""

import re

from greylag.prompts._text import Text

_CONDITION = re.compile(r"\W*(?:if|when|where|unless|in case|once)\b", re.IGNORECASE)
_END = re.compile(
    r"\b(?:done|finished|completed?|succe(?:ss|eds)|fixed) (?:when|if|once|means)|\bacceptance|\bdefinition of done|\bexpected\b"
    r"|\b(?:must|should|shall|needs? to|has to|have to)(?: no longer| not|n't| now| also| still| only| all| both| be able to)?"
    r" (?!(?:be )?(?:change|touch|stay|remain|keep|kept|edit|modif|unchang|untouch|unaffect))\w+"
    r"|\b(?:may|does|do|can|will)(?: no longer| not|n't) (?:be|pass|occur|exist|contain|appear|remain|return|raise|fail"
    r"|build|compile|print|accept|reject|throw|have|use|work)\b"
    r"|\bno longer\b|\bany (?:more|longer)\b|\bno (?:more )?(?:use|call|import|occurrence|reference|warning|error)s?\b"
    r"|\bevery (?:use|call|import)\b|\bso that\b|\binstead of\b"
    r"|\b(?:pass(?:es)?|succeeds?|compiles|validates|exits|reports|shows|finds|lists|prints|fails|works)\b"
    r"|\b(?:is|are|stays?|turns?) (?:\w+ )?(?:green|clean|gone|red|(?:left|empty)(?! (?:alone|as|un)))\b",
    re.IGNORECASE,
)
_ALL = re.compile(r"\W*(?:then |afterwards,? |now )?(?:each|every|all|no|none|both)\b", re.IGNORECASE)
_DONE = re.compile(r"\b(?:done|finished|complete|completed|fixed) (?:when|if|once)\b|\bso that\b", re.IGNORECASE)
_SOME = re.compile(
    r"\b(?:if|where|when|unless|in case|once|that|which|whose|without|with|other than|below|already|from)\b", re.IGNORECASE
)
_SPARED = re.compile(
    r"\b(?:leave|left|skip(?:ped)?|ignored?|exclude[sd]?|exempt|stays?|remains?|keeps?|declines?|stop|fine|unaffected)\b"
    r"|\bnothing\b|\bno (?:change|need|edit)s?\b|\bnot (?:apply|meant|concerned|affected|to be|part)|\bn't apply\b"
    r"|\bdo(?:es)? not (?:touch|change|edit|apply)|\bdon't (?:touch|change|edit)|\bout of scope\b",
    re.IGNORECASE,
)
_EXEMPT = re.compile(
    r"\bunless\b|\bexcept\b|\balready\b|\bonly (?:if|when|where)\b|\bprecondition|\bapplie[sd]? (?:only )?(?:to|when|if)\b"
    r"|\b(?:leave|skip|ignore) (?:it|them|the|this|that|any)\b|\bdo nothing\b|\bnothing to do\b|\bnot appl(?:y|icable)\b"
    r"|\bn't apply\b|\b(?:is|are) (?:exempt|excluded|left alone|not (?:meant|concerned))\b|\b(?:may|can) keep\b"
    r"|(?:^|[,;:.] )(?:and |so |please )?(?:skip|ignore|exclude|leave) (?!.{0,20}\b(?:else|others?|rest|everything)\b)",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"\b(?:unchanged|untouched|unaffected|unmodified|intact|frozen|identical|nothing else|out of scope|limited to)\b"
    r"|\b(?:stays?|remains?|keeps?|kept|preserv\w+|leave)\b.{0,60}?\b(?:as (?:it|they|is)\b|same\b|stable\b|the way\b)"
    r"|\b(?:keep|stick) to\b|\b(?:do not|don't|never|must not|without) (?:chang|touch|edit|modif|remov|renam|add|refactor"
    r"|reformat|delet|upgrad|alter)\w*|(?:\bnot|\bnever|n't)\b.{0,20}?\b(?:chang|touch|edit|modif|alter|affect)\w*",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|just|nothing|no|none|apart from|outside|beyond|elsewhere)\b", re.IGNORECASE)
_CHANGED = re.compile(r"\b(?:chang|touch|edit|modif|alter|affect|mov|differ)\w*|\bremains?\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:others?|else|rest|existing|public|everything|behaviou?r|signatures?|interfaces?)\b", re.IGNORECASE)
_STAYS = re.compile(r"\b(?:stays?|remains?|keeps?|kept|leave|left (?=alone|as|un)|alone|preserv\w+|compatible)\b", re.IGNORECASE)


def ends(text: Text) -> bool:
    """Whether something says how one sees that it is done."""
    return any(_END.search(sentence.text) or _ALL.match(sentence.text) for sentence in text.sentences)


def exempts(text: Text) -> bool:
    """Whether something says when, or where, it does not apply."""
    for sentence in text.sentences:
        words = sentence.text
        if _EXEMPT.search(words) or (not _DONE.search(words) and _SOME.search(words) and _SPARED.search(words)):
            return True
    return False


def keeps(text: Text) -> bool:
    """Whether something says what must stay as it is."""
    for sentence in text.sentences:
        words = sentence.text
        if _KEPT.search(words):
            return True
        if _CONDITION.match(words):
            continue
        if (_ONLY.search(words) and _CHANGED.search(words)) or (_OTHERS.search(words) and _STAYS.search(words)):
            return True
    return False
