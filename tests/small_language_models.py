"""Language models of `transformers` of a few thousand parameters, trained for seconds on the texts of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
)

import twotower
from small_tokenizers import byte_level

WINDOW, WIDTH, BATCH = 64, 32, 16
END = "<|endoftext|>"


def texts_in(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]


def byte_tokenizer(texts: list[str], entries: int = 700) -> PreTrainedTokenizerFast:
    """As GPT-2's: a space goes with the word after it, and nothing is put around a text."""
    tokenizer = byte_level(texts, entries, (END,))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=END, eos_token=END)


def sentencepiece_tokenizer(texts: list[str], entries: int = 900) -> PreTrainedTokenizerFast:
    """As Llama's: `▁` before each word, bytes for what is not known, `<s>` before a text."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
    ])  # fmt: skip
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=entries, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def wordpiece_tokenizer(texts: list[str], entries: int = 700) -> PreTrainedTokenizerFast:
    """As BERT's: small letters, `##` within words, [CLS] and [SEP] around a text."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=entries, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip


def _gpt2(entries: int) -> Any:
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=entries, n_positions=WINDOW, n_embd=WIDTH, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0,
    ))  # fmt: skip


def _llama(entries: int) -> Any:
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=entries, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=WINDOW, bos_token_id=1, eos_token_id=2,
    ))  # fmt: skip


def _mamba(entries: int) -> Any:
    return MambaForCausalLM(MambaConfig(
        vocab_size=entries, hidden_size=WIDTH, state_size=4, num_hidden_layers=1, bos_token_id=0, eos_token_id=0,
        pad_token_id=0,
    ))  # fmt: skip


def _bert(entries: int) -> Any:
    return BertForMaskedLM(BertConfig(
        vocab_size=entries, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=WINDOW,
    ))  # fmt: skip


def _modernbert(entries: int) -> Any:
    return ModernBertForMaskedLM(ModernBertConfig(
        vocab_size=entries, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=WINDOW, pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3,
    ))  # fmt: skip


KINDS: dict[str, tuple[Callable[[int], Any], Callable[[list[str]], PreTrainedTokenizerFast], int]] = {
    "gpt-a": (_gpt2, byte_tokenizer, 150),
    "gpt-b": (_gpt2, byte_tokenizer, 150),
    "gpt-short": (_gpt2, byte_tokenizer, 60),
    "llama": (_llama, sentencepiece_tokenizer, 150),
    "mamba": (_mamba, byte_tokenizer, 20),
    "bert": (_bert, wordpiece_tokenizer, 150),
    "modernbert": (_modernbert, wordpiece_tokenizer, 60),
}
"""By name: how it is built, its tokenizer, and the updates that it is trained for. `gpt-a` and `gpt-b` differ in their
seed."""


def save_model(name: str, corpus: Path, folder: Path) -> None:
    """Train a model of `KINDS` on every other text of a folder and save it with its tokenizer."""
    build, tokenizer_of, updates = KINDS[name]
    texts = texts_in(corpus)
    tokenizer = tokenizer_of(texts)
    torch.manual_seed(list(KINDS).index(name))
    model = build(len(tokenizer))
    ids = torch.tensor([k for text in texts[::2] for k in tokenizer(text, add_special_tokens=False)["input_ids"]])
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    for batch in _batches(ids, updates):
        inputs, labels = batch, batch
        if tokenizer.mask_token_id is not None:
            hidden = torch.rand(batch.shape) < 0.25
            inputs, labels = torch.where(hidden, tokenizer.mask_token_id, batch), torch.where(hidden, batch, -100)
        optimizer.zero_grad()
        model(input_ids=inputs, labels=labels).loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _batches(ids: torch.Tensor, updates: int) -> Iterator[torch.Tensor]:
    for _ in range(updates):
        starts = torch.randint(0, len(ids) - WINDOW // 2, (BATCH,))
        yield torch.stack([ids[start : start + WINDOW // 2] for start in starts])


QUICK = {
    "threads": 1, "diff.window": 32, "diff.device": "cpu", "prepare.tagger": "none", "analyze.bootstrap": 100,
    "analyze.permutations": 99, "analyze.splits": 5, "analyze.min_count": 3,
}  # fmt: skip
"""Settings of a comparison that takes seconds."""


def compared(*models: object, corpus: Path, out: Path, **given: object) -> twotower.Diff:
    """A finished comparison of models."""
    control = given.pop("control", "")
    return twotower.diff(
        *map(str, models), corpus=corpus, out=out, control=str(control), settings=QUICK | given, quiet=True
    )
