"""A minimal pair, and a file of them as it was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SYNTAX, MEANING, OTHER = "syntax", "meaning", "other"
KINDS = (SYNTAX, MEANING, OTHER)


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


@dataclass(frozen=True)
class PairFile:
    """A file of pairs, and how it was read."""

    place: str
    """The file, or the name of a data set of the hub."""
    better: str
    """Which column or line has the better sentence."""
    worse: str
    pairs: tuple[MinimalPair, ...]
    replaced: int = 0
    """Halves of surrogate pairs that were replaced by U+FFFD."""


def tell(files: Sequence[PairFile]) -> Iterator[str]:
    """A line for each set and way of reading: what of, how many, and which sentence was taken for the better one."""
    groups: dict[tuple[str, str, str], list[PairFile]] = {}
    for file in files:
        groups.setdefault((file.pairs[0].set, file.better, file.worse), []).append(file)
    for (name, better, worse), members in groups.items():
        kinds = Counter(pair.kind for file in members for pair in file.pairs)
        counted = " and ".join(f"{count:,} of {kind}" for kind, count in kinds.items())
        replaced = sum(file.replaced for file in members)
        broken = f"; broken characters replaced: {replaced:,}" if replaced else ""
        where = members[0].place if len(members) == 1 else f"{name}, {len(members)} files"
        yield f"pairs: {where}: {counted}; better: {better}, worse: {worse}{broken}"
