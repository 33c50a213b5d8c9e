"""Time to emergence: what shortens the seconds until reliability and separation pass their nulls for good?

    python benchmarks/emergence.py --out DIR                                    every candidate, seeds 0 to 2
    python benchmarks/emergence.py --out DIR --seeds 3 4 5 --only gpt bert      some of them
    python benchmarks/emergence.py --out DIR --corpus FOLDER --minutes 10       other text, a longer schedule

A candidate is a preset with changed settings. It trains for as many tokens as one thread of this machine manages in
five minutes: before the first run, when nothing else should be running, the candidates' updates take turns, and their
median times give the rates in `DIR/rates.json`. Seconds are numbers of tokens at that rate, so that runs may share the
machine; evaluations (some two seconds each) are not counted. Goes on where it was stopped. Prints a table and writes
what it shows, with the whole curves, to `DIR/emergence.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import torch
from speed.measure import alternate
from speed.training import joint_work, quiet, setting

from twotower.allocator import freed_memory_kept
from twotower.config import RunConfig
from twotower.data.heldout import PreparedText
from twotower.preference.emergence import emergence
from twotower.presets import preset
from twotower.settings import with_settings

TURNS = 40
FIGURES = ("reliability", "separation")


@dataclass(frozen=True)
class Candidate:
    """A preset with changed settings, by their dotted names."""

    preset: str
    changes: dict[str, Any] = field(default_factory=dict)

    def config(self) -> RunConfig:
        """All its settings."""
        config = preset(self.preset)
        for name, value in self.changes.items():
            config = with_settings(config, {name: value}, "emergence")
        return config

    def words(self, prefix: str = "") -> list[str]:
        """The changes under `prefix` as options of the command line."""
        chosen = {name: value for name, value in self.changes.items() if name.startswith(prefix)}
        return [word for name, value in chosen.items() for word in (f"--{name.replace('_', '-')}", str(value))]


GPT, BERT, ELMO = "quickstart-gpt", "quickstart-bert", "quickstart-elmo"
CANDIDATES: dict[str, Candidate] = {
    "gpt": Candidate(GPT),
    "gpt, readouts at 2e-2": Candidate(GPT, {"train.readout_learning_rate": 2e-2}),
    "gpt, readouts at 1e-2": Candidate(GPT, {"train.readout_learning_rate": 1e-2}),
    "gpt, readouts on 1/4": Candidate(GPT, {"train.readout_share": 0.25}),
    "gpt, learning rate 6e-3": Candidate(GPT, {"train.learning_rate": 6e-3}),
    "gpt, muon": Candidate(GPT, {"train.optimizer": "muon"}),
    "gpt, initial weights 0.08": Candidate(GPT, {"model.initializer_range": 0.08}),
    "gpt, vocabulary 4,096": Candidate(GPT, {"prepare.vocabulary": 4096}),
    "gpt, 32 windows at 6e-3": Candidate(GPT, {"train.batch": 32, "train.learning_rate": 6e-3}),
    "bert": Candidate(BERT),
    "bert, readouts at 2e-2": Candidate(BERT, {"train.readout_learning_rate": 2e-2}),
    "bert, learning rate 6e-3": Candidate(BERT, {"train.learning_rate": 6e-3}),
    "bert, initial weights 0.08": Candidate(BERT, {"model.initializer_range": 0.08}),
    "elmo": Candidate(ELMO),
    "elmo, readouts at 2e-2": Candidate(ELMO, {"train.readout_learning_rate": 2e-2}),
    "elmo, learning rate 6e-3": Candidate(ELMO, {"train.learning_rate": 6e-3}),
    "elmo, 1 layer": Candidate(ELMO, {"model.layers": 1}),
}


def twotower(*words: str) -> None:
    """A command of `twotower`, with one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "twotower.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-3000:]}")


def text_folder(candidate: Candidate, out: Path) -> Path:
    """A run folder with nothing but the candidate's text in it."""
    return out / "-".join(["text", *candidate.words("prepare.")[1::2]])


def prepare(names: list[str], out: Path, corpus: list[str]) -> None:
    """Make the texts of all candidates, one after the other: runs copy them."""
    for name in names:
        candidate = CANDIDATES[name]
        twotower("prepare", *corpus, *candidate.words("prepare."), "--out", str(text_folder(candidate, out)))


def folder(name: str, seed: int, out: Path) -> Path:
    """Where a run goes."""
    return out / f"{''.join(c if c.isalnum() or c in '.-' else '-' for c in name)}-seed{seed}"


