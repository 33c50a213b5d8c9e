"""Minimal pairs: does a tower find the better of two sentences more probable?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...data.trees import Tree
from ...statistics.tallies import Floats
from ...system.errors import InputError
from ..findings.pairs import (
    FileOfPairs,
    GeneratedPairs,
    KindOfPairs,
    Pairs,
    Paradigm,
    SetOfPairs,
)
from ..occurrences import pieces_of
from ..sentences import Sentences, encode, longest, score_sentences
from ..subject import Subject
from ..words.word_counts import count_words, words_of
from .accuracy import FEWEST, difference, is_right, numbered, of_paradigms, paradigm_draws, share
from .minimal_pair import MinimalPair
from .pair_files import is_broken, read_files, suite_paths
from .pair_generation import Lexicon, generate
from .suites import score_suites
from .syntaxgym import read_suite

NAMED = 50
"""Pairs that are left out and named, at most, for each reason."""
FREQUENCY = "frequency"
"""The head that knows the frequency of each piece and nothing else: an untrained tower under its readout."""


def pairs(subject: Subject) -> Pairs:
    """Accuracy on ready and generated minimal pairs of the joint head, each tower and a model of frequencies alone.

    A sentence's score is its log-probability (see `sentences`); a pair is right where the better sentence has the
    higher one, ties count one half. Beside the sums, `per_word` divides them by the number of words. Writes
    `pairs.parquet`: a row for each scored pair, with both scores under each head.
    Pairs of one document are resampled together. Raises `InputError` where no pair is left.
    """
    settings = subject.config.know
    files = [file for place in settings.pairs for file in read_files(place)]
    ready = [pair for file in files for pair in file.pairs]
    suites = [read_suite(path) for place in settings.pairs for path in suite_paths(place)]
    new_pairs, generated = _generated(subject) if settings.treebank and settings.generated else ([], GeneratedPairs())
    candidates = [*ready, *new_pairs]
    if not candidates and not suites:
        raise InputError("know.pairs: nothing to score; give --pairs PATH, or --treebank FILE.conllu with --generated")
    fates, counts = _fates(subject, candidates)
    usable = [pair for pair, fate in zip(candidates, fates, strict=True) if not fate]
    scored_suites = score_suites(subject, suites) if suites else []
    if candidates and not usable:
        raise InputError(
            f"know.pairs: no pair is left of {len(candidates)}: words that are rare in the training text (below "
            f"--frequent {settings.frequent}) are in {sum(fate == 'rare' for fate in fates)}; give pairs of its words"
        )
    paradigms, kinds = list[Paradigm](), list[KindOfPairs]()
    if usable:
        table = _scored(subject, usable)
        table["least_frequent"] = [counts[pair] for pair in usable]
        table.to_parquet(subject.out / "pairs.parquet", index=False)
        paradigms, kinds = _figures(subject, table)
    return Pairs(
        heads=["joint", *(f"tower {k}" for k in range(1, subject.model.config.towers + 1)), FREQUENCY],
        files=[FileOfPairs(file.place, file.better, file.worse, len(file.pairs), file.replaced) for file in files],
        sets=_sets(candidates, fates),
        left_out={
            reason: [pair.source for pair, fate in zip(candidates, fates, strict=True) if fate == reason][:NAMED]
            for reason in ("identical", "broken")
        },
        generated=generated,
        suites=scored_suites,
        paradigms=paradigms,
        kinds=kinds,
    )


def heads_of(subject: Subject) -> dict[str, str]:
    """The names of the heads that are scored, and what they are called: the joint head, each tower's two readouts."""
    towers = range(1, subject.model.config.towers + 1)
    known = set(subject.model.readouts)
    heads = {"joint": "joint"} | {f"readout_{k}": f"tower {k}" for k in towers}
    return heads | ({f"second_{k}": f"second {k}" for k in towers} if "second" in known else {})


def _generated(subject: Subject) -> tuple[list[MinimalPair], GeneratedPairs]:
    trees = _unseen(subject, subject.trees())
    forms = sorted({token.lower() for tree in trees for token in tree.tokens} | {
        word.form.lower() for tree in trees for word in tree.words
    })  # fmt: skip
    words = words_of(subject.tokenizer, forms)
    counted = count_words(subject.text, [word for of_form in words for word in of_form])
    counts = {form: min((counted[word] for word in of_form), default=0)
              for form, of_form in zip(forms, words, strict=True)}  # fmt: skip
    lexicon = Lexicon.of(trees, lambda form: counts.get(form.lower(), 0), _Together(subject, trees))
    settings = subject.config.know
    new_pairs, available = generate(
        trees, lexicon, settings.frequent, settings.generated, subject.generator("pairs from trees")
    )
    return new_pairs, GeneratedPairs(len(trees), available, dict(Counter(pair.paradigm for pair in new_pairs)))


