"""The stage `score` of a comparison: one row per token, or per word, with its log-probability under every model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..config.conversion import as_json
from ..config.schema import DiffConfig
from ..data.heldout import classify_types
from ..data.measured_text import MeasuredText
from ..data.pieces import read_pieces
from ..data.tagging import NO_WORD, UPOS, words_of_pieces
from ..runs.views import StageConfig
from ..system.errors import InputError
from ..system.processes import joined
from .about import About
from .encoded import Encoded
from .log_probs import TokenScores
from .named_models import parse_model, short_names
from .score_parts import of_all
from .score_table import ANNOTATIONS, CONTROL, CONTROL_MIXTURE, MEASURES, MIXTURE
from .scorers import Scorer, pair_divergences, same_vocabulary
from .units import Units, common_units, end_of_word_corrections, first_tokens, sums_over

Floats = NDArray[np.float64]


def score_models(config: StageConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Score the text in `run/data` under all models; write three files into `out`.

    - `scores.parquet`, a row for each token, or for each word that all tokenizers have: `document`, `position`,
      `piece_id`, `piece`, `start` and `end` (characters of its document), `word`, `upos`, `whole_word`, `begins`, for
      treebanks `deprel` and `feats`; then log-probabilities in nats (float32): `model_1`, `model_2` and so on,
      for models of one vocabulary `kl_2` and the other `score_table.MEASURES` of the first model and the second, and so
      on; `model_together` (of the mixture of all) and, where a control was given, `control` and `control_together`.
    - `vocabulary.parquet`, a row for each type: `piece`, `count`, `upos`, `word_class`;
    - `scorers.json`: what each model is and how it read the text, what is compared, and what could not be aligned.

    Under a launcher every process must call it: each scores some of the batches, and the first one joins them.

    Raises `InputError` for models that cannot be compared on this text.
    """
    settings: DiffConfig = config.diff
    text = MeasuredText(run)
    documents = text.documents
    texts, names = documents["text"].tolist(), documents["name"].tolist()
    given = [*settings.models, *([settings.control] if settings.control else [])]
    scorers = [
        Scorer(parse_model(model), short, texts, names) for model, short in zip(given, short_names(given), strict=True)
    ]
    unit = chosen_unit(settings, scorers)
    aligned = _by_word(text, texts, scorers) if unit == "word" else _by_token(text, texts, scorers[0])
    correct = all(scorer.kind != "file" for scorer in scorers)  # a file does not say where words begin
    columns: dict[str, Floats] = {}
    abouts = list[About]()
    processes, parts = joined(), out / "parts"
    labels = [f"model_{number}" for number in range(1, len(settings.models) + 1)] + [CONTROL] * bool(settings.control)
    for label, scorer in zip(labels, scorers, strict=True):
        places = aligned.places(scorer.encoded) if unit == "word" else None
        scores, about = scorer.score(settings, places, correct, say, processes)
        abouts.append(about)
        log_probs, *beginnings = (
            of_all(values, parts, f"{label}-{number}", processes)
            for number, values in enumerate((scores.log_probs, scores.beginnings)) if values is not None
        )  # fmt: skip
        if processes.first:
            of_all_processes = TokenScores(log_probs, beginnings[0] if beginnings else None)
            columns[label] = aligned.values(texts, scorer.encoded, of_all_processes)
    alike = same_vocabulary(scorers[: len(settings.models)]) and len({scorer.kind for scorer in scorers}) == 1
    measures: dict[str, NDArray[np.float32]] = {}
    if alike and unit == "token" and settings.divergence:
        for number, second in enumerate(scorers[1 : len(settings.models)], start=2):
            divergences = pair_divergences(scorers[0], second, settings, say, processes)
            divergences = of_all(divergences, parts, f"divergence-{number}", processes)
            measures |= {f"{name}_{number}": values for name, values in zip(MEASURES, divergences, strict=True)}
    if not processes.first:
        return
    if parts.exists():
        shutil.rmtree(parts)
    scored = np.logical_and.reduce([np.isfinite(values) for values in columns.values()])
    if not scored.any():
        raise InputError("diff: no token of the text has a log-probability under all models; give more text")
    characters = aligned.characters(texts)[scored].sum()
    abouts = [
        replace(about, bits_per_character=float(-columns[label][scored].sum() / np.log(2) / characters))
        for label, about in zip(labels, abouts, strict=True)
    ]
    models = np.array([columns[label] for label in labels if label != CONTROL])
    columns[MIXTURE] = mixture_of(models)
    if settings.control:
        columns[CONTROL_MIXTURE] = mixture_of(np.array([columns["model_1"], columns[CONTROL]]))
    _write(out, aligned, columns | measures, scored)
    counts = {
        "unit": unit,
        "same_vocabulary": alike,
        "characters": int(characters),
        "unscored": int((~scored).sum()),
        "alignment": aligned.counts(),
        "scorers": [about for about, label in zip(abouts, labels, strict=True) if label != CONTROL],
        "control": next((about for about, label in zip(abouts, labels, strict=True) if label == CONTROL), None),
    }
    (out / "scorers.json").write_text(as_json(counts), encoding="utf-8")


