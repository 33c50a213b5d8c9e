"""`twotower explore`: a run, looked at word by word on a local page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..system.errors import InputError
from .options import Command, read
from .output import SUCCESS, show


@dataclass(frozen=True)
class ExploreArguments:
    """What `explore` takes."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN [RUN2]")] = ()
    """The folder of a finished run, or of two to compare."""
    export: Path | None = None
    """Write the page into this folder, to be opened from disk or put on a web site, instead of serving it. What needs
    the model (a sentence of your own) is not in it."""
    export_tokens: int = 400_000
    """Held-out tokens of each run that an export holds at most: whole documents, spread over the split."""
    port: int = 0
    """Port of 127.0.0.1 (0: a free one)."""
    browse: bool = True
    """Open a browser, where there is a screen."""


def explore(command: Command, words: list[str]) -> int:
    """Serve the page until Ctrl-C, or write it into a folder."""
    parsed = read(command, words, ExploreArguments())
    if not 1 <= len(parsed.runs) <= 2:
        raise InputError(
            "explore: give the folder of a finished run, or of two to compare: twotower explore RUN [RUN2]"
        )
    if not 0 <= parsed.port < 65536:
        raise InputError("--port: give a number from 0 to 65535")
    if parsed.export_tokens < 1:
        raise InputError("--export-tokens must be 1 or more")
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"explore: the package {error.name} is missing; install it with `pip install 'twotower[explore]'`"
        ) from None
    from ..explorer.explored import ExploredRun

    runs = [ExploredRun(path) for path in parsed.runs]
    if parsed.export is not None:
        from ..explorer.export import export

        size = export(runs, parsed.export, parsed.export_tokens)
        show(f"explorer: {parsed.export / 'index.html'} ({size / 1e6:.1f} MB)")
        return SUCCESS
    from ..explorer.serve import serve

    serve(runs, parsed.port, parsed.browse, say=show)
    return SUCCESS
