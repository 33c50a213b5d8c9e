"""A tokenizer depends on its text alone, and special tokens in a text are text."""

import numpy as np
import pytest

from twotower.data import tokenization
from twotower.data.tokenization import encode, encode_batch, padded_size, vocabulary_of
from twotower.data.tokenizer_files import load_tokenizer, save_tokenizer
from twotower.data.tokenizer_training import train_tokenizer
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
        train_tokenizer(lambda: iter([texts]), 64)
