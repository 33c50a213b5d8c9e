"""`--config FILE.yaml`: what wins over what, and what a file may hold."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from twotower import cli
from twotower.cli import stages, study
from twotower.comparison.grid import jobs
from twotower.config.presets import preset
from twotower.config.schema import RunConfig
from twotower.config.settings import by_name, with_settings
from twotower.system.errors import InputError


@pytest.fixture
def settings(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "settings.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def parsed(*words):
    return stages.parse(cli.COMMANDS["run"], list(words)).config


def test_the_command_line_wins_over_the_file_and_the_file_over_the_preset(settings):
    path = settings("preset: quickstart-bert\nseed: 5\ntrain:\n  tokens: 4M\n  learning_rate: 1e-3\nmodel.layers: 2\n")
    config = parsed("--config", path, "--seed", "7", "--corpus", "one", "two")
    assert (config.preset, config.model.family, config.model.positions) == ("quickstart-bert", "bert", "relative")
    assert (config.train.tokens, config.train.learning_rate, config.model.layers) == (4_000_000, 1e-3, 2)
    assert (config.seed, config.prepare.corpus) == (7, ("one", "two"))
    other = parsed(f"--config={path}", "--preset", "standard")
    assert (other.preset, other.train.tokens, other.seed, other.model.family) == ("standard", 4_000_000, 5, "gpt")


def test_a_runs_own_configuration_is_such_a_file(finished, small):
    assert parsed("--config", str(finished / "config.yaml")) == small
    assert parsed("--config", str(finished / "config.yaml"), "--seed", "3") == replace(small, seed=3)


def test_values_are_read_as_people_write_them(settings):
    path = settings(
        "prepare: {corpus: my/texts, vocabulary: 1e4}\nmodel: {elmo_backward: off}\n"
        "train: {precision: no, betas: [0.9, 1e-1], minutes: 5, clip: 2}\nscore:\n  # batch: 3\nanalyze:\n"
    )
    config = parsed("--config", path)
    assert config.prepare.corpus == ("my/texts",) and config.prepare.vocabulary == 10_000
    assert config.model.elmo_backward == "off" and config.train.precision == "no"
    assert config.train.betas == (0.9, 0.1) and config.train.minutes == 5.0 and config.train.clip == 2.0
    assert parsed("--config", path, "--tokens", "1M").train.minutes is None  # the command line wins


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trian:\n  tokens: 5\n", "'trian.tokens' is not a setting (did you mean train.tokens or readout.tokens?)"),
        ("tokens: 5\n", "'tokens' is not a setting (did you mean train.tokens"),
        ("train:\n  learning_rat: 1\n", "'train.learning_rat' is not a setting (did you mean train.learning_rate?)"),
        ("train.tokens: 5\ntrain: {tokens: 6}\n", "train.tokens is given twice"),
        ("seed: 1\nseed: 2\n", "seed is given twice"),
        ("train: {tokens: many}\n", "train.tokens: expected a whole number, found 'many'"),
        ("train: {tokens: 1.5}\n", "train.tokens: expected a whole number, found 1.5"),
        ("train: {clip: big}\n", "train.clip: expected a number, found 'big'"),
        ("train: {shard: 3}\n", "train.shard: expected true or false, found 3"),
        ("train: {precision: bf8}\n", "train.precision: 'bf8' is not possible; allowed: no, bf16, fp16"),
        ("train: {betas: [0.9]}\n", "train.betas: expected 2 values, found 1"),
        ("seed: {a: 1}\n", "'seed.a' is not a setting (did you mean seed?)"),
        ("train: 5\n", "'train' is not a setting"),
        ("model: {width: 33}\n", "model.width: 33 is not possible"),
        ("preset: nope\n", "preset: 'nope' is unknown"),
        ("preset: [standard]\n", "preset: \"['standard']\" is unknown"),
        ("protocol: [paper]\n", "protocol: ['paper'] is unknown"),
        ("train: &a {tokens: *a}\n", "not valid YAML"),
        ("seed: \x00\n", "not valid YAML"),
        ("- a\n- b\n", "expected settings, each as NAME: VALUE, found list"),
        ("", "expected settings, each as NAME: VALUE, found nothing"),
        ("a: [\n", "not valid YAML"),
        ("seed: 2020-13-45\n", "not valid YAML (month must be in 1..12"),
        ("seed: !!bool x\n", "not valid YAML"),
        ("seed: !!timestamp x\n", "not valid YAML"),
        (f"seed: {'9' * 5000}\n", "not valid YAML"),
        ("seed: !!python/object/apply:os.system ['touch harmed']\n", "not valid YAML"),
    ],
)
def test_what_a_file_cannot_hold_is_one_line(settings, text, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = settings(text)
    assert cli.main(["run", "--config", path]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("twotower: ") and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]


def test_a_file_that_is_not_there_or_is_a_folder_says_so(tmp_path, capsys):
    assert cli.main(["run", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml does not exist; give a YAML file" in capsys.readouterr().err
    assert cli.main(["plan", "--config", str(tmp_path)]) == 2
    assert "is not a file; give a YAML file" in capsys.readouterr().err
    (tmp_path / "latin.yaml").write_bytes("corpus: Bücher\n".encode("latin-1"))
    assert cli.main(["run", "--config", str(tmp_path / "latin.yaml")]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_study_takes_its_grid_from_a_file_and_its_own_record_is_one(settings):
    arguments = study.with_study_file(
        study.StudyArguments(),
        Path(settings(
            "presets: [quickstart, 'quickstart-bert:4,5']\nseeds: [0, 1]\njobs: 2\nout: studies/mine\nstrangers: true\n"
            "set: {train.tokens: 1M, train: {batch: 8}, prepare.corpus: [a, 'b,c', '7']}\n"
            "vary: {model.width: [16, 32]}\nruns: {}\n"
        )),
    )  # fmt: skip
    assert arguments.grid.presets == ("quickstart", "quickstart-bert:4,5") and arguments.grid.seeds == (0, 1)
    assert arguments.grid.set[:2] == ("train.tokens=1M", "train.batch=8")
    assert arguments.grid.vary == ("model.width=16,32",)
    planned = jobs(arguments.grid)
    assert {job.config.prepare.corpus for job in planned} == {("a", "b,c", "7")}
    assert {job.config.train.tokens for job in planned} == {1_000_000} and len(planned) == 2 * 2 * 2 * 2
    assert (arguments.jobs, arguments.out, arguments.grid.strangers) == (2, Path("studies/mine"), True)
    for text, message in (
        ("preset: quickstart\n", r"'preset' is not a setting \(did you mean presets\?\)"),
        ("seeds: [a]\n", "seeds: expected a whole number, found 'a'"),
        ("vary: {prepare.corpus: ['a,b', c]}\n", "vary: prepare.corpus: values with a comma cannot be varied"),
    ):
        with pytest.raises(InputError, match=message):
            study.with_study_file(study.StudyArguments(), Path(settings(text)))


def test_a_study_file_plans_the_same_runs_as_the_command_line(settings, tmp_path, capsys):
    path = settings("seeds: [0, 1]\nset: {train.tokens: 1M}\nvary: {model.width: [16, 32]}\n")
    words = ["study", "--dry", "--json", "--out", str(tmp_path / "none")]
    assert cli.main([*words, "--config", path]) == 0
    from_file = json.loads(capsys.readouterr().out)["runs"]
    assert cli.main([*words, "--seeds", "0", "1", "--set", "train.tokens=1M", "--vary", "model.width=16,32"]) == 0
    from_words = json.loads(capsys.readouterr().out)["runs"]
    assert [run["name"] for run in from_file] == [run["name"] for run in from_words]
    assert {run["tokens"] for run in from_file} == {1_000_000} and len(from_file) == 4
    assert cli.main([*words, "--config", path, "--seeds", "5", "6", "7"]) == 0  # the command line wins
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 6


def test_settings_may_be_nested_or_dotted_and_change_nothing_else():
    base = preset("quickstart")
    nested = with_settings(base, {"train": {"tokens": 5}}, "here")
    dotted = with_settings(base, {"train.tokens": "5"}, "here")
    assert nested == dotted and nested.train.tokens == 5
    same, changed = by_name(base), by_name(nested)
    assert {name for name in same if same[name] != changed[name]} == {"train.tokens"}


@pytest.mark.parametrize("name", by_name(RunConfig()))
def test_every_setting_has_the_same_name_on_the_command_line(name):
    value = by_name(RunConfig())[name]
    values = value if isinstance(value, list) else [value]
    if not values or None in values:
        values = ["5"] if name == "train.minutes" else ["text"]
    words = [f"--{name}"] if value is True else [f"--{name}", *map(str, values)]
    words = words if value is not False else [f"--{name}"]
    config = parsed(*words)
    expected = {False: True}.get(value, value) if isinstance(value, bool) else values
    read = by_name(config)[name]
    assert read == expected or [str(part) for part in (read if isinstance(read, list) else [read])] == [
        str(float(part)) if name == "train.minutes" else str(part) for part in values
    ]


def test_short_names_stay():
    assert parsed("--tokens", "4M", "--corpus", "a", "b") == parsed(
        "--train.tokens", "4M", "--prepare.corpus", "a", "b"
    )
    assert parsed("--family", "bert") == parsed("--model.family=bert")
    with pytest.raises(InputError, match="exclude each other"):
        parsed("--train.tokens", "4M", "--minutes", "3")
