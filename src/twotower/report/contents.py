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
from ..modeling.contrasts import Contrast, contrasts
from ..runs.records import read_json

TOWER_COLORS = ("#2f6db3", "#d1661d", "#2a8c5a", "#7b3fa0", "#b8860b", "#c2255c", "#0b7285", "#5c5f66")
CLASS_COLORS = {"function": "#7b3fa0", "content": "#2a8c5a", "other": "#8a8f98"}
PROFILE_AXIS = "mean preference minus that of all words (nats)"
CONTEXT_AXES = ("tokens of context", "gain over one token of context (nats)")
SHARES_AXIS = "share of the variance between types (Shapley)"
PASSAGES, PASSAGE_PIECES = 6, 160
PASSAGE_LIMIT = 2.0
"""Nats at which a passage's colour is full."""


@dataclass(frozen=True)
class Contents:
    """Everything on the page."""

    config: RunConfig
    results: dict[str, Any]
    timing: dict[str, float]
    """Of the training: seconds, tokens_per_second."""
    provenance: dict[str, Any]
    training: pd.DataFrame
    """step, tokens, joint, tower_K: nats on the training batches."""
    heldout: pd.DataFrame
    """step, tokens, joint_nats, tower_K, auroc, spread: the emergence."""
    types: pd.DataFrame
    """`preference.parquet`, the types that occur often enough for statistics."""
    profile: pd.DataFrame
    """tower, upos, mean, low, high, occurrences, word_class, in_spread; by the mean of the first tower."""
    passages: list[dict[str, Any]]

    @property
    def towers(self) -> int:
        """Number of towers."""
        return self.config.model.towers

    @property
    def series(self) -> list[tuple[str, str, str]]:
        """For each preference its name, its colour, and the suffix of its columns in `types`."""
        one = len(self.contrasts) == 1
        return [(c.name, "#7b3fa0" if one else TOWER_COLORS[c.tower - 1], c.suffix) for c in self.contrasts]

    @property
    def tower_lines(self) -> list[tuple[str, str, str]]:
        """For each training curve its column in `training`, its name and its colour."""
        alone = [(f"tower_{k}", f"tower {k} alone", TOWER_COLORS[k - 1]) for k in range(1, self.towers + 1)]
        return [("joint", "joint", "#444444"), *alone]

    @property
    def contrasts(self) -> list[Contrast]:
        """The preferences of which the page tells; none for a single tower."""
        return contrasts(self.towers)


def read_contents(config: RunConfig, run: Path) -> Contents:
    """Gather the report's data from a run folder."""
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    trained = json.loads((run / "training.json").read_text(encoding="utf-8"))
    timing = {key: trained[key] for key in ("seconds", "tokens_per_second")}
    provenance = read_json(run / "provenance.json", f"delete it, and `twotower run --out {run}` writes it")
    training, heldout = _curves(run / "metrics.jsonl")
    types = pd.read_parquet(run / "preference.parquet")
    types = types[types["count"] >= 2 * config.analyze.min_count].reset_index(drop=True)
    profile = _profile(results)
    passages = _passages(run, contrasts(config.model.towers))
    return Contents(config, results, timing, provenance, training, heldout, types, profile, passages)


