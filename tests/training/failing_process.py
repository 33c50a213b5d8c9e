"""One of several processes that train; the last of them fails, or dies, in the middle of its n-th checkpoint."""

import errno
import os
import sys

from twotower import cli
from twotower.training import checkpoints

run, at, harm = sys.argv[1], int(sys.argv[2]), sys.argv[3]
write_shard, calls = checkpoints.write_shard, 0


def failing(path, *arguments):
    global calls
    calls += 1
    write_shard(path, *arguments)
    if calls == at and int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        if harm == "killed":
            os._exit(9)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


checkpoints.write_shard = failing
sys.exit(cli.main(["train", "--out", run]))
