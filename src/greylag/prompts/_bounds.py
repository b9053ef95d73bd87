"""Sentences that bound a change: how it ends, where it does not apply, what it leaves as it is.

Most need two things in one sentence, such as what is spared (`other charts`) and that it is (`stay`), in whatever words
come between. Where in doubt a sentence counts: advice that is wrong is read once.
"""

import re

from greylag.prompts._requests import orders
from greylag.prompts._text import Sentence, Text

_STATEMENT = 3  # words that are none yet
EXAMPLE = re.compile(
    r"\bfor (?:example|instance)\b|\be\.g\.|\bsuch as\b|\blike (?=`)|\bbefore:|\bafter:|->|=>|\u2192", re.IGNORECASE
)
_CONDITION = re.compile(r"\W*(?:if|when|where|unless|in case|once)\b", re.IGNORECASE)
_GUARD = re.compile(
    r"\W*(?:(?:please|just|so|and) )?(?:skip|ignore|exclude|leave|keep|preserve|do not|don't|never|not|no other|nothing|only"
    r"|change|touch|stick|decline|except|i would|i'd|we would|we'd|would)\b",
    re.IGNORECASE,
)
_PAIR = re.compile(r"`[^`\n]{1,200}` (?:becomes?|turns? into|to|is now|gives way to) `")
_END = re.compile(
    r"\b(?:done|finished|completed?|succe(?:ss|eds)|fixed) (?:when|if|once|means)|\bacceptance|\bdefinition of done|\bexpected\b"
    r"|\b(?:must|should|shall|needs? to|has to|have to)(?: no longer| not|n't| now| also| still| only| all| both)?"
    r" (?!(?:be )?(?:change|touch|stay|remain|keep|kept|edit|modif|unchang|untouch|unaffect|the same))\w+"
    r"|\bno longer\b|\bany (?:more|longer)\b|\bno (?:more )?(?:use|call|import|occurrence|reference|warning|error)s?\b"
    r"|\bevery (?:use|call|import)\b|\bso that\b|\binstead of\b|\buntil (?:no|none|nothing|all|every|each)\b"
    r"|\b(?:tests?|build|suite|lint(?:er)?) (?:still )?(?:pass(?:es)?|succeeds?|compiles?)\b",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"\b(?:reports?|shows?|finds?|lists?|prints?|has|have|yields?) (?:nothing|none|no)\b"
    r"|\b(?:is|are) (?:left(?! alone)|gone|green|clean)\b",
    re.IGNORECASE,
)
_UNIVERSAL = re.compile(r"\W*(?:then |afterwards,? |now )?(?:each|every|all|no|none|both)\b(?! other)", re.IGNORECASE)
_DONE = re.compile(r"\b(?:done|finished|complete|completed|fixed) (?:when|if|once)\b|\bso that\b", re.IGNORECASE)
_MUST_NOT = re.compile(r"\b(?:must|should|shall) (?:not|no)\b(?! (?:be )?(?:chang|touch|edit))|\bno longer\b", re.IGNORECASE)
_IF = re.compile(r"\b(?:if|where|when|unless|in case|once)\b", re.IGNORECASE)
_SOME = re.compile(
    r"\b(?:that|which|whose|with|without|other than|below|from|marked|tagged|named|generated|listed)\b", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:no|not|nothing|never)\b|n't\b", re.IGNORECASE)
_SPARED = re.compile(
    r"\b(?:leave|left|skip(?:ped)?|ignored?|exclude[sd]?|exempt|stays?|remains?|keeps?|declines?|stop|fine|unaffected|never)\b"
    r"|\bnothing\b|\b(?:needs?|gets?) no|\bno (?:change|need|edit)s?\b|\bout of scope\b"
    r"|(?:\bnot|n't) (?:apply|meant|concern|affect|cover|to be|part|touch|change|edit)\w*|\b(?:neither|right|ok(?:ay)?|correct|allowed)\b",
    re.IGNORECASE,
)
_EXEMPT = re.compile(
    r"\bunless\b|\bexcept\b|\balready\b|\bonly (?:if|when|where)\b|\bprecondition|\bapplie[sd]? (?:only )?(?:to|when|if)\b"
    r"|\b(?:leave|skip|ignore) (?:it|them|the|this|that|any)\b|\bdo nothing\b|\bnothing to \w+|\bnot (?:appl(?:y|icable)|concern)"
    r"|n't apply\b|\b(?:is|are) (?:exempt|excluded|left alone|not (?:meant|concerned))\b|\b(?:may|can) keep\b"
    r"|(?:\bnot|n't|\bnever) \w+ (?:it|them|those|these)\b|\bleave (?:out|those|these)\b|\bon purpose\b|\b(?:deliberate|intentional)(?:ly)?\b|(?:^|[,;:.] )(?:but )?not (?:for|in|on|where|when|if)\b"
    r"|(?:^|[,;:.] )(?:and |so |please )?(?:skip|ignore|exclude|leave) (?!.{0,20}\b(?:else|others?|rest|everything)\b)",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"\b(?:unchanged|untouched|unaffected|unmodified|intact|frozen|identical|nothing else|limited to|scope|off[ -]limits|hands off"
    r"|contract|(?:\w+[ -])?compatib\w+)\b"
    r"|\b(?:stays?|remains?|keeps?|kept|preserv\w+|leave)\b.{0,60}?\b(?:as is|stable|the way)\b|\bthe same\b|\bcontinues? to\b"
    r"|\bas (?:it|they) \w+|\bas (?:before|today|now|ever|usual)\b|\b(?:keep|stick) to\b"
    r"|(?:\bnot|\bnor|\bnever|n't)\b.{0,40}?\b(?:chang|touch|edit|modif|alter|affect|weaken)\w*"
    r"|\bwithout (?:chang|touch|edit|modif|remov|renam|alter|affect|break)\w*"
    r"|\b(?:stays?|remains?)\W*$|\bleave (?!it|them|this|that|those|these).{1,60}? alone\b|\b(?:not|none|no) (?:part )?of (?:this|it)\b"
    r"|(?:\bnot|\bnor|\bnever|n't|\bno)\b.{0,30}?\bother\b|(?:^|[,;:.] )(?:and |but |please )?(?:do not|don't|never) (?!forget|use|worry|hesitate)\w+",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|just|nothing|no|none|apart from|outside|beyond|elsewhere)\b", re.IGNORECASE)
_CHANGED = re.compile(r"\b(?:chang|touch|edit|modif|alter|affect|concern|mov|differ)\w*|\bremains?\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:others?|else|rest|existing|public|everything|behaviou?r|signatures?|interfaces?)\b", re.IGNORECASE)
_STAYS = re.compile(
    r"\b(?:stays?|remains?|keeps?|kept|leave|left (?=alone|as|un)|alone|preserv\w+)\b", re.IGNORECASE
)


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
    return bool(_SPARED.search(words) and (_IF.search(words) or _SOME.search(words)) or _IF.search(words) and _NOT.search(words))


def keeps(text: Text) -> bool:
    """Whether something says what must stay as it is."""
    return any(_keeps(sentence.text) for sentence in text.sentences)


def _keeps(words: str) -> bool:
    if _CONDITION.match(words):
        return False
    pairs = ((_ONLY, _CHANGED), (_OTHERS, _STAYS))
    return bool(_KEPT.search(words)) or any(one.search(words) and two.search(words) for one, two in pairs)
