"""What a tagger found in a text, kept for the next time that the same tagger is asked for the same text.

Tags lie in `$XDG_CACHE_HOME/twotower/tags` (or `~/.cache/twotower/tags`), a file for each document, under a digest of
the tagger, its version and the text. They can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from .documents import Tagger, Word

PACKAGES = {"hanta": "HanTa", "spacy": "spacy", "stanza": "stanza"}
SAMPLE = 6_000
"""Characters that are tagged to know how long all of them will take."""
LONG = 20.0
"""From this many seconds on, the command says in advance how long tagging takes."""


def cached(name: str, tagger: Tagger, characters: int, say: Callable[[str], None]) -> Tagger:
    """A tagger that asks `tagger`, of this name, for unknown texts only.

    Before the first of them it says how long all `characters` take, if that is long.
    """
    warned = False

    def tag(texts: Sequence[str]) -> list[Sequence[Word]]:
        nonlocal warned
        paths = [_place(name, text) for text in texts]
        words_by_text: list[Sequence[Word] | None] = [_read(path) for path in paths]
        unknown = [number for number, words in enumerate(words_by_text) if words is None]
        if unknown and not warned:
            warned = True
            _say_time(tagger, texts[unknown[0]], characters, say)
        for number, words in zip(
            unknown, tagger([texts[number] for number in unknown]) if unknown else [], strict=True
        ):
            words_by_text[number] = words
            _write(paths[number], words)
        return [words for words in words_by_text if words is not None]

    return tag


def _say_time(tagger: Tagger, text: str, characters: int, say: Callable[[str], None]) -> None:
    tagger(["."])  # loads the model
    sample = text[:SAMPLE]
    begin = time.perf_counter()
    tagger([sample])
    seconds = (time.perf_counter() - begin) / max(1, len(sample)) * characters
    if seconds >= LONG:
        say(f"tags: all words are tagged once, at most {seconds / 60:.0f} minutes on one core, and kept for next time")


def _place(name: str, text: str) -> Path:
    kind = name.partition(":")[0]
    try:
        release = version(PACKAGES.get(kind, kind))
    except PackageNotFoundError:
        release = ""
    digest = hashlib.sha256("\0".join([name, release, text]).encode("utf-8", "surrogatepass")).hexdigest()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "twotower" / "tags" / digest[:2] / f"{digest}.npz"


def _read(path: Path) -> list[Word] | None:
    """The words in a file; None where there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            spans, upos, tags, names = archive["spans"], archive["upos"], archive["tags"], archive["names"].tolist()
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return [
        Word(start, end, names[first], tag=names[second])
        for (start, end), first, second in zip(spans.tolist(), upos.tolist(), tags.tolist(), strict=True)
    ]


def _write(path: Path, words: Sequence[Word]) -> None:
    """Keep words; a disk that takes none is no reason to stop."""
    names = sorted({word.upos for word in words} | {word.tag for word in words}) or [""]
    number = {name: place for place, name in enumerate(names)}
    partial = path.with_suffix(f".{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            partial,
            spans=np.array([(word.start, word.end) for word in words], dtype=np.int64).reshape(-1, 2),
            upos=np.array([number[word.upos] for word in words], dtype=np.int32),
            tags=np.array([number[word.tag] for word in words], dtype=np.int32),
            names=np.array(names),
        )
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
