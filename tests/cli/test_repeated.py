"""An option that takes several values and is given several times has them all."""

import re
from pathlib import Path

import pytest

from twotower.cli.commands import COMMANDS
from twotower.cli.options import with_words
from twotower.cli.stages import Arguments, parse
from twotower.cli.study import StudyArguments
from twotower.system.errors import InputError


@pytest.mark.parametrize(
    "words",
    [
        ["--corpus", "A", "--corpus", "B", "--seed", "1"],
        ["--corpus=A", "--seed", "1", "--corpus=B"],
        ["--corpus", "A", "--seed", "1", "--corpus", "B"],
        ["--seed", "1", "--corpus", "A", "B"],
    ],
)
def test_corpora_that_are_named_one_by_one_count_all(words):
    parsed = parse(COMMANDS["prepare"], words)
    assert (parsed.config.prepare.corpus, parsed.config.seed) == (("A", "B"), 1)


def test_other_options_keep_their_place_and_the_last_of_them_counts():
    parsed = parse(COMMANDS["prepare"], ["--seed", "1", "--corpus", "A", "--out", "x", "--seed", "2"])
    assert (parsed.config.seed, parsed.config.prepare.corpus, parsed.out) == (2, ("A",), Path("x"))
    flags = ["--no-strangers", "--strangers", "--no-strangers"]
    assert not with_words(Arguments(), flags).strangers and with_words(Arguments(), flags[:2]).strangers
    assert Arguments().config.prepare.corpus == ("sotu",)


def test_the_last_of_two_presets_gives_the_settings_and_the_name():
    twice = parse(COMMANDS["prepare"], ["--preset", "paper-gpt-base", "--preset", "quickstart"]).config
    assert twice == parse(COMMANDS["prepare"], ["--preset", "quickstart"]).config


def test_settings_of_a_study_count_all():
    words = ["--set", "a=1", "--seeds", "0", "--set", "b=2", "--seeds", "1", "--dry"]
    parsed = with_words(StudyArguments(), words)
    assert (parsed.grid.set, parsed.grid.seeds, parsed.dry) == (("a=1", "b=2"), (0, 1), True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "--tokens", "5"], "--seed: give a value"),
        (["--train.betas", "0.9"], "--train.betas: give a further value"),
        (["--train.betas", "--seed", "1"], "--train.betas: give 2 values"),
        (["--overwrite=yes"], "--overwrite: leave out =yes; it takes no value"),
        (["--no-overwrite"], "--no-overwrite is not an option (did you mean --overwrite?)"),
        (["-x"], "-x is not an option"),
        (["text"], "'text' is one word too many"),
    ],
)
def test_words_that_cannot_be_read_name_the_option(words, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        with_words(Arguments(), words)


def test_names_take_underscores_and_values_follow_an_equals_sign():
    words = ["--train.learning_rate=1e-3", "--train.betas", "0.9", "0.99", "--prepare.tokenizer", "None"]
    config = with_words(Arguments(), words).config
    assert (config.train.learning_rate, config.train.betas, config.prepare.tokenizer) == (1e-3, (0.9, 0.99), None)
