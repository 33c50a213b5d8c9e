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
