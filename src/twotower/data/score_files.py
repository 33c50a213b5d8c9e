"""Log-probabilities that another tool has computed: a table with a row for each token, in the order of the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..system.errors import InputError, one_line
from .characters import visible
from .corpus_names import SCORES
from .documents import Corpus, Document
from .files import TextFile, damage_named, seekable
from .tables import MISSING
from .text_tables import cells_of, parsed
from .textfiles import lines_of

TOKEN_COLUMNS = ("token", "piece", "text")
LOG_PROB_COLUMNS = ("log_prob", "logprob", "log_probability")


@dataclass(frozen=True)
class ScoredTokens:
    """The tokens of one document as a table has them, each array (tokens,)."""

    name: str
    tokens: list[str]
    """With their white space: joined together they are the text."""
    log_probs: NDArray[np.float32]
    """In nats; NaN where the table has none."""

    @property
    def text(self) -> str:
        """The text of the document."""
        return "".join(self.tokens)


def read_score_file(place: str) -> list[ScoredTokens]:
    """The documents of a table of tokens: Parquet, CSV, TSV or JSON lines.

    It has the columns `document` (a name or a number), `token` (with its white space, so that the tokens of a document
    joined together are its text) and `log_prob` (natural logarithm; empty where there is none). Raises `InputError` if
    it has not.
    """
    path = Path(place).expanduser()
    table = _read(path)
    token, log_prob = (
        next((name for name in names if name in table.columns), None) for names in (TOKEN_COLUMNS, LOG_PROB_COLUMNS)
    )
    if token is None or log_prob is None or "document" not in table.columns:
        raise InputError(
            f"{SCORES}{path}: the columns are {', '.join(map(str, table.columns)) or 'none'}; give document, token "
            "(with its white space) and log_prob (in nats)"
        )
    for name in ("document", token, log_prob):
        if (table.columns == name).sum() > 1:
            raise InputError(f"{SCORES}{path}: two columns are called {name}; give each its own heading")
    _require(path, token, table[token], lambda cell: isinstance(cell, str), "give every token its text")
    _require(path, "document", table["document"], _is_name, "give every row the name or number of its document")
    missing = table[log_prob].isna() | table[log_prob].isin(MISSING)
    log_probs = pd.to_numeric(table[log_prob].mask(missing), errors="coerce")
    if (wrong := (log_probs.isna() & ~missing) | (log_probs > 0) | np.isneginf(log_probs)).any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{SCORES}{path}, row {row}: {log_prob} is {table[log_prob].iloc[row]}; a log-probability is a finite "
            "number, 0 or less (surprisal has the other sign)"
        )
    table[log_prob] = log_probs
    documents = [
        ScoredTokens(str(name), [visible(text) for text in rows[token]], rows[log_prob].to_numpy(np.float32, copy=True))
        for name, rows in table.groupby("document", sort=False)
    ]
    if not documents:
        raise InputError(f"{SCORES}{path}: the table has no row; give a table of scored tokens")
    return documents


def corpus_of_scores(place: str) -> Corpus:
    """The text that a table of tokens spells, as a corpus."""
    documents = read_score_file(place)
    name = Path(place).name
    return Corpus(
        name,
        lambda: (Document(document.name, document.text, format="scored tokens", origin=number)
                 for number, document in enumerate(documents)),
        parts=("all",),
        files={"scored tokens": 1},
    )  # fmt: skip


def _require(path: Path, name: str, cells: pd.Series, fits: Callable[[Any], bool], remedy: str) -> None:
    for row, cell in enumerate(cells):
        if not fits(cell):
            empty = cell == "" or (pd.api.types.is_scalar(cell) and pd.isna(cell))
            held = "is empty" if empty else f"holds {type(cell).__name__}, not text"
            raise InputError(f"{SCORES}{path}, row {row}: {name} {held}; {remedy}")


def _is_name(cell: Any) -> bool:
    return bool(cell) if isinstance(cell, str) else pd.api.types.is_number(cell) and not pd.isna(cell)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{SCORES}{path}: there is no such file; give a table of scored tokens")
    file = TextFile.of(path)
    with damage_named(file):
        if file.suffix == ".parquet":
            return _parquet(file)
        if file.suffix in (".jsonl", ".ndjson"):
            lines = enumerate(lines_of(file, "utf-8"), start=1)
            rows = [parsed(line, f"{SCORES}{path}: line {number}") for number, line in lines if line.strip()]
            if not all(isinstance(row, dict) for row in rows):
                raise InputError(f"{SCORES}{path}: a line holds no JSON object; give one for each token, a line each")
            return pd.DataFrame(rows, dtype=object)
        cells = cells_of(file, "utf-8")
        headings = next(cells, [])
        return pd.DataFrame(list(cells), columns=headings, dtype=object)


def _parquet(file: TextFile) -> pd.DataFrame:
    try:
        with seekable(file) as stream:
            return pq.read_table(pa.PythonFile(stream, mode="r")).to_pandas()
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = one_line(error, 120)
        raise InputError(
            f"{SCORES}{file.place} cannot be read as a table ({reason}); give Parquet, CSV, TSV or JSON lines"
        ) from None
