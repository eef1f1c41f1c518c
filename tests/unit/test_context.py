"""What a handler is told about its call."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bridge_core import CallContext
from bridge_core.errors import CallCancelledError, CallTimeoutError
from bridge_core.sessions import SessionStore


def context(**fields: Any) -> CallContext:
    return CallContext(session=SessionStore().get("s"), operation="probe.echo", request_id=1, **fields)


def test_call_without_a_deadline_has_all_the_time() -> None:
    assert context().remaining() is None


def test_remaining_time_runs_out_at_zero() -> None:
    left = context(deadline=time.monotonic() + 60).remaining()
    assert left is not None
    assert 0 < left <= 60
    assert context(deadline=time.monotonic() - 1).remaining() == 0.0


def test_call_that_is_wanted_goes_on() -> None:
    context().check()
    context(deadline=time.monotonic() + 60).check()


def test_call_that_is_cancelled_or_late_is_stopped_where_it_looks() -> None:
    with pytest.raises(CallCancelledError):
        context(cancelled=True, deadline=time.monotonic() - 1).check()
    with pytest.raises(CallTimeoutError):
        context(deadline=time.monotonic() - 1).check()


def test_progress_is_said_to_whoever_listens_and_else_to_nobody() -> None:
    heard: list[Any] = []
    context(_progress=lambda message, fraction: heard.append((message, fraction))).progress("half", fraction=0.5)
    context().progress("unheard")
    assert heard == [("half", 0.5)]