def rates(names: list[str], out: Path) -> dict[str, float]:
    """Tokens per second of each candidate's updates; measured once."""
    path = out / "rates.json"
    known: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    missing = [name for name in names if name not in known]
    if missing:
        torch.set_num_threads(1)
        works, tokens = {}, {}
        for name in missing:
            base, config = text_folder(CANDIDATES[name], out), CANDIDATES[name].config()
            works[name], tokens[name] = joint_work(config, base), setting(config, base)[2].tokens
        with quiet(), freed_memory_kept():
            times = alternate(works, TURNS)
        known |= {name: tokens[name] / median(seconds) for name, seconds in times.items()}
        path.write_text(json.dumps(known, indent=1) + "\n")
    return known


def train(name: str, seed: int, tokens: int, out: Path, corpus: list[str]) -> None:
    """Train a candidate, unless that is done."""
    run, candidate = folder(name, seed, out), CANDIDATES[name]
    if not (run / "training.json").is_file():
        if not run.is_dir():
            shutil.copytree(text_folder(candidate, out), run)
        words = ["--preset", candidate.preset, *corpus, *candidate.words(), "--seed", str(seed), "--threads", "1"]
        twotower("train", *words, "--tokens", str(tokens), "--out", str(run))
    print(f"{name}, seed {seed}: trained", file=sys.stderr, flush=True)


def measured(name: str, seed: int, out: Path) -> dict[str, Any]:
    """When the preference of a trained candidate passes its nulls, and how it grew."""
    run = folder(name, seed, out)
    kept = run / "emergence.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    text, table = PreparedText(run), pd.read_parquet(run / "emergence.parquet")
    analyze = CANDIDATES[name].config().analyze
    found = emergence(table, 2, text.frequencies, text.classes, analyze, seed)
    training = json.loads((run / "training.json").read_text())
    kept.write_text(json.dumps({"held_out": training["while_training"], **found}) + "\n")
    return measured(name, seed, out)


def summary(name: str, seed: int, rate: float, found: dict[str, Any]) -> dict[str, Any]:
    """What the table shows, and the curves."""

    def point(figure: dict[str, Any]) -> dict[str, Any]:
        estimate = figure.get("estimate", figure.get("auroc"))
        values = {"estimate": estimate, "low": figure["low"], "high": figure["high"]}
        values |= {"noise_floor_high": figure["noise_floor"]["high"]}
        return {key: round(value, 4) for key, value in values.items()}

    curve = [
        {"seconds": round(one["tokens"] / rate), **{figure: point(one[figure]) for figure in FIGURES}}
        for one in found["evaluations"]
    ]
    passed = {
        figure: None if since is None else round(since["tokens"] / rate) for figure, since in found["passed"].items()
    }
    return {
        "name": name, "changes": CANDIDATES[name].changes, "seed": seed, "tokens_per_second": round(rate),
        "seconds_until_passed": passed, "nats": found["held_out"]["joint_nats"],
        "tower_nats": found["held_out"]["tower_nats"], "curve": curve,
    }  # fmt: skip


def show(rows: list[dict[str, Any]]) -> None:
    """The table, in Markdown."""
    heads = ["setting", "seed", "tokens/s", "reliability from", "separation from", "reliability (floor) at the end",
             "separation (floor) at the end", "nats: joint (towers)"]  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        since = [
            "–" if row["seconds_until_passed"][one] is None else f"{row['seconds_until_passed'][one]:.0f} s"
            for one in FIGURES
        ]
        last = [row["curve"][-1][one] for one in FIGURES]
        ends = [
            f"{one['estimate']:.2f} [{one['low']:.2f}, {one['high']:.2f}] ({one['noise_floor_high']:.2f})"
            for one in last
        ]
        nats = f"{row['nats']:.2f} ({' '.join(f'{one:.2f}' for one in row['tower_nats'])})"
        cells = [row["name"], str(row["seed"]), f"{row['tokens_per_second']:,}", *since, *ends, nats]
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", default="sotu")
    parser.add_argument("--section-words", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="show what is there, train nothing")
    words = parser.parse_args()
    words.out.mkdir(parents=True, exist_ok=True)
    corpus = ["--corpus", words.corpus, "--prepare.section-words", str(words.section_words)]
    prepare(words.only, words.out, corpus)
    known = rates(words.only, words.out)
    jobs = [(name, seed) for seed in words.seeds for name in words.only]
    if not words.table:
        with ThreadPoolExecutor(words.workers) as pool:
            budgets = {name: int(known[name] * 60 * words.minutes) for name in words.only}
            list(pool.map(lambda job: train(*job, budgets[job[0]], words.out, corpus), jobs))
    done = [job for job in jobs if (folder(*job, words.out) / "training.json").is_file()]
    rows = [summary(*job, known[job[0]], measured(*job, words.out)) for job in done]
    (words.out / "emergence.json").write_text(json.dumps(rows, indent=1) + "\n")
    show(rows)


if __name__ == "__main__":
    main()
