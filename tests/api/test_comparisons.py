"""A study and a comparison from Python: the same as on the command line, as data frames and figures."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import twotower
from twotower.comparison.grid import Grid, jobs, set_texts, vary_texts
from twotower.report.study_answers import conclusions


@pytest.fixture(scope="module")
def comparison(finished, second_seed, tmp_path_factory):
    out = tmp_path_factory.mktemp("comparison")
    return twotower.compare([finished, second_seed], out / "both", quiet=True)


def test_its_frames_are_what_study_json_holds(comparison):
    study = json.loads((comparison.path / "study.json").read_text())
    runs = comparison.runs()
    assert runs["run"].tolist() == ["finished", "second-seed"] and runs["seed"].tolist() == [0, 1]
    assert runs["reliability"].tolist() == [run["reliability"]["estimate"] for run in study["runs"]]
    profiles = comparison.profiles().pivot(index="run", columns="upos", values="mean")
    for run in study["profiles"]["runs"]:
        np.testing.assert_array_equal(profiles.loc[run["name"], study["profiles"]["classes"]], run["profile"])
    (pair,) = comparison.agreement().to_dict("records")
    assert (pair["first"], pair["second"]) == ("finished", "second-seed")
    assert pair["r"] == study["agreement"][0]["r"][0][1]
    assert len(comparison.tests()) == len(study["tests"]) > 0


def test_its_figures_and_answers(comparison):
    for name in ("profiles", "agreement", "emergence", "context"):
        figure = getattr(comparison.plot, name)()
        assert isinstance(figure, Figure) and figure.axes, name
    with pytest.raises(twotower.InputError, match=r"plot\.doses: there is nothing to draw; it needs a setting that"):
        comparison.plot.doses()
    answers = comparison.conclusions()
    assert all(any(f"C{claim}: " in sentence for sentence in answers) for claim in (1, 2, 3))
    assert comparison.failed == [] and "2 runs compared" in comparison._repr_html_()
    assert "<script" not in comparison._repr_html_()


def test_topic_is_told_of_where_words_have_no_class(comparison):
    study = comparison.results()
    label = replace(study.runs[0].labels[0], label="topic", given="type", verdict="yes")
    untagged = replace(study, runs=[replace(row, labels=[label], tagger="none") for row in study.runs])
    (answer,) = (sentence for sentence in conclusions(untagged) if sentence.startswith("C3"))
    assert "word class could not be measured: no tagger was used" in answer
    assert "the topic of its document holds" in answer and "yes in 2 of 2 pairs" in answer


def test_a_folder_without_a_comparison_says_so(tmp_path):
    with pytest.raises(twotower.InputError, match=r"study.json does not exist; make it with `twotower compare"):
        twotower.Comparison.load(tmp_path)


def test_a_study_from_python_is_the_grid_of_the_command_line(finished, second_seed, small, tmp_path, monkeypatch):
    """Runs are made already, so that only what Python adds is tested: which runs it asks for, and what it returns."""
    from twotower.studies import local

    fixed = {"prepare.corpus": list(small.prepare.corpus), "train": {"tokens": small.train.tokens}}
    vary = {"model.width": [16, 32]}
    calls = []

    def made(planned, out, *_):
        calls.extend(planned)
        (out / "runs").mkdir(exist_ok=True)
        for job in planned:
            source = finished if job.config.seed == 0 else second_seed
            shutil.copytree(source, out / "runs" / job.name)
        return []

    monkeypatch.setattr(local, "_run_missing", made)
    study = twotower.study(seeds=[0, 1], settings=fixed, vary=vary, out=tmp_path / "study", quiet=True)
    words = Grid(
        ("quickstart",), (0, 1), ("model.width=16,32",),
        (f"prepare.corpus={json.dumps(list(small.prepare.corpus))}", f"train.tokens={small.train.tokens}"),
    )  # fmt: skip
    assert [line.config for line in calls] == [replace(job.config, threads=1) for job in jobs(words)]
    assert len(calls) == 4
    assert isinstance(study, twotower.Comparison) and len(study.runs()) == 4
    with pytest.raises(twotower.InputError, match="one seed only"):
        twotower.study(seeds=[0], out=tmp_path / "other")


def test_values_survive_the_way_through_the_grid():
    settings = {"prepare.corpus": ["a,b", "7"], "model": {"elmo_backward": "off"}, "train.minutes": None}
    (job,) = jobs(Grid(("quickstart-elmo",), (0,), (), set_texts(settings, "here")))
    assert job.config.prepare.corpus == ("a,b", "7") and job.config.model.elmo_backward == "off"
    assert job.config.train.minutes is None
    assert vary_texts({"train": {"clip": [0.5, 1]}}, "here") == ("train.clip=0.5,1",)
