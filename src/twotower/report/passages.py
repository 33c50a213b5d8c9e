"""Held-out text on the page: each token shaded by which tower predicts it better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.heldout import PreparedText
from ..data.pieces import GOES_ON
from ..preference.contexts import ContextOfType
from ..preference.measured import sets_in
from ..scoring.score_table import ScoreColumns
from ..statistics.contrasts import Contrast
from .numbers import fixed
from .style import class_of_piece

PASSAGES, PASSAGE_PIECES = 6, 160
PASSAGE_LIMIT = 2.0
"""Nats at which a passage's colour is full."""
PASSAGE_SHADE = 50
"""Per cent of the tower's colour where it is full: text must stay legible on it."""
WORDS, SENTENCES = 3, 2
"""Words that are shown in two contexts, and sentences for each context."""
REACH = 18
"""Pieces of a sentence on each side of the word at the most."""
ENDS = frozenset(".!?")
OPENING, CLOSING = frozenset("([{“$"), frozenset(".,;:!?)]}%’”")


@dataclass(frozen=True)
class ShadedPiece:
    """A token as the page shows it."""

    text: str
    glued: bool
    """Whether no space stands before it."""
    tower: int
    """Which tower predicts it best."""
    shade: int
    """How strong that tower's colour is, in per cent."""
    tip: str
    key: bool = False
    """Whether it is the token that the passage is about."""


@dataclass(frozen=True)
class Passage:
    """Some of a held-out document."""

    name: str
    pieces: list[ShadedPiece]


@dataclass(frozen=True)
class WordInSentences:
    """A type whose division depends on the word before it, with typical sentences of either kind."""

    context: ContextOfType
    after: list[Passage]
    """After the word that makes the difference."""
    otherwise: list[Passage]


