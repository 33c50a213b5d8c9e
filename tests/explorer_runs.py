"""Runs and pages for the tests of the explorer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twotower.explorer.explored import ExploredRun

TOKEN = "a-token"


@contextmanager
def served(*runs: Path) -> Iterator[str]:
    """The address of an explorer that serves these runs, in a thread."""
    import uvicorn

    from twotower.explorer.serve import HOST, _listen
    from twotower.explorer.server import explorer

    listening = _listen(0)
    host = f"{HOST}:{listening.getsockname()[1]}"
    app = explorer([ExploredRun(run) for run in runs], TOKEN, frozenset({host}))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://{host}/{TOKEN}/"
    finally:
        server.should_exit = True
        thread.join()
