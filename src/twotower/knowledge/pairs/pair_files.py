"""Ready minimal pairs, from the files in which the field hands them on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ...data.hub import asking_the_hub, not_loaded
from ...data.tables import lists_below, read_table, split_columns
from ...data.text_tables import distinct_keys
from ...data.textfiles import decode, lines_of
from ...system.errors import InputError, one_line
from .minimal_pair import OTHER, SYNTAX, MinimalPair, PairFile
from .pair_columns import LABELS, Record, Records, pairs_of_records

HUB = "hf:"
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
SUITES = ".json"
ENDINGS = (*TABLES, ".txt", SUITES)
BROKEN = {"determiner_noun_agreement_with_adj": "out in the open"}
"""Words by which items of BLiMP that its authors' generator broke are known, by the beginning of their paradigm
(https://github.com/alexwarstadt/blimp/issues/3): both sentences are ungrammatical."""
NOT_SYNTAX = ("npi_licensing", "quantifiers")
"""Paradigms of Zorro that BLiMP counts among semantics."""
ALIKE = 0.5
"""Share of words that the sentences of a pair have in common, as the median of a file of lines; Zorro's least is 0.75,
and lines of prose have about 0.1."""


def read_files(place: str) -> list[PairFile]:
    """The files of pairs at a place, those below a folder among them; suites of SyntaxGym aside (see `syntaxgym`).

    Tables (`.csv`, `.tsv`, `.jsonl`, `.parquet`, or a list in `.json`) have columns whose headings say which sentence
    is better (see `pair_columns`), in any order: BLiMP (Warstadt et al. 2020) and sets like it in others, RuBLiMP,
    MultiBLiMP, DTFit (Vassallo et al. 2018). A `.txt` has a sentence a line: labelled True or False, as in CLAMS
    (Mueller et al. 2020), or alternating, the ungrammatical sentence first, as in Zorro (Huebner et al. 2021).
    `FILE#BETTER,WORSE` names the columns, by number where there are no headings. Files that only lie beside pairs
    (README, LICENSE, hidden files) are no pairs, and neither are empty lines. Half a surrogate pair, which no tokenizer
    takes, becomes U+FFFD and is counted.

    Raises `InputError`, with file and line, for anything else.
    """
    if place.startswith(HUB):
        return [_from_hub(place)]
    path, columns = split_columns(place)
    suites = set(suite_paths(place))
    return [
        _READERS[file.suffix.lower()](file, _set_of(path, file), file.stem, columns)
        for file in _paths(place) if file not in suites
    ]  # fmt: skip


def suite_paths(place: str) -> list[Path]:
    """The suites of SyntaxGym at a place: `.json` files that hold an object and not a list of pairs."""
    if place.startswith(HUB):
        return []
    return [
        path for path in _paths(place)
        if path.suffix.lower() == SUITES and not decode(path, "utf-8").lstrip().startswith("[")
    ]  # fmt: skip


def _paths(place: str) -> list[Path]:
    path, columns = split_columns(place)
    if path.is_dir():
        if columns:
            raise InputError(f"know.pairs: {place}: columns can be named for one file, not for a folder")
        files = lists_below(path, ENDINGS)
        if not files:
            raise InputError(f"know.pairs: {path} holds no file of pairs (ending in {', '.join(ENDINGS)})")
        return files
    if not path.is_file():
        raise InputError(f"know.pairs: {place} does not exist; give a file or a folder of minimal pairs")
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"know.pairs: {path} ends in none of {', '.join(ENDINGS)}; rename it to what it holds")
    return [path]


def is_broken(pair: MinimalPair) -> bool:
    """Whether a pair of BLiMP is among the items that are reported broken (see `BROKEN`)."""
    return any(pair.paradigm.startswith(name) and words in pair.good for name, words in BROKEN.items())


def _set_of(place: Path, file: Path) -> str:
    """The set of a file: its folder, from the one that the user named on; a table that was named is one of its own."""
    if file != place:
        return "/".join((place.resolve().name, *file.relative_to(place).parent.parts))
    return file.stem if file.suffix.lower() in (".csv", ".tsv", ".parquet") else file.resolve().parent.name


def _from_hub(place: str) -> PairFile:
    """`hf:DATASET[:CONFIG][:SPLIT][#BETTER,WORSE]`, a data set of the Hugging Face hub."""
    whole, _, named = place.partition("#")
    name, configuration, split, *more = [*whole.removeprefix(HUB).split(":"), "", ""]
    if not name or len(more) > 2 or any(more):
        raise InputError(f"know.pairs: {place!r} is not of the form hf:DATASET[:CONFIG][:SPLIT][#BETTER,WORSE]")
    from datasets import load_dataset

    try:
        with asking_the_hub(name):
            rows = load_dataset(name, configuration or None, split=split or "train")
    except Exception as error:
        raise not_loaded("know.pairs", place, error, "download its files and give their path") from error
    records = Records(
        place, tuple(rows.column_names), tuple((number, dict(row)) for number, row in enumerate(rows, start=1))
    )
    columns = tuple(part.strip() for part in named.split(",") if part.strip())
    return pairs_of_records(records, name.rpartition("/")[2], configuration or name, columns)


