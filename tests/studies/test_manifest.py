"""The manifest: what `--plan` writes is what is run, and another study's is refused."""

import json

import pytest

from twotower import cli
from twotower.comparison.grid import Grid, jobs
from twotower.config.schema import KnowConfig, RunConfig
from twotower.studies.comparing import describe
from twotower.studies.manifest import claim, configure, read_manifest, read_study, write_manifest
from twotower.system.errors import InputError

GRID = Grid(("quickstart",), (0, 1), ("model.width=16,32",), strangers=True)


def planned(out, grid=GRID):
    claim(out, grid, jobs(grid))
    return write_manifest(out, jobs(grid), 2, {"quickstart-model.width=16-seed0": 12.5})


def test_a_planned_study_has_a_line_for_each_run_and_nothing_is_run(tmp_path, capsys):
    out = tmp_path / "study"
    words = ["study", "--seeds", "0", "1", "--strangers", "--threads", "2", "--out", str(out), "--plan"]
    assert cli.main(words) == 0
    assert sorted(path.name for path in out.iterdir()) == ["manifest.jsonl", "study.yaml"]
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [row["folder"] for row in rows] == [f"runs/{job.name}" for job in jobs(Grid(seeds=(0, 1), strangers=True))]
    assert all(row["seconds"] > 0 and row["config"]["threads"] == 2 for row in rows)
    assert "4 runs; send them with twotower study submit" in capsys.readouterr().out


def test_what_is_read_is_what_was_written(tmp_path):
    lines = planned(tmp_path / "study")
    assert read_manifest(tmp_path / "study") == lines and len(lines) == 8
    assert read_manifest(tmp_path / "study", only=lines[3].name) == [lines[3]]
    assert list(read_study(tmp_path / "study")) == [line.name for line in lines]
    assert lines[-1].stranger and lines[0].seconds == 12.5 and lines[1].seconds is None


def test_a_grid_may_grow_and_its_manifest_with_it(tmp_path):
    planned(tmp_path / "study")
    grown = Grid(("quickstart",), (0, 1, 2), ("model.width=16,32",), strangers=True)
    assert len(planned(tmp_path / "study", grown)) == 12 == len(read_manifest(tmp_path / "study"))
    with pytest.raises(InputError, match="holds a study of a different grid"):
        claim(tmp_path / "study", GRID, jobs(GRID))


def test_a_study_of_before_a_setting_existed_goes_on(tmp_path):
    import yaml

    planned(tmp_path / "study")
    path = tmp_path / "study" / "study.yaml"
    values = yaml.safe_load(path.read_text())
    for config in values["runs"].values():
        del config["know"], config["train"]["stop_after"]
    path.write_text(yaml.safe_dump(values))
    assert len(planned(tmp_path / "study")) == 8


def test_a_study_of_a_newer_version_is_one_line(tmp_path, capsys):
    planned(tmp_path / "study")
    path = tmp_path / "study" / "study.yaml"
    path.write_text(
        path.read_text().replace("      tokens: 800000\n", "      tokens: 800000\n      of_tomorrow: 1\n", 1)
    )
    assert cli.main(["study", "status", str(tmp_path / "study")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "'train.of_tomorrow' is not a setting" in error
    assert "if another version of twotower planned this study, go on with that version" in error


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace('"study": "', '"study": "0'), "belongs to another study than"),
        (lambda text: text[: len(text) // 2], "is not a line of a manifest"),
        (lambda text: text.replace('"folder": "runs/', '"folder": "../'), "is not the folder runs/NAME"),
        (
            lambda text: text.replace('"tokens": 800000', '"tokens": "many"', 1),
            "manifest.jsonl:1: train.tokens: expected a whole number, found 'many'",
        ),
        (  # of a newer version
            lambda text: text.replace('"tokens": 800000', '"tokens": 800000, "of_tomorrow": 1', 1),
            "manifest.jsonl:1: 'train.of_tomorrow' is not a setting .*; if another version of twotower planned this",
        ),
        (lambda text: "[]\n", "manifest.jsonl:1: is not a line of a manifest"),
    ],
)
def test_another_studys_manifest_or_a_damaged_one_is_one_line(tmp_path, capsys, damage, message):
    import re

    out = tmp_path / "study"
    planned(out)
    path = out / "manifest.jsonl"
    path.write_text(damage(path.read_text()))
    before = sorted(out.rglob("*"))
    assert cli.main(["study", "submit", str(out), "--to", "slurm", "--dry"]) == 2
    error = capsys.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1 and sorted(out.rglob("*")) == before


@pytest.mark.parametrize("verb", ["submit", "status", "compare", "work"])
def test_a_folder_that_is_no_study_is_one_line(tmp_path, capsys, verb):
    assert cli.main(["study", verb, str(tmp_path), *(["name"] if verb == "work" else [])]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("not a study" in error or "manifest.jsonl" in error)
    assert cli.main(["study", verb]) == 2
    assert "give the folder of a study first" in capsys.readouterr().err


def test_a_folder_made_with_other_settings_is_refused(tmp_path):
    first, second = jobs(Grid(vary=("model.width=16,32",), seeds=(0,)))
    configure(tmp_path / "run", first.config)
    with pytest.raises(InputError, match=r"was made with model.width = 16, and the study has 32"):
        configure(tmp_path / "run", second.config)


def test_a_mixture_of_folders_has_a_name_of_its_own():
    named = [
        job.name for job in jobs(Grid(seeds=(0,), corpora=("sotu", "my/books", "sotu+my/books", "sotu@2+my/books@1")))
    ]
    corpora = ("sotu", "books", "sotu-books", "sotu-2-books-1")
    assert named == [f"quickstart-{corpus}-seed0" for corpus in corpora]


def test_values_that_are_no_yaml_are_one_line():
    for option in ("set", "vary"):
        with pytest.raises(InputError, match=rf"^{option}: '\[0.9' is no value that train.betas can have"):
            jobs(Grid(**{option: ("train.betas=[0.9",)}))


def test_a_study_in_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match=r"--out: .*study cannot be written to \(Not a directory\)"):
        claim(tmp_path / "file" / "study", GRID, jobs(GRID))


def test_runs_that_were_asked_other_things_by_know_are_of_one_group(tmp_path):
    for seed in (0, 1):
        configure(tmp_path / f"run{seed}", RunConfig(seed=seed, know=KnowConfig(frequent=5 + seed)))
    assert {group for _, _, group, _ in describe([tmp_path / "run0", tmp_path / "run1"])} == {"standard"}
