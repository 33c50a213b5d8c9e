"""What was found and how sure it is, in plain language; the same words at the end of a run and on top of the page."""

from __future__ import annotations

from typing import Any

from ..preference.direction import divides

FEW_DOCUMENTS = 20


def sentences(results: dict[str, Any]) -> list[str]:
    """A few sentences, each with its figure, interval and null."""
    said = [_performance(results)]
    if results["model"]["towers"] == 1:
        said.append("One tower has nothing to divide: a baseline for the perplexity of several.")
    else:
        said += [_reliability(results), _separation(results), _parts_of_speech(results)]
        if results.get("part_of_speech"):
            said.append(_told(results["part_of_speech"]))
        if results.get("emergence", {}).get("evaluations"):
            said.append(_emergence(results["emergence"]))
        if results.get("direction"):
            said.append(_direction(results["direction"]))
    documents = results["corpus"]["heldout_documents"]
    if documents < FEW_DOCUMENTS:
        said.append(
            f"Only {documents} documents are held out: intervals over so few are rough, and too narrow rather than too "
            "wide. Cut long documents with --prepare.section-words, or hold out more with --prepare.heldout."
        )
    return said


def summarize(results: dict[str, Any]) -> str:
    """The sentences as a block of text for a terminal."""
    corpus, training = results["corpus"], results["training"]
    head = (
        f"{corpus['name']}: {training['tokens']:,} tokens of training, "
        f"{corpus['heldout_tokens']:,} held-out tokens in {corpus['heldout_documents']} documents"
    )
    return "\n".join(["", head, *(f"- {sentence}" for sentence in sentences(results))])


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
        return f"Held-out {kind}: {perplexity['joint']:.0f}; {towers} under a readout of its own."
    return (
        f"Held-out {kind}: {perplexity['joint']:.0f} for all towers together, {towers} for each tower alone under "
        "its own readout."
    )


def _reliability(results: dict[str, Any]) -> str:
    reliability, preference = results["reliability"], results["preference"]
    floor = reliability["noise_floor"]
    if preference["sd"] is None:
        return "Too little held-out text: fewer than two types occur often enough for statistics of preference."
    text = (
        f"Preferences of {preference['types']:,} types have a standard deviation of {preference['sd']:.2f} nats and "
        f"agree between halves of the documents with r = {figure(reliability)}; for two readouts of one tower it is "
        f"{figure(floor)}, at {preference['noise_sd']:.2f} nats"
    )
    if reliability["low"] is None or floor["high"] is None:
        return text + ": too little text to say whether the preference is more than noise."
    if reliability["low"] > floor["high"]:
        return text + ": the preference is reliable, beyond the noise floor."
    return text + ": the preference is not clearly more reliable than the noise floor."


def _separation(results: dict[str, Any]) -> str:
    separation = results["separation"]
    if separation["auroc"] is None:
        return "Function and content words cannot be compared: one of the classes has no type that is frequent enough."
    tower, p_value = separation["function_tower"], separation["p_value"]
    text = (
        f"Within {separation['strata']} strata of training frequency, preference tells function from content types "
        f"with an area under the curve of {figure(separation, 'auroc')} (0.5: not at all; p = {p_value:.1g}; "
        f"two readouts of one tower: {figure(separation['noise_floor'], 'auroc')})"
    )
    floor = separation["noise_floor"]["high"]
    if p_value < 0.05 and None not in (separation["low"], floor) and separation["low"] > max(0.5, floor):
        other = f"tower {3 - tower}" if results["model"]["towers"] == 2 else "the others"
        return text + f": tower {tower} leans to function words, {other} to content words."
    return text + ": no clear separation of function from content words."


def beyond_floor(values: dict[str, Any]) -> bool:
    """Whether the interval of a figure lies above that of its noise floor; not where either cannot be had."""
    floor = values["noise_floor"]["high"]
    return None not in (values["low"], floor) and bool(values["low"] > floor)


def tells_part_of_speech(predicted: dict[str, Any]) -> bool:
    """Whether the interval of the gain from preference lies above zero and above that of its noise floor."""
    gain = predicted["gain"]
    return beyond_floor({**gain, "noise_floor": predicted["noise_floor"]}) and bool(gain["low"] > 0)


def _told(predicted: dict[str, Any]) -> str:
    gain = predicted["gain"]
    text = (
        f"Knowing a type's preference raises the log-probability of its part of speech, beyond its frequency, by "
        f"{figure(gain, digits=3)} nats (p = {gain['p_value']:.1g}; two readouts of one tower: "
        f"{figure(predicted['noise_floor'], digits=3)})"
    )
    if tells_part_of_speech(predicted) and gain["p_value"] < 0.05:
        return text + ": preference says something of the part of speech that frequency does not."
    return text + ": no clear sign that preference says more of the part of speech than frequency does."


def _emergence(emergence: dict[str, Any]) -> str:
    last = emergence["evaluations"][-1]["tokens"]

    def when(name: str) -> str:
        passed = emergence["passed"][name]
        if passed is None:
            return f"not by the end ({last:,} tokens)"
        return f"from {passed['tokens']:,} tokens on" + (f" ({passed['seconds']:.0f} s)" if passed["seconds"] else "")

    return (
        "While training, on a sample of the held-out text: reliability above its noise floor for good "
        f"{when('reliability')}; separation above its noise floor and permutation {when('separation')}."
    )


def _parts_of_speech(results: dict[str, Any]) -> str:
    by_upos = {tag: values for tag, values in results["by_upos"].items() if values["occurrences"] >= 100}
    if results["model"]["towers"] > 2:
        return _parts_of_speech_of_many(by_upos)
    if len(by_upos) < 2:
        return "Too few tagged words for a comparison of parts of speech."
    ordered = sorted(by_upos, key=lambda tag: by_upos[tag]["mean"])
    low, high = ordered[:3], ordered[:-4:-1]

    def named(tags: list[str]) -> str:
        return ", ".join(f"{tag} ({by_upos[tag]['mean']:+.2f})" for tag in tags)

    return f"Parts of speech furthest to tower 1: {named(high)}; to tower 2: {named(low)} nats."


def _parts_of_speech_of_many(by_upos: dict[str, dict[str, Any]]) -> str:
    if len(by_upos) < 2:
        return "Too few tagged words for a comparison of parts of speech."
    best: dict[int, list[str]] = {}
    for tag, values in by_upos.items():
        ahead = max(values["towers"], key=lambda tower: float(tower["mean"]))
        best.setdefault(ahead["tower"], []).append(f"{tag} ({ahead['mean']:+.2f})")
    named = "; ".join(f"tower {tower}: {', '.join(tags)}" for tower, tags in sorted(best.items()))
    return f"Parts of speech by the tower that is best at them, against the mean of all (nats): {named}."


def _direction(direction: dict[str, Any]) -> str:
    each = "; ".join(
        f"tower {tower['tower']} {tower['before']['estimate']:.2f} and {tower['after']['estimate']:.2f}"
        for tower in direction["towers"]
    )
    text = (
        f"Reading direction (nats lost without what stands before a token, and without what stands after): {each}; "
        f"their balances differ by {figure(direction['difference'])}"
    )
    if divides(direction):
        return text + (
            ": the towers divide the work by direction, so a preference for some words may be one for a side of the "
            "context, and a separation is no evidence of syntax and semantics by itself."
        )
    return text + ": no large division by direction (0: alike, 2: one looks back only, the other ahead only)."
