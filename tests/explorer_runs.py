"""Runs and pages for the tests of the explorer."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@contextmanager
def chromium() -> Iterator[object]:
    """A headless browser that may reach nothing but what a test names; skipped without one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright, which `make setup` installs")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: the pages are not looked at")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
