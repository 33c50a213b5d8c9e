"""What the page of a comparison shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..config.schema import RunConfig
from ..data.measured_text import MeasuredText
from ..preference.class_variance import FEW_TYPES
from ..preference.division import Division
from ..results.diff_results import DiffResults, diff_results_in
from ..runs.provenance import Provenance, read_provenance
from ..scoring.score_table import ScoreColumns
from ..statistics.contrasts import Contrast, contrasts
from .numbers import fixed
from .passages import PASSAGE_LIMIT, PASSAGE_SHADE, PASSAGES, Passage, ShadedPiece
from .style import class_of_piece

PASSAGE_ROWS = 160


@dataclass(frozen=True)
class DiffContents:
    """Everything on the page of a comparison."""

    config: RunConfig
    settings: str
    """All settings of the run, as YAML."""
    provenance: Provenance
    results: DiffResults
    types: pd.DataFrame
    """`preference.parquet`, the types that occur often enough for statistics."""
    profile: pd.DataFrame
    """For each word class and model: `model` (from 0), `upos`, `mean`, `low`, `high` (beyond frequency), `sure`."""
    passages: list[Passage]

    @property
    def names(self) -> list[str]:
        """What the models are called."""
        return self.results.names

    @property
    def division(self) -> Division:
        """The ruler's figures, as figures of towers show them."""
        return self.results.division.as_division

    @property
    def sets(self) -> list[str]:
        """Models have no sets of readouts."""
        return []

    @property
    def contrasts(self) -> list[Contrast]:
        """The differences of which the page tells."""
        return contrasts(len(self.names))


def read_diff_contents(config: RunConfig, run: Path) -> DiffContents:
    """Gather the data of the page from a run folder."""
    results = diff_results_in(run / "results.json", run)
    provenance = read_provenance(run, f"delete it, and `twotower run --out {run}` writes it")
    types = pd.read_parquet(run / "preference.parquet")
    types = types[types["count"] >= 2 * config.analyze.min_count].reset_index(drop=True)
    return DiffContents(
        config, (run / "config.yaml").read_text(encoding="utf-8"), provenance, results,
        types, _profile(results), _passages(run, results.names),
    )  # fmt: skip


def _profile(results: DiffResults) -> pd.DataFrame:
    upos = results.word_classes.upos if results.word_classes else None
    rows = []
    for row in upos.profile if upos else []:
        for preference in row.each:
            if preference.adjusted and row.types >= FEW_TYPES and row.compared:
                figures = {
                    "mean": preference.adjusted.mean,
                    "low": preference.adjusted.low,
                    "high": preference.adjusted.high,
                    "sure": preference.adjusted.sure,
                }
                rows.append({"model": preference.tower - 1, "upos": row.name, **figures})
    return pd.DataFrame(rows, columns=["model", "upos", "mean", "low", "high", "sure"])


def _passages(run: Path, names: list[str]) -> list[Passage]:
    """The middle of a few documents, spread over the text, row by row, with the model that predicts each better."""
    scores, text = ScoreColumns(run / "scores.parquet"), MeasuredText(run).documents.set_index("document")
    of_rows = scores["document"].to_numpy()
    documents = pd.unique(of_rows)
    chosen = documents[np.unique(np.linspace(0, len(documents) - 1, PASSAGES).astype(int))]
    passages = []
    for document in chosen:
        places = np.flatnonzero(of_rows == document)
        whole = str(text.loc[document, "text"])
        starts = scores["start"].to_numpy()
        begin = int(places[0]) + max(0, len(places) // 2 - PASSAGE_ROWS // 2)
        while begin > places[0] and whole[starts[begin] - 1 : starts[begin] + 1].isalnum():  # inside a word
            begin -= 1
        part = scores.part(slice(begin, min(begin + PASSAGE_ROWS, int(places[-1]) + 1)))
        log_probs = np.array([part[f"model_{number}"] for number in range(1, len(names) + 1)], dtype=np.float64)
        upos = part["upos"].tolist()
        bounds = [*part["start"].tolist(), int(part["end"].iloc[-1])]
        best = log_probs.argmax(axis=0)
        ahead = log_probs.max(axis=0) - (log_probs.min(axis=0) if len(names) == 2 else log_probs.mean(axis=0))
        pieces = []
        for row in range(len(part)):
            kind = class_of_piece(upos[row])
            nats = ", ".join(f"{name} {fixed(value)}" for name, value in zip(names, log_probs[:, row], strict=True))
            token = whole[bounds[row] : bounds[row + 1]]
            pieces.append(ShadedPiece(
                token, glued=True, tower=int(best[row]) + 1,
                shade=round(min(1.0, ahead[row] / PASSAGE_LIMIT) * PASSAGE_SHADE),
                tip=f"{token.strip()} ({kind}): log-probability {nats} nats; "
                f"{names[best[row]]} ahead by {ahead[row]:.2f}",
            ))  # fmt: skip
        passages.append(Passage(str(text.loc[document, "name"]), pieces))
    return passages
