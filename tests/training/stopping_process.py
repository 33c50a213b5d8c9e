"""One of several processes that train; the last of them is asked to end at its n-th update (0: never)."""

import os
import signal
import sys

from twotower import cli
from twotower.training import loop

run, stop_at = sys.argv[1], int(sys.argv[2])
updates, calls = loop.update, 0


def stopping(*arguments):
    global calls
    calls += 1
    if calls == stop_at and int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1:
        signal.raise_signal(signal.SIGTERM)
    return updates(*arguments)


loop.update = stopping
sys.exit(cli.main(["train", "--out", run]))
