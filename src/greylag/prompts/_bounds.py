"""Sentences that bound a change: how it ends, where it does not apply, what it leaves as it is.

Most need two things in one sentence, such as what is spared (`other charts`) and that it is (`stay`), in whatever words
come between. Where in doubt a sentence counts: advice that is wrong is not read twice.
"""

import re

from greylag.prompts._requests import orders
from greylag.prompts._text import Sentence, Text


def _any(*ways: str) -> re.Pattern[str]:
    return re.compile("|".join(ways), re.IGNORECASE)


_STATEMENT = 3  # words that are none yet
EXAMPLE = _any(
    r"\bfor (?:example|instance)\b",
    r"\be\.g\.",
    r"\bsuch as\b",
    r"\blike (?=`)",
    r"\b(?:before|after):",
    r"->|=>|\u2192",
)
_CONDITION = _any(r"\W*(?:if|when|where|unless|in case|once)\b")
_GUARD = _any(
    r"\W*(?:(?:please|just|so|and) )?(?:skip|ignore|exclude|leave|keep|preserve|stick|decline|change|touch)\b",
    r"\W*(?:(?:please|just|so|and) )?(?:do not|don't|never|not|no other|nothing|only|except)\b",
    r"\W*(?:i|we)(?: would|'d)\b|\W*would\b",
)
_PAIR = _any(r"`[^`\n]{1,200}` (?:becomes?|turns? into|to|is now|gives way to) `")
_END = _any(
    r"\b(?:done|finished|completed?|succe(?:ss|eds)|fixed) (?:when|if|once|means)",
    r"\bacceptance|\bdefinition of done|\bexpected\b|\bso that\b|\binstead of\b",
    r"\b(?:must|should|shall|needs? to|has to|have to)(?: no longer| not|n't| now| also| still| only| all| both)?"
    r" (?!(?:be )?(?:change|touch|stay|remain|keep|kept|edit|modif|unchang|untouch|unaffect|the same))\w+",
    r"\bno longer\b|\bany (?:more|longer)\b|\buntil (?:no|none|nothing|all|every|each)\b",
    r"\bno (?:more )?(?:use|call|import|occurrence|reference|warning|error)s?\b|\bevery (?:use|call|import)\b",
    r"\b(?:tests?|build|suite|lint(?:er)?) (?:still )?(?:pass(?:es)?|succeeds?|compiles?)\b",
)
_OUTCOME = _any(
    r"\b(?:reports?|shows?|finds?|lists?|prints?|has|have|yields?) (?:nothing|none|no)\b",
    r"\b(?:is|are) (?:left(?! alone)|gone|green|clean)\b",
)
_UNIVERSAL = _any(r"\W*(?:then |afterwards,? |now )?(?:each|every|all|no|none|both)\b(?! other)")
_DONE = _any(r"\b(?:done|finished|completed?|fixed) (?:when|if|once)\b|\bso that\b")
_MUST_NOT = _any(r"\b(?:must|should|shall) (?:not|no)\b(?! (?:be )?(?:chang|touch|edit))|\bno longer\b")
_IF = _any(r"\b(?:if|where|when|unless|in case|once)\b")
_SOME = _any(r"\b(?:that|which|who|whose|with|without|other than|below|from|marked|tagged|named|generated|listed)\b")
_NOT = _any(r"\b(?:no|not|nothing|never)\b|n't\b")
_SPARED = _any(
    r"\b(?:leave|left|skip(?:ped)?|ignored?|exclude[sd]?|exempt|stays?|remains?|keeps?|declines?|stop|unaffected)\b",
    r"\b(?:fine|right|ok(?:ay)?|correct|allowed|never|nothing|neither|out of scope)\b",
    r"\b(?:needs?|gets?) no|\bno (?:change|need|edit)s?\b",
    r"(?:\bnot|n't) (?:apply|meant|concern|affect|cover|to be|part|touch|change|edit)\w*",
)
_EXEMPT = _any(
    r"\b(?:unless|except|already|on purpose|(?:deliberate|intentional)(?:ly)?|precondition)",
    r"\bonly (?:if|when|where)\b|\bapplie[sd]? (?:only )?(?:to|when|if)\b|(?:\bnot|n't) (?:appl(?:y|icable)|concern)",
    r"\bdo nothing\b|\bnothing to \w+|\b(?:is|are) (?:exempt|excluded|left alone|not meant)\b|\b(?:may|can) keep\b",
    r"\b(?:may|can) be (?:skipped|ignored|left)\b|^\W*(?:out of scope|non-goals?)\b",
    r"\b(?:leave|skip|ignore) (?:it|them|the|this|that|any|out|those|these)\b",
    r"(?:\bnot|n't|\bnever) \w+ (?:it|them|those|these)\b|(?:^|[,;:.] )(?:but )?not (?:for|in|on|where|when|if)\b",
    r"(?:^|[,;:.] )(?:and |so |please )?(?:skip|ignore|exclude|leave) (?!.{0,20}\b(?:else|others?|rest|everything)\b)",
)
_KEPT = _any(
    r"\b(?:unchanged|untouched|unaffected|unmodified|intact|frozen|identical)\b",
    r"\b(?:nothing else|limited to|scope|non-goals?)\b",
    r"\b(?:off[ -]limits|hands off|contract|(?:\w+[ -])?compatib\w+|the same|continues? to|(?:keep|stick) to)\b",
    r"\b(?:stays?|remains?|keeps?|kept|preserv\w+|leave)\b.{0,60}?\b(?:as is|stable|the way)\b",
    r"\b(?:stays?|remains?)\W*$",
    r"\bas (?:it|they) \w+|\bas (?:before|today|now|ever|usual)\b|\b(?:not|none|no) (?:part )?of (?:this|it)\b",
    r"\bleave (?!it|them|this|that|those|these).{1,60}? alone\b|(?:\bnot|\bnor|\bnever|n't|\bno)\b.{0,30}?\bother\b",
    r"(?:\bnot|\bcannot|\bnor|\bnever|n't)\b.{0,40}?\b(?:chang|touch|edit|modif|alter|affect|weaken)\w*",
    r"\bwithout (?:chang|touch|edit|modif|remov|renam|alter|affect|break)\w*",
    r"(?:^|[,;:.] )(?:and |but |please )?(?:do not|don't|never) (?!forget|use|worry|hesitate)\w+",
)
_ONLY = _any(r"\b(?:only|just|nothing|no|none|apart from|outside|beyond|elsewhere)\b")
_CHANGED = _any(r"\b(?:chang|touch|edit|modif|alter|affect|concern|mov|differ)\w*|\bremains?\b")
_OTHERS = _any(r"\b(?:others?|else|rest|existing|public|everything|behaviou?r|signatures?|interfaces?)\b")
_STAYS = _any(r"\b(?:stays?|remains?|keeps?|kept|leave|left (?=alone|as|un)|alone|preserv\w+)\b")


