"""Time to emergence: what shortens the seconds until reliability and separation pass their nulls for good?

    python benchmarks/emergence.py --out DIR --corpus sotu --seeds 0 1 2              every candidate
    python benchmarks/emergence.py --out DIR --corpus sotu --seeds 3 4 5 --only NAME  some of them

Each candidate is a preset with changed settings, and trains for as many tokens as it manages in five minutes (`--minutes`) with one
thread on this machine: candidates take turns before the first run, when nothing else should be running, and their
updates' median times are kept in `DIR/rates.json`. A figure in seconds is a number of tokens at that rate: runs may
share the machine, and their evaluations (some two seconds each) are not counted. Goes on where it was stopped; prints
a table and writes all figures to `DIR/emergence.json`.
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

WATCH = {"train.readout_learning_rate": 2e-2}


@dataclass(frozen=True)
class Candidate:
    """A preset with changed settings."""

    preset: str
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def prepared(self) -> dict[str, Any]:
        return {name: value for name, value in self.changes.items() if name.startswith("prepare.")}


CANDIDATES: dict[str, Candidate] = {
    "gpt": Candidate("quickstart-gpt"),
    "gpt watch 2e-2": Candidate("quickstart-gpt", WATCH),
    "gpt watch 1e-2": Candidate("quickstart-gpt", {"train.readout_learning_rate": 1e-2}),
    "bert": Candidate("quickstart-bert"),
    "bert watch 2e-2": Candidate("quickstart-bert", WATCH),
    "elmo": Candidate("quickstart-elmo"),
    "elmo watch 2e-2": Candidate("quickstart-elmo", WATCH),
    "gpt share 1/4": Candidate("quickstart-gpt", {"train.readout_share": 0.25}),
    "gpt lr 6e-3": Candidate("quickstart-gpt", {"train.learning_rate": 6e-3}),
    "gpt muon": Candidate("quickstart-gpt", {"train.optimizer": "muon"}),
    "gpt init 0.08": Candidate("quickstart-gpt", {"model.initializer_range": 0.08}),
    "gpt vocabulary 4096": Candidate("quickstart-gpt", {"prepare.vocabulary": 4096}),
    "gpt 2 layers of 64": Candidate("quickstart-gpt", {"model.width": 64, "model.layers": 2}),
    "gpt 2 layers": Candidate("quickstart-gpt", {"model.layers": 2}),
    "gpt batch 32 lr 6e-3": Candidate("quickstart-gpt", {"train.batch": 32, "train.learning_rate": 6e-3}),
    "gpt batch 8": Candidate("quickstart-gpt", {"train.batch": 8}),
    "gpt window 32": Candidate("quickstart-gpt", {"train.window": 32, "train.batch": 32}),
    "bert lr 6e-3": Candidate("quickstart-bert", {"train.learning_rate": 6e-3}),
    "bert init 0.08": Candidate("quickstart-bert", {"model.initializer_range": 0.08}),
    "bert masked 0.6": Candidate("quickstart-bert", {"train.masked": 0.6}),
    "elmo lr 6e-3": Candidate("quickstart-elmo", {"train.learning_rate": 6e-3}),
    "elmo 1 layer": Candidate("quickstart-elmo", {"model.layers": 1}),
}


def options(candidate: Candidate) -> list[str]:
    found = []
    for name, value in candidate.changes.items():
        found += [f"--{name.replace('_', '-')}", str(value)]
    return found


def twotower(*words: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "twotower.cli", *words], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        sys.exit(f"twotower {' '.join(words)}\n{done.stderr[-3000:]}")


def configured(candidate: Candidate) -> Any:
    from twotower.presets import preset
    from twotower.study import _with

    config = preset(candidate.preset)
    for name, value in candidate.changes.items():
        config = _with(config, name, value)
    return config


def measure_rates(names: list[str], out: Path, corpus: list[str]) -> dict[str, float]:
    """Tokens per second of each candidate's updates, one thread, taking turns; kept."""
    import torch
    from speed.measure import alternate
    from speed.training import joint_work, setting

    path = out / "rates.json"
    rates: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    missing = [name for name in names if name not in rates]
    if missing:
        torch.set_num_threads(1)
        works, tokens = {}, {}
        for name in missing:
            base = prepared(CANDIDATES[name], out, corpus)
            config = configured(CANDIDATES[name])
            works[name] = joint_work(config, base)
            tokens[name] = setting(config, base)[2].tokens
        for name, times in alternate(works, 40).items():
            rates[name] = tokens[name] / median(times)
        path.write_text(json.dumps(rates, indent=1) + "\n")
    return rates


