"""Tokenizers of every kind, trained on a few words of many scripts."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from twotower.data.tokenizer_files import load_tokenizer
from twotower.data.tokenizer_training import train_tokenizer

SPACED = {
    "Latin": "the state of the union wasn war and peace for every nation",
    "German": "Mütter Mutter schön schon Größe für Straße Übel",
    "Turkish": "İstanbul ışık iyi şehir çocuk ağaç öğretmen güzel",
    "French": "été forêt élève garçon où naïve œuvre cœur",
    "Cyrillic": "мир война и народ государство ёлка её йод",
    "Greek": "ειρήνη και πόλεμος για κάθε λαό στην Ελλάδα",
    "Arabic": "السلام والحرب لكل شعب في العالم العربي",
    "Persian": "می‌خواهم کتاب‌ها را بخوانم و نمی‌دانم چرا",
    "Hebrew": "שלום עולם מלחמה לכל עם במדינה",
    "Devanagari": "में मैं ठीक हूँ हिन्दी भाषा और लोग किताबें",
    "Bengali": "আমি বাংলা ভাষা ভালোবাসি র‍্যাব বই",
    "Tamil": "தமிழ் மொழி மக்கள் உலகம் அமைதி",
    "Korean": "한국어 사람 나라 전쟁 평화 모든 우리",
    "Armenian": "խաղաղություն պատերազմ և ժողովուրդ",
}
"""Words with spaces between them."""
UNSPACED = {
    "Chinese": "我们的国家和人民喜欢和平不要战争今天天气很好",
    "Japanese": "わたしはがっこうへいきますカタカナがだいすき",
    "Thai": "ประเทศไทยและประชาชนต้องการสันติภาพไม่ต้องการสงคราม",
    "Khmer": "ប្រជាជនចង់បានសន្តិភាពមិនចង់បានសង្គ្រាម",
    "Burmese": "ငြိမ်းချမ်းရေးကိုလိုလားသည်စစ်ပွဲကိုမလိုလားပါ",
}
"""Scripts without spaces."""
TEXTS = [*SPACED.values(), *UNSPACED.values(), *(text.upper() for text in SPACED.values())] * 3
KINDS = ("wordpiece", "cased wordpiece", "byte-level BPE", "unigram", "sentencepiece BPE")


def byte_level(texts: Iterable[str], size: int, special: tuple[str, ...] = ("<|endoftext|>",)) -> Tokenizer:
    """Like GPT-2's: a piece for every byte, the space before a word spelled with it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def unigram(texts: Iterable[str], size: int) -> Tokenizer:
    """Like those of XLM-R and T5: SentencePiece's, words beginning with ▁."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>",
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def sentencepiece_bpe(texts: Iterable[str], size: int) -> Tokenizer:
    """Like that of Llama 2: no pre-tokenizer, spaces written as ▁, unknown characters as bytes."""
    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(spaces)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # for training alone
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    )
    tokenizer.pre_tokenizer = None
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]  # bytes are ordinary pieces
    return Tokenizer.from_str(json.dumps(state))


@cache
def small_tokenizer(kind: str) -> Tokenizer:
    """One of `KINDS`, as a run would load it."""
    import tempfile

    if "wordpiece" in kind:
        return train_tokenizer(lambda: iter([TEXTS]), 2000, lowercase=kind == "wordpiece")
    make = {"byte-level BPE": byte_level, "unigram": unigram, "sentencepiece BPE": sentencepiece_bpe}[kind]
    with tempfile.TemporaryDirectory() as folder:
        make(TEXTS, 900).save(str(Path(folder) / "tokenizer.json"))
        return load_tokenizer(Path(folder) / "tokenizer.json")