def mixture_of(log_probs: Floats) -> Floats:
    """The log of the mean probability over models, (rows,), from their log-probabilities (models, rows)."""
    mixture: Floats = np.logaddexp.reduce(log_probs, axis=0) - np.log(len(log_probs))
    return mixture


def chosen_unit(settings: DiffConfig, scorers: Sequence[Scorer]) -> str:
    """`token` or `word`. Raises `InputError` where tokens were asked for and models do not share them."""
    first, *others = scorers
    kinds = {scorer.kind for scorer in scorers}
    different = next((scorer for scorer in others if not first.encoded.same_as(scorer.encoded)), None)
    mixed = {"causal", "masked"} <= kinds
    if settings.unit == "token" and (mixed or different):
        why = (
            f"{first.named.given} and {different.named.given} divide this text into other tokens"
            if different
            else "a causal and a masked model predict tokens from other contexts"
        )
        raise InputError(f"diff.unit: token is not possible: {why}; use --unit word")
    return "word" if settings.unit == "word" or mixed or different else "token"


@dataclass(frozen=True)
class _Table:
    """Columns that do not depend on the models, each (rows,)."""

    document: NDArray[np.int32]
    """The number of the document."""
    position: NDArray[np.int32]
    piece: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    word: NDArray[np.int64]
    """Row of the word among those of the text; -1: none."""
    whole: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    pieces: list[str]
    """By piece id."""
    first: NDArray[np.int64]
    """First row of each document and, last, the number of rows."""


