"""`twotower doctor`: what it says of a machine and of an installation."""

import json
from dataclasses import replace
from importlib import metadata

import pytest

from twotower import cli
from twotower.cli.doctor import describe, faults_of
from twotower.config.presets import QUESTIONS
from twotower.system.errors import InputError
from twotower.system.installation import installation_faults
from twotower.system.machine import Gpu, MachineFound, disk_speed, look_around

GOOD = MachineFound(
    cores=2, load=0.1, memory=8 << 30, memory_free=6 << 30, disk_free=40 << 30, disk_speed=400e6, gflops=50.0,
    bf16=0.1, second_thread=1.1, gpus=(),
)  # fmt: skip


def test_the_machine_is_measured(tmp_path):
    facts = look_around(tmp_path)
    assert facts.cores >= 1 and 0 < facts.memory_free <= facts.memory and facts.disk_free > 0
    assert facts.disk_speed > 0 and facts.gflops > 0 and facts.bf16 > 0 and list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot be written to"):
        disk_speed(tmp_path / "absent")


def test_each_preset_has_its_time_and_the_exit_code_tells_of_faults(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("twotower.cli.doctor.look_around", lambda _: GOOD)
    monkeypatch.setattr("twotower.cli.doctor.installation_faults", list)
    assert cli.main(["doctor", str(tmp_path), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert {row["preset"] for row in output["presets"]} == set(QUESTIONS) and output["faults"] == []
    monkeypatch.setattr("twotower.cli.doctor.look_around", lambda _: replace(GOOD, disk_free=1))
    assert cli.main(["doctor", str(tmp_path)]) == 1
    assert "- only 0.0 GB of the disk are free" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "fault"),
    [({"memory_free": 1 << 30}, "memory are free"), ({"disk_speed": 1e6}, "the disk writes 1 MB/s")],
)  # fmt: skip
def test_what_is_too_little_is_said_with_what_to_do(changed, fault):
    assert faults_of(GOOD) == []
    (said,) = faults_of(replace(GOOD, **changed))
    assert fault in said


def test_threads_and_gpus_are_described_with_advice():
    assert "leave runs at one thread" in " ".join(describe(GOOD))
    assert "give runs --threads 2" in " ".join(describe(replace(GOOD, second_thread=1.8)))
    assert "a single core" in " ".join(describe(replace(GOOD, second_thread=None)))
    assert "everything takes longer now" in " ".join(describe(replace(GOOD, load=9.0)))
    assert "everything takes longer" not in " ".join(describe(GOOD))
    assert "do without --train.precision bf16" in " ".join(describe(GOOD))
    assert "2.1 times as fast: try --train.precision bf16" in " ".join(describe(replace(GOOD, bf16=2.1)))
    free, busy = Gpu("Big", 80 << 30, 79 << 30, True), Gpu("Big", 80 << 30, 1 << 30, True)
    assert "Big, 80 GB, 79 GB of it free, bf16" in " ".join(describe(replace(GOOD, gpus=(free,))))
    (fault,) = faults_of(replace(GOOD, gpus=(free, busy)))
    assert "GPU 1 is busy: 1.0 GB of its 80 GB are free" in fault


def test_missing_and_wrong_packages_are_named_with_the_command_that_mends_them():
    version = metadata.version("numpy")
    faults = installation_faults([f"numpy=={version}", "numpy<1", "no-such-package-here>=2", "absent; extra == 'dev'"])
    assert len(faults) == 2 and f"numpy is {version}, and <1 is needed" in faults[0]
    assert "no-such-package-here is missing" in faults[1] and "-m pip install 'no-such-package-here>=2'" in faults[1]
