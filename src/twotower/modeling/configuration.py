"""What a tower is, how many there are, and how they are fused."""

from __future__ import annotations

from typing import ClassVar

from transformers import PreTrainedConfig

READOUT_SETS = ("readout", "second", "third", "fourth")
"""Names of the sets of readouts, in their order."""
TWICE_SETS = 1
"""How many sets also have a readout of each tower given twice, the null of what the towers gain together."""
TOGETHER, TWICE = "together", "twice_"


class TowersConfig(PreTrainedConfig):
    """Configuration of a `TowersModel`.

    What has the name of a setting of `config.ModelConfig` or `config.TrainConfig` is that setting, with the zeros and
    the objective `auto` resolved (see `sizes.towers_config`). The others are

    Args:
        vocab_size: pieces of the vocabulary.
        embedding_size: width of the shared embedding and of the fused output; where it differs from `width`, a linear
            map takes the embedding to each tower's width.
        readouts: names of the sets of readouts that the model carries (see `TowersConfig.readouts_of`).
        twice: the sets that also have a readout of each tower given twice, the null of what towers gain together.
        readout_norm: `own` or `joint`; what the readouts see (see `TowersModel.readout_inputs`).
        readout_kind: `head` or `lens`; what a readout is (see `model.Readout`).
        head: the head that gives the logits of the language-model classes; one of `head_names`.
    """

    model_type = "twotower"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "embedding_size",
        "num_hidden_layers": "layers",
        "num_attention_heads": "heads",
        "max_position_embeddings": "window",
    }

    family: str = "gpt"
    objective: str = "causal"
    towers: int = 2
    vocab_size: int = 8192
    embedding_size: int = 64
    width: int = 64
    layers: int = 2
    heads: int = 2
    feedforward: int = 256
    lstm_hidden: int = 0
    elmo_backward: str = "on"
    positions: str = "learned"
    activation: str = "auto"
    cooperation: float = 1.0
    planted: str = "none"
    dial: float = 1.0
    planted_labels: str = "classes"
    reach: int = 5
    idle: str = "zero"
    window: int = 64
    windows: str = "contiguous"
    dropout: float = 0.0
    initializer_range: float = 0.02
    readouts: tuple[str, ...] | list[str] = ()
    twice: tuple[str, ...] | list[str] = ()
    readout_norm: str = "own"
    readout_kind: str = "head"
    head: str = "joint"
    pad_token_id: int | None = 0
    tie_word_embeddings: bool = True

    def readouts_of(self, name: str) -> list[str]:
        """What the readouts of a set read: tower `K` from 1; `together`, all towers; `twice_K`, tower K given twice.

        A model of one tower has nothing to read together. The last are there for the sets in `twice` only.
        """
        alone = [str(tower + 1) for tower in range(self.towers)]
        if self.towers == 1:
            return alone
        return [*alone, TOGETHER, *(TWICE + tower for tower in alone if name in self.twice)]

    @property
    def head_names(self) -> list[str]:
        """`joint`, the joint head, and `NAME_INPUT` for each readout of the set NAME (see `readouts_of`)."""
        return ["joint", *(f"{name}_{read}" for name in self.readouts for read in self.readouts_of(name))]

    @property
    def joint_weight(self) -> float:
        """The weight of the joint loss. Where it is 0 the joint head only watches."""
        return 1 - self.own_weight

    @property
    def own_weight(self) -> float:
        """The weight of each tower's own loss, which has a head of its own; 0 where there are none."""
        return self.dial if self.planted in ("classes", "texts") else 1 - self.cooperation

    @property
    def idle_kind(self) -> str:
        """How the last tower is idle (`zero`, `copy` or `frozen`); "" where none is."""
        return self.idle if self.planted == "idle" else ""

    @property
    def output_width(self) -> int:
        """Width of a tower's output: `width`, but for `elmo` one `width` for each direction."""
        return 2 * self.width if self.family == "elmo" and self.objective != "causal" else self.width
