"""Language models and their tokenizers from `transformers`, with one line for each that cannot be loaded.

No code of a model's author is run, and nothing is unpickled: weights are safetensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

from ..data.hub import asking_the_hub
from ..system.errors import InputError, described
from ..system.processes import device, launched
from .named_models import NamedModel

Direction = Literal["causal", "masked"]


@dataclass(frozen=True)
class ModelFiles:
    """What is known of a model before its weights are loaded."""

    named: NamedModel
    direction: Direction
    config: Any
    """Of `transformers`."""
    tokenizer: Any
    """Of `transformers`: it knows which special tokens a text gets."""

    @property
    def backend(self) -> Tokenizer:
        """The tokenizer that divides text and says where its pieces stand; special tokens in a text are text."""
        backend = Tokenizer.from_str(self.tokenizer.backend_tokenizer.to_str())
        backend.no_padding()
        backend.no_truncation()
        backend.encode_special_tokens = True
        return backend


def read_model_files(named: NamedModel) -> ModelFiles:
    """The configuration and the tokenizer of a model.

    Raises `InputError` where there is none, for encoder-decoders, for what is not a language model, for code that would
    have to be run, and for names that the hub does not have or does not release.
    """
    from transformers import AutoConfig, AutoTokenizer

    import twotower.transformers  # noqa: F401  makes the Auto classes know towers

    if named.kind == "folder" and not (Path(named.place) / "config.json").is_file():
        tokenizer_alone = any(Path(named.place).glob("tokenizer*"))
        raise InputError(
            f"diff: {named.given} holds "
            + ("a tokenizer without its model" if tokenizer_alone else "no config.json")
            + "; give a folder that save_pretrained has written"
        )
    with _from_the_hub(named), _one_line(named):
        config = AutoConfig.from_pretrained(named.place, revision=named.revision, trust_remote_code=False)
        if named.head:
            config.head = named.head
    direction = _direction(named, config)
    with _from_the_hub(named), _one_line(named):
        tokenizer = AutoTokenizer.from_pretrained(named.place, revision=named.revision, trust_remote_code=False)
    if not getattr(tokenizer, "is_fast", False) or tokenizer.vocab_size == 0:
        raise InputError(
            f"diff: {named.given}: its tokenizer does not say which characters its pieces stand for; give a model with "
            "a tokenizer.json"
        )
    return ModelFiles(named, direction, config, tokenizer)


def load_model(files: ModelFiles, dtype: str, device: str) -> Any:
    """The model with its weights, on its device, in evaluation mode.

    Raises `InputError` where weights are missing, the head to the vocabulary among them, or are no safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    kind = AutoModelForCausalLM if files.direction == "causal" else AutoModelForMaskedLM
    options: dict[str, Any] = {"device_map": "auto"} if device == "balanced" else {}
    with _from_the_hub(files.named), _one_line(files.named):
        model, report = kind.from_pretrained(
            files.named.place, revision=files.named.revision, config=files.config, trust_remote_code=False,
            use_safetensors=True, dtype=getattr(torch, dtype), output_loading_info=True, **options,
        )  # fmt: skip
    parameters = dict(model.named_parameters())
    if missing := sorted(name for name in report["missing_keys"] if name in parameters):
        raise InputError(
            f"diff: {files.named.given} lacks weights of a language model ({missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "); give a model that was saved with its head"
        )
    model.eval()
    return model if options else model.to(device)


def resolved_device(name: str) -> str:
    """`auto` as a device: of several processes, that of this one. Raises `InputError` for one that is not there."""
    import torch

    if name == "auto":
        return str(device())
    if name == "balanced":
        if launched() > 1:
            raise InputError("diff.device: balanced gives every process all GPUs; start it without a launcher")
        return name
    if name.partition(":")[0] == "mps":
        raise InputError("diff.device: mps is not supported: no result has been checked there; give cpu")
    try:
        torch.zeros(1, device=name).item()  # a value comes back: `meta` holds none
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"diff.device: {name} is not possible here ({type(error).__name__}); give cpu") from None
    return name


def _direction(named: NamedModel, config: Any) -> Direction:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    if getattr(config, "is_encoder_decoder", False):
        raise InputError(
            f"diff: {named.given} is an encoder-decoder ({config.model_type}); give a causal or a masked model"
        )
    if objective := getattr(config, "objective", None):  # towers
        return "causal" if objective == "causal" else "masked"
    causal, masked = (type(config) in mapping for mapping in (MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING))
    architectures = " ".join(getattr(config, "architectures", None) or [])
    if causal and (not masked or getattr(config, "is_decoder", False) or "CausalLM" in architectures):
        return "causal"
    if masked:
        return "masked"
    raise InputError(
        f"diff: {named.given} is not a language model of text ({config.model_type}); give a causal or masked one"
    )


def _from_the_hub(named: NamedModel) -> Any:
    return asking_the_hub(named.given) if named.kind == "hub" else nullcontext()


@contextmanager
def _one_line(named: NamedModel) -> Iterator[None]:
    """Turn what libraries raise for a model that cannot be loaded into an `InputError`."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        yield
    except InputError:
        raise
    except Exception as error:  # the hub's, HTTP's, the file system's, safetensors' and `transformers`' own errors
        chain = [error, *_causes(error)]
        if any(isinstance(cause, GatedRepoError) for cause in chain):
            why = "the hub gives it only to those who have accepted its terms; log in with `hf auth login`"
        elif any(isinstance(cause, RevisionNotFoundError) for cause in chain):
            why = f"the hub has no revision {named.revision!r} of it; see its page for those there are"
        elif any(isinstance(cause, RepositoryNotFoundError) for cause in chain):
            why = "the hub has no model of this name; check it, or give a folder"
        elif "trust_remote_code" in str(error):
            why = "it needs code of its author, which is never run; give a model that transformers has"
        elif named.kind == "hub":
            why = f"{described(error)}; check the name and the network, or give a folder with its files"
        else:
            why = f"{described(error)}; give a folder that save_pretrained has written"
        raise InputError(f"diff: {named.given} cannot be loaded: {why}") from error


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    below = error.__cause__ or error.__context__
    while below is not None and below not in causes:
        causes.append(below)
        below = below.__cause__ or below.__context__
    return causes
