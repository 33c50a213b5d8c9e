"""The best projective dependency tree (Eisner 1996), for many sentences of one length at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tallies import Floats


def eisner(scores: Floats) -> NDArray[np.int64]:
    """Heads of the projective tree of one root whose arcs have the greatest sum.

    `scores` (sentences, words, words) is that of an arc from a head (second axis) to a dependent (third axis); its
    diagonal scores the word as the root. Returns the head of each word, from 0, and -1 for the root: (sentences,
    words).
    """
    count, words, _ = scores.shape
    # Eisner's spans between i and j: [direction] 0: the head is j, 1: it is i. Complete ones end in a word whose
    # dependents on that side are all found; incomplete ones are an arc between i and j.
    complete = np.zeros((2, words, words, count))
    incomplete = np.zeros((2, words, words, count))
    split_complete = np.zeros((2, words, words, count), dtype=np.int64)
    split_incomplete = np.zeros((words, words, count), dtype=np.int64)
    for width in range(1, words):
        for i in range(words - width):
            j = i + width
            inner = complete[1, i, i:j] + complete[0, i + 1 : j + 1, j]
            best = inner.argmax(axis=0)
            top = np.take_along_axis(inner, best[None], axis=0)[0]
            split_incomplete[i, j] = best + i
            incomplete[0, i, j] = top + scores[:, j, i]
            incomplete[1, i, j] = top + scores[:, i, j]
            leftward = complete[0, i, i:j] + incomplete[0, i:j, j]
            best = leftward.argmax(axis=0)
            complete[0, i, j] = np.take_along_axis(leftward, best[None], axis=0)[0]
            split_complete[0, i, j] = best + i
            rightward = incomplete[1, i, i + 1 : j + 1] + complete[1, i + 1 : j + 1, j]
            best = rightward.argmax(axis=0)
            complete[1, i, j] = np.take_along_axis(rightward, best[None], axis=0)[0]
            split_complete[1, i, j] = best + i + 1
    roots = np.array([complete[0, 0, r] + complete[1, r, words - 1] + scores[:, r, r] for r in range(words)])
    heads = np.full((count, words), -1, dtype=np.int64)
    for sentence, root in enumerate(roots.argmax(axis=0).tolist()):
        open_spans = [(0, root, 0, True), (root, words - 1, 1, True)]
        while open_spans:
            i, j, direction, whole = open_spans.pop()
            if i == j:
                continue
            if not whole:
                head, dependent = (j, i) if direction == 0 else (i, j)
                heads[sentence, dependent] = head
                k = int(split_incomplete[i, j, sentence])
                open_spans += [(i, k, 1, True), (k + 1, j, 0, True)]
            elif direction == 0:
                k = int(split_complete[0, i, j, sentence])
                open_spans += [(i, k, 0, True), (k, j, 0, False)]
            else:
                k = int(split_complete[1, i, j, sentence])
                open_spans += [(i, k, 1, False), (k, j, 1, True)]
    return heads
