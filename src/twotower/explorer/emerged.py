"""The preference of each type and of each class at every evaluation of the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..data.heldout import CONTENT_CLASS, FUNCTION_CLASS
from ..preference.emergence import WATCHING
from ..preference.labelled import LEXICAL_AND_GRAMMATICAL
from ..preference.types import type_preferences
from ..statistics.intervals import errors_to_each_side
from ..statistics.tallies import tally
from .explored import ExploredRun
from .plain import column, number

FEW_DRAWS = 20
"""For types: only their standard errors are shown, which need none."""
FEWEST = 3
"""Occurrences in the sample below which the curve of a type would be noise."""


def emerged(run: ExploredRun) -> dict[str, Any]:
    """What training gave, evaluation by evaluation, on the sample of held-out text that each of them reads.

    Returns:
        `tokens` of training at each evaluation; `nats`: by head, its mean negative log-probability at each; `piece_id`
        and `count` of the types in the sample with at least `FEWEST` occurrences; and for each preference, by its
        suffix: `types` (evaluations, types), their `error` (standard errors, documents as clusters), `classes` (for
        each part of speech, and for function and content words, `name`, `count`, and `mean`, `low`, `high` at each
        evaluation, a bootstrap over documents), and `floor`. All in nats. Preferences are means over both sets of
        readouts that watch, minus the mean of all lexical and grammatical words, as in the report. The floor is what
        these means may differ from 0 by where the towers do not differ: half of what the two sets differ by,
        its root mean square over parts of speech.
    """
    table = pd.read_parquet(run.run.require("emergence.parquet"))
    if table.empty:
        return {"tokens": [], "nats": {}, "piece_id": [], "count": [], "preferences": {}}
    parts = [(int(tokens), part) for tokens, part in table.groupby("tokens")]
    sample = parts[0][1]
    document = pd.factorize(sample["document"])[0].astype(np.int64)
    kinds, count = np.unique(sample["piece_id"].to_numpy(np.int64), return_counts=True)
    kinds, count = kinds[count >= FEWEST], count[count >= FEWEST]
    upos, word_class = (run.text.classes[name].to_numpy(dtype=object) for name in ("upos", "word_class"))
    names = sorted({str(tag) for tag in upos} - {"_"})
    preferences: dict[str, Any] = {}
    for contrast in run.contrasts:
        means, errors, floors = [], [], []
        classes: dict[str, dict[str, Any]] = {}
        for _, part in parts:
            piece = part["piece_id"].to_numpy(np.int64)
            compared = np.isin(upos[piece].astype(str), LEXICAL_AND_GRAMMATICAL)
            by_set = [_centred(contrast.of(part, readouts), compared) for readouts in WATCHING]
            values = np.mean(by_set, axis=0)
            floor = _floor(by_set[0] - by_set[1], pd.factorize(upos[piece])[0], run.config.analyze.confidence)
            floors.append(number(floor))
            by_type = _of(run, document, piece, values, len(upos), FEW_DRAWS)
            means.append(column(by_type["mean"][kinds]))
            errors.append(column(by_type["standard_error"][kinds]))
            for labels, wanted in ((upos, names), (word_class, [FUNCTION_CLASS, CONTENT_CLASS])):
                code = pd.Index(wanted, dtype=object).get_indexer(labels[piece])
                known = code >= 0
                by_tag = _of(
                    run, document[known], code[known], values[known], len(wanted), run.config.analyze.bootstrap
                )
                for number_, name in enumerate(wanted):
                    if by_tag["count"][number_]:
                        row = classes.setdefault(name, {"name": name, "count": int(by_tag["count"][number_])})
                        for figure in ("mean", "low", "high"):
                            row.setdefault(figure, []).append(number(by_tag[figure][number_]))
        preferences[contrast.suffix] = {
            "types": means,
            "error": errors,
            "classes": list(classes.values()),
            "floor": floors,
        }
    return {
        "tokens": [tokens for tokens, _ in parts],
        "nats": {head: [number(-float(part[head].mean())) for _, part in parts] for head in run.heads},
        "piece_id": kinds.tolist(),
        "count": count.tolist(),
        "preferences": preferences,
    }


def _centred(values: Any, compared: Any) -> Any:
    return values - (values[compared].mean() if compared.any() else 0.0)


def _floor(between: Any, word_class: Any, confidence: float) -> float:
    """From what two sets of readouts differ by at each occurrence, and its class."""
    counts = np.bincount(word_class)
    half = np.bincount(word_class, between)[counts > 0] / counts[counts > 0] / 2
    return errors_to_each_side(confidence) * float(np.sqrt(np.average(half**2, weights=counts[counts > 0])))


def _of(run: ExploredRun, document: Any, group: Any, values: Any, groups: int, draws: int) -> dict[str, Any]:
    tallies = tally(document, group, values, groups)
    return type_preferences(tallies, draws, run.config.analyze.confidence, np.random.default_rng(run.config.seed))