def ends(text: Text) -> bool:
    """Whether something says how one sees that it is done: in so many words, or as what is stated after an order."""
    ordered = False
    stated = 0
    for sentence in (sentence for unit in text.units for sentence in unit.sentences):
        words = sentence.text
        conditional = _CONDITION.match(words)
        if _END.search(words) or _UNIVERSAL.match(words) or (_OUTCOME.search(words) and not conditional):
            return True
        if orders(sentence):
            ordered = True
        elif not (_GUARD.match(words) or conditional or EXAMPLE.search(words) or _PAIR.search(words)):
            stated += len(words.split()) > _STATEMENT
            if stated and (ordered or stated > 1):  # else it is what is wrong today
                return True
    return False


def exempts(text: Text) -> bool:
    """Whether something says when, or where, it does not apply."""
    return any(_exempts(sentence) for sentence in text.sentences)


def _exempts(sentence: Sentence) -> bool:
    words = _MUST_NOT.sub("must", sentence.text)
    if _EXEMPT.search(words):
        return True
    if _DONE.search(words) or orders(sentence):
        return False
    if _IF.search(words) and _NOT.search(words):
        return True
    return bool(_SPARED.search(words)) and bool(_IF.search(words) or _SOME.search(words))


def keeps(text: Text) -> bool:
    """Whether something says what must stay as it is."""
    return any(_keeps(sentence.text) for sentence in text.sentences)


def _keeps(words: str) -> bool:
    if _CONDITION.match(words):
        return False
    pairs = ((_ONLY, _CHANGED), (_OTHERS, _STAYS))
    return bool(_KEPT.search(words)) or any(one.search(words) and two.search(words) for one, two in pairs)
