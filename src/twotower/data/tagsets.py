"""The tag sets of HanTa's models, mapped to universal parts of speech (UPOS)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

# BNC's C5 tags (http://www.natcorp.ox.ac.uk/docs/c5spec.html), as HanTa's English model writes them.
_C5 = {
    "AJ0": "ADJ", "AJC": "ADJ", "AJS": "ADJ", "ORD": "ADJ",
    "AT0": "DET", "DT0": "DET", "DTQ": "DET",
    "AV0": "ADV", "AVQ": "ADV", "AVP": "ADP",
    "CJC": "CCONJ", "CJS": "SCONJ", "CJT": "SCONJ",
    "CRD": "NUM", "DPS": "PRON", "EX0": "PRON", "PNI": "PRON", "PNP": "PRON", "PNQ": "PRON", "PNX": "PRON",
    "ITJ": "INTJ", "NN0": "NOUN", "NN1": "NOUN", "NN2": "NOUN", "NP0": "PROPN", "ZZ0": "X", "UNC": "X",
    "PRF": "ADP", "PRP": "ADP", "IN": "ADP", "POS": "PART", "TO0": "PART", "XX0": "PART", "VM0": "AUX",
    "PUN": "PUNCT", "PUL": "PUNCT", "PUR": "PUNCT", "PUQ": "PUNCT",
}  # fmt: skip
_SKIPPED = frozenset({"AV0", "XX0", "PNP", "PNI", "AT0", "DT0", "DPS"})
_NOMINAL = frozenset({"NN0", "NN1", "NN2", "NP0", "AJ0", "AJC", "AJS", "CRD", "ORD", "NN"})
_TO_HAVE_DO = re.compile(r"^V[HD]")
_SYMBOLS = frozenset("$%£€+=<>#&§°")


def from_c5(words: Sequence[str], tags: Sequence[str]) -> list[str]:
    """C5 tags of a sentence, mapped to UPOS by the guidelines of Universal Dependencies for English.

    `be` is always AUX; `have` is AUX before a participle and `do` before an infinitive, other verbs VERB;
    demonstratives and `which` are DET before a nominal and PRON elsewhere; possessives are PRON.
    """
    out = []
    for position, (word, tag) in enumerate(zip(words, tags, strict=True)):
        following = tags[position + 1] if position + 1 < len(tags) else ""
        if not word[0].isalnum() and not word.startswith(("'", "’")):
            upos = "SYM" if word in _SYMBOLS else "PUNCT"
        elif word[0].isdigit():
            upos = "ADJ" if word.endswith(("st", "nd", "rd", "th")) else "NUM"
        elif tag.startswith("VB"):
            upos = "AUX"
        elif _TO_HAVE_DO.match(tag):
            upos = "AUX" if _governs_verb(tag[1], tags[position + 1 :]) else "VERB"
        elif tag.startswith("VV"):
            upos = "VERB"
        elif tag in ("DT0", "DTQ") and following not in _NOMINAL:
            upos = "PRON"
        else:
            upos = _C5.get(tag) or _C5.get(tag[:3]) or {"NN": "NOUN", "NP": "PROPN", "AJ": "ADJ"}.get(tag[:2], "X")
        out.append(upos)
    return out


def _governs_verb(kind: str, following: Sequence[str]) -> bool:
    """Whether a form of `have` (H) or `do` (D) is followed by a participle, or by an infinitive or `not`."""
    for tag in following[:4]:
        if kind == "H" and tag in ("VVN", "VBN", "VHN", "VDN", "VVD"):
            return True
        if kind == "D" and (tag in ("VVI", "VBI", "VHI", "VDI", "VVB") or tag == "XX0"):
            return True
        if tag not in _SKIPPED:
            return False
    return False


# STTS (https://www.ims.uni-stuttgart.de/forschung/ressourcen/lexika/germantagsets/), as HanTa's German model writes it.
_STTS = {
    "ADJ": "ADJ", "ADV": "ADV", "APPO": "ADP", "APPR": "ADP", "APPRART": "ADP", "APZR": "ADP", "ART": "DET",
    "CARD": "NUM", "FM": "X", "ITJ": "INTJ", "KOKOM": "ADP", "KON": "CCONJ", "KOUI": "SCONJ", "KOUS": "SCONJ",
    "NE": "PROPN", "NN": "NOUN", "NNA": "NOUN", "NNI": "NOUN", "PDAT": "DET", "PDS": "PRON", "PIAT": "DET",
    "PIS": "PRON", "PPER": "PRON", "PPOSAT": "DET", "PPOSS": "PRON", "PRELAT": "PRON", "PRELS": "PRON", "PRF": "PRON",
    "PROAV": "ADV", "PTKA": "ADV", "PTKANT": "PART", "PTKNEG": "PART", "PTKVZ": "ADP", "PTKZU": "PART", "PWAT": "DET",
    "PWAV": "ADV", "PWS": "PRON", "TRUNC": "NOUN", "VA": "AUX", "VM": "AUX", "VV": "VERB", "XY": "X",
}  # fmt: skip
_SEIN = frozenset({
    "sein", "bin", "bist", "ist", "sind", "seid", "war", "warst", "waren", "wart", "sei", "seist", "seien", "seiet",
    "wär", "wäre", "wären", "wärst", "wäret", "gewesen",
})  # fmt: skip


def from_stts(words: Sequence[str], tags: Sequence[str]) -> list[str]:
    """STTS tags of a sentence, mapped to UPOS by the guidelines of Universal Dependencies for German.

    `sein` is always AUX; `haben` and `werden` are AUX where the sentence has a participle or infinitive for them, and
    VERB elsewhere.
    """
    governed = any(tag in ("VV(PP)", "VV(INF)", "VA(PP)", "VA(INF)", "VM(INF)", "VM(PP)") for tag in tags)
    out = []
    for word, tag in zip(words, tags, strict=True):
        kind = tag.partition("(")[0]
        if not word[0].isalnum() and not word.startswith(("'", "’")):
            upos = "SYM" if word in _SYMBOLS else "PUNCT"
        elif word[0].isdigit():
            upos = "NUM"
        elif kind == "VA" and word.lower() not in _SEIN and not governed:
            upos = "VERB"
        else:
            upos = _STTS.get(kind, "X")
        out.append(upos)
    return out


# CGN's tags (Van Eynde 2004), as HanTa's Dutch model writes them: a class, and its features in brackets.
_CGN = {
    "ADJ": "ADJ", "BW": "ADV", "LET": "PUNCT", "LID": "DET", "TSW": "INTJ", "VZ": "ADP", "WW": "VERB", "SPEC": "X",
}  # fmt: skip
_ALWAYS_AUX = frozenset({"zijn", "ben", "bent", "is", "was", "waren", "geweest", "zij"})
_MAY_BE_AUX = frozenset({
    "hebben", "heb", "hebt", "heeft", "had", "hadden", "gehad", "worden", "word", "wordt", "werd", "werden",
    "geworden", "zullen", "zal", "zult", "zou", "zouden", "kunnen", "kan", "kun", "kunt", "kon", "konden", "moeten",
    "moet", "moest", "moesten", "mogen", "mag", "mocht", "mochten", "willen", "wil", "wilt", "wilde", "wou", "wilden",
})  # fmt: skip
"""Auxiliaries where they govern a verb."""


def from_cgn(words: Sequence[str], tags: Sequence[str]) -> list[str]:
    """CGN tags of a sentence, mapped to UPOS by the guidelines of Universal Dependencies for Dutch."""
    verbs = sum(tag.startswith("WW") for tag in tags)
    out = []
    for word, tag in zip(words, tags, strict=True):
        kind, _, features = tag.partition("(")
        low = word.lower()
        if not word[0].isalnum() and not word.startswith(("'", "’")):
            upos = "SYM" if word in _SYMBOLS else "PUNCT"
        elif kind == "N":
            upos = "PROPN" if features.startswith("eigen") else "NOUN"
        elif kind == "TW":
            upos = "ADJ" if features.startswith("rang") else "NUM"
        elif kind == "VG":
            upos = "SCONJ" if features.startswith("onder") else "CCONJ"
        elif kind == "VNW":
            upos = _pronoun(features)
        elif kind == "WW" and "(inf" not in tag.replace("(inf,vrij", "") and low in _ALWAYS_AUX | _MAY_BE_AUX:
            upos = "AUX" if low in _ALWAYS_AUX or verbs > 1 else "VERB"
        else:
            upos = _CGN.get(kind, "X")
        out.append(upos)
    return out


def _pronoun(features: str) -> str:
    if "adv-pron" in features:
        return "ADV"
    if ",det," in features and "prenom" in features and not features.startswith("bez"):
        return "DET"
    if features.startswith("onbep,grad"):
        return "DET" if "prenom" in features else "PRON" if ",nom," in features else "ADV"
    return "PRON"


TO_UPOS: dict[str, Callable[[Sequence[str], Sequence[str]], list[str]]] = {
    "en": from_c5, "de": from_stts, "nl": from_cgn,
}  # fmt: skip
"""From the words of a sentence and their tags to UPOS, by the language of HanTa's model."""
