"""Treebanks in CoNLL-U: text with gold words and universal part of speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from .documents import Document, Word
from .textfiles import decode

_ID = re.compile(r"\d+(?:-\d+|\.\d+)?$")


def read_conllu(path: Path, encoding: str) -> Iterator[Document]:
    """Documents of a CoNLL-U file (https://universaldependencies.org/format.html), one sentence per line of text.

    Documents begin at `# newdoc`; a file without any is one document. A multiword token is one word of the text, with
    the tag, the relation and the features of its first part. Raises `InputError`, with the line, for anything else.
    """
    sentences: list[str] = []
    words: list[Word] = []
    length = 0
    name, documents = path.name, 0
    sentence = ""
    skip_until = 0
    for number, line in enumerate(decode(path, encoding).split("\n"), start=1):
        if line.startswith("# newdoc"):
            if sentences:
                yield Document(name, "".join(sentences), tuple(words))
            sentences, words, length = [], [], 0
            documents += 1
            name = line.partition("=")[2].strip() or f"{path.name}:{documents}"
        elif not line.strip():
            if sentence:
                sentence = sentence.rstrip() + "\n"
                sentences.append(sentence)
                length += len(sentence)
            sentence, skip_until = "", 0
        elif not line.startswith("#"):
            columns = line.rstrip("\r").split("\t")
            if len(columns) != 10:
                raise InputError(f"{path}: line {number} has {len(columns)} columns; CoNLL-U has 10, divided by tabs")
            index, form, upos, misc = columns[0], columns[1], columns[3], columns[9]
            deprel, feats = _blank(columns[7]), _blank(columns[5])
            if not _ID.match(index):
                raise InputError(
                    f"{path}: line {number} begins with {index[:20]!r}; expected the number of a word (3), of several "
                    "(3-4) or of an empty node (3.1)"
                )
            if "." in index:
                continue  # an empty node is not in the text
            if "-" in index:
                first, last = (int(part) for part in index.split("-"))
                if last < first:
                    raise InputError(f"{path}: line {number} spans the words {index}; give the smaller number first")
                skip_until, upos, deprel, feats = last, "", "", ""
            elif int(index) <= skip_until:
                if words and not words[-1].upos:
                    words[-1] = words[-1]._replace(upos=upos, deprel=deprel, feats=feats)
                continue
            start = length + len(sentence)
            words.append(Word(start, start + len(form), upos, deprel, feats))
            sentence += form + ("" if "SpaceAfter=No" in misc else " ")
    if sentence:
        sentences.append(sentence)
    if sentences:
        yield Document(name, "".join(sentences), tuple(words))


def _blank(column: str) -> str:
    return "" if column == "_" else column
