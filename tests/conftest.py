"""Real text, a small model, one thread: two threads beside another busy process can be a hundred times slower."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from dataclasses import replace
from pathlib import Path

import pytest

from small_runs import small_config, write_corpus
from twotower.config import RunConfig


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the beginnings of thirty State of the Union addresses, two centuries apart."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def small(corpus: Path) -> RunConfig:
    """A configuration that goes through all stages in some ten seconds."""
    return small_config(corpus)


@pytest.fixture(scope="session")
def finished(small: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run. Tests must not change it."""
    import twotower

    out = tmp_path_factory.mktemp("runs") / "finished"
    twotower.run(small, out)
    return out


@pytest.fixture(scope="session")
def family_runs(small: RunConfig, tmp_path_factory: pytest.TempPathFactory):
    """From a family to the folder of a finished run, made when it is first asked for. Tests must not change it."""
    import twotower

    folder, made = tmp_path_factory.mktemp("families"), {}

    def run(family: str) -> Path:
        if family not in made:
            # The masked objective predicts a part of the tokens, and so needs more of them.
            train = replace(small.train, tokens=3 * small.train.tokens, masked=0.4)
            masked = family in ("bert", "hf:modernbert")
            config = replace(
                small, model=replace(small.model, family=family), train=train if masked else small.train,
                readout=replace(small.readout, tokens=2 * small.readout.tokens),
            )  # fmt: skip
            made[family] = twotower.run(config, folder / family.replace(":", "-")).path
        return made[family]

    return run


@pytest.fixture
def with_settings(small: RunConfig):
    """`small` with some fields of its sections replaced: with_settings(train={"tokens": 1024})."""

    def changed(**sections: dict[str, object]) -> RunConfig:
        parts = {name: replace(getattr(small, name), **fields) for name, fields in sections.items()}
        return replace(small, **parts)

    return changed


SHARED = next(
    (
        parent / "shared" / "data"
        for parent in Path(__file__).resolve().parents
        if (parent / "shared" / "data").is_dir()
    ),
    None,
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' folder of treebanks and texts, which a user does not have."""
    if SHARED is None:
        pytest.skip("no folder shared/data beside the project: developers' data")
    return SHARED
