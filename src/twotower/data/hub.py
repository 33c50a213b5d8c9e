"""The Hugging Face hub: asked only for what the user named, and quietly."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..system.errors import InputError, described


def not_loaded(key: str, name: str, error: Exception, remedy: str) -> InputError:
    """What to say of a data set that cannot be had; `datasets` raises its own, the hub's, HTTP's and disks' errors."""
    return InputError(
        f"{key}: {name!r} cannot be loaded ({described(error)}); check its name and the network, or {remedy}"
    )


def stopped(name: str, rows: int, error: Exception) -> InputError:
    """What to say of a data set that could be read up to some row."""
    return InputError(
        f"corpus: {name}: reading stopped after {rows:,} rows ({described(error)}); check the network, and give the "
        "same command again: it goes on from what is finished"
    )


@contextmanager
def asking_the_hub(name: str) -> Iterator[None]:
    """Say that the hub is asked for `name`; its client's retries, which can take half a minute, are not shown."""
    print(f"asking the Hugging Face hub for {name} …", file=sys.stderr)
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
