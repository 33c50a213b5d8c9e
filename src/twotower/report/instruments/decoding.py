"""Linear decoding: what the page shows of this instrument."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from .marks import by_layer
from .record import Instrument, Picture, Table, each, figure, view_name

TASKS = {"upos": "part of speech", "deprel": "dependency relation", "lemma": "lemma", "topic": "topic"}


def _sentences(found: dict[str, Any]) -> list[str]:
    said = []
    for name, task in found["tasks"].items():
        if task.get("left_out"):
            said.append(f"{TASKS.get(name, name).capitalize()} was not decoded: {task['left_out']}.")
            continue
        accuracy, selectivity = (each([row[one] for row in task["chosen"]]) for one in ("accuracy", "selectivity"))
        said.append(
            f"{TASKS.get(name, name).capitalize()} can be read off the towers with an accuracy of {accuracy} (always "
            f"the commonest label: {figure(task['majority']['accuracy'])}); selectivity {selectivity}."
        )
    return said


def _tables(found: dict[str, Any]) -> list[Table]:
    measures = {"accuracy": "accuracy", "control": "control task", "selectivity": "selectivity",
                "compression": "compression"}  # fmt: skip
    tables = []
    for name, task in found["tasks"].items():
        if task.get("left_out"):
            continue
        rows = [[view_name(view), *(figure(view[one]) for one in measures)] for view in task["views"]]
        common = task["majority"]
        rows.append(["the commonest label", figure(common["accuracy"]), "–", "–", figure(common["compression"])])
        label = f"{TASKS.get(name, name).capitalize()} ({task['labels']} labels), by layer"
        tables.append(Table(label, ["states of", *measures.values()], rows))
    return tables


def _draw(found: dict[str, Any], figure: Figure) -> None:
    """Selectivity by layer, task by task."""
    tasks = [(TASKS.get(name, name), task) for name, task in found["tasks"].items() if not task.get("left_out")]
    by_layer(figure, [(f"selectivity: {name}", task["views"], "selectivity") for name, task in tasks], {})


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
        lambda found: any(not task.get("left_out") for task in found["tasks"].values()),
    ),
)
