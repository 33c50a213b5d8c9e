"""What was found and how sure it is, in plain language; the same words at the end of a run and on top of the page."""

from __future__ import annotations

from typing import Any

from ..data.inventory import Inventory
from ..preference.direction import divides
from .style import plural

FEW_DOCUMENTS = 20


def headline(results: dict[str, Any]) -> str:
    """The finding in one sentence."""
    if results["model"]["towers"] == 1:
        return "One tower: a baseline with nothing to divide."
    if not is_reliable(results["reliability"]):
        return "This run shows no reliable division of the work between its towers."
    if results.get("direction") and divides(results["direction"]):
        return _by_direction(results["direction"]["towers"])
    found = _upos(results)
    if found is None or not beyond_null(found["spread"]):
        return "The towers divide the work reliably, but this run shows no division by word class."
    ordered = sorted(_sure(found), key=lambda row: -float(row["mean"])) if results["model"]["towers"] == 2 else []
    first = " and ".join(plural(row["class"]) for row in ordered[:2] if row["mean"] > 0)
    second = " and ".join(plural(row["class"]) for row in ordered[:-3:-1] if row["mean"] < 0)
    if not first or not second:
        return "The towers divide the work reliably, in part by word class."
    return (
        f"The towers divide the work reliably, in part by word class: tower 1 leans most to {first}, tower 2 to "
        f"{second}."
    )


def _by_direction(towers: list[dict[str, Any]]) -> str:
    """The finding where direction divides the towers: what it explains looks like a division by word class."""
    text = "The towers divide the work reliably, by reading direction"
    if len(towers) > 2:
        return text + "."
    back, ahead = sorted(towers, key=lambda tower: -float(tower["balance"]["estimate"]))
    return (
        f"{text}: tower {back['tower']} leans on what stands before a token, tower {ahead['tower']} on what stands "
        "after it."
    )


def sentences(results: dict[str, Any]) -> list[str]:
    """A few sentences, the finding first, each with its figure, interval and null."""
    said = []
    if results["model"]["towers"] > 1:
        said.append(_reliability(results))
        direction = results.get("direction")
        about = [] if direction is None else [_direction(direction)]
        leads = direction is not None and divides(direction)
        said += about if leads else []
        said += [say(results) for say in (_word_class, _takers, _nominal, _separation, _context) if say(results)]
        said += [say(results) for say in (_made_of, _topic, _clusters) if say(results)]
        said += [] if leads else about
        if results.get("emergence", {}).get("evaluations"):
            said.append(_emergence(results["emergence"]))
    if read := results["corpus"].get("inventory"):  # runs of earlier versions have none
        said[1:1] = [f"Beware: {warning}." for warning in Inventory.from_dict(read).warnings()]
    said.append(_performance(results))
    if results["model"]["towers"] == 1:
        said.append("One tower has nothing to divide: it is a baseline for the perplexity of several.")
    documents = results["corpus"]["heldout_documents"]
    if documents < FEW_DOCUMENTS:
        said.append(
            f"Only {documents} documents are held out. Intervals over so few documents are rough and tend to be too "
            "narrow. Cut long documents with --prepare.section-words, or hold out more with --prepare.heldout."
        )
    if blocks := results["corpus"].get("heldout_blocks"):
        said.append(
            f"The {documents:,} held-out documents are resampled in {blocks:,} blocks of neighbours, which stand for "
            "single documents in intervals and halves."
        )
    return said


def summarize(results: dict[str, Any]) -> str:
    """The sentences as a block of text for a terminal."""
    corpus, training = results["corpus"], results["training"]
    head = (
        f"{corpus['name']}: {training['tokens']:,} tokens of training, "
        f"{corpus['heldout_tokens']:,} held-out tokens in {corpus['heldout_documents']} documents"
    )
    return "\n".join(["", headline(results), head, *(f"- {sentence}" for sentence in sentences(results))])


def figure(values: dict[str, Any], key: str = "estimate", digits: int = 2) -> str:
    """An estimate with its interval, `0.71 [0.65, 0.76]`; `not available` where it cannot be had."""
    if values.get(key) is None:
        return "not available"
    text = f"{values[key]:.{digits}f}"
    if values.get("low") is None:
        return text + " (no interval)"
    return f"{text} [{values['low']:.{digits}f}, {values['high']:.{digits}f}]"


def _performance(results: dict[str, Any]) -> str:
    perplexity = results["training"]["heldout_perplexity"]
    towers = " and ".join(", ".join(f"{value:.0f}" for value in perplexity["towers"]).rsplit(", ", 1))
    kind = {"causal": "perplexity", "masked": "pseudo-perplexity (masked tokens)"}.get(
        results["model"]["objective"], "pseudo-perplexity (from both directions)"
    )
    if len(perplexity["towers"]) == 1:
        return f"The held-out {kind} is {perplexity['joint']:.0f}, and {towers} under a readout of its own."
    return (
        f"The held-out {kind} is {perplexity['joint']:.0f} for all towers together, and {towers} for each tower alone "
        "under its own readout."
    )


