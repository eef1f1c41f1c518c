"""Length-prefixed frames: a 4-byte big-endian length, then that many bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bridge_core.errors import FrameTooLargeError, TruncatedFrameError

if TYPE_CHECKING:
    from typing import TypeAlias

    Buffer: TypeAlias = bytes | bytearray

__all__ = ["HEADER_SIZE", "FrameDecoder", "encode_frame", "fill_in_header"]

_HEADER = struct.Struct(">I")
HEADER_SIZE = _HEADER.size
"""Bytes before each payload."""

# From this size on, a frame is handed out in the very buffer it arrived in instead of being copied out of it.
_HAND_OVER = 64 * 1024


def encode_frame(payload: Buffer, max_frame_bytes: int) -> bytes:
    """Return the payload as one frame.

    Raises:
        FrameTooLargeError: The payload is longer than `max_frame_bytes`; nothing is lost, it was not sent.
    """
    frame = bytearray(HEADER_SIZE)
    frame += payload
    fill_in_header(frame, max_frame_bytes)
    return bytes(frame)


def fill_in_header(frame: bytearray, max_frame_bytes: int) -> None:
    """Make a frame of a payload that was written with `HEADER_SIZE` bytes free before it.

    Raises:
        FrameTooLargeError: The payload is longer than `max_frame_bytes`; nothing is lost, it was not sent.
    """
    size = len(frame) - HEADER_SIZE
    if size > max_frame_bytes:
        raise FrameTooLargeError(
            f"a message of {size} bytes does not fit in a frame of at most {max_frame_bytes} bytes",
            size=size,
            limit=max_frame_bytes,
        )
    _HEADER.pack_into(frame, 0, size)


class FrameDecoder:
    """Cuts a stream of bytes into payloads, however the bytes are cut on their way.

    The buffer grows by what has arrived, never by what a header announces. Not for use by several threads at once.
    """

    def __init__(self, max_frame_bytes: int) -> None:
        self._limit = max_frame_bytes
        # Either one read as it came (bytes, nothing copied) or a frame that is being collected (bytearray).
        self._buffer: Buffer = b""
        self._position = 0
        self._ended = False
        self._lost = False

    @property
    def exhausted(self) -> bool:
        """Whether no further frame can come: the framing is lost, or the stream ended and all frames were taken."""
        return self._lost or (self._ended and self._position >= len(self._buffer))

    @property
    def empty(self) -> bool:
        """Whether all that was received has been taken, and more may come."""
        return not self._buffer and not self._ended

    def receive_data(self, data: Buffer | memoryview) -> None:
        """Add what was read; nothing read (`b""`) is the end of the stream."""
        if self._lost:
            return
        if not data:
            self._ended = True
        elif self._position >= len(self._buffer):
            self._buffer = bytes(data)
            self._position = 0
        else:
            collected = self._buffer
            if isinstance(collected, bytes):
                collected = bytearray(memoryview(collected)[self._position :])
                self._buffer = collected
            else:
                del collected[: self._position]
            self._position = 0
            collected += data

    def next_frame(self) -> Buffer | None:
        """Return the next payload, or None until more has arrived.

        Raises:
            FrameTooLargeError: The header announces more than `max_frame_bytes`; the framing is lost.
            TruncatedFrameError: The stream ended inside a frame; the framing is lost.
        """
        buffer = self._buffer
        start = self._position + HEADER_SIZE
        if start > len(buffer):
            self._check_end()
            return None
        (size,) = _HEADER.unpack_from(buffer, self._position)
        if size > self._limit:
            self._lose()
            raise FrameTooLargeError(
                f"a frame of {size} bytes was announced, at most {self._limit} are accepted",
                size=size,
                limit=self._limit,
            )
        end = start + size
        if end > len(buffer):
            self._check_end()
            return None
        if size >= _HAND_OVER and isinstance(buffer, bytearray) and len(buffer) - end <= size:
            return self._hand_over(buffer, start, end)
        payload = buffer[start:end]
        if end == len(buffer):
            self._buffer, end = b"", 0
        self._position = end
        return payload

    def _hand_over(self, buffer: bytearray, start: int, end: int) -> bytearray:
        # What follows the frame is no longer than the frame (the caller looked), so copying that instead stays linear.
        self._buffer, self._position = bytes(memoryview(buffer)[end:]), 0
        del buffer[end:]
        del buffer[:start]
        return buffer

    def _check_end(self) -> None:
        if self._ended and not self.exhausted:
            held = len(self._buffer) - self._position
            self._lose()
            raise TruncatedFrameError(f"the input ended {held} bytes into a frame", received=held)

    def _lose(self) -> None:
        self._lost, self._buffer, self._position = True, b"", 0
