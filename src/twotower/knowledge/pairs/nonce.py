"""Minimal pairs in which grammar stands alone, and pairs in which grammar and plausibility disagree.

A *nonce* pair is a pair of syntax whose other content words gave way to words of the same form: both sentences are
meaningless, and one is ungrammatical. In a *conflict* pair the better sentence is grammatical and implausible, and the
worse one plausible and ungrammatical, both made from one sentence: who goes by grammar is right, who goes by meaning
wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...data.tagging import CONTENT
from ...data.trees import Tree, TreeWord

NONCE, CONFLICT = "nonce", "conflict"
FEWEST = 2
"""Different other forms that a word is drawn from, at least."""
LETTERS = 3
"""Of a form that takes the place of another, at least: shorter ones are mostly function words that were mistagged."""
Forms = dict[tuple[str, str, bool], Counter[str]]
"""By part of speech, features and whether it begins with a vowel: lower-cased forms and how often they occur."""


def forms_of(trees: Sequence[Tree]) -> Forms:
    """The content words of a treebank by their form; names and numbers are left out."""
    forms: Forms = defaultdict(Counter)
    for tree in trees:
        for word in tree.words:
            if _may_change(tree, word) and len(word.form) >= LETTERS:
                forms[_form(word)][word.form.lower()] += 1
    return forms


def nonce_change(
    tree: Tree, kept: Mapping[int, str], forms: Forms, usable: Mapping[str, bool], generator: np.random.Generator
) -> dict[int, str] | None:
    """Other words for the content words of a sentence, by the place of the token; None where one finds none.

    The tokens in `kept` stay, because they are what the pair is about. `usable` says which forms are frequent enough.
    """
    change: dict[int, str] = {}
    for word in tree.words:
        if word.token in kept or not _may_change(tree, word):
            continue
        others = [form for form in sorted(forms[_form(word)]) if usable[form] and form != word.form.lower()]
        if len(others) < FEWEST:
            return None
        change[word.token] = others[int(generator.integers(len(others)))]
    return change or None


def conflicts(syntax: Sequence[Mapping[int, str]], meaning: Sequence[Mapping[int, str]]) -> Iterator[tuple[int, int]]:
    """Which changes of syntax and of meaning, by their numbers, touch no token in common."""
    for first, syntax_change in enumerate(syntax):
        for second, other in enumerate(meaning):
            if not syntax_change.keys() & other.keys():
                yield first, second


def _may_change(tree: Tree, word: TreeWord) -> bool:
    return (
        word.upos in CONTENT - {"PROPN", "NUM"} and tree.tokens[word.token] == word.form and word.form.isalpha()
    )  # fmt: skip


def _form(word: TreeWord) -> tuple[str, str, bool]:
    features = "|".join(f"{name}={value}" for name, value in sorted(word.features.items()))
    return word.upos, features, word.form[:1].lower() in "aeiou"
