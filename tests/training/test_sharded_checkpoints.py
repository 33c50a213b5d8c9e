"""Checkpoints of which each process has written its part: read by any number of processes, whole or not used."""

import errno
import hashlib
import json
import math
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from faults import Bomb, Faults, failing, in_a_child
from twotower.runs.checkpoint_index import INDEX, is_whole, read_index, shard_name
from twotower.runs.verification import verify
from twotower.system.errors import DiskError, InputError
from twotower.system.processes import Processes
from twotower.training.checkpoint_tensors import Part, Stored, row_edges
from twotower.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint, save_shards
from twotower.training.muon import Muon
from twotower.training.optimization import adamw, adamw_groups


@dataclass(frozen=True)
class Thread(Processes):
    """A thread that stands for one of several processes."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))
    said: dict[int, str] = field(default_factory=dict)

    def gather(self, text):
        self.said[self.rank] = text
        self.barrier.wait(20)
        everyone = [self.said[rank] for rank in range(self.count)]
        self.barrier.wait(20)
        return everyone


def in_threads(count, work):
    """What `work` returns or raises in each of `count` threads that stand for processes."""
    barrier, said = threading.Barrier(count), {}

    def one(rank):
        try:
            return work(Thread(rank, count, barrier, said))
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Model(torch.nn.Module):
    """Sizes that no number of processes divides: 7 and 5 rows, 1 row, and a buffer."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = torch.nn.Linear(3, 7), torch.nn.Linear(7, 5), torch.nn.Linear(5, 1)
        self.register_buffer("scale", torch.rand(2, 2))
        self.register_buffer("seen", torch.tensor(0))

    def forward(self, x):
        self.seen += 1
        return self.third(self.second(self.first(x)))


def fresh(seed=0, muon=True):
    """A model and its optimizers: Muon and AdamW, or AdamW alone."""
    torch.manual_seed(seed)
    module = Model()
    if not muon:
        return module, [adamw(adamw_groups(module.parameters(), 0.1, 0.01), (0.9, 0.98))]
    matrices = [module.first.weight, module.second.weight]
    rest = [parameter for parameter in module.parameters() if all(parameter is not matrix for matrix in matrices)]
    return module, [adamw(adamw_groups(rest, 0.1, 0.01), (0.9, 0.98)), Muon(matrices, 0.1, 0.01)]


def trained(steps, module, optimizers, seed=1):
    torch.manual_seed(seed)
    for _ in range(steps):
        module(torch.randn(4, 3)).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return module, optimizers


def saved_plain(folder, state, steps=3, **options):
    """A plain checkpoint, and its tensors by their names in a sharded one."""
    module, optimizers = trained(steps, *fresh(**options))
    save_checkpoint(folder, module, optimizers, state)
    files = {"model/": folder / "model.safetensors", "optimizer/": folder / "optimizer.safetensors"}
    return {kind + name: value for kind, file in files.items() for name, value in load_file(file).items()}


def cut(tensors, rank, count):
    """What one of `count` processes holds: its rows of each parameter and of its moments, all of what is small."""
    parts = {}
    for name, value in tensors.items():
        if value.dim() and "scale" not in name:
            begin, end = list(pairwise(row_edges(len(value), count)))[rank]
            parts[name] = Part(value[begin:end].clone(), tuple(value.shape), rank, count)
        else:
            parts[name] = Part(value.clone(), tuple(value.shape))
    return parts


def planted(folder, tensors, count, state):
    """A checkpoint as `count` sharded processes write it."""

    def save(processes):
        save_shards(folder, cut(tensors, processes.rank, count), state, processes)

    assert in_threads(count, save) == [None] * count
    return folder


@given(rows=st.integers(1, 40), count=st.integers(1, 12))
def test_rows_are_cut_as_fsdp_cuts_them(rows, count):
    edges = row_edges(rows, count)
    chunks = [len(chunk) for chunk in torch.arange(rows).chunk(count)]
    assert [end - begin for begin, end in pairwise(edges)] == chunks + [0] * (count - len(chunks))


