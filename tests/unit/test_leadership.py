"""Threads that share a connection: each gets what it waits for, and somebody always reads."""

from __future__ import annotations

import concurrent.futures as cf
import random
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from bridges import at_once

from bridge_core.client._leadership import Leadership, Waiter
from guards import BOUND

FAR = 2 * BOUND


class Queue:
    """A conversation in memory: what is put in arrives where it is read."""

    def __init__(self, *, always: bool = False) -> None:
        self.expected: set[Waiter] = set()
        self.ticks = 0
        self.news: deque[Callable[[], object]] = deque()
        self.readers = Leadership(self, always=always)
        self._arriving: deque[Waiter] = deque()
        self._there = threading.Condition()
        self._reading = threading.Lock()

    def put(self, *waiters: Waiter) -> None:
        with self._there:
            self._arriving.extend(waiters)
            self._there.notify()

    def pump(self, timeout: float | None) -> None:
        assert self._reading.acquire(blocking=False), "two threads read"
        try:
            with self._there:
                if self._arriving or self._there.wait(FAR if timeout is None else timeout):
                    arrived = [self._arriving.popleft() for _ in range(len(self._arriving))]
                else:
                    arrived = []
        finally:
            self._reading.release()
        for waiter in arrived:
            self.deliver(waiter)

    def deliver(self, waiter: Waiter) -> None:
        self.expected.discard(waiter)
        waiter.ready = True
        self.readers.arrived(waiter)

    def tick(self) -> None:
        self.ticks += 1

    def awaits(self) -> bool:
        return bool(self.expected)

    def tell(self) -> None:
        while self.news:
            self.news.popleft()()

    def wait(self, waiter: Waiter, seconds: float | None = None) -> bool:
        return self.readers.wait(waiter, None if seconds is None else time.monotonic() + seconds)

    def until_asleep(self, count: int) -> None:
        """Return when so many waiters are slept for."""
        self.until(lambda: len(self.readers._sleepers) >= count)

    def until(self, seen: Callable[[], bool]) -> None:
        """Return when something is seen that nobody tells."""
        end = time.monotonic() + FAR
        never = threading.Event()
        while not seen():
            assert time.monotonic() < end
            never.wait(0.001)


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue()
    yield queue
    queue.readers.stop()
    queue.put()
    queue.readers.join()


def test_thread_that_waits_reads_itself(queue: Queue) -> None:
    waiter = Waiter()
    queue.put(waiter)
    assert queue.wait(waiter)
    assert queue.wait(waiter, 0)
    assert not queue.readers.led


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_thread_stops_waiting_in_time(queue: Queue, seconds: float) -> None:
    assert not queue.wait(Waiter(), seconds)
    assert not queue.readers.led


def test_who_reads_delivers_to_others_and_hands_over(queue: Queue) -> None:
    waiters = [Waiter() for _ in range(8)]

    def deliver() -> None:
        queue.until_asleep(7)
        for waiter in waiters:
            queue.put(waiter)

    assert at_once(*[partial(queue.wait, waiter) for waiter in waiters], deliver) == [True] * 8 + [None]


def test_several_threads_wait_for_the_same(queue: Queue) -> None:
    first, same = Waiter(), Waiter()

    def deliver() -> None:
        queue.until_asleep(1)
        queue.put(same)
        queue.put(first)

    results = at_once(lambda: queue.wait(first), *[lambda: queue.wait(same)] * 8, deliver)
    assert results == [True] * 9 + [None]


def test_thread_that_gives_up_does_not_take_the_turn_of_others_with_it(queue: Queue) -> None:
    lead, patient = Waiter(), Waiter()
    hasty = [Waiter() for _ in range(8)]

    def deliver() -> None:
        queue.until_asleep(1)
        queue.put(lead)
        queue.put(patient)

    jobs = [partial(queue.wait, waiter, 0.001 * number) for number, waiter in enumerate(hasty)]
    results = at_once(lambda: queue.wait(lead), lambda: queue.wait(patient), *jobs, deliver)
    assert results == [True, True, *[False] * 8, None]


def test_what_arrives_otherwise_than_by_reading_wakes_its_thread_and_the_next_one_reads(queue: Queue) -> None:
    lead, other, last = Waiter(), Waiter(), Waiter()

    def deliver() -> None:
        queue.until_asleep(2)
        queue.deliver(other)
        queue.put(lead)
        queue.put(last)

    results = at_once(lambda: queue.wait(lead), lambda: queue.wait(other), lambda: queue.wait(last), deliver)
    assert results == [True, True, True, None]


