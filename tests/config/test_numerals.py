"""Numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower import cli
from twotower.cli import stages
from twotower.config.numerals import whole_number
from twotower.system.errors import InputError


@pytest.mark.parametrize(
    ("written", "meant"),
    [("4M", 4_000_000), ("1e9", 10**9), ("250k", 250_000), ("1.5M", 1_500_000), ("2_000_000", 2_000_000), ("7", 7)],
)
def test_tokens_are_read_as_written(written, meant):
    for words in (["--tokens", written], [f"--train.tokens={written}"]):
        assert stages.parse(cli.COMMANDS["run"], words).config.train.tokens == meant


def test_what_is_no_whole_number_says_so(capsys):
    with pytest.raises(InputError, match=r"--tokens: 1\.23456789M is not a whole number"):
        whole_number("--tokens", "1.23456789M")
    for word, said in (("1.23456789M", "is not a whole number"), ("many", "expected a whole number, found 'many'")):
        assert cli.main(["run", "--train.tokens", word]) == 2
        assert said in capsys.readouterr().err


@given(st.integers(0, 10**6), st.integers(0, 12))
def test_an_exponent_is_a_power_of_ten(digits, exponent):
    assert whole_number("--tokens", f"{digits}e{exponent}") == digits * 10**exponent


def test_numbers_in_files_of_settings_are_decimal(tmp_path):
    (tmp_path / "a.yaml").write_text("seed: 010\ntrain: {tokens: 08_000, learning_rate: 1e-3}\n")
    config = stages.parse(cli.COMMANDS["run"], ["--config", str(tmp_path / "a.yaml")]).config
    assert (config.seed, config.train.tokens, config.train.learning_rate) == (10, 8_000, 0.001)
    (tmp_path / "b.yaml").write_text("train: {tokens: 1:30}\n")  # 90 in YAML 1.1
    with pytest.raises(InputError, match=r"train\.tokens: .*'1:30'"):
        stages.parse(cli.COMMANDS["run"], ["--config", str(tmp_path / "b.yaml")])
