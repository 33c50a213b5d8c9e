"""What a GPU makes of twotower, in parts of at most nine minutes each; the same command goes on where it stopped.

    python benchmarks/gpu.py --out gpu                                    # check and speed
    python benchmarks/gpu.py --out gpu --only train --corpus TEXT --train.tokens 1B
    python benchmarks/gpu.py --out gpu --only pack

`check` looks at the device, bfloat16, compiling, the losses and the towers, beside the processor. `speed` has an update
of the paper's shapes take turns with the reference's algorithm, plain PyTorch and Trainer: tokens a second, memory, and
shares of what the device's own products reach. `train` trains pairs and strangers to the end, whatever is given after
the options above going to `twotower run`. `pack` puts what matters, no weights, into at most eight files of 15 MB.
Exit codes: 0 done, 1 something failed, 130 time was up: say the same again.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from speed.text import synthetic

from twotower.config.presets import preset
from twotower.config.schema import RunConfig
from twotower.config.settings import to_dict

HERE = Path(__file__).parent
DONE, FAILED, TO_BE_CONTINUED = 0, 1, 130
SPEED_PRESETS = ("paper-bert-base", "paper-gpt-base", "paper-bert-large", "paper-gpt-large")
TRAINED_PRESETS = ("paper-gpt-base", "paper-bert-base")
CONTESTANTS = {
    "twotower": ("twotower joint", {}), "twotower, compiled": ("twotower joint", {"compile": True}),
    "reference's algorithm": ("reference joint", {}),
    "reference's algorithm, with readouts": ("reference watched", {}), "plain PyTorch": ("lean joint", {}),
    "plain PyTorch, with readouts": ("lean watched", {}), "two models under Trainer": ("trainer joint", {}),
}  # fmt: skip
BATCH = 128
"""Windows of an update: those that the paper's protocol passes through the towers at a time."""
GRACE = 90.0
"""Seconds that a run gets to save its checkpoint."""
PACKED, PACK_BYTES = 8, 15_000_000
WANTED = (
    "results.json", "training.json", "readout.json", "config.yaml", "provenance.json", "stages.json", "metrics.jsonl",
    "preference.parquet", "direction.parquet", "context.parquet", "emergence.parquet", "report.html",
)  # fmt: skip
"""Files of a run that are packed, the most important ones first."""


class Part:
    """What a part has found so far, in a file of its own, and how much time it has left."""

    def __init__(self, path: Path, minutes: float) -> None:
        self.path, self.end = path, time.monotonic() + 60 * minutes
        self.found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def keep(self, name: str, value: Any) -> None:
        """Write down one more finding."""
        self.found[name] = value
        self.path.write_text(json.dumps(self.found, indent=1) + "\n")
        print(f"{self.path.stem}: {name}: {json.dumps(value)}", flush=True)


def shape(name: str, toy: bool) -> RunConfig:
    """A preset with an update of one pass in bfloat16, without dropout; `toy` for towers of the smallest size."""
    config = preset(name)
    train = replace(config.train, batch=4 if toy else BATCH, micro_batch=0, windows="contiguous", precision="bf16")
    model = replace(config.model, dropout=0.0)
    if toy:
        model = replace(model, layers=1, width=16, heads=2, embedding=32)
        train = replace(train, window=16)
    return replace(config, model=model, train=train)


def asked(words: Sequence[str], config: RunConfig, run: Path, seconds: float, device: str) -> dict[str, Any]:
    """What `speed.on_device` answers in a process of its own; `failed` is the last line of one that died."""
    command = [sys.executable, "-m", "speed.on_device", *words, json.dumps(to_dict(config)), str(run)]
    environment = {"CUDA_VISIBLE_DEVICES": "0"} | os.environ | {"TWOTOWER_BENCH_DEVICE": device}
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, env=environment, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"failed": f"took more than {seconds:.0f} seconds"}
    if done.returncode:
        return {"failed": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1][:300]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def check(options: argparse.Namespace, part: Part) -> int:
    """Look at the device."""
    if not part.found:
        config = shape("paper-gpt-base", options.toy)
        small = replace(config, train=replace(config.train, batch=4))
        for name, value in asked(["checks"], small, text(options), part.left, options.device).items():
            part.keep(name, value)
    return FAILED if any("failed" in str(value) for value in part.found.values()) else DONE


def speed(options: argparse.Namespace, part: Part) -> int:
    """Measure each contestant at each shape, as long as there is time."""
    for name in options.presets or SPEED_PRESETS:
        config = shape(name, options.toy)
        for contestant, (work, changed) in {"products": ("peak", {}), **CONTESTANTS}.items():
            key = f"{name}: {contestant}"
            if key in part.found or (changed and options.device == "cpu"):
                continue
            if part.left < 60 * (options.minutes >= 2):
                return TO_BE_CONTINUED
            given = replace(config, train=replace(config.train, **changed))
            answer = asked([work], given, text(options), part.left, options.device)
            if "tokens_per_second" in answer and "operations" in (products := part.found[f"{name}: products"]):
                reached = products["operations"] / answer["seconds"]
                answer["share_of_dense_peak"] = reached / products["dense_flops_per_second"]
                answer["share_of_products"] = products["products_seconds"] / answer["seconds"]
            part.keep(key, answer)
    return DONE


