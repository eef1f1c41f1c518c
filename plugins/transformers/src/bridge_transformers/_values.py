"""Tensors on the wire: their bytes, with what is needed to read them."""

from __future__ import annotations

import sys
from typing import Any

from bridge_core import Encode, JsonValue

__all__ = ["describe"]


def describe(value: object, encode: Encode) -> JsonValue:
    """Describe a dense tensor as a `tensor` tag, little-endian and row by row; None for everything else."""
    torch: Any = sys.modules.get("torch")  # a tensor exists only where torch has been imported
    if torch is None or not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        return None
    plain = value.detach().cpu().contiguous()
    return {
        "$type": "tensor",
        "dtype": str(value.dtype).removeprefix("torch."),
        "shape": list(value.shape),
        "device": str(value.device),
        # As bytes first: numpy has no bfloat16.
        "data": encode(plain.reshape(-1).view(torch.uint8).numpy().tobytes()),
    }
