"""What it takes to compare many runs: `python benchmarks/many_runs.py --runs 25 50 100 200 FOLDER [FOLDER ...]`.

The folders are finished runs of one text. Variants of them are planted, half of them strangers: each is a run folder of
its own (what does not change is hard-linked) in which every type has been given another preference, in its scores and
in those of its evaluations. `twotower compare` then compares so many of them in a process of its own; its time, its
time on the processor and its peak memory are printed. With `--keep PLACE` the variants stay, to profile on.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from speed.resident import peak_bytes

from twotower import cli
from twotower.runs.records import fingerprint, read_records, recorded_output, write_records

SHIFT = 0.3
"""Standard deviation of what is added to a type's preference, in nats."""
LEFT_OUT = {"figures", "report.html", "tensorboard", "checkpoints"}


def variant(source: Path, target: Path, number: int, stranger: bool) -> None:
    """A run folder like `source`, with another seed, other preferences, and records that hold for it."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_dir() or name.parts[0] in LEFT_OUT:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target / name)
    shifts = np.random.default_rng(number).normal(0, SHIFT * (not stranger), 1 << 16)
    changed = [f"{name}.parquet" for name in ("scores", "emergence")]
    for name in changed:
        replace_table(target / name, shifts)
    config = yaml.safe_load((source / "config.yaml").read_text())
    config["model"]["cooperation"] = 0.0 if stranger else 1.0
    results = json.loads((source / "results.json").read_text()) | {"seed": number}
    rewrite(target / "config.yaml", yaml.safe_dump(config, sort_keys=False))
    rewrite(target / "results.json", json.dumps(results))
    record(target, [*changed, "results.json"], config)


def replace_table(path: Path, shifts: np.ndarray) -> None:
    """Write a table anew with the first tower's main readout shifted by type."""
    table = pq.read_table(path)
    column = table.schema.get_field_index("readout_1")
    moved = table["readout_1"].to_numpy() + shifts[table["piece_id"].to_numpy()]
    table = table.set_column(column, "readout_1", pa.array(moved, table.schema.field(column).type))
    path.unlink()
    pq.write_table(table, path)


def rewrite(path: Path, text: str) -> None:
    path.unlink()  # it is a link to the source's
    path.write_text(text, encoding="utf-8")


def record(run: Path, changed: list[str], config: dict[str, Any]) -> None:
    """Records that hold: new digests wherever the old ones are named, and the settings of the stages."""
    records = read_records(run)
    new = {name: fingerprint(run / name) for name in changed}
    for stage in records.values():
        if "model.cooperation" in stage.settings:
            stage.settings["model.cooperation"] = config["model"]["cooperation"]
        stage.inputs.update({name: new[name].digest for name in changed if name in stage.inputs})
        for name in stage.outputs:
            if (run / name).exists():
                stage.outputs[name] = recorded_output(run / name, new.get(name) or stage.outputs[name])
    write_records(run, records)


def compare(runs: list[Path], out: Path) -> None:
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, __file__, *map(str, runs), "--compare-into", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))
    peak = int(done.stdout.strip().splitlines()[-1])
    print(
        f"{len(runs):>4} runs: {time.perf_counter() - begin:6.1f} s, {processor:6.1f} s of the processor, "
        f"peak {peak / 2**30:.2f} GiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", nargs="+", type=int, default=[25, 50, 100, 200])
    parser.add_argument("--keep", type=Path, help="a folder for the variants, which stay there")
    parser.add_argument("--compare-into", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.compare_into:
        command = ["compare", *map(str, words.sources), "--out", str(words.compare_into), "--quiet"]
        code = cli.main(command)
        print(peak_bytes())
        sys.exit(code)
    with tempfile.TemporaryDirectory() as folder:
        place = words.keep or Path(folder)
        runs = [place / f"run{number:03d}" for number in range(max(words.runs))]
        for number, run in enumerate(runs):
            if not run.exists():
                variant(words.sources[number // 2 % len(words.sources)], run, number, stranger=bool(number % 2))
        for count in words.runs:
            compare(runs[:count], Path(folder) / f"compared-{count}")


if __name__ == "__main__":
    main()
