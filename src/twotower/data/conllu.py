"""Treebanks in CoNLL-U and CoNLL-X: sentences line by line, and text with gold words and universal part of speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..system.errors import InputError
from .documents import Document, Word
from .files import TextFile
from .tagging import UPOS
from .textfiles import lines_of

COLUMNS = 10
STANDARD = ["ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"]
GLOBAL = "# global.columns"
"""How a file of CoNLL-U Plus begins, which may have other columns."""
FARTHEST = 10
"""Words between a word and its head beyond which distances are not told apart."""
_COMMENT = re.compile(r"#\s*(newdoc(?=_id)|newdoc\b|sent_id\b)(?:[^=]*=)?(.*)")


@dataclass(frozen=True)
class Row:
    """A line of a sentence: a word, or a multiword token before the words that it covers."""

    line: int
    """Its number in the file."""
    first: int
    """The number of the word, or of the first that is covered."""
    last: int
    form: str
    lemma: str
    upos: str
    feats: str
    head: str
    deprel: str
    space_after: bool
    multiword: bool


@dataclass(frozen=True)
class Sentence:
    """The rows of a sentence in their order, without empty nodes."""

    name: str
    """`# sent_id`, or FILE:LINE."""
    document: str
    """The name of its document: that of `# newdoc`, or of the file."""
    document_number: int
    line: int
    """The line of the file on which it begins."""
    rows: tuple[Row, ...]

    def tokens(self) -> Iterator[tuple[Row, tuple[Row, ...]]]:
        """The tokens as they are written, each with the words that it holds: itself, if it is one."""
        covered = 0
        for number, row in enumerate(self.rows):
            if row.multiword:
                covered = row.last
                yield row, self.rows[number + 1 : number + 2 + row.last - row.first]
            elif row.first > covered:
                yield row, (row,)


def read_sentences(path: Path | TextFile, encoding: str) -> Iterator[Sentence]:
    """The sentences of a file in CoNLL-U (https://universaldependencies.org/format.html) or CoNLL-X, streamed.

    Raises `InputError`, with file and line, for a line without ten columns, for words that are not numbered from 1 in
    their order or are in two multiword tokens, for a word without a form, for other columns (CoNLL-U Plus), and for
    sentences whose words were removed (`_`, as some licences ask).
    """
    file = TextFile.of(path)
    document, documents, name = file.name, 0, ""
    rows, begin, covered = list[Row](), 0, 0
    for number, line in enumerate(lines_of(file, encoding), start=1):
        line = line.rstrip("\r\n")
        if line.startswith(GLOBAL) and line.partition("=")[2].split() != STANDARD:
            raise InputError(
                f"{file.place}: line {number}: the columns are {line.partition('=')[2].strip()[:60]} (CoNLL-U Plus); "
                f"give a file with those of CoNLL-U: {' '.join(STANDARD)}"
            )
        if line.startswith("#"):
            comment = _COMMENT.match(line)
            if comment and comment.group(1) == "newdoc":
                named = comment.group(2).strip() if "=" in line else ""
                if not named or named != document:  # one that is named again goes on
                    documents += 1
                    document = named or f"{file.name}:{documents}"
            elif comment:
                name = comment.group(2).strip()
        elif line.strip():
            begin = begin if rows else number
            row = _row(file, number, line, rows[-1] if rows else None)
            if row and row.multiword and rows and row.first <= covered:
                raise InputError(
                    f"{file.place}: line {number}: the words {row.first}-{row.last} are in two multiword tokens; "
                    "each word can be in one"
                )
            covered = (covered if rows else 0) if row is None or not row.multiword else row.last
            rows += [row] if row else []
        elif rows:
            yield _sentence(file, rows, name or f"{file.name}:{begin}", (document, documents), begin)
            rows, name = [], ""
    if rows:
        yield _sentence(file, rows, name or f"{file.name}:{begin}", (document, documents), begin)


def _row(file: TextFile, number: int, line: str, before: Row | None) -> Row | None:
    """The row of a line; None for an empty node, which is not in the text."""
    place = f"{file.place}: line {number}"
    columns = line.split("\t")
    if len(columns) != COLUMNS:
        raise InputError(f"{place} has {len(columns)} columns; CoNLL-U has 10, divided by tabs")
    index, form, lemma, upos, _, feats, head, deprel, _, misc = columns
    form = form.strip()
    if not form:
        raise InputError(f"{place}: the word has no FORM (column 2); write it, or _ where the word is an underscore")
    expected = 1 if before is None else before.first if before.multiword else before.last + 1
    first, dash, last = index.partition("-")
    if re.fullmatch(r"[0-9]+\.[0-9]+", index):
        return None
    if dash:
        numbers = first.isdecimal() and last.isdecimal() and int(first) == expected and int(last) >= int(first)
        if not numbers or (before is not None and before.multiword):
            raise InputError(f"{place} spans the words {index[:20]!r}; expected FIRST-LAST, of the words that follow")
    elif index != str(expected):
        hint = "; a blank line is missing before it" if index == "1" else ""
        raise InputError(f"{place} begins with {index[:20]!r}; expected {expected}, the number of the word{hint}")
    return Row(
        number, int(first), int(last or first), form, given(lemma), given(upos), given(feats), head, given(deprel),
        "SpaceAfter=No" not in misc.split("|"), bool(dash),
    )  # fmt: skip


def _sentence(file: TextFile, rows: list[Row], name: str, document: tuple[str, int], begin: int) -> Sentence:
    if max(row.last for row in rows) > max((row.last for row in rows if not row.multiword), default=0):
        raise InputError(
            f"{file.place}: the sentence at line {begin} refers to words that it lacks; mend it or leave it out"
        )
    if len(rows) > 1 and not any(row.form.strip("_") for row in rows):
        raise InputError(
            f"{file.place}: line {begin}: the words are not in this file (FORM is {rows[0].form} throughout, as "
            "where a licence forbids copies); merge them in with the treebank's own script, or take another treebank"
        )
    return Sentence(name, *document, begin, tuple(rows))


def read_conllu(path: Path | TextFile, encoding: str, tags: bool = True) -> Iterator[Document]:
    """Documents of a treebank, one sentence per line of text.

    Documents begin at `# newdoc`; a file without any is one document. A multiword token is one word of the text, with
    the tag, the relation and the features of its first part. Raises `InputError` as `read_sentences` does, and where
    `tags` are wanted for a tag that is none of UPOS; tags in lower case are read.
    """
    file = TextFile.of(path)
    document, lines, words, length = ("", 0), list[str](), list[Word](), 0
    for sentence in read_sentences(file, encoding):
        here = (sentence.document, sentence.document_number)
        if lines and here != document:
            yield Document(document[0], "".join(lines), tuple(words))
            lines, words, length = [], [], 0
        document, text = here, ""
        for token, parts in sentence.tokens():
            start = length + len(text)
            upos = _universal(file, parts[0]) if tags else ""
            row = parts[0]
            head, distance = _head_of(row, sentence)
            words.append(Word(start, start + len(token.form), upos, row.deprel, row.feats, head, distance))
            text += token.form + " " * token.space_after
        lines.append(text.rstrip() + "\n")
        length += len(lines[-1])
    if lines:
        yield Document(document[0], "".join(lines), tuple(words))


def _head_of(row: Row, sentence: Sentence) -> tuple[str, str]:
    """The part of speech of the head, `root` for none, and where it stands from the word; empty where it is not given.

    Distances count words, not tokens, and end at `FARTHEST`.
    """
    if row.head == "0":
        return "root", ""
    head = next((other for other in sentence.rows if not other.multiword and str(other.first) == row.head), None)
    if head is None:
        return "", ""
    return head.upos.upper(), str(min(max(head.first - row.first, -FARTHEST), FARTHEST))


def _universal(file: TextFile, row: Row) -> str:
    tag = row.upos.upper()
    if tag not in UPOS:
        raise InputError(
            f"{file.place}: line {row.line}: the tag {row.upos or '_'} is none of Universal Dependencies (UPOS, column "
            "4); convert the tags, or have the words tagged again, for instance with --prepare.tagger hanta"
        )
    return tag


def given(column: str) -> str:
    """The value of a column; empty for `_`."""
    return "" if column == "_" else column
