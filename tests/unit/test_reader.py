"""Reading can be interrupted, and the thread that stands by for the main thread sleeps while nothing happens."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from bridge_core import PluginHost
from bridge_core.protocol import Connection, Request
from bridge_core.transports import DescriptorTransport
from bridge_core.worker._options import Options
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


def test_watcher_sleeps_until_there_is_a_call_and_again_after_it() -> None:
    (to_worker, ours_out), (ours_in, from_worker) = os.pipe(), os.pipe()
    transport = DescriptorTransport(to_worker, from_worker)
    worker = Worker(Options(worker_id="w"), PluginHost(), transport, owns_process=False)
    serving = threading.Thread(target=worker.run)
    serving.start()
    peer = Connection("peer")
    never = threading.Event()
    for number in range(3):
        end = time.monotonic() + BOUND
        while not worker._reader._asleep and time.monotonic() < end:
            never.wait(0.005)
        assert worker._reader._asleep
        os.write(ours_out, peer.send(Request(id=number, operation="close_session")))
        assert os.read(ours_in, 1 << 16)
    os.close(ours_out)
    serving.join(BOUND)
    assert not serving.is_alive()
    transport.close()
    os.close(ours_in)
