"""A trained run as a language model of the field's tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..system.errors import InputError

if TYPE_CHECKING:
    from ..modeling.language_models import TowersForCausalLM, TowersForMaskedLM


def load_model(path: Path | str, head: str = "joint") -> TowersForCausalLM | TowersForMaskedLM:
    """One head of trained towers as a `transformers` language model, in evaluation mode.

    ```python
    import twotower

    model = twotower.load_model("runs/demo", head="readout_1")
    ```

    Args:
        path: a run folder, or a folder that `save_pretrained` has written, such as its `model`.
        head: what gives the logits: `joint` (all towers), or `NAME_K`, the readout of tower K (from 1) in the set NAME.

    Returns:
        Towers that predict the next token, or towers that predict hidden ones; both give all logits of a text, (batch,
        time, vocabulary).

    Raises:
        InputError: if no such model is there, or the model has no such head.
    """
    from ..modeling.configuration import TowersConfig
    from ..modeling.language_models import TowersForCausalLM, TowersForMaskedLM
    from ..modeling.model import quiet_loading

    folder = Path(path) / "model" if (Path(path) / "model").is_dir() else Path(path)
    if not (folder / "config.json").is_file():
        raise InputError(f"{path}: no model here; give a finished run folder, its model folder, or an export")
    try:
        config = TowersConfig.from_pretrained(folder)
        kind = TowersForCausalLM if config.objective == "causal" else TowersForMaskedLM
        with quiet_loading():
            model: TowersForCausalLM | TowersForMaskedLM = kind.from_pretrained(folder, head=head, use_safetensors=True)
        model.eval()
        return model
    except (ValueError, OSError) as error:
        raise InputError(f"{folder}: {error}") from None
