"""What a stage may read of the configuration: only what it is redone for."""

import dataclasses
import pickle

import pytest

from twotower.config.schema import RunConfig
from twotower.config.settings import by_name
from twotower.runs.execution import execute
from twotower.runs.stages import STAGES, stage_settings
from twotower.runs.views import UndeclaredError, view_of


def read(view, name):
    for part in name.split("."):
        view = getattr(view, part)
    return list(view) if isinstance(view, tuple) else view


@pytest.mark.parametrize("stage", STAGES.values(), ids=list(STAGES))
def test_a_stage_reads_what_it_declares_and_nothing_else(stage):
    config, seen = RunConfig(), set()
    view = view_of(config, stage)
    for name, value in by_name(config).items():
        try:
            assert read(view, name) == value
            seen.add(name)
        except UndeclaredError as error:
            assert stage.name in str(error) and name in str(error)
    assert stage_settings(config, stage).keys() <= seen != by_name(config).keys()


def test_training_is_not_shown_how_its_run_is_scored_or_analyzed():
    view = view_of(RunConfig(), STAGES["train"])
    for name in ("score.passes", "analyze.min_count", "analyze.frequency_ratio", "readout.tokens", "know.treebank"):
        with pytest.raises(UndeclaredError):
            read(view, name)


def test_a_view_cannot_be_changed_and_is_sent_to_other_processes():
    view = view_of(RunConfig(), STAGES["train"], made=["data"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.seed = 3
    sent = pickle.loads(pickle.dumps(view.train))
    assert sent.batch == view.train.batch and sent.made == {"data"}
    with pytest.raises(AttributeError):
        _ = view.no_such_setting


def test_every_stage_is_run_with_its_view(small, tmp_path):
    def nosy(config, run, out):
        return config.train.batch

    with pytest.raises(UndeclaredError, match=r"prepare reads train\.batch"):
        execute(tmp_path / "run", small, {"prepare": nosy})
