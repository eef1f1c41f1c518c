"""Sessions and the live objects in them."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge_core.errors import (
    InvalidArgumentsError,
    RefExistsError,
    RefNotFoundError,
    SessionNotFoundError,
    StoreFullError,
)
from bridge_core.sessions import MemoryObjectStore, SessionStore


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore("s", max_objects=3)


def test_id_given_by_the_peer_is_returned_unchanged(store: MemoryObjectStore) -> None:
    assert store.put("value", kind="probe.thing", id="a.b/ü") == "a.b/ü"
    assert store.get("a.b/ü") == store.get("a.b/ü", kind="probe.thing") == "value"


def test_generated_id_names_the_framework_and_cannot_be_guessed(store: MemoryObjectStore) -> None:
    framework, _, rest = store.put("value", kind="probe.thing").partition(":")
    assert (framework, len(rest)) == ("probe", 24)


def test_object_of_another_kind_is_not_found(store: MemoryObjectStore) -> None:
    store.put("value", kind="probe.thing", id="x")
    with pytest.raises(RefNotFoundError) as caught:
        store.get("x", kind="probe.other")
    assert caught.value.details == {"id": "x", "session": "s"}
    with pytest.raises(RefNotFoundError):
        store.delete("x", kind="probe.other")


def test_deleted_object_is_gone_and_its_id_free(store: MemoryObjectStore) -> None:
    store.put(1, kind="probe.thing", id="x")
    store.delete("x")
    with pytest.raises(RefNotFoundError):
        store.get("x")
    with pytest.raises(RefNotFoundError):
        store.delete("x")
    assert store.put(2, kind="probe.thing", id="x") == "x"


def test_ids_come_in_the_order_they_were_put(store: MemoryObjectStore) -> None:
    for name, kind in (("b", "probe.thing"), ("c", "probe.other"), ("a", "probe.thing")):
        store.put(None, kind=kind, id=name)
    assert store.ids() == ["b", "c", "a"]
    assert store.ids(kind="probe.thing") == ["b", "a"]
    assert len(store) == 3


def test_id_that_is_taken_empty_or_too_many_is_refused(store: MemoryObjectStore) -> None:
    store.put(1, kind="probe.thing", id="x")
    with pytest.raises(RefExistsError):
        store.put(2, kind="probe.thing", id="x")
    with pytest.raises(InvalidArgumentsError):
        store.put(2, kind="probe.thing", id="")
    store.put(2, kind="probe.thing")
    store.put(3, kind="probe.thing")
    with pytest.raises(StoreFullError):
        store.put(4, kind="probe.thing")
    assert store.get("x") == 1


def test_of_many_threads_that_delete_one_object_one_succeeds() -> None:
    store = MemoryObjectStore("s")

    def delete(id: str) -> bool:
        try:
            store.delete(id)
        except RefNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            store.put(None, kind="probe.thing", id=str(number))
            assert sum(threads.map(delete, [str(number)] * 8)) == 1


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
