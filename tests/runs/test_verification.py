"""Damage does not pass: `verify` finds it in every file, and whatever reads a damaged file says so."""

import os
import shutil

import numpy as np
import pytest

import twotower
from twotower import cli
from twotower.config.conversion import as_json
from twotower.runs.records import RecordedOutput, read_records, require_as_written, write_records
from twotower.runs.verification import verify
from twotower.system.errors import InputError

KINDS = ("flip", "truncate", "empty", "remove", "swap")


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def artifacts(run):
    """Every file that a stage wrote, once."""
    return sorted(path for path in run.rglob("*") if path.is_file() and not path.name.startswith("."))


def damage(path, kind, generator, others):
    content = path.read_bytes()
    if kind == "flip":
        place = int(generator.integers(len(content)))
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << int(generator.integers(8))]) + content[place + 1 :]
        )
    elif kind == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "remove":
        path.unlink()
    else:
        path.write_bytes(next(other.read_bytes() for other in others if other.read_bytes() != content))


@pytest.mark.promise("any damage to a run is found: twotower verify")
def test_a_whole_run_and_its_copy_are_whole(finished, copy, capsys):
    for run in (finished, copy):
        whole, faults = verify(run)
        assert faults == [] and whole > 15
    assert cli.main(["verify", str(copy)]) == 0
    assert "artifacts are as they were written" in capsys.readouterr().out


@pytest.mark.promise("any damage to a run is found: twotower verify")
def test_verify_finds_any_damage_to_any_file_and_names_it(finished, tmp_path):
    """Times are set back, so that nothing but the content tells."""
    generator = np.random.default_rng(0)
    names = [path.relative_to(finished) for path in artifacts(finished)]
    # Metrics for TensorBoard are no artifact; configuration, records and provenance need only be readable.
    names = [
        name for name in names if name.parts[0] not in ("tensorboard", "config.yaml", "stages.json", "provenance.json")
    ]
    assert len(names) > 20
    for number, name in enumerate(names):
        kind = KINDS[number % len(KINDS)]
        run = shutil.copytree(finished, tmp_path / f"run{number}", copy_function=os.link)
        path = run / name
        times = path.stat()
        content = path.read_bytes()
        path.unlink()  # the link, not the finished run
        path.write_bytes(content)
        damage(path, kind, generator, artifacts(finished))
        if path.exists():
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        _, faults = verify(run)
        assert len(faults) == 1 and str(path) in faults[0], (kind, name)
        assert "redo it with `twotower" in faults[0]
        shutil.rmtree(run)


@pytest.mark.parametrize("name", ["config.yaml", "stages.json", "provenance.json"])
def test_unreadable_records_are_named(copy, name, capsys):
    (copy / name).write_text("{ not closed")
    assert cli.main(["verify", str(copy)]) == 2
    assert name in capsys.readouterr().err


def test_every_flipped_bit_of_the_records_is_seen(finished, tmp_path):
    content = (finished / "stages.json").read_bytes()
    require_as_written(finished)
    step = max(1, 8 * len(content) // 2000)
    for bit in [*range(0, 8 * len(content), step), *range(8 * len(content) - 720, 8 * len(content))]:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "stages.json").write_bytes(flipped)
        with pytest.raises(InputError, match=r"stages\.json is damaged"):
            require_as_written(tmp_path)


def test_records_of_version_1_0_have_no_digest_and_are_read(copy):
    records = read_records(copy)
    (copy / "stages.json").write_text(as_json(records))
    assert read_records(copy) == records and verify(copy)[1] == []


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("preference.parquet", lambda run: run.preference()),
        ("scores.parquet", lambda run: run.scores()),
        ("results.json", lambda run: run.results()),
        ("model/model.safetensors", lambda run: run.model()),
        ("data/heldout.npy", lambda run: run.scores()),
    ],
)
def test_the_python_api_refuses_what_is_damaged(copy, name, read):
    path = copy / name
    content = path.read_bytes()
    path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    with pytest.raises(InputError, match=rf"{name.split('/')[0]}.* is damaged .* redo it with `twotower"):
        read(twotower.Run.load(copy))


@pytest.mark.parametrize("name", ["preference.parquet", "data/train.npy", "results.json", "model/model.safetensors"])
def test_a_stage_that_is_up_to_date_looks_at_its_inputs_too(copy, name, capsys):
    (copy / name).write_bytes(b"other")
    assert cli.main(["report" if name != "data/train.npy" else "analyze", "--out", str(copy)]) in (0, 2)
    if name != "model/model.safetensors":  # which the report does not read
        assert "is damaged" in capsys.readouterr().err


def test_a_folder_that_is_no_run_and_records_that_point_elsewhere(copy, tmp_path, capsys):
    assert cli.main(["verify", str(tmp_path)]) == 2 and "is not a run folder" in capsys.readouterr().err
    assert cli.main(["verify"]) == 2
    records = read_records(copy)
    records["analyze"].outputs["../../outside"] = RecordedOutput("0")
    write_records(copy, records)
    assert "'../../outside' is outside of the run folder" in verify(copy)[1][0]
