"""Limits say what they are when they are made."""

from __future__ import annotations

import pytest

from bridge_core.protocol import Limits


@pytest.mark.sentence("P-3", "P-66", "P-67", "P-68", "P-69")
def test_defaults_are_those_of_the_reference() -> None:
    assert Limits() == Limits(
        max_frame_bytes=67_108_864,
        max_depth=128,
        max_nodes=1_000_000,
        max_in_flight=10_000,
        max_msgpack_bytes=8_388_608,
    )


@pytest.mark.parametrize("name", ["max_frame_bytes", "max_depth", "max_nodes", "max_in_flight", "max_msgpack_bytes"])
def test_limits_are_at_least_one(name: str) -> None:
    Limits(**{name: 1})
    with pytest.raises(ValueError):
        Limits(**{name: 0})


def test_frames_cannot_be_longer_than_their_header_can_say() -> None:
    Limits(max_frame_bytes=2**32 - 1)
    with pytest.raises(ValueError):
        Limits(max_frame_bytes=2**32)
