"""The language of a text, guessed from passages spread over it.

Naive Bayes over byte n-grams (Lui and Baldwin 2012, langid.py), by py3langid, whose model is inside its wheel and holds
arrays only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .inventory import UNTOLD, Language

PASSAGE = 500
"""Characters of a passage."""
MOST_PASSAGES = 400
SURE = 0.5
"""Probability of a passage's language below which it cannot be told."""


class Passages:
    """Passages at even distances over a text of unknown length, at most `MOST_PASSAGES` of them."""

    def __init__(self) -> None:
        self._distance = PASSAGE
        self._seen = 0
        self._next = 0
        self._kept: list[str] = []

    def add(self, text: str) -> None:
        """Read on."""
        while self._next < self._seen + len(text):
            start = self._next - self._seen
            self._kept.append(text[start : start + PASSAGE])
            self._next += self._distance
            if len(self._kept) > MOST_PASSAGES:
                self._kept = self._kept[::2]
                self._distance *= 2
                self._next = len(self._kept) * self._distance
        self._seen += len(text)

    @property
    def texts(self) -> Sequence[str]:
        """Those that have text."""
        return [text for text in self._kept if text.strip()]


def guess(passages: Sequence[str], given: str = "") -> Language:
    """The language of most passages, or the one that was given, with the share of the characters that is in it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    characters = Counter[str]()
    for passage in passages:
        code, probability = model.classify(passage)
        characters[code if probability >= SURE and code != "zxx" else UNTOLD] += len(passage)
    code = given or next((code for code, _ in characters.most_common(1)), UNTOLD)
    return Language(code, characters[code] / max(1, characters.total()))
