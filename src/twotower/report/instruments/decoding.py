"""Linear decoding: what the page shows of this instrument."""

from __future__ import annotations

from matplotlib.figure import Figure

from ...knowledge.findings.decoding import DecodedTask, Decoding, TaskLeftOut
from ..numbers import figure
from .marks import by_layer
from .record import Instrument, Picture, Table, each, view_name

TASKS = {"upos": "part of speech", "deprel": "dependency relation", "lemma": "lemma", "topic": "topic"}


def _sentences(decoding: Decoding) -> list[str]:
    sentences = []
    for name, task in decoding.tasks.items():
        if isinstance(task, TaskLeftOut):
            sentences.append(f"{TASKS.get(name, name).capitalize()} was not decoded: {task.left_out}.")
            continue
        accuracy, selectivity = each(row.accuracy for row in task.chosen), each(row.selectivity for row in task.chosen)
        sentences.append(
            f"{TASKS.get(name, name).capitalize()} can be read off the towers with an accuracy of {accuracy} (always "
            f"the most common label: {figure(task.majority.accuracy)}); selectivity {selectivity}."
        )
    return sentences


def _tables(decoding: Decoding) -> list[Table]:
    measures = ("accuracy", "control task", "selectivity", "compression")
    tables = []
    for name, task in decoding.tasks.items():
        if isinstance(task, TaskLeftOut):
            continue
        rows = [
            [view_name(view), *map(figure, (view.accuracy, view.control, view.selectivity, view.compression))]
            for view in task.views
        ]
        common = task.majority
        rows.append(["the most common label", figure(common.accuracy), "–", "–", figure(common.compression)])
        label = f"{TASKS.get(name, name).capitalize()} ({task.labels} labels), by layer"
        tables.append(Table(label, ["states of", *measures], rows))
    return tables


def _draw(decoding: Decoding, figure: Figure) -> None:
    """Selectivity by layer, task by task."""
    tasks = [(TASKS.get(name, name), task) for name, task in decoding.tasks.items() if isinstance(task, DecodedTask)]
    panels = [(f"selectivity: {name}", task.views, lambda view: view.selectivity) for name, task in tasks]
    by_layer(figure, panels, {})


SHOWN = Instrument(
    name="decoding",
    title="Linear decoding",
    how=(
        "A linear classifier reads a label off a word's state. Selectivity is its accuracy minus that on random "
        "labels of word types: what is left when memory of words is taken away. Compression is how much shorter than "
        "a uniform code the labels become."
    ),
    sentences=_sentences,
    tables=_tables,
    picture=Picture(
        "Selectivity of linear classifiers on each layer of each tower",
        _draw,
        lambda decoding: any(isinstance(task, DecodedTask) for task in decoding.tasks.values()),
    ),
)
