"""Likeness of the towers' layers: what the page shows of this instrument."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...knowledge.findings.similarity import Similarity
from ..numbers import figure, fixed
from .marks import NARROW
from .record import Instrument, Picture, Table, each


def _sentences(similarity: Similarity) -> list[str]:
    last = max((row.layer for row in similarity.across), default=None)
    rows = [row for row in similarity.across if row.layer == last]
    if not rows:
        return []
    return [
        f"The states of the towers' last layers have a CKA of {each(row.cka for row in rows)} (0: unrelated, 1: "
        f"the same up to rotation and scale), over {similarity.tokens:,} held-out tokens; those of untrained towers "
        f"{each(row.cka.null.untrained for row in rows)}."
    ]


def _tables(similarity: Similarity) -> list[Table]:
    rows = [
        [f"layer {row.layer}", f"{row.towers[0]} and {row.towers[1]}",
         *(text for measure in (row.cka, row.procrustes)
           for text in (figure(measure), figure(measure.null.untrained), figure(measure.null.shuffled)))]
        for row in similarity.across
    ]  # fmt: skip
    head = ["layer", "towers", "CKA", "untrained towers", "shuffled tokens",
            "Procrustes distance", "untrained towers", "shuffled tokens"]  # fmt: skip
    return [Table("Likeness of the towers, layer by layer", head, rows, 2)] if rows else []


def _draw(similarity: Similarity, figure: Figure) -> None:
    """CKA of all layers with each other, of the trained and of the untrained towers."""
    names = [f"{view.tower}.{view.layer}" for view in similarity.views]
    narrow = figure.get_figwidth() < NARROW
    figure.set_size_inches(figure.get_figwidth(), 5.6 if narrow else 3.4)
    panels = [("trained", similarity.cka.estimate), ("untrained", similarity.untrained.cka.estimate)]
    shape = (2, 1) if narrow else (1, 2)
    size = 8 if len(names) <= 12 else 5
    for axes, (label, matrix) in zip(figure.subplots(*shape).ravel(), panels, strict=True):
        values = np.array(matrix)
        drawn = axes.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
        axes.set(title=label, xticks=range(len(names)), yticks=range(len(names)))
        axes.set_xticklabels(names, fontsize=size, rotation=90)
        axes.set_yticklabels(names, fontsize=size)
        axes.spines[:].set_visible(False)
        if len(names) <= 12:
            for row, column in np.ndindex(values.shape):
                value = values[row, column]
                text = "" if np.isnan(value) else fixed(float(value)).replace("0.", ".", 1)
                axes.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="#1d2330" if value > 0.6 else "#ffffff",
                )
    figure.colorbar(drawn, ax=figure.axes, label="CKA (tower.layer)", shrink=0.8)


SHOWN = Instrument(
    name="similarity",
    title="Likeness of the towers' layers",
    how=(
        "Unbiased linear CKA is 1 where two layers hold the same states up to rotation and scale, and 0 on average "
        "where they are unrelated. The squared Procrustes distance runs from 0 (the same) to 2."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture(
        "CKA of every layer with every other, trained and untrained", _draw, lambda similarity: bool(similarity.views)
    ),
)
