"""The lists that a user gave, read before anything else is asked: what was taken for what."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.schema import KnowConfig
from ..data.norms import MORE_COLUMNS, read_norms
from ..data.word_pairs import read_word_pairs
from .pairs.minimal_pair import tell
from .pairs.pair_files import HUB, read_files, suite_paths
from .pairs.syntaxgym import read_suite
from .words.words import files_of


def tell_lists(settings: KnowConfig, instrument: str) -> Iterator[str]:
    """A line for each list that an instrument reads: pairs, suites, ratings and norms; not those of the hub.

    Raises `InputError` for the first that will not do, so that no other instrument runs before it is known.
    """
    if instrument == "pairs":
        for place in settings.pairs:
            if not place.startswith(HUB):
                yield from tell(read_files(place))
                for suite in map(read_suite, suite_paths(place)):
                    items = len({condition.item for condition in suite.conditions})
                    yield f"pairs: {suite.path}: the suite {suite.name} of SyntaxGym, {items:,} items"
    if instrument == "words":
        for file in files_of(settings.similarity):
            yield from read_word_pairs(file).tell()
        if settings.norms:
            yield from read_norms(settings.norms, MORE_COLUMNS, "know.norms").tell("know.norms")
