"""The experiment behind the preset `quickstart`: which settings show the preference best in ten minutes?

    python benchmarks/quickstart.py explore     candidates, trained to the same number of tokens, seeds 0 and 1
    python benchmarks/quickstart.py confirm     `standard`, all stages, seeds 0-1 (used to choose) and 2-5 (not)

Both go on where they were stopped, run one process per job with one thread each, and print a table that is also
written to `OUT/MODE.json`. Candidates are judged by readouts that train along; the preset by the whole pipeline.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

BASE = {
    "tokens": 3_500_000, "train.window": 64, "train.batch": 16, "train.learning-rate": 3e-3, "model.layers": 4,
    "model.width": 32, "model.embedding": 0, "train.readout-share": 0.25, "train.evaluations": 5,
    "train.evaluation-tokens": 60_000,
}  # fmt: skip
CANDIDATES: dict[str, dict[str, Any]] = {
    "4 layers of 32, embedding 64": {"model.embedding": 64},
    "4 layers of 32": {},
    "4 layers of 32, window 128": {"train.window": 128, "train.batch": 8},
    "6 layers of 32": {"model.layers": 6},
    "8 layers of 32": {"model.layers": 8},
    "6 layers of 16, learning rate 5e-3": {"model.layers": 6, "model.width": 16, "train.learning-rate": 5e-3},
    "2 layers of 32": {"model.layers": 2},
    "2 layers of 64": {"model.layers": 2, "model.width": 64},
    "4 layers of 64": {"model.width": 64},
    "6 layers of 64": {"model.layers": 6, "model.width": 64},
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One run: its name, its seed and the command's options."""

    name: str
    seed: int
    commands: tuple[str, ...]
    options: dict[str, Any]

    def folder(self, out: Path) -> Path:
        """Where the run goes."""
        return out / f"{self.name.replace(' ', '-').replace(',', '')}-seed{self.seed}"


def explore() -> list[Job]:
    return [
        Job(name, seed, ("prepare", "train"), BASE | changes) for seed in (0, 1) for name, changes in CANDIDATES.items()
    ]


def confirm() -> list[Job]:
    return [Job("standard", seed, ("run",), {}) for seed in range(6)]


def run(job: Job, out: Path) -> dict[str, Any]:
    """Run a job unless it is done, and return its row of the table."""
    folder = job.folder(out)
    folder.parent.mkdir(parents=True, exist_ok=True)
    options = [word for name, value in job.options.items() for word in (f"--{name}", str(value))]
    with (folder.parent / f"{folder.name}.log").open("a") as log:
        for command in job.commands:
            preset = "standard" if command == "run" else "quickstart"
            words = [command, "--preset", preset, "--out", str(folder), "--seed", str(job.seed), "--threads", "1"]
            subprocess.run(
                [sys.executable, "-m", "twotower.cli", *words, *options], check=True, stdout=log, stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
    return explored(job, folder) if job.commands != ("run",) else confirmed(job, folder)


def explored(job: Job, folder: Path) -> dict[str, Any]:
    training = json.loads((folder / "training.json").read_text())
    seen = training["while_training"]
    return {
        "settings": job.name, "seed": job.seed, "tokens": training["tokens"], "seconds": round(training["seconds"]),
        "auroc": round(max(seen["auroc"][0], 1 - seen["auroc"][0]), 3), "sd": round(seen["spread"], 3),
        "nats joint": round(seen["joint_nats"], 3), "nats towers": [round(value, 3) for value in seen["tower_nats"]],
    }  # fmt: skip


def confirmed(job: Job, folder: Path) -> dict[str, Any]:
    results = json.loads((folder / "results.json").read_text())
    stages = json.loads((folder / "stages.json").read_text())

    def interval(values: dict[str, float], key: str = "estimate") -> str:
        return f"{values[key]:.3f} [{values['low']:.3f}, {values['high']:.3f}]"

    separation, reliability = results["separation"], results["reliability"]
    perplexity = results["training"]["heldout_perplexity"]
    return {
        "seed": job.seed, "auroc": interval(separation, "auroc"), "p": separation["p_value"],
        "auroc, noise": interval(separation["noise_floor"], "auroc"), "reliability": interval(reliability),
        "reliability, noise": interval(reliability["noise_floor"]), "sd": round(results["preference"]["sd"], 2),
        "perplexity": " / ".join(f"{value:.0f}" for value in (perplexity["joint"], *perplexity["towers"])),
        "seconds": round(sum(stage["seconds"] for stage in stages.values())),
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row[name]) for name in names] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", nargs="?", default="confirm", choices=("explore", "confirm"))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="where the runs go")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    arguments = parser.parse_args()
    jobs = explore() if arguments.mode == "explore" else confirm()
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(lambda job: run(job, arguments.out / arguments.mode), jobs):
            rows.append(row)
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
            (arguments.out / f"{arguments.mode}.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