@dataclass(frozen=True)
class _Aligned:
    """The rows that all models are compared in."""

    text: MeasuredText
    table: _Table
    units: list[Units] | None
    """Of each document; None where rows are tokens."""

    def places(self, encoded: Encoded) -> NDArray[np.bool_]:
        """At which tokens units begin, (tokens,)."""
        assert self.units is not None
        begin_units = np.zeros(len(encoded), dtype=bool)
        for number, units in enumerate(self.units):
            part = encoded.of(number)
            begin_units[part.start + first_tokens(units, encoded.starts[part])] = True
        return begin_units

    def values(self, texts: Sequence[str], encoded: Encoded, scores: TokenScores) -> Floats:
        """Log-probability of each row, (rows,); NaN where there is none."""
        if self.units is None:
            return scores.log_probs.astype(np.float64)
        log_probs = []
        for number, units in enumerate(self.units):
            part = encoded.of(number)
            sums = sums_over(units, encoded.starts[part], scores.log_probs[part])
            if scores.beginnings is not None:
                sums += end_of_word_corrections(
                    texts[number], units, encoded.starts[part], encoded.ends[part], scores.beginnings[part]
                )
            log_probs.append(sums)
        return np.concatenate(log_probs)

    def characters(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Characters that each row stands for, with the white space after them, (rows,)."""
        starts, first = self.table.starts.astype(np.int64), self.table.first
        following = np.append(starts[1:], 0)
        following[first[1:] - 1] = [len(text) for text in texts]
        starts = starts.copy()
        starts[first[:-1]] = 0
        return following - starts

    def counts(self) -> dict[str, Any]:
        """The number of words, and how many have no row of their own because some tokenizer does not part them."""
        words = len(self.text.words)
        alone = len(np.unique(self.table.word[self.table.word >= 0])) if self.units is not None else words
        return {"words": words, "rows": len(self.table.piece), "words_not_aligned": words - alone}


def _by_token(text: MeasuredText, texts: Sequence[str], scorer: Scorer) -> _Aligned:
    encoded = scorer.encoded
    spans = text.words[["start", "end"]].to_numpy()
    word, whole_word = [], []
    for number in range(len(texts)):
        rows, part = slice(*text.first_words[number : number + 2].tolist()), encoded.of(number)
        index, is_whole = words_of_spans(spans[rows], encoded.starts[part])
        word.append(np.where(index >= 0, index + rows.start, -1))
        whole_word.append(is_whole)
    pieces = read_pieces(scorer.backend).labels if scorer.backend is not None else scorer.pieces
    numbers = text.documents["document"].to_numpy().astype(np.int32)
    lengths = np.diff(encoded.first)
    position = np.arange(len(encoded)) - np.repeat(encoded.first[:-1], lengths)
    table = _Table(
        np.repeat(numbers, lengths), position.astype(np.int32), encoded.ids, encoded.starts, encoded.ends,
        np.concatenate(word), np.concatenate(whole_word), encoded.begins, pieces, encoded.first,
    )  # fmt: skip
    return _Aligned(text, table, None)


def words_of_spans(
    spans: NDArray[np.integer], starts: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """`data.tagging.words_of_pieces`, of words as an array of first characters and ends, (words, 2)."""
    from ..data.documents import Word

    words = [Word(begin, end, "") for begin, end in spans.tolist()]
    return words_of_pieces(words, np.asarray(starts, dtype=np.int64))


def _by_word(text: MeasuredText, texts: Sequence[str], scorers: Sequence[Scorer]) -> _Aligned:
    spans = text.words[["start", "end"]].to_numpy()
    units, spelled, word = [], list[str](), []
    for number, content in enumerate(texts):
        rows = slice(*text.first_words[number : number + 2].tolist())
        of_document = common_units(
            content, spans[rows], [scorer.encoded.starts[scorer.encoded.of(number)] for scorer in scorers]
        )
        units.append(of_document)
        spelled += [content[a:b] for a, b in zip(of_document.starts.tolist(), of_document.ends.tolist(), strict=True)]
        word.append(np.where(of_document.word >= 0, of_document.word + rows.start, -1))
    ids, pieces = pd.factorize(np.array(spelled, dtype=object), sort=True)
    lengths = np.array([len(of_document.starts) for of_document in units])
    first = np.cumsum([0, *lengths.tolist()]).astype(np.int64)
    numbers = text.documents["document"].to_numpy().astype(np.int32)
    position = np.arange(first[-1]) - np.repeat(first[:-1], lengths)
    single = np.concatenate(word)
    table = _Table(
        np.repeat(numbers, lengths), position.astype(np.int32), ids.astype(np.int32),
        np.concatenate([of_document.starts for of_document in units]).astype(np.int32),
        np.concatenate([of_document.ends for of_document in units]).astype(np.int32),
        single, single >= 0, np.ones(len(single), dtype=bool), pieces.tolist(), first,
    )  # fmt: skip
    return _Aligned(text, table, units)


def _write(
    out: Path, aligned: _Aligned, columns: Mapping[str, NDArray[np.floating]], scored: NDArray[np.bool_]
) -> None:
    """The two tables, of the rows that all models have scored."""
    table, words = aligned.table, aligned.text.words
    tags = words["upos"].cat.set_categories([*UPOS, NO_WORD]).cat.codes.to_numpy(np.int8)
    tags = np.append(tags, np.int8(len(UPOS)))
    upos = tags[table.word]
    counted = np.zeros((len(table.pieces), len(UPOS) + 1), dtype=np.int64)
    tagged = scored & table.whole & (upos < len(UPOS))
    np.add.at(counted, (table.piece[tagged], upos[tagged]), 1)
    counted[:, -1] = np.bincount(table.piece[scored], minlength=len(table.pieces))
    kinds = classify_types(counted)
    pd.DataFrame({
        "piece": table.pieces, "count": counted[:, -1], "upos": kinds["upos"], "word_class": kinds["word_class"],
    }).to_parquet(out / "vocabulary.parquet", index=False)  # fmt: skip
    rows = {
        "document": pa.array(table.document[scored]), "position": pa.array(table.position[scored]),
        "piece_id": pa.array(table.piece[scored]),
        "piece": pa.DictionaryArray.from_arrays(pa.array(table.piece[scored]), pa.array(table.pieces, pa.string())),
        "start": pa.array(table.starts[scored]), "end": pa.array(table.ends[scored]),
        "word": pa.array(_spelled(aligned.text, table.word)[scored], pa.string()).dictionary_encode(),
        "upos": pa.DictionaryArray.from_arrays(pa.array(upos[scored]), pa.array([*UPOS, NO_WORD])),
        "whole_word": pa.array(table.whole[scored]), "begins": pa.array(table.begins[scored]),
    }  # fmt: skip
    for name in ANNOTATIONS:
        values = words[name].to_numpy(object)
        if (values != NO_WORD).any():
            rows[name] = pa.array(np.append(values, NO_WORD)[table.word][scored], pa.string()).dictionary_encode()
    rows |= {name: pa.array(values[scored].astype(np.float32)) for name, values in columns.items()}
    pq.write_table(pa.table(rows), out / "scores.parquet", row_group_size=1_000_000)


def _spelled(text: MeasuredText, word: NDArray[np.int64]) -> NDArray[np.object_]:
    """The words of these rows of the table of words, (rows,); "" for -1."""
    of_document = dict(zip(text.documents["document"].tolist(), text.documents["text"].tolist(), strict=True))
    longest = 200  # a "word" without end would be repeated for each of its pieces
    places = (text.words[name].tolist() for name in ("document", "start", "end"))
    forms = [
        of_document[document][start : min(end, start + longest)]
        for document, start, end in zip(*places, strict=True)
    ]  # fmt: skip
    spelled: NDArray[np.object_] = np.array([*forms, ""], dtype=object)[word]
    return spelled
