"""What a command says, where, and the exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tyro

from ..config.conversion import as_json, plain
from ..system.printing import printable
from ..system.progress import without_progress

if TYPE_CHECKING:
    from ..runs.finished import RunFolder

SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Output:
    """How much a command says, and in which form."""

    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print only errors and the final line."""
    json: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print the outcome as JSON on standard output. Progress and errors stay on standard error."""

    def say(self, text: str) -> None:
        """What is being done, on standard error, unless quiet is asked for."""
        if not self.quiet:
            say(text)

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Draw progress lines for what is done in here, unless quiet is asked for."""
        if self.quiet:
            with without_progress():
                yield
        else:
            yield

    def result(self, data: Mapping[str, Any], last: str = "", text: str = "") -> None:
        """The outcome, on standard output: `data` as JSON if that is asked for; else `text`, and the final line."""
        if self.json:
            print(as_json(data), end="")
        else:
            show("\n".join(part for part in (text if not self.quiet or not last else "", last) if part))


def finding_in(run: RunFolder) -> tuple[dict[str, Any], str]:
    """What a run found: as data, and as the text that `show` prints. Raises `InputError` if it is not finished."""
    from ..report.summary import headline, sentences, summarize
    from ..results.kinds import read_any_results

    results = read_any_results(run)
    data = {"headline": headline(results), "sentences": sentences(results), "figures": plain(results.main)}
    return data, summarize(results)


def as_list(sentences: Iterable[str]) -> str:
    """A line for each sentence, and an empty one."""
    return "\n".join(f"- {sentence}" for sentence in sentences) + "\n"


def show(text: str) -> None:
    """What the command was asked for, on standard output."""
    print(printable(text))


def say(text: str) -> None:
    """What is being done, on standard error."""
    print(printable(text), file=sys.stderr)


def fail(message: str, code: int) -> int:
    """Say why a command stops, in one line, and return its exit code."""
    say(f"twotower: {' '.join(message.split())}")
    return code
