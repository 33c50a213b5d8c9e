"""The stage `analyze`: from scores to preference and every number of the report."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config import AnalyzeConfig, RunConfig
from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS, PreparedText
from ..data.tagging import UPOS
from ..progress import Progress
from . import statistics
from .scores import read_scores
from .statistics import Estimate
from .tallies import Floats, Tallies, tally


def analyze(config: RunConfig, run: Path, out: Path) -> None:
    """Read `run/scores.parquet`; write `preference.parquet` and `results.json` into `out`."""
    text = PreparedText(run)
    heads = ["joint", *(f"{name}_{tower}" for name in ("readout", "noise") for tower in (1, 2))]
    scores = read_scores(run / "scores.parquet", ["document", "piece_id", "upos", "whole_word", *heads])
    training = json.loads((run / "training.json").read_text(encoding="utf-8"))
    types, results = analyze_scores(scores, text.pieces, text.frequencies, text.classes, config.analyze, config.seed)
    summary = text.summary
    perplexity = results.pop("perplexity")
    results = {
        "corpus": {
            key: summary[key] for key in
            ("name", "documents", "tokens", "heldout_documents", "heldout_tokens", "digest", "tagger", "vocabulary")
        },
        "model": {
            "family": config.model.family, "towers": config.model.towers, "parameters": training["parameters"],
            "width": config.model.width, "layers": config.model.layers, "heads": config.model.heads,
        },
        "training": {
            "steps": training["steps"], "tokens": training["tokens"], "seconds": training["seconds"],
            "tokens_per_second": training["tokens_per_second"], "heldout_perplexity": perplexity,
        },
        "seed": config.seed,
        **results,
    }  # fmt: skip
    types.to_parquet(out / "preference.parquet", index=False)
    (out / "results.json").write_text(json.dumps(_without_nan(results), indent=2) + "\n", encoding="utf-8")


def analyze_scores(
    scores: pd.DataFrame,
    pieces: list[str],
    frequencies: np.ndarray,
    classes: pd.DataFrame,
    settings: AnalyzeConfig,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Preference and its statistics for two towers.

    Args:
        scores: as `score` writes them.
        pieces, frequencies, classes: of each type, by id, its piece, training count, and part of speech and class.
        settings, seed: how to resample, and from which seed.

    Returns:
        One row per type that occurs, and the figures of `results.json` that come from scores.
    """
    piece = scores["piece_id"].to_numpy()
    document = pd.factorize(scores["document"])[0]
    generators = iter(np.random.default_rng(seed).spawn(16))

    def preference_tallies(first: str, second: str) -> Tallies:
        return tally(document, piece, _difference(scores, first, second), len(pieces))

    tallies = preference_tallies("readout_1", "readout_2")
    noise = [preference_tallies(f"readout_{k}", f"noise_{k}") for k in (1, 2)]
    resampling = (settings.bootstrap, settings.confidence)
    halves = (settings.min_count, settings.splits, *resampling)
    with Progress("analyze", total=8, unit="statistic") as progress:
        types = progress.counted(
            _types_table(scores, tallies, pieces, frequencies, classes, resampling, next(generators))
        )
        reliable = progress.counted(statistics.reliability(tallies, *halves, next(generators)))
        floors = [progress.counted(statistics.reliability(floor, *halves, next(generators))) for floor in noise]
        separated = _separation(tallies, noise, types, len(pieces), settings, next(generators), progress)
        by_upos = progress.counted(_by_upos(scores, document, resampling, next(generators)))
    frequent = (types["count"] >= 2 * settings.min_count).to_numpy()
    results = {
        "perplexity": {
            "joint": _perplexity(scores["joint"]),
            "towers": [_perplexity(scores[f"readout_{k}"]) for k in (1, 2)],
        },
        "preference": {
            "types": int(frequent.sum()),
            "occurrences": len(scores),
            "sd": float(types.loc[frequent, "mean"].std()),
            "mean": float(_difference(scores, "readout_1", "readout_2").mean()),
            "noise_sd": float(types.loc[frequent, "noise"].std()),
        },
        "reliability": {
            **vars(reliable),
            "spearman_brown": statistics.spearman_brown(reliable.estimate),
            "noise_floor": {
                **vars(max(floors, key=lambda floor: floor.estimate)),
                "towers": [vars(floor) for floor in floors],
            },
        },
        "separation": separated,
        "by_upos": by_upos,
    }
    return types, results


