"""The floors: length-prefixed bytes over stdin and stdout, as they are or through a codec."""

from __future__ import annotations

from bench.frames import Frames

__all__ = ["serve"]


def serve(codec: str) -> None:
    """Give back every frame, until the end of the input."""
    frames = Frames(0, 1)
    answer = _raw if codec == "raw" else _json
    try:
        answer(frames)
    except EOFError:
        pass


def _raw(frames: Frames) -> None:
    while True:
        frames.send(frames.receive())


def _json(frames: Frames) -> None:
    import msgspec

    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    while True:
        answers: list[bytes] = []
        while not answers or frames.waiting():  # all that is there is answered in one write
            request = decode(frames.receive())
            answers.append(encode({"id": request["id"], "success": True, "result": request["args"]}))
        frames.send(*answers)
