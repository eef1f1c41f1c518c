"""One peer and its works, in a process of their own: what the run starts."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .link import Link, Peer
from .lives import LIVES
from .own import OWN
from .peers import FLOOR, PEERS
from .works import FREE, PINNED, Numbers

__all__ = ["main"]


def main(name: str, place: str, works: Sequence[str], path: str) -> None:
    """Do the works and write what is known to a file after each of them: the next one may never end."""
    if place == "pinned":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    record = _Record(Path(path))
    if name in OWN:
        for work in works:
            record.doing(work)
            try:
                record.add(OWN[work]())
            except Exception as exc:  # the others go on, and the report says why
                record.failed(exc)
    else:
        asyncio.run(_measure(PEERS[name], place, list(works), record))
    record.doing("")


class _Record:
    """What is known so far, in a file that is whole at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, Any] = {"numbers": {}, "versions": {}, "failed": {}, "doing": "start"}
        self._write()

    def versions(self, found: dict[str, str]) -> None:
        self._found["versions"] = found

    def doing(self, work: str) -> None:
        self._found["doing"] = work
        self._write()

    def add(self, numbers: Numbers) -> None:
        self._found["numbers"].update(numbers)
        self._write()

    def failed(self, exc: BaseException, why: str | None = None) -> None:
        while inside := getattr(exc, "exceptions", None):  # a group says nothing itself
            exc = inside[0]
        lines = f"{type(exc).__name__}: {exc}".splitlines()
        self._found["failed"][self._found["doing"]] = why or lines[0][:200]
        self._write()

    def _write(self) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._found), encoding="utf-8")
        part.replace(self._path)


async def _measure(peer: Peer, place: str, works: list[str], record: _Record) -> None:
    try:
        record.versions({name: version(name) for name in peer.needs})
        with_link = [work for work in works if work in (PINNED if place == "pinned" else FREE)]
        while with_link:  # again with a new link behind one whose work has failed
            record.doing("start")
            async with AsyncExitStack() as links:
                floor = await links.enter_async_context(FLOOR.open())
                link = await links.enter_async_context(peer.open())
                await _work(link, floor if place == "pinned" else None, with_link, record)
        for work in [work for work in works if work in LIVES]:
            record.doing(work)
            record.add(await LIVES[work](peer))
    except PackageNotFoundError as exc:
        record.failed(exc, why=f"not installed: {exc.name}")
    except Exception as exc:  # every library has errors of its own; the report says what happened
        record.failed(exc)


async def _work(link: Link, floor: Link | None, works: list[str], record: _Record) -> None:
    """Do works until all are done or one has failed, and take them off the list."""
    while works:
        work = works.pop(0)
        record.doing(work)
        try:
            record.add(await (FREE[work](link) if floor is None else PINNED[work](link, floor)))
        except Exception as exc:
            record.failed(exc)
            return
