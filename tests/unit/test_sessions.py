"""Sessions: opened, closed, emptied, expired."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from bridge_core.errors import (
    RefNotFoundError,
    SessionNotFoundError,
    StoreFullError,
)
from bridge_core.sessions import SessionStore
from guards import BOUND


class Thing:
    """Something that can be watched."""


def test_session_is_opened_when_first_named_and_then_the_same() -> None:
    sessions = SessionStore()
    session = sessions.get("a")
    assert session is sessions.get("a")
    assert session is not sessions.get("b")
    assert (session.id, session.settings) == ("a", {})


def test_session_beyond_the_limit_is_refused_and_existing_ones_are_not() -> None:
    sessions = SessionStore(max_sessions=2)
    first = sessions.get("a")
    sessions.get("b")
    with pytest.raises(StoreFullError):
        sessions.get("c")
    assert sessions.get("a") is first


def test_requests_that_name_no_session_always_have_one() -> None:
    sessions = SessionStore(max_sessions=1)
    sessions.get("a")
    assert sessions.get("anonymous").id == "anonymous"


def test_of_many_threads_that_open_one_session_all_get_the_same() -> None:
    sessions = SessionStore()
    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            assert len(set(map(id, threads.map(sessions.get, [str(number)] * 8)))) == 1


def test_objects_of_all_sessions_are_counted() -> None:
    sessions = SessionStore()
    sessions.get("a").objects.put(1, kind="probe.thing")
    sessions.get("b").objects.put(1, kind="probe.thing")
    assert sessions.stored_objects() == 2


def test_closed_session_is_returned_once_and_not_opened_again() -> None:
    sessions = SessionStore()
    session = sessions.get("a")
    assert sessions.close("a") is session
    for use in (sessions.get, sessions.close):
        with pytest.raises(SessionNotFoundError):
            use("a")


def test_closing_a_session_that_nobody_has_opened_needs_no_room() -> None:
    sessions = SessionStore(max_sessions=1)
    sessions.get("a")
    assert sessions.close("b").id == "b"
    assert sessions.close("anonymous").id == sessions.close("anonymous").id == "anonymous"
    assert sessions.stored_objects() == 0
    with pytest.raises(SessionNotFoundError):
        sessions.get("b")


def test_closed_name_that_was_forgotten_opens_a_new_session() -> None:
    sessions = SessionStore(max_sessions=2)
    for number in range(10_001):
        sessions.close(str(number))
    assert sessions.get("0").id == "0"
    with pytest.raises(SessionNotFoundError):
        sessions.get("1")


def test_plugin_may_keep_something_for_as_long_as_a_session_lives() -> None:
    store = SessionStore()
    kept = weakref.WeakKeyDictionary({store.get("s"): "kept"})
    assert kept[store.get("s")] == "kept"
    store.close("s")
    assert not kept


@attrs.define
class Clock:
    """Stands still until told otherwise."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def made(clock: Clock, **limits: Any) -> SessionStore:
    limits = {"session_ttl": 10, **limits}
    return SessionStore(clock=clock, wall=lambda: clock.now + 1_000_000, **limits)


def gone(sessions: SessionStore, id: str) -> object:
    """Return what has become of a session that is not there any more."""
    reasons = set()
    for use in (sessions.get, sessions.find, sessions.clear, sessions.close):
        with pytest.raises(SessionNotFoundError) as caught:
            use(id)
        reasons.add(caught.value.details["gone"])
    (reason,) = reasons
    return reason


@pytest.mark.capability("F04")
def test_session_expires_when_no_request_came_for_its_time() -> None:
    sessions = made(clock := Clock())
    for name in ("used", "unused"):
        sessions.get(name)
    clock.now += 9
    used = sessions.get("used")
    clock.now += 1
    assert sessions.get("used") is used
    assert gone(sessions, "unused") == "expired"
    assert gone(sessions, "unused") == "expired", "it is not opened again"
    assert [session.id for session in sessions.all()] == ["anonymous", "used"]


