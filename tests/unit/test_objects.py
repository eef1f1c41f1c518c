"""The object store of one session: what it holds, for how long, and what it says about what is gone."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_core.errors import (
    BridgeError,
    InvalidArgumentsError,
    RefExistsError,
    RefNotFoundError,
    StoreFullError,
)
from bridge_core.sessions import MemoryObjectStore
from guards import BOUND


@attrs.define
class Clock:
    """Stands still until told otherwise."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Thing:
    """Something that can be watched."""


def make(clock: Clock, **limits: Any) -> MemoryObjectStore:
    return MemoryObjectStore("s", clock=clock, wall=lambda: clock.now + 1_000_000, **limits)


def gone(store: MemoryObjectStore, id: str) -> object:
    """Return what has become of an object that is not there."""
    with pytest.raises(RefNotFoundError) as caught:
        store.get(id)
    return caught.value.details.get("gone")


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


def test_object_is_described_without_being_used() -> None:
    store = make(clock := Clock(), ttl=10)
    store.put("value", kind="probe.thing", id="x")
    clock.now += 9
    entry = store.entry("x")
    assert (entry.kind, entry.value, entry.created, entry.last_used) == ("probe.thing", "value", 1_000_100, 1_000_100)
    clock.now += 1
    with pytest.raises(RefNotFoundError):
        store.entry("x")


@pytest.mark.capability("F04")
def test_object_expires_when_it_was_not_used_for_its_time() -> None:
    store = make(clock := Clock(), ttl=10)
    for name in ("used", "unused"):
        store.put(name, kind="probe.thing", id=name)
    clock.now += 9
    assert store.get("used") == "used"
    assert store.entry("used").last_used == 1_000_109
    clock.now += 1
    assert (store.ids(), len(store), store.get("used")) == (["used"], 1, "used")
    assert gone(store, "unused") == "expired"
    with pytest.raises(RefNotFoundError):
        store.delete("unused")
    assert store.put("again", kind="probe.thing", id="unused") == "unused"


def test_expired_objects_make_room() -> None:
    store = make(clock := Clock(), ttl=10, max_objects=1)
    store.put(1, kind="probe.thing", id="x")
    with pytest.raises(StoreFullError):
        store.put(2, kind="probe.thing", id="y")
    clock.now += 10
    store.put(2, kind="probe.thing", id="y")
    assert store.ids() == ["y"]
    assert gone(store, "x") == "expired"


def test_sweep_frees_what_has_expired_and_says_when_to_come_again() -> None:
    store = make(clock := Clock(), ttl=10)
    assert store.sweep() == 110
    store.put(thing := Thing(), kind="probe.thing")
    reference = weakref.ref(thing)
    del thing
    clock.now = 105
    store.put(1, kind="probe.thing")
    assert store.sweep() == 110
    assert reference() is not None
    clock.now = 110
    assert store.sweep() == 115
    assert reference() is None


def test_store_whose_objects_do_not_expire_needs_no_sweep() -> None:
    store = make(Clock())
    store.put(1, kind="probe.thing")
    assert store.sweep() == float("inf")


@pytest.mark.capability("F04")
def test_full_store_that_evicts_releases_what_was_not_used_for_longest() -> None:
    store = make(Clock(), max_objects=3, evict=True)
    for name in "abc":
        store.put(name, kind="probe.thing", id=name)
    store.get("a")
    store.entry("b")
    store.put("d", kind="probe.thing", id="d")
    assert store.ids() == ["a", "c", "d"]
    assert gone(store, "b") == "evicted"


def test_store_that_has_no_room_for_anything_evicts_nothing() -> None:
    with pytest.raises(StoreFullError):
        make(Clock(), max_objects=0, evict=True).put(1, kind="probe.thing")


def test_object_is_replaced_only_when_that_is_asked_for() -> None:
    store = make(Clock(), max_objects=2)
    store.put(1, kind="probe.thing", id="x")
    store.put(1, kind="probe.thing", id="y")
    with pytest.raises(RefExistsError):
        store.put(2, kind="probe.thing", id="x")
    assert store.put(2, kind="probe.other", id="x", replace=True) == "x"
    assert (store.get("x", kind="probe.other"), store.ids()) == (2, ["y", "x"])


def test_what_has_become_of_an_object_is_said_until_its_id_is_used_again() -> None:
    store = make(Clock(), max_objects=2)
    assert gone(store, "x") is None
    store.put(1, kind="probe.thing", id="x")
    store.delete("x")
    assert gone(store, "x") == "deleted"
    store.put(1, kind="probe.thing", id="x")
    assert store.get("x") == 1
    store.delete("x")
    for number in range(1000):
        store.put(1, kind="probe.thing", id=str(number))
        store.delete(str(number))
    assert gone(store, "x") is None, "only so many are remembered"