def train(options: argparse.Namespace, part: Part) -> int:
    """Train pairs and strangers until time is up; a run that is stopped saves a checkpoint."""
    for name in options.presets or TRAINED_PRESETS:
        known = part.found.get(name, {"seconds": 0.0, "calls": 0, "done": False})
        if known["done"]:
            continue
        if part.left <= 0:
            return TO_BE_CONTINUED
        command = [
            sys.executable, "-m", "twotower", "run", "--preset", name, "--strangers", "--quiet",
            "--out", str(options.out / "runs" / name), *(["--corpus", options.corpus] if options.corpus else []),
            *([] if options.toy else ["--train.precision", "bf16"]), *options.rest,
        ]  # fmt: skip
        begin = time.monotonic()
        with subprocess.Popen(command) as run:
            code = ended(run, part.left)
        seconds = known["seconds"] + time.monotonic() - begin
        part.keep(name, {"seconds": seconds, "calls": known["calls"] + 1, "done": code == DONE})
        if code != DONE:
            return TO_BE_CONTINUED if code in (TO_BE_CONTINUED, -signal.SIGINT, -signal.SIGKILL) else FAILED
    return DONE


def ended(run: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code of a run that is asked to stop, and at last made to, when its time is up."""
    for patience, stop in ((seconds, lambda: run.send_signal(signal.SIGINT)), (GRACE, run.kill)):
        try:
            return run.wait(max(0.0, patience))
        except subprocess.TimeoutExpired:
            stop()
    return run.wait()


def pack(options: argparse.Namespace, part: Part) -> int:
    """Fill the files in order of importance; what does not fit is named, and nothing is cut."""
    runs = sorted((options.out / "runs").glob("*")) if (options.out / "runs").is_dir() else []
    folders = [folder for run in runs for folder in (run, run / "strangers")]
    files = sorted(path for path in options.out.glob("*.json") if path != part.path)
    files += [folder / name for name in WANTED for folder in folders if (folder / name).is_file()]
    packs: list[list[tuple[Path, bytes]]] = []
    left_out = []
    for path in files:
        alone = zipped([(path, path.read_bytes())])
        room = next(
            (members for members in packs if sum(len(size) for _, size in members) + len(alone) <= PACK_BYTES), None
        )
        if len(alone) > PACK_BYTES or (room is None and len(packs) == PACKED):
            left_out.append(str(path.relative_to(options.out)))
            continue
        if room is None:
            packs.append(room := [])
        room.append((path, alone))
    (options.out / "packed").mkdir(exist_ok=True)
    for number, members in enumerate(packs, start=1):
        data = zipped([(path.relative_to(options.out), path.read_bytes()) for path, _ in members])
        (options.out / "packed" / f"{number}.zip").write_bytes(data)
    part.keep("files", len(packs))
    part.keep("left out", left_out)
    return DONE


def zipped(files: Sequence[tuple[Path, bytes]]) -> bytes:
    """A zip file."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            archive.writestr(str(path), data)
    return into.getvalue()


def text(options: argparse.Namespace) -> Path:
    """Random tokens, made once."""
    folder = options.out.resolve() / "text"
    if not (folder / "data" / "corpus.json").is_file():
        synthetic(folder, 512 if options.toy else 30_522, 20_000 if options.toy else 1_000_000, 2_000)
    return folder


PARTS: dict[str, Callable[[argparse.Namespace, Part], int]] = {
    "check": check, "speed": speed, "train": train, "pack": pack,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the parts that are asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder that takes what is found")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=["check", "speed"])
    parser.add_argument("--presets", nargs="+", help="instead of the paper's")
    parser.add_argument("--corpus", help="the text to train on")
    parser.add_argument("--minutes", type=float, default=9.0, help="time of each part")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "")
    parser.add_argument("--toy", action="store_true", help="the smallest sizes, to try this out on a processor")
    options, options.rest = parser.parse_known_args(arguments)
    if not options.device and not options.toy:
        parser.error("PyTorch finds no GPU here; give --toy to try this out, or --device cpu to measure a processor")
    options.device = options.device or "cpu"
    options.out.mkdir(parents=True, exist_ok=True)
    codes = [PARTS[name](options, Part(options.out / f"{name}.json", options.minutes)) for name in options.only]
    code = FAILED if FAILED in codes else max(codes)
    if code == TO_BE_CONTINUED:
        print("time is up: the same command goes on from here", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