def test_session_that_was_closed_is_not_said_to_have_expired() -> None:
    sessions = made(clock := Clock())
    sessions.close("a")
    clock.now += 100
    assert gone(sessions, "a") == "closed"


@pytest.mark.capability("F04")
def test_anonymous_session_never_expires() -> None:
    sessions = made(clock := Clock())
    anonymous = sessions.get("anonymous")
    clock.now += 1e9
    assert sessions.sweep() is None
    assert sessions.find("anonymous") is sessions.get("anonymous") is anonymous


@pytest.mark.capability("F04")
def test_session_with_an_open_request_does_not_expire() -> None:
    busy = {"b"}
    sessions = made(clock := Clock(), busy=lambda: busy)
    session = sessions.get("b")
    for _ in range(3):
        clock.now += 10
        assert sessions.sweep() == 10
        assert sessions.find("b") is sessions.all()[1] is session
    session.used = clock.now  # as the answer says
    busy.clear()
    clock.now += 9
    assert sessions.find("b") is session
    clock.now += 1
    assert sessions.sweep() is None
    assert gone(sessions, "b") == "expired"


def test_request_to_a_session_that_is_due_and_busy_goes_there() -> None:
    sessions = made(clock := Clock(), busy=lambda: ["b"])
    session = sessions.get("b")
    clock.now += 20
    assert sessions.get("b") is session
    assert session.used == 120
    clock.now += 20
    assert sessions.close("b") is session


def test_sweep_frees_what_has_expired_and_says_when_to_come_again() -> None:
    sessions = made(clock := Clock(), object_ttl=30)
    assert sessions.sweep() == 30, "the anonymous session may get an object that expires"
    sessions.get("a").objects.put(thing := Thing(), kind="probe.thing")
    sessions.get("anonymous").objects.put(other := Thing(), kind="probe.thing")
    references = [weakref.ref(thing), weakref.ref(other)]
    del thing, other
    clock.now += 4
    assert sessions.sweep() == 6
    clock.now += 6
    assert sessions.sweep() == 20
    assert [reference() is None for reference in references] == [True, False]
    clock.now += 20
    assert sessions.sweep() == 30
    assert references[1]() is None


def test_session_that_has_expired_is_freed_by_the_sweep_only() -> None:
    sessions = made(clock := Clock(), max_sessions=1)
    sessions.get("a").objects.put(thing := Thing(), kind="probe.thing")
    reference = weakref.ref(thing)
    del thing
    clock.now += 10
    assert gone(sessions, "a") == "expired"
    sessions.get("b")
    assert reference() is not None, "whoever reads the wire must not run what frees it"
    assert sessions.stored_objects() == 0
    sessions.sweep()
    assert reference() is None


@pytest.mark.capability("F04")
def test_expired_sessions_make_room_and_existing_ones_are_never_refused() -> None:
    sessions = made(clock := Clock(), max_sessions=2)
    sessions.get("a")
    clock.now += 5
    sessions.get("b")
    for refused in (lambda: sessions.get("c"), sessions.open):
        with pytest.raises(StoreFullError):
            refused()
    assert sessions.get("b").id == "b"
    clock.now += 5
    opened = sessions.open()
    assert [session.id for session in sessions.all()] == ["anonymous", "b", opened.id]
    with pytest.raises(StoreFullError):
        sessions.get("c")


@pytest.mark.capability("F01")
def test_opened_session_has_a_name_that_nobody_can_guess_and_what_was_said_of_it() -> None:
    sessions = made(Clock())
    one, two = sessions.open(metadata={"user": 7}), sessions.open(ttl=5)
    assert len({one.id, two.id}) == 2
    assert len(one.id) >= 32
    assert (one.ttl, one.metadata, one.created) == (10, {"user": 7}, 1_000_100)
    assert (two.ttl, two.metadata) == (5, {})
    assert sessions.get(one.id) is one


def test_no_session_lives_longer_than_the_operator_has_set() -> None:
    assert made(Clock()).open(ttl=3600).ttl == 10
    assert made(Clock(), session_ttl=None).open(ttl=3600).ttl == 3600
    assert made(Clock(), session_ttl=None).open().ttl == float("inf")


