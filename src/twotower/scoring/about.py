"""What is known of a scorer, without what it takes to run it: models' libraries take seconds to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["causal", "masked", "file"]


@dataclass(frozen=True)
class About:
    """A scorer, as `scorers` of `results.json` has it."""

    name: str
    """What tables and pages call it."""
    given: str
    """What the user called it."""
    kind: Kind
    model: str | None = None
    """The architecture; like all that follows, None for a file."""
    parameters: int | None = None
    tokenizer: str | None = None
    """Its class."""
    vocabulary: int | None = None
    """Entries of the vocabulary."""
    lossless: bool | None = None
    """Whether its tokens spell the text as it is: False if capitals, accents or white space are lost on the way."""
    unknown: float | None = None
    """Share of the tokens that stand for what the vocabulary cannot spell."""
    window: int | None = None
    """Tokens that it read at a time."""
    stride: int | None = None
    """Tokens by which the window moved on."""
    before: tuple[str, ...] = ()
    """The special tokens before each text."""
    after: tuple[str, ...] = ()
    corrected: bool | None = None
    """Whether sums over words have been corrected for the white space before them; None where tokens are compared."""
    dtype: str | None = None
    revision: str | None = None
    tokens: int = 0
    """Of the whole text."""
    bits_per_character: float | None = None
