"""The tables of planted.md, and K1 to K4 of hypotheses.md: `python research/planted.py STUDY PLANTED`.

STUDY has natural pairs and strangers, of which `ruler.py` has kept the divisions; PLANTED has the planted pairs.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ruler import MEASURED, Ruled, earlier, in_print, keep, label, measured_cells, passed, table
from scipy import stats

from twotower import Run
from twotower.config.conversion import record_from
from twotower.preference.along_texts import AlongTexts, along_texts
from twotower.preference.division import LabelDivision
from twotower.preference.measured import Measured
from twotower.report.numbers import figure
from twotower.statistics.intervals import Estimate
from twotower.statistics.ratios import share_between

DATA = Path(__file__).parent / "data" / "planted.json.gz"
PLANTED = {
    "classes": ("class", "frequency"),
    "texts": ("tag trigram or bag of words", ""),
    "reach": ("previous type", ""),
}
"""The label, and what is given, that each kind of planted division is asked about."""
SCALED = [
    ("class", ""), ("class", "frequency"), ("type", ""), ("previous type", ""), ("previous class", ""),
    ("type x previous type", ""), ("class x previous class", ""), ("tag trigram or bag of words", ""),
    ("position in the sentence", ""), ("topic", ""), ("document", ""),
]  # fmt: skip


@dataclass(frozen=True)
class Planted(Ruled):
    """A planted pair."""

    kind: str


@dataclass(frozen=True)
class AtTokens:
    """A pair or strangers beside a pair of another seed that was planted by texts, token by token."""

    seed: int
    planted_seed: int
    along: AlongTexts


def mean_of(figures: Sequence[float]) -> Estimate:
    """Mean over runs with Student's interval: runs are what is random."""
    mean, count = float(np.mean(figures)), len(figures)
    if count < 2:
        return Estimate(mean, np.nan, np.nan)
    reach = float(stats.t.ppf(0.975, count - 1) * np.std(figures, ddof=1) / count**0.5)
    return Estimate(mean, mean - reach, mean + reach)


def at_tokens(runs: Sequence[Path], planted: Sequence[Path]) -> list[AtTokens]:
    """Each run beside each pair planted by texts of another seed; of one list, each two of its runs once."""
    of_planted = [measured_in(folder) for folder in planted]
    rows = []
    for folder in runs:
        measured = measured_in(folder)
        for texts in of_planted:
            apart = measured.seed < texts.seed if runs == planted else measured.seed != texts.seed
            along = along_texts(measured, texts) if apart else None
            if along is not None:
                rows.append(AtTokens(measured.seed, texts.seed, along))
                print(folder.name, texts.seed, along.correlation, file=sys.stderr, flush=True)
    return rows


def measured_in(folder: Path) -> Measured:
    """The scored text of a run."""
    run = Run(folder)
    return Measured.of(run.config, run.path)


def beyond_type(row: AtTokens) -> LabelDivision:
    """What tenths of the planted difference hold beyond the type."""
    return next(tenths for tenths in row.along.tenths if tenths.given == "type")


def outcomes(
    pairs: list[Ruled], strangers: list[Ruled], planted: list[Planted], tokens: dict[str, list[AtTokens]]
) -> list[list[str]]:
    """K1 to K4: what was asked, what was seen, and whether that is enough."""
    seen, enough = [], True
    for kind, asked in PLANTED.items():
        most = max(label(run.division, *asked).held.estimate for run in strangers)
        held = [label(run.division, *asked).held.estimate for run in planted if run.kind == kind]
        above = sum(value > most for value in held)
        enough = enough and above == len(held)
        seen.append(f"{kind} {above} of {len(held)}")
    by_class = [run for run in planted if run.kind == "classes"]
    natural, nothing, whole = (
        float(np.mean([label(run.division, *PLANTED["classes"]).held.estimate for run in runs]))
        for runs in (pairs, strangers, by_class)
    )
    by_seed = {
        kind: pd.Series([abs(row.along.correlation.estimate) for row in rows])
        .groupby([row.seed for row in rows])
        .mean()
        for kind, rows in tokens.items()
    }
    of_pairs, of_strangers = by_seed["pairs"].mean(), by_seed["strangers"].mean()
    refuted = of_pairs > of_strangers + 0.1 and by_seed["pairs"].min() > by_seed["strangers"].max()
    median = float(np.median([beyond_type(row).share.estimate for row in tokens["pairs"]]))
    largest = max(beyond_type(row).share.estimate for row in tokens["strangers"])
    return [
        ["K1", ", ".join(seen), passed(enough)],
        ["K2", f"natural {natural:.5f}, strangers {nothing:.5f}, planted {whole:.5f} nats²",
         passed(natural < (nothing + whole) / 2)],
        ["K3", f"mean correlation at tokens: natural {of_pairs:.3f}, strangers {of_strangers:.3f}",
         "**refuted**" if refuted else passed(of_pairs < 0.2 and of_pairs < of_strangers + 0.1)],
        ["K4", f"natural {100 * median:.2f} % (median), strangers at most {100 * largest:.2f} %",
         passed(median <= largest)],
    ]  # fmt: skip


