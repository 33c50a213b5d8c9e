"""Ctrl-C, a request to end or a closed terminal, each of which lets the current step finish."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import FrameType, TracebackType

from ..system.processes import launched, leads


class Interruption:
    """While active, the first SIGINT, SIGTERM or SIGHUP only sets `requested`; a second SIGINT stops at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._before[number] = signal.signal(number, self._request)
        except ValueError:
            pass  # not the main thread, which alone may handle signals
        return self

    def _request(self, number: int, _: FrameType | None) -> None:
        # A launcher forwards the Ctrl-C that its processes already got from the terminal: that is no second request.
        if self.requested and number == signal.SIGINT and launched() == 1:
            raise KeyboardInterrupt
        self.requested = True
        if not leads():
            return
        with contextlib.suppress(OSError):  # a terminal that was closed
            print("\nstopping after this step, to save a checkpoint (Ctrl-C again: at once)", file=sys.stderr)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
