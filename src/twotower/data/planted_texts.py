"""The stage `rewrite`: the training text twice over, once without meaning and once without syntax.

Towers that are planted by text are trained on these (`heldout.PLANTED_TEXTS`); all else is done on the text as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd

from ..config.schema import RunConfig
from ..system.errors import InputError
from ..system.processes import usable_cores
from ..system.progress import Progress
from .corpora import open_corpus
from .documents import Document, adjoining
from .heldout import PLANTED_TEXTS, PreparedText
from .relexicalizing import open_rewriting
from .scrambling import new_order, spans
from .streams import Stream, piece_type
from .tagging import GOLD, open_tagger
from .tokenization import divide_batch

RELEXICALIZED, SCRAMBLED = PLANTED_TEXTS
CHARACTERS_AT_ONCE = 1_000_000


def write_planted_texts(config: RunConfig, run: Path, out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Write `texts/relexicalized.npy` and `texts/scrambled.npy`, streams like `data/train.npy`, into `out`.

    Raises `InputError` where the text has no tags, or the corpus is no longer the one that was prepared.
    """
    text, folder = PreparedText(run), out / "texts"
    folder.mkdir(parents=True)
    _write_scrambled(text, folder, config.prepare.split_seed)
    tagged = text.summary.tagger
    read = text.summary.inventory.language
    language = read.code if read else ""
    processes = config.threads or usable_cores()
    with nullcontext() if tagged == GOLD else open_tagger(tagged, language, processes) as tagger:
        numbers, characters = _training_documents(run)
        rewriting = open_rewriting(
            RELEXICALIZED, config.prepare.split_seed, (document for _, document in _documents(config, numbers)), tagged,
            language, tagger, characters, say,
        )  # fmt: skip
        dtype = piece_type(len(text.frequencies))
        with (
            Progress("rewrite", total=characters, unit="char") as progress,
            Stream(folder, RELEXICALIZED, dtype, text.vocabulary.sep) as stream,
        ):
            for group in adjoining(_documents(config, numbers), lambda item: len(item[1].text), CHARACTERS_AT_ONCE):
                changed = rewriting.rewritten([number for number, _ in group], [document for _, document in group])
                for (_, document), encoded in zip(
                    group, divide_batch(text.tokenizer, [document.text for document in changed]), strict=True
                ):
                    stream.append(encoded)
                    progress.advance(len(document.text))
    say(f"relexicalized: {rewriting.summary()}")


def _write_scrambled(text: PreparedText, folder: Path, seed: int) -> None:
    table = pd.read_parquet(text.run / "data" / "documents.parquet")
    mine = table[~table["heldout"] & ~table["validation"]]
    lengths = mine["tokens"].to_numpy()
    inside = spans(mine["start"].to_numpy(), lengths)
    ends = np.isin(text.train[inside], text.vocabulary.sentence_ends)
    order, lengths = new_order(text.begins[inside], ends, lengths, SCRAMBLED, np.random.default_rng([seed, 1]))
    stream = np.array(text.train)
    stream[inside] = stream[inside][order]
    np.save(folder / f"{SCRAMBLED}.npy", stream)


def _training_documents(run: Path) -> tuple[dict[int, int], int]:
    """Number and length in characters of each training document, and the length of all."""
    table = pd.read_parquet(run / "data" / "documents.parquet")
    mine = table[~table["heldout"] & ~table["validation"]]
    return dict(zip(mine["document"].tolist(), mine["characters"].tolist(), strict=True)), int(mine["characters"].sum())


def _documents(config: RunConfig, lengths: dict[int, int]) -> Iterator[tuple[int, Document]]:
    """The training documents of the corpus, with their numbers. Raises `InputError` if they have changed."""
    alike = 0
    for number, document in enumerate(open_corpus(config.prepare).documents()):
        if number in lengths:
            alike += len(document.text) == lengths[number]
            yield number, document
    if alike != len(lengths):
        raise InputError("rewrite: the corpus is not the one that was prepared; redo the run with --overwrite")
