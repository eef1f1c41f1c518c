"""What execnet runs in its worker: it sends this function's source, so everything it needs is inside."""

from __future__ import annotations

__all__ = ["serve"]


def serve(channel):  # type: ignore[no-untyped-def]
    import os

    channel.send(os.getpid())
    for kind, value in channel:
        if kind == "stream":
            for number in range(value):
                channel.send({"i": number})
        else:
            channel.send(value)