def _difference(scores: pd.DataFrame, first: str, second: str) -> Floats:
    values: Floats = scores[first].to_numpy(np.float64) - scores[second].to_numpy(np.float64)
    return values


def _perplexity(log_probs: pd.Series) -> float:
    return math.exp(-log_probs.to_numpy(np.float64).mean())


def _types_table(
    scores: pd.DataFrame,
    tallies: Tallies,
    pieces: list[str],
    frequencies: np.ndarray,
    classes: pd.DataFrame,
    resampling: tuple[int, float],
    generator: np.random.Generator,
) -> pd.DataFrame:
    piece = scores["piece_id"].to_numpy()
    columns = statistics.type_preferences(tallies, *resampling, generator)
    count = columns.pop("count").astype(np.int64)
    table = pd.DataFrame({
        "piece_id": np.arange(len(pieces), dtype=np.int32),
        "piece": pieces,
        "upos": classes["upos"],
        "word_class": classes["word_class"],
        "training_count": frequencies,
        "count": count,
        "documents": np.asarray((tallies.counts > 0).sum(axis=0)).ravel(),
        **columns,
    })  # fmt: skip
    for head in ("joint", "readout_1", "readout_2"):
        table[head] = _type_means(piece, scores[head], count)
    table["noise"] = _type_means(piece, scores["readout_1"] - scores["noise_1"], count)
    return table[table["count"] > 0].reset_index(drop=True)


def _type_means(piece: np.ndarray, values: pd.Series, count: np.ndarray) -> np.ndarray:
    sums = np.bincount(piece, weights=values.to_numpy(np.float64), minlength=len(count))
    means: np.ndarray = np.divide(sums, count, where=count > 0, out=np.full(len(count), np.nan))
    return means


def _separation(
    tallies: Tallies,
    noise: list[Tallies],
    types: pd.DataFrame,
    vocabulary: int,
    settings: AnalyzeConfig,
    generator: np.random.Generator,
    progress: Progress,
) -> dict[str, Any]:
    """The separation of preference and, as its noise floor, the largest one of two readouts of one tower."""
    chosen = types[
        (types["count"] >= 2 * settings.min_count) & types["word_class"].isin([FUNCTION_CLASS, CONTENT_CLASS])
    ]
    function = (chosen["word_class"] == FUNCTION_CLASS).to_numpy()
    counts = {
        "function_types": int(function.sum()), "content_types": int((~function).sum()), "strata": settings.strata,
    }  # fmt: skip
    if not function.any() or function.all():
        nothing = dict.fromkeys(("auroc", "low", "high", "p_value", "function_tower"))
        return {**nothing, "noise_floor": nothing, **counts}
    mask = np.zeros(vocabulary, dtype=bool)
    mask[chosen["piece_id"]] = True
    strata = statistics.frequency_strata(chosen["training_count"].to_numpy(), settings.strata)
    results = [
        progress.counted(
            statistics.separation(
                part.select(mask),
                function,
                strata,
                settings.min_count,
                settings.splits,
                settings.bootstrap,
                settings.permutations,
                settings.confidence,
                generator,
            )
        )
        for part in (tallies, *noise)
    ]
    floor = max(results[1:], key=lambda one: one.auroc)
    return {**vars(results[0]), "noise_floor": vars(floor), **counts}


def _by_upos(
    scores: pd.DataFrame, document: np.ndarray, resampling: tuple[int, float], generator: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Mean preference over whole-word occurrences of each part of speech."""
    whole = scores["whole_word"].to_numpy()
    codes = scores["upos"].astype(str).map({tag: number for number, tag in enumerate(UPOS)})
    known = whole & codes.notna().to_numpy()
    difference = _difference(scores, "readout_1", "readout_2")
    tallies = tally(document[known], codes[known].to_numpy(np.int64), difference[known], len(UPOS))
    means = statistics.group_means(tallies, *resampling, generator)
    return {
        tag: {**_rename_mean(estimate), "occurrences": count}
        for tag, (estimate, count) in zip(UPOS, means, strict=True)
        if count
    }


def _rename_mean(value: Estimate) -> dict[str, float]:
    return {"mean": value.estimate, "low": value.low, "high": value.high}


def _without_nan(value: Any) -> Any:
    """NaN is not JSON: a figure that cannot be had is null."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
