"""A stand-in for a worker of another version: answers as a transcript says, to requests that ask the same.

`python -m skew.scripted TRANSCRIPT` speaks on stdin and stdout; it has nothing of ours in it but the files' reader. Ids
are the client's. What the recorded worker did not know, as any transcript of the folder says, may be asked at any time.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from skew.transcripts import Transcript, reason_of

__all__ = ["ScriptedWorker"]

_ASKED = ("command", "session_id", "framework", "stream")


class ScriptedWorker:
    """Plays the worker's part of a transcript."""

    def __init__(self, path: Path) -> None:
        self._transcript = Transcript.read(path)
        recorded = [Transcript.read(other) for other in path.parent.glob("*.jsonl")]
        self._unknown = dict(refusal for transcript in recorded for refusal in _unknown(transcript))
        self._ids: dict[Any, Any] = {}
        self._received = b""

    def play(self) -> int:
        """Play it to the end and return the exit code."""
        exit_code = 0
        for line in self._transcript.lines:
            if line.exit is not None:
                exit_code = line.exit
            elif line.sender == "worker":
                self._send(self._renamed(line.message))
            elif line.payload is not None:
                self._expect(line.message)
        while (request := self._next()) is not None:
            if not self._refused(request):
                _fail(f"one request too many: {request}")
        return exit_code

    def _expect(self, recorded: dict[str, Any]) -> None:
        request = self._next()
        while request is not None and request["command"] != recorded["command"] and self._refused(request):
            request = self._next()
        if request is None:
            _fail(f"nobody asked {recorded}")
        asked, wanted = ({key: one.get(key) or None for key in _ASKED} for one in (request, recorded))
        if asked != wanted or (asked["command"] != "hello" and request["args"] != recorded.get("args", {})):
            _fail(f"asked was {request}\nrecorded is {recorded}")
        self._ids[recorded["id"]] = request["id"]

    def _refused(self, request: dict[str, Any]) -> bool:
        answer = self._unknown.get(request["command"])
        if answer is None:
            return False
        self._send({**answer, "id": request["id"]})
        return True

    def _renamed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message with the client's ids in place of the recorded ones."""
        if "event" in message:
            data = message["data"]
            return {**message, "data": {**data, **({"id": self._ids[data["id"]]} if "id" in data else {})}}
        return {**message, "id": self._ids.get(message["id"])}

    def _next(self) -> dict[str, Any] | None:
        while len(self._received) < 4 or len(self._received) < 4 + int.from_bytes(self._received[:4], "big"):
            data = os.read(0, 1 << 16)
            if not data:
                return None
            self._received += data
        end = 4 + int.from_bytes(self._received[:4], "big")
        payload, self._received = self._received[4:end], self._received[end:]
        request: dict[str, Any] = json.loads(payload) if self._speaks_json() else msgspec.msgpack.decode(payload)
        return request

    def _send(self, message: dict[str, Any]) -> None:
        payload = json.dumps(message).encode() if self._speaks_json() else msgspec.msgpack.encode(message)
        data = len(payload).to_bytes(4, "big") + payload
        while data:
            data = data[os.write(1, data) :]

    def _speaks_json(self) -> bool:
        return self._transcript.codec == "json"


def _unknown(transcript: Transcript) -> list[tuple[str, dict[str, Any]]]:
    """Return the operations without a framework that the recorded worker did not know, and how it said so."""
    answers = [line.message for line in transcript.lines if line.sender == "worker" and line.payload is not None]
    refusals = [one for one in answers if reason_of(one) == "UNKNOWN_OPERATION"]
    named = [(one["error_info"]["details"]["operation"], one) for one in refusals]
    return [(operation, answer) for operation, answer in named if "." not in operation]


def _fail(why: str) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    raise SystemExit(70)


if __name__ == "__main__":
    raise SystemExit(ScriptedWorker(Path(sys.argv[1])).play())
