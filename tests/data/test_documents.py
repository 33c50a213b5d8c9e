"""The measured stretch of a held-out document."""

from twotower.data.documents import Document, Word, middle_of


def test_the_middle_keeps_whole_words_and_moves_the_gold_words_along():
    text = "a bb ccc\ndddd  eeeee f"
    starts = [0, 2, 5, 9, 15, 21]
    words = tuple(Word(start, start + len(form), "X") for start, form in zip(starts, text.split(), strict=True))
    middle = middle_of(Document("d", text, words), 3)
    assert middle.text == "bb ccc\ndddd"
    assert [middle.text[word.start : word.end] for word in middle.words] == ["bb", "ccc", "dddd"]


def test_a_short_document_and_no_limit_change_nothing():
    document = Document("d", "one two three")
    assert middle_of(document, 0) is document and middle_of(document, 3) is document