def scale(pairs: list[Ruled], strangers: list[Ruled], planted: list[Planted]) -> list[list[str]]:
    """Where the natural pairs' mean lies between that of strangers (0 %) and of each kind of planted pair (100 %)."""
    rows = []
    for name, given in SCALED:
        means = [
            mean_of([label(run.division, name, given).held.estimate for run in runs]) for runs in (pairs, strangers)
        ]
        cells = []
        for kind in PLANTED:
            of_kind = mean_of([label(run.division, name, given).held.estimate for run in planted if run.kind == kind])
            share = share_between(*means, of_kind, 0.95) if np.isfinite(of_kind.low) else None
            cells.append("not measurable" if share is None else in_print(
                f"{100 * share.estimate:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"))  # fmt: skip
        rows.append([name + (f" given {given}" if given else ""), *cells])
    return rows


def known() -> tuple[list[Planted], dict[str, list[AtTokens]]]:
    """What was kept of earlier runs of this script."""
    kept = json.loads(gzip.decompress(DATA.read_bytes()))
    planted = [record_from(Planted, row, str(DATA)) for row in kept["planted"]]
    tokens = {kind: [record_from(AtTokens, row, str(DATA)) for row in rows] for kind, rows in kept["tokens"].items()}
    return planted, tokens


def main(study: Path, planted_study: Path) -> None:
    """Measure what is finished, keep it and print the tables."""
    natural, planted_folders = (
        [path for path in sorted((place / "runs").iterdir()) if (path / "report.html").exists()]
        for place in (study, planted_study)
    )
    folders = {
        kind: [path for path in natural if path.name.endswith("strangers") == apart]
        for kind, apart in (("pairs", False), ("strangers", True))
    }
    planted = [
        Planted(**vars(Ruled.of(Run(folder))), kind=Run(folder).config.model.planted) for folder in planted_folders
    ]
    by_texts = [folder for folder in planted_folders if Run(folder).config.model.planted == "texts"]
    tokens = {kind: at_tokens(runs, by_texts) for kind, runs in folders.items()}
    tokens |= {"each other": at_tokens(folders["pairs"], folders["pairs"]), "planted": at_tokens(by_texts, by_texts)}
    ruled = earlier()
    print(table(
        [[run.kind, *measured_cells(run),
          *(f"{100 * label(run.division, *asked).share.estimate:.1f} % ({label(run.division, *asked).verdict})"
            for asked in PLANTED.values())]
         for run in sorted(planted, key=lambda run: (run.kind, run.seed))],
        ["planted", *MEASURED, *(f"{name} given {given}" if given else name for name, given in PLANTED.values())],
    ))  # fmt: skip
    print("\n" + table(scale(ruled["pairs"], ruled["strangers"], planted), ["label", *PLANTED]))
    for kind, rows in tokens.items():
        print(f"\n{kind}\n\n" + table(
            [[str(row.seed), str(row.planted_seed), figure(row.along.correlation),
              in_print(f"{100 * share.estimate:.2f} % [{100 * share.low:.2f}, {100 * share.high:.2f}]"),
              f"{100 * (share.null_high or 0):.2f} %", beyond_type(row).verdict]
             for row in rows if (share := beyond_type(row).share)],
            ["seed", "beside seed", "correlation at tokens", "tenths given type", "by chance at most", "verdict"],
        ))  # fmt: skip
    print("\n" + table(outcomes(ruled["pairs"], ruled["strangers"], planted, tokens), ["", "seen", "outcome"]))
    keep(DATA, {"planted": planted, "tokens": tokens})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
