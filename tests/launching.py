"""Commands in several processes, as launchers start them."""

import os
import subprocess
import sys
from pathlib import Path


def launch(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, timeout=550,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def torchrun(processes: int, *words: object) -> subprocess.CompletedProcess[str]:
    return launch("torch.distributed.run", "--standalone", "--nproc-per-node", processes, *words)


def train(run: Path, processes: int, stop_at: int = 0) -> str:
    """Go on to the end, or until the last process is asked to end at its update `stop_at`; returns what was said."""
    script = Path(__file__).parent / "training" / "stopping_process.py"
    done = torchrun(processes, script, run, stop_at)
    assert (done.returncode != 0) == (stop_at != 0), done.stderr[-3000:]
    assert ("checkpoint saved" in done.stderr) == (stop_at != 0), done.stderr[-3000:]
    assert "Error" not in done.stderr.replace("ChildFailedError", ""), done.stderr[-5000:]
    return done.stderr
