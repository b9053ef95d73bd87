"""Requirements: which entries of an answer are one, and what the prompt says itself of one that a model names."""

import re

_ENDS = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*(?:[-*+#>]|\d+[.)])\s)")  # of sentences, paragraphs, items of a list

_TELLING = 3  # words that tell a sentence from others


def key(text: str) -> str:
    """The words of a requirement: two that differ only in case, white space and punctuation are one."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def asked(text: str, prompt: str) -> str:
    """The sentences of the prompt that a requirement is a quote from, whole; empty where it is none, or of several."""
    wanted = key(text)
    sentences = [sentence for part in _ENDS.split(prompt) if (sentence := " ".join(part.split()).lstrip("-*+#> "))]
    words = [(word, sentence) for sentence in sentences for word in key(sentence).split()]
    everything = f" {' '.join(word for word, _ in words)} "
    start = everything.find(f" {wanted} ") if wanted else -1
    if start < 0 or (len(wanted.split()) < _TELLING and everything.find(f" {wanted} ", start + 1) > 0):
        return ""
    first = everything.count(" ", 0, start)
    return " ".join(dict.fromkeys(sentence for _, sentence in words[first : first + len(wanted.split())]))
