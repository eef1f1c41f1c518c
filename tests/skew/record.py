"""Recording the themes with the version of bridge-core that is installed.

`python -m skew.record` in `tests/` writes them to the folder of that version, once: a recording is never changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from peer import PLUGINS, plugin_path
from skew.replay import Listener
from skew.themes import PACKED, RAW, SAID
from skew.transcripts import GOLDEN, Line, Transcript

from bridge_core import __version__
from bridge_core.client import BlockingClient
from bridge_core.protocol import PROTOCOL_VERSION, FrameDecoder, Limits
from bridge_core.transports import WorkerProcess

__all__ = ["THEMES", "record"]

THEMES = sorted([*SAID, *RAW, *PACKED])


def record(theme: str) -> Transcript:
    """Return the conversation about a theme between both ends as they are now."""
    codec = "msgpack" if theme in PACKED else "json"
    flags = ["--framework", "probe", "--codec", codec, "--worker-id", "recorded"]
    lines = _with_client(theme, flags) if theme in SAID else _with_listener(theme, flags)
    return Transcript(
        theme=theme,
        protocol=PROTOCOL_VERSION,
        core=__version__,
        flags=flags,
        codec=codec,
        client=theme in SAID or theme in ("bytes", "overlapping"),
        lines=lines,
    )


def _with_client(theme: str, flags: list[str]) -> list[Line]:
    lines: list[Line] = []
    limit = Limits().max_frame_bytes
    cutters = {"→": FrameDecoder(limit), "←": FrameDecoder(limit)}
    senders = {"→": "peer", "←": "worker"}

    def watch(direction: str, data: bytes) -> None:
        cutter = cutters[direction]
        cutter.receive_data(data)
        while (payload := cutter.next_frame()) is not None:
            lines.append(Line(sender=senders[direction], payload=bytes(payload)))

    client = BlockingClient(WorkerProcess(flags, environment={"PYTHONPATH": plugin_path(PLUGINS)}), watch=watch)
    try:
        SAID[theme](client)
    finally:
        exit_code = client.close()
    return [*lines, Line(sender="peer"), Line(sender="worker", exit=exit_code)]


def _with_listener(theme: str, flags: list[str]) -> list[Line]:
    with Listener(*flags) as listener:
        {**RAW, **PACKED}[theme](listener)
        listener.finish()
        return listener.lines


def _main(folder: Path) -> None:
    folder.mkdir(parents=True)
    for theme in THEMES:
        (folder / f"{theme}.jsonl").write_text(record(theme).write(), "utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]) if sys.argv[1:] else GOLDEN / f"protocol-{PROTOCOL_VERSION}" / f"core-{__version__}")
