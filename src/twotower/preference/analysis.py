"""The stage `analyze`: from scores to preference and every number of the report."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config import AnalyzeConfig, RunConfig
from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS, PreparedText
from ..data.tagging import NO_WORD, UPOS
from ..modeling.contrasts import Contrast, contrasts
from ..progress import Progress
from ..statistics.intervals import Estimate
from ..statistics.strata import frequency_strata
from ..statistics.tallies import Floats, Tallies, tally
from .direction import direction
from .emergence import emergence
from .prediction import predict_part_of_speech
from .reliability import reliability, spearman_brown
from .scores import read_scores
from .separation import Separation, separation
from .types import group_means, type_preferences

NOTHING = {"estimate": None, "low": None, "high": None}
"""An estimate that cannot be had."""


def analyze(config: RunConfig, run: Path, out: Path) -> None:
    """Read `run/scores.parquet`; write `preference.parquet` and `results.json` into `out`."""
    text = PreparedText(run)
    heads = [f"{name}_{tower}" for name in ("readout", "noise") for tower in range(1, config.model.towers + 1)]
    scores = read_scores(run / "scores.parquet", ["document", "piece_id", "upos", "whole_word", "joint", *heads])
    training = json.loads((run / "training.json").read_text(encoding="utf-8"))
    types, results = analyze_scores(
        scores, config.model.towers, text.pieces, text.frequencies, text.classes, config.analyze, config.seed
    )
    lesioned = pd.read_parquet(run / "direction.parquet")
    generator = np.random.default_rng([config.seed, 1])
    resampling = (config.analyze.bootstrap, config.analyze.confidence)
    results["direction"] = direction(lesioned, config.model.towers, *resampling, generator)
    results["emergence"] = emergence(
        pd.read_parquet(run / "emergence.parquet"),
        config.model.towers,
        text.frequencies,
        text.classes,
        config.analyze,
        training["seconds_at"],
        config.seed,
    )
    summary = text.summary
    perplexity = results.pop("perplexity")
    results = {
        "corpus": {
            key: summary[key] for key in
            ("name", "documents", "tokens", "heldout_documents", "heldout_tokens", "parts", "digest", "tagger",
             "vocabulary")
        },
        "model": {
            "family": config.model.family, "objective": training["objective"], "towers": config.model.towers,
            "cooperation": config.model.cooperation,
            "parameters": training["parameters"], "width": config.model.width, "layers": config.model.layers,
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
    towers: int,
    pieces: list[str],
    frequencies: np.ndarray,
    classes: pd.DataFrame,
    settings: AnalyzeConfig,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Preference and its statistics.

    Args:
        scores: as `score` writes them.
        towers: how many towers they are of; one has no preference, only a noise floor.
        pieces, frequencies, classes: of each type, by id, its piece, training count, and part of speech and class.
        settings, seed: how to resample, and from which seed.

    Returns:
        One row per type that occurs, and the figures of `results.json` that come from scores.
    """
    piece = scores["piece_id"].to_numpy()
    document = pd.factorize(scores["document"])[0]
    generators = iter(np.random.default_rng(seed).spawn(64))
    found = contrasts(towers)
    numbers = range(1, towers + 1)
    preferences = [tally(document, piece, contrast.of(scores), len(pieces)) for contrast in found]
    noise = [tally(document, piece, _noise(scores, tower), len(pieces)) for tower in numbers]
    resampling = (settings.bootstrap, settings.confidence)
    halves = (settings.min_count, settings.splits, *resampling)
    with Progress("analyze", total=3 + 2 * towers + (3 if found else 0), unit="statistic") as progress:
        types = progress.counted(
            _types_table(scores, towers, preferences, noise[0], pieces, frequencies, classes, resampling, generators)
        )
        reliable: dict[str, Any] = dict(NOTHING)
        if found:
            reliable = vars(progress.counted(reliability(preferences, *halves, next(generators))))
        floors = [progress.counted(reliability([floor], *halves, next(generators))) for floor in noise]
        separated = _separation(preferences, noise, types, len(pieces), settings, next(generators), progress)
        by_upos = progress.counted(_by_upos(scores, found, document, resampling, generators))
        predicted = _prediction(preferences, noise[0], types, len(pieces), settings, next(generators), progress)
    results = {
        "perplexity": {
            "joint": _perplexity(scores["joint"]),
            "towers": [_perplexity(scores[f"readout_{tower}"]) for tower in numbers],
        },
        "preference": _spread(scores, found, types[types["count"] >= 2 * settings.min_count]),
        "reliability": {
            **reliable,
            "spearman_brown": None if not found else spearman_brown(reliable["estimate"]),
            "noise_floor": {
                **vars(max(floors, key=lambda floor: floor.estimate)),
                "towers": [vars(floor) for floor in floors],
            },
        },
        "separation": separated,
        "by_upos": by_upos,
        "part_of_speech": predicted,
    }
    return types, results


def _noise(scores: pd.DataFrame, tower: int) -> Floats:
    """The difference between two readouts of one tower, for each occurrence."""
    values: Floats = scores[f"readout_{tower}"].to_numpy(np.float64) - scores[f"noise_{tower}"].to_numpy(np.float64)
    return values


def _perplexity(log_probs: pd.Series) -> float:
    return math.exp(-log_probs.to_numpy(np.float64).mean())


