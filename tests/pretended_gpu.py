"""A GPU that is not there: tensors that say they are on another device, hold their numbers all the same, and refuse to
meet tensors of the processor.

PyTorch's own fake tensors hold no numbers, so that a stage stops where anything depends on one: a padding, a batch of
masked tokens, a loss that is looked at. With these, whole stages run, and give what the processor gives. The device is
called `meta`, the only one besides the processor that every build of PyTorch has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from accelerate import PartialState
from accelerate.state import AcceleratorState
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from transformers import PreTrainedModel

GPU = torch.device("meta")
MOVES = ("_to_copy", "copy_")
INDEXED = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")
"""A tensor on a GPU may be indexed by one of the processor, not the other way round."""
TOGETHER = ("cat", "stack")
"""Operations that do not even take a single number from the processor; nor do fused optimizers."""


class OnGpu(Tensor):
    """A tensor that says that it is on the GPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> OnGpu:
        made: OnGpu = Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype, device=GPU
        )
        made.held = held
        return made

    def untyped_storage(self) -> Any:
        """The storage that tells whether two tensors share their memory."""
        return self.held.untyped_storage()

    def tolist(self) -> Any:
        """PyTorch's own refuses tensors like this one."""
        return self.cpu().tolist()

    def numpy(self, *_: Any, **__: Any) -> Any:
        """As a GPU's tensor answers."""
        raise TypeError("can't convert a tensor on the GPU to numpy")

    def __repr__(self) -> str:
        return f"OnGpu({self.held!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {}, Counter())


def _computed(func: Any, args: Any, kwargs: dict[str, Any], crossings: Counter[str]) -> Any:
    """What an operation gives, on the device on which a GPU would have it; counts what crosses between devices."""
    name = func.overloadpacket.__name__
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    there = [leaf for leaf in tensors if isinstance(leaf, OnGpu)]
    here = [leaf for leaf in tensors if not isinstance(leaf, OnGpu)]
    if name == "_fused_sdp_choice":  # the kernels of a processor are called by another name
        return 0
    if there and here and name not in MOVES and not (name in INDEXED and isinstance(args[0], OnGpu)):
        strict = name in TOGETHER or name.startswith("_fused")
        if strict or any(leaf.dim() for leaf in here):
            raise RuntimeError(f"{name}: tensors on the GPU {[*map(_shape, there)]}, on the CPU {[*map(_shape, here)]}")
    device = kwargs.get("device")
    on_gpu = bool(there) if device is None else torch.device(device).type == GPU.type
    if device is not None:
        kwargs = kwargs | {"device": "cpu"}
    if name == "_local_scalar_dense" and there:
        crossings["numbers"] += 1
    if name in MOVES and (isinstance(args[0], OnGpu) or (name == "copy_" and isinstance(args[1], OnGpu))):
        crossings["to the CPU"] += not (on_gpu if name == "_to_copy" else isinstance(args[0], OnGpu))
    if name in MOVES and on_gpu and not isinstance(args[-1], OnGpu):
        crossings["to the GPU"] += 1
    held = tree_map(lambda leaf: leaf.held if isinstance(leaf, OnGpu) else leaf, (args, kwargs))
    result = func(*held[0], **held[1])
    if not on_gpu:
        return result
    wrapped = tree_map(lambda leaf: OnGpu(leaf) if isinstance(leaf, Tensor) else leaf, result)
    return return_and_correct_aliasing(func, args, kwargs, wrapped)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


class _Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.crossings: Counter[str] = Counter()
        self.loading = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.loading:  # transformers builds a model on `meta` and then reads its weights
            return func(*args, **(kwargs or {}))
        return _computed(func, args, kwargs or {}, self.crossings)


class _Factories(TorchFunctionMode):
    """PyTorch drops the values that it is to put on `meta`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and (asked := kwargs.get("device")) is not None:
            return func(*args, **(kwargs | {"device": None})).to(asked)
        return func(*args, **kwargs)


@contextmanager
def pretended_gpu(patch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """All that asks for a device gets the pretended one; gives the counts of what crosses between it and the CPU."""
    import torch.utils._foreach_utils

    AcceleratorState._reset_state(reset_partial_state=True)
    operations = _Operations()
    load = PreTrainedModel.from_pretrained.__func__

    def loaded(cls: Any, *args: Any, **kwargs: Any) -> Any:
        operations.loading = True
        try:
            return load(cls, *args, **kwargs)
        finally:
            operations.loading = False

    patch.setattr(PreTrainedModel, "from_pretrained", classmethod(loaded))
    patch.setattr(torch.cuda, "is_available", lambda: True)
    patch.setattr(PartialState, "default_device", property(lambda _: GPU))
    for module in (
        "twotower.system.processes",
        "twotower.scoring.loading",
        "twotower.scoring.scores",
        "twotower.training.readouts",
    ):
        patch.setattr(f"{module}.device", lambda: GPU)
    supported = torch.utils._foreach_utils._get_fused_kernels_supported_devices
    for name in ("adam", "adamw", "optimizer"):
        module = __import__(f"torch.optim.{name}", fromlist=[name])
        if hasattr(module, "_get_fused_kernels_supported_devices"):
            patch.setattr(module, "_get_fused_kernels_supported_devices", lambda: [*supported(), GPU.type])
    # As on a GPU, a parameter that moves stays the same object, which an optimizer may have.
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with operations, _Factories():
            yield operations.crossings
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
        AcceleratorState._reset_state(reset_partial_state=True)
