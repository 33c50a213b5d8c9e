"""What can be read off each tower's states by a linear classifier: part of speech, relation, lemma, topic."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...statistics.intervals import centred_estimate
from ...statistics.tallies import Floats
from ...system.errors import InputError
from ...system.progress import Progress
from ..findings.decoding import (
    ChosenDecoding,
    DecodedTask,
    DecodedView,
    Decoding,
    DecodingFigures,
    DifferenceInDecoding,
    Majority,
    TaskLeftOut,
    WordsOfTask,
)
from ..representations import Ids
from ..subject import Subject
from .treebank import DEV, TEST, TRAIN, Treebank, View, choose_sentences, draw_weights, ratio, views_of

LEMMAS = 50
"""Frequent lemmas of open classes that are told apart."""
FEWEST_TRAIN = 10
"""Training words that a label has; words of rarer ones are left out."""
FEWEST_LABELS = 2
GENRES = (2, 20)
"""Topics that documents are divided into, from and to."""
FEWEST_DOCUMENTS = 5
OPEN = ("NOUN", "VERB", "ADJ", "ADV", "PROPN")
PORTIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0)
"""Shares of the training words after which a new classifier codes those up to the next; as in Voita and Titov (2020),
but from 1 %, since there are fewer words."""
ITERATIONS = 200


@dataclass(frozen=True)
class Task:
    """Words with a label each."""

    name: str
    labels: tuple[str, ...]
    word: Ids
    """The words that have one of the labels, (members,); counted over all sentences."""
    label: Ids
    """(members,)"""
    control: Ids
    """A random label of each word's type, the same wherever it occurs; (members,)."""
    seen: NDArray[np.bool_]
    """Whether the word's type occurs among the training words of this task, (members,)."""


def decoding(subject: Subject) -> Decoding:
    """Linear decoding from every layer of every tower. Needs `know.treebank`.

    Logistic regression on standardized states tells, for each word of a gold treebank, its part of speech (`upos`), its
    relation to its head (`deprel`, without subtypes), its `lemma` (the 50 most frequent of open classes), and the
    `topic` of its document: the first group of `analyze.clusters` in its name, or the letters that its name begins
    with (of UD EWT: weblog, newsgroup, email, reviews, answers). Trained on the training sentences; the figures are of
    the test sentences. For each task and view:

    - `accuracy`;
    - `control` and `selectivity` (Hewitt and Liang 2019): accuracy on random labels of word types, in the proportions
      of the task's, and the accuracy on the task minus that, both on test words whose type occurs in training;
    - `compression`: the length of the training labels in a uniform code over that of their online code (Voita and Titov
      2020), and `codelength` in bits. Each classifier's probabilities are mixed with uniform ones, which weigh as if
      every label had been seen once more: a label that it has not seen has a code, too.

    Each task has its `majority` (accuracy of the commonest label, and the compression of a code that knows the labels'
    frequencies so far, which is the null of compression), `chosen` layers of each tower (by accuracy on the dev
    sentences) beside their controls, and `differences` between towers. A task that cannot be is `left_out`, with the
    reason. Intervals resample documents, or sentences where there are few; those of compression hold the order of the
    words and the classifiers fixed. Raises `InputError` as `choose_sentences` does.
    """
    settings = subject.config
    treebank = choose_sentences(subject, settings.know.decoding_sentences, "decoding")
    views = views_of(subject, treebank)
    generator = subject.generator("decoding")
    tasks, reasons = tasks_of(treebank, settings.analyze.clusters, generator)
    if not tasks:
        raise InputError(
            f"know.treebank: nothing can be decoded: {'; '.join(f'{name}: {why}' for name, why in reasons.items())}; "
            "give a larger treebank"
        )
    by_task: dict[str, DecodedTask | TaskLeftOut] = {name: TaskLeftOut(why) for name, why in reasons.items()}
    with Progress("decoding", len(tasks) * len(views), "view") as progress:
        for task in tasks:
            by_task[task.name] = decode(
                task, treebank, views, settings.analyze.bootstrap, settings.analyze.confidence, settings.seed, progress
            )
    tasks_found = {name: by_task[name] for name in ("upos", "deprel", "lemma", "topic")}
    return Decoding(treebank.sentences_used, treebank.words_used, tasks_found)


