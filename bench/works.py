"""The pieces of work that every peer does; each returns a few numbers by name."""

from __future__ import annotations

import asyncio
import base64
import inspect
import random
import statistics
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from .link import TINY, WINDOW, Link

__all__ = ["FREE", "PINNED", "Numbers", "WrongAnswerError", "latencies"]

Numbers = dict[str, float]
_BLOCKS = 5
_CHUNKS = 10_000


class WrongAnswerError(Exception):
    """What came back is not what was sent."""


def _check(got: object, sent: object) -> None:
    if got != sent:
        raise WrongAnswerError(f"sent {sent!r:.60}, got {got!r:.60}")


async def latencies(link: Link, count: int) -> list[float]:
    """Return the seconds of so many round trips, one at a time."""
    taken = []
    echo = link.echo
    if link.asynchronous:
        for _ in range(count):
            started = perf_counter()
            value = await echo(TINY)
            taken.append(perf_counter() - started)
            _check(value, TINY)
    else:
        for _ in range(count):
            started = perf_counter()
            value = echo(TINY)
            taken.append(perf_counter() - started)
            _check(value, TINY)
    return taken


async def _fitting(link: Link, seconds: float, least: int, most: int) -> int:
    """Return how many round trips fit in that time; they also warm the peer up."""
    await latencies(link, 20)
    return max(least, min(most, int(seconds / statistics.median(await latencies(link, 20)))))


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def round_trip(link: Link, floor: Link) -> Numbers:
    """Measure an echo of `{"x": 1}`, the floor's and the peer's in turns: their ratio is paired."""
    count = await _fitting(link, 0.15, 40, 3000)
    await latencies(floor, 500)
    taken, below, ratios = [], [], []
    for _ in range(_BLOCKS):
        reference = await latencies(floor, 1000)
        block = await latencies(link, count)
        ratios.append(statistics.median(block) / statistics.median(reference))
        taken += block
        below += reference
    return {
        "p50_us": statistics.median(taken) * 1e6,
        "p99_us": _percentile(taken, 0.99) * 1e6,
        "x_floor": statistics.median(ratios),
        "floor_us": statistics.median(below) * 1e6,
    }


async def round_trip_free(link: Link) -> Numbers:
    """Measure the same where the scheduler places both processes."""
    taken = await latencies(link, await _fitting(link, 0.3, 40, 4000))
    return {"free_p50_us": statistics.median(taken) * 1e6, "free_p99_us": _percentile(taken, 0.99) * 1e6}


async def in_flight(link: Link) -> Numbers:
    """Measure calls per second with 64 in flight over one worker, by the peer's own way to have them."""
    count = await _fitting(link, 0.4, 4 * WINDOW, 20_000)
    count -= count % WINDOW
    rates: list[float] = []
    while len(rates) < 3 and sum(count / rate for rate in rates) < 1.0:
        if link.submit is not None:
            rates.append(_pipelined(link.submit, count))
        elif link.connect is not None:
            rates.append(_threaded(link.connect, count))
        elif (lane := link.lane or (link.echo if link.asynchronous else None)) is not None:
            rates.append(await _gathered(lane, count))
        else:
            break
    found = {"in_flight": statistics.median(rates)} if rates else {}
    if link.batch is not None:
        found["batch"] = statistics.median(_batched(link.batch, count) for _ in range(3))
    return found


def _pipelined(submit: Callable[[Any], Callable[[], Any]], count: int) -> float:
    flying: deque[Callable[[], Any]] = deque()
    started = perf_counter()
    for _ in range(count):
        if len(flying) == WINDOW:
            _check(flying.popleft()(), TINY)
        flying.append(submit(TINY))
    for wait in flying:
        _check(wait(), TINY)
    return count / (perf_counter() - started)


def _batched(batch: Callable[[list[Any]], Any], count: int) -> float:
    values = [TINY] * count
    started = perf_counter()
    _check(batch(values), values)
    return count / (perf_counter() - started)


def _threaded(connect: Callable[[], Callable[[Any], Any]], count: int) -> float:
    """One connection and one client thread for each call in flight."""
    ready = threading.Barrier(WINDOW + 1)
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            echo = connect()
            _check(echo(TINY), TINY)
            ready.wait(30)
            for _ in range(count // WINDOW):
                _check(echo(TINY), TINY)
        except Exception as exc:
            wrong.append(exc)
            ready.abort()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(WINDOW)]
    for thread in threads:
        thread.start()
    try:
        ready.wait(30)
    except threading.BrokenBarrierError:
        raise wrong[0] from None
    started = perf_counter()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return count / (perf_counter() - started)


