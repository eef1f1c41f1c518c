"""Four bytes of length and a payload, over two descriptors: what the floors and a foreign peer speak."""

from __future__ import annotations

import os

__all__ = ["Frames"]

_SMALL = 65536


class Frames:
    """Blocking and unlimited, which only a benchmark may be; imports nothing, so that a floor is one."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._buffer: bytes = b""
        self._position = 0

    def receive(self) -> bytes | bytearray:
        """Return the next payload; a large one is read in place.

        Raises:
            EOFError: The other end has closed.
        """
        buffer, position = self._buffer, self._position
        while True:
            have = len(buffer) - position
            if have >= 4:
                end = position + 4 + int.from_bytes(buffer[position : position + 4], "big")
                if end <= len(buffer):
                    self._buffer, self._position = buffer, end
                    return buffer[position + 4 : end]
                if end - position > _SMALL:
                    self._buffer, self._position = b"", 0
                    return self._large(buffer[position + 4 :], end - position - 4)
            data = os.read(self._read_fd, _SMALL)
            if not data:
                raise EOFError
            buffer, position = (buffer[position:] + data if have else data), 0

    def _large(self, head: bytes, size: int) -> bytearray:
        payload = bytearray(size)
        view, filled = memoryview(payload), len(head)
        view[:filled] = head
        while filled < size:
            count = os.readv(self._read_fd, [view[filled:]])
            if not count:
                raise EOFError
            filled += count
        return payload

    def waiting(self) -> bool:
        """Say whether a whole frame has been read already."""
        have = len(self._buffer) - self._position
        return have >= 4 and have - 4 >= int.from_bytes(self._buffer[self._position : self._position + 4], "big")

    def send(self, *payloads: bytes | bytearray | memoryview) -> None:
        """Write each as a frame: small ones together, a large one without copying it."""
        small: list[bytes] = []
        for payload in payloads:
            head = len(payload).to_bytes(4, "big")
            if len(payload) < _SMALL:
                small.append(head + payload)
            else:
                written = os.writev(self._write_fd, [head, payload])
                self._write(memoryview(payload)[written - 4 :])
        if small:
            self._write(small[0] if len(small) == 1 else b"".join(small))

    def _write(self, data: bytes | memoryview) -> None:
        written = os.write(self._write_fd, data)
        while written < len(data):
            written += os.write(self._write_fd, memoryview(data)[written:])
