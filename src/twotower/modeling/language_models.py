"""The towers as the field's tools know language models: logits of one head, in `transformers`' own classes.

`twotower.load_model(run)` gives the joint head, with `head="readout_1"` tower 1 alone under its readout. `import
twotower.transformers` makes the `Auto` classes know them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput, MaskedLMOutput

from .configuration import TowersConfig
from .model import TowersModel


class _OneHead(TowersModel):
    """Towers that give the logits of `config.head`."""

    objectives: tuple[str, ...] = ()

    def __init__(self, config: TowersConfig) -> None:
        if config.objective not in self.objectives:
            other = "AutoModelForCausalLM" if config.objective == "causal" else "AutoModelForMaskedLM"
            raise ValueError(f"towers of the {config.objective} objective are no {type(self).__name__}; use {other}")
        super().__init__(config)
        if config.head not in config.head_names:
            heads = ", ".join(config.head_names)
            raise ValueError(f"head: there is no {config.head!r}; heads of this model: {heads}")

    def logits(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """All logits of the head, (batch, time, vocabulary): for short texts only. `attention_mask` is 0 for padding.

        Padding may also come first, as when generating: such rows are read without it.
        """
        if input_ids.shape[1] > self.config.window:
            raise ValueError(f"a text of {input_ids.shape[1]} tokens; this model reads at most {self.config.window}")
        if attention_mask is None or bool(attention_mask.all()):
            return self._logits(input_ids, None)
        if bool((attention_mask[:, 1:] <= attention_mask[:, :-1]).all()):  # all padding comes last
            return self._logits(input_ids, attention_mask.bool())
        shape = (*input_ids.shape, self.config.vocab_size)
        logits = torch.zeros(shape, dtype=self.decoder_bias.dtype, device=input_ids.device)
        for row, (ids, mask) in enumerate(zip(input_ids, attention_mask.bool(), strict=True)):
            logits[row, mask] = self._logits(ids[mask][None], None)[0]
        return logits

    def _logits(self, input_ids: Tensor, present: Tensor | None) -> Tensor:
        outputs, head = self.tower_outputs(input_ids, present), self.config.head
        features, weight, bias = self.head_features(outputs, {head})[head]
        return F.linear(features, weight, bias)


class TowersForCausalLM(_OneHead, GenerationMixin):
    """Towers of the causal objective: the logits at a position are of the next token."""

    objectives = ("causal",)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> CausalLMOutput:
        """Logits and, for `labels` (piece ids, -100: none), mean nats per token; labels are shifted here."""
        logits = self.logits(input_ids, attention_mask)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return CausalLMOutput(loss=loss, logits=logits)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: object
    ) -> dict[str, Tensor | None]:
        """The last window of what has been generated: there is no cache."""
        window = self.config.window
        return {
            "input_ids": input_ids[:, -window:],
            "attention_mask": None if attention_mask is None else attention_mask[:, -window:],
        }


class TowersForMaskedLM(_OneHead):
    """Towers that read both directions: the logits at a position are of the token that belongs there.

    Under the `bidirectional` objective the position's own token is not read, [MASK] or not.
    """

    objectives = ("masked", "bidirectional")

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> MaskedLMOutput:
        """Logits and, for `labels` (piece ids, -100: none), mean nats per token."""
        logits = self.logits(input_ids, attention_mask)
        loss = None if labels is None else F.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return MaskedLMOutput(loss=loss, logits=logits)
