"""Words that two tokenizers have in common, and what the tokens of a word add up to."""

import itertools
import math

import numpy as np
import pytest

from twotower.scoring.units import common_units, end_of_word_corrections, sums_over


def spans(text: str) -> np.ndarray:
    units, place = [], 0
    for word in text.split():
        place = text.index(word, place)
        units.append((place, place + len(word)))
        place += len(word)
    return np.array(units)


def test_units_begin_where_every_tokenizer_begins_a_token():
    text = "in New York now"
    first, second = np.array([0, 3, 7, 12]), np.array([0, 3, 5, 12])  # the second has "w York" for "York"
    units = common_units(text, spans(text), [first, second])
    assert [text[a:b] for a, b in zip(units.starts, units.ends, strict=True)] == ["in", "New York", "now"]
    assert units.word.tolist() == [0, -1, 3]


def test_no_log_probability_is_lost_between_units():
    text = "in New York now"
    words, first, second = spans(text), np.array([0, 3, 7, 12]), np.array([0, 3, 5, 8, 12])
    units = common_units(text, words, [first, second])
    for starts in (first, second):
        values = np.random.default_rng(0).normal(size=len(starts))
        assert sums_over(units, starts, values).sum() == pytest.approx(values.sum())


class Toy:
    """A bigram model over letters with and without a space before them, and the end."""

    vocabulary = (*"ab", " a", " b", "$")

    def __init__(self) -> None:
        table = np.random.default_rng(1).dirichlet(np.ones(len(self.vocabulary)), len(self.vocabulary))
        rows = [dict(zip(self.vocabulary, row, strict=True)) for row in table]
        self.of = dict(zip(self.vocabulary, rows, strict=True))

    def word_begins(self, before: str) -> float:
        return sum(p for token, p in self.of[before].items() if token[0] in " $")


def test_corrected_words_are_a_distribution_and_uncorrected_ones_are_not():
    """Brute force: after `a`, given that its word has ended, all words that can follow have 1 together."""
    toy, longest = Toy(), 14
    corrected, uncorrected = toy.of["a"]["$"] / toy.word_begins("a"), 0.0
    for length in range(1, longest):
        for letters in itertools.product("ab", repeat=length):
            text = "a " + "".join(letters) + " a"  # another word follows, whose beginning ends this one
            tokens = ["a", " " + letters[0], *letters[1:], " a"]
            starts = np.array([0, *range(2, 2 + length), 3 + length])
            values, begins = (
                np.log([1.0, *(of(before, token) for before, token in itertools.pairwise(tokens))])
                for of in (lambda before, token: toy.of[before][token], lambda before, _: toy.word_begins(before))
            )
            ends = np.append(starts[1:] - (np.array([text[s - 1] == " " for s in starts[1:]])), len(text))
            units = common_units(text, spans(text), [starts])
            sums = sums_over(units, starts, values)
            uncorrected += math.exp(sums[1])
            corrected += math.exp((sums + end_of_word_corrections(text, units, starts, ends, begins))[1])
    rest = max(toy.of[one]["a"] + toy.of[one]["b"] for one in "ab") ** (longest - 1)
    assert corrected == pytest.approx(1, abs=max(rest, 1e-3))
    assert abs(uncorrected - 1) > 10 * abs(corrected - 1)


def test_two_tokenizers_of_one_distribution_agree_in_corrected_words_only():
    """One writes the space with the word after it, the other as the end of the word before: the text is the same."""
    chance = {"aa": 0.2, "ab": 0.3, "b": 0.5}  # words are drawn one after the other, each with its space
    text = "ab b aa"
    words = spans(text)
    leading, trailing = np.array([0, 3, 5]), np.array([0, 3, 5])
    units = common_units(text, words, [leading, trailing])
    own = np.log([chance[word] for word in text.split()])
    ends = np.array([2, 4, 7])
    certain = np.zeros(3)  # after a word that is a token of its own, a word begins
    for starts in (leading, trailing):
        sums = sums_over(units, starts, own) + end_of_word_corrections(text, units, starts, ends, certain)
        assert sums == pytest.approx(own)
