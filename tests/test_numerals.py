"""Numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower import cli
from twotower.cli import stages
from twotower.errors import InputError
from twotower.numerals import plain_numbers


@pytest.mark.parametrize(
    ("written", "meant"),
    [("4M", 4_000_000), ("1e9", 10**9), ("250k", 250_000), ("1.5M", 1_500_000), ("2_000_000", 2_000_000), ("7", 7)],
)
def test_tokens_are_read_as_written(written, meant):
    for words in (["--tokens", written], [f"--tokens={written}"]):
        assert stages.parse(cli.COMMANDS["run"], words).config.train.tokens == meant


def test_other_settings_and_words_are_left_alone():
    words = ["--train.learning-rate", "1e-3", "--corpus", "4M", "--out", "1e6", "--model.family", "gpt"]
    assert plain_numbers(words) == words
    assert plain_numbers(["--prepare.heldout_words", "4k", "--seed=1e1"]) == [
        "--prepare.heldout_words", "4000", "--seed=10",
    ]  # fmt: skip


def test_what_is_no_whole_number_says_so():
    with pytest.raises(InputError, match=r"--tokens: 1\.23456789M is not a whole number"):
        plain_numbers(["--tokens", "1.23456789M"])


@given(st.integers(0, 10**6), st.integers(0, 12))
def test_an_exponent_is_a_power_of_ten(digits, exponent):
    assert plain_numbers(["--tokens", f"{digits}e{exponent}"]) == ["--tokens", str(digits * 10**exponent)]
