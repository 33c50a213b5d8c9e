"""Ready minimal pairs, from the files in which the field hands them on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..data.hub import asking_the_hub, not_loaded
from ..data.textfiles import decode, lines_of
from ..errors import InputError

HUB = "hf:"
SYNTAX, MEANING, OTHER = "syntax", "meaning", "other"
KINDS = (SYNTAX, MEANING, OTHER)
GOOD = ("sentence_good", "good", "plausible", "grammatical", "acceptable")
BAD = ("sentence_bad", "bad", "implausible", "ungrammatical", "unacceptable")
FIELDS = {
    "morphology": SYNTAX,
    "syntax": SYNTAX,
    "semantics": OTHER,
    "syntax_semantics": OTHER,
    "syntax/semantics": OTHER,
}
"""BLiMP's fields. Its `semantics` is of quantifiers and polarity items, which are grammar as much as meaning."""
BROKEN = {"determiner_noun_agreement_with_adj": "out in the open"}
"""Words by which items of BLiMP that its authors' generator broke are known, by the beginning of their paradigm
(https://github.com/alexwarstadt/blimp/issues/3): both sentences are ungrammatical."""
NOT_SYNTAX = ("npi_licensing", "quantifiers")
"""Paradigms of Zorro that BLiMP counts among semantics."""


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences that differ in what makes one of them worse."""

    set: str
    paradigm: str
    kind: str
    """`syntax`, `meaning` (the worse sentence is grammatical and says something less plausible) or `other`."""
    good: str
    bad: str
    source: str
    """Where it is from: FILE:LINE, or the name of the sentence that it was made from."""
    relation: str = ""
    """The dependency relation that is violated, where the pair was made from a tree."""
    document: str = ""
    """The document it was made from."""


def read_pairs(place: str) -> list[MinimalPair]:
    """The pairs in a file or in all files of a folder, by their endings; suites of SyntaxGym aside (see `syntaxgym`).

    `.jsonl` is BLiMP (Warstadt et al. 2020): `sentence_good`, `sentence_bad`, `UID`, `field`. `.txt` is Zorro (Huebner
    et al. 2021): lines alternate, the ungrammatical sentence first. `.csv` and `.tsv` have either two columns of
    sentences, named as in `GOOD` and `BAD` or, of two columns in all, the better first, with optional columns
    `paradigm` and `kind`; or a row for each sentence with columns `Sentence` and `Plausibility` (Plausible,
    Implausible), as DTFit (Vassallo et al. 2018): rows that agree in all other columns but these are a pair.

    Raises `InputError`, with file and line, for anything else.
    """
    if place.startswith(HUB):
        return _from_hub(place)
    return [pair for path in pair_paths(place) if path.suffix != ".json" for pair in READERS[path.suffix](path)]


def is_broken(pair: MinimalPair) -> bool:
    """Whether a pair of BLiMP is among the items that are reported broken (see `BROKEN`)."""
    return any(pair.paradigm.startswith(name) and words in pair.good for name, words in BROKEN.items())


def pair_paths(place: str) -> list[Path]:
    """The files of pairs at a place, none for a data set of the hub. Raises `InputError` for places without any."""
    if place.startswith(HUB):
        return []
    path = Path(place).expanduser()
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (*READERS, ".json") and file.is_file())
        if not files:
            raise InputError(f"know.pairs: {path} holds no file ending in {', '.join(READERS)} or .json")
        return files
    if not path.is_file():
        raise InputError(f"know.pairs: {place} does not exist; give a file or a folder of minimal pairs")
    if path.suffix not in (*READERS, ".json"):
        raise InputError(f"know.pairs: {path} ends in none of {', '.join(READERS)}, .json; rename it to what it holds")
    return [path]


def _from_hub(place: str) -> list[MinimalPair]:
    """`hf:DATASET[:CONFIG][:SPLIT]`, a data set of the Hugging Face hub with the columns of `GOOD` and `BAD`."""
    name, configuration, split, *more = [*place.removeprefix(HUB).split(":"), "", ""]
    if not name or len(more) > 2 or any(more):
        raise InputError(f"know.pairs: {place!r} is not of the form hf:DATASET[:CONFIG][:SPLIT]")
    from datasets import load_dataset

    try:
        with asking_the_hub(name):
            rows = load_dataset(name, configuration or None, split=split or "train")
    except Exception as error:
        raise not_loaded("know.pairs", place, error, "download its files and give their path") from error
    columns = [next((one for one in names if one in rows.column_names), None) for names in (GOOD, BAD)]
    if None in columns:
        raise InputError(
            f"know.pairs: {place!r} has the columns {', '.join(rows.column_names)}; expected {GOOD[0]} and {BAD[0]}"
        )
    good, bad = columns
    return [
        MinimalPair(
            name.rpartition("/")[2],
            str(row.get("UID") or configuration or name), FIELDS.get(str(row.get("field")), SYNTAX),
            str(row[good]), str(row[bad]), f"{place}:{number}",
        )
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip


def _blimp(path: Path) -> Iterator[MinimalPair]:
    for number, line in enumerate(lines_of(path, "utf-8"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            good, bad = row["sentence_good"], row["sentence_bad"]
        except (ValueError, KeyError, TypeError, RecursionError):
            good = bad = None
        if not isinstance(good, str) or not isinstance(bad, str):
            raise InputError(
                f"{path}: line {number} is not a BLiMP pair; expected a JSON object with the texts sentence_good and "
                "sentence_bad"
            )
        kind = FIELDS.get(str(row.get("field")), SYNTAX)
        yield MinimalPair(path.parent.name, str(row.get("UID") or path.stem), kind, good, bad, f"{path.name}:{number}")


def _zorro(path: Path) -> Iterator[MinimalPair]:
    kind = OTHER if path.stem.startswith(NOT_SYNTAX) else SYNTAX
    bad = ""
    number = 0
    for number, line in enumerate(lines_of(path, "utf-8"), start=1):
        sentence = line.strip()
        if not sentence:
            raise InputError(f"{path}: line {number} is empty; lines alternate, the ungrammatical sentence first")
        if number % 2:
            bad = sentence
        else:
            yield MinimalPair(path.parent.name, path.stem, kind, sentence, bad, f"{path.name}:{number - 1}")
    if number % 2:
        raise InputError(f"{path}: line {number} stands alone; lines alternate, the ungrammatical sentence first")


def _table(path: Path) -> Iterator[MinimalPair]:
    text = decode(path, "utf-8")
    separator = "\t" if path.suffix == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        rows += [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; give a table whose quotes are closed") from None
    if not rows:
        raise InputError(f"{path} is empty; give a table with a line of headings")
    heading = [name.strip().lower() for name in rows[0][1]]
    for number, row in rows[1:]:
        if len(row) != len(heading):
            raise InputError(f"{path}: line {number} has {len(row)} columns; the line of headings has {len(heading)}")
    named = [next((heading.index(name) for name in names if name in heading), None) for names in (GOOD, BAD)]
    if "sentence" in heading and "plausibility" in heading:
        yield from _long_table(path, heading, rows[1:])
        return
    good, bad = (0, 1) if named == [None, None] and len(heading) == 2 else named
    if good is None or bad is None:
        raise InputError(
            f"{path}: which columns hold the pairs? Expected two columns, the better sentence first, or columns named "
            f"{GOOD[0]} and {BAD[0]}; found {', '.join(heading)[:200]}"
        )
    for number, row in rows[1:]:
        values = dict(zip(heading, row, strict=True))
        kind = values.get("kind") or MEANING
        if kind not in KINDS:
            raise InputError(f"{path}: line {number}: the kind is {kind!r}; expected {', '.join(KINDS)}")
        paradigm = values.get("paradigm") or path.stem
        yield MinimalPair(path.stem, paradigm, kind, row[good].strip(), row[bad].strip(), f"{path.name}:{number}")


def _long_table(path: Path, heading: list[str], rows: list[tuple[int, list[str]]]) -> Iterator[MinimalPair]:
    sentence, plausibility = heading.index("sentence"), heading.index("plausibility")
    items: dict[tuple[str, ...], dict[str, tuple[int, str]]] = {}
    for number, row in rows:
        label = row[plausibility].strip().lower()
        if label not in ("plausible", "implausible"):
            raise InputError(f"{path}: line {number}: {row[plausibility]!r} is neither Plausible nor Implausible")
        item = tuple(value for place, value in enumerate(row) if place not in (sentence, plausibility))
        if label in items.setdefault(item, {}):
            raise InputError(f"{path}: line {number}: a second {label} sentence of one item; each item is one pair")
        items[item][label] = number, row[sentence].strip()
    for pair in items.values():
        if len(pair) < 2:
            number, _ = next(iter(pair.values()))
            raise InputError(
                f"{path}: line {number} stands alone; each item has a plausible and an implausible sentence"
            )
        number, good = pair["plausible"]
        yield MinimalPair(path.stem, path.stem, MEANING, good, pair["implausible"][1], f"{path.name}:{number}")


READERS = {".jsonl": _blimp, ".txt": _zorro, ".csv": _table, ".tsv": _table}
