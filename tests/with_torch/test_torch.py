"""What the other tests of this folder run with."""

from __future__ import annotations

from importlib.metadata import distributions

import torch


def test_torch_is_a_build_for_processors_only() -> None:
    assert torch.version.cuda is None
    assert not [found.name for found in distributions() if found.name.lower().startswith(("nvidia", "triton"))]
