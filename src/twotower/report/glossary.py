"""What the pages' terms mean: on hover where a term is used, and in a list at the foot of the page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

GLOSSARY = {
    "token": "One occurrence of a type in the text.",
    "type": (
        "An entry of the model's vocabulary: a whole word, or a part of a word if the word is rare. A "
        "part that continues a word is written with ## in front: accommod + ##ation."
    ),
    "word": "A type that is a whole word. Only words have a word class; parts of words have none.",
    "word class": (
        "A part of speech of Universal Dependencies, such as noun (NOUN), preposition (ADP) or auxiliary (AUX)."
    ),
    "function words": (
        "Words of the closed classes: prepositions, auxiliaries, conjunctions, determiners, particles and pronouns."
    ),
    "content words": "Nouns, proper nouns, verbs, adjectives, adverbs and numerals.",
    "nominal words": "Nouns, proper nouns, numerals and symbols.",
    "label": (
        "A property of a token that the difference between towers may follow, such as its word class or the token "
        "before."
    ),
    "tower": ("One of the language models that share the job. All have the same design and the same training text."),
    "readout": ("An output layer that is trained on one finished, frozen tower, to see what that tower knows alone."),
    "preference": (
        "How much better one tower predicts a type than another does: its mean log-probability under "
        "tower 1 minus that under tower 2, in nats. With more than two towers: minus the mean of all."
    ),
    "nats": "The unit of log-probability to base e. One nat more means a probability 2.7 times as high.",
    "surplus": (
        "How much better all towers together predict a token than the better tower alone, in nats, each under a "
        "readout of the same kind. One tower given twice is its null. A tower that does nothing leaves it at 0."
    ),
    "D": (
        "The size of the difference between towers, in nats per token: the root of the covariance of two readings of "
        "it, by sets of readouts that share nothing but the towers. 0 means that the towers do not differ."
    ),
    "reliability": (
        "The correlation of preferences measured on different documents with different readouts. 0 means "
        "that the towers do not differ, 1 that every measurement gives the same preferences."
    ),
    "null": (
        "What chance alone gives: the same figure after class labels were exchanged between words of similar frequency."
    ),
    "interval": ("The range that holds the true figure with the stated confidence, from resampling whole documents."),
    "AUROC": (
        "Area under the ROC curve: the chance that a word of one group is preferred more by tower 1 than "
        "a word of the other group. 0.5 means no difference."
    ),
    "Shapley": (
        "A fair split of what several predictors explain together: the gain from each, averaged over all "
        "orders in which they can be added (Shapley 1953)."
    ),
    "perplexity": "How many equally likely tokens the model hesitates between, on average. Lower is better.",
    "topicality": "How much more frequent a word is in its document than elsewhere.",
    "strangers": (
        "Two towers trained on the same text, each with a loss of its own, so that they do not cooperate. "
        "What cooperation adds is the excess over strangers."
    ),
    "planted": (
        "Of a division: made on purpose, so that it is known in advance along what the towers divide the work. "
        "It is the 100 % of a scale on which strangers are 0 %."
    ),
    "RMS r": (
        "Root mean square of the correlations between runs, beyond frequency and freed of errors of measurement. "
        "Squaring makes the labels of the towers irrelevant."
    ),
    "p": "The probability of a figure at least as large if chance alone were at work.",
    "q": ("p, adjusted for the number of tests in its family (false-discovery rate, Benjamini and Hochberg 1995)."),
}
"""From a term to its meaning."""

_FORMS = {
    "piece": "type", "pieces": "type", "types": "type", "tokens": "token",
    "word classes": "word class", "preferences": "preference",
    "readouts": "readout", "intervals": "interval", "stranger": "strangers", "nat": "nats",
}  # fmt: skip
_LINKED = [term for term in GLOSSARY if term not in ("p", "q", "word", "token", "tower", "type", "nats", "label")]
_PATTERN = re.compile(
    r"(?<!-)\b(" + "|".join(sorted(map(re.escape, [*_LINKED, *(k for k, v in _FORMS.items() if v in _LINKED)]), key=len,
                             reverse=True)) + r")\b"
)  # fmt: skip
_COMMAND = re.compile(r"`([^`]+)`|(?<!\S)(--[a-z][\w.-]*\w)")
"""A command, or an option of one, as sentences name them."""


def anchor(term: str) -> str:
    """The id of a term's entry."""
    return "term-" + re.sub(r"\W+", "-", term.lower())


def term(shown: str, name: str | None = None) -> Markup:
    """A term, linked to its entry, with its meaning on hover; raises `KeyError` for one that has no entry."""
    entry = name or _FORMS.get(shown, shown)
    return Markup('<a class="term" href="#{}" data-tip="{}">{}</a>').format(anchor(entry), GLOSSARY[entry], shown)


def explain(text: str) -> Markup:
    """The text, escaped, with the first use of each term linked and no command broken."""
    seen: set[str] = set()

    def link(match: re.Match[str]) -> str:
        entry = _FORMS.get(match.group(), match.group())
        if entry in seen:
            return str(match.group())
        seen.add(entry)
        return str(term(match.group()))

    linked = _PATTERN.sub(link, str(escape(text)))
    return Markup(_COMMAND.sub(r"<code>\1\2</code>", re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", linked)))
