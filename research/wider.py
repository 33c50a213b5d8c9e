"""The table of wider.md, and M1 to M3 of hypotheses.md, from the runs of a study: `python research/wider.py STUDY`."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from ruler import MEASURED, keep, measured_cells, passed, size, table
from texts import SHOWN, OnText, cell, divides, held, words

from twotower import Run
from twotower.config.conversion import record_from
from twotower.report.finding import row_name

DATA = Path(__file__).parent / "data" / "wider.json.gz"
BIGRAMS_OF_WORDS, SYNTAX_OR_TOPIC = ("type x previous type", ""), ("tag trigram or bag of words", "")


def known() -> list[OnText]:
    """What was kept of earlier runs of this script."""
    if not DATA.exists():
        return []
    return [record_from(OnText, run, str(DATA)) for run in json.loads(gzip.decompress(DATA.read_bytes()))]


def outcomes(pair: OnText, runs: list[OnText]) -> list[list[str]]:
    """M1 to M3: what was asked of a pair, what was seen, and whether that is enough."""
    strangers = [size(run).estimate for run in runs if run.strangers and run.seed == pair.seed]
    apart = bool(strangers) and size(pair).estimate > strangers[0] and divides(pair, runs)
    both, most, of_class = held(pair, *BIGRAMS_OF_WORDS), max(words(pair)), held(pair, "class", "frequency")
    along = held(pair, *SYNTAX_OR_TOPIC)
    return [
        ["M1", f"D {size(pair).estimate:.2f}, strangers {strangers[0]:.2f}" if strangers else "strangers not run",
         passed(apart) if strangers else "not known"],
        ["M2", f"{row_name(*BIGRAMS_OF_WORDS)} {both / most:.1f} times either; "
         f"{row_name('class', 'frequency')} {100 * of_class:.1f} %", passed(both >= 3 * most and of_class < 0.05)],
        ["M3", f"{row_name(*SYNTAX_OR_TOPIC)} {100 * along:.1f} %", passed(along < 0.01)],
    ]  # fmt: skip


def main(studies: list[Path]) -> None:
    """Add the runs of studies to `DATA`, in place of those of the same seed, and print the tables of all."""
    runs: dict[tuple[bool, int], OnText] = {(run.strangers, run.seed): run for run in known()}
    for folder in (folder for study in studies for folder in sorted((study / "runs").iterdir())):
        if (folder / "report.html").exists():
            run = OnText.read(Run(folder))
            runs[run.strangers, run.seed] = run
    measured = [run for _, run in sorted(runs.items())]
    labels = [*SHOWN, SYNTAX_OR_TOPIC]
    kinds = ["strangers" if run.strangers else "pair" for run in measured]
    print(
        table([[kind, *measured_cells(run)] for kind, run in zip(kinds, measured, strict=True)], ["towers", *MEASURED])
    )
    print("\n" + table(
        [[kind, str(run.seed), *(cell(run, *shown) for shown in labels)]
         for kind, run in zip(kinds, measured, strict=True)],
        ["towers", "seed", *(row_name(*shown) for shown in labels)],
    ))  # fmt: skip
    for run in measured:
        if not run.strangers:
            print("\n" + table(outcomes(run, measured), ["", "seen", "outcome"]))
    keep(DATA, measured)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
