"""Dependency trees of a treebank in CoNLL-U, as probes and minimal pairs need them: every word, whole trees only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import InputError
from .textfiles import lines_of

Row = tuple[int, list[str]]
"""A line's number in the file, and its ten columns."""


@dataclass(frozen=True)
class TreeWord:
    """A word of a tree; its number in the sentence is its place in `Tree.words`, from 1."""

    form: str
    lemma: str
    upos: str
    feats: str
    """Morphological features as in the file (`Number=Sing|Person=3`); empty without any."""
    head: int
    """The number of the word that it depends on; 0 for the root."""
    deprel: str
    token: int
    """The place, from 0, of the token of the text that holds it: the words of a multiword token (do + n't) share it."""

    @cached_property
    def features(self) -> dict[str, str]:
        """Morphological features by name."""
        return dict(part.split("=", 1) for part in self.feats.split("|") if "=" in part)

    @property
    def relation(self) -> str:
        """The dependency relation without its subtype."""
        return self.deprel.partition(":")[0]


@dataclass(frozen=True)
class Tree:
    """A sentence of a treebank with its dependency tree."""

    name: str
    """`# sent_id`, or FILE:LINE."""
    document: str
    words: tuple[TreeWord, ...]
    tokens: tuple[str, ...]
    """The tokens of the text; multiword tokens are whole, as they are written."""
    spaces: tuple[bool, ...]
    """Whether white space follows each token."""
    line: int
    """The line of the file on which the sentence begins."""

    @property
    def text(self) -> str:
        """The sentence as it is written."""
        return "".join(token + " " * space for token, space in zip(self.tokens, self.spaces, strict=True)).rstrip()

    @cached_property
    def distances(self) -> list[list[int]]:
        """Number of edges between any two words: (words, words)."""
        neighbours: list[list[int]] = [[] for _ in self.words]
        for number, word in enumerate(self.words):
            if word.head:
                neighbours[number].append(word.head - 1)
                neighbours[word.head - 1].append(number)
        found = []
        for start in range(len(self.words)):
            away = {start: 0}
            edge = [start]
            for here in edge:
                for there in neighbours[here]:
                    if there not in away:
                        away[there] = away[here] + 1
                        edge.append(there)
            found.append([away[number] for number in range(len(self.words))])
        return found

    @cached_property
    def depths(self) -> list[int]:
        """Number of edges between each word and the root."""
        root = next(number for number, word in enumerate(self.words) if word.head == 0)
        return self.distances[root]


def read_trees(path: Path | str, encoding: str = "utf-8") -> list[Tree]:
    """The sentences of a CoNLL-U file (https://universaldependencies.org/format.html), or of all in a folder.

    Empty nodes are left out. Raises `InputError`, with file and line, for what is no CoNLL-U, for words that are not
    numbered from 1, and for trees without exactly one root, with a head that does not exist, or with a cycle.
    """
    place = Path(path).expanduser()
    files = sorted(place.glob("*.conllu")) if place.is_dir() else [place]
    if not files:
        raise InputError(f"{place}: the folder holds no .conllu file; give a treebank in CoNLL-U")
    if not place.exists():
        raise InputError(f"{place} does not exist; give a treebank in CoNLL-U")
    trees = [tree for file in files for tree in _read_file(file, encoding)]
    if not trees:
        raise InputError(f"{place} holds no sentence; give a treebank in CoNLL-U")
    return trees


def _read_file(path: Path, encoding: str) -> Iterator[Tree]:
    rows: list[Row] = []
    document, documents, name, begin = path.name, 0, "", 1
    try:
        for number, line in enumerate(lines_of(path, encoding), start=1):
            line = line.rstrip("\r\n")
            if line.startswith("# newdoc"):
                documents += 1
                document = line.partition("=")[2].strip() or f"{path.name}:{documents}"
            elif line.startswith("# sent_id"):
                name = line.partition("=")[2].strip()
            elif line.startswith("#"):
                continue
            elif line.strip():
                columns = line.split("\t")
                if len(columns) != 10:
                    raise InputError(
                        f"{path}: line {number} has {len(columns)} columns; CoNLL-U has 10, divided by tabs"
                    )
                begin = begin if rows else number
                rows.append((number, columns))
            elif rows:
                yield _tree(path, rows, name or f"{path.name}:{begin}", document)
                rows, name = [], ""
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a treebank in CoNLL-U") from None
    if rows:
        yield _tree(path, rows, name or f"{path.name}:{begin}", document)


def _tree(path: Path, rows: list[Row], name: str, document: str) -> Tree:
    words: list[TreeWord] = []
    tokens: list[str] = []
    spaces: list[bool] = []
    lines: list[int] = []
    covered = 0
    for line, columns in rows:
        index, form, lemma, upos, _, feats, head, deprel, _, misc = columns
        where = f"{path}: line {line}"
        if "." in index:
            continue
        if "-" in index:
            first, _, last = index.partition("-")
            if not (first.isdecimal() and last.isdecimal()) or int(last) < int(first) or int(first) != len(words) + 1:
                raise InputError(
                    f"{where} spans the words {index[:20]!r}; expected FIRST-LAST, of the words that follow"
                )
            covered = int(last)
        elif index != str(len(words) + 1):
            raise InputError(f"{where} begins with {index[:20]!r}; expected {len(words) + 1}, the number of the word")
        if "-" in index or int(index) > covered:
            tokens.append(form)
            spaces.append("SpaceAfter=No" not in misc)
        if "-" in index:
            continue
        if not head.isdecimal():
            raise InputError(f"{where}: the head is {head[:20]!r}; expected the number of a word, or 0 for the root")
        lines.append(line)
        words.append(
            TreeWord(
                form, _given(lemma) or form.lower(), _given(upos) or "X", _given(feats), int(head), _given(deprel),
                len(tokens) - 1,
            )
        )  # fmt: skip
    _require_tree(path, words, lines, rows[0][0], covered)
    return Tree(name, document, tuple(words), tuple(tokens), tuple(spaces), rows[0][0])


def _require_tree(path: Path, words: list[TreeWord], lines: list[int], first: int, covered: int) -> None:
    if not words or covered > len(words):
        raise InputError(f"{path}: the sentence at line {first} lacks words that it speaks of; mend it or leave it out")
    roots = [line for line, word in zip(lines, words, strict=True) if word.head == 0]
    if len(roots) != 1:
        raise InputError(f"{path}: the sentence at line {first} has {len(roots)} roots; a tree has one word of head 0")
    for line, word in zip(lines, words, strict=True):
        if word.head > len(words):
            raise InputError(
                f"{path}: line {line}: there is no word {word.head} to depend on; the last is {len(words)}"
            )
    for start, line in enumerate(lines, start=1):
        here, steps = start, 0
        while here and steps <= len(words):
            here, steps = words[here - 1].head, steps + 1
        if here:
            raise InputError(f"{path}: line {line}: its heads go round in a circle; a tree leads to its root")


def _given(column: str) -> str:
    return "" if column == "_" else column