def _unseen(subject: Subject, trees: Sequence[Tree]) -> list[Tree]:
    """The sentences of documents that the towers were not trained on, as far as their names show."""
    table = pd.read_parquet(subject.run / "data" / "documents.parquet")
    trained = set(table.loc[~table["heldout"] & ~table["validation"], "name"]) if "name" in table else set()
    return [tree for tree in trees if tree.document not in trained]


class _Together:
    """How often a noun follows a verb in the training text, in lemmas of the treebank; words of one piece only."""

    def __init__(self, subject: Subject, trees: Sequence[Tree]) -> None:
        words = [word for tree in trees for word in tree.words if word.upos in ("VERB", "NOUN")]
        spelled = pieces_of([word.form.lower() for word in words], subject.tokenizer)
        self.rows: dict[str, int] = {}
        self.columns: dict[str, int] = {}
        verbs: dict[int, int] = {}
        nouns: dict[int, int] = {}
        for word, pieces in zip(words, spelled, strict=True):
            if len(pieces) == 1:
                lemmas, by_piece = (self.rows, verbs) if word.upos == "VERB" else (self.columns, nouns)
                by_piece.setdefault(pieces[0], lemmas.setdefault(word.lemma.lower(), len(lemmas)))
        self.reach = 5
        self.counts = cooccurrence(subject.text.train, verbs, nouns, (len(self.rows), len(self.columns)), self.reach)
        self.tokens = max(1, len(subject.text.train))
        totals = subject.piece_counts
        self.verb_totals = np.bincount(list(verbs.values()), totals[list(verbs)], len(self.rows))
        self.noun_totals = np.bincount(list(nouns.values()), totals[list(nouns)], len(self.columns))

    def __call__(self, verb: str, noun: str) -> tuple[int, float]:
        row, column = self.rows.get(verb), self.columns.get(noun)
        if row is None or column is None:
            return 0, 0.0
        expected = self.reach * float(self.verb_totals[row]) * float(self.noun_totals[column]) / self.tokens
        return int(self.counts[row, column]), expected


def cooccurrence(
    stream: NDArray[np.integer], verbs: dict[int, int], nouns: dict[int, int], shape: tuple[int, int], reach: int
) -> NDArray[np.int64]:
    """How often each noun comes within `reach` tokens after each verb: (verbs, nouns).

    `verbs` and `nouns` lead from a piece to the row or the column of its lemma.
    """
    row = np.full(int(max([*verbs, *nouns, 0])) + 1, -1)
    column = row.copy()
    row[list(verbs)] = list(verbs.values())
    column[list(nouns)] = list(nouns.values())
    counts = np.zeros(shape, dtype=np.int64)
    for begin in range(0, len(stream), 1 << 22):
        part = np.asarray(stream[begin : begin + (1 << 22) + reach], dtype=np.int64)
        known = part < len(row)
        first = np.where(known, row[np.minimum(part, len(row) - 1)], -1)
        second = np.where(known, column[np.minimum(part, len(row) - 1)], -1)
        for away in range(1, reach + 1):
            in_one_sentence = (first[:-away] >= 0) & (second[away:] >= 0)
            in_one_sentence[1 << 22 :] = False
            np.add.at(counts, (first[:-away][in_one_sentence], second[away:][in_one_sentence]), 1)
    return counts


def _fates(subject: Subject, candidates: Sequence[MinimalPair]) -> tuple[list[str], dict[MinimalPair, int]]:
    """Why each pair is left out, empty where it is not; and the count of the rarest word of each pair."""
    settings = subject.config.know
    words = words_of(subject.tokenizer, [text for pair in candidates for text in (pair.good, pair.bad)])
    counted = count_words(subject.text, [word for sentence in words for word in sentence])
    unknown = subject.vocabulary.unknown
    most = longest(subject.model)
    fates: list[str] = []
    rarest: dict[MinimalPair, int] = {}
    for number, pair in enumerate(candidates):
        sentences = words[2 * number], words[2 * number + 1]
        least = min((counted[word] for sentence in sentences for word in sentence), default=0)
        rarest[pair] = least
        if pair.good == pair.bad or sentences[0] == sentences[1]:
            fates.append("identical")
        elif is_broken(pair):
            fates.append("broken")
        elif max(sum(map(len, sentence)) for sentence in sentences) > most:
            fates.append("long")
        elif least < settings.frequent or any(unknown in word for sentence in sentences for word in sentence):
            fates.append("rare")
        else:
            fates.append("")
    generator = subject.generator("which pairs")
    paradigms = numbered([f"{pair.set}\0{pair.paradigm}" for pair in candidates])
    usable = np.array([not fate for fate in fates], dtype=bool)
    for paradigm in np.unique(paradigms[usable]):
        members = np.flatnonzero(usable & (paradigms == paradigm))
        for number in generator.permutation(members)[settings.most_pairs :].tolist():
            fates[number] = "beyond the limit"
    return fates, rarest


