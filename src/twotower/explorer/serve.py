"""The server in its process: a free port of 127.0.0.1, an address with a token, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable, Sequence

import uvicorn

from ..system.errors import InputError
from .explored import ExploredRun
from .server import explorer

HOST = "127.0.0.1"


def serve(runs: Sequence[ExploredRun], port: int, browse: bool, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. `port` 0 is any free one; `browse` opens a browser where there is a screen for one."""
    listening = _listen(port)
    port = int(listening.getsockname()[1])
    token = secrets.token_urlsafe(24)
    address = f"http://{HOST}:{port}/{token}/"
    hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
    server = uvicorn.Server(
        uvicorn.Config(explorer(runs, token, hosts), log_level="warning", access_log=False, server_header=False)
    )
    say(f"explorer: {address}\nOnly this machine can open it. Ctrl-C ends it.")
    if browse and _has_screen():
        webbrowser.open(address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        say("explorer: ended")


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(f"--port: {port} of {HOST} cannot be had ({error.strerror}); 0 takes a free one") from None
    return listening


def _has_screen() -> bool:
    """Without one `webbrowser` may start a text browser, which takes the terminal over."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
