"""Tensors on the wire."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bridge_transformers._values import describe

pytestmark = [pytest.mark.capability("B08")]


def encode(part: object) -> Any:
    assert isinstance(part, bytes)
    return list(part)


@pytest.mark.parametrize(
    ("tensor", "dtype", "shape", "data"),
    [
        (torch.tensor([[1, 2], [3, 4]], dtype=torch.int16), "int16", [2, 2], [1, 0, 2, 0, 3, 0, 4, 0]),
        (torch.tensor([[1, 2], [3, 4]], dtype=torch.int8).T, "int8", [2, 2], [1, 3, 2, 4]),
        (torch.tensor([1.0, -2.0], dtype=torch.bfloat16), "bfloat16", [2], [128, 63, 0, 192]),
        (torch.tensor(True), "bool", [], [1]),
        (torch.zeros(0, 3), "float32", [0, 3], []),
        (torch.ones(1, requires_grad=True), "float32", [1], [0, 0, 128, 63]),
    ],
)
def test_dense_tensor_becomes_its_bytes(tensor: torch.Tensor, dtype: str, shape: list[int], data: list[int]) -> None:
    tag = {"$type": "tensor", "dtype": dtype, "shape": shape, "device": "cpu", "data": data}
    assert describe(tensor, encode) == tag


@pytest.mark.parametrize("value", [3, "text", object(), [torch.zeros(1)], torch.zeros(2).to_sparse()])
def test_value_of_others_is_left_to_them(value: object) -> None:
    assert describe(value, encode) is None
