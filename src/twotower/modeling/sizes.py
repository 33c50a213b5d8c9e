"""From a run's settings to the configuration of its model."""

from __future__ import annotations

from dataclasses import fields

from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..system.errors import InputError
from .configuration import TowersConfig
from .objectives import resolve_objective


def towers_config(config: RunConfig, vocabulary: int, pad: int = 0) -> TowersConfig:
    """The model's configuration for a run, over a vocabulary of this size whose [PAD] has the id `pad`.

    Raises `InputError` if the family cannot be a tower or cannot do the objective.
    """
    model = config.model
    same = {setting.name: getattr(model, setting.name) for setting in fields(model)}
    del same["embedding"], same["objective"]
    resolved = {
        "embedding_size": model.embedding or model.width,
        "feedforward": model.feedforward or 4 * model.width,
        "lstm_hidden": model.lstm_hidden or 2 * model.width,
    }
    train = {"window": config.train.window, "windows": config.train.windows}
    towers = TowersConfig(**same | resolved | train, vocab_size=vocabulary, pad_token_id=pad)
    towers.objective = resolve_objective(model.objective, towers)
    return towers


def require_same_vocabulary(towers: TowersConfig, text: PreparedText) -> None:
    """Raise `InputError` if a model's embedding is not of the size of the prepared text's vocabulary."""
    if towers.vocab_size != len(text.frequencies):
        raise InputError(
            f"{text.run}: the model's embedding has {towers.vocab_size} rows, and the text was prepared with a "
            f"vocabulary of {len(text.frequencies)}; train again on this text, or prepare it with the model's tokenizer"
        )
