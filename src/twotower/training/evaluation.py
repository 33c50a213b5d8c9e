"""Held-out perplexity and separation while the towers train: the preference, watched as it emerges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..config import AnalyzeConfig
from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS, PreparedText
from ..modeling.configuration import TowersConfig
from ..modeling.model import TowersModel
from ..modeling.scoring import score_rows
from ..preference.contrasts import contrasts
from ..preference.statistics import frequency_strata, stratified_auroc

BATCH = 64


@dataclass(frozen=True)
class Evaluation:
    """Figures on a fixed sample of the held-out text."""

    joint_nats: float
    tower_nats: list[float]
    auroc: list[float]
    """Function against content types within frequency strata: for two towers one figure, of tower 1 minus tower 2,
    whose sign is arbitrary; for more one per tower, minus their mean. Point estimates on a small sample: for watching,
    not for reporting."""
    spread: float
    """Standard deviation of the types' preferences, in nats; NaN for one tower."""


class Evaluator:
    """Scores the same held-out windows again and again."""

    def __init__(
        self, text: PreparedText, towers: TowersConfig, tokens: int, passes: int, analyze: AnalyzeConfig
    ) -> None:
        self.text = text
        rows = text.windows(towers.objective, towers.windows, towers.window)
        self.rows = rows.every(max(1, round(rows.scored / tokens)))
        self.passes = passes
        self.least = max(2, analyze.min_count // 3)
        word_class = text.classes["word_class"].to_numpy()
        self.function = word_class == FUNCTION_CLASS
        self.classed = self.function | (word_class == CONTENT_CLASS)
        self.strata = analyze.strata

    @torch.no_grad()
    def __call__(self, model: TowersModel, readouts: nn.ModuleList) -> Evaluation:
        """Evaluate `model` and one readout per tower; leaves them in the mode in which they were."""
        training = model.training
        model.eval()
        model.readouts["watch"] = readouts
        pieces, scores = [], []
        try:
            for piece, heads in score_rows(model, self.rows, BATCH, self.passes):
                pieces.append(piece.numpy())
                scores.append(torch.stack(list(heads.values())).double().numpy())
        finally:
            del model.readouts["watch"]
            model.train(training)
        return self._summarize(np.concatenate(pieces), np.concatenate(scores, axis=1))

    def _summarize(self, piece: NDArray[np.int64], scores: NDArray[np.float64]) -> Evaluation:
        nats = (-scores.mean(axis=1)).tolist()
        types = len(self.function)
        counts = np.bincount(piece, minlength=types)
        seen = counts >= self.least
        chosen = seen & self.classed
        strata = frequency_strata(self.text.frequencies[chosen], self.strata)
        areas, variances = [], []
        for contrast in contrasts(len(scores) - 1):
            sums = np.bincount(piece, weights=np.asarray(contrast.weights) @ scores[1:], minlength=types)
            preference = np.divide(sums, counts, where=seen, out=np.full(types, np.nan))
            if chosen.any():
                values = stratified_auroc(preference[None, chosen], self.function[chosen], strata)
                areas.append(float(values[0]))
            variances.append(float(preference[seen].var()) if seen.any() else np.nan)
        return Evaluation(nats[0], nats[1:], areas, float(np.sqrt(np.mean(variances))) if variances else np.nan)
