"""Text that keeps its syntax and loses its meaning: content words give way to others of their class and form.

A word is replaced by one of the same part of speech and the same finer tag (tense, number, case, as far as the tagger
distinguishes them), the same ending, the same kind of first letter (so that *a* and *an* stay right) and similar
frequency; it is written as large or small as the word was. Function words, punctuation and order stay (compare
Gulordava et al. 2018).
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..statistics.strata import frequency_bins
from ..system.errors import InputError
from ..system.printing import in_percent
from ..system.progress import Progress
from .documents import Document, Tagger, Word, adjoining
from .tag_cache import cached
from .tagging import CONTENT, GOLD, NONE

RELEXICALIZED = ("relexicalized", "relexicalized_once")
"""What `prepare.words` can be of these."""
FEWEST = 8
"""Different words that one is drawn from, at least; an ending is not asked for where that leaves fewer."""
RATIO = 2.0
"""By which factor the frequencies of words that replace each other may differ, where that leaves enough."""
VOWELS = frozenset("aeiou")
CHARACTERS_AT_ONCE = 500_000
Kind = tuple[str, ...]
"""Part of speech, finer tag, kind of first letter, and ending."""


@dataclass(frozen=True)
class Group:
    """Words that may replace each other but for their frequency."""

    forms: tuple[str, ...]
    """In small letters."""
    bins: NDArray[np.int64]
    """Bin of frequency of each, (forms,)."""
    counts: NDArray[np.float64]
    """Occurrences in the training text, (forms,)."""
    place: dict[str, int]

    def draw(self, form: str, generator: np.random.Generator) -> str | None:
        """Another word of the frequency of `form`, frequent ones more often; None where there is none."""
        own = self.place[form]
        others = np.flatnonzero(self.bins == self.bins[own])
        others = others[others != own]
        if not len(others):
            return None
        edges = np.cumsum(self.counts[others])
        chosen = int(np.searchsorted(edges, generator.random() * edges[-1], side="right"))
        return self.forms[int(others[chosen])]


@dataclass
class Lexicon:
    """The content words of the training text by their kind."""

    counts: dict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Under each kind, of any length of ending, how often each form occurs."""
    groups: dict[Kind, Group] = field(default_factory=dict)

    def add(self, text: str, words: Iterable[Word]) -> None:
        """Count the content words of a text."""
        for word in words:
            form = text[word.start : word.end].lower()
            if is_content(form, word):
                for kind in kinds_of(form, word):
                    self.counts[kind][form] += 1

    def group_of(self, form: str, word: Word) -> Group | None:
        """The words that may replace one: of the same ending, if there are enough of them."""
        for kind in kinds_of(form, word):
            known = self.counts.get(kind, Counter())
            if len(known) >= FEWEST and form in known:
                if kind not in self.groups:
                    self.groups[kind] = _group(known)
                return self.groups[kind]
        return None


def is_content(form: str, word: Word) -> bool:
    """Whether a word may give way to another. Written-out numbers are few, and 1 is followed by other forms: they stay,
    as function words do."""
    return word.upos in CONTENT and (word.upos != "NUM" or (form != "1" and any(sign.isdigit() for sign in form)))


def kinds_of(form: str, word: Word) -> list[Kind]:
    """The kinds of a form in small letters, from the narrowest to the widest."""
    letters = unicodedata.normalize("NFD", form)
    first = "digits" if letters[0].isdigit() else "vowel" if letters[0] in VOWELS else "other"
    base = (word.upos, word.tag or word.feats, first)
    return [(*base, form[-2:]), (*base, form[-1:]), (*base, "")] if form.isalpha() else [(*base, "")]


def _group(known: Counter[str]) -> Group:
    forms = tuple(sorted(known))
    counts = np.array([known[form] for form in forms], dtype=np.float64)
    return Group(forms, frequency_bins(counts, RATIO, FEWEST), counts, {form: i for i, form in enumerate(forms)})


