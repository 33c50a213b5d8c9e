"""As SQLite is tested: the n-th operation on the disk fails, or the process dies at it, for every n; then run again.

`make test-rest` tries one n of each kind for each stage, drawn with a seed, `make test-exhaustive` every n. Of many
writes in a row into one file, of which the figures of a report have thousands, the first and the last stand for all.
"""

import errno
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import twotower
from faults import Faults, failing, in_a_child
from small_runs import configure
from twotower import cli
from twotower.config.schema import RunConfig
from twotower.runs.records import load_config, read_records
from twotower.runs.sharing import adopt
from twotower.runs.stages import MAIN, STAGES
from twotower.runs.verification import verify

SEED = 14
HARMS = {"full": errno.ENOSPC, "broken": errno.EIO, "killed": "kill"}


@pytest.fixture(scope="module")
def tiny(small) -> RunConfig:
    """A run of few operations: six updates, a checkpoint after each."""
    update = 16 * 8
    return replace(
        small,
        prepare=replace(small.prepare, heldout_words=80),
        train=replace(
            small.train, tokens=6 * update, batch=8, evaluations=2, evaluation_tokens=300, checkpoint_seconds=1e-9
        ),
        readout=replace(small.readout, tokens=3 * update, batch=8, replicates=2),
        analyze=replace(small.analyze, splits=2),
    )


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory) -> dict[str, Path]:
    """A whole run, and by each stage's name the run as it was before that stage."""
    folder = tmp_path_factory.mktemp("undisturbed")
    before, run = {}, folder / "run"
    for stage in MAIN:
        before[stage] = folder / f"before-{stage}"
        if run.exists():
            shutil.copytree(run, before[stage])
        twotower.run(tiny, run, stages=(stage,))
    return before | {"whole": run}


def digests(run: Path) -> dict[str, str]:
    """Of all outputs but `training.json`, which holds times."""
    return {
        name: known.digest for record in read_records(run).values() for name, known in record.outputs.items()
        if name != "training.json"
    }  # fmt: skip


def files(run: Path) -> set[str]:
    return {str(path.relative_to(run)) for path in run.rglob("*") if path.relative_to(run).parts[0] != "tensorboard"}


def attempt(undisturbed, config, stage, place, capsys, at=0, harm=errno.ENOSPC):
    """Run a stage in which operation `at` fails; check what is left; run it again. Returns what was done at all."""
    run = place / "run"
    shutil.rmtree(run, ignore_errors=True)
    if undisturbed[stage].exists():
        shutil.copytree(undisturbed[stage], run)
    configure(run, config)
    faults = Faults(run, at, harm)

    def command() -> int:
        with failing(faults):
            return cli.main([stage, "--out", str(run)])

    where = f"{stage}, operation {at}, {harm}"
    capsys.readouterr()
    if harm == "kill":
        assert in_a_child(command) == 9, where
    else:
        code = command()
        lines = capsys.readouterr().err.strip().splitlines()
        where += f" ({faults.operations[at - 1]})"
        assert code in (0, 1), where  # 0: what failed was not needed
        assert code == 0 or lines[-1].startswith("twotower: "), where
        assert code == 0 or str(run) in lines[-1], where
    if read_records(run):
        assert verify(run)[1] == [], where
    else:
        load_config(run)
    assert cli.main([stage, "--out", str(run)]) == 0, f"{where}: {capsys.readouterr().err}"
    names = [name for name in digests(run) if name in STAGES[stage].outputs]
    assert {name: digests(run)[name] for name in names} == {name: digests(undisturbed["whole"])[name] for name in names}
    assert verify(run)[1] == [], where
    return faults.operations


def count(undisturbed, config, stage, place) -> list[str]:
    run = place / "counted"
    if undisturbed[stage].exists():
        shutil.copytree(undisturbed[stage], run)
    configure(run, config)
    with failing(Faults(run)) as faults:
        assert cli.main([stage, "--out", str(run)]) == 0
    undisturbed[f"files {stage}"] = files(run)
    return faults.operations


def boundaries(operations: list[str]) -> list[int]:
    """The numbers of the operations between a stage's work and its record: its files moved into place, the record."""
    return [number for number, what in enumerate(operations, 1)
            if what.startswith("rename to") and "checkpoints" not in what]  # fmt: skip


def every(operations: list[str]) -> list[int]:
    """The number of each operation, but for those in the middle of a row of the same."""
    rows = zip(["", *operations], operations, [*operations[1:], ""], strict=False)
    return [number for number, (before, what, after) in enumerate(rows, 1) if not before == what == after]


