"""Universal part of speech (UPOS, https://universaldependencies.org/u/pos/) for the words of the held-out split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .documents import Word
from .tagging_pool import HantaPool, TagSentences

FUNCTION = frozenset({"ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"})
"""Closed classes of Universal Dependencies."""
CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"})
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip
NO_WORD = "_"
"""The tag of a piece that belongs to no word."""

Tagger = Callable[[Sequence[str]], Sequence[Sequence[Word]]]
"""From the texts of documents to their words."""

LONGEST_WORD = 60
"""HanTa's analysis is quadratic in the letters of an unknown word; longer strings are no words of English."""

_WORD = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                                   # U.S., e.g.
    | (?:Mr|Mrs|Ms|Dr|St|Gen|Col|Gov|Hon|Jr|Sr|No|vs)\.(?=\s)  # abbreviations that end no sentence
    | [^\W\d_]+(?=n['’]t\b)                              # do|n't
    | n['’]t\b
    | ['’](?:s|re|ve|ll|d|m)\b                           # they|'re
    | can(?=not\b)
    | [^\W\d_]+(?:['’](?!(?:s|re|ve|ll|d|m|t)\b)[^\W\d_]+)*  # o'clock
    | \d+(?:[.,:/]\d+)*(?:st|nd|rd|th|s)?\b              # 1,000.5, 19th, 1890s
    | \w+
    | [^\w\s]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?]+$")
_CLOSING = frozenset("\"'”’)]")


@contextmanager
def open_tagger(name: str, processes: int = 1) -> Iterator[Tagger]:
    """The tagger called `hanta` or `spacy:PIPELINE`, while it is used; `hanta` shares sentences out to processes.

    Words and tags do not depend on the number of processes. Raises `InputError` if the spaCy pipeline is not installed.
    """
    if name == "hanta":
        pool = HantaPool(processes)
        try:
            yield lambda texts: _tag_by_sentence(texts, pool)
        finally:
            pool.close()
        return
    if name.startswith("spacy:"):
        tag = _load_spacy(name.removeprefix("spacy:"))
        yield lambda texts: [tag(text) for text in texts]
        return
    raise InputError(f"prepare.tagger: {name!r} is unknown; use hanta or spacy:PIPELINE")


def words_of_pieces(words: Sequence[Word], starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which word each piece belongs to, and whether it is the whole of it.

    A piece belongs to the word in which its first character lies. `starts` holds the first character of each piece, in
    order. Returns, each of shape (pieces,), the index of the word (-1: none) and True where a word is one piece.
    """
    if not words:
        return np.full(len(starts), -1), np.zeros(len(starts), dtype=bool)
    begins = np.array([word.start for word in words])
    ends = np.array([word.end for word in words])
    index = np.searchsorted(begins, starts, side="right") - 1
    inside = (index >= 0) & (starts < ends[index])
    index = np.where(inside, index, -1)
    pieces = np.bincount(index[inside], minlength=len(words))
    # A piece may also run on over the following words (`don` + `'t` of "do|n't"): then the next word lacks its start.
    first = np.isin(begins, starts)
    runs_on = np.append(~first[1:] & (begins[1:] == ends[:-1]), False)
    return index, inside & (pieces[index] == 1) & first[index] & ~runs_on[index]


def _sentences(text: str) -> list[list[tuple[int, int]]]:
    """Words as character spans, by sentence; sentences end at `.`, `!`, `?` before white space, and at blank lines."""
    sentences: list[list[tuple[int, int]]] = [[]]
    previous_end, ended = 0, False
    for match in _WORD.finditer(text):
        start, end = match.span()
        gap = text[previous_end:start]
        if (ended and gap) or gap.count("\n") > 1:
            sentences.append([])
            ended = False
        token = match.group()
        sentences[-1].append((start, end))
        previous_end = end
        ended = (ended and token in _CLOSING) or (len(token) == 1 and bool(_SENTENCE_END.match(token)))
    return [sentence for sentence in sentences if sentence]


def _tag_by_sentence(texts: Sequence[str], tag: TagSentences) -> list[list[Word]]:
    """The words of documents, tagged sentence by sentence, all sentences of all documents in one go."""
    places = [_sentences(text) for text in texts]
    forms = [
        [text[start:end].replace("’", "'") for start, end in sentence]
        for text, sentences in zip(texts, places, strict=True) for sentence in sentences
    ]  # fmt: skip
    known = [[form if len(form) <= LONGEST_WORD else "x" for form in sentence] for sentence in forms]
    tagged = iter(zip(forms, known, tag(known), strict=True))
    found = []
    for sentences in places:
        words: list[Word] = []
        for sentence in sentences:
            raw, clean, tags = next(tagged)
            for (start, end), form, upos in zip(sentence, raw, universal(clean, tags), strict=True):
                words.append(Word(start, end, upos if len(form) <= LONGEST_WORD else "X"))
        found.append(words)
    return found


def _load_spacy(pipeline: str) -> Callable[[str], list[Word]]:
    try:
        import spacy

        model = spacy.load(pipeline)
    except (ImportError, OSError) as error:
        raise InputError(
            f"prepare.tagger: spaCy's pipeline {pipeline!r} is not installed ({error.__class__.__name__}); "
            f"`pip install spacy` and `python -m spacy download {pipeline}`, or use --prepare.tagger hanta"
        ) from None

    def tag(text: str) -> list[Word]:
        from .tokenization import chunks

        words = []
        for begin, finish in chunks(text, limit=min(model.max_length, 100_000)):
            for token in model(text[begin:finish]):
                if not token.is_space:
                    start = begin + token.idx
                    words.append(Word(start, start + len(token), token.pos_ or "X"))
        return words

    return tag


# BNC's C5 tags (http://www.natcorp.ox.ac.uk/docs/c5spec.html), as HanTa's English model writes them.
_C5 = {
    "AJ0": "ADJ", "AJC": "ADJ", "AJS": "ADJ", "ORD": "ADJ",
    "AT0": "DET", "DT0": "DET", "DTQ": "DET",
    "AV0": "ADV", "AVQ": "ADV", "AVP": "ADP",
    "CJC": "CCONJ", "CJS": "SCONJ", "CJT": "SCONJ",
    "CRD": "NUM", "DPS": "PRON", "EX0": "PRON", "PNI": "PRON", "PNP": "PRON", "PNQ": "PRON", "PNX": "PRON",
    "ITJ": "INTJ", "NN0": "NOUN", "NN1": "NOUN", "NN2": "NOUN", "NP0": "PROPN", "ZZ0": "X", "UNC": "X",
    "PRF": "ADP", "PRP": "ADP", "IN": "ADP", "POS": "PART", "TO0": "PART", "XX0": "PART", "VM0": "AUX",
    "PUN": "PUNCT", "PUL": "PUNCT", "PUR": "PUNCT", "PUQ": "PUNCT",
}  # fmt: skip
_SKIPPED = frozenset({"AV0", "XX0", "PNP", "PNI", "AT0", "DT0", "DPS"})
_NOMINAL = frozenset({"NN0", "NN1", "NN2", "NP0", "AJ0", "AJC", "AJS", "CRD", "ORD", "NN"})
_TO_HAVE_DO = re.compile(r"^V[HD]")
_SYMBOLS = frozenset("$%£€+=<>#&§°")


def universal(words: Sequence[str], tags: Sequence[str]) -> list[str]:
    """C5 tags of a sentence, mapped to UPOS by the guidelines of Universal Dependencies for English.

    `be` is always AUX; `have` is AUX before a participle and `do` before an infinitive, other verbs VERB;
    demonstratives and `which` are DET before a nominal and PRON elsewhere; possessives are PRON.
    """
    out = []
    for position, (word, tag) in enumerate(zip(words, tags, strict=True)):
        following = tags[position + 1] if position + 1 < len(tags) else ""
        if not word[0].isalnum() and not word.startswith(("'", "’")):
            upos = "SYM" if word in _SYMBOLS else "PUNCT"
        elif word[0].isdigit():
            upos = "ADJ" if word.endswith(("st", "nd", "rd", "th")) else "NUM"
        elif tag.startswith("VB"):
            upos = "AUX"
        elif _TO_HAVE_DO.match(tag):
            upos = "AUX" if _governs_verb(tag[1], tags[position + 1 :]) else "VERB"
        elif tag.startswith("VV"):
            upos = "VERB"
        elif tag in ("DT0", "DTQ") and following not in _NOMINAL:
            upos = "PRON"
        else:
            upos = _C5.get(tag) or _C5.get(tag[:3]) or {"NN": "NOUN", "NP": "PROPN", "AJ": "ADJ"}.get(tag[:2], "X")
        out.append(upos)
    return out


def _governs_verb(kind: str, following: Sequence[str]) -> bool:
    """Whether a form of `have` (H) or `do` (D) is followed by a participle, or by an infinitive or `not`."""
    for tag in following[:4]:
        if kind == "H" and tag in ("VVN", "VBN", "VHN", "VDN", "VVD"):
            return True
        if kind == "D" and (tag in ("VVI", "VBI", "VHI", "VDI", "VVB") or tag == "XX0"):
            return True
        if tag not in _SKIPPED:
            return False
    return False