def tasks_of(treebank: Treebank, clusters: str, generator: np.random.Generator) -> tuple[list[Task], dict[str, str]]:
    """The tasks that this treebank allows, and why it does not allow the others."""
    words = [word for tree in treebank.trees for word in tree.words]
    topics = _topics([tree.document for tree in treebank.trees], clusters)
    per_word = [topics[number] for number in treebank.of]
    part = treebank.part[treebank.of]
    content = Counter(
        word.lemma.lower() for word, where in zip(words, part, strict=True) if where == TRAIN and word.upos in OPEN
    )
    lemmas = {lemma for lemma, _ in sorted(content.items(), key=lambda counted: (-counted[1], counted[0]))[:LEMMAS]}
    columns: dict[str, list[str]] = {
        "upos": [word.upos for word in words],
        "deprel": [word.relation for word in words],
        "lemma": [word.lemma.lower() if word.upos in OPEN and word.lemma.lower() in lemmas else "" for word in words],
        "topic": [topic if word.upos != "PUNCT" else "" for topic, word in zip(per_word, words, strict=True)],
    }
    types = np.array([word.form.lower() for word in words])
    tasks, reasons = [], {}
    for name, column in columns.items():
        counts = Counter(label for label, where in zip(column, part, strict=True) if where == TRAIN and label)
        labels = tuple(sorted(label for label, count in counts.items() if count >= FEWEST_TRAIN))
        if len(labels) < FEWEST_LABELS:
            reasons[name] = f"fewer than {FEWEST_LABELS} labels with {FEWEST_TRAIN} training words each"
            if name == "topic":
                reasons[name] += "; name them by --analyze.clusters, a pattern in the names of documents"
            continue
        number = {label: index for index, label in enumerate(labels)}
        member = np.array([place for place, label in enumerate(column) if label in number])
        if not all((part[member] == where).any() for where in (TRAIN, DEV, TEST)):
            reasons[name] = "no word in the training, dev or test sentences"
            continue
        label = np.array([number[column[place]] for place in member])
        mine, of_type = np.unique(types[member], return_inverse=True)
        training = part[member] == TRAIN
        shares = np.bincount(label[training], minlength=len(labels)) / training.sum()
        control = generator.choice(len(labels), size=len(mine), p=shares)[of_type]
        seen = np.isin(of_type, of_type[training])
        tasks.append(Task(name, labels, member, label, control, seen))
    return tasks, reasons


def _topics(documents: Sequence[str], clusters: str) -> list[str]:
    """The topic of each document by its name; empty where it has none."""
    pattern = re.compile(clusters or r"^([^\W\d_]+)")
    names = [match.group(1) if (match := pattern.search(name)) else "" for name in documents]
    held = Counter(names[documents.index(name)] for name in set(documents))
    common = {topic for topic, count in held.items() if topic and count >= FEWEST_DOCUMENTS}
    return [name if name in common and len(common) in range(GENRES[0], GENRES[1] + 1) else "" for name in names]


def decode(
    task: Task,
    treebank: Treebank,
    views: Sequence[View],
    draws: int,
    confidence: float,
    seed: int,
    progress: Progress | None = None,
) -> DecodedTask:
    """One task from every view, with intervals from `draws` of documents (or sentences); see `decoding`."""
    part = treebank.part[treebank.of][task.word]
    group = treebank.group[treebank.of][task.word]
    train, dev, test = (np.flatnonzero(part == where) for where in (TRAIN, DEV, TEST))
    # Whole documents in random order: what comes later in the online code is from others.
    dealt = np.random.default_rng(seed).permutation(int(group.max()) + 1)
    train = train[np.argsort(dealt[group[train]], kind="stable")]
    weights = draw_weights(group[test], draws, np.random.default_rng([seed, 1]))
    coded = draw_weights(group[train], draws, np.random.default_rng([seed, 2]))
    seen = task.seen[test].astype(np.float64)
    ones, uniform = np.ones(len(test)), np.full(len(train), np.log2(len(task.labels)))
    drawn: dict[str, dict[str, Floats]] = {}
    on_dev: dict[str, float] = {}
    bits: dict[str, float] = {}
    unconverged = 0
    for view in views:
        states = view.states.numpy()[task.word]
        right, unfinished = fit_predict(states, task.label, train, np.concatenate([dev, test]))
        chance, unfinished_too = fit_predict(states, task.control, train, test)
        lengths, unfinished_code = codelengths(states[train], task.label[train], len(task.labels))
        unconverged += unfinished + unfinished_too + unfinished_code
        hits = (right == task.label[np.concatenate([dev, test])]).astype(np.float64)
        on_dev[view.name] = float(hits[: len(dev)].mean())
        hits = hits[len(dev) :]
        control = (chance == task.control[test]).astype(np.float64)
        drawn[view.name] = {
            "accuracy": ratio(weights, hits, ones),
            "control": ratio(weights, control * seen, seen),
            "selectivity": ratio(weights, (hits - control) * seen, seen),
            "compression": ratio(coded, uniform, lengths),
        }
        bits[view.name] = float(lengths.sum())
        if progress is not None:
            progress.advance(1)
    common = np.bincount(task.label[train]).argmax()
    plain = adaptive_codelengths(task.label[train], len(task.labels))
    majority = {
        "accuracy": ratio(weights, (task.label[test] == common).astype(np.float64), ones),
        "compression": ratio(coded, uniform, plain),
    }
    figures = {name: _figures(measures, confidence) for name, measures in drawn.items()}
    common_label = Majority(**{name: centred_estimate(values, confidence) for name, values in majority.items()})
    chosen, differences = _of_towers(views, on_dev, drawn, figures, common_label, confidence)
    return DecodedTask(
        labels=len(task.labels),
        words=WordsOfTask(len(train), len(dev), len(test), test_of_seen_types=int(seen.sum())),
        unconverged=unconverged,
        views=[
            DecodedView(**view.labels, dev=on_dev[view.name], codelength=bits[view.name], **vars(figures[view.name]))
            for view in views
        ],
        majority=common_label,
        chosen=chosen,
        differences=differences,
    )


