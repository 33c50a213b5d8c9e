"""Text that a reader types, under each of the models that were compared: loaded when the first text is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.characters import visible
from ..data.pieces import read_pieces
from ..data.segmentation import untagged_words
from ..scoring.batches import Batches
from ..scoring.encoded import Encoded, word_beginning_pieces
from ..scoring.loading import load_model, resolved_device
from ..scoring.log_probs import logits_at, rows_of, score_rows, window_of
from ..scoring.named_models import parse_model
from ..scoring.rows import Rows
from ..scoring.scorers import Scorer
from ..scoring.units import Units, common_units, end_of_word_corrections, first_tokens, sums_over
from ..system.errors import InputError
from ..system.progress import without_progress
from .plain import column, number, text
from .sources import Models

if TYPE_CHECKING:
    from ..results.diff_results import DiffResults
    from .explored import ExploredRun

TOP = 8
"""Predictions of each model that are shown."""


@dataclass(frozen=True)
class _Read:
    """A text as one model reads it."""

    scorer: Scorer
    model: Any
    rows: Rows

    @property
    def encoded(self) -> Encoded:
        return self.scorer.encoded


class LiveModels:
    """The models of a comparison. Each text is read as a document of its own, framed as the comparison framed them."""

    def __init__(self, run: ExploredRun) -> None:
        assert isinstance(run.source, Models)
        self.run: ExploredRun = run
        self.results: DiffResults = run.source.results
        self._loaded: dict[int, Any] = {}

    @cached_property
    def _place_of(self) -> dict[str, int]:
        """The type of each piece, for words of a reader's own."""
        return {str(piece): place for place, piece in enumerate(self.run.pieces)}

    def read(self, typed: str, context: int | None) -> dict[str, Any]:
        """What the models make of a text: the same as `LiveText.read`, without what only towers have.

        Where words were compared, there is a piece for each word. Raises `InputError` for a text that is empty or
        longer than a window, and where a model is no longer where it was.
        """
        if context is not None:
            raise InputError("context: models that are compared are read with all of it")
        typed = visible(typed).strip()
        if not typed:
            raise InputError("type a sentence first")
        settings = self.run.config.diff
        with without_progress():
            reads = [self._read_by(place, typed) for place in range(len(settings.models))]
            units = self._units(typed, reads) if self.results.unit == "word" else None
            log_probs = [self._log_probs(read, typed, units) for read in reads]
            top = [self._top(read, units) for read in reads]
        ids, pieces = self._pieces(typed, reads[0], units)
        heads = self.run.source.alone
        return {
            "piece_id": ids,
            "piece": pieces,
            "log_probs": {head: column(values) for head, values in zip(heads, log_probs, strict=True)},
            "top": dict(zip(heads, top, strict=True)),
            "preference": {
                contrast.suffix: column(sum(w * values for w, values in zip(contrast.weights, log_probs, strict=True)))
                for contrast in self.run.contrasts
            },
            "lesions": [],
            "window": None,
            "cut": None,
        }  # fmt: skip

    def _read_by(self, place: int, typed: str) -> _Read:
        settings = self.run.config.diff
        scorer = Scorer(parse_model(settings.models[place]), self.results.names[place], [typed], ["text"])
        assert scorer.files is not None, "files of scores are not read live"
        if place not in self._loaded:
            self._loaded[place] = load_model(scorer.files, settings.dtype, resolved_device(settings.device))
        model = self._loaded[place]
        window = window_of(model, scorer.files, settings.window)
        rows = rows_of(scorer.files, scorer.encoded, window, max(1, window // 2))
        if len(scorer.encoded) > window:
            raise InputError(
                f"this text has {len(scorer.encoded)} tokens of {scorer.name}, which reads at most {window} at a time"
            )
        return _Read(scorer, model, rows)

    def _units(self, typed: str, reads: list[_Read]) -> Units:
        language = self.results.corpus.inventory.language
        words = untagged_words(typed, language.code if language else "en")
        spans = np.array([[word.start, word.end] for word in words], dtype=np.int64).reshape(-1, 2)
        return common_units(typed, spans, [read.encoded.starts for read in reads])

    def _log_probs(self, read: _Read, typed: str, units: Units | None) -> NDArray[np.float64]:
        encoded, files = read.encoded, read.scorer.files
        assert files is not None
        batches = Batches(self.run.config.diff.batch)
        if units is None:
            return score_rows(read.model, read.rows, encoded, batches, "read").log_probs.astype(np.float64)
        wanted = np.zeros(len(encoded), dtype=bool)
        wanted[first_tokens(units, encoded.starts)] = True
        beginning = word_beginning_pieces(files.backend) if files.direction == "causal" else None
        scores = score_rows(read.model, read.rows, encoded, batches, "read", beginning, wanted)
        sums = sums_over(units, encoded.starts, scores.log_probs)
        if scores.beginnings is not None:
            sums += end_of_word_corrections(typed, units, encoded.starts, encoded.ends, scores.beginnings)
        return sums

    def _top(self, read: _Read, units: Units | None) -> list[list[list[Any]]]:
        """The most probable tokens in the place of each token, or of the first one of each word."""
        files = read.scorer.files
        assert files is not None
        labels, encoded = read_pieces(files.backend).labels, read.encoded
        top: dict[int, list[list[Any]]] = {}
        for row in range(len(read.rows.lengths)):
            batch = read.rows.read(np.array([row]))
            best = torch.topk(logits_at(read.model, batch).float().softmax(dim=-1)[:, : len(labels)], TOP)
            for token, *pair in zip(batch.tokens.tolist(), best.indices.tolist(), best.values.tolist(), strict=True):
                top[token] = [[text(labels[piece]), number(value)] for piece, value in zip(*pair, strict=True)]
        wanted = range(len(encoded)) if units is None else first_tokens(units, encoded.starts).tolist()
        return [top.get(token, []) for token in wanted]

    def _pieces(self, typed: str, first: _Read, units: Units | None) -> tuple[list[int], list[str]]:
        if units is None:
            ids = first.encoded.ids.tolist()
            return ids, [str(self.run.pieces[piece]) for piece in ids]
        words = [text(typed[a:b]) for a, b in zip(units.starts.tolist(), units.ends.tolist(), strict=True)]
        return [self._place_of.get(word, -1) for word in words], words
