"""The tables of ruler.md, and J1 to J5 of hypotheses.md, from the runs of a study: `python research/ruler.py STUDY`."""

from __future__ import annotations

import gzip
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from twotower import Run
from twotower.config.conversion import plain, record_from
from twotower.preference.divided import DivisionOfRun
from twotower.preference.division import CLASS, Division, LabelDivision, row_of
from twotower.report.finding import row_name
from twotower.report.numbers import figure
from twotower.statistics.gains import Surplus
from twotower.statistics.intervals import Estimate

SHOWN = [
    ("type", ""), ("previous type", ""), ("type x previous type", ""), ("class", ""), ("class", "frequency"),
    ("previous class", ""), ("class x previous class", ""),
]  # fmt: skip
"""Labels whose shares are shown, and what each is taken beyond."""
DATA = Path(__file__).parent / "data" / "ruler-seeds.json.gz"


def label(division: Division, name: str, given: str = "") -> LabelDivision:
    """The row of a label."""
    row = row_of(division.labels, name, given)
    assert row is not None, f"the division has no label {name!r} given {given!r}"
    return row


def in_print(text: str) -> str:
    """With the sign of a negative number as it is printed."""
    return text.replace("-", "−")


def table(rows: list[list[str]], head: list[str]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def held(run: Ruled, name: str) -> float:
    """The share of D² that a label holds."""
    return label(run.division, name).share.estimate


def size(run: Ruled) -> Estimate:
    """D."""
    assert run.division.size is not None
    return run.division.size


def surplus(run: Ruled) -> Surplus:
    """V, with that of one tower twice."""
    assert run.division.surplus is not None
    return run.division.surplus


def twice(run: Ruled) -> float:
    """What one tower given twice gains."""
    gained = surplus(run).null
    assert gained is not None
    return gained


MEASURED = ["seed", "perplexity", "readouts converged after", "D", "surplus", "one tower twice"]


def measured_cells(run: Ruled) -> list[str]:
    """The cells of a run in a table with the columns `MEASURED`."""
    return [
        str(run.seed), f"{run.perplexity:.0f}", f"{run.tokens:,}" if run.converged else "no",
        figure(size(run)), figure(surplus(run), 3), in_print(f"{twice(run):.3f}"),
    ]  # fmt: skip


def at_least(share_of_ten: int, seeds: int) -> int:
    """So many of ten seeds, as so many of those that there are, rounded up."""
    return math.ceil(share_of_ten * seeds / 10)


def outcomes(pairs: list[Ruled], strangers: list[Ruled]) -> list[list[str]]:
    """J1 to J5: what was asked, what was seen, and whether that is enough."""
    count = len(pairs)

    def with_surplus(runs: list[Ruled]) -> int:
        return sum(surplus(run).low > twice(run) for run in runs)

    def with_class(runs: list[Ruled]) -> int:
        return sum(label(run.division, *CLASS).verdict == "yes" for run in runs)

    least, most = min(size(run).estimate for run in pairs), max(size(run).estimate for run in strangers)
    alike = sum(2 / 3 <= held(run, "previous type") / held(run, "type") <= 1.5 for run in pairs)
    threefold = sum(
        held(run, "type x previous type") >= 3 * max(held(run, "type"), held(run, "previous type")) for run in pairs
    )
    few = at_least(1, len(strangers))
    return [
        ["J1", f"smallest D of a pair {least:.2f}, largest of strangers {most:.2f}", passed(least > most)],
        ["J2", f"pairs {with_surplus(pairs)} of {count}, strangers {with_surplus(strangers)} of {len(strangers)}",
         passed(with_surplus(pairs) >= at_least(9, count) and with_surplus(strangers) <= few)],
        ["J3", f"pairs {with_class(pairs)} of {count}, strangers {with_class(strangers)} of {len(strangers)}",
         passed(with_class(pairs) >= at_least(8, count) and with_class(strangers) <= few)],
        ["J4", f"{alike} of {count}", passed(alike >= at_least(7, count))],
        ["J5", f"{threefold} of {count}", passed(threefold >= at_least(7, count))],
    ]  # fmt: skip


def passed(enough: bool) -> str:
    """The outcome of a hypothesis, in print."""
    return "holds" if enough else "**fails**"


@dataclass(frozen=True)
class Ruled:
    """What is kept of a run: its division, and how well its readouts were trained."""

    seed: int
    perplexity: float
    converged: bool
    tokens: int
    """Text that the readouts were trained on."""
    division: DivisionOfRun

    @classmethod
    def of(cls, run: Run) -> Ruled:
        """Of a run with a division."""
        results = run.results()
        assert results.division is not None and results.readouts is not None
        joint = results.training.heldout_perplexity.joint
        return cls(results.seed, joint, results.readouts.converged, results.readouts.tokens, results.division)


def earlier() -> dict[str, list[Ruled]]:
    """What `DATA` has."""
    kept = json.loads(gzip.decompress(DATA.read_bytes()))
    return {kind: [record_from(Ruled, run, str(DATA)) for run in runs] for kind, runs in kept.items()}


def keep(path: Path, records: object) -> None:
    """Write records, compressed, to the same bytes whenever it is done."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(json.dumps(plain(records)).encode())


def main(study: Path) -> None:
    """Add a study's runs to `DATA`, in place of those of the same seeds, and print the tables of all."""
    runs = {kind: {run.seed: run for run in kept} for kind, kept in earlier().items()}
    for folder in (study / "runs").iterdir():
        if (folder / "report.html").exists():
            run = Ruled.of(Run(folder))
            runs["strangers" if folder.name.endswith("strangers") else "pairs"][run.seed] = run
    in_order = {kind: [kept[seed] for seed in sorted(kept)] for kind, kept in runs.items()}
    for kind, measured in in_order.items():
        print(f"\n### {kind.capitalize()}\n")
        print(table([measured_cells(run) for run in measured], MEASURED))
        print()
        print(table(
            [[str(run.seed), *(_share(label(run.division, *shown)) for shown in SHOWN)] for run in measured],
            ["seed", *(row_name(*shown) for shown in SHOWN)],
        ))  # fmt: skip
    print("\n" + table(outcomes(in_order["pairs"], in_order["strangers"]), ["", "seen", "outcome"]))
    keep(DATA, in_order)


def _share(row: LabelDivision) -> str:
    mark = {"yes": "**", "undecided": "*"}.get(row.verdict, "")
    return in_print(f"{mark}{100 * row.share.estimate:.1f} %{mark}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
