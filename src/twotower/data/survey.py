"""The first pass over a corpus: how long its documents are, and which of them are copies."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from ..system.errors import InputError
from .documents import Corpus
from .duplicates import Fingerprint, Sketches
from .inventory import FilesLeftOut, FilesRead, Inventory, LongDocument
from .languages import Passages

LONGEST = 3
"""How many of the longest documents are named."""


@dataclass(frozen=True)
class Survey:
    """What is known of a corpus before it is split; arrays have shape (documents,), copies included."""

    characters: NDArray[np.int64]
    words: NDArray[np.int64]
    """Runs of characters without white space."""
    part: NDArray[np.int64]
    """Number of the part of a mixture."""
    kept: NDArray[np.bool_]
    """False for copies of an earlier document."""
    group: NDArray[np.int64]
    """Documents of one number are nearly the same, or sections of such, and stay on one side of the split."""
    whole_documents: Mapping[str, int]
    """By format, the documents as they were found, before any was cut into sections."""
    longest: tuple[LongDocument, ...]
    """The longest documents, without copies."""
    duplicates: int
    near_duplicates: int
    digest: str
    """SHA-256 of all names and texts."""
    passages: Sequence[str] = ()
    """Stretches of text at even distances, by which its language is known."""

    def inventory(self, corpus: Corpus) -> Inventory:
        """What was read; of the tokens nothing is known yet."""
        return Inventory(
            files=tuple(
                FilesRead(name, files, self.whole_documents.get(name, 0)) for name, files in corpus.files.items()
            ),
            left_out=tuple(FilesLeftOut(why, files) for why, files in corpus.left_out.items()),
            documents=int(self.kept.sum()),
            words=int(self.words[self.kept].sum()),
            duplicates=self.duplicates,
            near_duplicates=self.near_duplicates,
            longest=self.longest,
            notes=corpus.notes,
        )


def survey(corpus: Corpus, folder: Path | None = None) -> Survey:
    """Read a corpus once. Each whole document takes about 150 bytes of memory, and 256 of a file without a name.

    The file is in `folder` (None: where temporary files are), and gone when this ends, however it does.

    Raises `InputError` for no text at all, or a part of a mixture without any.
    """
    with TemporaryFile(dir=folder) as file:
        return _survey(corpus, Sketches(file))


def _survey(corpus: Corpus, sketches: Sketches) -> Survey:
    characters, words, part, whole = array("q"), array("q"), array("q"), array("q")
    digests = array("Q")  # of each whole document
    longest: list[tuple[LongDocument, int]] = []
    of_format = Counter[str]()
    digest = hashlib.sha256()
    passages = Passages()
    for _, sections in groupby(corpus.documents(), key=lambda document: document.origin):
        fingerprint, mine = Fingerprint(), list[LongDocument]()
        for document in sections:
            passages.add(document.text)
            fingerprint.add(document.text)
            mine.append(LongDocument(document.name, len(document.text.split())))
            characters.append(len(document.text))
            words.append(mine[-1].words)
            part.append(document.part)
            whole.append(len(digests))
            for text in (document.name, document.text):
                data = text.encode("utf-8", "surrogatepass")
                digest.update(len(data).to_bytes(8, "little") + data)
        of_format[document.format] += 1
        if all(known != fingerprint.digest for _, known in longest):
            named = [(long_document, fingerprint.digest) for long_document in mine]
            longest = nlargest(LONGEST, [*longest, *named], key=lambda entry: entry[0].words)
        digests.append(fingerprint.digest)
        sketches.append(fingerprint.sketch)
    empty = [name for number, name in enumerate(corpus.parts) if number not in part]
    if not characters or empty:
        name = corpus.name if not characters else f"the part {empty[0]!r} of {corpus.name}"
        raise InputError(f"corpus: {name} holds no text; give files with text in them")
    is_first = np.zeros(len(digests), dtype=bool)
    is_first[np.unique(np.asarray(digests), return_index=True)[1]] = True
    group = sketches.groups(is_first)
    alone = np.bincount(group)[group] == 1
    origin = np.asarray(whole)
    return Survey(
        characters=np.asarray(characters),
        words=np.asarray(words),
        part=np.asarray(part),
        kept=is_first[origin],
        group=np.where(alone[origin], np.arange(len(origin)), len(origin) + group[origin]),
        whole_documents=of_format,
        longest=tuple(long_document for long_document, _ in longest),
        duplicates=int((~is_first).sum()),
        near_duplicates=int((~alone).sum()),
        digest=digest.hexdigest(),
        passages=passages.texts,
    )
