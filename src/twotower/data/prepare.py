"""The stage `prepare`: a corpus becomes a tokenizer, two memory-mapped token streams and a table of held-out words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..config.conversion import as_json
from ..config.schema import PrepareConfig, RunConfig
from ..system.errors import InputError
from ..system.processes import usable_cores
from .corpora import open_corpus
from .documents import Corpus, Tagger
from .encoding import HELD, LEFT_OUT, TRAIN, VALIDATION, Encoding
from .inventory import CorpusSummary, Inventory, Language, PartOfCorpus, Unknown, tell
from .languages import guess
from .mixtures import thin
from .relexicalizing import RELEXICALIZED, open_rewriting
from .resuming import is_long, kept_survey, kept_tokenizer, write_in_parts
from .scrambling import REORDERED, scramble
from .segmentation import has_no_spaces
from .streams import count_begun
from .survey import Survey
from .tagging import GOLD, NO_WORD, NONE, choose_tagger, open_tagger
from .tokenization import chunks, vocabulary_of
from .tokenizer_files import load_tokenizer, save_tokenizer
from .tokenizer_training import train_tokenizer
from .windows import heldout_documents, require_window, validation_documents

CHARACTERS_OF_TOKENIZER = 1_000_000_000
"""Of the training text, from which a tokenizer is trained: its trainer holds every different word, some hundred bytes
each, and a text of ten times the length has several times as many."""


def prepare(
    config: RunConfig, out: Path, say: Callable[[str], None] = lambda _: None, kept: Path | None = None
) -> Inventory:
    """Write `data/` and `tokenizer.json` into `out`, and say what was read.

    - `data/train.npy`, `data/validation.npy`, `data/heldout.npy`: piece ids; a separator, then each document followed
      by a separator. Nothing is trained on the last two; readouts stop by the second;
    - `data/train_begins.npy` and so on: whether a word begins at each of these pieces (`word_starts.py`);
    - `data/documents.parquet`: where each document lies in its stream;
    - `data/heldout.parquet`: one row per held-out piece: its word, the word's part of speech, whether it is all of it,
      whether a word begins there, and for gold words their relation and features;
    - `data/frequencies.npy`: count of each piece in the training split, shape (vocabulary,);
    - `data/tags.npy`: how often each piece is held-out word of each part of speech, and how often it occurs held out,
      shape (vocabulary, len(UPOS) + 1);
    - `data/corpus.json`: name, sizes, the inventory, and the SHA-256 of the text.

    In the folder `kept`, if one is given, stands what was finished when an earlier process was killed, and is put what
    this one finishes.

    Raises `InputError` for text that cannot be read or split.
    """
    settings = config.prepare
    corpus = open_corpus(settings)
    corpus_survey = kept_survey(corpus, kept, out)
    language = guess(corpus_survey.passages, settings.language)
    name = tagger_for(settings, corpus, language.code)
    processes = config.threads or usable_cores()
    with nullcontext() if name == GOLD else open_tagger(name, language.code, processes) as tagger:
        return _prepare(config, corpus, corpus_survey, language, name, tagger, out, say, kept)


def _prepare(
    config: RunConfig,
    corpus: Corpus,
    corpus_survey: Survey,
    language: Language,
    tagged: str,
    tagger: Tagger | None,
    out: Path,
    say: Callable[[str], None],
    progress_folder: Path | None,
) -> Inventory:
    settings = config.prepare
    named_tokenizer = load_tokenizer(settings.tokenizer) if settings.tokenizer else None
    inventory = replace(corpus_survey.inventory(corpus), language=language)
    read = tell(inventory, {}, say)  # now, so that one who is refused sees what was read
    roles = _choose_roles(corpus, corpus_survey, settings)

    (out / "data").mkdir(parents=True)

    def trained() -> Tokenizer:
        texts = partial(_training_texts, corpus, roles, int(corpus_survey.characters[roles == TRAIN].sum()))
        return train_tokenizer(texts, settings.vocabulary, settings.lowercase == "on", settings.accents == "keep")

    progress_folder = progress_folder if is_long(corpus_survey) else None
    tokenizer = named_tokenizer or kept_tokenizer(trained, progress_folder)
    save_tokenizer(tokenizer, out / "tokenizer.json")
    used = roles != LEFT_OUT
    by_piece = tagged == NONE and has_no_spaces(corpus_survey.passages)
    characters = int(corpus_survey.characters[used].sum())
    rewriting = None
    if settings.words in RELEXICALIZED:
        documents = (document for document, role in zip(corpus.documents(), roles, strict=True) if role == TRAIN)
        rewriting = open_rewriting(
            settings.words, settings.split_seed, documents, tagged, language.code, tagger, characters, say
        )
    encoding = Encoding(tokenizer, tagger, corpus.parts, settings.heldout_words, by_piece, rewriting)
    tokens, sentences = write_in_parts(encoding, corpus, roles, corpus_survey.characters, out / "data", progress_folder)
    require_window(int(tokens["train"].sum()), config.train.window)  # now, so that no folder is left behind
    if rewriting is not None:
        say(f"relexicalized: {rewriting.summary()}")
    if settings.words in REORDERED:
        ends = vocabulary_of(tokenizer).sentence_ends
        tokens = scramble(out / "data", settings.words, settings.split_seed, ends, corpus.parts)
    inventory = replace(inventory, shared_sentences=sentences.shared())
    inventory = _counted(
        inventory, out / "data", tokenizer, tokens, f"{tagged} (each piece a word)" if by_piece else tagged
    )
    tell(inventory, read, say, warn=True)
    summary = CorpusSummary(
        name=corpus.name if settings.words == "text" else f"{corpus.name}, words {settings.words}",
        documents=int(used.sum()),
        tokens=int(sum(counts.sum() for counts in tokens.values())),
        validation_documents=int((roles == VALIDATION).sum()),
        validation_tokens=int(tokens["validation"].sum()),
        heldout_documents=int((roles == HELD).sum()),
        heldout_tokens=int(tokens["heldout"].sum()),
        characters=int(corpus_survey.characters[used].sum()),
        vocabulary=tokenizer.get_vocab_size(),
        tagger=tagged,
        digest=corpus_survey.digest,
        inventory=inventory,
        parts=[
            PartOfCorpus(
                name, documents=int((used & (corpus_survey.part == number)).sum()),
                left_out=int((~used & corpus_survey.kept & (corpus_survey.part == number)).sum()),
                training_tokens=int(tokens["train"][number]),
                validation_tokens=int(tokens["validation"][number]),
                heldout_tokens=int(tokens["heldout"][number]),
            )
            for number, name in enumerate(corpus.parts)
        ],
    )  # fmt: skip
    (out / "data" / "corpus.json").write_text(as_json(summary), encoding="utf-8")
    return inventory


def _training_texts(corpus: Corpus, roles: NDArray[np.int64], characters: int) -> Iterator[list[str]]:
    """The training documents in parts, or so many of them, spread over all, as add up to `CHARACTERS_OF_TOKENIZER`."""
    share = min(1.0, CHARACTERS_OF_TOKENIZER / max(1, characters))
    read = taken = 0
    for document, role in zip(corpus.documents(), roles, strict=True):
        if role == TRAIN:
            if taken <= share * read:
                taken += len(document.text)
                yield [document.text[start:end] for start, end in chunks(document.text)]
            read += len(document.text)


def _counted(
    inventory: Inventory,
    folder: Path,
    tokenizer: Tokenizer,
    tokens: Mapping[str, NDArray[np.int64]],
    tagger: str,
) -> Inventory:
    """The inventory with what only the tokens in `folder` tell."""
    training, held = int(tokens["train"].sum()), int(tokens["heldout"].sum())
    pieces, begun = count_begun(folder / "train_begins.npy")
    words = begun - (pieces - training)  # without the separators
    unknown = vocabulary_of(tokenizer).unknown
    frequencies, tags = np.load(folder / "frequencies.npy"), np.load(folder / "tags.npy")
    of_words, untagged = 0, 0
    with pq.ParquetFile(folder / "heldout.parquet") as table:
        for batch in table.iter_batches(columns=["word", "upos"]):
            is_word = pc.not_equal(batch["word"], "")
            of_words += is_word.true_count
            untagged += pc.and_(is_word, pc.equal(batch["upos"].cast(pa.string()), NO_WORD)).true_count
    return replace(
        inventory,
        heldout=held / sum(int(counts.sum()) for counts in tokens.values()),
        pieces_per_word=training / max(1, words),
        unknown=Unknown(int(frequencies[unknown]) / max(1, training), int(tags[unknown, -1]) / max(1, held))
        if unknown >= 0
        else Unknown(0.0, 0.0),
        tagger=tagger,
        untagged=untagged / max(1, of_words),
    )


def tagger_for(settings: PrepareConfig, corpus: Corpus, language: str) -> str:
    """The tagger's name: gold tags that the corpus brings, or what goes with its language."""
    if settings.tagger == GOLD or (settings.tagger == "auto" and corpus.has_gold_tags):
        if not corpus.has_gold_tags:
            raise InputError(f"prepare.tagger: gold, but {corpus.name} is not CoNLL-U; use --prepare.tagger auto")
        return GOLD
    return choose_tagger(settings.tagger, language)


