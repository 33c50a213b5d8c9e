"""`twotower doctor`: what this machine can do, what each preset takes here, and what is wrong."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from .. import __version__
from ..config.presets import QUESTIONS
from ..runs.provenance import processor_name, versions
from ..studies.estimates import rate_here
from ..system.installation import installation_faults
from ..system.machine import MachineFound, look_around
from .options import Command, read
from .output import FAILURE, SUCCESS, Output
from .presets import preset_row, source_of
from .table import aligned

LEAST_MEMORY, LEAST_DISK = 3 << 30, 2 << 30
"""Bytes that a quickstart with its strangers needs, with room to spare."""
SLOWEST_DISK = 20e6
FREE_OF_GPU = 0.5
"""The share of a GPU's memory below which another process is at work on it."""
HELPS = 1.5
"""How much faster two threads must be before a run is given two, instead of two runs one each."""


@dataclass(frozen=True)
class DoctorArguments:
    """What `doctor` takes."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="[FOLDER]")] = Path()
    """Where runs would be written."""
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def doctor(command: Command, words: list[str]) -> int:
    """1 if something is wrong, with a line for each fault."""
    parsed = read(command, words, DoctorArguments())
    machine = look_around(parsed.folder)
    rate = rate_here(parsed.folder / "runs")
    rows = [preset_row(name, rate) for name in QUESTIONS]
    wrong = [*installation_faults(), *faults_of(machine)]
    table = aligned([("preset", "time"), *((row["preset"], row["time"]) for row in rows)])
    lines = [
        *describe(machine), "", *table,
        "time: of one run with one thread of the processor, without statistics, at most",
        f"estimates: {source_of(rate)}", "", *(f"- {fault}" for fault in wrong),
    ]  # fmt: skip
    verdict = f"{len(wrong)} thing{'s' * (len(wrong) > 1)} to look at" if wrong else "nothing is wrong"
    parsed.output.result(
        {"machine": asdict(machine), "versions": versions(), "presets": rows, "faults": wrong},
        f"doctor: {verdict}", "\n".join(lines),
    )  # fmt: skip
    return FAILURE if wrong else SUCCESS


def describe(machine: MachineFound) -> list[str]:
    """What the machine can do, a line each."""
    known = versions()
    gpus = [
        f"{gpu.name}, {_gigabytes(gpu.memory)}, {_gigabytes(gpu.memory_free)} of it free, "
        + ("bf16" if gpu.bf16 else "no bf16")
        for gpu in machine.gpus
    ]
    rows = [
        ("twotower", f"{__version__}, Python {platform.python_version()}, PyTorch {known['torch']}, "
                     f"transformers {known['transformers']}"),
        ("processor", f"{processor_name()}, {machine.cores} core{'s' * (machine.cores > 1)} for this process"),
        ("speed", f"{machine.gflops:.0f} GFLOP/s on one thread; {_threads(machine.second_thread)}"),
        ("bf16", f"products are {machine.bf16:.1f} times as fast: {'try' if machine.bf16 > 1 else 'do without'} "
                 "--train.precision bf16"),
        ("load", _load(machine)),
        ("memory", f"{_gigabytes(machine.memory)}, {_gigabytes(machine.memory_free)} of it free"),
        ("disk", f"{_gigabytes(machine.disk_free)} free; writes {machine.disk_speed / 1e6:,.0f} MB/s"),
        ("GPU", "; ".join(gpus) or "none that PyTorch can use"),
    ]  # fmt: skip
    return aligned(rows)


def faults_of(machine: MachineFound) -> list[str]:
    """What is too little, and what to do about it."""
    faults = []
    if machine.memory_free < LEAST_MEMORY:
        faults.append(
            f"only {_gigabytes(machine.memory_free)} of memory are free; a quickstart and its strangers need "
            f"{_gigabytes(LEAST_MEMORY)}: close other programs, or add --no-strangers"
        )
    if machine.disk_free < LEAST_DISK:
        faults.append(f"only {_gigabytes(machine.disk_free)} of the disk are free; make room, or choose another --out")
    if machine.disk_speed < SLOWEST_DISK:
        faults.append(
            f"the disk writes {machine.disk_speed / 1e6:.0f} MB/s, which slows checkpoints; choose a local one"
        )
    for number, gpu in enumerate(machine.gpus):
        if gpu.memory_free < FREE_OF_GPU * gpu.memory:
            faults.append(
                f"GPU {number} is busy: {_gigabytes(gpu.memory_free)} of its {_gigabytes(gpu.memory)} are free; wait, "
                "or choose another one: CUDA_VISIBLE_DEVICES=1"
            )
    return faults


def _load(machine: MachineFound) -> str:
    if machine.load is None:
        return "unknown"
    busy = machine.load > machine.cores + 1
    load = f"{machine.load:.1f} processes at work in the last minute"
    return f"{load}: everything takes longer now than is said here" if busy else load


def _threads(second: float | None) -> str:
    if second is None:
        return "a single core, so pairs and strangers are made one after the other"
    advice = "give runs --threads 2" if second >= HELPS else "leave runs at one thread, and make two at a time"
    return f"a second thread makes it {second:.1f} times as fast: {advice}"


def _gigabytes(size: float) -> str:
    return f"{size / 2**30:,.1f} GB" if size < 10 * 2**30 else f"{size / 2**30:,.0f} GB"
