"""What was found and how sure it is, in plain language; the same words at the end of a run and on top of the page."""

from __future__ import annotations

from ..preference.direction import Direction, divides
from ..preference.word_classes import ClassOfSeveral
from ..results.diff_results import DiffResults
from ..results.results import Results
from ..statistics.intervals import is_known
from .diff_finding import diff_headline, diff_sentences, measured_on
from .finding import are_strangers, finding_sentences, untagged, verdict_sentence
from .numbers import figure, fixed
from .style import plural

FEW_DOCUMENTS = 20


def headline(results: Results | DiffResults) -> str:
    """The ruler's verdict in one sentence: the only place that says whether the towers divide the work.

    Of a comparison of models, which predicts the text better.
    """
    if isinstance(results, DiffResults):
        return diff_headline(results)
    if results.model.towers == 1:
        return "One tower: a baseline with nothing to divide."
    return verdict_sentence(results.division, results.readouts.converged, are_strangers(results))


def sentences(results: Results | DiffResults) -> list[str]:
    """A few sentences, the finding first, each with its figure, interval and control."""
    if isinstance(results, DiffResults):
        return diff_sentences(results)
    sentences = []
    if results.model.towers > 1:
        sentences += finding_sentences(results)
        direction = results.direction
        others = [say(results) for say in (_takers, _context, _topic) if say(results)]
        if direction is not None:  # a division by direction makes one see all that follows with other eyes
            others.insert(0 if divides(direction) else len(others), _direction(direction))
        sentences += others
    sentences[1:1] = [f"Beware: {warning}." for warning in results.corpus.inventory.warnings()]
    sentences.append(_performance(results))
    if results.model.towers == 1:
        sentences.append("One tower has nothing to divide: it is a baseline for the perplexity of several.")
    documents = results.corpus.heldout_documents
    if documents < FEW_DOCUMENTS:
        sentences.append(
            f"Only {documents} documents are held out. Intervals over so few documents are rough and tend to be too "
            "narrow. Cut long documents with --prepare.section-words, or hold out more with --prepare.heldout."
        )
    if blocks := results.corpus.heldout_blocks:
        sentences.append(
            f"The {documents:,} held-out documents are resampled in {blocks:,} blocks of neighbours, which stand for "
            "single documents in intervals and halves."
        )
    return sentences


def summarize(results: Results | DiffResults) -> str:
    """The sentences as a block of text for a terminal."""
    return "\n".join(["", headline(results), _measured(results), *(f"- {sentence}" for sentence in sentences(results))])


def _measured(results: Results | DiffResults) -> str:
    if isinstance(results, DiffResults):
        return measured_on(results)
    corpus = results.corpus
    return (
        f"{corpus.name}: {results.training.tokens:,} tokens of training, "
        f"{corpus.heldout_tokens:,} held-out tokens in {corpus.heldout_documents} documents"
    )


def _performance(results: Results) -> str:
    """The perplexity of the model, beside what counting words gives; under readouts, of each tower alone."""
    perplexity, counted = results.training.heldout_perplexity, results.training.baselines
    towers = " and ".join(", ".join(f"{value:.0f}" for value in perplexity.towers).rsplit(", ", 1))
    kind = {"causal": "perplexity", "masked": "pseudo-perplexity (masked tokens)"}.get(
        results.model.objective, "pseudo-perplexity (from both directions)"
    )
    beside = f" (unigrams {counted.unigram:.0f}, bigrams {counted.bigram:.0f})"
    if len(perplexity.towers) == 1:
        return f"The held-out {kind} is {perplexity.joint:.0f}{beside}, and {towers} under a readout of its own."
    return (
        f"The held-out {kind} of the model is {perplexity.joint:.0f}{beside}. Under readouts that were trained "
        f"afterwards it is {towers} for each tower alone."
    )


def _takers(results: Results) -> str:
    upos = results.word_classes.upos if results.word_classes else None
    if upos is None or untagged(results):
        return ""  # the ruler's sentence on word class says so
    rows = [row for row in upos.profile if row.compared]
    if results.preference.types == 0:
        return (
            "What single word classes prefer cannot be measured: no type occurs often enough. Hold out more text, or "
            "lower --analyze.min-count."
        )
    if results.model.towers > 2:
        best: dict[int, list[str]] = {}
        for row in rows:
            if isinstance(row, ClassOfSeveral):
                best.setdefault(row.tower, []).append(plural(row.name))
        taken = "; ".join(f"tower {tower}: {', '.join(classes)}" for tower, classes in sorted(best.items()))
        return f"Beyond frequency, each word class is preferred most by one tower: {taken}."
    beyond = {row.name: row.each[0].adjusted for row in rows}
    sure = {name: adjusted.mean for name, adjusted in beyond.items() if adjusted and adjusted.sure}
    if not sure:
        return "Beyond frequency, neither tower surely prefers a word class."

    def named(sign: int) -> str:
        preferred = sorted((name for name in sure if sign * sure[name] > 0), key=lambda name: -sign * sure[name])
        return ", ".join(f"{plural(name)} ({fixed(sure[name], signed=True)})" for name in preferred) or "none"

    return (
        f"Beyond frequency, in nats, tower 1 prefers {named(1)}; tower 2 prefers {named(-1)} (false-discovery rate "
        "5 %, the same sign in every set of readouts)."
    )


def _context(results: Results) -> str:
    context = results.context
    if not context or not context.difference:
        return ""
    gains = " and ".join(f"{fixed(tower.estimate, 3)}" for tower in context.far)
    difference = context.difference
    differ = difference.low > 0 or difference.high < 0
    verdict = "The towers differ in how far they look" if differ else "The towers show no clear difference in reach"
    return (
        f"{verdict}: context beyond {context.near} tokens helps them by {gains} nats per token (difference "
        f"{figure(difference, digits=3)})."
    )


def _topic(results: Results) -> str:
    row = results.within_types.coefficient("topicality") if results.within_types else None
    if row is None or not is_known(row):
        return ""
    if row.low <= 0 <= row.high:
        return (
            "Neither tower gains more than the other where a type is typical of its document "
            f"({figure(row, digits=3)} nats per standard deviation of topicality)."
        )
    tower = 1 if row.estimate > 0 else 2
    return (
        f"Tower {tower} follows the topic: it is the better one where a type is typical of its document "
        f"({figure(row, digits=3)} nats per standard deviation of topicality)."
    )


def _direction(direction: Direction) -> str:
    losses = "; ".join(
        f"tower {tower.tower} {fixed(tower.before.estimate)} and {fixed(tower.after.estimate)}"
        for tower in direction.towers
    )
    text = (
        f"Reading direction: without the text before and without the text after a token, towers lose, in nats: "
        f"{losses}. Their balances differ by {figure(direction.difference)}"
    )
    if divides(direction):
        return text + (
            ": the towers divide the work by direction. A preference for some words may then be one for a side of the "
            "context, and a separation is no evidence of syntax and semantics by itself."
        )
    return text + (
        ": there is no large division by direction (0: both alike; 2: one only looks back, the other only ahead)."
    )