def test_what_may_expire_is_announced() -> None:
    announced: list[float] = []
    sessions = made(Clock())
    sessions.expect = announced.append
    sessions.get("a")
    sessions.get("a")
    sessions.get("anonymous")
    sessions.open(ttl=5)
    assert announced == [10, 5]


@pytest.mark.capability("F02")
def test_looking_at_a_session_neither_opens_nor_uses_it() -> None:
    sessions = made(clock := Clock())
    with pytest.raises(SessionNotFoundError) as caught:
        sessions.find("a")
    assert caught.value.details == {"session": "a"}
    session = sessions.get("a")
    clock.now += 5
    assert sessions.find("a") is session
    assert sessions.all()[1] is session
    assert (session.used, session.requests) == (100, 1)


@pytest.mark.capability("E12", "F03")
def test_cleared_session_is_the_same_one_without_objects_and_settings() -> None:
    sessions = made(clock := Clock())
    opened = sessions.open(ttl=5, metadata={"user": 7})
    opened.settings["probe"] = {}
    opened.objects.put(1, kind="probe.thing", id="x")
    sessions.get("other").objects.put(1, kind="probe.thing", id="x")
    clock.now += 1
    assert sessions.clear(opened.id) is opened
    after = sessions.get(opened.id)
    assert after is not opened
    assert (after.settings, after.objects.ids()) == ({}, [])
    assert (after.ttl, after.metadata, after.created, after.requests) == (5, {"user": 7}, 1_000_100, 2)
    with pytest.raises(RefNotFoundError) as caught:
        after.objects.get("x")
    assert caught.value.details["gone"] == "deleted"
    assert sessions.get("other").objects.get("x") == 1


def test_moments_are_told_in_wall_clock_time() -> None:
    sessions = made(clock := Clock())
    clock.now += 5
    assert sessions.wall_time(100) == 1_000_100


def test_request_that_comes_while_its_session_is_about_to_expire_keeps_it() -> None:
    seen = threading.Event()
    asking: list[threading.Thread] = []

    def clock() -> float:
        """Tell who asks for the session the time before, and the sweeper the time after."""
        if threading.current_thread() in asking:
            assert seen.wait(BOUND)
            return 109.9
        if session.closed:
            seen.set()
            for _ in range(int(1000 * BOUND)):
                if session.used != 100 or threading.Event().wait(0.001):
                    break
        return now

    now = 100.0
    sessions = SessionStore(session_ttl=10, clock=lambda: now)
    session = sessions.get("a")
    sessions._clock = clock
    got: list[object] = []
    asking.append(threading.Thread(target=lambda: got.append(sessions.get("a"))))
    asking[0].start()
    now = 110.0
    sessions.sweep()
    asking[0].join(BOUND)
    assert got == [session]
    assert not session.closed


def test_request_that_comes_just_after_its_session_has_expired_is_refused() -> None:
    moments = {"request": 109.9, "other": 100.0}
    found, swept = threading.Event(), threading.Event()

    def clock() -> float:
        if threading.current_thread() is asking:
            found.set()
            assert swept.wait(BOUND)
            return moments["request"]
        return moments["other"]

    def ask() -> None:
        with pytest.raises(SessionNotFoundError) as caught:
            sessions.get("a")
        refused.append(caught.value.details["gone"])

    refused: list[object] = []
    asking = threading.Thread(target=ask)
    sessions = SessionStore(session_ttl=10, clock=clock)
    sessions.get("a")
    moments["other"] = 110.0
    asking.start()
    assert found.wait(BOUND)
    sessions.sweep()
    swept.set()
    asking.join(BOUND)
    assert refused == ["expired"]


def test_session_that_was_cleared_while_a_request_ran_counts_as_used_when_that_is_answered() -> None:
    clock = Clock()
    store = SessionStore(session_ttl=10, clock=clock)
    before = store.get("a")
    store.clear("a")
    clock.now += 9
    before.touch(clock())
    clock.now += 9
    assert store.get("a") is not before
