"""A stand-in for a worker that does what it is told, to test clients with: `python scripted_worker.py SCRIPT`.

SCRIPT is JSON, a list of steps, each of one kind:

    ["greet", {…}]         read a request, answer it as a worker answers `hello`, with these fields changed
    ["read", COUNT]        read so many requests
    ["say", {…}, PIECE]    send a message; in pieces of PIECE bytes, if given
    ["together", [{…}, …]] send messages in one write
    ["raw", HEX]           send bytes that need not be a message
    ["log", TEXT]          write to stderr
    ["exit", CODE]         end now
    ["end"]                read until the input ends or `shutdown` comes, and end with 0; what every script ends with
    ["hang"]               read no more, and do not end either
    ["lives", FILE, [SCRIPT, …]]  play the first script when this is first run with that file, then the second, …

In a message the text "id 2" stands for the id of the third request that was read, "text 2" for that id as text,
"args 2" for its arguments, "request 2" for all of it, and ["repeat", TEXT, COUNT] for a long text.
"""

import json
import os
import signal
import sys
from typing import Any, NoReturn

_GREETING = {
    "protocol": 1,
    "worker_id": "scripted",
    "core_version": "0",
    "codecs": ["json"],
    "frameworks": ["scripted"],
    "configures": ["configure"],
    "limits": {"max_frame_bytes": 67_108_864, "max_in_flight": 10_000},
}


class ScriptedWorker:
    """Plays one script."""

    def __init__(self) -> None:
        self._requests: list[dict[str, Any]] = []

    def greet(self, changes: dict[str, Any]) -> None:
        self.read(1)
        answer = {"id": self._requests[-1]["id"], "success": True, "result": {**_GREETING, **changes}}
        self.say({**answer, "timestamp": 0.0})

    def read(self, count: int) -> None:
        for _ in range(count):
            size = int.from_bytes(_exactly(4), "big")
            self._requests.append(json.loads(_exactly(size)))

    def say(self, message: dict[str, Any], piece: int = 0) -> None:
        _write(self._frame(message), piece)

    def together(self, messages: list[dict[str, Any]]) -> None:
        _write(b"".join(map(self._frame, messages)))

    def raw(self, text: str) -> None:
        _write(bytes.fromhex(text))

    def log(self, text: str) -> None:
        os.write(2, text.encode())

    def exit(self, code: int) -> NoReturn:
        raise SystemExit(code)

    def end(self) -> NoReturn:
        while True:
            self.read(1)
            if self._requests[-1]["command"] == "shutdown":
                raise SystemExit(0)

    def hang(self) -> None:
        signal.pause()

    def lives(self, file: str, scripts: list[Any]) -> None:
        with open(file, "ab") as count:
            life = count.tell()
            count.write(b".")
        self.play(scripts[min(life, len(scripts) - 1)])

    def play(self, steps: list[Any]) -> None:
        for kind, *parts in [*steps, ["end"]]:
            getattr(self, kind)(*parts)

    def _frame(self, message: Any) -> bytes:
        payload = json.dumps(self._filled(message), ensure_ascii=False).encode()
        return len(payload).to_bytes(4, "big") + payload

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            if value[:1] == ["repeat"]:
                return value[1] * value[2]
            return [self._filled(item) for item in value]
        if isinstance(value, str):
            what, _, number = value.partition(" ")
            if number.isdigit() and what in ("id", "text", "args", "request"):
                request = self._requests[int(number)]
                return {"request": request, "text": str(request["id"]), **request}[what]
        return value


def _exactly(count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            raise SystemExit(0)
        data += more
    return data


def _write(data: bytes, piece: int = 0) -> None:
    while data:
        data = data[os.write(1, data[: piece or len(data)]) :]


if __name__ == "__main__":
    signal.alarm(60)  # no test lives longer
    ScriptedWorker().play(json.loads(sys.argv[1]))
