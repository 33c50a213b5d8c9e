"""A tokenizer depends on its text alone, and special tokens in a text are text."""

import numpy as np
import pytest

from twotower.data import tokenization
from twotower.data.tokenization import (
    encode,
    encode_with_offsets,
    load_tokenizer,
    save_tokenizer,
    special_ids,
    train_tokenizer,
)
from twotower.errors import InputError


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
    forbidden = set(special_ids(tokenizer).values()) - {tokenizer.token_to_id("[UNK]")}
    text = "He said [MASK] and [SEP] and [CLS] and [PAD] to them."
    assert not forbidden & set(encode(tokenizer, text).tolist())
    assert not forbidden & set(encode_with_offsets(tokenizer, text)[0].tolist())


@pytest.mark.parametrize("limit", [7, 50, 1000])
def test_chunks_change_nothing_and_cover_long_texts(monkeypatch, tokenizer, texts, limit):
    text = texts[0][:3000]
    whole = tokenizer.encode(text, add_special_tokens=False)
    chunked = tokenization.chunks
    monkeypatch.setattr(tokenization, "chunks", lambda text: chunked(text, limit=max(limit, 30)))
    ids, starts = encode_with_offsets(tokenizer, text)
    assert ids.tolist() == whole.ids == encode(tokenizer, text).tolist()
    assert starts.tolist() == [start for start, _ in whole.offsets]


def test_a_run_without_white_space_is_cut_anywhere_and_words_without_end_are_unknown(tokenizer):
    ids = encode(tokenizer, "x" * 250_000)
    assert (ids == tokenizer.token_to_id("[UNK]")).all() and len(ids) == 3
    assert encode(tokenizer, "a" + "b" * 9_999).tolist() == [tokenizer.token_to_id("[UNK]")]


def test_emoji_and_right_to_left_text_are_encoded(tokenizer):
    ids, starts = encode_with_offsets(tokenizer, "the 😀 שלום عالم state")
    assert len(ids) and (np.diff(starts) > 0).all()


def test_round_trip_and_vocab_txt(tmp_path, tokenizer):
    save_tokenizer(tokenizer, tmp_path / "tokenizer.json")
    text = "The State of the Union, [MASK] included."
    assert encode(load_tokenizer(tmp_path / "tokenizer.json"), text).tolist() == encode(tokenizer, text).tolist()
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    assert encode(load_tokenizer(tmp_path / "vocab.txt"), text).tolist() == encode(tokenizer, text).tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.json", None, "does not exist"),
        ("x.json", b"{", "not a tokenizer.json"),
        ("vocab.txt", b"the\nof\n", r"lacks \[PAD\]"),
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
        train_tokenizer(lambda: iter([texts]), 64)
