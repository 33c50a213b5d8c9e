"""The table of wider.md, and M1 to M3 of hypotheses.md, from the runs of a study: `python research/wider.py STUDY`."""

from __future__ import annotations

import sys
from pathlib import Path

from ruler import MEASURED, keep, measured_cells, passed, size, table
from texts import SHOWN, OnText, beside, held, kind, known_and_new, share_cells, share_headings, words

from twotower.report.finding import row_name

DATA = Path(__file__).parent / "data" / "wider.json.gz"
BIGRAMS_OF_WORDS, SYNTAX_OR_TOPIC = ("type x previous type", ""), ("tag trigram or bag of words", "")


def outcomes(pair: OnText, runs: list[OnText]) -> list[list[str]]:
    """M1 to M3: what was asked of a pair, what was seen, and whether that is enough."""
    division = beside(pair, runs)
    theirs = division.strangers.size if division and division.strangers else None
    both, most, of_class = held(pair, *BIGRAMS_OF_WORDS), max(words(pair)), held(pair, "class", "frequency")
    along = held(pair, *SYNTAX_OR_TOPIC)
    return [
        ["M1", f"D {size(pair).estimate:.2f}, strangers {theirs.estimate:.2f}; verdict *{division.verdict}*",
         passed(size(pair).estimate > theirs.estimate and division.verdict == "yes")]
        if division and theirs else ["M1", "strangers not run", "not known"],
        ["M2", f"{row_name(*BIGRAMS_OF_WORDS)} {both / most:.1f} times the larger of the two; "
         f"{row_name('class', 'frequency')} {100 * of_class:.1f} %", passed(both >= 3 * most and of_class < 0.05)],
        ["M3", f"{row_name(*SYNTAX_OR_TOPIC)} {100 * along:.1f} %", passed(along < 0.01)],
    ]  # fmt: skip


def main(studies: list[Path]) -> None:
    """Add the runs of studies to `DATA`, and print the tables of all."""
    runs = known_and_new(DATA, studies)
    labels = [*SHOWN, SYNTAX_OR_TOPIC]
    print(table([[kind(run), *measured_cells(run)] for run in runs], ["towers", *MEASURED]))
    print("\n" + table([share_cells(run, labels) for run in runs], share_headings(labels)))
    for pair in (run for run in runs if not run.strangers):
        print("\n" + table(outcomes(pair, runs), ["", "seen", "outcome"]))
    keep(DATA, runs)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
