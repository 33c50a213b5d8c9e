"""What a tower is, how many there are, and how they are fused."""

from __future__ import annotations

from transformers import PreTrainedConfig


class TowersConfig(PreTrainedConfig):
    """Configuration of a `TowersModel`.

    Args:
        family: the towers' family (`towers.BACKBONES`).
        towers: number of identical towers.
        vocab_size: pieces of the vocabulary.
        embedding_size: width of the shared embedding and of the fused output; where it differs from `width`, a linear
            map takes the embedding to each tower's width.
        width, layers, heads, feedforward: size of one tower.
        window: longest input, in tokens.
        dropout: inside the towers, in training.
        readouts: names of the sets of readouts that the model carries, each one head per tower.
        readout_norm: `own` or `joint`; what the readouts see (see `TowersModel.readout_inputs`).
    """

    model_type = "twotower"

    family: str = "gpt"
    towers: int = 2
    vocab_size: int = 8192
    embedding_size: int = 64
    width: int = 64
    layers: int = 2
    heads: int = 2
    feedforward: int = 256
    window: int = 64
    dropout: float = 0.0
    readouts: tuple[str, ...] | list[str] = ()
    readout_norm: str = "own"
    pad_token_id: int | None = 0
    tie_word_embeddings: bool = True
