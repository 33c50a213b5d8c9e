"""What was read before anything is trained: files by format, documents, what was left out, and what to beware of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..system.printing import in_percent

MUCH_UNKNOWN = 0.02
"""Share of [UNK] among the tokens above which figures are about [UNK]."""
MUCH_UNTAGGED = 0.25
"""Share of words without a tag above which figures by part of speech are about the rest."""
UNTOLD = "und"
"""ISO 639's code for a language that is not told."""
MUCH_IN_LANGUAGE = 0.5
"""Share of the text in its language below which one tagger does not do."""
MUCH_IN_ONE = 0.5
"""Share of all words in one document above which the resampling of documents says nothing."""
MUCH_SHARED = 0.1
"""Share of the held-out sentences that are known from training above which perplexity is about memory."""
SENTENCE_WORDS = 8
"""A sentence of fewer words, such as *Thank you very much*, is nobody's own."""


@dataclass(frozen=True)
class FilesRead:
    """The files of one format that were read; `documents` as they were found, copies included."""

    format: str
    files: int
    documents: int


@dataclass(frozen=True)
class FilesLeftOut:
    """Files that were found and not read, and why."""

    why: str
    files: int


@dataclass(frozen=True)
class Language:
    """The language by its ISO 639 code, and the share of the text that is in it."""

    code: str
    share: float


@dataclass(frozen=True)
class Unknown:
    """Share of [UNK] among the tokens of each split."""

    training: float
    heldout: float


@dataclass(frozen=True)
class LongDocument:
    """A document and its words."""

    name: str
    words: int


