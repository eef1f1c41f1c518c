"""The limits of a connection: every size has one, and each is checked before memory is spent on it."""

from __future__ import annotations

from msgspec import Struct, structs

__all__ = ["Limits"]

# What four bytes can announce.
_MOST_FRAME_BYTES = 2**32 - 1


class Limits(Struct, kw_only=True, frozen=True):
    """How much one connection accepts; the same numbers hold in both directions where both can exceed them."""

    max_frame_bytes: int = 64 * 1024 * 1024
    """Length of one frame's payload."""
    max_depth: int = 128
    """Arrays and objects inside each other in arguments, a result or a payload, that value itself counted."""
    max_nodes: int = 1_000_000
    """Values in one message: scalars, arrays and objects, the message itself counted; keys are not."""
    max_in_flight: int = 10_000
    """Requests of one peer that are not yet answered."""
    max_msgpack_bytes: int = 8 * 1024 * 1024
    """Bytes outside binary values in one MessagePack message that a worker receives.

    A byte of MessagePack can become 64 bytes of Python objects, a byte of JSON only about half of that.
    """

    def __post_init__(self) -> None:
        """Refuse limits that let nothing pass, and frames whose length no header can say."""
        if min(structs.astuple(self)) < 1 or self.max_frame_bytes > _MOST_FRAME_BYTES:
            raise ValueError(f"every limit is 1 or more, and max_frame_bytes at most {_MOST_FRAME_BYTES}: {self}")
