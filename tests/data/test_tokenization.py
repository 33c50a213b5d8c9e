"""A tokenizer depends on its text alone, and special tokens in a text are text."""

import json

import numpy as np
import pytest
import transformers

from small_tokenizers import KINDS, small_tokenizer
from twotower.data import tokenization
from twotower.data.tokenization import encode, encode_batch, padded_size, vocabulary_of
from twotower.data.tokenizer_files import load_tokenizer, save_for_transformers, save_tokenizer
from twotower.data.tokenizer_training import train_tokenizer
from twotower.system.errors import InputError


@pytest.fixture(scope="module")
def texts(corpus):
    return [path.read_text(encoding="utf-8") for path in sorted(corpus.glob("*.txt"))]


@pytest.fixture(scope="module")
def tokenizer(texts):
    return train_tokenizer(lambda: iter([texts]), 600)


def test_training_twice_gives_the_same_tokenizer(texts, tokenizer):
    again = train_tokenizer(lambda: iter([texts]), 600)
    assert again.to_str() == tokenizer.to_str()
    assert tokenizer.get_vocab_size() == 600


def test_special_tokens_in_text_are_text(tokenizer):
    forbidden = set(vocabulary_of(tokenizer).special) - {tokenizer.token_to_id("[UNK]")}
    text = "He said [MASK] and [SEP] and [CLS] and [PAD] to them."
    assert not forbidden & set(encode(tokenizer, text).ids.tolist())


@pytest.mark.parametrize("limit", [7, 50, 1000])
def test_chunks_change_nothing_and_cover_long_texts(monkeypatch, tokenizer, texts, limit):
    text = texts[0][:3000]
    whole = tokenizer.encode(text, add_special_tokens=False)
    chunked = tokenization.chunks
    monkeypatch.setattr(tokenization, "chunks", lambda text: chunked(text, limit=max(limit, 30)))
    encoded = encode(tokenizer, text)
    assert encoded.ids.tolist() == whole.ids
    assert encoded.starts.tolist() == [start for start, _ in whole.offsets]


def test_a_run_without_white_space_is_cut_anywhere_and_words_without_end_are_unknown(tokenizer):
    ids, short = encode_batch(tokenizer, ["x" * 250_000, "a" + "b" * 9_999])
    assert (ids.ids == tokenizer.token_to_id("[UNK]")).all() and len(ids.ids) == 13
    assert short.ids.tolist() == [tokenizer.token_to_id("[UNK]")]


def test_documents_encoded_together_are_those_encoded_alone(tokenizer, texts):
    together = encode_batch(tokenizer, ["", *texts, " "])
    assert len(together[0].ids) == len(together[-1].ids) == 0
    for text, encoded in zip(texts, together[1:-1], strict=True):
        assert encoded.ids.tolist() == tokenizer.encode(text, add_special_tokens=False).ids


def test_the_vocabulary_is_padded_to_a_multiple_of_eight_and_its_roles_do_not_overlap(tokenizer, tmp_path):
    pieces = sorted(tokenizer.get_vocab(with_added_tokens=True), key=tokenizer.token_to_id)[:597]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    loaded = load_tokenizer(str(tmp_path / "vocab.txt"))
    vocabulary = vocabulary_of(loaded)
    assert padded_size(loaded) == 600
    assert set(vocabulary.special) | set(vocabulary.ordinary) == set(range(597))
    assert not set(vocabulary.special) & set(vocabulary.ordinary)
    assert {loaded.id_to_token(int(piece)) for piece in vocabulary.sentence_ends} == {".", "!", "?"}


def test_a_tokenizer_loads_from_a_folder_and_a_hub_name_without_network_says_what_to_do(tokenizer, tmp_path):
    save_tokenizer(tokenizer, tmp_path / "tokenizer.json")
    assert load_tokenizer(str(tmp_path)).get_vocab() == tokenizer.get_vocab()
    with pytest.raises(InputError, match=r"no/such-name.*vocab\.txt or tokenizer\.json and give that file's path"):
        load_tokenizer("no/such-name")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds neither tokenizer\.json nor vocab\.txt"):
        load_tokenizer(str(tmp_path / "empty"))


def test_emoji_and_right_to_left_text_are_encoded(tokenizer):
    encoded = encode(tokenizer, "the 😀 שלום عالم state")
    assert len(encoded.ids) and (np.diff(encoded.starts) > 0).all()


