"""The towers as the field's tools know language models: logits of one head, in `transformers`' own classes.

`twotower.load_model(run)` gives the joint head, with `head="readout_1"` tower 1 alone under its readout. `import
twotower.transformers` makes the `Auto` classes know them.
"""

from __future__ import annotations

from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput, MaskedLMOutput

from .configuration import TowersConfig
from .layers import side_by_side, states_of_layers
from .model import Readout, TowersModel, asked, refuse_attentions


class _OneHead(TowersModel):
    """Towers that give the logits of `config.head`."""

    objectives: tuple[str, ...]
    output: type[CausalLMOutput | MaskedLMOutput]

    def __init__(self, config: TowersConfig) -> None:
        if config.objective not in self.objectives:
            auto_class = "AutoModelForCausalLM" if config.objective == "causal" else "AutoModelForMaskedLM"
            raise ValueError(
                f"towers of the {config.objective} objective are no {type(self).__name__}; use {auto_class}"
            )
        super().__init__(config)
        if config.head not in config.head_names:
            heads = ", ".join(config.head_names)
            raise ValueError(f"head: there is no {config.head!r}; heads of this model: {heads}")

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> CausalLMOutput | MaskedLMOutput | tuple[Any, ...]:
        """Logits and, for `labels` (piece ids, -100: none), mean nats per token; causal labels are shifted here.

        `hidden_states` are those of each layer, from 0, of the tower that the head reads; of the joint head those of
        all towers side by side. Raises `TypeError` for other options, `ValueError` for what the towers do not give.
        """
        refuse_attentions(output_attentions, self.config)
        hidden = asked(output_hidden_states, self.config.output_hidden_states)
        logits, *states = self._read(input_ids, attention_mask, hidden)
        loss = None
        if labels is not None:
            shifted = self.config.objective == "causal"
            predicting, asked_for = (logits[:, :-1], labels[:, 1:]) if shifted else (logits, labels)
            loss = F.cross_entropy(predicting.flatten(0, 1), asked_for.flatten())
        output = self.output(loss=loss, logits=logits, hidden_states=tuple(states) if hidden else None)
        return output if asked(return_dict, self.config.return_dict) else output.to_tuple()

    def logits(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """All logits of the head, (batch, time, vocabulary): for short texts only. `attention_mask` is 0 for padding.

        Padding may also come first, as when generating: such rows are read without it.
        """
        return self._read(input_ids, attention_mask, hidden=False)[0]

    def _read(self, input_ids: Tensor, attention_mask: Tensor | None, hidden: bool) -> list[Tensor]:
        """The logits, then the `hidden` states of each layer, if they are asked for."""
        if input_ids.shape[1] > self.config.window:
            raise ValueError(f"a text of {input_ids.shape[1]} tokens; this model reads at most {self.config.window}")
        if attention_mask is None or bool(attention_mask.all()):
            return self._read_rows(input_ids, None, hidden)
        if bool((attention_mask[:, 1:] <= attention_mask[:, :-1]).all()):  # all padding comes last
            return self._read_rows(input_ids, attention_mask.bool(), hidden)
        padded: list[Tensor] = []
        for row, (ids, mask) in enumerate(zip(input_ids, attention_mask.bool(), strict=True)):
            unpadded = self._read_rows(ids[mask][None], None, hidden)
            padded = padded or [values.new_zeros((*input_ids.shape, values.shape[-1])) for values in unpadded]
            for into, values in zip(padded, unpadded, strict=True):
                into[row, mask] = values[0]
        return padded

    def _read_rows(self, input_ids: Tensor, present: Tensor | None, hidden: bool) -> list[Tensor]:
        layers = states_of_layers(self, input_ids, present) if hidden else []
        outputs = [tower[-1] for tower in layers] or self.tower_outputs(input_ids, present)
        features, weight, bias = self.head_features(outputs, {self.config.head})[self.config.head]
        number = self.config.head.rpartition("_")[2]
        read = layers if not number.isdigit() else layers[int(number) - 1 : int(number)]
        return [F.linear(features, weight, bias), *side_by_side(read)]

    def get_output_embeddings(self) -> nn.Linear:
        """The head's layer to the vocabulary, with the model's own parameters."""
        name, _, read = self.config.head.partition("_")
        linear = nn.Linear(1, 1, device="meta")
        linear.weight, linear.bias = cast(tuple[nn.Parameter, nn.Parameter], (
            self.joint_decoder() if self.config.head == "joint"
            else self.decoder_of(cast(Readout, cast(nn.ModuleDict, self.readouts[name])[read]))
        ))  # fmt: skip
        linear.out_features, linear.in_features = linear.weight.shape
        return linear

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Refused: the vocabulary of a trained run stays as it is."""
        raise NotImplementedError("the vocabulary of a trained run cannot be changed; train with another tokenizer")

    def resize_token_embeddings(self, *_: object, **__: object) -> nn.Embedding:
        """Refused in the same way."""
        raise NotImplementedError("the vocabulary of a trained run cannot be changed; train with another tokenizer")


class TowersForCausalLM(_OneHead, GenerationMixin):
    """Towers of the causal objective: the logits at a position are of the next token."""

    objectives = ("causal",)
    output = CausalLMOutput

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **options: object
    ) -> dict[str, Any]:
        """The last window of what has been generated: there is no cache."""
        window = self.config.window
        return {
            "input_ids": input_ids[:, -window:],
            "attention_mask": None if attention_mask is None else attention_mask[:, -window:],
            **{name: options[name] for name in ("output_hidden_states", "output_attentions") if name in options},
        }


class TowersForMaskedLM(_OneHead):
    """Towers that read both directions: the logits at a position are of the token that belongs there.

    Under the `bidirectional` objective the position's own token is not read, [MASK] or not.
    """

    objectives = ("masked", "bidirectional")
    output = MaskedLMOutput