def _choose_roles(corpus: Corpus, corpus_survey: Survey, settings: PrepareConfig) -> NDArray[np.int64]:
    """What each document is for. Every part of a mixture holds out, and keeps aside, its own share."""
    used = corpus_survey.kept.copy()
    if corpus.weights:
        there = np.flatnonzero(used)
        used[there] = thin(
            corpus_survey.characters[there], corpus_survey.part[there], list(corpus.weights), settings.split_seed
        )
    roles = np.where(used, TRAIN, LEFT_OUT)
    number_of = np.unique(corpus_survey.group, return_inverse=True)[1]
    alone = np.bincount(number_of)[number_of] == 1
    for number, name in enumerate(corpus.parts):
        mine = np.flatnonzero(used & (corpus_survey.part == number))
        label = f"{name}: " if len(corpus.parts) > 1 else ""
        held = heldout_documents(
            corpus_survey.characters[mine], settings.heldout, settings.split_seed, label, corpus_survey.group[mine],
            _remedy(corpus_survey, settings),
        )  # fmt: skip
        roles[mine[held]] = HELD
        rest = mine[~held]
        rest = rest[alone[rest]] if alone[rest].sum() > 1 else rest  # what is left has no likeness in training
        roles[rest[validation_documents(corpus_survey.characters[rest], settings.split_seed, label)]] = VALIDATION
    # groups may reach over parts
    split = np.isin(corpus_survey.group, corpus_survey.group[roles == HELD]) & (roles != LEFT_OUT)
    roles[split] = HELD
    return roles


def _remedy(corpus_survey: Survey, settings: PrepareConfig) -> str:
    """What to do about too few documents, with a length of sections that makes enough of them."""
    reason = f"{corpus_survey.duplicates:,} more are copies of these; " if corpus_survey.duplicates else ""
    reason += (
        f"{corpus_survey.near_duplicates:,} nearly the same as others, and kept together; "
        if corpus_survey.near_duplicates
        else ""
    )
    reason += "give more documents"
    words = int(corpus_survey.words[corpus_survey.kept].sum()) // 60
    words -= words % 100 if words > 200 else words % 10
    ways = []
    if words >= 10 and (not settings.section_words or words < settings.section_words):
        ways.append(f"--prepare.section-words {min(words, 500)}")
    if settings.documents == "file":
        ways.append("--prepare.documents line")
    return reason + (f", or cut them, for instance with {' or '.join(ways)}" if ways else "")
