"""From a configuration to a finished run: the stages in order, each imported only when it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import yaml

from .comparison.grid import strangers_of
from .config.presets import preset
from .config.schema import RunConfig
from .config.settings import to_dict
from .config.validation import validate
from .data.corpus_names import SCORES, file_name
from .data.inventory import Inventory
from .runs.execution import execute, partial_folder
from .runs.finished import RunFolder
from .runs.records import up_to_date
from .runs.stages import MAIN, stages_of
from .runs.views import StageConfig, StageFunction, view_of
from .runs.writing import write_text
from .stage_functions import functions_of
from .system.errors import InputError
from .system.processes import announcing, follow, launched, leads, usable_cores

if TYPE_CHECKING:
    from .comparison.controls import Control

STRANGERS = "strangers"
"""The folder of the strangers within that of their run; also the stage that makes them."""
PLANTED = "planted"
"""The stage that makes the planted divisions, which lie among the controls."""
CONTROLS = "controls"
"""The folder of the other controls within that of their run."""
SHARED = ("train", "readout", "score")
"""The stages that several processes share."""
WITHOUT_TOWERS = {"prepare", "analyze", "report"}
"""The stages that need no towers, whose libraries take seconds to import."""


LONGEST_NAME = 80
"""The most characters of a corpus in a folder's name: file systems do not take a hundred file names."""


def default_folder(config: RunConfig) -> Path:
    """The folder of a run that is given none: the same command finds it again."""
    name = "+".join(file_name(part) for part in config.prepare.corpus)
    if config.diff.models:
        models = "-".join(file_name(Path(model).name) for model in config.diff.models)
        return Path("runs") / f"diff-{models[:LONGEST_NAME]}-{name[:LONGEST_NAME]}"
    return Path("runs") / f"{config.preset}-{name[:LONGEST_NAME]}-seed{config.seed}"


def with_text_of_scores(config: RunConfig) -> RunConfig:
    """The same comparison; where all its models are files of scores, on the text of the first file."""
    models = config.diff.models
    if not models or not all(model.startswith(SCORES) for model in models):
        return config
    return replace(config, prepare=replace(config.prepare, corpus=(models[0],)))


