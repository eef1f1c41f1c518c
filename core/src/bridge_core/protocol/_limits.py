"""The limits of a connection: every size has one, and each is checked before memory is spent on it."""

from __future__ import annotations

import attrs

__all__ = ["Limits"]

# What four bytes can announce.
_MOST_FRAME_BYTES = 2**32 - 1


@attrs.frozen(kw_only=True)
class Limits:
    """How much one connection accepts; the same numbers hold in both directions where both can exceed them."""

    max_frame_bytes: int = attrs.field(
        default=64 * 1024 * 1024, validator=[attrs.validators.ge(1), attrs.validators.le(_MOST_FRAME_BYTES)]
    )
    """Length of one frame's payload."""
    max_depth: int = attrs.field(default=128, validator=attrs.validators.ge(1))
    """Arrays and objects inside each other in arguments, a result or a payload, that value itself counted."""
    max_nodes: int = attrs.field(default=1_000_000, validator=attrs.validators.ge(1))
    """Values in one message: scalars, arrays and objects, the message itself counted; keys are not."""
    max_in_flight: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    """Requests of one peer that are not yet answered."""
    max_msgpack_bytes: int = attrs.field(default=8 * 1024 * 1024, validator=attrs.validators.ge(1))
    """Bytes outside binary values in one MessagePack message that a worker receives.

    A byte of MessagePack can become 64 bytes of Python objects, a byte of JSON only about half of that.
    """