def _json_lines(path: Path, set_name: str, paradigm: str, columns: tuple[str, ...]) -> PairFile:
    numbered_records: list[tuple[int, Record]] = []
    for number, line in enumerate(lines_of(path, "utf-8"), start=1):
        if line.strip():
            numbered_records.append((number, _record(path, f"line {number}", _json(path, f"line {number}", line))))
    return pairs_of_records(_as_records(path, numbered_records), set_name, paradigm, columns)


def _json_list(path: Path, set_name: str, paradigm: str, columns: tuple[str, ...]) -> PairFile:
    loaded = _json(path, "it", decode(path, "utf-8"))
    numbered_records = [(number, _record(path, f"entry {number}", row)) for number, row in enumerate(loaded, start=1)]
    return pairs_of_records(_as_records(path, numbered_records), set_name, paradigm, columns)


def _json(path: Path, where: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=distinct_keys)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {where} is not JSON ({one_line(error, 100)})") from None


def _record(path: Path, where: str, row: Any) -> Record:
    if not isinstance(row, dict):
        raise InputError(f"{path}: {where} is no JSON object; expected one with sentence_good and sentence_bad")
    return row


def _as_records(path: Path, rows: list[tuple[int, Record]]) -> Records:
    if not rows:
        raise InputError(f"{path} is empty; give a JSON object with sentence_good and sentence_bad a line")
    return Records(str(path), tuple(dict.fromkeys(key for _, row in rows for key in row)), tuple(rows))


def _parquet(path: Path, set_name: str, paradigm: str, columns: tuple[str, ...]) -> PairFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({one_line(error, 100)})") from None
    return pairs_of_records(_as_records(path, list(enumerate(rows, start=1))), set_name, paradigm, columns)


def _separated(path: Path, set_name: str, paradigm: str, columns: tuple[str, ...]) -> PairFile:
    table = read_table(path)
    headings, skipped = table.first, 1
    if columns and all(name.isdecimal() and name not in headings for name in columns):  # no headings: by number
        headings, skipped = tuple(str(number) for number in range(1, len(headings) + 1)), 0
    if repeated := [name for name, count in Counter(headings).items() if count > 1]:
        raise InputError(f"{path}: two columns are called {repeated[0]!r}; give each its own heading")
    rows = tuple((number, dict(zip(headings, row, strict=True))) for number, row in table.rows[skipped:])
    return pairs_of_records(Records(str(path), headings, rows), set_name, paradigm, columns)


def _lines(path: Path, set_name: str, paradigm: str, columns: tuple[str, ...]) -> PairFile:
    """A `.txt`: labelled lines, a table with tabs, or sentences of which every other one is better."""
    lines = [(number, line.strip()) for number, line in enumerate(lines_of(path, "utf-8"), start=1)]
    numbered_lines = [(number, line) for number, line in lines if line]
    if not numbered_lines:
        raise InputError(f"{path} is empty; give a sentence a line, the ungrammatical one of each pair first")
    if "\t" in numbered_lines[0][1]:
        if numbered_lines[0][1].split("\t")[0].strip().lower() not in LABELS:
            return _separated(path, set_name, paradigm, columns)
        rows = []
        for number, line in numbered_lines:
            label, mark, sentence = line.partition("\t")
            if not mark:
                raise InputError(f"{path}: line {number} is not a label and a sentence with a tab between them")
            rows.append((number, {"label": label.strip(), "sentence": sentence.strip()}))
        return pairs_of_records(Records(str(path), ("label", "sentence"), tuple(rows)), set_name, paradigm, ())
    return _alternating(path, set_name, paradigm, numbered_lines, {number for number, line in lines if not line})


def _alternating(
    path: Path, set_name: str, paradigm: str, lines: list[tuple[int, str]], empty: set[int]
) -> PairFile:  # fmt: skip
    kind = OTHER if path.stem.startswith(NOT_SYNTAX) else SYNTAX
    pairs = []
    for (number, bad), (after, good) in zip(lines[::2], lines[1::2], strict=False):
        if between := sorted(empty & set(range(number, after))):
            raise InputError(
                f"{path}: line {between[0]} is empty, in the middle of a pair; lines alternate, the ungrammatical "
                "sentence first"
            )
        pairs.append(MinimalPair(set_name, paradigm, kind, good, bad, f"{path.name}:{number}"))
    if len(lines) % 2:
        raise InputError(f"{path}: line {lines[-1][0]} stands alone; lines alternate, the ungrammatical sentence first")
    if sorted(_in_common(pair) for pair in pairs)[len(pairs) // 2] < ALIKE:
        raise InputError(
            f"{path}: lines {lines[0][0]} and {lines[1][0]} share too few words to be a pair, and so do most others; "
            "lines of pairs alternate, the ungrammatical sentence first. Leave the file out if it holds something else"
        )
    return PairFile(str(path), "every second line", "the line before it", tuple(pairs))


def _in_common(pair: MinimalPair) -> float:
    """The share of words, or of characters where a sentence is one word, that both sentences have."""
    parts = [text.lower().split() for text in (pair.good, pair.bad)]
    if min(map(len, parts)) < 2:
        parts = [list(text) for text in (pair.good, pair.bad)]
    first, second = map(Counter, parts)
    return 2 * (first & second).total() / (first.total() + second.total())


_READERS = {
    ".csv": _separated, ".tsv": _separated, ".jsonl": _json_lines, ".json": _json_list, ".parquet": _parquet,
    ".txt": _lines,
}  # fmt: skip
