"""How far the whole distributions of two models of one vocabulary are apart, token by token.

Kullback–Leibler divergences in both directions, Jensen–Shannon divergence (Lin 1991), whether the best guess is the
same, and how far apart the ranks of the token are that came; compare Fehlauer, Mahowald and Pimentel (2025).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..system.processes import ALONE, Processes
from ..system.progress import Progress
from .batches import Batches, Indices
from .encoded import Encoded
from .log_probs import logits_at
from .rows import Rows
from .score_table import MEASURES


def divergences(
    first: Any,
    second: Any,
    rows: Rows,
    encoded: Encoded,
    most: int,
    batches: Batches,
    name: str,
    processes: Processes = ALONE,
) -> NDArray[np.float32]:
    """`MEASURES` on at most about `most` tokens, in rows spread over the text, (measures, tokens); NaN elsewhere.

    One of several `processes` measures some of the batches, and leaves NaN elsewhere.
    """
    measures = np.full((len(MEASURES), len(encoded)), np.nan, dtype=np.float32)
    chosen = np.arange(len(rows.lengths))[:: max(1, math.ceil(len(encoded) / most))]

    def measure(numbers: Indices) -> None:
        batch = rows.read(chosen[numbers])
        logits, other_logits = (logits_at(model, batch).float() for model in (first, second))
        entries = min(logits.shape[-1], other_logits.shape[-1])  # one of them may be padded
        targets = torch.from_numpy(encoded.ids[batch.tokens].astype(np.int64)).to(logits.device)
        values = of_logits(logits[:, :entries], other_logits[:, :entries].to(logits.device), targets)
        measures[:, batch.tokens] = values.cpu().numpy()

    lengths = rows.lengths[chosen]
    share = batches.share(lengths, processes)
    total = sum(int(lengths[batch].sum()) for batch in share)
    with Progress(name, total, "token", quiet=not processes.first) as progress:
        for rows_done in batches.each(share, lengths, measure):
            progress.advance(int(lengths[rows_done].sum()))
    return measures


@torch.inference_mode()
def of_logits(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """`MEASURES` from the logits of two models, (tokens, vocabulary), and the tokens that came, (tokens,)."""
    p, q = first.log_softmax(dim=-1), second.log_softmax(dim=-1)
    mean = torch.logaddexp(p, q) - math.log(2)
    forth, back = ((a.exp() * (a - b)).sum(dim=-1) for a, b in ((p, q), (q, p)))
    shannon = ((p.exp() * (p - mean)).sum(dim=-1) + (q.exp() * (q - mean)).sum(dim=-1)) / 2
    same = (p.argmax(dim=-1) == q.argmax(dim=-1)).float()
    ranks = [1 + (log_probs > log_probs.gather(-1, targets[:, None])).sum(dim=-1) for log_probs in (p, q)]
    distance = (ranks[0].float().log2() - ranks[1].float().log2()).abs()
    return torch.stack([forth.clamp(min=0), back.clamp(min=0), shannon.clamp(min=0), same, distance])
