"""From the processor to the device: several tensors in one copy, since each copy to a GPU is waited for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def in_one_copy(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Tensors of the processor, of any types and shapes, on a device; on the processor they are returned as they are.

    Those with the largest numbers come first in the copy, so that each begins where its type may.
    """
    if device.type == "cpu":
        return list(tensors)
    places = sorted(range(len(tensors)), key=lambda place: -tensors[place].element_size())
    ordered = [tensors[place].contiguous() for place in places]
    bytes_of = [tensor.flatten().view(torch.uint8) for tensor in ordered]
    parts = torch.split(torch.cat(bytes_of).to(device), [len(tensor) for tensor in bytes_of])
    moved = [part.view(tensor.dtype).view(tensor.shape) for part, tensor in zip(parts, ordered, strict=True)]
    return [moved[places.index(place)] for place in range(len(tensors))]
