"""A prepared text of random tokens, with Zipf's frequencies, of any size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from tokenizers import Tokenizer, models, pre_tokenizers

from twotower.data.tagging import UPOS
from twotower.data.tokenizer_training import SPECIAL_TOKENS

CHUNK = 1 << 22


def synthetic(folder: Path, vocabulary: int, training: int, heldout: int, document: int = 2_000) -> Path:
    """Write what `prepare` writes, as far as training and scoring read it; returns the run folder."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    special = list(SPECIAL_TOKENS)
    pieces = [*special, *(f"w{number}" for number in range(vocabulary - len(special)))]
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    generator = np.random.default_rng(0)
    weights = 1 / np.arange(1, vocabulary - len(special) + 1)
    chunk = generator.choice(
        vocabulary - len(special), size=min(CHUNK, max(training, heldout)), p=weights / weights.sum()
    )
    chunk = (chunk + len(special)).astype(np.uint16)
    stream = np.lib.format.open_memmap(data / "train.npy", mode="w+", dtype=np.uint16, shape=(training,))
    for start in range(0, training, len(chunk)):
        stream[start : start + len(chunk)] = chunk[: training - start]
    stream.flush()
    np.save(data / "heldout.npy", np.concatenate([[special.index("[SEP]")], chunk[: heldout - 1]]).astype(np.uint16))
    np.save(data / "frequencies.npy", np.bincount(chunk, minlength=vocabulary))
    tags = np.zeros((vocabulary, len(UPOS) + 1), dtype=np.int64)
    tags[:, -1] = 1
    np.save(data / "tags.npy", tags)
    starts = np.arange(1, heldout, document)
    lengths = np.minimum(document - 1, heldout - starts)
    pd.DataFrame({"heldout": True, "start": starts, "tokens": lengths}).to_parquet(data / "documents.parquet")
    (data / "corpus.json").write_text(json.dumps({"name": "synthetic"}))
    return folder