def attempts(undisturbed, config, stage, place, capsys, numbers, harm) -> int:
    """How many operations failed in turn, of those that `numbers` chooses among all, with the stage done afterwards."""
    chosen = numbers(count(undisturbed, config, stage, place))
    for at in chosen:
        attempt(undisturbed, config, stage, place, capsys, at, HARMS[harm])
        assert files(place / "run") == undisturbed[f"files {stage}"], f"{stage}, operation {at}, {harm}: left over"
    return len(chosen)


QUICK = [pytest.param(stage, marks=pytest.mark.slow) if stage == "report" else stage for stage in MAIN]
"""The report is drawn anew after each fault, which takes a minute in all."""


def one_of_each(operations: list[str], chance: random.Random) -> list[int]:
    """The number of one operation of each kind (a write, a rename, …), not in the middle of a row of the same."""
    kinds: dict[str, list[int]] = {}
    for number in every(operations):
        kinds.setdefault(operations[number - 1].split()[0], []).append(number)
    return sorted(chance.choice(numbers) for numbers in kinds.values())


@pytest.mark.parametrize("stage", QUICK)
def test_some_operation_fails(undisturbed, tiny, tmp_path, capsys, stage):
    chance = random.Random(f"{SEED} {stage}")

    def numbers(operations):
        return one_of_each(operations, chance)

    harm = chance.choice(["full", "broken"])
    assert attempts(undisturbed, tiny, stage, tmp_path, capsys, numbers, harm) >= 4  # open, write, fsync, rename


@pytest.mark.parametrize("stage", QUICK)
def test_the_process_dies_between_the_moves_of_a_stages_files(undisturbed, tiny, tmp_path, capsys, stage):
    chance = random.Random(f"{SEED} {stage}")

    def numbers(operations):
        return [chance.choice(boundaries(operations))]

    assert attempts(undisturbed, tiny, stage, tmp_path, capsys, numbers, "killed") == 1


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("stage", MAIN)
def test_every_operation_fails(undisturbed, tiny, tmp_path, capsys, stage, harm):
    assert attempts(undisturbed, tiny, stage, tmp_path, capsys, every, harm) > 1


@pytest.mark.parametrize(
    "harm", ["killed", *(pytest.param(harm, marks=pytest.mark.slow) for harm in ("full", "broken"))]
)
def test_a_stage_that_is_redone_is_old_or_new_whatever_fails(undisturbed, tiny, tmp_path, harm):
    """At each of the moves that put new files in the place of old ones."""
    changed = replace(tiny, readout=replace(tiny.readout, learning_rate=1e-3))
    base = shutil.copytree(undisturbed["whole"], tmp_path / "base")
    twotower.run(changed, base, stages=("readout",), overwrite=True)
    counted = shutil.copytree(base, tmp_path / "counted")
    with failing(Faults(counted)) as faults:
        assert cli.main(["score", "--out", str(counted)]) == 0
    wanted = {name: digests(counted)[name] for name in STAGES["score"].outputs}
    for at in boundaries(faults.operations):
        run = shutil.copytree(base, tmp_path / f"run-{at}")

        def command(run=run, at=at):
            with failing(Faults(run, at, HARMS[harm])):
                return cli.main(["score", "--out", str(run)])

        assert (in_a_child(command) if harm == "killed" else command()) != 0
        assert cli.main(["score", "--out", str(run)]) == 0, f"{at}: {faults.operations[at - 1]}"
        assert {name: digests(run)[name] for name in STAGES["score"].outputs} == wanted
        assert verify(run)[1] == [] and files(run) == files(counted)


@pytest.mark.parametrize("harm", HARMS)
def test_prepared_text_is_shared_whole_or_not_at_all(undisturbed, tmp_path, harm):
    source = undisturbed["train"]
    with failing(Faults(tmp_path / "counted")) as faults:
        adopt(tmp_path / "counted", source, "prepare")
    for at in range(1, len(faults.operations) + 1):
        run = tmp_path / str(at)

        def command(run=run, at=at):
            with failing(Faults(run, at, HARMS[harm])):
                adopt(run, source, "prepare")

        if harm == "killed":
            in_a_child(command)
        else:
            try:
                command()
            except OSError as error:
                assert str(run) in str(error)
        adopt(run, source, "prepare")
        assert read_records(run) == read_records(source) and files(run) == files(tmp_path / "counted")