def _sets(candidates: Sequence[MinimalPair], fates: Sequence[str]) -> list[SetOfPairs]:
    sets = []
    for name in dict.fromkeys(pair.set for pair in candidates):
        mine = Counter(fate for pair, fate in zip(candidates, fates, strict=True) if pair.set == name)
        total, rare = sum(mine.values()), mine["rare"]
        left_out = {fate: count for fate, count in mine.items() if fate}
        sets.append(SetOfPairs(name, total, total - rare - mine["long"], scored=mine[""], left_out=left_out))
    return sets


def _scored(subject: Subject, pairs: Sequence[MinimalPair]) -> pd.DataFrame:
    """A row for each pair: its sentences, words and, for each head, the log-probabilities of both in nats."""
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.good, pair.bad)))
    sentences = encode(subject.tokenizer, texts)
    place = {text: number for number, text in enumerate(texts)}
    columns = heads_of(subject)
    scores = score_sentences(subject.model, sentences, subject.vocabulary, list(columns), "pairs")
    totals = {name: sentences.total(scores[head]) for head, name in columns.items()}
    totals[FREQUENCY] = sentences.total(subject.text.log_frequencies[sentences.pieces].astype(np.float64))
    words = _word_counts(sentences)
    table = pd.DataFrame([asdict(pair) for pair in pairs])
    for side in ("good", "bad"):
        chosen = np.array([place[getattr(pair, side)] for pair in pairs])
        table[f"words_{side}"] = words[chosen]
        for name, values in totals.items():
            # Float32, as the model's own: what differs by less is a tie.
            table[f"{name} {side}"] = values[chosen].astype(np.float32)
    return table


def _word_counts(sentences: Sentences) -> Floats:
    """Words of each sentence, (sentences,)."""
    first = np.ones(len(sentences.words), dtype=bool)
    first[1:] = (sentences.words[1:] != sentences.words[:-1]) | (sentences.of[1:] != sentences.of[:-1])
    return sentences.total(first.astype(np.float64))


def _figures(subject: Subject, table: pd.DataFrame) -> tuple[list[Paradigm], list[KindOfPairs]]:
    generator = subject.generator("pairs")
    draws, confidence = subject.config.analyze.bootstrap, subject.config.analyze.confidence
    towers = subject.model.config.towers
    heads = [*heads_of(subject).values(), FREQUENCY]
    shown_heads = [head for head in heads if not head.startswith("second")]
    right = {head: is_right(*(table[f"{head} {side}"].to_numpy() for side in ("good", "bad"))) for head in heads}
    per_word = {
        head: is_right(*(table[f"{head} {side}"].to_numpy() / table[f"words_{side}"] for side in ("good", "bad")))
        for head in shown_heads
    }
    cluster = np.where(table["document"] != "", "document " + table["document"], table["source"] + table["paradigm"])
    paradigms, kinds = [], []
    counted: list[str] = []
    drawn: dict[tuple[str, str], list[dict[str, Floats]]] = {}
    for (name, paradigm), part in table.groupby(["set", "paradigm"], sort=False):
        rows = part.index.to_numpy()
        mine = {head: values[rows] for head, values in right.items()}
        inside = numbered(list(cluster[rows]))
        means = paradigm_draws(mine, inside, draws, generator)
        kind = part["kind"].iloc[0]
        if len(rows) >= FEWEST:
            drawn.setdefault((str(name), kind), []).append(means)
            counted.append(f"{name}\0{paradigm}")
        alone = np.zeros(len(rows), dtype=np.int64)
        paradigms.append(Paradigm(
            str(name), str(paradigm), str(kind), len(rows),
            accuracy={head: share(means[head], confidence) for head in shown_heads},
            per_word={head: float(values[rows].mean()) for head, values in per_word.items()},
            difference=difference(means, towers, mine, inside, alone, draws, confidence, generator),
        ))  # fmt: skip
    for (name, kind), members in drawn.items():
        mine_too = (table["set"] + "\0" + table["paradigm"]).isin(counted)
        rows = np.flatnonzero((table["set"] == name) & (table["kind"] == kind) & mine_too)
        means = of_paradigms(members, generator)
        mine = {head: values[rows] for head, values in right.items()}
        inside = numbered(list(cluster[rows]))
        paradigm_numbers = numbered(list(table["paradigm"].iloc[rows]))
        kinds.append(KindOfPairs(
            name, str(kind), len(members), len(rows),
            accuracy={head: share(means[head], confidence) for head in shown_heads},
            difference=difference(means, towers, mine, inside, paradigm_numbers, draws, confidence, generator),
        ))  # fmt: skip
    return paradigms, kinds
