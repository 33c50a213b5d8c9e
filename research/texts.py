"""The tables of texts.md, and L1 to L4, P1 to P3 of hypotheses.md: `python research/texts.py STUDY…`."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ruler
from ruler import MEASURED, Ruled, in_print, keep, label, measured_cells, passed, size, table

from twotower import Run
from twotower.config.conversion import record_from
from twotower.preference.division import TOPIC, Division, LabelDivision, row_of, with_strangers
from twotower.report.finding import row_name
from twotower.report.numbers import figure, percent
from twotower.runs.records import read_records
from twotower.statistics.verdicts import Verdict, verdict

DATA = Path(__file__).parent / "data" / "texts.json.gz"
NATURAL, PLANTED = "natural", "planted by class"
REWRITTEN = {"relexicalized": "without meaning", "scrambled": "without order"}
NOVELS = {"novels-de": "German", "novels-fr": "French", "novels-hu": "Hungarian"}
FAMILIES = {"elmo": "ELMo", "bert": "BERT"}
SHOWN = [*ruler.SHOWN, ("topic", ""), TOPIC, ("position in the sentence", "")]
ORDER = [NATURAL, PLANTED, *REWRITTEN.values(), *NOVELS.values(), *FAMILIES.values()]
KEPT = {
    "without meaning": {"class": True, "previous class": True, "topic": False},
    "without order": {"type": True, "previous class": False, "type x previous type": False},
}
"""L3: the labels that keep at least half of their share (True), or less, on each rewritten text."""


@dataclass(frozen=True)
class OnText(Ruled):
    """A run, and the text that its towers were trained on."""

    text: str
    """Or the family, of towers other than GPT on natural text."""
    strangers: bool
    readouts: int
    """Format of the stage that trained them; 10 since their optimizer was mended (readouts.md)."""

    @classmethod
    def read(cls, run: Run) -> OnText:
        """Of a finished run."""
        config = run.config
        novels = [name for folder, name in NOVELS.items() if folder in str(config.prepare.corpus)]
        family = FAMILIES.get(config.model.family, NATURAL)
        text = REWRITTEN.get(config.prepare.words) or (novels or [family])[0]
        planted = config.model.planted == "classes"
        strangers, readouts = config.model.cooperation == 0, read_records(run.path)["readout"].format
        return cls(**vars(Ruled.of(run)), text=PLANTED if planted else text, strangers=strangers, readouts=readouts)


def known_and_new(data: Path, studies: list[Path]) -> list[OnText]:
    """What `data` has, and the runs of studies in place of those of the same text and seed, in the order of print."""
    kept = json.loads(gzip.decompress(data.read_bytes())) if data.exists() else []
    runs = [record_from(OnText, run, str(data)) for run in kept]
    folders = [folder for study in studies for folder in sorted((study / "runs").iterdir())]
    runs += [OnText.read(Run(folder)) for folder in folders if (folder / "report.html").exists()]
    latest = {(ORDER.index(run.text), run.strangers, run.seed): run for run in runs}
    return [latest[place] for place in sorted(latest)]


def kind(run: OnText) -> str:
    """Whether a run is a pair or strangers, in print."""
    return "strangers" if run.strangers else "pair"


def held(run: OnText, name: str, given: str = "") -> float:
    """The share of D² that a label holds; NaN where the text has no such label."""
    row = row_of(run.division.labels, name, given)
    return float("nan") if row is None else row.share.estimate


def beside(pair: OnText, runs: Iterable[OnText]) -> Division | None:
    """The division of a pair beside the strangers of the same text and seed; None where these were not run."""
    of_seed = [run.division for run in runs if run.strangers and (run.text, run.seed) == (pair.text, pair.seed)]
    return with_strangers(pair.division, of_seed[0]) if of_seed else None


def divides(pair: OnText, runs: Iterable[OnText]) -> bool:
    """Whether the verdict beside strangers is that the towers divide the work."""
    division = beside(pair, runs)
    return division is not None and division.verdict == "yes"


@dataclass(frozen=True)
class ByTopic:
    """What topic beyond the token holds in a pair and in its strangers."""

    pair: OnText
    ours: LabelDivision
    theirs: LabelDivision
    in_nats: Verdict
    """Whether the pair holds more nats²: what P1 to P4 ask."""
    verdict: Verdict
    """Whether it also holds a larger share: what the ruler has asked since."""

    def in_print(self) -> str:
        """Both in one cell."""
        return (
            f"{figure(self.ours.held, 4)} nats², strangers {figure(self.theirs.held, 4)}: *{self.in_nats}*; "
            f"{percent(self.ours.share)}, strangers {percent(self.theirs.share)}: with shares *{self.verdict}*"
        )


def by_topic(pairs: Iterable[OnText], runs: Iterable[OnText]) -> list[ByTopic]:
    """Of each pair whose strangers were run."""
    compared = []
    for pair in pairs:
        division = beside(pair, runs)
        if division and division.strangers:
            ours, theirs = label(pair.division, *TOPIC), label(division.strangers, *TOPIC)
            in_nats = verdict(ours.held, None, theirs.held) if ours.verdict == "yes" else ours.verdict
            compared.append(ByTopic(pair, ours, theirs, in_nats, label(division, *TOPIC).verdict))
    return compared


def outcomes_of_topic(runs: list[OnText]) -> list[list[str]]:
    """P1 to P3, of what was run."""
    rows = []
    for name, text in (("P1", NATURAL), ("P2", REWRITTEN["scrambled"]), ("P3", REWRITTEN["relexicalized"])):
        compared = by_topic([run for run in runs if run.text == text and not run.strangers], runs)
        enough = all((row.in_nats == "yes") == (name != "P3") for row in compared)
        if name == "P2":
            enough = enough and all(row.ours.share.estimate > row.theirs.share.estimate for row in compared)
        seen = "; ".join(row.in_print() for row in compared)
        rows.append([name, seen, passed(enough) if compared else "not run"])
    return rows


def outcomes(runs: list[OnText]) -> list[list[str]]:
    """L1 to L4: what was asked, what was seen, and whether that is enough; only of what was run."""
    pairs = {text: [run for run in runs if run.text == text and not run.strangers] for text in ORDER}
    sizes = {text: [size(run).estimate for run in runs if run.text == text and run.strangers] for text in ORDER}
    with_theirs = [pair for text in ORDER for pair in pairs[text] if beside(pair, runs)]
    above = sum(size(pair).estimate > max(sizes[pair.text]) for pair in with_theirs)
    yes = sum(divides(pair, runs) for pair in with_theirs)
    rows = [["L1", f"D above strangers' in {above}, verdict *yes* in {yes} of {len(with_theirs)} pairs",
             outcome(with_theirs, above == yes == len(with_theirs))]]  # fmt: skip
    abroad = [run for text in NOVELS.values() for run in pairs[text]]
    tagged = [run for run in abroad if np.isfinite(held(run, "class", "frequency"))]
    threefold = sum(held(run, "type x previous type") >= 3 * max(words(run)) for run in abroad)
    alike = sum(0.5 <= held(run, "previous type") / held(run, "type") <= 2 for run in abroad)
    few = sum(held(run, "class", "frequency") < 0.05 for run in tagged)
    for part, count, asked in (("a", threefold, abroad), ("b", alike, abroad), ("c", few, tagged)):
        rows.append([f"L2 {part}", f"{count} of {len(asked)} pairs", outcome(asked, count == len(asked))])
    for part, (text, labels) in zip("ab", KEPT.items(), strict=True):
        left = {name: mean(pairs[text], name) / mean(pairs[NATURAL], name) for name in labels if pairs[text]}
        seen = ", ".join(f"{row_name(name)} {100 * share:.0f} %" for name, share in left.items())
        enough = all((share >= 0.5) == labels[name] for name, share in left.items())
        rows.append([f"L3 {part}", seen, outcome(pairs[text], enough)])
    planted, natural = (
        float(np.mean([label(run.division, "class", "frequency").held.estimate for run in pairs[text]]))
        for text in (PLANTED, NATURAL)
    )
    rows.append(["L4", f"planted {planted:.4f}, natural {natural:.4f} nats²", passed(planted >= 2 * natural)])
    return rows


def outcome(asked: list[OnText], enough: bool) -> str:
    """Whether a hypothesis holds, in print."""
    return passed(enough) if asked else "not run"


def words(run: OnText) -> tuple[float, float]:
    """The shares of the type and of the previous type."""
    return held(run, "type"), held(run, "previous type")


def mean(runs: list[OnText], name: str) -> float:
    """Over runs, of a label's share."""
    return float(np.mean([held(run, name) for run in runs]))


