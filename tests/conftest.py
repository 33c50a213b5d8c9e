"""Real text, a small model, one thread: two threads beside another busy process can be a hundred times slower."""

from __future__ import annotations

import fcntl
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

from small_runs import small_config, write_corpus
from twotower.config.schema import RunConfig

# Two runs of a commit try the same examples: what turns a run red is in the commit. The exhaustive tier draws anew.
hypothesis.settings.register_profile("same examples", derandomize=True)
hypothesis.settings.load_profile("same examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A promise goes with the reports of its tests, which other processes may run. It must be cheap to look at."""
    for item in items:
        if promise := item.get_closest_marker("promise"):
            if any(map(item.get_closest_marker, ("slow", "montecarlo", "exhaustive"))):
                raise pytest.UsageError(f"{item.nodeid}: a test of a promise is in `make test`, and so cannot be slow")
            item.user_properties.append(("promise", promise.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What `make test` has shown, for those who have just installed this."""
    if config.option.markexpr != "promise":
        return
    outcomes: dict[str, set[str]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for _, promise in getattr(report, "user_properties", []):  # a module that is skipped has none
                outcomes.setdefault(promise, set()).add(outcome)
    terminalreporter.section("what works on this machine")
    for promise, seen in sorted(outcomes.items()):
        said = "no " if seen & {"failed", "error"} else "yes" if "passed" in seen else "not tried"
        terminalreporter.line(f"{said}  {promise}")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """From a name and a function that fills a folder to that folder, filled once for all processes that run tests.

    `TEST_RUNS` names a folder for those of several sessions, such as the parts of `make test-rest`.
    """
    own = tmp_path_factory.getbasetemp()
    ours = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    shared = Path(os.environ.get("TEST_RUNS", ours))

    def build(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                fill(folder)
                done.touch()
        return folder

    return build


@pytest.fixture(scope="session")
def corpus(built_once) -> Path:
    """A folder with the beginnings of thirty State of the Union addresses, two centuries apart."""
    return built_once("corpus", write_corpus)


@pytest.fixture(scope="session")
def small(corpus: Path) -> RunConfig:
    """A configuration that goes through all stages in some ten seconds."""
    return small_config(corpus)


@pytest.fixture(scope="session")
def prepared(small: RunConfig, built_once) -> Path:
    """The folder of a run whose text is prepared. Tests must not change it."""
    import twotower

    return built_once("prepared", lambda folder: twotower.run(small, folder, stages=("prepare",)))


@pytest.fixture(scope="session")
def finished(small: RunConfig, built_once) -> Path:
    """The folder of a finished run. Tests must not change it."""
    import twotower

    return built_once("finished", lambda folder: twotower.run(small, folder))


@pytest.fixture(scope="session")
def second_seed(small: RunConfig, built_once) -> Path:
    """The folder of a finished run that differs from `finished` in its seed alone. Tests must not change it."""
    import twotower

    return built_once("second-seed", lambda folder: twotower.run(replace(small, seed=1), folder))


@pytest.fixture(scope="session")
def family_runs(small: RunConfig, finished: Path, built_once):
    """From a family to the folder of a finished run, made when it is first asked for. Tests must not change it."""
    import twotower

    def run(family: str) -> Path:
        if family == "gpt":
            return finished
        # The masked objective predicts a part of the tokens, and so needs more of them. On so few, an embedding at
        # thirty times the rate leaves the towers worse than unigrams.
        train = replace(small.train, tokens=3 * small.train.tokens, masked=0.4, embedding_rate=1.0)
        masked = family in ("bert", "hf:modernbert")
        config = replace(
            small, model=replace(small.model, family=family), train=train if masked else small.train,
            readout=replace(small.readout, tokens=2 * small.readout.tokens),
        )  # fmt: skip
        return built_once(family.replace(":", "-"), lambda folder: twotower.run(config, folder))

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


@pytest.fixture(scope="session")
def language_model(corpus: Path, built_once) -> Callable[[str], Path]:
    """From a name of `small_language_models.KINDS` to the folder of a model, trained when it is first asked for. Tests
    must not change it."""
    from small_language_models import save_model

    return lambda name: built_once(f"model-{name}", lambda folder: save_model(name, corpus, folder))


@pytest.fixture(scope="session")
def tagged_diff(corpus: Path, language_model, built_once) -> Path:
    """Two models of one tokenizer that differ in their training, compared beside a third one. Tests must not change
    it."""
    from small_language_models import compared

    models = [language_model(name) for name in ("gpt-a", "gpt-short")]
    given = {"control": language_model("gpt-b"), "prepare.tagger": "auto"}
    return built_once("diff-tagged", lambda folder: compared(*models, corpus=corpus, out=folder, **given))
