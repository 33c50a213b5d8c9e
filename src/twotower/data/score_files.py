"""Log-probabilities that another tool has computed: a table with a row for each token, in the order of the text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..system.errors import InputError, one_line
from .characters import visible
from .corpus_names import SCORES
from .documents import Corpus, Document

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
    if not pd.api.types.is_numeric_dtype(table[log_prob]):
        raise InputError(f"{SCORES}{path}: the column {log_prob} holds {table[log_prob].dtype}, not numbers in nats")
    if (wrong := table[log_prob].to_numpy(np.float64) > 0).any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{SCORES}{path}, row {row}: {log_prob} is {table[log_prob].iloc[row]}; a log-probability is 0 or less "
            "(surprisal has the other sign)"
        )
    if table[token].isna().any():
        row = int(np.flatnonzero(table[token].isna())[0])
        raise InputError(f"{SCORES}{path}, row {row}: {token} is empty; give every token its text")
    documents = [
        ScoredTokens(
            str(name), [visible(str(text)) for text in rows[token]], rows[log_prob].to_numpy(np.float32, copy=True)
        )
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


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{SCORES}{path}: there is no such file; give a table of scored tokens")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix in (".jsonl", ".ndjson"):
            return pd.read_json(path, lines=True, dtype=False)
        separator = "\t" if path.suffix == ".tsv" else ","
        return pd.read_csv(path, sep=separator, keep_default_na=False, na_values={"log_prob": ["", "NaN", "nan"]})
    except (OSError, ValueError, pa.ArrowException, json.JSONDecodeError) as error:
        raise InputError(
            f"{SCORES}{path} cannot be read as a table ({one_line(error)}); give Parquet, CSV, TSV or JSON lines"
        ) from None
