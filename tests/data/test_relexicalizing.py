"""Relexicalized text keeps function words, order and form, and loses the words that mean something."""

from collections import Counter

import numpy as np
import pytest

from twotower.data import tag_cache
from twotower.data.documents import Document, Word
from twotower.data.heldout import PreparedText
from twotower.data.relexicalizing import open_rewriting
from twotower.system.errors import InputError

TEXT = "apple orange uncle island engine army office acre answer eagle bank city river road house tree"
NOUNS = TEXT.split()
PLURALS = [noun + "s" for noun in NOUNS]


def tag(texts):
    """A tagger of this little language."""
    found = []
    for text in texts:
        words, start = [], 0
        for form in text.split():
            low = form.lower()
            upos, finer = (
                ("NOUN", "NN") if low in NOUNS else ("NOUN", "NNS") if low in PLURALS else ("VERB", "VBD")
                if low.endswith("ed") else ("NUM", "CD") if low.isdigit() else ("DET", "DT")
            )  # fmt: skip
            words.append(Word(start, start + len(form), upos, tag=finer))
            start += len(form) + 1
        found.append(words)
    return found


def documents():
    generator = np.random.default_rng(0)
    texts = []
    for _ in range(40):
        words = []
        for _ in range(30):
            noun = str(generator.choice(NOUNS))
            words += ["An" if noun[0] in "aeiou" else "A", noun, "wanted" if generator.random() < 0.5 else "counted"]
            words += ["the", str(generator.choice(PLURALS)).capitalize(), "1"]
        texts.append(" ".join(words))
    return [Document(str(number), text) for number, text in enumerate(texts)]


def rewriting(words="relexicalized", said=lambda _: None):
    return open_rewriting(words, 0, documents(), "hanta:en", "en", tag, 1000, said)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_content_words_give_way_to_others_of_their_form_and_all_else_stays():
    before = documents()
    after = rewriting().rewritten(range(len(before)), before)
    changed = 0
    for one, other in zip(before, after, strict=True):
        assert [other.text[word.start : word.end] for word in other.words] == other.text.split()
        for old, new in zip(one.text.split(), other.text.split(), strict=True):
            assert (old.lower() in NOUNS) == (new.lower() in NOUNS) and (old in NOUNS) == (new in NOUNS)
            assert (old.lower() in PLURALS) == (new.lower() in PLURALS) and old[0].isupper() == new[0].isupper()
            assert (old.lower()[0] in "aeiou") == (new.lower()[0] in "aeiou")
            if old.lower() not in NOUNS + PLURALS:
                assert old == new  # two verbs are too few to be exchanged, and 1 asks for the singular
            changed += old != new
    assert changed > 0.15 * sum(len(one.text.split()) for one in before)  # the ten nouns that begin with a vowel


def test_what_is_drawn_depends_on_the_number_of_the_document_alone():
    before = documents()
    whole = rewriting().rewritten(range(len(before)), before)
    assert rewriting().rewritten([7], [before[7]])[0].text == whole[7].text


def test_once_keeps_repetition_within_a_document():
    before = documents()
    for words, most in (("relexicalized_once", 1), ("relexicalized", 8)):
        [after] = rewriting(words).rewritten([3], [before[3]])
        pairs = set(zip(before[3].text.split(), after.text.split(), strict=True))
        assert max(Counter(old for old, _ in pairs).values()) <= most
    assert max(Counter(old for old, _ in pairs).values()) > 1


def test_a_text_is_tagged_once(monkeypatch):
    asked = []

    def counting(texts):
        asked.extend(texts)
        return tag(texts)

    messages = []
    monkeypatch.setattr(tag_cache, "LONG", 0.0)
    for _ in range(2):
        tagged = tag_cache.cached("hanta:en", counting, 1000, messages.append)(["A bank wanted", "An eagle"])
        assert [list(words) for words in tagged] == tag(["A bank wanted", "An eagle"])
    assert asked.count("An eagle") == 1 and len(messages) == 1 and "tagged once" in messages[0]
    tag_cache.cached("spacy:en", counting, 1000, messages.append)(["An eagle"])
    assert asked.count("An eagle") >= 2


def test_without_tags_nothing_is_relexicalized():
    with pytest.raises(InputError, match="needs part of speech, and nothing tags 'hu' here"):
        open_rewriting("relexicalized", 0, documents(), "none", "hu", tag, 1000, lambda _: None)


def test_towers_planted_by_text_read_the_training_text_twice_over(with_settings, tmp_path):
    import twotower

    config = with_settings(model={"planted": "texts"})
    run = twotower.run(config, tmp_path / "run", stages=("prepare", "train")).path
    text = PreparedText(run)
    syntax, topics = text.planted("relexicalized"), text.planted("scrambled")
    assert (np.bincount(topics) == np.bincount(text.train)).all() and (topics != text.train).any()
    the = text.pieces.index("the")
    assert np.count_nonzero(syntax == the) == pytest.approx(np.count_nonzero(text.train == the), rel=0.02)
    assert (np.bincount(syntax, minlength=len(text.frequencies)) != text.frequencies).any()