@pytest.mark.parametrize("leads", [True, False], ids=["reading", "asleep"])
def test_interrupted_thread_does_not_take_the_turn_of_others_with_it(queue: Queue, leads: bool) -> None:
    mine, first, second = Waiter(), Waiter(), Waiter()
    main = threading.get_ident()

    def interrupt() -> None:
        queue.until_asleep(2)
        signal.pthread_kill(main, signal.SIGINT)

    def wait(waiter: Waiter) -> bool:
        if leads:
            queue.until(lambda: queue.readers._leader == main)
        elif waiter is second:
            queue.until(lambda: mine in queue.readers._sleepers)  # its turn would come first
        return queue.wait(waiter)

    with cf.ThreadPoolExecutor(3) as pool:
        waits = [pool.submit(wait, waiter) for waiter in (first, second)]
        if not leads:
            queue.until(lambda: queue.readers.led)
        interrupter = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            queue.wait(mine)
        interrupter.result(FAR)
        for waiter, one in zip((first, second), waits, strict=True):
            queue.put(waiter)
            assert one.result(FAR)


def test_what_is_called_while_reading_may_wait(queue: Queue) -> None:
    inner, outer = Waiter(), Waiter()
    seen: list[bool] = []
    deliver = queue.deliver

    def call(waiter: Waiter) -> None:
        if waiter is outer:
            queue.put(inner)
            seen.append(queue.wait(inner))
        deliver(waiter)

    queue.deliver = call
    queue.put(outer)
    assert queue.wait(outer)
    assert seen == [True]


def test_lock_whose_holder_waits_can_be_had_while_reading(queue: Queue) -> None:
    lock = threading.Lock()
    lock.acquire()
    outer, holders = Waiter(), Waiter()
    seen: list[bool] = []
    deliver = queue.deliver

    def call(waiter: Waiter) -> None:
        if waiter is outer:
            queue.put(holders)
            seen.append(queue.readers.acquire(lock, time.monotonic() + FAR))
        deliver(waiter)

    def hold() -> None:
        queue.until(lambda: queue.readers.led)
        queue.wait(holders)
        lock.release()

    def deliver_outer() -> None:
        queue.until_asleep(1)
        queue.put(outer)

    queue.deliver = call
    results = at_once(lambda: queue.wait(outer), hold, deliver_outer)
    assert results == [True, None, None]
    assert seen == [True]
    assert not queue.readers.acquire(lock, time.monotonic())


@pytest.mark.parametrize("urgent", [False, True])
def test_what_is_expected_comes_although_no_thread_waits(queue: Queue, urgent: bool) -> None:
    came = threading.Event()
    waiter = Waiter()
    deliver = queue.deliver
    queue.deliver = lambda one: (deliver(one), came.set())[0]
    for _ in range(3):
        came.clear()
        waiter = Waiter()
        queue.expected.add(waiter)
        queue.put(waiter)
        queue.readers.hurry(waiter) if urgent else queue.readers.expect()
        assert came.wait(FAR)


def test_thread_that_always_reads_leads(queue: Queue) -> None:
    busy = Queue(always=True)
    busy.readers.expect()
    waiters = [Waiter() for _ in range(4)]
    jobs = [partial(busy.wait, waiter) for waiter in waiters]
    assert at_once(*jobs, lambda: busy.put(*waiters)) == [True] * 4 + [None]
    busy.readers.stop()
    busy.put(Waiter())
    busy.readers.join()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_whatever_the_threads_do(queue: Queue, seed: int) -> None:
    """Threads wait, in a hurry or not, expect and hurry; a source delivers out of order, by reading or otherwise."""
    asked: deque[Waiter] = deque()
    more = threading.Semaphore(0)
    ended = threading.Event()

    def use(number: int) -> int:
        chance, late = random.Random(f"{seed} {number}"), 0
        for _ in range(250):
            waiter = Waiter()
            queue.expected.add(waiter)
            asked.append(waiter)
            more.release()
            if chance.random() < 0.3:
                queue.readers.hurry(waiter) if chance.random() < 0.5 else queue.readers.expect()
            if chance.random() < 0.3 and not queue.wait(waiter, chance.choice([0, 1e-4, 1e-3])):
                late += 1
            assert queue.wait(waiter)
        return late

    def source() -> None:
        chance = random.Random(seed)
        while not ended.is_set() or asked:
            more.acquire(timeout=0.01)
            batch = [asked.popleft() for _ in range(min(len(asked), chance.randrange(1, 8)))]
            chance.shuffle(batch)
            queue.deliver(batch.pop()) if batch and chance.random() < 0.2 else None
            queue.put(*batch)

    thread = threading.Thread(target=source)
    thread.start()
    try:
        results = at_once(*[partial(use, number) for number in range(8)])
    finally:
        ended.set()
        thread.join(FAR)
    assert [one for one in results if not isinstance(one, int)] == []
    assert not queue.expected
    assert not queue.readers._sleepers
    assert queue.readers._urgent == 0
