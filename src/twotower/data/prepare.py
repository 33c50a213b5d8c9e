"""The stage `prepare`: a corpus becomes a tokenizer, two memory-mapped token streams and a table of held-out words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

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
from ..system.progress import Progress
from .corpora import open_corpus
from .documents import Corpus, Document, Tagger, Word, adjoining, middle_of
from .duplicates import Sentences
from .inventory import CorpusSummary, Inventory, Language, PartOfCorpus, Unknown, tell
from .languages import guess
from .mixtures import thin
from .relexicalizing import RELEXICALIZED, Rewriting, open_rewriting
from .scrambling import REORDERED, scramble
from .segmentation import has_no_spaces, pieces_as_words
from .streams import Stream, piece_type
from .survey import Survey, survey
from .tagging import GOLD, NO_WORD, NONE, UPOS, choose_tagger, open_tagger, words_of_pieces
from .tokenization import chunks, encode, encode_batch, padded_size, vocabulary_of
from .tokenizer_files import load_tokenizer, save_tokenizer
from .tokenizer_training import train_tokenizer
from .windows import heldout_documents, require_window, validation_documents
from .word_starts import NO_TEXT, EncodedText

DOCUMENTS = pa.schema(
    [("document", pa.int32()), ("name", pa.string()), ("part", pa.string()), ("heldout", pa.bool_()),
     ("validation", pa.bool_()), ("start", pa.int64()), ("tokens", pa.int64()), ("characters", pa.int64())]
)  # fmt: skip
ANNOTATIONS = ("deprel", "feats", "head", "distance")
"""Columns that `heldout.parquet` has besides where words have gold tags."""
TRAIN, HELD, LEFT_OUT, VALIDATION = 0, 1, 2, 3
"""What a document is for; left out are copies, and those for which a weighted mixture has no room."""
STREAMS = {TRAIN: "train", VALIDATION: "validation", HELD: "heldout"}
CHARACTERS_AT_ONCE = 1_000_000
"""Of documents that are encoded or tagged together."""
HELDOUT = pa.schema(
    [("document", pa.int32()), ("position", pa.int32()), ("piece", pa.int32()),
     ("word", pa.string()), ("upos", pa.dictionary(pa.int8(), pa.string())), ("whole_word", pa.bool_()),
     ("begins", pa.bool_())]
)  # fmt: skip


def prepare(config: RunConfig, out: Path, say: Callable[[str], None] = lambda _: None) -> Inventory:
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

    Raises `InputError` for text that cannot be read or split.
    """
    settings = config.prepare
    corpus = open_corpus(settings)
    corpus_survey = survey(corpus)
    language = guess(corpus_survey.passages, settings.language)
    name = tagger_for(settings, corpus, language.code)
    processes = config.threads or usable_cores()
    with nullcontext() if name == GOLD else open_tagger(name, language.code, processes) as tagger:
        return _prepare(config, corpus, corpus_survey, language, name, tagger, out, say)


def _prepare(
    config: RunConfig,
    corpus: Corpus,
    corpus_survey: Survey,
    language: Language,
    tagged: str,
    tagger: Tagger | None,
    out: Path,
    say: Callable[[str], None],
) -> Inventory:
    settings = config.prepare
    given = load_tokenizer(settings.tokenizer) if settings.tokenizer else None
    inventory = replace(corpus_survey.inventory(corpus), language=language)
    read = tell(inventory, {}, say)  # now, so that one who is refused sees what was read
    roles = _choose_roles(corpus, corpus_survey, settings)

    def training_texts() -> Iterator[list[str]]:
        for document, role in zip(corpus.documents(), roles, strict=True):
            if role == TRAIN:
                yield [document.text[start:end] for start, end in chunks(document.text)]

    tokenizer = given or train_tokenizer(
        training_texts, settings.vocabulary, settings.lowercase == "on", settings.accents == "keep"
    )
    (out / "data").mkdir(parents=True)
    save_tokenizer(tokenizer, out / "tokenizer.json")
    used = roles != LEFT_OUT
    by_piece = tagged == NONE and has_no_spaces(corpus_survey.passages)
    sentences, characters = Sentences(), int(corpus_survey.characters[used].sum())
    rewriting = None
    if settings.words in RELEXICALIZED:
        documents = (document for document, role in zip(corpus.documents(), roles, strict=True) if role == TRAIN)
        rewriting = open_rewriting(
            settings.words, settings.split_seed, documents, tagged, language.code, tagger, characters, say
        )
    tokens = write_tokens(
        corpus, roles, tokenizer, tagger, characters, out / "data", settings.heldout_words, sentences, by_piece,
        rewriting,
    )  # fmt: skip
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


