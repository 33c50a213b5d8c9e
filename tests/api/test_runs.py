"""The public names: what they cost, what they return, and what a notebook shows of them."""

import importlib.resources
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import twotower
from small_runs import configure
from twotower.preference.measured import SETS


@pytest.fixture(scope="module")
def run(finished):
    return twotower.Run.load(finished)


@pytest.mark.promise("Python gives a run's tables, figures and model")
def test_every_public_name_is_there_documented_and_costs_nothing_until_used():
    code = (
        "import sys, twotower\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'matplotlib', 'tyro', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "for name in twotower.__all__: assert getattr(twotower, name).__doc__, name\n"
        "assert set(twotower.__all__) <= set(dir(twotower))\n"
        "assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = twotower.nonsense


def test_the_modules_never_hide_the_functions_of_the_same_name():
    code = (
        "import twotower, twotower.cli, twotower.studies, twotower.pipeline\n"
        "for name in ('run', 'study', 'compare', 'preset'): assert callable(getattr(twotower, name)), name\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_public_name_is_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    assert [name for name in twotower.__all__ if not re.search(rf"[`.]{name}\b", page)] == []


def test_the_package_says_that_it_is_typed():
    assert importlib.resources.files("twotower").joinpath("py.typed").is_file()


def test_a_run_by_the_name_of_its_preset_or_its_settings_is_the_same(run, small, finished, capsys):
    again = twotower.run(small, finished, quiet=True)
    assert again.path == run.path and again.config == run.config == small and again.state == "finished"
    assert capsys.readouterr().err == ""
    with pytest.raises(twotower.InputError, match="preset: 'nope' is unknown"):
        twotower.run("nope")
    config = twotower.preset("quickstart", settings={"train.tokens": "4M", "prepare": {"corpus": "my/texts"}})
    assert config.train.tokens == 4_000_000 and config.prepare.corpus == ("my/texts",)
    with pytest.raises(twotower.InputError, match=r"settings: 'tokens' is not a setting \(did you mean train.tokens"):
        twotower.preset("quickstart", settings={"tokens": 4})
    with pytest.raises(twotower.InputError, match="is not a run folder"):
        twotower.Run.load(finished.parent)


@pytest.mark.promise("Python gives a run's tables, figures and model")
def test_preference_has_a_row_for_each_type_and_adds_up_to_the_scores(run):
    types, scores = run.preference(), run.scores()
    assert types["contrast"].unique().tolist() == ["tower 1 minus tower 2"] and types["piece_id"].is_unique
    sets = SETS[: run.config.readout.replicates]
    each = {name: scores[f"{name}_1"].astype(float) - scores[f"{name}_2"] for name in sets}
    of_types = pd.DataFrame(each).groupby(scores["piece_id"]).mean()
    np.testing.assert_allclose(types.set_index("piece_id")["mean"], of_types.mean(axis=1), atol=1e-5)
    for name in sets:
        np.testing.assert_allclose(types.set_index("piece_id")[f"under_{name}"], of_types[name], atol=1e-5)
    assert types["count"].sum() == len(scores)


@pytest.mark.slow
def test_preference_of_three_towers_has_a_row_for_each_tower(with_settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("three")
    config = with_settings(model={"towers": 3}, train={"tokens": 8 * 16 * 32}, readout={"tokens": 4 * 16 * 32})
    run = twotower.run(config, out / "run", quiet=True)
    types = run.preference()
    assert types.groupby("piece_id")["contrast"].nunique().eq(3).all()
    np.testing.assert_allclose(types.groupby("piece_id")["mean"].sum(), 0, atol=1e-5)
    assert {"mean", "low", "high", "standard_error"} <= set(types) and not {"mean_1", "low_2"} & set(types)
    classes = run.word_classes()
    assert set(classes["contrast"]) <= {f"tower {k} minus the mean of all towers" for k in (1, 2, 3)}
    assert run.plot.preference().axes and "3 × gpt" in run._repr_html_()


def test_training_curves_are_those_of_the_log(run, finished):
    curves = run.training()
    assert set(curves["head"]) == {"joint", "tower 1", "tower 2"} and set(curves["text"]) == {"training", "heldout"}
    rows = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert len(curves) == 3 * len(rows)
    last = [row for row in rows if row["kind"] == "heldout"][-1]
    ours = curves[(curves["text"] == "heldout") & (curves["tokens"] == last["tokens"])].set_index("head")["nats"]
    assert ours.to_dict() == {
        "joint": last["joint_nats"],
        "tower 1": last["tower_nats"][0],
        "tower 2": last["tower_nats"][1],
    }


def test_word_classes_are_those_of_the_results(run):
    classes = run.word_classes().set_index("upos")
    profile = [row for row in run.results().word_classes.upos.profile if row.adjusted]
    assert [row.name for row in profile] == classes.index.tolist() and len(profile) > 3
    for row in profile:
        for key in ("occurrences", "types", "compared"):
            assert classes.loc[row.name, key] == getattr(row, key)
        for key in ("mean", "low", "high", "q_value", "sure"):
            ours, theirs = classes.loc[row.name, key], getattr(row.adjusted, key)
            assert ours == theirs or (theirs is None and pd.isna(ours))


@pytest.mark.promise("Python gives a run's tables, figures and model")
def test_every_figure_of_the_page_can_be_had(run):
    for name in ("preference", "profile", "towers", "context", "shares", "training"):
        figure = getattr(run.plot, name)()
        assert isinstance(figure, Figure) and figure.axes, name
    assert run.plot.cloud(1).axes
    with pytest.raises(twotower.InputError, match=r"plot\.scale: there is nothing to draw"):
        run.plot.scale()
    profile = run.plot.profile()
    drawn = [float(x) for marks in profile.axes[0].collections for x in marks.get_offsets()[:, 0] if marks.get_gid()]
    classes = [row.adjusted for row in run.results().word_classes.upos.profile if row.adjusted and row.compared]
    means = [value for one in classes for value in (one.mean, one.sets[1])]
    assert len(drawn) > 3 and all(any(one == pytest.approx(mean) for mean in means) for one in drawn)
    assert "<svg" in profile._repr_svg_()


def test_the_summary_is_that_of_the_command_line(run, finished, capsys):
    from twotower import cli

    assert cli.main(["show", str(finished)]) == 0
    assert run.summary() in capsys.readouterr().out and run.summary().startswith(run.headline())


def test_a_notebook_shows_the_finding_and_escapes_what_a_run_holds(run, small, tmp_path):
    shown = run._repr_html_()
    assert run.headline() in shown and str(run.path) in shown and "held-out perplexity" in shown
    odd = tmp_path / "odd"
    config = replace(small, prepare=replace(small.prepare, corpus=("<script>alert(1)</script>\x1b[2J",)))
    configure(odd, config)
    shown = twotower.Run(odd)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "\x1b" not in shown and "unfinished" in shown
    assert repr(twotower.Run(odd)) == f"Run({str(odd)!r})"


def test_what_is_missing_or_damaged_is_said_with_its_remedy(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    with (copy / "scores.parquet").open("ab") as stream:
        stream.write(b"more")
    run = twotower.Run.load(copy)
    for read in (run.scores, run.preference, lambda: run.plot):
        with pytest.raises(twotower.InputError, match="twotower score"):
            read()
    assert run.state == "damaged" and "is damaged" in run._repr_html_()
    (copy / "metrics.jsonl").unlink()
    with pytest.raises(twotower.InputError, match=r"metrics.jsonl does not exist yet; make it with `twotower train"):
        run.training()


def test_a_folder_without_a_run_is_no_run(tmp_path):
    for place in (tmp_path, tmp_path / "no" / "such"):
        with pytest.raises(twotower.InputError, match="is not a run folder"):
            twotower.Run(place)