def run(
    config: RunConfig | None = None,
    out: Path | str | None = None,
    stages: Iterable[str] = MAIN,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> RunFolder:
    """Run the stages that are not up to date and return the run.

    Args:
        config: what to run (default: the preset `quickstart`).
        out: the run folder (default: `default_folder(config)`).
        stages: which stages, by name.
        overwrite: redo stages that were made with other settings or are damaged.
        say: told what is done and what is skipped.

    Under `accelerate launch` or `torchrun` every process calls it. All of them share the stages `SHARED`; the first
    one runs the others, alone, and keeps the folder.

    Raises `InputError` for input that cannot be used, `Interrupted` after Ctrl-C during training.
    """
    config = preset("quickstart") if config is None else config
    return make(config, default_folder(config) if out is None else Path(out), stages, overwrite, say)


def make(
    config: RunConfig,
    folder: Path,
    stages: Iterable[str],
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    own: Mapping[str, RunConfig] | None = None,
) -> RunFolder:
    """`run`, with the settings of each instrument (`own`, see `execute`)."""
    for settings in (config, *(own or {}).values()):
        validate(settings)
    if config.model.family.startswith("hf:"):  # before an hour is spent on the text
        from .modeling.sizes import towers_config

        towers_config(config, vocabulary=8)
    asked_for = set(stages)
    if config.diff.models and "score" in asked_for and not up_to_date(folder, config, "score"):
        from .scoring.scorers import require_models  # before the text is tagged

        require_models(config.diff)
    if "train" in asked_for and config.model.planted == "texts":
        asked_for.add("rewrite")
    functions = functions_of(config, say)
    stage_functions = {name: functions[name] for name in stages_of(config) if name in asked_for}
    if STRANGERS in stage_functions:
        require_cooperation(config)
        stage_functions[STRANGERS] = partial(_strangers, config, overwrite, say)
    if PLANTED in stage_functions:
        require_cooperation(config)
        stage_functions[PLANTED] = partial(_planted, config, overwrite, say)
    if "analyze" in stage_functions and config.analyze.norms:  # before hours of training
        from .data.norms import read_norms

        for line in read_norms(config.analyze.norms).tell("analyze.norms"):
            say(line)
    if "train" in stage_functions and config.model.planted == "classes":
        from .modeling.planted import CLASSES, TYPES, read_word_labels

        if config.model.planted_labels not in (CLASSES, TYPES):
            read_word_labels(config.model.planted_labels)
    if "analyze" in stage_functions and config.analyze.labels:
        from .preference.own_labels import read_labels

        read_labels(config.analyze.labels)
    if set(stage_functions) - WITHOUT_TOWERS:
        _set_up(config.threads)
    _require_all_processes()
    if launched() == 1:
        execute(folder, config, stage_functions, overwrite, say, own)
    elif leads():
        with announcing() as announce:
            execute(folder, config, _announced(stage_functions, announce), overwrite, say, own)
    else:
        declared = stages_of(config)
        follow({
            name: partial(functions[name], view_of(config, declared[name]), folder, partial_folder(folder, name))
            for name in SHARED if name in functions
        })  # fmt: skip
    return RunFolder(folder)


def inventory(config: RunConfig, say: Callable[[str], None] = lambda _: None) -> Inventory:
    """What `prepare` would read; leaves nothing behind. Raises `InputError` where `prepare` would."""
    from .data.prepare import prepare

    validate(config)
    with TemporaryDirectory(prefix="twotower-") as folder:
        return prepare(config, Path(folder), say)


def run_with_strangers(
    config: RunConfig, out: Path | str, overwrite: bool = False, say: Callable[[str], None] = lambda _: None
) -> RunFolder:
    """Run all stages, and beside them, in `out/strangers`, the same towers on the same batches without cooperation.

    The two are made side by side where this machine has the cores for `config.threads` each; otherwise one after the
    other. No file of the run but its results and its report depends on its strangers. Raises what `run` raises.
    """
    folder = Path(out)
    require_cooperation(config)
    run(config, folder, ("prepare",), overwrite, say)
    with _beside(config, folder, overwrite, say):
        run(config, folder, ("train", "readout", "score"), overwrite, say)
    return run(config, folder, (STRANGERS, "analyze", "report"), overwrite, say)


def require_cooperation(config: RunConfig) -> None:
    """Raise `InputError` for towers that have no strangers."""
    model = config.model
    if model.towers == 1 or model.cooperation < 1 or model.planted == "texts":
        raise InputError(
            "strangers: only cooperating towers have strangers; give two or more, cooperation 1, and plant no texts"
        )


def _strangers(
    pair: RunConfig, overwrite: bool, say: Callable[[str], None], config: StageConfig, folder: Path, out: Path
) -> None:
    """The stage: finish the run of the strangers, and keep what it found."""
    from .runs.sharing import adopt

    strangers = folder / STRANGERS
    adopt(strangers, folder, "prepare")
    run(strangers_of(pair), strangers, overwrite=overwrite, say=lambda text: say(f"strangers: {text}"))
    shutil.copyfile(strangers / "results.json", out / "strangers.json")


def _planted(
    pair: RunConfig, overwrite: bool, say: Callable[[str], None], config: StageConfig, folder: Path, out: Path
) -> None:
    """The stage: finish the runs with planted divisions, which make a scale, and keep what the ruler found."""
    from .comparison.controls import SCALE, planted_configs
    from .config.conversion import as_json
    from .data.heldout import PreparedText
    from .preference.along_texts import along_texts
    from .preference.divided import Planted
    from .preference.measured import Measured
    from .results.results import read_results
    from .runs.sharing import adopt

    configs = _possible(planted_configs(pair), PreparedText(folder).summary.tagger)
    divisions, along = {}, None
    for kind, name in SCALE.items():
        if name not in configs:
            continue
        place = folder / CONTROLS / name
        adopt(place, folder, "prepare")
        finished = run(configs[name], place, overwrite=overwrite, say=say)
        if division := read_results(finished).division:
            divisions[kind] = division
        if kind == "texts":
            planted, strangers = Measured.of(finished.config, finished.path), RunFolder(folder / STRANGERS)
            of_strangers = along_texts(Measured.of(strangers.config, strangers.path), planted)
            along = along_texts(Measured.of(config, folder), planted, of_strangers)
    write_text(out / "planted.json", as_json(Planted(divisions, along)))


def _possible(configs: Mapping[str, RunConfig], tagger: str) -> dict[str, RunConfig]:
    """The controls that are possible where `tagger` tagged the held-out words."""
    from .comparison.controls import SCALE
    from .data.tagging import NONE

    need_tags = (SCALE["classes"], SCALE["texts"]) if tagger == NONE else ()
    return {name: config for name, config in configs.items() if name not in need_tags}


@contextmanager
def _beside(config: RunConfig, folder: Path, overwrite: bool, say: Callable[[str], None]) -> Iterator[None]:
    """Run the strangers in another process meanwhile, and wait for it. The stage finishes what is left undone."""
    if not 0 < 2 * config.threads <= usable_cores() or launched() > 1:
        yield
        return
    from .runs.sharing import adopt

    strangers, log = folder / STRANGERS, folder / "strangers.log"
    adopt(strangers, folder, "prepare")
    write_text(strangers / "config.yaml", yaml.safe_dump(to_dict(strangers_of(config)), sort_keys=False))
    command = [sys.executable, "-m", "twotower", "run", "--out", str(strangers), "--no-strangers"]
    say(f"strangers: run beside it (see {log})")
    environment = os.environ | {"OMP_NUM_THREADS": str(config.threads)}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, *(["--overwrite"] * overwrite)], stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        try:
            yield
            say("strangers: waiting for them")
            succeeded = process.wait() == 0
        except BaseException:
            process.terminate()  # its checkpoint is saved first
            process.wait()
            raise
    if succeeded:
        log.unlink()