def _curves(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "heldout": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        towers = row.pop("towers", None) or row.pop("tower_nats")
        rows[row.pop("kind")].append(row | {f"tower_{k}": value for k, value in enumerate(towers, start=1)})
    for row in rows["heldout"]:
        row["auroc"] = _directed(row["auroc"], rows["heldout"][-1]["auroc"])
    return pd.DataFrame(rows["train"]), pd.DataFrame(rows["heldout"])


def _directed(areas: list[float], final: list[float]) -> float:
    """AUROC as it emerges, of the tower that is ahead at the end: it may pass below 0.5 on the way."""
    if not areas:
        return float("nan")
    if len(final) == 1:
        return areas[0] if final[0] >= 0.5 else 1 - areas[0]
    return areas[int(np.argmax(final))]


def _profile(results: dict[str, Any]) -> pd.DataFrame:
    found = (results["word_classes"] or {}).get("upos")
    rows = []
    for row in (found or {"profile": []})["profile"]:
        tag = row["class"]
        word_class = "function" if tag in FUNCTION else "content" if tag in CONTENT else "other"
        for one in row.get("towers", [{"tower": 1, **row}]):
            if one["mean"] is not None and not row["few_types"]:
                shared = {"upos": tag, "occurrences": row["occurrences"], "word_class": word_class}
                figures = {key: one[key] for key in ("tower", "mean", "low", "high")}
                rows.append({**shared, **figures, "in_spread": row["in_spread"]})
    if not rows:
        return pd.DataFrame(columns=["tower", "upos", "mean", "low", "high", "occurrences", "word_class", "in_spread"])
    table = pd.DataFrame(rows)
    order = table[table["tower"] == 1].set_index("upos")["mean"]
    table["order"] = table["upos"].map(order)
    return table.sort_values(["order", "tower"], ignore_index=True).drop(columns="order")


def context_curves(contents: Contents) -> list[tuple[str, str, pd.DataFrame]]:
    """For each head its name, its colour, and what it gains over one token of context: context, gain, low, high."""
    found = contents.results.get("context")
    curves = []
    for curve in found["curves"] if found else []:
        gains = [{"context": point["context"], **point["gain"]} for point in curve["points"]]
        points = pd.DataFrame(gains).rename(columns={"estimate": "gain"})
        tower = int(curve["head"].split()[-1]) if curve["head"] != "joint" else 0
        curves.append((curve["head"], TOWER_COLORS[tower - 1] if tower else "#444444", points))
    return curves


def shares(contents: Contents) -> pd.DataFrame:
    """What explains the preferences of types: name, estimate, low, high (shares of the variance), largest last."""
    found = contents.results.get("explained_by")
    rows = [{"name": one["name"], **one["shapley"]} for one in (found or {"groups": []})["groups"]]
    table = pd.DataFrame(rows, columns=["name", "estimate", "low", "high", "of_reliable"])
    return table.sort_values("estimate", ignore_index=True)


def _passages(run: Path, found: list[Contrast]) -> list[dict[str, Any]]:
    """The middle of a few held-out documents, spread over the split, piece by piece."""
    if not found:
        return []
    heads = [f"readout_{tower}" for tower in range(1, len(found[0].weights) + 1)]
    columns = ["document", "position", "piece", "word", "upos", *heads]
    scores = pd.read_parquet(run / "scores.parquet", columns=columns)
    names = PreparedText(run).documents.set_index("document")["name"]
    documents = scores["document"].unique()
    chosen = documents[np.unique(np.linspace(0, len(documents) - 1, PASSAGES).astype(int))]
    passages = []
    for document in chosen:
        rows = scores[scores["document"] == document]
        begin = max(0, len(rows) // 2 - PASSAGE_PIECES // 2)
        rows = rows.iloc[begin : begin + PASSAGE_PIECES]
        values = np.stack([contrast.of(rows) for contrast in found])
        if len(found) == 1:
            values = np.stack([values[0], -values[0]])
        best = values.argmax(axis=0)
        pieces = []
        for number, row in enumerate(rows.to_dict("records")):
            each = ", ".join(f"tower {tower}: {row[head]:.2f}" for tower, head in enumerate(heads, start=1))
            ahead = float(values[best[number], number])
            pieces.append({
                "text": str(row["piece"]).removeprefix("##"),
                "glued": str(row["piece"]).startswith("##"),
                "color": _shade(int(best[number]), ahead),
                "title": f"{row['piece']} · {row['upos']} · {each} nats; tower {best[number] + 1} ahead by {ahead:.2f}",
            })  # fmt: skip
        passages.append({"name": str(names[document]), "pieces": pieces})
    return passages


def _shade(tower: int, ahead: float) -> str:
    """The background of a piece: the colour of the tower that predicts it best, as strong as it is ahead."""
    red, green, blue = (int(TOWER_COLORS[tower][k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{min(1.0, ahead / PASSAGE_LIMIT) * 0.75:.2f})"


def scatter_points(contents: Contents) -> tuple[dict[str, tuple[pd.DataFrame, str]], str, str]:
    """Types by how well they are predicted: tower 2 over tower 1 for two towers, each over the mean of all for more.

    Returns, by name, groups of rows of `types` with coordinates `x`, `y` (nats) and `preference`, and their colour; and
    the labels of the axes.
    """
    types, points = contents.types, {}
    if len(contents.series) == 1:
        for word_class, color in CLASS_COLORS.items():
            rows = types[types["word_class"] == word_class]
            if len(rows):
                rows = rows.assign(x=rows["readout_1"], y=rows["readout_2"], preference=rows["mean"])
                points[word_class] = rows, color
        return points, "mean log-probability, tower 1 (nats)", "tower 2 (nats)"
    mean = types[[f"readout_{tower}" for tower in range(1, contents.towers + 1)]].mean(axis=1)
    for contrast in contents.contrasts:
        preference = types[f"mean{contrast.suffix}"]
        rows = types.assign(x=mean, y=types[f"readout_{contrast.tower}"], preference=preference)
        if len(rows):
            points[f"tower {contrast.tower}"] = rows, TOWER_COLORS[contrast.tower - 1]
    return points, "mean log-probability over towers (nats)", "each tower (nats)"


def favourites(contents: Contents, tower: int, number: int = 60) -> dict[str, float]:
    """The words that a tower prefers most, among the types whose interval leaves out the mean of all types.

    Returns the piece and how far the tower's preference for it is from that mean, in nats, largest first.
    """
    found, types = contents.contrasts, contents.types
    contrast = found[0] if len(found) == 1 else found[tower - 1]
    sign = 1.0 if tower == contrast.tower else -1.0
    mean, low, high = (types[name + contrast.suffix] for name in ("mean", "low", "high"))
    centre = mean.mean()
    beyond = ((low > centre) if sign > 0 else (high < centre)) & (types["upos"] != NO_WORD)
    ranked = (sign * (mean - centre))[beyond].sort_values(ascending=False, kind="stable").head(number)
    return {str(types.loc[index, "piece"]): float(value) for index, value in ranked.items()}
