"""Dependency trees of a treebank in CoNLL-U, as probes and minimal pairs need them: every word, whole trees only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..system.errors import InputError
from .conllu import Sentence, read_sentences
from .files import TextFile, damage_named

TREEBANKS = (".conllu", ".conll", ".conllx")
"""Suffixes of treebanks."""


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
        distances = []
        for start in range(len(self.words)):
            away = {start: 0}
            edge = [start]
            for here in edge:
                for there in neighbours[here]:
                    if there not in away:
                        away[there] = away[here] + 1
                        edge.append(there)
            distances.append([away[number] for number in range(len(self.words))])
        return distances

    @cached_property
    def depths(self) -> list[int]:
        """Number of edges between each word and the root."""
        root = next(number for number, word in enumerate(self.words) if word.head == 0)
        return self.distances[root]


def read_trees(path: Path | str) -> list[Tree]:
    """The sentences of a file in CoNLL-U (https://universaldependencies.org/format.html), or of all in a folder.

    Raises `InputError` as `read_sentences` does, and for trees without exactly one root, with a head that does not
    exist, or with a cycle.
    """
    place = Path(os.path.expanduser(path))
    if not place.exists():
        raise InputError(f"{place} does not exist; give a treebank in CoNLL-U")
    files = [TextFile.of(entry) for entry in sorted(place.iterdir()) if entry.is_file()] if place.is_dir() else []
    files = [file for file in files if file.suffix in TREEBANKS] if place.is_dir() else [TextFile.of(place)]
    if not files:
        raise InputError(f"{place}: the folder holds no .conllu file; give a treebank in CoNLL-U")
    trees = []
    for file in files:
        with damage_named(file):
            trees += [_tree(file, sentence) for sentence in read_sentences(file, "utf-8")]
    if not trees:
        raise InputError(f"{place} holds no sentence; give a treebank in CoNLL-U")
    return trees


def _tree(file: TextFile, sentence: Sentence) -> Tree:
    words: list[TreeWord] = []
    tokens = list(sentence.tokens())
    lines = [row.line for row in sentence.rows if not row.multiword]
    for place, (_, parts) in enumerate(tokens):
        for row in parts:
            if not row.head.isdecimal():
                raise InputError(
                    f"{file.place}: line {row.line}: the head is {row.head[:20]!r}; expected the number of a word, or "
                    "0 for the root"
                )
            words.append(
                TreeWord(
                    row.form,
                    row.lemma or row.form.lower(),
                    row.upos or "X",
                    row.feats,
                    int(row.head),
                    row.deprel,
                    place,
                )
            )
    _require_tree(file.place, words, lines, sentence.line)
    spaces = tuple(token.space_after for token, _ in tokens)
    return Tree(
        sentence.name, sentence.document, tuple(words), tuple(token.form for token, _ in tokens), spaces, lines[0]
    )


def _require_tree(place: str, words: list[TreeWord], lines: list[int], first: int) -> None:
    roots = [line for line, word in zip(lines, words, strict=True) if word.head == 0]
    if len(roots) != 1:
        raise InputError(f"{place}: the sentence at line {first} has {len(roots)} roots; a tree has one word of head 0")
    for line, word in zip(lines, words, strict=True):
        if word.head > len(words):
            raise InputError(
                f"{place}: line {line}: there is no word {word.head} to depend on; the last is {len(words)}"
            )
    for start, line in enumerate(lines, start=1):
        here, steps = start, 0
        while here and steps <= len(words):
            here, steps = words[here - 1].head, steps + 1
        if here:
            raise InputError(f"{place}: line {line}: its heads go round in a circle; a tree leads to its root")
