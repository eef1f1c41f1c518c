"""Refs: live objects in a worker as values of a Python program."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from bridges import WIRES, Wire, opened, probe

from bridge_core import AsyncBridge, Bridge, Ref, Step
from bridge_core.client import RefItem
from bridge_core.errors import (
    InvalidArgumentsError,
    RefLostError,
    RefNotFoundError,
    SessionNotFoundError,
    TargetNotAllowedError,
    TransportClosedError,
    WorkerCrashedError,
)

POLICY = {"allow": ["json", "probe_things", "statistics"]}


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param, policy=POLICY) as running:
        yield running


@pytest.fixture
def session(bridge: Bridge) -> Iterator[Any]:
    with bridge.session() as one:
        yield one


@pytest.mark.capability("I01")
def test_instance_is_made_and_named_or_not(session: Any) -> None:
    thing, named = session.call("probe_things.Thing", 1), session.call("probe_things.Thing", 2, store_as="thing")
    assert (type(thing), thing.type, named.id) == (Ref, "probe_things.Thing", "thing")
    assert session.list_stored() == [thing.id, "thing"]
    kind = session.call("probe_things.Thing", attribute=True)
    assert (kind.type, kind.call("__call__", 3).attribute("size")) == ("type", 3)


@pytest.mark.capability("I02")
def test_methods_of_an_object_are_called_and_so_is_the_object(session: Any) -> None:
    thing = session.call("probe_things.Thing", 1)
    assert thing.call("add", 2, times=3).attribute("size") == 7
    assert thing.call("add", 1, store_as="more").id == "more"
    assert thing.call() == [1, [], {}]
    assert thing.call("__call__", thing.item("size"), method=2, kwargs={"timeout": 3}) == [
        1, [1], {"method": 2, "timeout": 3}
    ]  # fmt: skip
    assert session.store("list", [1, 2]).call("__len__") == 2


@pytest.mark.capability("I03")
def test_attributes_are_read_and_set(session: Any) -> None:
    thing = session.call("probe_things.Thing", {"a": [1, 2]})
    assert thing.attribute("size") == {"a": [1, 2]}
    assert type(thing.attribute("add")) is Ref
    thing.set("size", 5)
    assert thing.attribute("size") == 5
    thing.set("size", session.call("probe_things.Thing", 6))
    assert thing.attribute("size").attribute("size") == 6
    with pytest.raises(TargetNotAllowedError):
        thing.attribute("__class__")


@pytest.mark.capability("I03")
def test_parts_of_an_object_are_fetched_and_given_as_arguments(session: Any) -> None:
    data = session.store("data", {"a": [1, {"b": "c"}], "$x": [2, 4]})
    assert data.value("a", 1, "b") == "c"
    assert data.value("a") == [1, {"b": "c"}]
    assert data.value()["$type"] == "dict"
    assert session.call("statistics.mean", data.item("$x")) == 3
    assert session.call("json.dumps", [data.item("a", 0), data.item("a", 1)]) == '[1, {"b": "c"}]'
    thing = session.call("probe_things.Thing", [7])
    assert thing.value("size", 0) == 7
    assert thing.value().id == thing.id
    for wrong in (("a", 2), ("z",)):
        with pytest.raises(InvalidArgumentsError):
            data.value(*wrong)
    for step in (1.0, None, True, b"a"):
        with pytest.raises(InvalidArgumentsError):
            data.item(step)


@pytest.mark.capability("I03")
def test_object_is_described(session: Any) -> None:
    told = session.call("probe_things.Thing", 1).describe()
    assert (told["type"], told["callable"]) == ("probe_things.Thing", True)
    assert {"add", "size"} <= set(told["attributes"])


@pytest.mark.capability("I03")
def test_object_is_released_once_and_used_no_more(session: Any) -> None:
    thing = session.call("probe_things.Thing", 1, store_as="thing")
    thing.release()
    assert session.list_stored() == []
    session.store("thing", 2)
    thing.release()
    assert session.list_stored() == ["thing"]
    for use in (thing.value, thing.describe, thing.call, lambda: session.call("json.dumps", thing)):
        with pytest.raises(RefNotFoundError):
            use()
    gone = session.ref("thing")
    session.delete_stored("thing")
    gone.release()


@pytest.mark.capability("I03")
def test_release_of_what_is_gone_does_nothing() -> None:
    with Bridge({"probe": probe()}, policy=POLICY, on_stderr=lambda line: None) as bridge:
        of_session, of_worker, of_bridge = bridge.session(), bridge.session(), bridge.session()
        things = [one.call("probe_things.Thing", 1) for one in (of_session, of_worker)]
        of_session.close()
        with pytest.raises(SessionNotFoundError):
            things[0].value()
        with pytest.raises(WorkerCrashedError):
            of_worker.run("end", how="SIGKILL")
        things.append(of_bridge.call("probe_things.Thing", 1))
        for thing in things[:2]:
            thing.release()
    with pytest.raises(TransportClosedError):
        things[2].value()
    things[2].release()


@pytest.mark.capability("I03")
def test_release_awaited_of_what_is_gone_does_nothing() -> None:
    async def main() -> None:
        async with AsyncBridge({"probe": probe()}, policy=POLICY, on_stderr=lambda line: None) as bridge:
            of_session, of_bridge = bridge.session(), bridge.session()
            things = [await one.call("probe_things.Thing", 1) for one in (of_session, of_bridge)]
            await of_session.close()
            with pytest.raises(SessionNotFoundError):
                await things[0].value()
            await things[0].release()
        with pytest.raises(TransportClosedError):
            await things[1].value()
        await things[1].release()

    asyncio.run(main())


def test_object_is_meant_by_its_id_alone(session: Any) -> None:
    session.run("put", value=[1, 2, 3], id="data")
    data = session.ref("data")
    assert (data.id, data.type, data.repr) == ("data", "", "")
    assert session.call("statistics.mean", data) == 2
    assert data.describe()["type"] == "list"
    with pytest.raises(RefNotFoundError):
        session.ref("nothing").value()


def test_refs_tell_what_they_are_without_asking(session: Any) -> None:
    thing = session.call("probe_things.Thing", 1, store_as="thing")
    assert repr(thing) == "<Ref 'thing' probe_things.Thing>"
    assert repr(session.ref("x")) == "<Ref 'x'>"
    assert repr(thing.item(0, "a")) == "<RefItem [0, 'a'] of <Ref 'thing' probe_things.Thing>>"
    assert repr(Step("json.dumps")) == "<Step json.dumps>"
    assert type(thing.item()) is RefItem


def test_object_of_another_session_is_refused_before_anything_is_sent(bridge: Bridge, session: Any) -> None:
    thing = bridge.call("probe_things.Thing", 1)
    same = bridge.session("same").call("probe_things.Thing", 2)
    before = bridge.run("ping")["requests_handled"]
    for use in (
        lambda: session.call("json.dumps", [1, thing]),
        lambda: session.store("x", {"deep": thing.item("size")}),
        lambda: session.pipeline([Step("json.dumps", 1), Step("json.dumps", thing)]),
        lambda: session.set_attribute("stored.x.y", thing),
        lambda: bridge.call("json.dumps", same),
    ):
        with pytest.raises(InvalidArgumentsError):
            use()
    assert bridge.run("ping")["requests_handled"] == before + 1
    assert bridge.session("same").call("probe_things.Thing", same).attribute("size").attribute("size") == 2
    thing.release()


def test_object_of_another_bridge_is_refused(bridge: Bridge) -> None:
    with opened(policy=POLICY) as other:
        thing = other.call("probe_things.Thing", 1)
        with pytest.raises(InvalidArgumentsError):
            bridge.call("json.dumps", thing)


@pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)
def test_objects_are_lost_with_their_worker(wire: Wire) -> None:
    with opened(wire, policy=POLICY) as bridge:
        thing, named = bridge.call("probe_things.Thing", 1, store_as="thing"), bridge.store("data", [1])
        with pytest.raises(WorkerCrashedError):
            bridge.session().run("end", how="SIGKILL")
        with pytest.raises(RefLostError):
            thing.attribute("size")
        again = bridge.call("probe_things.Thing", 2, store_as="thing")
        for use in (thing.value, thing.call, lambda: bridge.call("json.dumps", thing.item("size")), named.value):
            with pytest.raises(RefLostError):
                use()
        with pytest.raises(RefLostError):
            bridge.call("stored.data.copy")
        thing.release()
        assert (again.attribute("size"), bridge.list_stored()) == (2, ["thing"])
        bridge.store("data", [2])
        assert named.value() == [2]  # it is meant by its id


def test_object_that_comes_too_late_is_lost() -> None:
    with Bridge({"probe": probe()}, policy=POLICY, on_stderr=lambda line: None) as bridge:
        thing = bridge.call("probe_things.Thing", 1)
        thing.release()
        bridge.close()
        with pytest.raises(RefNotFoundError):
            thing.value()
