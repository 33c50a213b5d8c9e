"""The stage `analyze`: from scores to preference and every number of the report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from ..data.bigrams import baselines
from ..runs.records import read_json
from ..runs.stages import INSTRUMENTS, STAGES
from ..runs.views import StageConfig
from ..runs.writing import without_nan
from ..system.progress import Progress
from .clusters import by_cluster
from .context import context
from .contexts import contexts_of
from .direction import direction
from .division import division_from, division_of, with_strangers
from .emergence import emergence
from .explained_by import explained_by
from .measured import Measured
from .occurrences import within_types
from .reliability import reliability_of
from .router import router_of
from .types import perplexity, spread_of_types, types_table
from .word_classes import word_classes

STATISTICS: dict[str, Callable[[Measured], Any]] = {
    "perplexity": perplexity,
    "division": division_of,
    "router": router_of,
    "contexts": contexts_of,
    "preference": spread_of_types,
    "reliability": reliability_of,
    "reliability_by_cluster": by_cluster,
    "word_classes": word_classes,
    "explained_by": explained_by,
    "within_types": within_types,
}
"""What `results.json` says of the scores, by its key: a new statistic is a function of `Measured` and a line here."""

PARTS_OF_DIVISION = ("router", "contexts")
"""Which of these are keys of `division`; each takes time of its own."""


def analyze(config: StageConfig, run: Path, out: Path) -> None:
    """Read `run/scores.parquet`; write `preference.parquet` and `results.json` into `out`."""
    measured = Measured.of(config, run)
    assert measured.text is not None
    training = json.loads((run / "training.json").read_text(encoding="utf-8"))
    types, results = analyze_measured(measured)
    towers, resampling = config.model.towers, (config.analyze.bootstrap, config.analyze.confidence)
    results["context"] = context(
        pd.read_parquet(run / "context.parquet"), towers, *resampling, measured.generator("context")
    )
    results["direction"] = direction(
        pd.read_parquet(run / "direction.parquet"), towers, *resampling, measured.generator("direction")
    )
    results["emergence"] = emergence(pd.read_parquet(run / "emergence.parquet"), towers)
    summary = measured.text.summary
    heldout_perplexity = results.pop("perplexity")
    results = {
        "corpus": {
            **{key: summary[key] for key in
               ("name", "documents", "tokens", "heldout_documents", "heldout_tokens", "parts", "digest", "tagger",
                "vocabulary", "inventory")},
            "heldout_blocks": measured.blocks if measured.blocks < measured.documents else None,
        },
        "model": {
            "family": config.model.family, "objective": training["objective"], "towers": config.model.towers,
            "cooperation": config.model.cooperation,
            "parameters": training["parameters"], "width": config.model.width, "layers": config.model.layers,
        },
        "training": {
            "steps": training["steps"], "tokens": training["tokens"], "heldout_perplexity": heldout_perplexity,
            "baselines": baselines(measured.text),
        },
        "readouts": json.loads((run / "readout.json").read_text(encoding="utf-8")),
        "seed": config.seed,
        **results,
    }  # fmt: skip
    if "strangers.json" in config.made and results["division"] is not None:
        control = read_json(run / "strangers.json", f"redo it with `{STAGES['strangers'].command(run)}`")
        both = (division_from(one["division"]) for one in (results, control))
        results["division"] |= dataclasses.asdict(with_strangers(*both))
    if known := knowledge_of(run, config.made):
        results["knowledge"] = known
    types.to_parquet(out / "preference.parquet", index=False)
    (out / "results.json").write_text(json.dumps(without_nan(results), indent=2) + "\n", encoding="utf-8")


def knowledge_of(run: Path, made: Collection[str]) -> dict[str, Any]:
    """What the instruments of `twotower know` have found, by their names; `made`: what is up to date."""
    return {
        name: read_json(run / f"knowledge/{name}/results.json", f"redo it with `{STAGES[name].command(run)}`")
        for name in INSTRUMENTS
        if f"knowledge/{name}" in made
    }


def analyze_measured(measured: Measured) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per type that occurs, and the figures of `results.json` that come from scores."""
    with Progress("analyze", total=1 + len(STATISTICS), unit="statistic") as progress:
        types = progress.counted(types_table(measured))
        results = {name: progress.counted(_plain(statistic(measured))) for name, statistic in STATISTICS.items()}
    results = {name: found for name, found in results.items() if name not in PARTS_OF_DIVISION} | {
        "division": results["division"] and results["division"] | {name: results[name] for name in PARTS_OF_DIVISION}
    }
    return types, results


def _plain(found: Any) -> Any:
    if isinstance(found, list):
        return [_plain(one) for one in found]
    return dataclasses.asdict(found) if dataclasses.is_dataclass(found) and not isinstance(found, type) else found
