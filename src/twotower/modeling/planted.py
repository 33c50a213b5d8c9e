"""Planted divisions: controls for which it is known in advance whether, and along what, the towers divide the work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..data.heldout import PreparedText
from ..data.tables import named_column, read_table
from ..data.tagging import NO_WORD
from ..system.errors import InputError
from .configuration import TowersConfig

CLASSES, TYPES = "classes", "types"
"""What `model.planted_labels` can be besides the name of a file."""
KEY = "model.planted_labels"


class Reach(nn.Module):
    """How far a tower sees back: the first tower over the last tokens, the other one over what is further back.

    The tower that sees `near` attends, in each of its L layers, to (K - 1) // L tokens before its own, so that all
    layers together reach over K tokens. The other one reads the text K tokens late. `dial` says how much of the rest
    is taken away: attention to it is multiplied by 1 - dial, and the token in its place has the weight 1 - dial.
    """

    def __init__(self, config: TowersConfig, near: bool) -> None:
        super().__init__()
        self.near, self.dial, self.tokens = near, config.dial, config.reach
        self.back = (config.reach - 1) // config.layers

    def delayed(self, mapped: Tensor) -> Tensor:
        """What the tower reads, of embeddings (batch, time, width)."""
        if self.near:
            return mapped
        late = F.pad(mapped, (0, 0, self.tokens, 0))[:, : mapped.shape[1]]
        return torch.lerp(mapped, late, self.dial)

    def mask(self, mapped: Tensor) -> Tensor | None:
        """What is added to the attention scores, (1, 1, time, time); None where the backbone's own mask will do."""
        if not self.near:
            return None
        places = torch.arange(mapped.shape[1], device=mapped.device)
        distance = places[:, None] - places[None, :]
        lowest = torch.finfo(mapped.dtype).min
        further = max(lowest, float(np.log1p(-self.dial))) if self.dial < 1 else lowest
        bias = torch.zeros(distance.shape, dtype=mapped.dtype, device=mapped.device)
        return bias.masked_fill(distance > self.back, further).masked_fill(distance < 0, lowest)[None, None]


def outputs_of(
    towers: Sequence[nn.Module], config: TowersConfig, embedded: Tensor, present: Tensor | None
) -> list[Tensor]:
    """What each tower gives for embeddings (batch, time, embedding_size): (batch, time, output_width).

    An idle tower is not asked: it gives zeros, or what the first one gives.
    """
    if config.idle_kind not in ("zero", "copy"):
        return [tower(embedded, present) for tower in towers]
    outputs = [tower(embedded, present) for tower in towers[:-1]]
    return [*outputs, idle_output(config, outputs[0])]


def idle_output(config: TowersConfig, first: Tensor) -> Tensor:
    """The output of an idle tower where that of the first one is `first`, of any shape."""
    return first if config.idle_kind == "copy" else torch.zeros_like(first)


def owners_of(config: TowersConfig, text: PreparedText) -> Tensor | None:
    """The tower, from 0, whose own loss each type counts in, (vocabulary,); None unless labels are planted.

    Labels are dealt to the towers from the most frequent one on, each to the tower whose labels are the rarest so far.
    Raises `InputError` where a tower would get none that occurs in the training text, and for a table that cannot be
    read.
    """
    if config.planted != CLASSES:
        return None
    labels = labels_of_types(config.planted_labels, text)
    number = np.unique(labels, return_inverse=True)[1]
    frequency = np.bincount(number, weights=text.frequencies).astype(np.float64)
    occurring = int((frequency > 0).sum())
    if occurring < config.towers:
        raise InputError(
            f"{KEY}: only {occurring} of the labels in {config.planted_labels} occur{'s' * (occurring == 1)} in the "
            f"training text, so that a tower of {config.towers} would never see any; give labels of more words"
        )
    return torch.from_numpy(dealt(frequency, config.towers)[number])


def dealt(frequency: NDArray[np.float64], towers: int) -> NDArray[np.int64]:
    """The tower, from 0, of each label, (labels,), so that all towers get about the same frequency in all."""
    owner = np.zeros(len(frequency), dtype=np.int64)
    load = np.zeros(towers)
    for label in np.argsort(-frequency, kind="stable"):
        owner[label] = int(load.argmin())
        load[owner[label]] += frequency[label]
    return owner


def labels_of_types(planted: str, text: PreparedText) -> NDArray[np.object_]:
    """The label of each type, (vocabulary,): its part of speech, itself, or what a table says ("" if nothing)."""
    pieces = text.pieces
    if planted == TYPES:
        return np.array([str(number) for number in range(len(pieces))], dtype=object)
    if planted == CLASSES:
        tags: NDArray[np.object_] = text.classes["upos"].to_numpy(dtype=object)
        if (tags == NO_WORD).all():
            raise InputError(
                f"{KEY}: classes needs parts of speech, but this text is not tagged; give --prepare.tagger, or plant "
                "types"
            )
        return tags
    table = read_word_labels(planted)
    return np.array([table.get(piece.lower(), "") for piece in pieces], dtype=object)


def read_word_labels(place: str) -> dict[str, str]:
    """The label of each word, in small letters, from a table with the columns `word` and `label`.

    Raises `InputError` for a file that is not such a table.
    """
    path = Path(os.path.expanduser(place))
    if not path.is_file():
        raise InputError(
            f"{KEY}: {place!r} is not a file; give classes, types or a table with the columns word and label"
        )
    table = read_table(path)
    word, label = (named_column(table, name, KEY) for name in ("word", "label"))
    return {row[word].lower(): row[label] for _, row in table.rows[1:]}
