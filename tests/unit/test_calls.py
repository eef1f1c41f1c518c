"""The table of open calls: one terminal response each, and none forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge_core import CallContext
from bridge_core._handlers import Operation
from bridge_core.protocol import Request
from bridge_core.sessions import SessionStore
from bridge_core.worker._calls import Call, CallTable
from guards import BOUND

pytestmark = [pytest.mark.sentence("P-21")]


def nothing() -> None:
    """Do nothing."""


def call(id: Any = 1) -> Call:
    operation = Operation.of("probe", "nothing", nothing)
    session = SessionStore().get("s")
    context = CallContext(session=session, operation=operation.full_name, request_id=id)
    return Call(Request(id=id, operation="nothing"), operation, context, session)


def test_of_many_who_want_to_answer_one_does() -> None:
    table, one = CallTable(), call()
    table.add(one)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: table.claim(one), range(8))) == 1


@pytest.mark.sentence("P-26")
def test_id_that_comes_again_before_the_first_is_removed_is_another_call() -> None:
    table, first, second = CallTable(), call(7), call(7)
    table.add(first)
    table.add(second)
    table.remove(first)
    assert list(table) == [second]
    table.remove(second)
    table.remove(second)
    assert len(table) == 0


def test_closed_table_takes_no_more_and_says_what_is_open() -> None:
    table, one, late = CallTable(), call(1), call(2)
    assert table.add(one)
    assert table.close() == [one]
    assert not table.add(late)
    assert list(table) == [one]


def test_waiting_ends_with_the_last_call() -> None:
    table, one = CallTable(), call()
    table.add(one)
    threading.Timer(0.01, table.remove, [one]).start()
    table.wait_empty(BOUND)
    assert len(table) == 0


def test_waiting_ends_when_somebody_says_so_or_the_time_is_over() -> None:
    table, enough = CallTable(), threading.Event()
    table.add(call())

    def stop() -> None:
        enough.set()
        table.wake()

    threading.Timer(0.01, stop).start()
    table.wait_empty(BOUND, unless=enough.is_set)
    assert enough.is_set()
    table.wait_empty(0.01)
    assert len(table) == 1
