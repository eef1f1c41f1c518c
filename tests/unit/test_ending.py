"""The ending gets shorter when the peer goes while it is under way."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from bridge_core import CallContext, PluginHost
from bridge_core._handlers import Operation
from bridge_core.protocol import Connection, Limits, Request
from bridge_core.sessions import SessionStore
from bridge_core.transports import DescriptorTransport
from bridge_core.worker._calls import Call
from bridge_core.worker._dispatcher import Dispatcher
from bridge_core.worker._ending import Ending
from bridge_core.worker._places import LoopPlace, MainPlace, ThreadPlace
from guards import BOUND


def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    (near, to_it), (from_it, far) = os.pipe(), os.pipe()
    transport = DescriptorTransport(near, far)
    connection = Connection("worker")
    connection.receive_data(Connection("peer").send(Request(id=1, operation="nothing")))
    assert connection.next_message() is not None
    made = Dispatcher(connection=connection, transport=transport, plugins=PluginHost(), limits=Limits())
    yield made
    transport.close()
    os.close(to_it)
    os.close(from_it)


@pytest.mark.sentence("P-62")
@pytest.mark.parametrize("orders", [["end of input"], ["shutdown", "end of input"], ["SIGTERM", "framing lost"]])
def test_work_of_a_peer_that_is_gone_is_not_waited_for(dispatcher: Dispatcher, orders: list[str]) -> None:
    ending = Ending(
        dispatcher=dispatcher,
        main=MainPlace(dispatcher),
        threads=ThreadPlace(dispatcher),
        loop=LoopPlace(dispatcher),
        grace=10 * BOUND,
        grace_alone=0.01,
        owns_process=False,
    )
    operation = Operation.of("probe", "nothing", nothing)
    session = SessionStore().get("s")
    context = CallContext(session=session, operation=operation.full_name, request_id=1)
    dispatcher.calls.add(Call(Request(id=1, operation="nothing"), operation, context, session))
    for order in orders:
        ending.begin(order)
    ending.watch()
    told: list[str] = []
    finished = threading.Thread(target=ending.finish, args=(lambda: told.append("shutdown"),))
    finished.start()
    finished.join(BOUND)
    assert not finished.is_alive()
    assert context.cancelled
    assert dispatcher.connection.open_ids == frozenset()
    assert told == [], "a plugin whose handler may still run is not told"
