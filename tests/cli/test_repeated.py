"""An option that takes several values and is given several times has them all."""

import pytest

from twotower.cli.commands import COMMANDS
from twotower.cli.options import joined_lists
from twotower.cli.stages import Arguments, parse
from twotower.cli.study import StudyArguments


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
    words = ["--seed", "1", "--corpus", "A", "--out", "x", "--seed", "2"]
    assert joined_lists(words, Arguments) == words
    assert parse(COMMANDS["prepare"], [*words[:3], "A", "--seed", "2"]).config.seed == 2
    assert Arguments().config.prepare.corpus == ("sotu",)


def test_settings_of_a_study_count_all():
    words = ["--set", "a=1", "--seeds", "0", "--set", "b=2", "--seeds", "1", "--dry"]
    assert joined_lists(words, StudyArguments) == ["--set", "a=1", "b=2", "--seeds", "0", "1", "--dry"]
