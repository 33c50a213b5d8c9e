"""What each stage does: its function, which is imported only when it is run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .config.instruments import INSTRUMENTS
from .config.schema import RunConfig
from .runs.views import StageConfig, StageFunction
from .system.allocator import freed_memory_kept


def _prepare(config: StageConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    from .data.prepare import prepare
    from .runs.execution import progress_folder

    prepare(config, out, say, progress_folder(run, "prepare"))


def _rewrite(config: StageConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    from .data.planted_texts import write_planted_texts

    write_planted_texts(config, run, out, say)


def _train(config: StageConfig, run: Path, out: Path) -> None:
    from .training.loop import train

    with freed_memory_kept():
        train(config, run, out)


def _readout(config: StageConfig, run: Path, out: Path) -> None:
    from .training.readouts import train_readouts

    with freed_memory_kept():
        train_readouts(config, run, out)


def _score(config: StageConfig, run: Path, out: Path) -> None:
    from .scoring.scores import score

    with freed_memory_kept():
        score(config, run, out)


def _analyze(config: StageConfig, run: Path, out: Path) -> None:
    from .results.analysis import analyze

    with freed_memory_kept():
        analyze(config, run, out)


def _report(config: StageConfig, run: Path, out: Path) -> None:
    from .report.page import report

    report(config, run, out)


def _instrument(name: str) -> StageFunction:
    def ask(config: StageConfig, run: Path, out: Path) -> None:
        from .knowledge.stage import ask

        with freed_memory_kept():
            ask(name, config, run, out)

    return ask


def _made_beside(config: StageConfig, run: Path, out: Path) -> None:
    raise AssertionError("strangers, and planted divisions, are runs of their own, which `run` makes")


def _prepare_text(config: StageConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    from .data.measured_text import prepare_text

    prepare_text(config, out, say)


def _score_models(config: StageConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    from .scoring.diff_scores import score_models

    with freed_memory_kept():
        score_models(config, run, out, say)


def _analyze_diff(config: StageConfig, run: Path, out: Path) -> None:
    from .results.diff_analysis import analyze_diff

    analyze_diff(config, run, out)


def _report_diff(config: StageConfig, run: Path, out: Path) -> None:
    from .report.diff_page import report_diff

    report_diff(config, run, out)


FUNCTIONS: dict[str, StageFunction] = {
    "prepare": _prepare,
    "rewrite": _rewrite,
    "train": _train,
    "readout": _readout,
    "score": _score,
    "strangers": _made_beside,
    "planted": _made_beside,
    **{name: _instrument(name) for name in INSTRUMENTS},
    "analyze": _analyze,
    "report": _report,
}

DIFF_FUNCTIONS: dict[str, StageFunction] = {
    "prepare": _prepare_text, "score": _score_models, "analyze": _analyze_diff, "report": _report_diff,
}  # fmt: skip


def functions_of(config: RunConfig, say: Callable[[str], None] = lambda _: None) -> dict[str, StageFunction]:
    """What writes the outputs of each stage of this kind of run; some `say` what they read."""
    if config.diff.models:
        return DIFF_FUNCTIONS | {"prepare": partial(_prepare_text, say=say), "score": partial(_score_models, say=say)}
    return FUNCTIONS | {"prepare": partial(_prepare, say=say), "rewrite": partial(_rewrite, say=say)}