def test_emptied_store_has_the_limits_and_remembers_the_ids() -> None:
    store = make(clock := Clock(), max_objects=1, ttl=10)
    store.put(1, kind="probe.thing", id="x")
    other = store.emptied()
    assert (store.ids(), other.ids()) == (["x"], [])
    assert gone(other, "x") == "deleted"
    other.put(1, kind="probe.thing", id="y")
    with pytest.raises(StoreFullError):
        other.put(1, kind="probe.thing", id="z")
    clock.now += 10
    assert gone(other, "y") == "expired"


class Meddling:
    """Uses the store that it was in when it is freed, from another thread too."""

    def __init__(self, store: MemoryObjectStore, met: list[object]) -> None:
        self.store = store
        self.met = met

    def __del__(self) -> None:
        asking = threading.Thread(target=lambda: self.met.append(self.store.ids()))
        asking.start()
        asking.join(BOUND)
        self.store.put("last words", kind="probe.thing", id="words", replace=True)


@pytest.mark.parametrize("how", ["delete", "replace", "evict", "sweep", "expired"])
def test_object_is_freed_outside_of_the_lock(how: str) -> None:
    store = make(clock := Clock(), max_objects=2, ttl=10, evict=how == "evict")
    met: list[object] = []
    store.put(Meddling(store, met), kind="probe.thing", id="x")
    if how == "delete":
        store.delete("x")
    elif how == "replace":
        store.put(1, kind="probe.thing", id="x", replace=True)
    elif how == "evict":
        store.put(1, kind="probe.thing", id="y")
        store.put(2, kind="probe.thing", id="z")
    else:
        clock.now += 10
        store.sweep() if how == "sweep" else store.put(1, kind="probe.thing", id="x")
    assert len(met) == 1, "it hangs"
    assert store.get("words") == "last words"


NAMES = st.sampled_from("abcd")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES),
        st.tuples(st.just("replace"), NAMES),
        st.tuples(st.just("get"), NAMES),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.just("sweep"), st.none()),
    ),
    max_size=40,
)


@attrs.define
class Model:
    """What a store does, said as simply as possible: a list of [id, value, used] in the order they were put."""

    most: int
    ttl: float
    evict: bool
    now: float = 100.0
    held: list[list[Any]] = attrs.field(factory=list)
    gone: dict[str, str] = attrs.field(factory=dict)

    def step(self, what: str, which: Any) -> object:
        """Take one step and return the value, or the reason of the error and what has become of the object."""
        if what == "wait":
            self.now += which
        for one in [one for one in self.held if self.now - one[2] >= self.ttl]:
            self.drop(one, "expired")
        found = next((one for one in self.held if one[0] == which), None)
        if what in ("put", "replace"):
            return self.put(found, which, replace=what == "replace")
        if what in ("get", "delete"):
            if found is None:
                return "REF_NOT_FOUND", self.gone.get(which)
            if what == "delete":
                return self.drop(found, "deleted")
            found[2] = self.now
            return found[1]
        return None

    def put(self, found: list[Any] | None, id: str, *, replace: bool) -> object:
        if found is not None:
            if not replace:
                return "REF_EXISTS", None
            self.held.remove(found)
        elif len(self.held) >= self.most:
            if not self.evict:
                return "STORE_FULL", None
            self.drop(min(self.held, key=lambda one: one[2]), "evicted")
        self.held.append([id, object_of(id), self.now])
        self.gone.pop(id, None)
        return id

    def drop(self, one: list[Any], how: str) -> None:
        self.held.remove(one)
        self.gone[one[0]] = how


def object_of(id: str) -> str:
    return f"object {id}"


def took(store: MemoryObjectStore, what: str, which: Any) -> object:
    """Take the same step with the real store."""
    try:
        if what in ("put", "replace"):
            return store.put(object_of(which), kind="probe.thing", id=which, replace=what == "replace")
        if what == "get":
            return store.get(which)
        if what == "delete":
            return store.delete(which)  # type: ignore[func-returns-value]
        if what == "sweep":
            store.sweep()
    except BridgeError as exc:
        return exc.reason, exc.details.get("gone")
    return None


@given(STEPS, st.integers(1, 3), st.sampled_from([5.0, float("inf")]), st.booleans())
def test_store_is_a_dictionary_that_forgets(steps: list[tuple[str, Any]], most: int, ttl: float, evict: bool) -> None:
    model, clock = Model(most, ttl, evict), Clock()
    store = make(clock, max_objects=most, ttl=ttl, evict=evict)
    for what, which in steps:
        model.now += 0.001  # no two objects were used at the same time
        clock.now = model.now + (which if what == "wait" else 0)
        assert took(store, what, which) == model.step(what, which)
        assert store.ids() == [one[0] for one in model.held]
        assert len(store) == len(model.held)