def _counted(
    inventory: Inventory,
    folder: Path,
    tokenizer: Tokenizer,
    tokens: Mapping[str, NDArray[np.int64]],
    tagger: str,
) -> Inventory:
    """The inventory with what only the tokens in `folder` tell."""
    training, held = int(tokens["train"].sum()), int(tokens["heldout"].sum())
    begins = np.load(folder / "train_begins.npy", mmap_mode="r")
    words = int(begins.sum()) - (len(begins) - training)  # without the separators
    unknown = vocabulary_of(tokenizer).unknown
    frequencies, tags = np.load(folder / "frequencies.npy"), np.load(folder / "tags.npy")
    table = pq.read_table(folder / "heldout.parquet", columns=["word", "upos"])
    is_word = pc.not_equal(table["word"], "")
    untagged = pc.and_(is_word, pc.equal(table["upos"].cast(pa.string()), NO_WORD))
    return replace(
        inventory,
        heldout=held / sum(int(counts.sum()) for counts in tokens.values()),
        pieces_per_word=training / max(1, words),
        unknown=Unknown(int(frequencies[unknown]) / max(1, training), int(tags[unknown, -1]) / max(1, held))
        if unknown >= 0
        else Unknown(0.0, 0.0),
        tagger=tagger,
        untagged=(pc.sum(untagged).as_py() or 0) / max(1, pc.sum(is_word).as_py() or 0),
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
    said = f"{corpus_survey.duplicates:,} more are copies of these; " if corpus_survey.duplicates else ""
    said += (
        f"{corpus_survey.near_duplicates:,} nearly the same as others, and kept together; "
        if corpus_survey.near_duplicates
        else ""
    )
    said += "give more documents"
    words = int(corpus_survey.words[corpus_survey.kept].sum()) // 60
    words -= words % 100 if words > 200 else words % 10
    ways = []
    if words >= 10 and (not settings.section_words or words < settings.section_words):
        ways.append(f"--prepare.section-words {min(words, 500)}")
    if settings.documents == "file":
        ways.append("--prepare.documents line")
    return said + (f", or cut them, for instance with {' or '.join(ways)}" if ways else "")


def write_tokens(
    corpus: Corpus,
    roles: NDArray[np.int64],
    tokenizer: Tokenizer,
    tagger: Tagger | None,
    characters: int,
    folder: Path,
    heldout_words: int = 0,
    sentences: Sentences | None = None,
    by_piece: bool = False,
    rewriting: Rewriting | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Encode the corpus into `folder`: the three streams and the tables (see `prepare`), documents by their `roles`.

    Of each held-out document at most `heldout_words` from its middle are kept (0: all). `sentences` gets all texts.
    `by_piece` takes each held-out piece for a word, where nothing tells words. `rewriting` replaces words beforehand.

    Returns, for `train`, `validation` and `heldout`, the tokens of each part of the corpus, shape (parts,), separators
    left out.
    """
    separator = vocabulary_of(tokenizer).sep
    vocabulary = padded_size(tokenizer)
    frequencies = np.zeros(vocabulary, dtype=np.int64)
    tag_counts = np.zeros((vocabulary, len(UPOS) + 1), dtype=np.int64)
    dtype = piece_type(vocabulary)
    counts = {name: np.zeros(len(corpus.parts), dtype=np.int64) for name in STREAMS.values()}
    with (
        Progress("prepare", total=characters, unit="char") as progress,
        Stream(folder, "train", dtype, separator) as train,
        Stream(folder, "validation", dtype, separator) as validation,
        Stream(folder, "heldout", dtype, separator) as heldout,
        pq.ParquetWriter(folder / "documents.parquet", DOCUMENTS) as documents,
        pq.ParquetWriter(folder / "heldout.parquet", heldout_schema(gold=tagger is None)) as table,
    ):
        streams = {TRAIN: train, VALIDATION: validation, HELD: heldout}
        rows: list[dict[str, Any]] = []
        for number, role, document, encoded, words in _encoded(
            corpus, roles, tokenizer, tagger, heldout_words, rewriting
        ):
            stream = streams[role]
            characters_read = len(document.text)
            if sentences:
                sentences.add(document.text, heldout=role == HELD)
            if role == HELD:
                document = middle_of(document, heldout_words)
                encoded = encode(tokenizer, document.text)
                known = None if by_piece else words
                _write_heldout(document, number, encoded, known, tagger is None, table, tag_counts)
            elif role == TRAIN:
                frequencies += np.bincount(encoded.ids, minlength=vocabulary)
            counts[STREAMS[role]][document.part] += len(encoded.ids)
            rows.append(
                {"document": number, "name": document.name, "part": corpus.parts[document.part],
                 "heldout": role == HELD, "validation": role == VALIDATION, "start": stream.length,
                 "tokens": len(encoded.ids),
                 "characters": len(document.text)}
            )  # fmt: skip
            stream.append(encoded)
            if len(rows) == 10_000:
                documents.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
                rows = []
            progress.advance(characters_read)
        documents.write_table(pa.Table.from_pylist(rows, schema=DOCUMENTS))
    np.save(folder / "frequencies.npy", frequencies)
    np.save(folder / "tags.npy", tag_counts)
    return counts


def _encoded(
    corpus: Corpus,
    roles: NDArray[np.int64],
    tokenizer: Tokenizer,
    tagger: Tagger | None,
    heldout_words: int,
    rewriting: Rewriting | None,
) -> Iterator[tuple[int, int, Document, EncodedText, Sequence[Word]]]:
    """Number, role, document and, not held out, its pieces; held out, the words of its middle. In order.

    Many are encoded, or tagged, together.
    """
    numbered = zip(count(), corpus.documents(), roles.tolist(), strict=False)
    for group in adjoining(numbered, lambda item: len(item[1].text), CHARACTERS_AT_ONCE):
        if rewriting is not None:
            kept = [(number, document, role) for number, document, role in group if role != LEFT_OUT]
            used = [middle_of(document, heldout_words) if role == HELD else document for _, document, role in kept]
            changed = rewriting.rewritten([number for number, _, _ in kept], used)
            group = [(number, document, role) for (number, _, role), document in zip(kept, changed, strict=True)]
            tagger = None  # what was tagged has brought its words along
        texts = [document.text for _, document, role in group if role in (TRAIN, VALIDATION)]
        encoded = iter(encode_batch(tokenizer, texts))
        held = [middle_of(document, heldout_words) for _, document, role in group if role == HELD]
        tagged = iter(
            tagger([document.text for document in held]) if tagger else [document.words or () for document in held]
        )
        for number, document, role in group:
            if role in (TRAIN, VALIDATION):
                yield number, role, document, next(encoded), ()
            elif role == HELD:
                yield number, role, document, NO_TEXT, next(tagged)


def heldout_schema(gold: bool) -> pa.Schema:
    """Columns of `heldout.parquet`; gold words bring their relations and features along."""
    schema = HELDOUT
    for name in ANNOTATIONS if gold else ():
        schema = schema.append(pa.field(name, pa.dictionary(pa.int32(), pa.string())))
    return schema


def _write_heldout(
    document: Document,
    number: int,
    encoded: EncodedText,
    words: Sequence[Word] | None,
    gold: bool,
    table: pq.ParquetWriter,
    tag_counts: NDArray[np.int64],
) -> None:
    """Append the pieces of a held-out document to the table and count them."""
    ids = encoded.ids
    words = pieces_as_words(document.text, encoded.starts) if words is None else words
    index, whole = words_of_pieces(words, encoded.starts)
    forms = [document.text[word.start : word.end] for word in words] + [""]
    codes = {tag: code for code, tag in enumerate((*UPOS, NO_WORD))}
    tags = np.array([codes.get(word.upos, codes[NO_WORD]) for word in words] + [codes[NO_WORD]], dtype=np.int8)
    known = whole & (tags[index] < len(UPOS))
    np.add.at(tag_counts, (ids[known], tags[index][known]), 1)
    tag_counts[:, -1] += np.bincount(ids, minlength=len(tag_counts))
    longest = 200  # a "word" without end would be repeated for each of its pieces
    columns = [
        pa.array(np.full(len(ids), number, dtype=np.int32)),
        pa.array(np.arange(len(ids), dtype=np.int32)),
        pa.array(ids.astype(np.int32)),
        pa.array([forms[word][:longest] for word in index.tolist()], pa.string()),
        pa.DictionaryArray.from_arrays(pa.array(tags[index]), pa.array([*UPOS, NO_WORD])),
        pa.array(whole),
        pa.array(encoded.begins),
    ]
    if gold:
        for name in ANNOTATIONS:
            values = [getattr(word, name) or NO_WORD for word in words] + [NO_WORD]
            labels = pa.array([values[word] for word in index.tolist()], pa.string())
            columns.append(labels.dictionary_encode())
    table.write_table(pa.Table.from_arrays(columns, schema=heldout_schema(gold)))