def test_round_trip_and_vocab_txt(tmp_path, tokenizer):
    save_tokenizer(tokenizer, tmp_path / "tokenizer.json")
    text = "The State of the Union, [MASK] included."
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "vocab.txt"):
        again = encode(load_tokenizer(tmp_path / name), text)
        assert again.ids.tolist() == encode(tokenizer, text).ids.tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.json", None, "does not exist"),
        ("x.json", b"{", "not a tokenizer.json"),
        ("vocab.txt", b"the\nof\n", r"lacks \[UNK\]"),
        ("vocab.txt", b"\xff", "byte 0 is not UTF-8"),
    ],
)
def test_unusable_tokenizers_are_refused_by_name(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_tokenizer(tmp_path / name)


def test_a_vocabulary_smaller_than_the_alphabet_is_refused(texts):
    with pytest.raises(InputError, match="too small"):
        train_tokenizer(lambda: iter([texts]), 48)


def test_marks_are_kept_or_stripped_and_capitals_kept_as_asked():
    texts = [["Mutter Mütter MÜTTER İstanbul में मैं"] * 20]
    kept, stripped, cased = (
        train_tokenizer(lambda: iter(texts), 400, **asked) for asked in ({}, {"accents": False}, {"lowercase": False})
    )

    def ids(tokenizer, word):
        return encode(tokenizer, word).ids.tolist()

    assert ids(kept, "Mutter") != ids(kept, "Mütter") == ids(kept, "MÜTTER") == ids(kept, "Mu\u0308tter")
    assert ids(kept, "में") != ids(kept, "मैं") and ids(kept, "İstanbul") == ids(kept, "istanbul")
    assert ids(stripped, "Mutter") == ids(stripped, "Mütter") and ids(cased, "Mütter") != ids(cased, "MÜTTER")


def test_the_alphabet_follows_the_text():
    """Four thousand Chinese characters by Zipf's law: a quarter of 4,096 pieces does not hold them."""
    generator = np.random.default_rng(0)
    characters = [chr(0x4E00 + number) for number in range(4000)]
    weights = 1 / np.arange(1, 4001) ** 1.2
    texts = ["".join(generator.choice(characters, 20_000, p=weights / weights.sum())) for _ in range(10)]
    tokenizer = train_tokenizer(lambda: iter([texts[:8]]), 4096)
    vocabulary = vocabulary_of(tokenizer)
    shares = [np.mean(np.concatenate([encode(tokenizer, text).ids for text in part]) == vocabulary.unknown)
              for part in (texts[:8], texts[8:])]  # fmt: skip
    assert shares[0] < 0.01 and shares[1] < 0.02 and tokenizer.get_vocab_size() > 3000
    few = train_tokenizer(lambda: iter([["a" * 1000 + "é"]]), 64)
    assert few.token_to_id("é") is not None, "every character, where there is room"


def _vocabulary(folder, **changed):
    state = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
             "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
             "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                       "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                       "vocab": {"t": 0, "h": 1, "e": 2}, "merges": [], **changed}}  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(state), encoding="utf-8")


def test_a_tokenizer_that_loses_what_it_cannot_spell_is_refused(tmp_path):
    _vocabulary(tmp_path)
    with pytest.raises(InputError, match=r"loses what it cannot spell .*unk_token"):
        load_tokenizer(tmp_path)
    _vocabulary(tmp_path, vocab={"t": 0, "h": 1, "e": 2, "?": 3}, unk_token="?")
    assert vocabulary_of(load_tokenizer(tmp_path)).unknown == 3


@pytest.mark.parametrize("name", ["vocab.json", "spiece.model", "merges.txt", "tokenizer.model"])
def test_files_of_other_kinds_are_refused_with_the_way_to_convert_them(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x0a\x0e")
    for given in (tmp_path, tmp_path / name):
        with pytest.raises(InputError, match=rf"{name}.*AutoTokenizer"):
            load_tokenizer(given)


@pytest.mark.parametrize("kind", KINDS)
def test_every_tokenizer_has_the_roles_and_saves_and_loads_alike(tmp_path, kind):
    tokenizer = small_tokenizer(kind)
    vocabulary = vocabulary_of(tokenizer)
    roles = {vocabulary.pad, vocabulary.mask, vocabulary.cls, vocabulary.sep}
    assert len(roles) == 4 and roles <= set(vocabulary.special) and not roles & set(vocabulary.ordinary)
    save_tokenizer(tokenizer, tmp_path / "tokenizer.json")
    again = load_tokenizer(tmp_path / "tokenizer.json")
    assert again.to_str() == tokenizer.to_str()
    text = "İstanbul [MASK] <mask> the war, für Straße. 今天 ไทย"
    assert not roles & set(encode(again, text).ids)
    save_for_transformers(tmp_path / "tokenizer.json", tmp_path / "hf", "masked", "pairs")
    tokens = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")(text)["input_ids"]
    assert tokens[0] == vocabulary.cls and tokens[-1] == vocabulary.sep


def test_a_cased_vocabulary_keeps_capitals(tmp_path):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Über", "über", "uber"]
    for names, wanted in ((pieces, "Über"), ([*pieces[:5], "über", "uber"], "uber")):
        (tmp_path / "vocab.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        loaded = load_tokenizer(tmp_path / "vocab.txt")
        assert loaded.id_to_token(int(encode(loaded, "Über").ids[0])) == wanted
