"""The table of wider.md, and M1 to M3 of hypotheses.md, from the runs of a study: `python research/wider.py STUDY`."""

from __future__ import annotations

import sys
from pathlib import Path

from ruler import MEASURED, keep, measured_cells, passed, size, table
from texts import SHOWN, OnText, cell, held, kind, known_and_new, words

from twotower.preference.division import with_strangers
from twotower.report.finding import row_name

DATA = Path(__file__).parent / "data" / "wider.json.gz"
BIGRAMS_OF_WORDS, SYNTAX_OR_TOPIC = ("type x previous type", ""), ("tag trigram or bag of words", "")


def outcomes(pair: OnText, runs: list[OnText]) -> list[list[str]]:
    """M1 to M3: what was asked of a pair, what was seen, and whether that is enough."""
    strangers = [run for run in runs if run.strangers and run.seed == pair.seed]
    larger = bool(strangers) and size(pair).estimate > size(strangers[0]).estimate
    answer = with_strangers(pair.division, strangers[0].division).verdict if strangers else "undecided"
    both, most, of_class = held(pair, *BIGRAMS_OF_WORDS), max(words(pair)), held(pair, "class", "frequency")
    along = held(pair, *SYNTAX_OR_TOPIC)
    return [
        ["M1", f"D {size(pair).estimate:.2f}, strangers {size(strangers[0]).estimate:.2f}; verdict *{answer}*"
         if strangers else "strangers not run", passed(larger and answer == "yes") if strangers else "not known"],
        ["M2", f"{row_name(*BIGRAMS_OF_WORDS)} {both / most:.1f} times the larger of the two; "
         f"{row_name('class', 'frequency')} {100 * of_class:.1f} %", passed(both >= 3 * most and of_class < 0.05)],
        ["M3", f"{row_name(*SYNTAX_OR_TOPIC)} {100 * along:.1f} %", passed(along < 0.01)],
    ]  # fmt: skip


def main(studies: list[Path]) -> None:
    """Add the runs of studies to `DATA`, and print the tables of all."""
    runs = known_and_new(DATA, studies)
    labels = [*SHOWN, SYNTAX_OR_TOPIC]
    print(table([[kind(run), *measured_cells(run)] for run in runs], ["towers", *MEASURED]))
    print("\n" + table(
        [[kind(run), str(run.seed), *(cell(run, *shown) for shown in labels)] for run in runs],
        ["towers", "seed", *(row_name(*shown) for shown in labels)],
    ))  # fmt: skip
    for pair in (run for run in runs if not run.strangers):
        print("\n" + table(outcomes(pair, runs), ["", "seen", "outcome"]))
    keep(DATA, runs)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
