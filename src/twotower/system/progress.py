"""Progress of anything that takes longer than a few seconds, with its rate and the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
MANY = 10_000
"""Units of which more are counted in thousands (1.20M), fewer one by one (run 2 of 4)."""
_HIDDEN = ContextVar("progress_is_hidden", default=False)


@contextmanager
def without_progress() -> Iterator[None]:
    """Draws no progress line for what begins inside, for users who asked for quiet."""
    token = _HIDDEN.set(True)
    try:
        yield
    finally:
        _HIDDEN.reset(token)


class Progress:
    """A progress line on standard error; where that is not a terminal, a line now and then instead of a moving one."""

    def __init__(
        self, name: str, total: int, unit: str, initial: int = 0, quiet: bool = False, delay: float = 0.0
    ) -> None:
        live, quiet = sys.stderr.isatty(), quiet or _HIDDEN.get()
        self._bar = tqdm(
            total=total, initial=initial, desc=name, unit=unit, unit_scale=total > MANY, disable=quiet, file=sys.stderr,
            mininterval=0.2 if live else 15.0, dynamic_ncols=live, leave=True, delay=delay,
        )  # fmt: skip

    def advance(self, amount: int, **values: float | str) -> None:
        """Count `amount` more units done, and show `values` beside the rate."""
        if values:
            self._bar.set_postfix(values, refresh=False)
        self._bar.update(amount)

    def tell(self, text: str) -> None:
        """Show `text` beside the count, as often as the line is drawn anyway. Not for several threads at a time."""
        self._bar.set_postfix_str(text, refresh=False)
        if not self._bar.disable and time.time() - self._bar.last_print_t >= self._bar.mininterval:
            self._bar.refresh()
            self._bar.last_print_t = time.time()

    def counted(self, value: T) -> T:
        """Count one unit done, and hand its outcome on."""
        self._bar.update(1)
        return value

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
