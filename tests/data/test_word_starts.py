"""Words, offsets and whole-word flags are those of the text, for every kind of tokenizer and in many scripts."""

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from small_tokenizers import KINDS, SPACED, UNSPACED, small_tokenizer
from twotower.data.characters import visible
from twotower.data.documents import Document, Word, visible_document
from twotower.data.pieces import read_pieces
from twotower.data.tagging import words_of_pieces
from twotower.data.tokenization import divide_batch, encode, encode_batch, vocabulary_of
from twotower.data.word_starts import pieces_suffice
from twotower.knowledge.occurrences import count_occurrences, pieces_of

INVISIBLE = ["\u00ad", "\u200b", "\u200e", "\u200f", "\u2060", "\ufeff", "\u202b", "\u202c", "\x00", "\ud83d", "\ufe0f"]
WORDS = [word for text in SPACED.values() for word in text.split()]
kinds = pytest.mark.parametrize("kind", KINDS)
words_in = st.lists(st.sampled_from([*WORDS, *(word.capitalize() for word in WORDS)]), min_size=1)


def spelled(kind: str, text: str) -> list[str]:
    """The text of each word that the tokenizer sees."""
    encoded = encode(small_tokenizer(kind), text)
    first = np.flatnonzero(encoded.begins)
    last = np.append(first[1:], len(encoded.ids))[: len(first)] - 1
    return [text[a:b] for a, b in zip(encoded.starts[first], encoded.ends[last], strict=True)]


@kinds
@given(words=words_in)
@settings(deadline=None, max_examples=60)
def test_words_are_what_stands_between_spaces(kind, words):
    text = " ".join(words)
    assert spelled(kind, text) == words


@kinds
@given(words=words_in, marks=st.lists(st.sampled_from([", ", "! ", " (", "\n\n", " “", "” ", "-", "।"]), min_size=1))
@settings(deadline=None, max_examples=60)
def test_punctuation_is_divided_from_words(kind, words, marks):
    text = "".join(word + marks[number % len(marks)] for number, word in enumerate(words))
    letters = [word for word in spelled(kind, text) if word and unicodedata.category(word[0])[0] in "LM"]
    assert letters == words


@kinds
@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(list("".join(UNSPACED.values()) + " ab.,’é")), max_size=60).map("".join)
)
@settings(deadline=None, max_examples=100)
@example(text="")
@example(text=" \n ")
@example(text="a <mask> </s>")
def test_pieces_come_in_order_and_cover_what_is_visible(kind, text):
    text = visible(text)
    tokenizer = small_tokenizer(kind)
    encoded = encode(tokenizer, text)
    known = vocabulary_of(tokenizer)
    roles = {known.pad, known.mask, known.cls, known.sep}  # whose names Unigram finds in a text
    pieces = tokenizer.encode(text, add_special_tokens=False).ids
    assert encoded.ids.tolist() == [known.unknown if piece in roles else piece for piece in pieces]
    assert (np.diff(encoded.starts) >= 0).all() and (encoded.starts >= 0).all() and (encoded.ends <= len(text)).all()
    assert (encoded.starts <= encoded.ends).all() and encoded.begins[:1].all()
    covered = {place for a, b in zip(encoded.starts, encoded.ends, strict=True) for place in range(a, b)}
    for place, char in enumerate(text):
        assert place in covered or unicodedata.category(char)[0] in "CMZ" or char == "\ufffd", repr(text)


@kinds
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8") | st.sampled_from(" #.'\n\x1c…½ﬁ"), max_size=60)
        | words_in.map(" ".join)
        | st.lists(st.sampled_from(["##ing", "[UNK]", "<s>", "don't", "3½", "…", "e\u0301", *WORDS])).map(" ".join)
    )
)
@settings(deadline=None, max_examples=100)
def test_words_without_their_characters_are_the_same(kind, texts):
    texts = [visible(text) for text in texts]
    tokenizer = small_tokenizer(kind)
    divided = divide_batch(tokenizer, texts)
    for text, encoded in zip(divided, encode_batch(tokenizer, texts), strict=True):
        assert text.ids.tolist() == encoded.ids.tolist()
        assert text.begins.tolist() == encoded.begins.tolist()


def test_pieces_suffice_where_the_tokenizer_marks_them_and_letters_stand_alone():
    wordpiece, unmarked = small_tokenizer("wordpiece"), small_tokenizer("byte-level BPE")
    assert pieces_suffice(wordpiece, "The union's “peace” — 1865, für Größe")
    assert not pieces_suffice(wordpiece, SPACED["Devanagari"]) and not pieces_suffice(wordpiece, UNSPACED["Thai"])
    assert not pieces_suffice(unmarked, "The union")


@kinds
@pytest.mark.parametrize("script", UNSPACED)
def test_in_scripts_without_spaces_every_piece_is_a_word(kind, script):
    encoded = encode(small_tokenizer(kind), UNSPACED[script])
    text = UNSPACED[script]
    for place in range(1, len(encoded.ids)):
        start = encoded.starts[place]
        same_character = start < encoded.ends[place - 1]
        mark = unicodedata.category(text[start])[0] == "M"
        assert encoded.begins[place] != (same_character or mark), text[start : encoded.ends[place]]
    assert vocabulary_of(small_tokenizer(kind)).unknown not in encoded.ids


