"""Models of a few hundred parameters and the rows they read."""

import numpy as np
import torch

from twotower.data.tokenization import Vocabulary
from twotower.modeling.configuration import TowersConfig
from twotower.modeling.model import TowersModel, fresh_readouts
from twotower.modeling.objectives import JointObjective, resolve_objective, row_length

SIZE, WINDOW = 97, 12
VOCABULARY = Vocabulary(
    pad=0, mask=4, cls=2, sep=3, special=np.arange(5), ordinary=np.arange(5, 90), sentence_ends=np.array([9])
)
CASES = [
    ("gpt", "causal"), ("gpt", "masked"), ("bert", "masked"), ("elmo", "bidirectional"), ("elmo", "masked"),
    ("elmo", "causal"), ("hf:llama", "causal"), ("hf:modernbert", "masked"), ("hf:mamba", "causal"),
]  # fmt: skip


def text(objective: str, rows: int = 6, padded: bool = True) -> np.ndarray:
    ids = np.random.default_rng(0).integers(5, 90, (rows, row_length(objective, WINDOW)))
    if padded:
        ids[:, 0], ids[:, 6], ids[0, 9:], ids[1, 11:] = VOCABULARY.cls, VOCABULARY.sep, 0, 0
    return ids


def model_for(family: str, objective: str, **fields) -> TowersModel:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": SIZE, "embedding_size": 24, "width": 16, "layers": 1, "heads": 2, "feedforward": 32,
        "lstm_hidden": 20, "window": WINDOW,
    }  # fmt: skip
    config = TowersConfig(**sizes | fields, family=family)
    config.objective = resolve_objective(objective, config)
    return TowersModel(config).eval()


def watched(model):
    return JointObjective(model, fresh_readouts(model.config, seed=1), fresh_readouts(model.config, seed=2))
