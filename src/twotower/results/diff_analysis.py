"""The stage `analyze` of a comparison: the ruler, with models in the place of towers.

What differs is known exactly, so that there are no readouts, and nothing here that belongs to them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config.conversion import as_json
from ..config.schema import RunConfig
from ..data.measured_text import MeasuredText
from ..preference.clusters import by_cluster
from ..preference.contexts import contexts_of
from ..preference.divergence import divergence_of
from ..preference.division import division_of
from ..preference.measured import Measured
from ..preference.reliability import reliability_of
from ..preference.router import router_of
from ..preference.types import spread_of_types, types_table
from ..preference.word_classes import word_classes
from ..runs.views import StageConfig
from ..scoring.score_table import ANNOTATIONS, CONTROL, CONTROL_MIXTURE, MIXTURE, ScoreColumns
from ..statistics.clustering import Clusters
from ..system.progress import Progress
from .diff_results import CorpusOfDiff, DiffResults, DivisionOfModels, MeanDifference, Scored, read_scored


def analyze_diff(config: StageConfig, run: Path, out: Path) -> None:
    """Read `run/scores.parquet`; write `preference.parquet` and `results.json` into `out`."""
    scored = read_scored(run)
    names = [scorer.name for scorer in scored.scorers]
    measured = measured_models(config, run, scored)
    control = measured_control(measured, run) if scored.control is not None else None
    statistics: dict[str, Callable[[], Any]] = {
        "difference": lambda: mean_differences(measured, names),
        "divergence": lambda: divergence_of(measured, names) or None,
        "models": lambda: division_of(measured),
        "control": lambda: division_of(control) if control is not None else None,
        "router": lambda: router_of(measured),
        "contexts": lambda: contexts_of(measured),
        "preference": lambda: spread_of_types(measured),
        "reliability": lambda: reliability_of(measured),
        "reliability_by_cluster": lambda: by_cluster(measured),
        "word_classes": lambda: word_classes(measured),
    }
    with Progress("analyze", total=1 + len(statistics), unit="statistic") as progress:
        types = progress.counted(types_table(measured))
        figures = {name: progress.counted(statistic()) for name, statistic in statistics.items()}
    division = DivisionOfModels.of(*(figures.pop(name) for name in ("models", "control", "router", "contexts")))
    definition = [f"{row.model} minus {row.against}" for row in figures["difference"]]
    figures["preference"] = dataclasses.replace(figures["preference"], definition=definition)
    results = DiffResults(
        corpus=_corpus(run, measured), seed=config.seed, division=division, **scored.shared, **figures
    )
    types.to_parquet(out / "preference.parquet", index=False)
    (out / "results.json").write_text(as_json(results), encoding="utf-8")


def measured_models(config: RunConfig, run: Path, scored: Scored) -> Measured:
    """The scored text of a comparison, as every statistic starts from it."""
    text, scores = MeasuredText(run), ScoreColumns(run / "scores.parquet")
    vocabulary = pd.read_parquet(run / "vocabulary.parquet")
    annotated = {name: scores[name] for name in ANNOTATIONS if name in scores.columns}
    documents = text.documents
    return Measured(
        scores, len(scored.scorers), vocabulary["piece"].tolist(), vocabulary["count"].to_numpy(np.int64),
        vocabulary[["upos", "word_class"]], config.analyze, config.seed,
        names=dict(zip(documents["document"].tolist(), documents["name"].tolist(), strict=True)),
        annotations=pd.DataFrame(annotated) if annotated else None,
        reads_ahead=any(scorer.kind == "masked" for scorer in scored.scorers),
    )  # fmt: skip


def measured_control(measured: Measured, run: Path) -> Measured:
    """The same text, with the control in place of the second model."""
    renamed = {"model_2": CONTROL, MIXTURE: CONTROL_MIXTURE}
    return dataclasses.replace(measured, scores=ScoreColumns(run / "scores.parquet", renamed=renamed), towers=2)


def mean_differences(measured: Measured, names: list[str]) -> list[MeanDifference]:
    """How much better the first of two models predicts than the second; of more, each than the mean of all."""
    clusters = Clusters({"document": measured.block})
    differences = []
    for contrast in measured.contrasts:
        values = measured.difference(contrast)
        estimate = float(values.mean())
        interval = clusters.interval(estimate, (values - estimate) / len(values), measured.settings.confidence)
        against = names[1] if len(names) == 2 else "the mean of all"
        model = names[contrast.tower - 1]
        differences.append(MeanDifference(interval.estimate, interval.low, interval.high, model, against))
    return differences


def _corpus(run: Path, measured: Measured) -> CorpusOfDiff:
    read, blocks = MeasuredText(run).summary, measured.blocks if measured.blocks < measured.documents else None
    return CorpusOfDiff(
        read.name, read.documents, read.characters, read.words, read.digest, read.tagger, read.inventory, blocks
    )
