"""Who is examined: a finished run, as the instruments see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from ..config.schema import RunConfig
from ..data.heldout import PreparedText
from ..data.tokenization import Vocabulary
from ..data.trees import Tree, read_trees
from ..modeling.model import TowersModel, fresh_set
from ..system.errors import InputError

UNTRAINED_SEED = 1_000_003
"""Added to the run's seed for the towers that have learned nothing."""


@dataclass
class Subject:
    """A finished run, its model in evaluation mode, and the untrained one that it is held against."""

    config: RunConfig
    run: Path
    out: Path
    """Where an instrument puts its tables."""
    made: frozenset[str] = frozenset()
    """Of what instruments read of each other, that which is up to date."""

    @cached_property
    def text(self) -> PreparedText:
        """The prepared text of the run."""
        return PreparedText(self.run)

    @property
    def tokenizer(self) -> Tokenizer:
        """The run's tokenizer."""
        return self.text.tokenizer

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids that have a role."""
        return self.text.vocabulary

    @property
    def piece_counts(self) -> NDArray[np.int64]:
        """Occurrences of each piece in the training text, shape (vocabulary,)."""
        return self.text.frequencies

    @cached_property
    def model(self) -> TowersModel:
        """The trained towers with their readouts."""
        model: TowersModel = TowersModel.from_pretrained(self.run / "model")
        model.float().eval()
        return model

    @cached_property
    def untrained(self) -> TowersModel:
        """The same architecture with fresh weights of another seed; its readouts know the frequencies of the pieces."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed + UNTRAINED_SEED)
            model = TowersModel(self.model.config)
            unigram: Tensor = torch.from_numpy(self.text.log_frequencies)
            for name in model.readouts:
                model.readouts[name] = fresh_set(model.config, name, self.config.seed + UNTRAINED_SEED, unigram)
        model.float().eval()
        return model

    def trees(self) -> list[Tree]:
        """The trees of the treebank that the user gave. Raises `InputError` where none was given, or it is unusable."""
        if not self.config.know.treebank:
            raise InputError("know.treebank: this needs gold trees; give --treebank FILE.conllu")
        return read_trees(self.config.know.treebank)

    def generator(self, purpose: str) -> np.random.Generator:
        """Random numbers for one purpose, the same whatever else was drawn."""
        return np.random.default_rng([self.config.seed, *purpose.encode()])
