"""What the report shows, as plain data: read once, drawn twice (interactive, and as SVG for papers)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config import RunConfig
from ..data.heldout import PreparedText
from ..data.tagging import CONTENT, FUNCTION, NO_WORD

TOWER_COLORS = ("#2f6db3", "#d1661d")
CLASS_COLORS = {"function": "#7b3fa0", "content": "#2a8c5a", "other": "#8a8f98"}
PASSAGES, PASSAGE_PIECES = 6, 160
PASSAGE_LIMIT = 2.0
"""Nats at which a passage's colour is full."""


@dataclass(frozen=True)
class Contents:
    """Everything on the page."""

    config: RunConfig
    results: dict[str, Any]
    provenance: dict[str, Any]
    training: pd.DataFrame
    """step, tokens, joint, tower_1, tower_2: nats on the training batches."""
    heldout: pd.DataFrame
    """step, tokens, joint_nats, tower_1, tower_2, auroc, spread: the emergence."""
    types: pd.DataFrame
    """`preference.parquet`, the types that occur often enough for statistics."""
    by_upos: pd.DataFrame
    """upos, mean, low, high, occurrences, word_class; ordered by mean."""
    passages: list[dict[str, Any]]


def read_contents(config: RunConfig, run: Path) -> Contents:
    """Gather the report's data from a run folder."""
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    provenance = json.loads((run / "provenance.json").read_text(encoding="utf-8"))
    training, heldout = _curves(run / "metrics.jsonl")
    types = pd.read_parquet(run / "preference.parquet")
    types = types[types["count"] >= 2 * config.analyze.min_count].reset_index(drop=True)
    return Contents(config, results, provenance, training, heldout, types, _by_upos(results["by_upos"]), _passages(run))


def _curves(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "heldout": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        towers = row.pop("towers", None) or row.pop("tower_nats")
        rows[row.pop("kind")].append(row | {f"tower_{k}": value for k, value in enumerate(towers, start=1)})
    return pd.DataFrame(rows["train"]), pd.DataFrame(rows["heldout"])


def _by_upos(values: dict[str, dict[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame([{"upos": tag, **row} for tag, row in values.items()])
    if table.empty:
        return pd.DataFrame(columns=["upos", "mean", "low", "high", "occurrences", "word_class"])
    table["word_class"] = [
        "function" if tag in FUNCTION else "content" if tag in CONTENT else "other" for tag in table["upos"]
    ]
    return table.sort_values("mean").reset_index(drop=True)


def _passages(run: Path) -> list[dict[str, Any]]:
    """The middle of a few held-out documents, spread over the split, piece by piece."""
    columns = ["document", "position", "piece", "word", "upos", "readout_1", "readout_2"]
    scores = pd.read_parquet(run / "scores.parquet", columns=columns)
    names = PreparedText(run).documents.set_index("document")["name"]
    documents = scores["document"].unique()
    chosen = documents[np.unique(np.linspace(0, len(documents) - 1, PASSAGES).astype(int))]
    passages = []
    for document in chosen:
        rows = scores[scores["document"] == document]
        begin = max(0, len(rows) // 2 - PASSAGE_PIECES // 2)
        rows = rows.iloc[begin : begin + PASSAGE_PIECES]
        pieces = [
            {
                "text": str(piece).removeprefix("##"),
                "glued": str(piece).startswith("##"),
                "color": _shade(float(first - second)),
                "title": f"{piece} · {upos} · tower 1: {first:.2f}, tower 2: {second:.2f}, "
                f"difference {first - second:+.2f} nats",
            }
            for piece, upos, first, second in zip(
                rows["piece"], rows["upos"], rows["readout_1"], rows["readout_2"], strict=True
            )
        ]
        passages.append({"name": str(names[document]), "pieces": pieces})
    return passages


def _shade(difference: float) -> str:
    """The background of a piece: the colour of the tower that predicts it better, as strong as the difference."""
    color = TOWER_COLORS[0] if difference >= 0 else TOWER_COLORS[1]
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{min(1.0, abs(difference) / PASSAGE_LIMIT) * 0.75:.2f})"


def directed_auroc(heldout: pd.DataFrame) -> pd.Series:
    """AUROC as it emerges, in the direction that it has at the end: it may pass below 0.5 on the way."""
    auroc: pd.Series = heldout["auroc"]
    return auroc if auroc.iloc[-1] >= 0.5 else 1 - auroc


def favourites(types: pd.DataFrame, tower: int, number: int = 60) -> dict[str, float]:
    """The words that a tower prefers most, among the types whose interval leaves out the mean of all types.

    Returns the piece and how far its preference is from that mean, in nats, largest first.
    """
    centre = types["mean"].mean()
    sign = 1.0 if tower == 1 else -1.0
    beyond = (types["low"] > centre if tower == 1 else types["high"] < centre) & (types["upos"] != NO_WORD)
    ranked = (sign * (types["mean"] - centre))[beyond].sort_values(ascending=False, kind="stable").head(number)
    return {str(types.loc[index, "piece"]): float(value) for index, value in ranked.items()}
