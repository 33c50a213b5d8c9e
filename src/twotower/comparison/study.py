"""The record of all that `study.json` holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..config.conversion import INLINED
from ..preference.context import Context
from ..preference.emergence import Emergence
from ..runs.records import read_record
from .agreement import Agreement
from .class_effect import ClassEffect
from .figures import Dose, ExcessOfGroup, RunOfStudy
from .inference import Discovery
from .knowledge import KnowledgeOfRuns
from .label_agreement import AgreementOfLabel
from .profiles import AgreementOfSigns, Profiles


@dataclass(frozen=True)
class AgreementOfText:
    """Agreement of the runs that scored the same text."""

    corpus: str
    strangers: bool
    """Whether these runs are of strangers."""
    names: list[str]
    """Of the runs."""
    shared: str
    """What types they share: `pieces`, or `whole words` where vocabularies differ."""
    agreement: Agreement = field(metadata=INLINED)
    labels: list[AgreementOfLabel]
    """Whether the runs divide the same values of other labels than the type."""


@dataclass(frozen=True)
class EffectInGroup:
    """The mixed-effects model of one contrast of classes, over the runs of a group."""

    group: str
    stranger: bool
    contrast: str
    model: ClassEffect = field(metadata=INLINED)


@dataclass(frozen=True)
class Study:
    """Every number on the page of a study, with its interval and its null. Null in JSON: it cannot be computed."""

    runs: list[RunOfStudy]
    signs: dict[str, AgreementOfSigns]
    """By the names of two signed figures."""
    profiles: Profiles | None
    """Of word classes, of cooperating pairs; None for fewer than two."""
    profiles_of_strangers: Profiles | None
    agreement: list[AgreementOfText]
    class_effects: list[EffectInGroup]
    excess_over_strangers: list[ExcessOfGroup]
    doses: list[Dose]
    emergence: dict[str, Emergence]
    """By run."""
    context: dict[str, Context | None]
    """By run."""
    knowledge: KnowledgeOfRuns | None
    """What instruments say over runs; None where no run was asked."""
    tests: list[Discovery] = field(default_factory=list)
    """Every test, with the q-value of its family."""
    failed: list[str] = field(default_factory=list)
    """Runs that failed, and are not part of the study."""
    links: dict[str, str] = field(default_factory=dict)
    """From the name of a run to its page."""


def study_in(path: Path) -> Study:
    """The study in a file. Raises `InputError` if it is damaged."""
    return read_record(Study, path, "make it again with `twotower study` or `twotower compare`")
