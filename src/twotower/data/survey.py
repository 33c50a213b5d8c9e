"""The first pass over a corpus: how long its documents are, and which of them are copies."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..system.errors import InputError
from .documents import Corpus
from .duplicates import Fingerprint, near_duplicates
from .inventory import FilesLeftOut, FilesRead, Inventory, LongDocument
from .languages import Passages

LONGEST = 3
"""How many of the longest documents are named."""


@dataclass(frozen=True)
class Survey:
    """What is known of a corpus before it is split; arrays have shape (documents,), copies included."""

    names: list[str]
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
    duplicates: int
    near_duplicates: int
    digest: str
    """SHA-256 of all names and texts."""
    passages: Sequence[str] = ()
    """Stretches of text at even distances, by which its language is known."""

    def inventory(self, corpus: Corpus) -> Inventory:
        """What was read; of the tokens nothing is known yet."""
        words = np.where(self.kept, self.words, -1)
        longest = np.argsort(-words, kind="stable")[: min(LONGEST, int(self.kept.sum()))]
        return Inventory(
            files=tuple(
                FilesRead(name, files, self.whole_documents.get(name, 0)) for name, files in corpus.files.items()
            ),
            left_out=tuple(FilesLeftOut(why, files) for why, files in corpus.left_out.items()),
            documents=int(self.kept.sum()),
            words=int(self.words[self.kept].sum()),
            duplicates=self.duplicates,
            near_duplicates=self.near_duplicates,
            longest=tuple(LongDocument(self.names[number], int(self.words[number])) for number in longest),
            notes=corpus.notes,
        )


def survey(corpus: Corpus) -> Survey:
    """Read a corpus once. Raises `InputError` for no text at all, or a part of a mixture without any."""
    names: list[str] = []
    characters, words, part, origin = list[int](), list[int](), list[int](), list[int]()
    of_format = Counter[str]()
    digest = hashlib.sha256()
    prints: list[Fingerprint] = []  # one for each whole document
    passages = Passages()
    for document in corpus.documents():
        passages.add(document.text)
        if not origin or origin[-1] != document.origin:
            prints.append(Fingerprint())
            of_format[document.format] += 1
        prints[-1].add(document.text)
        names.append(document.name)
        characters.append(len(document.text))
        words.append(len(document.text.split()))
        part.append(document.part)
        origin.append(document.origin)
        for data in (document.name.encode("utf-8", "surrogatepass"), document.text.encode("utf-8", "surrogatepass")):
            digest.update(len(data).to_bytes(8, "little") + data)
    empty = [name for number, name in enumerate(corpus.parts) if number not in part]
    if not names or empty:
        name = corpus.name if not names else f"the part {empty[0]!r} of {corpus.name}"
        raise InputError(f"corpus: {name} holds no text; give files with text in them")
    whole = np.unique(np.asarray(origin), return_inverse=True)[1]  # origins rise in the order of reading
    first = {fingerprint.digest: number for number, fingerprint in reversed(list(enumerate(prints)))}
    is_first = np.array([first[fingerprint.digest] == number for number, fingerprint in enumerate(prints)])
    nothing = prints[0].sketch[:0]
    group = near_duplicates(
        [fingerprint.sketch if new else nothing for fingerprint, new in zip(prints, is_first, strict=True)]
    )
    alone = np.bincount(group)[group] == 1
    return Survey(
        names=names,
        characters=np.asarray(characters, dtype=np.int64),
        words=np.asarray(words, dtype=np.int64),
        part=np.asarray(part, dtype=np.int64),
        kept=is_first[whole],
        group=np.where(alone[whole], np.arange(len(names)), len(names) + group[whole]),
        whole_documents=of_format,
        duplicates=int((~is_first).sum()),
        near_duplicates=int((~alone).sum()),
        digest=digest.hexdigest(),
        passages=passages.texts,
    )
