"""Recorded conversations between a peer and a worker, and the files that keep them.

A file has one JSON object in each line. The first says how the worker was started, the others say in order what each
end sent (`message`), that the peer sent nothing more (`end`), and with which code the worker ended (`exit`). `message`
is the decoded payload. Where writing it anew as JSON would not give the same bytes, these stand beside it: as `text`,
or as `hex` where they are not UTF-8, as in MessagePack; `message` then shows binary values and floats that JSON lacks
as objects with the key `$bytes` or `$float`.
"""

from __future__ import annotations

import base64
import json
import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import msgspec

__all__ = ["GOLDEN", "Line", "Transcript", "files", "payload_of", "reason_of"]

GOLDEN = Path(__file__).parents[1] / "golden" / "transcripts"


@attrs.frozen(kw_only=True)
class Line:
    """What one end did."""

    sender: str
    payload: bytes | None = None
    """What it sent; None if it ended instead."""
    exit: int | None = None

    @property
    def message(self) -> Any:
        """The payload, decoded; None if it is no message."""
        return None if self.payload is None else _decoded(self.payload)

    def write(self) -> str:
        """Return the line of the file."""
        if self.payload is None:
            return json.dumps({"from": self.sender, **({"end": True} if self.exit is None else {"exit": self.exit})})
        line: dict[str, Any] = {"from": self.sender, "message": _shown(self.message)}
        if self.payload != payload_of(line["message"]):
            try:
                line["text"] = self.payload.decode()
            except UnicodeDecodeError:
                line["hex"] = self.payload.hex()
        return json.dumps(line, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Line:
        """Return what a line of the file says."""
        line = json.loads(text)
        payload = None
        if "text" in line:
            payload = line["text"].encode()
        elif "hex" in line:
            payload = bytes.fromhex(line["hex"])
        elif "message" in line:
            payload = payload_of(line["message"])
        return cls(sender=line["from"], payload=payload, exit=line.get("exit"))


@attrs.frozen(kw_only=True)
class Transcript:
    """One conversation."""

    theme: str
    protocol: int
    core: str
    """The version of bridge-core that both ends were of."""
    flags: list[str]
    """The worker's."""
    codec: str
    client: bool
    """Whether the peer says nothing but what our client says too."""
    lines: list[Line]

    def write(self) -> str:
        """Return the file's text."""
        head = attrs.asdict(self, filter=lambda field, _: field.name != "lines")
        return "".join(f"{line}\n" for line in [json.dumps(head), *(line.write() for line in self.lines)])

    @classmethod
    def read(cls, path: Path) -> Transcript:
        """Return what a file says."""
        head, *lines = path.read_text("utf-8").rstrip("\n").split("\n")
        return cls(**json.loads(head), lines=[Line.read(line) for line in lines])


def files() -> list[Path]:
    """Return the transcripts there are, those of the newest version last."""
    found = GOLDEN.glob("protocol-*/core-*/*.jsonl")
    return sorted(found, key=lambda path: (*map(int, re.findall(r"\d+", path.parent.name)), path.name))


def payload_of(message: object) -> bytes:
    """Return a message in JSON, as short as it gets."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def reason_of(message: dict[str, Any]) -> Any:
    """Return why a request failed, as a worker's message says; None if that is not what it says."""
    info = message.get("error_info")
    return info.get("reason") if isinstance(info, dict) else None


def _decoded(payload: bytes) -> Any:
    for decode in (json.loads, msgspec.msgpack.decode):
        with suppress(ValueError):  # no JSON begins like a map in MessagePack
            return decode(payload)
    return None


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    return value
