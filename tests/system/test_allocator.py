"""Freed memory stays with the process while towers run, and goes back afterwards."""

import platform
import subprocess
import sys

import pytest
import torch

from twotower.system.allocator import freed_memory_kept

MEGABYTES = 64
ALONE = f"""
from pathlib import Path
import torch
from twotower.system.allocator import freed_memory_kept

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def use_and_free():
    for _ in range(3):
        torch.ones({MEGABYTES} << 18)

use_and_free()
before = resident()
with freed_memory_kept():
    use_and_free()
    assert resident() > before + 0.9 * {MEGABYTES}
assert resident() < before + 0.2 * {MEGABYTES}
use_and_free()
assert resident() < before + 0.2 * {MEGABYTES}
"""
"""In a process of its own: what other tests have left of a process's memory says nothing of this."""


def use_and_free() -> None:
    for _ in range(3):
        torch.ones(MEGABYTES << 18)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told anything")
def test_freed_memory_is_kept_inside_and_given_back_outside():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with freed_memory_kept():
        use_and_free()


def test_an_error_inside_is_passed_on():
    with pytest.raises(ValueError, match="inside"), freed_memory_kept():
        raise ValueError("inside")
