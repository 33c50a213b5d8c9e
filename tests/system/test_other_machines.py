"""A device that is too small or busy, and systems on which nothing has been checked, are told in one line."""

import subprocess
import sys

import pytest
import torch

from twotower.cli.exit_codes import exit_code_of
from twotower.scoring.loading import resolved_device
from twotower.system.errors import InputError


@pytest.mark.parametrize(("error", "remedy"), [
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has …"), "--train.micro-batch 16"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "fewer windows"),
    (MemoryError("Unable to allocate 9.00 TiB for an array"), "memory ran out (Unable to allocate 9.00 TiB"),
    (RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable\n…"), "CUDA_VISIBLE_DEVICES"),
], ids=["a GPU that is too small", "memory that is too small", "an array that is too large", "a busy GPU"])  # fmt: skip
def test_a_device_that_cannot_be_had_is_one_line_with_a_remedy(error, remedy, capsys):
    def command():
        raise error

    assert exit_code_of(command) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1 and remedy in complaint


def test_other_errors_of_pytorch_keep_their_traceback():
    def command():
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="multiplied"):
        exit_code_of(command)


def test_windows_is_refused_in_one_line():
    code = "import sys; sys.platform = 'win32'; import twotower"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: twotower runs on Linux and macOS; on Windows use the Windows Subsystem for Linux (WSL)"
    )


@pytest.mark.parametrize("device", ["mps", "mps:0"])
def test_the_gpu_of_a_mac_is_refused(device):
    with pytest.raises(InputError, match=r"diff\.device: mps is not supported.*give cpu"):
        resolved_device(device)
