"""What a notebook shows of a run and of a comparison; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from ..errors import InputError
from ..listing import FINISHED, Listed
from ..printing import printable

ROW = Markup('<tr><th style="text-align:left">{}</th><td style="text-align:left">{}</td></tr>')
CARD = Markup("<div><p><strong>{}</strong></p><table>{}</table></div>")
LIST = Markup("<div><p><strong>{}</strong></p><ul>{}</ul></div>")


def card(run: Listed) -> str:
    """A run: its finding, its settings, its main figures."""
    title = run.state if run.state != FINISHED else _headline(run)
    rows = {"run": str(run.folder)}
    if run.config is not None:
        config = run.config
        rows |= {
            "corpus": " + ".join(config.prepare.corpus), "preset": config.preset, "seed": str(config.seed),
            "towers": f"{config.model.towers} × {config.model.family}",
        }  # fmt: skip
    figures = run.figures
    if figures:
        rows["training"] = f"{figures['tokens']:,} tokens"
        rows["held-out perplexity, all towers"] = f"{figures['perplexity']:.0f}"
    if figures.get("reliability") is not None:
        interval = f" [{figures['reliability_low']:.2f}, {figures['reliability_high']:.2f}]"
        rows["reliability of the preference (r, 0: none)"] = f"{figures['reliability']:.2f}{interval}"
    if figures.get("class_explained") is not None:
        share, null = (f"{100 * figures[key]:.1f} %" for key in ("class_explained", "class_explained_null"))
        rows["explained by word class beyond frequency"] = f"{share} (95 % of permutations: up to {null})"
    if run.note:
        rows["note"] = run.note
    return CARD.format(
        printable(title), Markup().join(ROW.format(name, printable(text)) for name, text in rows.items())
    )


def _headline(run: Listed) -> str:
    from ..finished import RunFolder
    from ..report.summary import headline

    try:
        return headline(RunFolder(run.folder).results())
    except InputError as error:
        return str(error)


def answers(folder: Path, runs: int, conclusions: Sequence[str]) -> str:
    """A comparison: what it answers."""
    items = Markup().join(Markup("<li>{}</li>").format(printable(one)) for one in conclusions)
    return LIST.format(printable(f"{runs} runs compared in {folder}"), items)