class ShadedText:
    """The scored held-out text of a run, mean over sets of readouts, from which passages are cut."""

    def __init__(self, run: Path, contrasts: list[Contrast]) -> None:
        self.contrasts = contrasts
        self.scores = ScoreColumns(run / "scores.parquet")
        self.sets = sets_in(self.scores.columns)
        self.document: NDArray[np.int64] = self.scores["document"].to_numpy()
        self.names = PreparedText(run).documents.set_index("document")["name"]

    @cached_property
    def piece(self) -> NDArray[np.object_]:
        """The piece of each occurrence, (occurrences,)."""
        return np.asarray(self.scores["piece"].astype(str), dtype=object)

    @cached_property
    def begins_word(self) -> NDArray[np.bool_]:
        """Which occurrences begin a word, (occurrences,)."""
        return np.array([not piece.startswith(GOES_ON) for piece in self.piece], dtype=bool)

    def bounds(self, place: int) -> tuple[int, int]:
        """Where the document of an occurrence begins and ends."""
        number = self.document[place]
        begin, end = np.searchsorted(self.document, [number, number + 1])
        return int(begin), int(end)

    def passage(self, begin: int, end: int, key: int = -1) -> Passage:
        """The occurrences from `begin` to `end`, of one document; `key` is the one that it is about."""
        part = self.scores.part(slice(begin, end))
        heads = [f"readout_{tower}" for tower in range(1, len(self.contrasts[0].weights) + 1)]
        alone = {
            head: np.mean([part[f"{name}_{tower}"].to_numpy(np.float64) for name in self.sets], axis=0)
            for tower, head in enumerate(heads, start=1)
        }
        rows = pd.DataFrame({"piece": part["piece"], "upos": part["upos"], **alone})
        values = np.stack([contrast.of(rows) for contrast in self.contrasts])
        if len(self.contrasts) == 1:
            values = np.stack([values[0], -values[0]])
        best = values.argmax(axis=0)
        pieces, glued = [], are_glued([str(piece) for piece in rows["piece"]])
        for number, row in enumerate(rows.to_dict("records")):
            kind = class_of_piece(row["upos"])
            nats = ", ".join(f"tower {tower}: {fixed(row[head])}" for tower, head in enumerate(heads, start=1))
            ahead = float(values[best[number], number])
            pieces.append(ShadedPiece(
                str(row["piece"]).removeprefix(GOES_ON),
                glued[number],
                int(best[number]) + 1,
                round(min(1.0, ahead / PASSAGE_LIMIT) * PASSAGE_SHADE),
                f"{row['piece']} ({kind}): log-probability {nats} nats; tower {best[number] + 1} ahead by {ahead:.2f}",
                begin + number == key,
            ))  # fmt: skip
        return Passage(str(self.names[self.document[begin]]), pieces)

    def difference(self, tower: int, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """The preference of a tower at some occurrences, in nats, (places,)."""
        contrast = next(contrast for contrast in self.contrasts if contrast.tower == tower)
        return contrast.mean_of(self.scores, self.sets)[places]


def are_glued(pieces: Sequence[str]) -> list[bool]:
    """Before which pieces of a text no space stands, as far as pieces tell: tokenizers leave spaces out.

    None inside a word, before a full stop, behind a bracket, around the hyphen of *two-thirds*, inside a dash and in
    numbers such as 1,000 and 3/4. `core.js` of the explorer has the same rules.
    """
    return [place > 0 and _is_glued(pieces, place) for place in range(len(pieces))]


def _is_glued(pieces: Sequence[str], place: int) -> bool:
    piece, before = pieces[place], pieces[place - 1]
    earlier = pieces[place - 2] if place > 1 else ""
    return (
        piece.startswith(GOES_ON) or piece in CLOSING or before in OPENING or piece == "'"
        or (before == "'" and (len(piece) < 3 or not earlier.endswith("s")))  # but not in: the nations' rights
        or (before == "," and piece.isdecimal() and len(piece) == 3 and earlier.isdecimal() and len(earlier) < 4)
        or piece == before == "-" or _joins(pieces, place) or _joins(pieces, place - 1)
    )  # fmt: skip


def _joins(pieces: Sequence[str], place: int) -> bool:
    """Whether a hyphen or a slash stands between words or numbers."""
    if pieces[place] not in ("-", "/") or not 0 < place < len(pieces) - 1:
        return False
    return all(pieces[beside].removeprefix(GOES_ON).isalnum() for beside in (place - 1, place + 1))


def passages(text: ShadedText) -> list[Passage]:
    """The middle of a few held-out documents, spread over the split; each begins and ends with a whole word."""
    documents = pd.unique(text.document)
    chosen = documents[np.unique(np.linspace(0, len(documents) - 1, PASSAGES).astype(int))]
    middles = []
    for document in chosen:
        first, last = (int(place) for place in np.searchsorted(text.document, [document, document + 1]))
        begin = _whole(text, first + max(0, (last - first) // 2 - PASSAGE_PIECES // 2), first, -1)
        end = _whole(text, min(begin + PASSAGE_PIECES, last), last, 1)
        middles.append(text.passage(begin, end))
    return middles


def _whole(text: ShadedText, place: int, limit: int, step: int) -> int:
    """The nearest place from here on, towards `limit`, at which a word begins or the document ends."""
    while place != limit and not text.begins_word[place]:
        place += step
    return place


def words_in_sentences(text: ShadedText, contexts: list[ContextOfType]) -> list[WordInSentences]:
    """The whole words whose division depends most on the word before, each in both contexts.

    `contexts` are those of `results.json`, largest first. Sentences are typical of their context: their preference is
    nearest to its mean; from different documents where there are some. Words without enough sentences are left out.
    """
    words: list[WordInSentences] = []
    for context in contexts:
        known = {word.context.piece for word in words}
        if len(words) == WORDS or context.piece in known or not (context.piece.isalpha() and context.after.isalpha()):
            continue
        places = np.flatnonzero(text.piece == context.piece)
        inside = places > 0
        before = np.where(inside, text.piece[places - 1], "")
        inside &= text.document[places] == text.document[places - 1]
        after = inside & (before == context.after)
        values = text.difference(context.tower, places)
        sides = [_typical(text, places[side], values[side]) for side in (after, ~after)]
        if all(len(side) == SENTENCES for side in sides):
            words.append(WordInSentences(context, *([_sentence(text, place) for place in side] for side in sides)))
    return words


def _typical(text: ShadedText, places: NDArray[np.int64], values: NDArray[np.float64]) -> list[int]:
    """The occurrences whose preference is nearest to the mean of all; of different documents if there are several."""
    if not len(places):
        return []
    ranked = places[np.argsort(np.abs(values - values.mean()), kind="stable")].tolist()
    documents: set[int] = set()
    others: list[int] = []
    chosen: list[int] = []
    for place in ranked:
        number = int(text.document[place])
        (others if number in documents else chosen).append(place)
        documents.add(number)
        if len(chosen) == SENTENCES:
            break
    return [*chosen, *others][:SENTENCES]


def _sentence(text: ShadedText, place: int) -> Passage:
    """The sentence of an occurrence, or as much of it as is near."""
    first, last = text.bounds(place)
    begin, end = place, place + 1
    while begin > first and place - begin < REACH and text.piece[begin - 1] not in ENDS:
        begin -= 1
    while begin < place and text.piece[begin] in CLOSING | {'"', "'"}:  # that end the sentence before
        begin += 1
    while end < last and end - place < REACH and text.piece[end - 1] not in ENDS:
        end += 1
    return text.passage(_whole(text, begin, first, -1), _whole(text, end, last, 1) if end < last else last, place)