def cell(run: OnText, name: str, given: str) -> str:
    """The share of a label, bold where the verdict is *yes*, in italics where it is *undecided*."""
    row = row_of(run.division.labels, name, given)
    if row is None or row.verdict == "not measurable":
        return "–"
    mark = {"yes": "**", "undecided": "*"}.get(row.verdict, "")
    return in_print(f"{mark}{100 * row.share.estimate:.1f}{mark}")


def share_headings(labels: Sequence[tuple[str, str]] = SHOWN) -> list[str]:
    """Of the columns of `share_cells`."""
    return ["towers", "seed", *(row_name(*shown) for shown in labels)]


def share_cells(run: OnText, labels: Sequence[tuple[str, str]] = SHOWN) -> list[str]:
    """The cells of a run in a table of shares."""
    return [kind(run), str(run.seed), *(cell(run, *shown) for shown in labels)]


def main(studies: list[Path]) -> None:
    """Add the runs of studies to `DATA`, and print the tables of all."""
    runs = known_and_new(DATA, studies)
    print(table([[run.text, kind(run), str(run.readouts), *measured_cells(run)] for run in runs],
                ["text", "towers", "readouts", *MEASURED]))  # fmt: skip
    print("\n" + table([[run.text, *share_cells(run)] for run in runs], ["text", *share_headings()]))
    print("\n" + table([*outcomes(runs), *outcomes_of_topic(runs)], ["", "seen", "outcome"]))
    keep(DATA, runs)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
