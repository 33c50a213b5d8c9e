"""Firefox for the tests that look at pages, over WebDriver BiDi (W3C), which it speaks itself.

Playwright drives a Firefox build of its own, which distributions do not have: a Firefox that is installed answers its
pipe with nothing, and its BiDi mode sends `emulation.setMediaFeaturesOverride`, which Firefox 153 does not know.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

QUIET = {
    "services.settings.server": "data:,", "app.normandy.enabled": False, "app.update.disabledForTesting": True,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "browser.safebrowsing.downloads.enabled": False,
}  # fmt: skip
"""Preferences that keep Firefox from asking other hosts."""
SECONDS = 60


class Firefox:
    """One tab of a headless Firefox."""

    def __init__(self, address: str) -> None:
        import websocket

        self._socket = websocket.create_connection(f"{address}/session", timeout=SECONDS, suppress_origin=True)
        self._numbers = count(1)
        self.said: list[str] = []
        """Errors and warnings of pages."""
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] in ("error", "warn"):
                self.said.append(answer["params"]["text"])
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise AssertionError(answer["message"])
                return answer["result"]

    def open(self, address: str, width: int = 1400) -> None:
        """Open a page, at a width."""
        self._ask("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": 900})
        self._ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, by way of JSON."""
        wrapped = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        answer = self._ask(
            "script.evaluate", expression=wrapped, target={"context": self._tab}, awaitPromise=True
        )  # fmt: skip
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def until(self, condition: str) -> None:
        """Wait for a condition."""
        end = time.monotonic() + SECONDS
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press a key of those that have a name in WebDriver."""
        code = {"ArrowRight": "\ue014", "ArrowDown": "\ue015", "Escape": "\ue00c", "Enter": "\ue007"}[key]
        strokes = [{"type": kind, "value": code} for kind in ("keyDown", "keyUp")]
        self._ask(
            "input.performActions", context=self._tab, actions=[{"type": "key", "id": "keys", "actions": strokes}]
        )

    def close(self) -> None:
        """End the browser."""
        self._ask("browser.close")
        self._socket.close()


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with a profile in an empty folder; the test is skipped without Firefox."""
    pytest.importorskip("websocket", reason="needs websocket-client, which `make setup` installs")
    path = shutil.which("firefox") or shutil.which("firefox-esr")
    if path is None:
        pytest.skip("no Firefox on this machine: the pages are looked at in Chromium only")
    preferences = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in QUIET.items()]
    (profile / "user.js").write_text("".join(preferences), encoding="utf-8")
    command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as browser:
        assert browser.stderr is not None
        listening = next((line for line in browser.stderr if "WebDriver BiDi listening on" in line), None)
        assert listening is not None, "Firefox ended before it listened"
        try:
            tab = Firefox(listening.split()[-1])
            yield tab
            tab.close()
            browser.wait(SECONDS)
        finally:
            browser.kill()
