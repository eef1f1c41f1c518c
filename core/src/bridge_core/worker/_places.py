"""Where calls run: the main thread, a thread of their own, or the event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ._calls import Call
from ._dispatcher import Dispatcher

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["MAX_CONCURRENT", "LoopPlace", "MainPlace", "ThreadPlace"]

NOWHERE: Mapping[str, Callable[[Call], None]] = MappingProxyType({})
MAX_CONCURRENT = 32
"""Calls at a time in threads, and as many on the loop; more wait in order of arrival."""


class MainPlace:
    """Calls one after the other on the main thread, the only one that a signal can interrupt.

    Args:
        dispatcher: Runs them.
        elsewhere: Who takes a call that only had to be introduced here, by where its operation runs.
    """

    def __init__(self, dispatcher: Dispatcher, elsewhere: Mapping[str, Callable[[Call], None]] = NOWHERE) -> None:
        self._dispatcher = dispatcher
        self._elsewhere = elsewhere
        self.waiting: deque[Call | None] = deque()
        self._stopped = threading.Event()

    def submit(self, call: Call) -> None:
        """Queue a call; for whoever reads."""
        self.waiting.append(call)

    def run(self, read: Callable[[], bool]) -> None:
        """Run calls until `stop`; those queued before it still run.

        Args:
            read: Called when none waits; reads until one may, or something else has changed. False: no more will come.
        """
        waiting = self.waiting
        while True:
            while waiting:
                call = waiting.popleft()
                if call is None:
                    return
                if call.introduced:
                    self._dispatcher.run(call, hold=bool(waiting) and self._expects_quick(waiting[0]))
                elif self._dispatcher.introduce(call):
                    with suppress(RuntimeError):  # the worker has ended meanwhile, and answered the call
                        self._elsewhere[call.operation.runs](call)
                del call  # the objects of its session may go, however long nothing else comes
            if not read():
                self._stopped.wait()

    def _expects_quick(self, call: Call | None) -> bool:
        """Return whether an answer may wait for this call, because it will not take long and the watcher looks."""
        dispatcher = self._dispatcher
        return not dispatcher.pace.led and call is not None and dispatcher.stats.expects_quick(call.operation.full_name)

    def stop(self) -> None:
        """Let `run` return when what is queued is done."""
        self.waiting.append(None)
        self._stopped.set()
        self._dispatcher.transport.wake()


class ThreadPlace:
    """Each call in a thread of its own from its start to its last chunk."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._executor: ThreadPoolExecutor | None = None

    def prepare(self) -> None:
        """Do what `submit` must not: import. Workers without such operations do not pay for it."""
        if self._dispatcher.catalogue.runs_in("thread"):
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="bridge-call")

    def submit(self, call: Call) -> None:
        """Run the call as soon as one of the threads is free."""
        assert self._executor is not None  # there are such operations, so `prepare` has made it
        self._executor.submit(self._dispatcher.run, call)

    def stop(self) -> None:
        """Let the threads end when their calls have."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)


class LoopPlace:
    """All `async def` calls as tasks of one event loop in one background thread."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def prepare(self) -> None:
        """Do what `submit` must not: import. It is 44 ms and 11 MB, for workers with such operations only."""
        if self._dispatcher.catalogue.runs_in("async"):
            import asyncio

            self._loop = asyncio.new_event_loop()
            self._slots = asyncio.Semaphore(MAX_CONCURRENT)
            threading.Thread(target=_run_loop, args=(self._loop,), name="bridge-loop", daemon=True).start()

    def submit(self, call: Call) -> None:
        """Run the call as soon as a slot is free."""
        assert self._loop is not None  # there are such operations, so `prepare` has made it
        self._loop.call_soon_threadsafe(self._spawn, call)

    def cancel(self) -> None:
        """Cancel every task; each answers its call."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._tasks])

    def stop(self) -> None:
        """End the loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _spawn(self, call: Call) -> None:
        assert self._loop is not None  # only the running loop calls this
        task = self._loop.create_task(self._run(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, call: Call) -> None:
        assert self._slots is not None  # made with the loop
        async with self._slots:
            await self._dispatcher.run_async(call, self._in_thread)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        assert self._loop is not None  # it runs this
        return await self._loop.run_in_executor(None, function, *arguments)


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
