"""The wire protocol without any I/O: bytes in, messages out, bytes to send out.

See docs/reference/protocol.md for what is on the wire.
"""

from __future__ import annotations

from ._codecs import CODECS
from ._connection import Connection
from ._frames import FrameDecoder, encode_frame
from ._limits import Limits
from ._messages import (
    BadMessage,
    Chunk,
    ErrorInfo,
    Event,
    Failure,
    Id,
    Message,
    Request,
    Response,
    StreamCredit,
    Tool,
    ToolCall,
)

__all__ = [
    "CODEC_NAMES", "PROTOCOL_VERSION", "BadMessage", "Chunk", "Connection", "ErrorInfo", "Event", "Failure",
    "FrameDecoder", "Id", "Limits", "Message", "Request", "Response", "StreamCredit", "Tool", "ToolCall",
    "encode_frame",
]  # fmt: skip

CODEC_NAMES = tuple(sorted(CODECS))
"""The payload codecs this end knows."""

PROTOCOL_VERSION = 1
"""The version of the protocol this end speaks."""
