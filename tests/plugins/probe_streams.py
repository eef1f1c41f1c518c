"""Operations that stream, or do not although they might."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

from probe_calls import wait

from bridge_core import CallContext, Register

_closed: list[str] = []


def register(register: Register) -> None:
    for place in ("main", "thread"):
        register(f"count_{place}", count, streaming=True, runs=place)
    register("count_async", count_async, streaming=True)
    register("count_and_wait", count_and_wait, streaming=True)
    register("count_awaited", count_awaited, streaming=True)
    register("break_off", break_off, streaming=True)
    register("break_off_async", break_off_async, streaming=True)
    register("odd", odd, streaming=True)
    register("blocks", blocks, streaming=True, runs="thread")
    register("blocks_async", blocks_async, streaming=True)
    register("closed", closed, runs="thread")
    register("late_word", late_word, streaming=True, runs="thread")
    register("plain_generator", plain_generator)
    register("squares", squares, streaming=True)
    register("silent", silent, streaming=True)
    register("no_iterator", no_iterator, streaming=True)


def count(ctx: CallContext, *, to: int) -> Generator[int, None, dict[str, int]]:
    """Yield numbers and return how many there were."""
    yield from range(to)
    return {"counted": to}


def count_and_wait(ctx: CallContext, *, to: int, name: str) -> Iterator[int]:
    """Yield numbers and wait for `release` before the end, as `wait` does."""
    yield from range(to)
    wait(ctx, name=name)


async def count_async(ctx: CallContext, *, to: int) -> AsyncIterator[int]:
    """Yield numbers on the event loop."""
    for number in range(to):
        yield number


async def count_awaited(ctx: CallContext, *, to: int) -> AsyncIterator[int]:
    """Return, after a while, what yields numbers on the event loop."""
    return count_async(ctx, to=to)


def break_off(ctx: CallContext) -> Iterator[int]:
    """Yield one number and fail."""
    yield 0
    raise ValueError("the stream broke")


async def break_off_async(ctx: CallContext) -> AsyncIterator[int]:
    """Yield one number and fail, on the event loop."""
    yield 0
    raise ValueError("the stream broke")


def odd(ctx: CallContext, *, name: str) -> Iterator[Any]:
    """Yield one good chunk and one that cannot be sent."""
    try:
        yield "good"
        yield object()
    finally:
        _closed.append(name)


def blocks(ctx: CallContext, *, count: int, size: int) -> Generator[str, None, int]:
    """Yield large chunks."""
    for _ in range(count):
        yield "x" * size
    return count


async def blocks_async(ctx: CallContext, *, count: int, size: int) -> AsyncIterator[str]:
    """Yield large chunks on the event loop."""
    for _ in range(count):
        yield "x" * size


def late_word(ctx: CallContext) -> Iterator[str]:
    """Say a word, and one more that takes long to encode once nobody wants it any more."""
    yield "first"
    never = threading.Event()
    while not ctx.cancelled:
        never.wait(0.01)
    yield "x" * 20_000_000


def closed() -> list[str]:
    """List the streams of `odd` that were closed."""
    return _closed


def plain_generator() -> Iterator[int]:
    """Be a generator without having said so."""
    yield from range(3)


def squares(ctx: CallContext) -> Iterator[int]:
    """Return an iterator that is no generator."""
    return map(pow, range(3), (2, 2, 2))


def silent(ctx: CallContext) -> Generator[None, None, str]:
    """Yield nothing at all."""
    yield from ()
    return "nothing to say"


def no_iterator(ctx: CallContext) -> str:
    """Have said that it streams, and then not do it."""
    return "whole"
