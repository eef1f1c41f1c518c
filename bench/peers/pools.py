"""Process pools of one worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.link import Link, Peer
from bench.serve.functions import identity, pid

__all__ = ["PEERS"]


def _link(executor: Any) -> Link:
    def submit(value: Any) -> Callable[[], Any]:
        result: Callable[[], Any] = executor.submit(identity, value).result
        return result

    def echo(value: Any) -> Any:
        return executor.submit(identity, value).result()

    return Link(pid=executor.submit(pid).result(), echo=echo, submit=submit, array=echo)


@asynccontextmanager
async def _standard() -> AsyncIterator[Link]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield _link(executor)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@asynccontextmanager
async def _loky() -> AsyncIterator[Link]:
    from loky import get_reusable_executor

    executor = get_reusable_executor(max_workers=1, timeout=None)
    try:
        yield _link(executor)
    finally:
        executor.shutdown(kill_workers=True)


PEERS = [
    Peer(name="process-pool", title="ProcessPoolExecutor", open=_standard),
    Peer(name="loky", title="loky", open=_loky, needs=("loky",)),
]
