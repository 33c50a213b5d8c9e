"""Makes `transformers`' `Auto` classes know the towers: `import twotower.transformers`, and tools load runs by path.

`AutoModelForCausalLM.from_pretrained("runs/demo/model", head="readout_1")` then works, and whatever is built on it,
such as minicons. `twotower.load_model` needs none of this.
"""

from __future__ import annotations

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM

from .modeling.configuration import TowersConfig
from .modeling.language_models import TowersForCausalLM, TowersForMaskedLM
from .modeling.model import TowersModel

AutoConfig.register(TowersConfig.model_type, TowersConfig, exist_ok=True)
AutoModel.register(TowersConfig, TowersModel, exist_ok=True)
AutoModelForCausalLM.register(TowersConfig, TowersForCausalLM, exist_ok=True)
AutoModelForMaskedLM.register(TowersConfig, TowersForMaskedLM, exist_ok=True)