def _spread(scores: pd.DataFrame, found: list[Contrast], frequent: pd.DataFrame) -> dict[str, Any]:
    """How far preferences of the types that are frequent enough go apart, and where they lie, in nats."""
    each = [
        {
            "tower": contrast.tower,
            "sd": float(frequent[f"mean{contrast.suffix}"].std()),
            "mean": float(contrast.of(scores).mean()),
        }
        for contrast in found
    ]
    pooled = math.sqrt(sum(one["sd"] ** 2 for one in each) / len(each)) if each else None
    return {
        "types": len(frequent),
        "occurrences": len(scores),
        "sd": pooled,
        "mean": each[0]["mean"] if len(each) == 1 else None,
        "noise_sd": float(frequent["noise"].std()),
        "definition": [contrast.name for contrast in found],
        **({"towers": each} if len(each) > 1 else {}),
    }


def _types_table(
    scores: pd.DataFrame,
    towers: int,
    preferences: list[Tallies],
    noise: Tallies,
    pieces: list[str],
    frequencies: np.ndarray,
    classes: pd.DataFrame,
    resampling: tuple[int, float],
    generators: Iterator[np.random.Generator],
) -> pd.DataFrame:
    piece = scores["piece_id"].to_numpy()
    count = np.asarray(noise.counts.sum(axis=0)).ravel().astype(np.int64)
    table = pd.DataFrame({
        "piece_id": np.arange(len(pieces), dtype=np.int32),
        "piece": pieces,
        "upos": classes["upos"],
        "word_class": classes["word_class"],
        "training_count": frequencies,
        "count": count,
        "documents": np.asarray((noise.counts > 0).sum(axis=0)).ravel(),
    })  # fmt: skip
    for contrast, tallies in zip(contrasts(towers), preferences, strict=True):
        columns = type_preferences(tallies, *resampling, next(generators))
        for name in ("mean", "standard_error", "low", "high"):
            table[name + contrast.suffix] = columns[name]
    for head in ("joint", *(f"readout_{tower}" for tower in range(1, towers + 1))):
        table[head] = _type_means(piece, scores[head], count)
    table["noise"] = _type_means(piece, scores["readout_1"] - scores["noise_1"], count)
    return table[table["count"] > 0].reset_index(drop=True)


def _type_means(piece: np.ndarray, values: pd.Series, count: np.ndarray) -> np.ndarray:
    sums = np.bincount(piece, weights=values.to_numpy(np.float64), minlength=len(count))
    means: np.ndarray = np.divide(sums, count, where=count > 0, out=np.full(len(count), np.nan))
    return means


def _separation(
    preferences: list[Tallies],
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
    nothing = dict.fromkeys(("auroc", "low", "high", "p_value", "function_tower"))
    if not function.any() or function.all():
        return {**nothing, "noise_floor": nothing, **counts}
    mask = np.zeros(vocabulary, dtype=bool)
    mask[chosen["piece_id"]] = True
    strata = frequency_strata(chosen["training_count"].to_numpy(), settings.strata)

    def separate(parts: list[Tallies]) -> Separation:
        return progress.counted(
            separation(
                [part.select(mask) for part in parts],
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

    measured = vars(separate(preferences)) if preferences else nothing
    floor = max((separate([part]) for part in noise), key=lambda one: one.auroc)
    return {**measured, "noise_floor": vars(floor), **counts}


def _prediction(
    preferences: list[Tallies],
    noise: Tallies,
    types: pd.DataFrame,
    vocabulary: int,
    settings: AnalyzeConfig,
    generator: np.random.Generator,
    progress: Progress,
) -> dict[str, Any] | None:
    """Part of speech predicted from preference and, as its noise floor, from two readouts of one tower."""
    chosen = types[(types["count"] >= 2 * settings.min_count) & (types["upos"] != NO_WORD)]
    mask = np.zeros(vocabulary, dtype=bool)
    mask[chosen["piece_id"]] = True
    frequency, upos = chosen["training_count"].to_numpy(), chosen["upos"].to_numpy(dtype=object)
    strata = frequency_strata(frequency, settings.strata)
    found = [
        progress.counted(
            predict_part_of_speech(
                [part.select(mask) for part in parts], frequency, upos, strata, settings.confidence, generator
            )
        )
        for parts in (preferences, [noise])
        if parts
    ]
    if not preferences or found[0] is None or found[1] is None:
        return None
    return {**found[0], "noise_floor": found[1]["gain"]}


def _by_upos(
    scores: pd.DataFrame,
    found: list[Contrast],
    document: np.ndarray,
    resampling: tuple[int, float],
    generators: Iterator[np.random.Generator],
) -> dict[str, dict[str, Any]]:
    """Mean preference over whole-word occurrences of each part of speech; for more than two towers, of each tower."""
    whole = scores["whole_word"].to_numpy()
    codes = scores["upos"].astype(str).map({tag: number for number, tag in enumerate(UPOS)})
    known = whole & codes.notna().to_numpy()
    table: dict[str, dict[str, Any]] = {}
    for contrast in found:
        kinds = codes[known].to_numpy(np.int64)
        tallies = tally(document[known], kinds, contrast.of(scores)[known], len(UPOS))
        means = group_means(tallies, *resampling, next(generators))
        for tag, (estimate, count) in zip(UPOS, means, strict=True):
            if count:
                row = table.setdefault(tag, {"occurrences": count})
                values = _rename_mean(estimate)
                if len(found) == 1:
                    row.update(values)
                else:
                    row.setdefault("towers", []).append({"tower": contrast.tower, **values})
    return table


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
