"""Freed memory stays with the process while towers run, and goes back afterwards."""

import ctypes
import platform
import subprocess
import sys

import pytest

from twotower.system.allocator import freed_memory_kept

ALONE = """
from pathlib import Path
import torch
from twotower.system.allocator import freed_memory_kept

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def use_and_free():
    for _ in range(3):
        torch.ones(64 << 18)  # 64 MiB

use_and_free()
before = resident()
with freed_memory_kept():
    use_and_free()
    assert resident() > before + 0.9 * 64
assert resident() < before + 0.2 * 64
use_and_free()
assert resident() < before + 0.2 * 64
"""
"""In a process of its own: what other tests have left of a process's memory says nothing of this."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told anything")
def test_freed_memory_is_kept_inside_and_given_back_outside():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_where_there_is_no_glibc_no_library_is_told_anything(monkeypatch):
    settings = []
    monkeypatch.setattr(ctypes, "CDLL", settings.append)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with freed_memory_kept():
        pass
    assert settings == []


def test_an_error_inside_is_passed_on():
    with pytest.raises(ValueError, match="inside"), freed_memory_kept():
        raise ValueError("inside")
