"""Universal part of speech (UPOS, https://universaldependencies.org/u/pos/) for the words of the held-out split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..system.errors import InputError
from .documents import Tagger, Word
from .pipelines import load_spacy, load_stanza, spacy_pipeline, stanza_has
from .segmentation import sentences_of, untagged_words
from .tagging_pool import MODELS, HantaPool, TagSentences
from .tagsets import TO_UPOS

FUNCTION = frozenset({"ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"})
"""Closed classes of Universal Dependencies."""
CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"})
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip
NO_WORD = "_"
"""The tag of a piece that belongs to no word."""

LONGEST_WORD = 60
"""HanTa's analysis is quadratic in the letters of an unknown word; longer strings are no words."""
HANTA, SPACY, STANZA, NONE, GOLD = "hanta", "spacy", "stanza", "none", "gold"


def choose_tagger(setting: str, language: str) -> str:
    """The tagger that a setting means for a language (ISO 639): `hanta:LANGUAGE`, `spacy:PIPELINE`, `stanza:LANGUAGE`
    or `none`.

    `auto` is HanTa where it has a model, otherwise a pipeline of spaCy or Stanza that is installed for the language,
    otherwise none. Raises `InputError` for `hanta` where it has no model.
    """
    if setting == HANTA and language not in MODELS:
        raise InputError(
            f"prepare.tagger: hanta has models of {', '.join(MODELS)}, and the text is in {language!r}; use none, "
            "spacy:PIPELINE or stanza:LANGUAGE, or name the language with --prepare.language"
        )
    if setting == HANTA or (setting == "auto" and language in MODELS):
        return f"{HANTA}:{language}"
    if setting == "auto":
        pipeline = spacy_pipeline(language)
        return f"{SPACY}:{pipeline}" if pipeline else f"{STANZA}:{language}" if stanza_has(language) else NONE
    return setting


@contextmanager
def open_tagger(name: str, language: str, processes: int = 1) -> Iterator[Tagger]:
    """The tagger that `choose_tagger` named, while it is used; HanTa shares sentences out to processes.

    Words and tags do not depend on the number of processes. `none` finds words and tags none of them. Raises
    `InputError` if a pipeline is not installed.
    """
    kind, _, which = name.partition(":")
    if kind == HANTA:
        pool = HantaPool(processes, which)
        try:
            yield lambda texts: _tag_by_sentence(texts, which, pool)
        finally:
            pool.close()
    elif kind == SPACY:
        yield load_spacy(which)
    elif kind == STANZA:
        yield load_stanza(which)
    else:
        yield lambda texts: [untagged_words(text, language) for text in texts]


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


def _tag_by_sentence(texts: Sequence[str], language: str, tag_sentences: TagSentences) -> list[list[Word]]:
    """The words of documents, tagged sentence by sentence, all sentences of all documents in one go."""
    places = [sentences_of(text, language) for text in texts]
    forms = [
        [text[start:end].replace("’", "'") for start, end in sentence]
        for text, sentences in zip(texts, places, strict=True) for sentence in sentences
    ]  # fmt: skip
    known = [[form if len(form) <= LONGEST_WORD else "x" for form in sentence] for sentence in forms]
    tagged = iter(zip(forms, known, tag_sentences(known), strict=True))
    universal = TO_UPOS[language]
    words_by_document = []
    for sentences in places:
        words: list[Word] = []
        for sentence in sentences:
            raw, clean, tags = next(tagged)
            for (start, end), form, tag, upos in zip(sentence, raw, tags, universal(clean, tags), strict=True):
                words.append(Word(start, end, upos if len(form) <= LONGEST_WORD else "X", tag=tag))
        words_by_document.append(words)
    return words_by_document
