"""Concordances: where a query is met in the held-out text, with the words around it and what each head makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .explored import ExploredRun
from .held_words import HeldoutWords, Ids
from .plain import column
from .query import Hits, find, read_query

CONTEXT = 12
"""Words on each side of a hit."""
MOST_HITS = 20_000
"""Hits that are sent; of more, so many that are evenly spread."""
NONE = -1


def concordance(run: ExploredRun, typed: str, case: bool, documents: NDArray[np.bool_]) -> dict[str, Any]:
    """Every hit of a query, in the order of the text.

    Args:
        run: whose held-out text.
        typed: the query, see `query.read_query`.
        case: whether capitals count.
        documents: in which documents, (documents,).

    Returns:
        `total` hits, of which at most `MOST_HITS`, evenly spread, are told; `tokens`: the words in `documents`; `word`
        and `count`: the words that are told of, with their number in `documents`; and lists with an item for each hit:
        `document`, `position` and `length` (in pieces), `key` (a word), `tag`, and the measures of the hit, which are
        sums over its pieces, in nats; `left` and `right`: `CONTEXT` words for each hit, nearest first, -1 beyond the
        document; `before` and `after`: for a piece, the other parts of its word. Raises `InputError` for a query that
        cannot be read.
    """
    words = run.words
    query = read_query(typed, words.tags)
    hits = find(words, query, case, run.pieces.tolist(), run.piece_ids)
    inside = np.flatnonzero(documents[words.document[hits.first]])
    total = len(inside)
    if total > MOST_HITS:
        inside = inside[np.linspace(0, total - 1, MOST_HITS).astype(np.int64)]
    hits = Hits(hits.begin[inside], hits.end[inside], hits.first[inside], hits.last[inside])
    table = _Table(words)
    document = words.document[hits.first]
    parts: dict[str, list[str]] = {}
    if query.kind == "piece":
        key = [table.add(str(run.pieces[piece]).removeprefix("##")) for piece in run.piece_ids[hits.begin]]
        parts = {
            "before": [_joined(run, *ends) for ends in zip(words.start[hits.first], hits.begin, strict=True)],
            "after": [_joined(run, *ends) for ends in zip(hits.end, words.start[hits.last + 1], strict=True)],
        }
    else:
        key = [table.add(_phrase(words, *ends)) for ends in zip(hits.first, hits.last, strict=True)]
    kept = documents[words.document]
    left = _beside(words, hits.first, -1)
    right = _beside(words, hits.last, 1)
    return {
        "total": total,
        "tokens": int(kept.sum()),
        "document": document.tolist(),
        "position": (hits.begin - run.bounds[document]).tolist(),
        "length": (hits.end - hits.begin).tolist(),
        "key": key,
        "tag": [words.tags[code] for code in words.tag[hits.last]],
        "left": table.add_all(left),
        "right": table.add_all(right),
        **parts,
        "measures": {name: column(_sums(values, hits)) for name, values in run.measures.items()},
        "word": table.texts,
        "count": table.counts(np.bincount(words.word[kept], minlength=len(words.texts))),
    }


class _Table:
    """The words that an answer tells of, numbered in the order in which they come up."""

    def __init__(self, words: HeldoutWords) -> None:
        self.words = words
        self.texts: list[str] = []
        self._number: dict[str, int] = {}

    def add(self, text: str) -> int:
        if text not in self._number:
            self._number[text] = len(self.texts)
            self.texts.append(text)
        return self._number[text]

    def add_all(self, ids: Ids) -> list[int]:
        different, places = np.unique(ids, return_inverse=True)
        numbers = np.array([NONE if word == NONE else self.add(self.words.texts[word]) for word in different.tolist()])
        return numbers[places].ravel().tolist() if len(different) else []

    def counts(self, of_words: Ids) -> list[int]:
        count = dict(zip(self.words.texts, of_words.tolist(), strict=True))
        return [count.get(text, 0) for text in self.texts]


def _beside(words: HeldoutWords, at: Ids, step: int) -> Ids:
    """The words on one side of each hit, nearest first, (hits, CONTEXT); `NONE` beyond its document."""
    places = at[:, None] + step * np.arange(1, CONTEXT + 1)
    inside = (places >= 0) & (places < len(words))
    safe = np.where(inside, places, 0)
    inside &= words.document[safe] == words.document[at][:, None]
    return np.where(inside, words.word[safe], NONE)


def _sums(values: NDArray[np.float64], hits: Hits) -> NDArray[np.float64]:
    """A measure added up over the pieces of each hit, (hits,)."""
    if not len(hits.begin):
        return np.empty(0)
    longest = int((hits.end - hits.begin).max())
    total = np.zeros(len(hits.begin))
    for distance in range(longest):
        within = hits.begin + distance < hits.end
        total[within] += values[hits.begin[within] + distance]
    return total


def _phrase(words: HeldoutWords, first: int, last: int) -> str:
    return " ".join(words.texts[word] for word in words.word[first : last + 1])


def _joined(run: ExploredRun, begin: int, end: int) -> str:
    return "".join(str(run.pieces[piece]).removeprefix("##") for piece in run.piece_ids[begin:end])