@dataclass
class Rewriting:
    """Documents with their content words replaced."""

    lexicon: Lexicon
    tag: Tagger
    once: bool
    """Whether all occurrences of a word in a document get the same one in its place."""
    seed: int
    content: int = 0
    """Content words read."""
    replaced: int = 0

    def rewritten(self, numbers: Sequence[int], documents: Sequence[Document]) -> list[Document]:
        """The documents, each with its words in their new places; what is drawn depends on their numbers alone."""
        gold = [document.words for document in documents]
        texts = [document.text for document in documents]
        words = (
            self.tag(texts)
            if any(gold_words is None for gold_words in gold)
            else [gold_words or () for gold_words in gold]
        )
        return [
            self._one(document, document_words, np.random.default_rng([self.seed, number]))
            for number, document, document_words in zip(numbers, documents, words, strict=True)
        ]

    def _one(self, document: Document, words: Sequence[Word], generator: np.random.Generator) -> Document:
        parts, moved, place, end = list[str](), list[Word](), 0, 0
        chosen: dict[tuple[str, str, str], str | None] = {}
        for word in words:
            gap, text = document.text[end : word.start], document.text[word.start : word.end]
            if word.start >= end and is_content(text.lower(), word):
                self.content += 1
                key = (text.lower(), word.upos, word.tag or word.feats)
                if not self.once or key not in chosen:
                    chosen[key] = self._other(text.lower(), word, generator)
                if other := chosen[key]:
                    self.replaced += 1
                    text = like(text, other)
            parts += [gap, text]
            begin = place + len(gap)
            place, end = begin + len(text), word.end
            moved.append(word._replace(start=begin, end=place))
        return replace(document, text="".join([*parts, document.text[end:]]), words=tuple(moved))

    def _other(self, form: str, word: Word, generator: np.random.Generator) -> str | None:
        group = self.lexicon.group_of(form, word)
        return group.draw(form, generator) if group else None

    def summary(self) -> str:
        """How many words were replaced, in words."""
        share = in_percent(self.replaced / max(1, self.content), 1)
        return f"{self.replaced:,} of {self.content:,} content words ({share}); others have none of their form"


def like(text: str, other: str) -> str:
    """Another word, written as large or small as this one."""
    if text.isupper() and len(text) > 1:
        return other.upper()
    return other[:1].upper() + other[1:] if text[:1].isupper() else other


def open_rewriting(
    words: str,
    seed: int,
    training: Iterable[Document],
    tagged: str,
    language: str,
    tagger: Tagger | None,
    characters: int,
    say: Callable[[str], None],
) -> Rewriting:
    """Read the training documents once for their words; what the tagger finds is kept for the next time.

    `words` is one of `RELEXICALIZED`, `tagged` the name of the tagger, and `tagger` it (None: gold words); all text has
    about so many `characters`.
    Raises `InputError` where the text has no tagger.
    """
    if tagged == NONE:
        raise InputError(
            f"prepare.words: {words} needs part of speech, and nothing tags {language!r} here; give "
            "--prepare.tagger spacy:PIPELINE or stanza:LANGUAGE, a treebank, or other words"
        )
    tag = cached(tagged, tagger, characters, say) if tagged != GOLD and tagger else _untagged
    lexicon = Lexicon()
    with Progress("tags", total=characters, unit="char") as progress:
        for group in adjoining(training, lambda document: len(document.text), CHARACTERS_AT_ONCE):
            gold = [document.words for document in group]
            texts = [document.text for document in group]
            tagged_words = [gold_words or () for gold_words in gold] if tagged == GOLD else tag(texts)
            for text, of_text in zip(texts, tagged_words, strict=True):
                lexicon.add(text, of_text)
                progress.advance(len(text))
    if not lexicon.counts:
        raise InputError(f"prepare.words: {words}: {tagged} finds no content word in the training text")
    return Rewriting(lexicon, tag, words == "relexicalized_once", seed)


def _untagged(texts: Sequence[str]) -> Sequence[Sequence[Word]]:
    raise AssertionError("gold words come with their documents")
