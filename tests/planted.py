"""A scored text made from planted truth, for the statistics of one run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twotower.config.schema import AnalyzeConfig
from twotower.data.heldout import classify_types
from twotower.data.tagging import UPOS
from twotower.preference.measured import SETS, Measured

SETTINGS = AnalyzeConfig(min_count=3, splits=6, bootstrap=100, permutations=199)
TAGS = ("ADJ", "AUX", "DET", "NOUN", "PRON", "PROPN", "VERB")


def planted(
    seed: int,
    effect: dict[str, float] | None = None,
    frequency_effect: float = 0.0,
    type_sd: float = 0.2,
    noise: float = 1.0,
    types: int = 400,
    tokens: int = 24_000,
    documents: int = 30,
    towers: int = 2,
    readout_sd: float = 0.0,
) -> Measured:
    """Zipfian types with one part of speech each; tower 1 is better at a class by its `effect`, in nats.

    `frequency_effect` is nats per unit of log frequency. Function words (AUX DET PRON) are the frequent ones, so that
    it mimics an effect of class. `readout_sd` is what a set of readouts alone does to a type's preference.
    """
    generator = np.random.default_rng(seed)
    weights = 1 / np.arange(1, types + 1)
    rank = np.arange(types)
    closed = generator.random(types) < np.where(rank < types // 8, 0.6, 0.05)
    open_tags = generator.choice(["ADJ", "NOUN", "PROPN", "VERB"], types)
    tag = np.where(closed, generator.choice(["AUX", "DET", "PRON"], types), open_tags)
    piece = generator.choice(types, tokens, p=weights / weights.sum())
    document = np.sort(generator.integers(0, documents, tokens))
    shift = np.array([(effect or {}).get(name, 0.0) for name in tag]) + type_sd * generator.standard_normal(types)
    shift += frequency_effect * np.log(weights / weights.mean())
    topic = 0.1 * generator.standard_normal((documents, types))
    base = -4 + generator.standard_normal(tokens)
    columns = {"joint": base, "near": base - 0.1}
    of_set = readout_sd * generator.standard_normal((len(SETS), types))
    for name, own in zip(SETS, of_set, strict=True):
        for tower in range(1, towers + 1):
            value = base + 0.3 * noise * generator.standard_normal(tokens)
            if tower == 1:
                value = value + (shift + own)[piece] + topic[document, piece]
            columns[f"{name}_{tower}"] = value
    counts = np.bincount(piece, minlength=types)
    tags = np.zeros((types, len(UPOS) + 1), dtype=np.int64)
    tags[np.arange(types), [UPOS.index(name) for name in tag]] = counts
    tags[:, -1] = counts
    names = [f"word{number}" for number in range(types)]
    scores = pd.DataFrame({
        "document": document, "position": np.arange(tokens), "piece_id": piece, "piece": np.asarray(names)[piece],
        "word": np.asarray(names)[piece], "upos": tag[piece], "whole_word": True, "begins": True,
        **columns,
    })  # fmt: skip
    frequencies = np.maximum(1, 4 * counts)
    return Measured(scores, towers, names, frequencies, classify_types(tags), SETTINGS, seed)