@pytest.mark.parametrize("muon", [False, True])
@pytest.mark.parametrize("count", [2, 3, 9])
def test_one_process_goes_on_from_the_shards_of_several(tmp_path, count, muon):
    tensors = saved_plain(tmp_path / "plain", {"step": 3}, muon=muon)
    planted(tmp_path / "shards", tensors, count, {"step": 3})
    whole, its_optimizers = trained(2, *trained(3, *fresh(muon=muon)), seed=2)
    for kind in ("plain", "shards"):
        module, optimizers = fresh(seed=5, muon=muon)
        assert load_checkpoint(find_checkpoint(tmp_path / kind), module, optimizers) == {"step": 3}
        trained(2, module, optimizers, seed=2)
        for name, value in whole.state_dict().items():
            assert torch.equal(module.state_dict()[name], value), (kind, name)
        for optimizer_read, expected in zip(optimizers, its_optimizers, strict=True):
            states = [list(optimizer.state_dict()["state"].values()) for optimizer in (optimizer_read, expected)]
            for a, b in zip(*states, strict=True):
                assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a), kind


@pytest.mark.parametrize("readers", [1, 2, 3, 5])
@pytest.mark.parametrize("writers", [0, 2, 3, 4])  # 0: a plain checkpoint
def test_each_process_reads_its_rows_whoever_wrote_them(tmp_path, writers, readers):
    tensors = saved_plain(tmp_path / "plain", {})
    folder = planted(tmp_path / "shards", tensors, writers, {}) if writers else tmp_path / "plain"
    for rank in range(readers):
        with Stored(folder) as stored:
            assert stored.names == tensors.keys()
            for name, wanted in cut(tensors, rank, readers).items():
                empty = torch.full_like(wanted.local, 17)
                stored.fill(name, Part(empty, wanted.shape, wanted.rank, wanted.count))
                assert torch.equal(empty, wanted.local), name


def test_a_process_opens_only_the_shards_that_have_its_rows(tmp_path):
    tensors = {"model/weight": torch.arange(24.0).reshape(8, 3)}
    folder = planted(tmp_path / "shards", tensors, 4, {})
    for number in (0, 3):
        (folder / shard_name(number, 4)).unlink()
    with Stored(folder) as stored:
        middle = torch.zeros(2, 3)
        stored.fill("model/weight", Part(middle, (8, 3), 1, 4))
        assert torch.equal(middle, tensors["model/weight"][2:4])
        with pytest.raises(OSError):
            stored.fill("model/weight", Part(torch.zeros(4, 3), (8, 3), 0, 2))


def test_no_shard_holds_more_than_its_rows(tmp_path):
    tensors = saved_plain(tmp_path / "plain", {})
    folder = planted(tmp_path / "shards", tensors, 3, {})
    shards = [load_file(folder / shard_name(number, 3)) for number in range(3)]
    for name, value in tensors.items():
        rows = [shard[name] for shard in shards if name in shard]
        assert sum(row.numel() for row in rows) == value.numel(), name
    assert sorted(path.name for path in folder.iterdir()) == [*(shard_name(number, 3) for number in range(3)), INDEX]


def test_a_plain_checkpoint_has_the_files_that_it_had(tmp_path):
    saved_plain(tmp_path / "plain", {"step": 3, "seconds": 0.5})
    names = ["model.safetensors", "optimizer.safetensors"]
    assert sorted(path.name for path in (tmp_path / "plain").iterdir()) == [*names, "state.json"]
    digests = {name: hashlib.sha256(b"." + (tmp_path / "plain" / name).read_bytes()).hexdigest() for name in names}
    known = json.dumps({"state": {"step": 3, "seconds": 0.5}, "digests": digests}, indent=1)
    assert (tmp_path / "plain" / "state.json").read_text() == known


def flip(path, at=-1):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def swap(folder):
    names = [folder / shard_name(number, 3) for number in range(2)]
    contents = [path.read_bytes() for path in names]
    for path, content in zip(names, reversed(contents), strict=True):
        path.write_bytes(content)