def run_controls(
    config: RunConfig, out: Path | str, overwrite: bool = False, say: Callable[[str], None] = lambda _: None
) -> list[Control]:
    """Run each control of the finished run in `out`, in `out/controls/NAME`, and compare them with it.

    Strangers are in `out/strangers`. Writes `controls.json` (the rows that are returned, the run first) and
    `controls.html` into `out`, and sets the run's own results on the scale from strangers to planted divisions. What is
    up to date is not run again. `config` is that of the run, of several cooperating towers.
    """
    from .comparison.controls import HALF, against_half, compare, control_configs
    from .config.conversion import as_json
    from .report.controls import render
    from .results.results import read_results
    from .runs.sharing import adopt

    folder = Path(out)
    results = {"run": read_results(RunFolder(folder))}
    for name, control in _possible(control_configs(config), results["run"].corpus.tagger).items():
        say(f"control {name}:")
        place = folder / STRANGERS if name == STRANGERS else folder / CONTROLS / name
        if control.prepare == config.prepare:
            adopt(place, folder, "prepare")
        finished = run(control, place, overwrite=overwrite, say=say)
        results[name] = against_half(RunFolder(folder), finished) if name == HALF else read_results(finished)
    results["run"] = read_results(run(config, folder, (STRANGERS, PLANTED, "analyze", "report"), overwrite, say))
    rows = compare(results)
    write_text(folder / "controls.json", as_json(rows))
    page = render(results["run"].corpus.name, rows, folder / CONTROLS / "figures")
    write_text(folder / "controls.html", page)
    return rows


def _require_all_processes() -> None:
    """Raise `InputError` where `accelerate launch` was asked for several processes and, without GPUs, started one."""
    requested, started = "MASTER_ADDR" in os.environ, "WORLD_SIZE" in os.environ
    if requested and not started and "ACCELERATE_USE_CPU" in os.environ:
        raise InputError(
            "accelerate launch: without GPUs it starts one process, however many are asked for; "
            "add --multi_gpu, which starts them all, or use torchrun --nproc-per-node"
        )


def _announced(functions: dict[str, StageFunction], announce: Callable[[str], None]) -> dict[str, StageFunction]:
    """The same functions; those of shared stages first call the other processes."""

    def shared(name: str, function: StageFunction) -> StageFunction:
        def begin(config: StageConfig, run: Path, out: Path) -> None:
            announce(name)
            function(config, run, out)

        return begin

    return {name: shared(name, function) if name in SHARED else function for name, function in functions.items()}


def _set_up(threads: int) -> None:
    """Set the number of threads, and keep `transformers` from drawing progress bars for files of a few megabytes."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    if threads:
        torch.set_num_threads(threads)
