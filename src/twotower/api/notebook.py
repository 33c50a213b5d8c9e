"""What a notebook shows of a run and of a comparison; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from ..runs.listing import FINISHED, Listed
from ..system.errors import InputError
from ..system.printing import printable

ROW = Markup('<tr><th style="text-align:left">{}</th><td style="text-align:left">{}</td></tr>')
CARD = Markup("<div><p><strong>{}</strong></p><table>{}</table></div>")
LIST = Markup("<div><p><strong>{}</strong></p><ul>{}</ul></div>")


def card(run: Listed) -> str:
    """A run: its finding, its settings, its main figures."""
    title = run.state if run.state != FINISHED else _headline(run)
    rows = {"run": str(run.folder)}
    if run.config is not None:
        config = run.config
        rows |= {"corpus": " + ".join(config.prepare.corpus), "preset": config.preset, "seed": str(config.seed)}
        if config.diff.models:
            rows["models"] = ", ".join(config.diff.models)
        else:
            rows["towers"] = f"{config.model.towers} × {config.model.family}"
    if figures := run.figures:
        if figures.tokens is not None and figures.perplexity is not None:
            rows["training"] = f"{figures.tokens:,} tokens"
            rows["held-out perplexity"] = f"{figures.perplexity:.0f}"
        for name, values, digits in (
            ("D, how far they differ", (figures.size, figures.size_low, figures.size_high), 2),
            ("surplus (nats per token)", (figures.surplus, figures.surplus_low, figures.surplus_high), 3),
        ):
            if values[0] is not None:
                estimate, low, high = (f"{value:.{digits}f}" for value in values)
                rows[name] = f"{estimate} [{low}, {high}]"
    if run.note:
        rows["note"] = run.note
    return CARD.format(
        printable(title), Markup().join(ROW.format(name, printable(text)) for name, text in rows.items())
    )


def _headline(run: Listed) -> str:
    from ..report.summary import headline
    from ..results.kinds import read_any_results
    from ..runs.finished import RunFolder

    try:
        return headline(read_any_results(RunFolder(run.folder)))
    except InputError as error:
        return str(error)


def answers(folder: Path, runs: int, conclusions: Sequence[str]) -> str:
    """A comparison: what it answers."""
    items = Markup().join(Markup("<li>{}</li>").format(printable(conclusion)) for conclusion in conclusions)
    return LIST.format(printable(f"{runs} runs compared in {folder}"), items)
