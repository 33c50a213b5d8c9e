"""The stage `analyze`: from scores to preference and every number of the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..config.conversion import as_json
from ..data.bigrams import baselines
from ..knowledge.found import knowledge_of
from ..preference.context import context
from ..preference.direction import direction
from ..preference.divided import Planted
from ..preference.division import with_strangers
from ..preference.emergence import emergence
from ..preference.measured import Measured
from ..preference.scale import scale_of
from ..preference.types import perplexity, types_table
from ..runs.records import read_record
from ..runs.stages import STAGES
from ..runs.views import StageConfig
from ..system.progress import Progress
from ..training.convergence import read_readouts
from ..training.metrics import read_trained
from .results import STATISTICS, Baselines, CorpusOfRun, ModelOfRun, Results, TrainingOfRun, results_in


def analyze(config: StageConfig, run: Path, out: Path) -> None:
    """Read `run/scores.parquet`; write `preference.parquet` and `results.json` into `out`."""
    measured = Measured.of(config, run)
    assert measured.text is not None
    trained = read_trained(run)
    types, figures = analyze_measured(measured)
    towers, resampling = config.model.towers, (config.analyze.bootstrap, config.analyze.confidence)
    results = Results(
        corpus=CorpusOfRun.of(
            measured.text.summary, measured.blocks if measured.blocks < measured.documents else None
        ),
        model=ModelOfRun(
            config.model.family, trained.objective, towers, config.model.cooperation, trained.parameters,
            config.model.width, config.model.layers, config.model.planted, config.model.dial,
        ),
        training=TrainingOfRun(
            trained.steps, trained.tokens, perplexity(measured), Baselines(**baselines(measured.text))
        ),
        readouts=read_readouts(run),
        seed=config.seed,
        **figures,
        context=context(
            pd.read_parquet(run / "context.parquet"), towers, *resampling, measured.generator("context")
        ),
        direction=direction(
            pd.read_parquet(run / "direction.parquet"), towers, *resampling, measured.generator("direction")
        ),
        emergence=emergence(pd.read_parquet(run / "emergence.parquet"), measured),
        knowledge=knowledge_of(run, config.made),
    )  # fmt: skip
    if "strangers.json" in config.made and results.division is not None:
        strangers = results_in(run / "strangers.json", run).division
        if strangers is not None:
            results = replace(results, division=with_strangers(results.division, strangers))
    if "planted.json" in config.made and results.division is not None:
        planted = read_planted(run)
        rows = scale_of(results.division, planted.divisions, config.analyze.confidence)
        results = replace(results, division=replace(results.division, scale=rows, along_texts=planted.along_texts))
    types.to_parquet(out / "preference.parquet", index=False)
    (out / "results.json").write_text(as_json(results), encoding="utf-8")


def read_planted(run: Path) -> Planted:
    """What the planted pairs of a run are, beside it."""
    return read_record(Planted, run / "planted.json", f"redo it with `{STAGES['planted'].command(run)}`")


def analyze_measured(measured: Measured) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per type that occurs, and the figures that come from scores, by their fields of `Results`."""
    with Progress("analyze", total=1 + len(STATISTICS), unit="statistic") as progress:
        types = progress.counted(types_table(measured))
        return types, {name: progress.counted(statistic(measured)) for name, statistic in STATISTICS.items()}