def rewrite(folder, change):
    """Change the index and, as someone who means harm would, its own digest with it."""
    content = json.loads((folder / INDEX).read_text())
    del content["digest"]
    change(content)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (folder / INDEX).write_text(json.dumps(content | {"digest": digest}))


def rename(old, new):
    def change(content):
        content["digests"][new] = content["digests"].pop(old)

    return change


NAME = "model/first.weight"
DAMAGE = {
    "a shard is missing": lambda folder: (folder / shard_name(1, 3)).unlink(),
    "a shard is empty": lambda folder: (folder / shard_name(1, 3)).write_bytes(b""),
    "a shard is cut short": lambda folder: (folder / shard_name(2, 3)).write_bytes(
        (folder / shard_name(2, 3)).read_bytes()[:-9]
    ),
    "a bit of a shard is flipped": lambda folder: flip(folder / shard_name(1, 3)),
    "two shards are swapped": swap,
    "the index is missing": lambda folder: (folder / INDEX).unlink(),
    "the index is cut short": lambda folder: (folder / INDEX).write_text((folder / INDEX).read_text()[:-9]),
    "a figure of the index is another": lambda folder: (folder / INDEX).write_text(
        (folder / INDEX).read_text().replace('"step": 2', '"step": 3')
    ),
    "the index is a list": lambda folder: (folder / INDEX).write_text("[]"),
    "the index is nested deeply": lambda folder: (folder / INDEX).write_text("[" * 100_000),
}
HARM = {
    "a path leaves the folder": rename(shard_name(1, 3), "../outside"),
    "a path is absolute": rename(shard_name(1, 3), "/etc/hostname"),
    "a shard is of another count": rename(shard_name(1, 3), shard_name(1, 4)),
    "a shard is not named": lambda content: content["digests"].pop(shard_name(2, 3)),
    "no shard is named": lambda content: content["digests"].clear(),
    "rows overlap": lambda content: content["tensors"][NAME].update(rows=[0, 5, 3, 7]),
    "rows are missing": lambda content: content["tensors"][NAME].update(rows=[0, 3, 6, 6]),
    "rows begin later": lambda content: content["tensors"][NAME].update(rows=[1, 3, 6, 7]),
    "rows are negative": lambda content: content["tensors"][NAME].update(rows=[0, -3, 6, 7]),
    "rows are too few": lambda content: content["tensors"][NAME].update(rows=[0, 7]),
    "rows are no numbers": lambda content: content["tensors"][NAME].update(rows=["0", None, {}, 7]),
    "rows are of a number": lambda content: content["tensors"][NAME].update(shape=[]),
    "a shape is text": lambda content: content["tensors"][NAME].update(shape="7"),
    "a tensor is a list": lambda content: content["tensors"].update({NAME: []}),
    "there are no tensors": lambda content: content.update(tensors=None),
    "a digest is a number": lambda content: content["digests"].update({shard_name(0, 3): 1}),
    "there is no state": lambda content: content.pop("state"),
}
EVERY = DAMAGE | {what: lambda folder, harm=harm: rewrite(folder, harm) for what, harm in HARM.items()}


@pytest.mark.parametrize("what", EVERY)
def test_a_damaged_sharded_checkpoint_is_passed_over_with_a_word(tmp_path, capsys, what):
    tensors = saved_plain(tmp_path / "plain", {})
    work = tmp_path / "run" / "checkpoints"
    for step in (1, 2):
        planted(work / "latest", tensors, 3, {"step": step})
    (work / "outside").write_bytes((work / "latest" / shard_name(1, 3)).read_bytes())
    (tmp_path / "run" / "config.yaml").write_text("{}")
    assert is_whole(work / "latest") and is_whole(work / "latest.old")
    EVERY[what](work / "latest")
    assert find_checkpoint(work / "latest") == work / "latest.old"
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "latest: the checkpoint is damaged" in error
    checkpoints = in_threads(3, lambda processes: find_checkpoint(work / "latest", processes))
    assert checkpoints == [work / "latest.old"] * 3
    assert capsys.readouterr().err == error
    assert any(str(work / "latest") in fault for fault in verify(tmp_path / "run")[1])
    assert load_checkpoint(work / "latest.old", *fresh()) == {"step": 1}