def _reliability(results: dict[str, Any]) -> str:
    reliability, preference = results["reliability"], results["preference"]
    if preference["sd"] is None or reliability["estimate"] is None:
        return "There is too little held-out text: fewer than three pieces occur often enough to measure preference."
    across = reliability.get("across_readouts")
    size = f"Preferences have a standard deviation of {preference['sd']:.2f} nats over {preference['types']:,} pieces"
    if across is None or across["estimate"] is None:
        return f"Preferences agree between halves of the documents with r = {figure(reliability)}. {size}."
    verdict = "The towers divide the work reliably" if is_reliable(reliability) else "No reliable division is seen"
    return (
        f"{verdict}: preferences measured on other documents with other readouts correlate with r = {figure(across)}. "
        f"If the towers did not differ, r would be 0. Across documents alone, r = {figure(reliability)}. {size}."
    )


def is_reliable(reliability: dict[str, Any]) -> bool:
    """Whether the preference is reliable across documents and readouts: the interval lies above 0."""
    across = reliability.get("across_readouts")
    return bool(across and across["low"] is not None and across["low"] > 0)


def _upos(results: dict[str, Any]) -> dict[str, Any] | None:
    found = (results.get("word_classes") or {}).get("upos")
    return found if found and found["spread"] else None


def beyond_null(values: dict[str, Any]) -> bool:
    """Whether a figure lies above the bound of its permutation null and above the interval of its noise floor."""
    floor = values["noise_floor"]
    return bool(values["estimate"] > values["null"]["high"]) and (
        floor is None or floor["high"] is None or bool(values["estimate"] > floor["high"])
    )


def _word_class(results: dict[str, Any]) -> str:
    found = _upos(results)
    if found is None:
        return "The text has too few tagged words to compare word classes."
    spread, explained = found["spread"], found["explained"]
    matters = "Word class matters beyond frequency" if beyond_null(spread) else "No clear effect of word class is seen"
    text = (
        f"{matters}: the spread of the classes' mean preferences is {figure(spread)} nats. Exchanging labels between "
        f"words of like frequency gives {spread['null']['mean']:.2f} on average and at most "
        f"{spread['null']['high']:.2f} in 95 % of cases (p = {spread['p_value']:.2g})"
    )
    if rest := spread.get("without_most_frequent"):  # absent from runs of earlier versions
        text += (
            f". Without the ten most frequent words it is {rest['estimate']:.2f}, and chance gives at most "
            f"{rest['null']['high']:.2f} (p = {rest['p_value']:.2g})"
        )
    if explained is not None:
        share = f"{100 * explained['estimate']:.0f} %"
        text += f". Word class explains {share} of the variance between words beyond frequency"
        if explained["of_reliable"] is not None:
            text += f", or {100 * explained['of_reliable']:.0f} % of the reliable part"
    return text + "."