def prepared(candidate: Candidate, out: Path, corpus: list[str]) -> Path:
    """A run folder with nothing but the text in it."""
    words = [word for name, value in candidate.prepared.items() for word in (f"--{name}", str(value))]
    base = out / "_".join(["text", *words]).replace("--", "").replace(" ", "")
    twotower("prepare", "--corpus", *corpus, *words, "--out", str(base))
    return base


def train(name: str, seed: int, tokens: int, out: Path, corpus: list[str]) -> None:
    folder = out / f"{name.replace(' ', '-').replace('/', '-')}-seed{seed}"
    candidate = CANDIDATES[name]
    if not (folder / "training.json").is_file():
        if not folder.is_dir():
            shutil.copytree(prepared(candidate, out, corpus), folder)
        words = ["--preset", candidate.preset, "--corpus", *corpus, *options(candidate)]
        twotower("train", *words, "--seed", str(seed), "--threads", "1", "--tokens", str(tokens), "--out", str(folder))
    print(f"{name}, seed {seed}: trained", file=sys.stderr, flush=True)


def figures(name: str, seed: int, rate: float, out: Path) -> dict[str, Any]:
    import pandas as pd

    from twotower.data.heldout import PreparedText
    from twotower.preference.emergence import emergence

    folder = out / f"{name.replace(' ', '-').replace('/', '-')}-seed{seed}"
    kept = folder / "emergence.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    text = PreparedText(folder)
    config = configured(CANDIDATES[name])
    table = pd.read_parquet(folder / "emergence.parquet")
    seconds = {str(tokens): tokens / rate for tokens in table["tokens"].unique()}
    found = emergence(table, 2, text.frequencies, text.classes, config.analyze, seconds, seed)
    training = json.loads((folder / "training.json").read_text())
    found = {"name": name, "seed": seed, "rate": rate, "held_out": training["while_training"], **found}
    kept.write_text(json.dumps(found) + "\n")
    return found


def show(found: list[dict[str, Any]]) -> None:
    def since(one: dict[str, Any], name: str) -> str:
        passed = one["passed"][name]
        return "–" if passed is None else f"{passed['seconds']:.0f} s"

    print(
        "| setting | seed | tok/s | reliability from | separation from | evaluations passed | at the end: reliability (floor) | separation (floor) | nats |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for one in found:
        last = one["evaluations"][-1]
        cells = []
        for name in ("reliability", "separation"):
            value, floor = last[name], last[name]["noise_floor"]
            cells.append(
                f"{next(iter(value.values())):.2f} [{value['low']:.2f}, {value['high']:.2f}] ({floor['high']:.2f})"
            )
        nats = one["held_out"]
        passed = "/".join(
            str(sum(e[k]["low"] > e[k]["noise_floor"]["high"] for e in one["evaluations"]))
            for k in ("reliability", "separation")
        )
        print(
            f"| {one['name']} | {one['seed']} | {one['rate']:,.0f} | {since(one, 'reliability')} | {since(one, 'separation')} "
            f"| {passed} | {cells[0]} | {cells[1]} | {nats['joint_nats']:.2f} "
            f"({' '.join(f'{t:.2f}' for t in nats['tower_nats'])}) |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", nargs="+", default=["sotu"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rates", action="store_true", help="measure the rates only")
    parser.add_argument("--table", action="store_true", help="show what is there")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    rates = measure_rates(arguments.only, out, arguments.corpus)
    if arguments.rates:
        print(json.dumps(rates, indent=1))
        return
    jobs = [(name, seed) for seed in arguments.seeds for name in arguments.only]
    if not arguments.table:
        with ThreadPoolExecutor(arguments.workers) as pool:
            for _ in pool.map(
                lambda job: train(*job, int(rates[job[0]] * 60 * arguments.minutes), out, arguments.corpus), jobs
            ):
                pass
    found = [
        figures(name, seed, rates[name], out)
        for name, seed in jobs
        if (out / f"{name.replace(' ', '-').replace('/', '-')}-seed{seed}" / "training.json").is_file()
    ]
    (out / "emergence.json").write_text(json.dumps(found, indent=1) + "\n")
    show(found)


if __name__ == "__main__":
    main()
