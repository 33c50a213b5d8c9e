"""Any `transformers` backbone as a tower: `hf:MODEL_TYPE`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedConfig, PreTrainedModel

from ..system.errors import InputError, described, one_line
from .configuration import TowersConfig

PREFIX = "hf:"
DROPOUTS = (
    "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "dropout", "embd_pdrop", "embedding_dropout",
    "hidden_dropout", "hidden_dropout_prob", "mlp_dropout", "resid_pdrop",
)  # fmt: skip
"""What `transformers` calls dropout inside a backbone."""


def build_backbone(config: TowersConfig) -> PreTrainedModel:
    """The backbone `config.family` = hf:MODEL_TYPE at the size of a tower, without its word embedding and pooler.

    Weights are those that the backbone initializes itself with. Raises `InputError` if the model type is unknown, does
    not take embeddings, or cannot be built at this size.
    """
    family, kind = config.family, config.family.removeprefix(PREFIX)
    if kind not in CONFIG_MAPPING:
        raise InputError(
            f"family: {family} is not a model type of this `transformers`; examples: hf:llama, hf:modernbert, hf:mamba"
        )
    try:
        with _quiet():
            settings = backbone_settings(kind, config)
            if getattr(settings, "is_encoder_decoder", False):
                raise InputError(
                    f"family: {family} is an encoder-decoder; a tower is one stack, so give one or the other"
                )
            backbone = AutoModel.from_config(settings)
            if takes(type(backbone).__init__, "add_pooling_layer"):
                backbone = type(backbone)(settings, add_pooling_layer=False)
    except InputError:
        raise
    except Exception as error:  # each model type has its own ways of refusing a size
        raise InputError(
            f"family: {family} cannot be built at width {config.width}, {config.layers} layers, {config.heads} heads "
            f"({described(error)}); try other sizes or another type"
        ) from error
    if not takes(backbone, "inputs_embeds"):
        raise InputError(
            f"family: {family} takes no `inputs_embeds`, and towers share an embedding; give a text model that does"
        )
    _remove_word_embedding(backbone)
    return backbone


def backbone_settings(kind: str, config: TowersConfig) -> PreTrainedConfig:
    """The configuration of model type `kind` at the size of a tower; the rest is the type's own default."""
    try:
        defaults = CONFIG_MAPPING[kind]()
    except Exception as error:  # composite configurations cannot be made without parts
        raise InputError(
            f"family: hf:{kind} has no default configuration ({one_line(error, 200)}); give a text model"
        ) from error
    sizes = {
        "hidden_size": config.width,
        "embedding_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
        "head_dim": config.width // config.heads,
        "intermediate_size": config.feedforward,
        "max_position_embeddings": config.window + 2,  # families after RoBERTa count positions from 2
        "initializer_range": config.initializer_range,
        **dict.fromkeys(DROPOUTS, config.dropout),
    }
    if not hasattr(defaults, "hidden_size") or not hasattr(defaults, "num_hidden_layers"):
        raise InputError(f"family: hf:{kind} has no hidden size and number of layers of its own; give a text model")
    if kind == "mamba":  # its inner size is what `expand` makes of the width; `intermediate_size` is derived
        del sizes["intermediate_size"]
    fitting = {name: value for name, value in sizes.items() if _settable(defaults, name)}
    return CONFIG_MAPPING[kind](vocab_size=1, **{**fitting, "pad_token_id": 0, "use_cache": False})


def _settable(settings: PreTrainedConfig, name: str) -> bool:
    """Whether a configuration has this setting, and not as something that it derives from others."""
    derived = getattr(type(settings), name, None)
    return hasattr(settings, name) and not (isinstance(derived, property) and derived.fset is None)


def check_backbone(config: TowersConfig) -> bool:
    """Try the backbone of `config.family` on random embeddings, at two layers at most.

    Returns whether its positions see later ones. Raises `InputError` with the reason if it cannot be a tower.
    """
    shallow = TowersConfig(**{**config.to_dict(), "layers": min(config.layers, 2)})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = build_backbone(shallow).eval()
        original = torch.randn(1, min(12, config.window), config.width)
        changed = original.clone()
        changed[:, -1] = torch.randn(config.width)
    try:
        with torch.no_grad(), _quiet():
            states = [backbone(inputs_embeds=embeddings).last_hidden_state for embeddings in (original, changed)]
    except Exception as error:
        raise InputError(
            f"family: {config.family} does not run on embeddings alone ({described(error)}); give another text model"
        ) from error
    if states[0].shape != original.shape:
        raise InputError(
            f"family: {config.family} gives states of shape {tuple(states[0].shape)} for embeddings of "
            f"{tuple(original.shape)}; a tower keeps both time and width"
        )
    return bool((states[0][:, :-1] - states[1][:, :-1]).abs().max() > 1e-6)


def takes(called: Any, name: str) -> bool:
    """Whether a function, or a module's `forward`, has a parameter of this name."""
    function = called.forward if isinstance(called, nn.Module) else called
    return name in inspect.signature(function).parameters


def _remove_word_embedding(backbone: PreTrainedModel) -> None:
    unused = backbone.get_input_embeddings()
    for module in list(backbone.modules()):
        for name, child in list(module.named_children()):
            if child is unused:
                setattr(module, name, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """`transformers` warns of token ids outside a vocabulary that is not used, and of kernels that only GPUs have."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
