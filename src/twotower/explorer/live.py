"""Text that a reader types: what each head makes of it, and what changes without a tower or with less context."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.characters import visible
from ..data.tokenization import encode
from ..modeling.model import TowersModel, finished_model
from ..modeling.scoring import log_probs_of
from ..modeling.sizes import require_same_vocabulary
from ..system.errors import InputError
from .explored import ExploredRun
from .plain import column, number, text

TOP = 8
"""Predictions of each head that are shown."""
MEAN_ROWS = 64
"""Rows of held-out text over which a tower's mean output is taken."""


class LiveText:
    """A run's model, loaded when the first text is read.

    Whatever is read is framed as the towers are used to: after a [SEP] ([CLS] for rows of whole sentences), and before
    one unless the objective is causal. Under the masked objective each token is [MASK] in a row of its own
    (pseudo-log-likelihood, Salazar et al. 2020).
    """

    def __init__(self, run: ExploredRun) -> None:
        self.run = run

    @cached_property
    def model(self) -> TowersModel:
        """The trained towers with their readouts, float32, in evaluation mode."""
        model = finished_model(self.run.run)
        require_same_vocabulary(model.config, self.run.text)
        model.float()
        return model

    @cached_property
    def means(self) -> list[Tensor]:
        """The mean output of each tower over a sample of the held-out text, (output_width,) each."""
        config = self.model.config
        rows = self.run.text.windows(config.objective, config.windows, config.window)
        sample = rows.every(max(1, len(rows) // MEAN_ROWS))
        text, scored = sample.read(slice(0, MEAN_ROWS))
        if config.objective == "causal":
            text, scored = text[:, :-1], scored[:, 1:]
        inputs = torch.from_numpy(text)
        with torch.no_grad():
            outputs = self.model.tower_outputs(inputs, inputs != rows.vocabulary.pad, torch.from_numpy(scored))
        return [output.mean(dim=0) for output in outputs]

    def read(self, typed: str, context: int | None) -> dict[str, Any]:
        """What the heads make of a text.

        Args:
            typed: the text.
            context: tokens of context to cut to; None not to.

        Returns:
            `piece_id`, `piece`; `log_probs`: by head, of each piece, in nats; `top`: for each head and piece the `TOP`
            most probable pieces with their probabilities (of a tower alone both are means over sets of readouts);
            `preference` (by suffix) at each piece; `lesions`: for each
            tower the joint head's log-probabilities with that tower's output replaced by `zero` or by its `mean` over
            held-out text; `cut`: log-probabilities by head with only `context` tokens. Raises `InputError` for a text
            that is empty or too long.
        """
        ids = self._encoded(typed)
        rows, scored = self._rows(ids)
        with torch.no_grad():
            outputs = self.model.tower_outputs(rows, None, scored)
            chosen = torch.from_numpy(ids)
            all_log_probs = {name: _log_softmax(*head) for name, head in self.model.head_features(outputs).items()}
            log_probs = self._mean_over_sets(
                {name: values.gather(1, chosen[:, None]).squeeze(1) for name, values in all_log_probs.items()}
            )
            probabilities = self._mean_over_sets({name: values.exp() for name, values in all_log_probs.items()})
            answer: dict[str, Any] = {
                "text": text(typed),
                "piece_id": ids.tolist(),
                "piece": self.run.pieces[ids].tolist(),
                "log_probs": {name: column(values.numpy()) for name, values in log_probs.items()},
                "top": {name: self._top(values) for name, values in probabilities.items()},
                "lesions": self._lesions(outputs, chosen),
                "window": self.model.config.window,
            }
        answer["preference"] = {
            contrast.suffix: [
                number(sum(w * float(log_probs[f"readout_{k}"][i]) for k, w in enumerate(contrast.weights, start=1)))
                for i in range(len(ids))
            ]
            for contrast in self.run.contrasts
        }  # fmt: skip
        answer["cut"] = None if context is None else self._cut(ids, context)
        return answer

    def _encoded(self, typed: str) -> NDArray[np.int64]:
        ids = encode(self.run.text.tokenizer, visible(typed)).ids
        most = self.model.config.window - (0 if self.model.config.objective == "causal" else 2)
        if not len(ids):
            raise InputError("type a sentence first")
        if len(ids) > most:
            raise InputError(f"this text has {len(ids)} tokens; the towers read at most {most} at a time")
        return ids

    def _framed(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The text as the towers are used to it; its own pieces begin at 1."""
        config, vocabulary = self.model.config, self.run.text.vocabulary
        first = vocabulary.cls if config.windows == "pairs" else vocabulary.sep
        last = [] if config.objective == "causal" else [vocabulary.sep]
        return np.concatenate([[first], ids, last]).astype(np.int64)

    def _rows(self, ids: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Inputs, and the positions that predict the text's pieces, in their order; each (rows, time)."""
        framed, count = self._framed(ids), len(ids)
        if self.model.config.objective == "causal":
            rows = framed[None, :-1]
            scored = np.ones_like(rows, dtype=bool)
        elif self.model.config.objective == "masked":
            rows = np.repeat(framed[None], count, axis=0)
            scored = np.zeros(rows.shape, dtype=bool)
            scored[np.arange(count), np.arange(count) + 1] = True
            rows = np.where(scored, self.run.text.vocabulary.mask, rows)
        else:
            rows = framed[None]
            scored = np.zeros(rows.shape, dtype=bool)
            scored[0, 1 : count + 1] = True
        return torch.from_numpy(np.ascontiguousarray(rows)), torch.from_numpy(scored)

    def _mean_over_sets(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the run's heads say: of the joint head as it is, of a tower alone the mean over sets of readouts."""
        alone = {
            f"readout_{tower}": torch.stack([values[f"{name}_{tower}"] for name in self.run.sets]).mean(dim=0)
            for tower in range(1, self.run.towers + 1)
        }
        return {"joint": values["joint"], **alone}

    def _top(self, probabilities: Tensor) -> list[list[list[Any]]]:
        """For each piece of the text the most probable pieces and their probabilities."""
        known = probabilities[:, : len(self.run.pieces)]
        values, places = known.topk(min(TOP, known.shape[1]), dim=1)
        return [
            [[str(self.run.pieces[place]), number(value)] for place, value in zip(*pair, strict=True)]
            for pair in zip(places.tolist(), values.tolist(), strict=True)
        ]

    def _lesions(self, outputs: list[Tensor], chosen: Tensor) -> list[dict[str, Any]]:
        rows = []
        for tower, output in enumerate(outputs):
            row: dict[str, Any] = {"tower": tower + 1}
            for kind, value in (("zero", torch.zeros_like(output)), ("mean", self.means[tower].expand_as(output))):
                without = [value if number_ == tower else other for number_, other in enumerate(outputs)]
                features = self.model.joint_features(without)
                log_probs = _log_softmax(features, *self.model.joint_decoder())
                row[kind] = column(log_probs.gather(1, chosen[:, None]).squeeze(1).numpy())
            rows.append(row)
        return rows

    def _cut(self, ids: NDArray[np.int64], context: int) -> dict[str, Any]:
        """Log-probabilities by head with `context` tokens: before the token, or half on each side (see `context.py`).

        Where the text has fewer, all of them; at its edges more of the other side.
        """
        framed, count = self._framed(ids), len(ids)
        vocabulary, objective = self.run.text.vocabulary, self.model.config.objective
        place = np.arange(1, count + 1)
        if objective == "causal":
            first, stop = np.maximum(place - context, 0), place + 1
        else:
            first = np.minimum(np.maximum(place - (context + 1) // 2, 0), np.maximum(len(framed) - context - 1, 0))
            stop = np.minimum(first + context + 1, len(framed))
        rows = np.full((count, int((stop - first).max())), vocabulary.pad, dtype=np.int64)
        scored = np.zeros(rows.shape, dtype=bool)
        for row, (begin, end) in enumerate(zip(first, stop, strict=True)):
            rows[row, : end - begin] = framed[begin:end]
            scored[row, place[row] - begin] = True
        inputs, targets = rows, rows
        if objective == "causal":
            inputs, targets, scored = rows[:, :-1], rows[:, 1:], scored[:, 1:]
        elif objective == "masked":
            inputs = np.where(scored, vocabulary.mask, rows)
        heads = {"joint", *(f"{name}_{k}" for name in self.run.sets for k in range(1, self.run.towers + 1))}
        log_probs = self._mean_over_sets(log_probs_of(self.model, inputs, targets, scored, vocabulary.pad, heads))
        return {"context": context, "log_probs": {name: column(values.numpy()) for name, values in log_probs.items()}}


def _log_softmax(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Log-probabilities of the whole vocabulary, (positions, vocabulary): for a sentence only."""
    return torch.log_softmax(features @ weight.T + bias, dim=-1)