@dataclass(frozen=True)
class Inventory:
    """What the stage `prepare` has read; `corpus.inventory` of `results.json`."""

    files: tuple[FilesRead, ...]
    left_out: tuple[FilesLeftOut, ...]
    documents: int
    """Without the copies."""
    words: int
    """Runs of characters without white space, copies left out."""
    duplicates: int
    """Documents that were dropped because the same text stands in an earlier one."""
    near_duplicates: int
    """Documents that are nearly the same as another, and are kept on one side of the split with it."""
    longest: tuple[LongDocument, ...]
    """The three longest documents."""
    notes: tuple[str, ...] = ()
    """What could have been read otherwise, such as further columns of a table."""
    heldout: float | None = None
    """Share of the tokens that is held out."""
    shared_sentences: float | None = None
    """Share of the held-out sentences of at least `SENTENCE_WORDS` words that stand in training documents as well."""
    pieces_per_word: float | None = None
    """Tokens of the training split for each word of the tokenizer's own; its pre-tokenizer divides off punctuation."""
    unknown: Unknown | None = None
    tagger: str | None = None
    untagged: float | None = None
    """Share of the held-out words that the tagger gave no part of speech."""
    language: Language | None = None

    def facts(self) -> dict[str, str]:
        """What was read, each fact under its name, for the terminal and the report; without what is not known yet."""
        read = ", ".join(
            f"{file.files:,} {file.format}" + (f" ({_count(file.documents, 'document')})" if file.documents else "")
            for file in self.files
        )
        facts = {"files": read or "none"}
        if self.left_out:
            facts["left out"] = ", ".join(
                f"{_count(left_out.files, 'file')}: {left_out.why}" for left_out in self.left_out
            )
        facts["documents"] = f"{self.documents:,}, {self.words:,} words; " + (
            f"{_count(self.duplicates, 'copy', 'copies')} dropped" if self.duplicates else "no copies"
        )
        if self.near_duplicates:
            facts["documents"] += f"; {self.near_duplicates:,} nearly the same as another, kept together"
        facts["longest"] = ", ".join(f"{document.name} ({document.words:,} words)" for document in self.longest)
        if self.notes:
            facts["also"] = "; ".join(self.notes)
        if self.heldout is not None:
            facts["held out"] = f"{in_percent(self.heldout, 1)} of the tokens"
        if self.shared_sentences is not None:
            facts["held out"] += (
                f"; {in_percent(self.shared_sentences, 1)} of the sentences of {SENTENCE_WORDS} words or more are in "
                "training, too"
            )
        if self.pieces_per_word is not None:
            facts["pieces per word"] = f"{self.pieces_per_word:.2f}"
        if self.unknown is not None:
            facts["unknown"] = (
                f"[UNK] is {in_percent(self.unknown.training, 2)} of training, {in_percent(self.unknown.heldout, 2)} "
                "held out"
            )
        if self.language is not None:
            facts["language"] = f"{self.language.code} ({in_percent(self.language.share)})"
        if self.tagger is not None:
            facts["tagger"] = self.tagger + (
                f", {in_percent(self.untagged, 1)} of words untagged" if self.untagged else ""
            )
        return facts

    def warnings(self) -> list[str]:
        """What makes results worth little, a line each."""
        warnings = []
        if self.unknown and max(self.unknown.training, self.unknown.heldout) > MUCH_UNKNOWN:
            share = max(self.unknown.training, self.unknown.heldout)
            warnings.append(
                f"{in_percent(share, 1)} of the tokens are [UNK]: the tokenizer does not know this text's characters, "
                "and figures are about [UNK]; raise --prepare.vocabulary, or leave --prepare.tokenizer out"
            )
        if self.untagged is not None and self.untagged > MUCH_UNTAGGED:
            warnings.append(
                f"{in_percent(self.untagged)} of the held-out words have no part of speech, and what is said of word "
                "classes is about the rest; give --prepare.tagger one for this language"
            )
        if self.language is not None and self.language.code == UNTOLD:
            warnings.append("the language could not be told from the text; name it with --prepare.language")
        elif self.language is not None and self.language.share < MUCH_IN_LANGUAGE:
            warnings.append(
                f"only {in_percent(self.language.share)} of the text looks like the language {self.language.code}, "
                "with which the tagger goes; name it with --prepare.language, or leave out what is in another"
            )
        if self.words and self.longest and self.longest[0].words > MUCH_IN_ONE * self.words:
            warnings.append(
                f"{self.longest[0].name} is {in_percent(self.longest[0].words / self.words)} of the text: intervals "
                "come from resampled documents and say little; cut it with --prepare.section-words"
            )
        if self.shared_sentences is not None and self.shared_sentences > MUCH_SHARED:
            warnings.append(
                f"{in_percent(self.shared_sentences)} of the longer held-out sentences are in training, too: "
                "perplexity is partly memory; leave out documents that hold others' text"
            )
        return warnings


def _count(number: int, singular: str, many: str = "") -> str:
    return f"{number:,} {singular if number == 1 else many or singular + 's'}"


@dataclass(frozen=True)
class PartOfCorpus:
    """One of the corpora of a mixture, or the only one."""

    name: str
    documents: int
    left_out: int
    """Documents that other parts of the mixture had no room for."""
    training_tokens: int
    validation_tokens: int
    heldout_tokens: int


@dataclass(frozen=True)
class CorpusSummary:
    """The prepared text; `data/corpus.json`."""

    name: str
    documents: int
    tokens: int
    validation_documents: int
    """Kept aside, to stop readouts by."""
    validation_tokens: int
    heldout_documents: int
    heldout_tokens: int
    characters: int
    vocabulary: int
    tagger: str
    digest: str
    """SHA-256 of the text."""
    inventory: Inventory
    parts: list[PartOfCorpus]


def tell(
    inventory: Inventory, earlier: Mapping[str, str], say: Callable[[str], None], warn: bool = False
) -> dict[str, str]:
    """Say the facts that `earlier` does not have, and what they warn of where `warn` asks for it; returns the facts."""
    facts = inventory.facts()
    for fact, text in facts.items():
        if earlier.get(fact) != text:
            say(f"{fact}: {text}")
    for warning in inventory.warnings() if warn else ():
        say(f"beware: {warning}")
    return facts