async def _gathered(lane: Callable[[Any], Awaitable[Any]], count: int) -> float:
    todo = iter(range(count))

    async def work() -> None:
        for _ in todo:
            _check(await lane(TINY), TINY)

    started = perf_counter()
    await asyncio.gather(*(work() for _ in range(WINDOW)))
    return count / (perf_counter() - started)


async def text(link: Link) -> Numbers:
    """Echo a string of 1 MiB."""
    value = "x" * 2**20
    return {"text": await _rate(link.text or _inside(link), value, len(value), value.__eq__)}


async def floats(link: Link) -> Numbers:
    """Echo a list of 100,000 floats, of 8 bytes each."""
    source = random.Random(1)
    value = [source.random() for _ in range(100_000)]
    return {"floats": await _rate(link.floats or _inside(link), value, 8 * len(value), value.__eq__)}


async def array(link: Link) -> Numbers:
    """Echo the same as an array, and one of 16 MiB."""
    source = np.random.default_rng(1)
    found = {}
    for name, value in {"floats_array": source.random(100_000), "array": source.random(2**22, np.float32)}.items():
        found[name] = await _rate(link.array or _as_text(link), value, value.nbytes, partial(np.array_equal, value))
    return found


async def _rate(call: Callable[[Any], Any], value: Any, size: int, same: Callable[[Any], bool]) -> float:
    """Return megabytes per second, both directions counted: the median of what fits in a while."""
    taken: list[float] = []
    while len(taken) < 3 or (len(taken) < 30 and sum(taken) < 0.5):
        started = perf_counter()
        got = call(value)
        if inspect.isawaitable(got):
            got = await got
        taken.append(perf_counter() - started)
        if same(got) is not True:
            raise WrongAnswerError(f"{size} bytes came back changed")
        if sum(taken) > 1.0:
            break  # whatever takes seconds does not gain by being warm
    return 2 * size / statistics.median(taken[1:] or taken) / 1e6


def _inside(link: Link) -> Callable[[Any], Any]:
    """Return an echo that puts the value in an object: a list by itself is looked through item by item by some."""

    async def later(value: Any) -> Any:
        return (await link.echo({"data": value}))["data"]

    return later if link.asynchronous else lambda value: link.echo({"data": value})["data"]


def _as_text(link: Link) -> Callable[[Any], Any]:
    """Return the way to send an array that is left where there is no other: base64."""
    send = link.text or _inside(link)

    async def later(value: Any) -> Any:
        return _array_of(await send(base64.b64encode(value).decode()), value.dtype)

    return later if link.asynchronous else lambda value: _array_of(send(base64.b64encode(value).decode()), value.dtype)


def _array_of(text: str, kind: Any) -> Any:
    return np.frombuffer(base64.b64decode(text), kind)


async def stream(link: Link) -> Numbers:
    """Receive 10,000 small chunks, and see when the first is there."""
    if link.stream is None:
        return {}
    rates: list[float] = []
    firsts: list[float] = []
    await _received(link.stream, 100)
    begun = perf_counter()
    while len(rates) < 1 or (len(rates) < 7 and perf_counter() - begun < 0.6):
        rate, first = await _received(link.stream, _CHUNKS)
        rates.append(rate)
        firsts.append(first)
    return {"chunks": statistics.median(rates), "first_ms": statistics.median(firsts) * 1e3}


async def _received(stream: Callable[[int], Any], count: int) -> tuple[float, float]:
    got = []
    started = perf_counter()
    chunks = stream(count)
    if hasattr(chunks, "__aiter__"):
        chunks = aiter(chunks)
        got.append(await anext(chunks))
        first = perf_counter() - started
        async for chunk in chunks:
            got.append(chunk)
    else:
        chunks = iter(chunks)
        got.append(next(chunks))
        first = perf_counter() - started
        got.extend(chunks)
    rate = count / (perf_counter() - started)
    _check(got, [{"i": number} for number in range(count)])
    return rate, first


PINNED = {"round-trip": round_trip}
FREE = {
    "round-trip": round_trip_free,
    "in-flight": in_flight,
    "text": text,
    "floats": floats,
    "array": array,
    "stream": stream,
}