def _figures(drawn: dict[str, Floats], confidence: float) -> DecodingFigures:
    return DecodingFigures(**{name: centred_estimate(values, confidence) for name, values in drawn.items()})


def _of_towers(
    views: Sequence[View],
    on_dev: dict[str, float],
    drawn: dict[str, dict[str, Floats]],
    figures: dict[str, DecodingFigures],
    majority: Majority,
    confidence: float,
) -> tuple[list[ChosenDecoding], list[DifferenceInDecoding]]:
    towers = sorted({view.tower for view in views if view.tower})
    layers = {tower: [view for view in views if view.tower == tower and view.trained] for tower in towers}
    best = {tower: max(layers[tower], key=lambda view: on_dev[view.name]) for tower in towers}

    def minus(first: str, second: str) -> DecodingFigures:
        return _figures({name: values - drawn[second][name] for name, values in drawn[first].items()}, confidence)

    chosen = []
    for tower, view in best.items():
        controls = {"untrained": f"untrained {view.name}", "embedding": "embedding"}
        null: dict[str, DecodingFigures | Majority] = {
            control: figures[name] for control, name in controls.items() if name in figures
        }
        over = minus(view.name, "embedding") if "embedding" in drawn else None
        chosen.append(ChosenDecoding(
            tower, view.layer, **vars(figures[view.name]), null=null | {"majority": majority}, over_embedding=over
        ))  # fmt: skip
    differences: list[DifferenceInDecoding] = []
    for first, second in combinations(towers, 2):
        pairs: list[tuple[View, View, int | str]] = [
            (view, other, view.layer or 0) for view, other in zip(layers[first], layers[second], strict=True)
        ]
        pairs.append((best[first], best[second], "chosen"))
        differences += [
            DifferenceInDecoding([first, second], layer, **vars(minus(view.name, other.name)))
            for view, other, layer in pairs
        ]
    return chosen, differences


def _classifier(states: NDArray[np.float32], labels: Ids) -> tuple[Any, bool]:
    """Logistic regression on standardized states, and whether it stopped before it had converged."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS, tol=1e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # counted below
        # The control task has a label for each word type, so that there may be nearly as many as words.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        model.fit(states, labels)
    return model, bool(model[-1].n_iter_.max() >= ITERATIONS)


def fit_predict(states: NDArray[np.float32], labels: Ids, train: Ids, test: Ids) -> tuple[Ids, bool]:
    """The predicted labels of the words `test`, and whether training stopped unfinished.

    `states` (words, width) and `labels` (words,); `train` and `test` are places in them.
    """
    if len(np.unique(labels[train])) == 1:
        return np.full(len(test), labels[train[0]]), False
    model, unfinished = _classifier(states[train], labels[train])
    predicted: Ids = model.predict(states[test])
    return predicted, unfinished


def codelengths(states: NDArray[np.float32], labels: Ids, kinds: int) -> tuple[Floats, int]:
    """Bits of each label in the online code (Voita and Titov 2020, section 2.2), (words,), and unfinished trainings.

    The first portion has a uniform code. Each further one is coded by a classifier of all words before it, whose
    probabilities p are mixed with uniform ones: (n p + kinds / kinds) / (n + kinds) after n words.
    """
    count = len(labels)
    edges = sorted({max(1, round(share * count)) for share in PORTIONS})
    bits = np.full(count, np.log2(kinds))
    unfinished = 0
    for begin, end in pairwise(edges):
        known = np.unique(labels[:begin])
        likely = np.zeros((end - begin, kinds))
        if len(known) == 1:
            likely[:, known[0]] = 1
        else:
            model, stopped = _classifier(states[:begin], labels[:begin])
            unfinished += stopped
            likely[:, known] = model.predict_proba(states[begin:end])
        mixed = (begin * likely[np.arange(end - begin), labels[begin:end]] + 1) / (begin + kinds)
        bits[begin:end] = -np.log2(mixed)
    return bits, unfinished


def adaptive_codelengths(labels: Ids, kinds: int) -> Floats:
    """Bits of each label in a code that knows how often each was seen before, plus one; (words,)."""
    counts = np.ones(kinds)
    bits = np.empty(len(labels))
    for place, label in enumerate(labels):
        bits[place] = -np.log2(counts[label] / counts.sum())
        counts[label] += 1
    return bits
