"""The tables of ruler.md, and J1 to J5 of hypotheses.md, from the runs of a study: `python research/ruler.py STUDY`."""

from __future__ import annotations

import gzip
import json
import math
import sys
from pathlib import Path
from typing import Any

from twotower import Run
from twotower.config.conversion import as_json

SHOWN = {
    "type": ("type", ""),
    "previous type": ("previous type", ""),
    "type × previous type": ("type x previous type", ""),
    "class": ("class", ""),
    "class given frequency": ("class", "frequency"),
    "previous class": ("previous class", ""),
    "class × previous class": ("class x previous class", ""),
}
DATA = Path(__file__).parent / "data" / "ruler-seeds.json.gz"


def measured(run: Path) -> dict[str, Any]:
    """What the ruler says of a run, as `results.json` has it."""
    results = Run(run).results()
    return {
        "seed": results.seed, "perplexity": results.training.heldout_perplexity.joint,
        "converged": results.readouts.converged, "tokens": results.readouts.tokens,
        **json.loads(as_json(results.division)),
    }  # fmt: skip


def of_label(division: dict[str, Any], name: str) -> dict[str, Any]:
    """The row of a label."""
    return next(row for row in division["labels"] if (row["label"], row["given"]) == SHOWN[name])


def interval(value: dict[str, Any], digits: int = 3, scale: float = 1.0) -> str:
    """An estimate with its interval."""
    estimate, low, high = (f"{scale * value[end]:.{digits}f}".replace("-", "−") for end in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


def table(rows: list[list[str]], head: list[str]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def held(division: dict[str, Any], name: str) -> float:
    """The share of D² that a label holds."""
    return float(of_label(division, name)["share"]["estimate"])


def at_least(share_of_ten: int, seeds: int) -> int:
    """So many of ten seeds, as so many of those that there are, rounded up."""
    return math.ceil(share_of_ten * seeds / 10)


def outcomes(pairs: list[dict[str, Any]], strangers: list[dict[str, Any]]) -> list[list[str]]:
    """J1 to J5: what was asked, what was seen, and whether that is enough."""
    count = len(pairs)

    def with_surplus(runs: list[dict[str, Any]]) -> int:
        return sum(run["surplus"]["low"] > run["surplus"]["null"] for run in runs)

    def with_class(runs: list[dict[str, Any]]) -> int:
        return sum(of_label(run, "class given frequency")["verdict"] == "yes" for run in runs)

    least, most = min(run["size"]["estimate"] for run in pairs), max(run["size"]["estimate"] for run in strangers)
    alike = sum(2 / 3 <= held(run, "previous type") / held(run, "type") <= 1.5 for run in pairs)
    threefold = sum(
        held(run, "type × previous type") >= 3 * max(held(run, "type"), held(run, "previous type")) for run in pairs
    )
    few = at_least(1, len(strangers))
    return [
        ["J1", f"smallest D of a pair {least:.2f}, largest of strangers {most:.2f}", _passed(least > most)],
        ["J2", f"pairs {with_surplus(pairs)} of {count}, strangers {with_surplus(strangers)} of {len(strangers)}",
         _passed(with_surplus(pairs) >= at_least(9, count) and with_surplus(strangers) <= few)],
        ["J3", f"pairs {with_class(pairs)} of {count}, strangers {with_class(strangers)} of {len(strangers)}",
         _passed(with_class(pairs) >= at_least(8, count) and with_class(strangers) <= few)],
        ["J4", f"{alike} of {count}", _passed(alike >= at_least(7, count))],
        ["J5", f"{threefold} of {count}", _passed(threefold >= at_least(7, count))],
    ]  # fmt: skip


def _passed(enough: bool) -> str:
    return "holds" if enough else "**fails**"


def main(study: Path) -> None:
    """Print the tables and keep what they are made of."""
    finished = [run for run in sorted((study / "runs").iterdir()) if (run / "report.html").exists()]
    runs = {
        kind: sorted((measured(run) for run in finished if run.name.endswith("strangers") == apart), key=_seed)
        for kind, apart in (("pairs", False), ("strangers", True))
    }
    for kind, divisions in runs.items():
        print(f"\n{kind}\n")
        print(table(
            [[str(run["seed"]), f"{run['perplexity']:.0f}", f"{run['tokens']:,}" if run["converged"] else "no",
              interval(run["size"], 2), interval(run["surplus"]), f"{run['surplus']['null']:.3f}".replace("-", "−")]
             for run in divisions],
            ["seed", "perplexity", "readouts converged after", "D", "surplus", "one tower twice"],
        ))  # fmt: skip
        print()
        print(table(
            [[str(run["seed"]), *(_share(of_label(run, name)) for name in SHOWN)] for run in divisions],
            ["seed", *SHOWN],
        ))  # fmt: skip
    print("\n" + table(outcomes(runs["pairs"], runs["strangers"]), ["", "seen", "outcome"]))
    with gzip.GzipFile(DATA, "wb", mtime=0) as file:
        file.write(json.dumps(runs).encode())


def _seed(run: dict[str, Any]) -> int:
    return int(run["seed"])


def _share(row: dict[str, Any]) -> str:
    mark = {"yes": "**", "no": "", "undecided": "*"}.get(row["verdict"], "")
    return f"{mark}{100 * row['share']['estimate']:.1f} %{mark}".replace("-", "−")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