@kinds
@given(words=words_in, gaps=st.lists(st.sampled_from([" ", "\n", "  ", "\n\n", "\t"]), min_size=1))
@settings(deadline=None, max_examples=60)
@example(words=["war", "war"], gaps=["\n"])
def test_a_word_is_whole_where_one_piece_spells_it(kind, words, gaps):
    text, gold = "", []
    for number, word in enumerate(words):
        gold.append(Word(len(text), len(text) + len(word), "X"))
        text += word + gaps[number % len(gaps)]
    encoded = encode(small_tokenizer(kind), text)
    index, whole = words_of_pieces(gold, encoded.starts)
    spelled = np.array([bool(text[a:b].strip()) for a, b in zip(encoded.starts, encoded.ends, strict=True)])
    assert (index[spelled] >= 0).all()
    pieces = np.bincount(index[index >= 0], minlength=len(words))
    assert (pieces >= 1).all() and whole.tolist() == [bool(word >= 0 and pieces[word] == 1) for word in index]
    for word in np.flatnonzero(pieces == 1):  # the one piece is the word, letter by letter
        (place,) = np.flatnonzero(index == word)
        assert text[encoded.starts[place] : encoded.ends[place]] == words[word]
    assert (encoded.begins[1:] | (index[1:] == index[:-1]))[spelled[1:]].all(), "a piece of another word begins one"


@kinds
@given(words=words_in, data=st.data())
@settings(deadline=None, max_examples=60)
def test_invisible_characters_change_no_piece_and_no_word(kind, words, data):
    text = " ".join(words) + " 👨‍👩‍👧 and می‌خواهم."
    places = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.sampled_from(INVISIBLE)), max_size=12))
    dirty = text
    for place, char in sorted(places, reverse=True):
        dirty = dirty[:place] + char + dirty[place:]
    assert visible(dirty) == visible(text) == text
    tokenizer = small_tokenizer(kind)
    typed = "".join(char for char in dirty if char != "\ud83d")  # which no tokenizer takes
    assert encode(tokenizer, typed).ids.tolist() == encode(tokenizer, text).ids.tolist()


def test_gold_words_keep_their_places_without_invisible_characters():
    text = "Mu\u0308t\u00adter \ufeff(so\u200b)"
    gold = (Word(0, 8, "NOUN"), Word(9, 10, "X"), Word(10, 11, "PUNCT"), Word(11, 14, "ADV"), Word(14, 15, "PUNCT"))
    clean = visible_document(Document("a", text, gold))
    assert clean.text == "Mütter (so)"
    assert [clean.text[w.start : w.end] for w in clean.words] == ["Mütter", "(", "so", ")"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("می‌خواهم", True), ("র‍্যাব", True), ("ന്‍", True), ("👨‍👩‍👧", True), ("🏴\U000e0067\U000e0062\U000e007f", True),
        ("کتاب‌", False), ("Auf‌lage", False), ("a‍b", False), ("x\U000e0067\U000e0062", False), ("می‌‌خواهم", False),
    ],
)  # fmt: skip
def test_joiners_and_tags_stay_where_they_spell(text, kept):
    assert (visible(text) == text) is kept
    assert visible(visible(text)) == visible(text)


def test_labels_are_alike_for_all_tokenizers_and_name_no_piece_twice():
    for kind in KINDS:
        labels = read_pieces(small_tokenizer(kind)).labels
        named = [label for label in labels if label]
        assert len(set(named)) == len(named), kind
        tokenizer = small_tokenizer(kind)
        encoded = encode(tokenizer, "for the peace of unionwar")
        shown = [labels[piece] for piece in encoded.ids]
        assert "".join(label.removeprefix("##") for label in shown if label != "␣") == "forthepeaceofunionwar"
        after = np.flatnonzero(encoded.begins)[1:]
        assert not any(shown[place].startswith("##") for place in after) and shown[-1].startswith("##"), kind


@kinds
def test_words_are_found_in_a_stream_as_they_stand_in_the_text(kind):
    tokenizer = small_tokenizer(kind)
    words = ["the", "war", "Mütter", "ışık", "народ", "में", "나라", "天气", "self-made"]
    text = "The word: the war, народ (the war) में ışık und Mütter nation the 나라 warm 天气很好 народ। self-made"
    encoded = encode(tokenizer, text)
    pieces = pieces_of(words, tokenizer)
    counts = count_occurrences(encoded.ids.astype(np.uint16), pieces, encoded.begins)
    lowercase = kind == "wordpiece"
    after_bracket = "wordpiece" in kind  # others spell the space, so that "(the" has another piece
    expected = {"the": 2 + after_bracket + lowercase, "war": 2, "Mütter": 1, "ışık": 1, "народ": 2, "में": 1, "나라": 1}
    counted = {word: int(count) for word, count, one in zip(words, counts, pieces, strict=True) if one}
    assert {word: counted[word] for word in expected if word in counted} == {
        w: n for w, n in expected.items() if w in counted
    }
    assert pieces[-1] == () and {"the", "war", "Mütter", "народ"} <= set(counted)