def _sure(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The classes of a profile (of two towers) whose interval leaves out the mean of all words."""
    rows = [row for row in found["profile"] if row["in_spread"]]
    return [row for row in rows if row["low"] is not None and (row["low"] > 0 or row["high"] < 0)]


def _takers(results: dict[str, Any]) -> str:
    found = _upos(results)
    if found is None:
        return ""
    rows = [row for row in found["profile"] if row["in_spread"]]
    if results["model"]["towers"] > 2:
        best: dict[int, list[str]] = {}
        for row in rows:
            best.setdefault(row["tower"], []).append(plural(row["class"]))
        taken = "; ".join(f"tower {tower}: {', '.join(classes)}" for tower, classes in sorted(best.items()))
        return f"Relative to all words, each word class is preferred most by one tower: {taken}."
    sure = _sure(found)
    if not sure:
        return "No single word class differs from the mean of all words by more than its interval."
    ordered = sorted(sure, key=lambda row: -float(row["mean"]))

    def named(some: list[dict[str, Any]]) -> str:
        return ", ".join(f"{plural(row['class'])} ({row['mean']:+.2f})" for row in some) or "none"

    first = [row for row in ordered if row["mean"] > 0]
    second = [row for row in reversed(ordered) if row["mean"] < 0]
    return f"Relative to all words, in nats, tower 1 prefers {named(first)}; tower 2 prefers {named(second)}."


def _nominal(results: dict[str, Any]) -> str:
    planned = ((results.get("word_classes") or {}).get("contrasts") or {}).get("planned") or []
    rows = [row for row in planned if row["contrast"].startswith("nominal") and row["auroc"] is not None]
    if not rows:
        return ""
    row = rows[0]
    tower = 1 if row["auroc"] > 0.5 else 2
    apart = row["p_value"] < 0.05
    verdict = f"Tower {tower} leans to nominal words" if apart else "There is no clear difference for nominal words"
    return (
        f"{verdict}, compared with verbal and grammatical words of like frequency (AUROC {figure(row, 'auroc')}, 0.5 "
        f"is chance, p = {row['p_value']:.2g})."
    )


def _separation(results: dict[str, Any]) -> str:
    separation = results["separation"]
    if separation["auroc"] is None:
        return "Function and content words cannot be compared: too few of them are alike in frequency."
    figures = (
        f"(words of like frequency, AUROC {figure(separation, 'auroc')}, p = {separation['p_value']:.2g}; two readouts "
        f"of one tower {figure(separation['noise_floor'], 'auroc')})"
    )
    if is_separated(separation):
        other = f"tower {3 - separation['function_tower']}" if results["model"]["towers"] == 2 else "the others"
        return f"Tower {separation['function_tower']} leans to function words, {other} to content words {figures}."
    return f"There is no clear separation of function words from content words {figures}."


def is_separated(separation: dict[str, Any]) -> bool:
    """Whether function and content words lie apart: beyond chance, permutation and the noise floor's interval."""
    floor = separation["noise_floor"]["high"]
    known = None not in (separation["low"], floor, separation["p_value"])
    return known and separation["p_value"] < 0.05 and bool(separation["low"] > max(0.5, floor))


def _context(results: dict[str, Any]) -> str:
    found = results.get("context")
    if not found or not found["difference"]:
        return ""
    gains = " and ".join(f"{one['estimate']:.3f}" for one in found["far"])
    difference = found["difference"]
    differ = difference["low"] > 0 or difference["high"] < 0
    verdict = "The towers differ in how far they look" if differ else "The towers show no clear difference in reach"
    return (
        f"{verdict}: context beyond {found['near']} tokens gains them {gains} nats per token (difference "
        f"{figure(difference, digits=3)}; two readouts of one tower {figure(difference['noise_floor'], digits=3)})."
    )


def _made_of(results: dict[str, Any]) -> str:
    found = results.get("explained_by")
    if not found or found["total"]["of_reliable"] is None:
        return ""
    groups = sorted(found["groups"], key=lambda one: -(one["shapley"]["estimate"] or 0.0))[:3]
    named = ", ".join(f"{one['name']} ({100 * one['shapley']['of_reliable']:.0f} %)" for one in groups)
    return (
        f"All predictors together explain {100 * found['total']['of_reliable']:.0f} % of the reliable variance between "
        f"pieces. The largest shares are {named}."
    )


def _topic(results: dict[str, Any]) -> str:
    found = results.get("within_types")
    rows = [row for row in (found or {}).get("covariates", []) if row["name"] == "topicality"]
    if not rows or rows[0]["low"] is None:
        return ""
    row = rows[0]
    if row["low"] <= 0 <= row["high"]:
        return (
            "Neither tower gains more than the other where a piece is typical of its document "
            f"({figure(row, digits=3)} nats per standard deviation of topicality)."
        )
    tower = 1 if row["estimate"] > 0 else 2
    return (
        f"Tower {tower} follows the topic: it is the better one where a piece is typical of its document "
        f"({figure(row, digits=3)} nats per standard deviation of topicality)."
    )


def _clusters(results: dict[str, Any]) -> str:
    found = results.get("reliability_by_cluster") or {}
    named = {"order": "early and late documents", "source": "sources", "topic": "two groups of topics"}
    said = [f"between {named[kind]} {figure(one)}" for kind, one in found.items() if one]
    return f"Across different kinds of documents preferences correlate as follows: {'; '.join(said)}." if said else ""


def beyond_floor(values: dict[str, Any]) -> bool:
    """Whether the interval of a figure lies above that of its noise floor; not where either cannot be had."""
    floor = values["noise_floor"]["high"]
    return None not in (values["low"], floor) and bool(values["low"] > floor)


def tells_part_of_speech(predicted: dict[str, Any]) -> bool:
    """Whether the interval of the gain from preference lies above zero and above that of its noise floor."""
    gain = predicted["gain"]
    return beyond_floor({**gain, "noise_floor": predicted["noise_floor"]}) and bool(gain["low"] > 0)


def _emergence(emergence: dict[str, Any]) -> str:
    last = emergence["evaluations"][-1]["tokens"]

    def when(name: str) -> str:
        passed = emergence["passed"][name]
        if passed is None:
            return f"{name} does not rise above its noise floor by the end ({last:,} tokens)"
        return f"{name} stays above its noise floor from {passed['tokens']:,} tokens on"

    return f"During training, measured on a small sample, {when('reliability')}; {when('separation')}."


def _direction(direction: dict[str, Any]) -> str:
    each = "; ".join(
        f"tower {tower['tower']} {tower['before']['estimate']:.2f} and {tower['after']['estimate']:.2f}"
        for tower in direction["towers"]
    )
    text = (
        f"Reading direction: without the text before and without the text after a token, towers lose, in nats: {each}. "
        f"Their balances differ by {figure(direction['difference'])}"
    )
    if divides(direction):
        return text + (
            ": the towers divide the work by direction. A preference for some words may then be one for a side of the "
            "context, and a separation is no evidence of syntax and semantics by itself."
        )
    return text + (
        ": there is no large division by direction (0: both alike; 2: one only looks back, the other only ahead)."
    )
