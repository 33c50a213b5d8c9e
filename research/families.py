"""The tables of families.md, and N1, N2 and P4 of hypotheses.md: `python research/families.py STUDY…`."""

from __future__ import annotations

import sys
from pathlib import Path

from ruler import MEASURED, keep, measured_cells, passed, size, table
from texts import FAMILIES, OnText, by_topic, divides, held, kind, known_and_new, share_cells, share_headings, words

from twotower.report.finding import row_name

DATA = Path(__file__).parent / "data" / "families-strangers.json.gz"


def outcomes(runs: list[OnText]) -> list[list[str]]:
    """N1, N2 and P4: what was asked of pairs, what was seen, and whether that is enough."""
    pairs, strangers = ([run for run in runs if run.strangers == apart] for apart in (False, True))
    rows = []
    for family in FAMILIES.values():
        of_family = [pair for pair in pairs if pair.text == family]
        least = min(size(pair).estimate for pair in of_family)
        most = max(size(run).estimate for run in strangers if run.text == family)
        yes = sum(divides(pair, runs) for pair in of_family)
        rows.append([
            f"N1, {family}", f"smallest D of a pair {least:.2f}, largest of strangers {most:.2f}; "
            f"verdict *yes* in {yes} of {len(of_family)}", passed(least > most and yes == len(of_family)),
        ])  # fmt: skip
    in_elmo = [pair for pair in pairs if pair.text == FAMILIES["elmo"]]
    threefold = sum(held(pair, "type x previous type") >= 3 * max(words(pair)) for pair in in_elmo)
    few = sum(held(pair, "class", "frequency") < 0.05 for pair in pairs)
    enough = threefold == len(in_elmo) and few == len(pairs)
    seen = (
        f"{row_name('type x previous type')} three times the larger of the two in {threefold} of {len(in_elmo)}; "
        f"{row_name('class', 'frequency')} below 5 % in {few} of {len(pairs)}"
    )
    topic = by_topic(pairs, runs)
    by_pair = "; ".join(f"{row.pair.text}: {row.in_print()}" for row in topic)
    every = all(row.in_nats == "yes" for row in topic)
    return [*rows, ["N2", seen, passed(enough)], ["P4", by_pair, passed(every)]]


def main(studies: list[Path]) -> None:
    """Add the runs of studies to `DATA`, and print the tables of all."""
    runs = known_and_new(DATA, studies)
    print(table([[run.text, kind(run), *measured_cells(run)] for run in runs], ["family", "towers", *MEASURED]))
    print("\n" + table([[run.text, *share_cells(run)] for run in runs], ["family", *share_headings()]))
    print("\n" + table(outcomes(runs), ["", "seen", "outcome"]))
    keep(DATA, runs)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
