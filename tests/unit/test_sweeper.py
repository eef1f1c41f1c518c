"""The thread that lets go of what has expired: it exists where something may expire, and ends when it is told to."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bridge_core.sessions import PeerSession, SessionStore
from bridge_core.worker._sweeper import Sweeper
from guards import BOUND


class Thing:
    """Something that can be watched."""


def watched(session: PeerSession) -> threading.Event:
    """Put an object into a session and return what tells that it was freed."""
    freed = threading.Event()
    session.objects.put(thing := Thing(), kind="probe.thing")
    weakref.finalize(thing, freed.set)
    return freed


def sweeping(sessions: SessionStore) -> Iterator[Sweeper]:
    sweeper = Sweeper(sessions)
    sweeper.begin()
    yield sweeper
    sweeper.stop()


def sweepers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "bridge-sweeper"]


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    sessions = SessionStore(**request.param)
    for sweeper in sweeping(sessions):
        yield SimpleNamespace(sessions=sessions, sweeper=sweeper)
    assert not sweepers()


@pytest.mark.parametrize("made", [{"session_ttl": None}, {"session_ttl": 3600}], indirect=True)
def test_there_is_no_thread_while_nothing_can_expire(made: SimpleNamespace) -> None:
    made.sessions.get("anonymous").objects.put(1, kind="probe.thing")
    assert not sweepers()


@pytest.mark.parametrize("made", [{"session_ttl": 0.01}], indirect=True)
def test_session_is_freed_although_nobody_asks(made: SimpleNamespace) -> None:
    for name in ("a", "b"):
        freed = watched(made.sessions.get(name))
        assert freed.wait(BOUND)
    assert sweepers() == ["bridge-sweeper"]


@pytest.mark.parametrize("made", [{"object_ttl": 0.01}], indirect=True)
def test_object_is_freed_although_nobody_asks(made: SimpleNamespace) -> None:
    for _ in range(2):
        assert watched(made.sessions.get("anonymous")).wait(BOUND)


@pytest.mark.parametrize("made", [{"session_ttl": 3600}], indirect=True)
def test_what_expires_sooner_than_what_is_waited_for_is_not_late(made: SimpleNamespace) -> None:
    made.sessions.get("late")
    freed = watched(made.sessions.open(ttl=0.01))
    assert freed.wait(BOUND)


@pytest.mark.parametrize("made", [{"session_ttl": 3600}], indirect=True)
def test_sweeper_that_was_stopped_starts_nothing(made: SimpleNamespace) -> None:
    made.sweeper.stop()
    made.sessions.get("a")
    assert not sweepers()


@pytest.mark.parametrize("made", [{"session_ttl": float("inf")}], indirect=True)
def test_time_that_never_ends_is_never_waited_for(made: SimpleNamespace) -> None:
    made.sessions.get("a")
    assert not sweepers()
