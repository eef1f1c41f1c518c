"""A peer that says what was recorded, byte for byte, and notes what the worker answers now."""

from __future__ import annotations

import os
import select
from collections import Counter
from typing import Any

import attrs
from peer import PATIENCE, Peer, frame
from skew.transcripts import Line, Transcript

__all__ = ["Listener", "replay", "whose"]


def whose(message: Any) -> object:
    """Return what a worker's message is about, the same for all that are about the same: mostly a request's id."""
    if "event" in message:
        return "events"
    if "id" not in message:
        return "greeting"
    return type(message["id"]), message["id"]


class Listener(Peer):
    """A worker and what is said to it and by it, noted as lines."""

    def __init__(self, *flags: str) -> None:
        super().__init__(*flags)
        self.lines: list[Line] = []
        self._closings: Counter[object] = Counter()

    def say(self, payload: bytes) -> None:
        """Send one frame."""
        self.lines.append(Line(sender="peer", payload=payload))
        self.send_bytes(frame(payload))

    def hear(self, about: object, times: int = 1) -> None:
        """Receive until so many answers to this have come since the beginning; what else comes is noted too."""
        while self._closings[about] < times:
            assert self._hear(), f"the worker closed its output before it answered {about}; its log:\n{self.log()}"

    def finish(self, *, closes: bool = True) -> None:
        """Send nothing more, unless the worker ends by itself, and receive all that still comes."""
        if closes:
            self.lines.append(Line(sender="peer"))
            self.close_input()
        while self._hear():
            continue
        self.lines.append(Line(sender="worker", exit=self.wait()))

    def _hear(self) -> bool:
        while (payload := self._take()) is None:
            assert select.select([self.output], [], [], PATIENCE)[0], f"nothing came; the log:\n{self.log()}"
            data = os.read(self.output.fileno(), 1 << 20)
            if not data:
                return False
            self._received += data
        line = Line(sender="worker", payload=payload)
        self.lines.append(line)
        self._closings[whose(line.message)] += _closes(line.message)
        return True


def replay(transcript: Transcript) -> Transcript:
    """Return the conversation that the peer's half of a recorded one makes with the worker of today."""
    wanted: Counter[object] = Counter()
    with Listener(*transcript.flags) as listener:
        for line in transcript.lines:
            if line.sender == "peer" and line.payload is not None:
                listener.say(line.payload)
            elif line.payload is not None and _closes(line.message):
                about = whose(line.message)
                wanted[about] += 1
                listener.hear(about, wanted[about])
        listener.finish(closes=any(line.sender == "peer" and line.payload is None for line in transcript.lines))
        return attrs.evolve(transcript, lines=listener.lines)


def _closes(message: Any) -> bool:
    return "success" in message or "type" in message
