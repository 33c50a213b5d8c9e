"""What a comparison of models says, in sentences: which predicts better, by how much they differ, and along what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..data.tagging import NONE
from ..preference.divergence import DivergenceOfPair
from ..preference.division import CLASS, TOPIC, Division
from ..preference.word_classes import ClassOfPair
from ..results.diff_results import DiffResults
from ..statistics.intervals import Estimate
from ..statistics.verdicts import Verdict
from .finding import LEADING, UNTAGGED, beyond, largest_shares, of_contexts
from .numbers import figure, fixed
from .style import in_words, plural

FEW_DOCUMENTS = 20
NOTICEABLE = 0.1
"""Nats by which a context must move the difference to be told of: many documents make sure of less."""


def measured_on(results: DiffResults) -> str:
    """The text and what is compared in it."""
    corpus = results.corpus
    return f"{corpus.name}: {results.preference.occurrences:,} {results.unit}s in {corpus.documents:,} documents"


def diff_headline(results: DiffResults) -> str:
    """Which model predicts the text better, and by how much the two differ, in one sentence."""
    names, unit = results.names, results.unit
    size = results.division.size
    if size is not None and size.estimate == 0 and not any(advantage.estimate for advantage in results.difference):
        return f"{in_words(names)} are alike: they give every {unit} of this text the same probability."
    differ = "" if size is None else f" At a {unit} they differ by D = {figure(size)} nats."
    if len(names) > 2:
        best = max(results.difference, key=lambda advantage: advantage.estimate)
        return (
            f"Of {in_words(names)}, {best.model} predicts this text best: {figure(best, 3)} nats per {unit} "
            f"better than all on average.{differ}"
        )
    advantage: Estimate = results.difference[0]
    if advantage.low <= 0 <= advantage.high:
        return (
            f"Neither {names[0]} nor {names[1]} surely predicts this text better ({figure(advantage, 3)} nats per "
            f"{unit} for {names[0]}).{differ}"
        )
    if advantage.estimate < 0:
        advantage, names = Estimate(-advantage.estimate, -advantage.high, -advantage.low), names[::-1]
    return f"{names[0]} predicts this text better than {names[1]}, by {figure(advantage, 3)} nats per {unit}.{differ}"


def diff_sentences(results: DiffResults) -> list[str]:
    """The finding, each figure beside its control, then how the models were read."""
    division = results.division.as_division
    sentences = [
        _bits(results), *_warnings(results), _size(results, division), _shares(results, division), _contexts(results),
        *_beyond(results, division), _profile(results), _mixing(results, division), _divergence(results),
        _aligned(results), _control(results, division), *_resampled(results),
    ]  # fmt: skip
    return [sentence for sentence in sentences if sentence]


def _bits(results: DiffResults) -> str:
    of_scorers = ", ".join(f"{scorer.name} {scorer.bits_per_character:.3f}" for scorer in results.scorers)
    masked = any(scorer.kind == "masked" for scorer in results.scorers)
    return f"Bits per character: {of_scorers}" + (
        " (from pseudo-log-likelihoods where a model is masked)." if masked else "."
    )


def _warnings(results: DiffResults) -> list[str]:
    sentences = [f"Beware: {warning}." for warning in results.corpus.inventory.warnings()]
    kinds = {scorer.kind for scorer in results.scorers}
    if {"causal", "masked"} <= kinds:
        sentences.append(
            "Beware: a causal model sees what stands before a word, a masked one what stands on both sides. This is "
            "part of what they differ in."
        )
    if lossy := [scorer.name for scorer in results.scorers if scorer.lossless is False]:
        sentences.append(
            f"Beware: the tokenizer of {in_words(lossy)} does not keep capitals, accents or white space, and so has "
            "less to predict."
        )
    return sentences


def _size(results: DiffResults, division: Division) -> str:
    if division.size is None:
        return division.why
    text = f"Size: D = {figure(division.size)} nats at a {results.unit}"
    if division.strangers and division.strangers.size:
        first, control = results.scorers[0].name, (results.control.name if results.control else "")
        return f"{text}; {first} and the control {control} differ by {figure(division.strangers.size)}."
    return f"{text}."


def _shares(results: DiffResults, division: Division) -> str:
    if division.size is None:
        return ""
    return largest_shares(division.labels, results.unit)


def _contexts(results: DiffResults) -> str:
    rows = [row for row in results.division.contexts if abs(row.there - row.otherwise) >= NOTICEABLE]
    names = results.names
    return of_contexts(rows, minus(names), (lambda model: names[model - 1]) if len(names) > 2 else None)


def minus(names: Sequence[str]) -> str:
    """What a difference is of."""
    return f"{names[0]} minus {names[1]}" if len(names) == 2 else "a model's log-probability minus the mean of all"


def _beyond(results: DiffResults, division: Division) -> list[str]:
    if division.size is None or not division.size.estimate:
        return []
    untagged = results.corpus.tagger == NONE
    alone = replace(division, strangers=None)  # a control among models is told of in a sentence of its own
    return [
        beyond(alone, CLASS, UNTAGGED if untagged else "too few words have a word class", results.unit),
        beyond(alone, TOPIC, "the text has too few documents", results.unit),
    ]


def _profile(results: DiffResults) -> str:
    upos, names = results.word_classes.upos if results.word_classes else None, results.names
    if upos is None or len(names) > 2:
        return ""
    sure = [
        (plural(row.name), row.adjusted.mean) for row in upos.profile
        if isinstance(row, ClassOfPair) and row.compared and row.adjusted and row.adjusted.sure
    ]  # fmt: skip
    if not sure:
        return "Beyond frequency, no model surely predicts a word class better."

    def named(sign: int) -> str:
        classes = sorted(
            (class_mean for class_mean in sure if sign * class_mean[1] > 0),
            key=lambda class_mean: -sign * class_mean[1],
        )
        return ", ".join(f"{name} ({fixed(mean, signed=True)})" for name, mean in classes) or "none"

    return (
        f"Beyond frequency and their means, in nats, {names[0]} has the advantage in {named(1)}; {names[1]} in "
        f"{named(-1)} (false-discovery rate 5 %)."
    )


def _mixing(results: DiffResults, division: Division) -> str:
    surplus = division.surplus
    if surplus is None:
        return ""
    text = (
        f"beside the better one, the mean of their probabilities predicts the text {_than(surplus)} nats per "
        f"{results.unit}"
    )
    if division.strangers and division.strangers.surplus:
        return f"Surplus: {text}; {results.scorers[0].name} with the control {_than(division.strangers.surplus)}."
    return f"Both together: {text}."


def _than(gain: Estimate) -> str:
    """A gain, or a loss, as `better by` or `worse by`."""
    if gain.estimate >= 0:
        return f"better by {figure(gain, 3)}"
    return f"worse by {figure(Estimate(-gain.estimate, -gain.high, -gain.low), 3)}"


def _divergence(results: DiffResults) -> str:
    pairs = results.divergence or []
    if not pairs:
        return ""
    pair = pairs[0]
    first, second, means = pair.first, pair.second, pair.means
    return (
        f"Whole distributions ({means.tokens:,} tokens): KL({first} ‖ {second}) is {means.kl.estimate:.3f}, "
        f"KL({second} ‖ {first}) {means.kl_back.estimate:.3f}, Jensen–Shannon "
        f"{means.jensen_shannon.estimate:.3f} nats; the best guess is the same at "
        f"{100 * means.agreement.estimate:.0f} % of the tokens.{_furthest(pair)}"
    )


def _furthest(pair: DivergenceOfPair) -> str:
    """After which tokens they are furthest apart: words alone, whose interval lies above the mean."""
    mean = pair.means.jensen_shannon.estimate
    contexts = [
        f"“{row.name}” ({row.means.jensen_shannon.estimate:.3f})" for row in pair.groups
        if row.by == "token before" and row.name.isalpha() and row.means.jensen_shannon.low > mean
    ][:LEADING]  # fmt: skip
    return f" They are furthest apart (Jensen–Shannon) after {', '.join(contexts)}." if contexts else ""


def _aligned(results: DiffResults) -> str:
    alignment = results.alignment
    if results.unit != "word":
        return ""
    merged = alignment.words_not_aligned
    text = (
        "The models have different tokens, so words are compared, each as the sum over its tokens"
        if not results.same_vocabulary
        else "Words are compared, each as the sum over its tokens"
    )
    uncorrected = [scorer.name for scorer in results.scorers if scorer.corrected is False and scorer.kind != "masked"]
    note = (
        f". The sums of {in_words(uncorrected)} are not corrected for the white space before words: a file does not "
        "say where words begin"
        if uncorrected
        else ""
    )
    return (
        f"{text}{note}. {merged:,} of {alignment.words:,} words have no token of their own in one of the tokenizers, "
        "and are counted with their neighbours."
    )


def _control(results: DiffResults, division: Division) -> str:
    if division.strangers is None:
        return results.division.why
    words_of: dict[Verdict, str] = {
        "yes": "is more", "no": "is no more", "undecided": "may be more", "not measurable": "cannot be compared with",
    }  # fmt: skip
    return (
        f"Beside the control, what {in_words(results.names)} differ in {words_of[division.differ]}"
        f"{'' if division.differ == 'not measurable' else ' than'} what two models of one kind differ in anyway."
    )


def _resampled(results: DiffResults) -> list[str]:
    documents, sentences = results.corpus.documents, []
    if documents < FEW_DOCUMENTS:
        sentences.append(
            f"Only {documents} documents are measured. Intervals over so few are rough and tend to be too narrow; cut "
            "long documents with --prepare.section-words."
        )
    if results.unscored:
        sentences.append(
            f"{results.unscored:,} {results.unit}s have no log-probability under one of the models, and are left out."
        )
    return sentences
