"""The instruments of `twotower know`, by name: what each depends on, and what it cannot do without.

An instrument is a line here and the function of its name in the module of its name in `knowledge/`. The table stands
below `runs/`, which makes a stage of each, and imports no instrument.
"""

from __future__ import annotations

from dataclasses import dataclass

from .schema import KnowConfig

INTERVALS = ("analyze.bootstrap", "analyze.confidence")


@dataclass(frozen=True)
class Instrument:
    """A way to ask what each tower knows."""

    name: str
    settings: tuple[str, ...]
    """The settings that change what it finds, dotted; the seed and the number of threads always do."""
    needs: tuple[str, ...] = ()
    """Settings of `know` of which at least one must be given."""
    remedy: str = ""
    """How to give it."""
    reads: tuple[str, ...] = ()
    """Instruments whose findings it uses where there are any."""
    format: int = 1
    """Version of what it writes; findings of another version are made again."""

    def lacking(self, know: KnowConfig) -> str:
        """What it cannot be asked without, and how to give it; empty if it has all that it needs."""
        return self.remedy if self.needs and not any(getattr(know, name) for name in self.needs) else ""


TREES = (("treebank",), "give --treebank FILE.conllu")
INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        Instrument("pairs", ("know.pairs", "know.treebank", "know.frequent", "know.generated", "know.most_pairs",
                    *INTERVALS),
                   ("pairs", "treebank"), "give --pairs PATH, or --treebank FILE.conllu to make pairs from", format=3),
        Instrument("probe", ("know.treebank", "know.probe_sentences", *INTERVALS), *TREES),
        Instrument("decoding", ("know.treebank", "know.decoding_sentences", *INTERVALS, "analyze.clusters"), *TREES),
        Instrument("perturbed_masking", ("know.treebank", "know.perturbed_sentences", *INTERVALS), *TREES),
        Instrument("words", ("know.similarity", "know.norms", "know.frequent", "know.occurrences", *INTERVALS),
                   ("similarity", "norms"), "give --similarity PATH or --norms FILE.csv", format=2),
        Instrument("lesions", ("know.treebank", "know.lesion_tokens", "know.lesion_pairs", "score.passes",
                               *INTERVALS),
                   reads=("pairs",), format=2),
        Instrument("similarity", ("know.compared_tokens", "analyze.confidence", "prepare.split_seed")),
        Instrument("scale", ("know.controls", "analyze.confidence"), ("controls",),
                   "give --controls, after `twotower run --controls` has made strangers and planted pairs",
                   reads=("pairs", "probe", "decoding", "perturbed_masking", "words", "lesions", "similarity")),
    )
}  # fmt: skip
"""In the order in which they are asked."""
