"""Who reads: nothing is lost or late between the main thread and the one that stands by for it."""

from __future__ import annotations

import os
import select
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from bridge_core import PluginHost
from bridge_core.protocol import Connection, Request
from bridge_core.transports import DescriptorTransport
from bridge_core.worker._dispatcher import Dispatcher
from bridge_core.worker._ending import EXIT_FRAMING_LOST
from bridge_core.worker._options import Options
from bridge_core.worker._pace import Pace
from bridge_core.worker._reader import Reader
from bridge_core.worker._worker import Worker
from guards import BOUND


@pytest.fixture
def ends() -> Iterator[tuple[DescriptorTransport, DescriptorTransport]]:
    (near_in, far_out), (far_in, near_out) = os.pipe(), os.pipe()
    near, far = DescriptorTransport(near_in, near_out), DescriptorTransport(far_in, far_out)
    yield near, far
    near.close()
    far.close()


def test_receiving_can_be_interrupted_before_and_while_it_waits(
    ends: tuple[DescriptorTransport, DescriptorTransport],
) -> None:
    near, far = ends
    near.wake()  # nothing, so far
    near.be_wakeable()
    near.wake()
    near.wake()
    with pytest.raises(InterruptedError):
        near.receive()
    threading.Timer(0.01, near.wake).start()
    with pytest.raises(InterruptedError):
        near.receive()
    far.offer(b"x")
    assert near.receive() == b"x"


@attrs.define(eq=False)
class Served:
    """A worker in a thread of this process, and the raw wire to it."""

    worker: Worker
    thread: threading.Thread
    to_worker: int
    from_worker: int
    peer: Connection = attrs.field(factory=lambda: Connection("peer"))

    @property
    def reader(self) -> Reader:
        return self.worker._reader

    @property
    def dispatcher(self) -> Dispatcher:
        return self.worker._reader._dispatcher

    def send(self, *operations: str, session: str = "anonymous") -> None:
        """Send requests as one piece, with their places in it as ids."""
        frames = [
            bytes(self.peer.send(Request(id=number, operation=operation, session_id=session)))
            for number, operation in enumerate(operations)
        ]
        os.write(self.to_worker, b"".join(frames))

    def receive(self, count: int) -> list[Any]:
        """Return so many messages."""
        received: list[Any] = []
        while len(received) < count:
            assert select.select([self.from_worker], [], [], BOUND)[0], received
            data = os.read(self.from_worker, 1 << 18)
            assert data, received
            self.peer.receive_data(data)
            received += iter(self.peer.next_message, None)
        return received

    def hang_up(self) -> None:
        """Send nothing more."""
        os.close(self.to_worker)
        self.to_worker = -1

    def join(self) -> None:
        """Wait for the worker's end."""
        self.thread.join(BOUND)
        assert not self.thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    (to_worker, ours_out), (ours_in, from_worker) = os.pipe(), os.pipe()
    transport = DescriptorTransport(to_worker, from_worker)
    worker = Worker(Options(worker_id="w"), PluginHost(), transport, owns_process=False)
    made = Served(worker, threading.Thread(target=worker.run), ours_out, ours_in)
    yield made
    if made.to_worker >= 0:
        made.hang_up()
    made.join()
    transport.close()
    os.close(ours_in)


def test_watcher_sleeps_until_there_is_a_call_and_again_after_it(served: Served) -> None:
    served.thread.start()
    never = threading.Event()
    for _ in range(3):
        end = time.monotonic() + BOUND
        while not served.reader._asleep and time.monotonic() < end:
            never.wait(0.005)
        assert served.reader._asleep
        served.send("close_session")
        assert served.receive(1)


def test_call_that_was_read_waits_for_no_more_than_one_thing_that_the_reader_answers(served: Served) -> None:
    served.send("close_session", *["get_capabilities"] * 200)
    served.thread.start()
    ids = [answer.id for answer in served.receive(201)]
    assert ids.index(0) <= 1
    assert sorted(ids) == list(range(201))


def test_objects_of_a_closed_session_go_although_nothing_else_comes(served: Served) -> None:
    class Thing:
        """Something that can be watched."""

    freed = threading.Event()
    served.dispatcher.sessions.get("s").objects.put(thing := Thing(), kind="probe.thing")
    weakref.finalize(thing, freed.set)
    del thing
    served.thread.start()
    served.send("close_session", session="s")
    served.receive(1)
    assert freed.wait(BOUND)


def test_watcher_has_ended_when_the_worker_has(served: Served) -> None:
    served.thread.start()
    served.send("shutdown")
    served.receive(1)
    served.join()
    assert not served.reader._watcher.is_alive()


def test_nothing_is_held_back_once_the_input_has_ended(served: Served) -> None:
    served.thread.start()
    served.hang_up()
    served.join()
    assert served.dispatcher.pace.over


class Interleaved(Pace, eq=False, kw_only=True):
    """Lets the watcher look between what the main thread decides and what it does about it."""

    look: Callable[[], object]
    says: str

    def holds(self, now: float, size: int) -> bool:
        """Decide to hold back, just too early."""
        setattr(self, self.says, True)
        self.look()
        return True


@pytest.mark.parametrize("says", ["led", "over"])
def test_answer_that_is_kept_just_when_the_watcher_has_looked_is_written(served: Served, says: str) -> None:
    dispatcher = served.dispatcher
    dispatcher.replies.pace = Interleaved(lambda: None, look=dispatcher.transport.flush, says=says)
    dispatcher.connection.receive_data(served.peer.send(Request(id="kept", operation="close_session")))
    request = dispatcher.connection.next_message()
    assert isinstance(request, Request)
    call = dispatcher.route(request)
    assert call is not None
    dispatcher.run(call, hold=True)
    assert [answer.id for answer in served.receive(1)] == ["kept"]
    served.thread.start()


@attrs.define(eq=False)
class Alarmed:
    """Does what it stands for, after raising once what a forgotten alarm of a framework raises."""

    does: Callable[..., Any]
    raised: bool = False

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if not self.raised:
            self.raised = True
            raise TimeoutError("a forgotten alarm")
        return self.does(*arguments, **options)


def test_alarm_of_a_framework_while_the_main_thread_waits_for_input_changes_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarmed = Alarmed(served.dispatcher.transport.receive)
    monkeypatch.setattr(served.dispatcher.transport, "receive", alarmed)
    served.thread.start()
    served.send("ping", "close_session")
    assert [answer.id for answer in served.receive(2)] == [0, 1]
    assert alarmed.raised


@pytest.mark.parametrize("step", ["next_message", "data_to_send"])
def test_alarm_of_a_framework_that_costs_a_request_ends_the_worker_and_is_not_passed_over(
    served: Served, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = served.dispatcher.connection
    monkeypatch.setattr(connection, step, Alarmed(getattr(connection, step)))
    served.thread.start()
    served.send("ping")
    served.join()
    assert served.worker._ending.exit_code == EXIT_FRAMING_LOST
