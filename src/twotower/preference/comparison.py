"""What many runs say together: a table of runs, their agreement, and the preference as it emerged in each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..data.heldout import PreparedText
from ..data.tokenization import PREFIX
from ..errors import InputError
from ..pipeline import Run
from .agreement import agreement, family_groups
from .contrasts import contrasts
from .scores import read_scores
from .statistics import frequency_strata
from .tallies import Tallies, tally

DRAWS, PERMUTATIONS = 200, 499
Described = tuple[str, Path, str, bool]
"""Name, folder, group (what is the same over seeds) and whether it is a pair of strangers."""


def compare_runs(described: Sequence[Described]) -> dict[str, Any]:
    """Everything in `study.json`. Raises `InputError` if a run lacks its scores."""
    rows = [_row(*one) for one in described]
    return {
        "runs": rows,
        "agreement": _agreement([one for one in described if not one[3]]),
        "agreement_of_strangers": _agreement([one for one in described if one[3]]),
        "emergence": {name: _emergence(folder) for name, folder, _, _ in described},
    }


def _row(name: str, folder: Path, group: str, stranger: bool) -> dict[str, Any]:
    results = Run.load(folder).results()
    return {
        "name": name, "group": group, "stranger": stranger, "seed": results["seed"],
        "family": results["model"]["family"], "towers": results["model"]["towers"],
        "tokens": results["training"]["tokens"], "perplexity": results["training"]["heldout_perplexity"],
        "reliability": results["reliability"], "separation": results["separation"], "direction": results["direction"],
        "sd": results["preference"]["sd"], "noise_sd": results["preference"]["noise_sd"],
    }  # fmt: skip


def _agreement(described: Sequence[Described]) -> dict[str, Any] | None:
    """Agreement of the runs with two towers that scored the same text; None for fewer than two such runs."""
    pairs = [(name, Run.load(folder), group) for name, folder, group, _ in described]
    pairs = [one for one in pairs if one[1].config.model.towers == 2]
    if len(pairs) < 2:
        return None
    names, runs, groups = zip(*pairs, strict=True)
    texts = [PreparedText(run.path) for run in runs]
    if len({text.summary["digest"] for text in texts}) > 1:
        raise InputError(
            "study: its runs have different corpora; agreement needs the same held-out text in all of them"
        )
    least = max(2 * run.config.analyze.min_count for run in runs)
    same_pieces = len({tuple(text.pieces) for text in texts}) == 1
    frequent = [_frequent(run, least, same_pieces) for run in runs]
    shared = sorted(set.intersection(*(set(one.index) for one in frequent)))
    if len(shared) < 10:
        raise InputError(
            f"study: its runs share {len(shared)} types that are frequent enough; agreement needs 10 or more"
        )
    strata = frequency_strata(frequent[0].loc[shared, "training_count"].to_numpy(), runs[0].config.analyze.strata)
    tallies = [_tallies(run, one, shared) for run, one in zip(runs, frequent, strict=True)]
    generator = np.random.default_rng(0)
    found = agreement(tallies, strata, family_groups(groups), DRAWS, PERMUTATIONS, 0.95, generator)
    return {"names": list(names), "shared": "pieces" if same_pieces else "whole words", **found}


def _frequent(run: Run, least: int, pieces: bool) -> pd.DataFrame:
    """The types that occur often enough, by their piece; only whole words where vocabularies differ."""
    types = run.preference()
    types = types[types["count"] >= least]
    if not pieces:
        types = types[~types["piece"].str.startswith(PREFIX)]
    return types.set_index("piece")


def _tallies(run: Run, frequent: pd.DataFrame, shared: list[str]) -> Tallies:
    scores = read_scores(run.path / "scores.parquet", ["document", "piece_id", "readout_1", "readout_2"])
    number = np.full(int(scores["piece_id"].max()) + 1, -1)
    ids = frequent.loc[shared, "piece_id"].to_numpy()
    number[ids] = np.arange(len(shared))
    kind = number[scores["piece_id"].to_numpy()]
    document = pd.factorize(scores["document"])[0]
    kept = kind >= 0
    return tally(document[kept], kind[kept], contrasts(2)[0].of(scores)[kept], len(shared))


def _emergence(folder: Path) -> list[dict[str, Any]]:
    """The rows that a run logged while it trained: tokens, nats, AUROC and spread on a sample of the held-out text."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["kind"] == "heldout"]
    return [
        {
            key: row[key] if row[key] == row[key] else None
            for key in ("tokens", "joint_nats", "tower_nats", "auroc", "spread")
        }
        for row in rows
    ]