def test_a_checkpoint_of_another_model_is_refused_in_one_line(tmp_path):
    saved_plain(tmp_path / "plain", {}, muon=False)
    with pytest.raises(InputError, match=r"it belongs to another model: optimizer/first\.weight") as caught:
        load_checkpoint(tmp_path / "plain", *fresh(muon=True))
    assert "\n" not in str(caught.value)


def test_a_pickle_in_the_place_of_a_shard_is_never_run(tmp_path):
    tensors = saved_plain(tmp_path / "plain", {})
    folder, marker = planted(tmp_path / "shards", tensors, 3, {}), tmp_path / "marker"
    bomb = pickle.dumps(Bomb(marker))
    (folder / shard_name(1, 3)).write_bytes(bomb)
    assert not is_whole(folder)
    forged = hashlib.sha256(b"." + bomb).hexdigest()
    rewrite(folder, lambda content: content["digests"].update({shard_name(1, 3): forged}))
    assert is_whole(folder)
    with pytest.raises(InputError, match="the checkpoint is damaged"):
        load_checkpoint(folder, *fresh())
    assert not marker.exists()


@pytest.mark.parametrize("harm", [errno.ENOSPC, errno.EIO, "kill"])
def test_whatever_operation_of_any_process_fails_a_whole_checkpoint_is_left(tmp_path, harm):
    """Two processes save; operation after operation fails, or all processes die at it."""
    tensors = saved_plain(tmp_path / "plain", {})

    def save(folder, step):
        def one(processes):
            save_shards(folder, cut(tensors, processes.rank, 2), {"step": step}, processes)

        return in_threads(2, one)

    def begun(name):
        folder = tmp_path / name / "latest"
        for step in (1, 2):
            assert save(folder, step) == [None, None]
        return folder

    folder = begun("counted")
    with failing(Faults(folder.parent)) as faults:
        save(folder, 3)
    for at in range(1, len(faults.operations) + 1):
        folder = begun(str(at))

        def command(folder=folder, at=at):
            with failing(Faults(folder.parent, at, harm)):
                return save(folder, 3)

        if harm == "kill":
            assert in_a_child(command) == 9
        else:
            errors = command()
            failed = [isinstance(error, DiskError) for error in errors]
            assert all(failed) or errors == [None, None], (at, errors)  # None: what failed was not needed
            assert not any(failed) or any(str(folder.parent) in str(error) for error in errors)
        left = find_checkpoint(folder)
        assert left and read_index(left).state["step"] in (1, 2, 3), at
        assert save(folder, 4) == [None, None]
        assert read_index(find_checkpoint(folder)).state == {"step": 4}
        assert not list(folder.parent.glob("*.partial"))


def test_a_machine_that_does_not_share_the_folder_is_named(tmp_path):
    tensors = saved_plain(tmp_path / "plain", {})

    def save(processes):
        folder = tmp_path / f"machine-{processes.rank}" / "latest"
        save_shards(folder, cut(tensors, processes.rank, 2), {}, processes)

    errors = in_threads(2, save)
    assert all(isinstance(error, DiskError) for error in errors)
    assert "process 1 has written it, but not here: all machines must share the run folder" in str(errors[0])
    assert not (tmp_path / "machine-0" / "latest").exists()


def test_figures_that_are_no_numbers_come_back(tmp_path):
    tensors = saved_plain(tmp_path / "plain", {})
    folder = planted(tmp_path / "shards", tensors, 2, {"evaluated": {"spread": math.nan}, "seconds": 0.1})
    assert is_whole(folder)
    assert math.isnan(load_checkpoint(folder, *fresh())["evaluated"]["spread"])
