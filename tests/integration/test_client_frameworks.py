"""Dynamic calls of a Bridge with several workers: which one is meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridges import probe
from peer import PLUGINS

from bridge_core import Bridge, Ref, Step
from bridge_core.errors import FrameworkNotFoundError, InvalidArgumentsError, RefNotFoundError

pytestmark = pytest.mark.capability("E16")

SECOND = Path(__file__).parents[1] / "plugins_second"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    frameworks = {"probe": probe(), "second": probe(("stdio", "json"), folders=(SECOND, PLUGINS))}
    policy = {"allow": ["json", "probe_things", "second"]}
    with Bridge(frameworks, policy=policy, on_stderr=lambda line: None) as running:
        running.start()
        for operation in ("ping", "second.settings"):
            running.submit(operation).result()  # from now on there are the threads that read for futures
        yield running


@pytest.fixture
def session(bridge: Bridge) -> Iterator[Any]:
    with bridge.session() as one:
        yield one


def thing(session: Any, framework: str | None = None, **more: Any) -> Ref:
    made = session.call("probe_things.Thing", 1, framework=framework, **more)
    assert type(made) is Ref
    return made


def test_worker_is_the_default_one_unless_something_says_another(session: Any) -> None:
    assert thing(session).framework == "probe"
    assert thing(session, "second").framework == "second"
    with pytest.raises(FrameworkNotFoundError):
        thing(session, "third")


def test_target_that_begins_with_a_framework_is_for_its_worker(session: Any) -> None:
    made = session.call("second.Thing", 1)
    assert (made.framework, made.attribute("size")) == ("second", 1)
    assert session.inspect("second.Thing")["callable"] is True


def test_objects_say_which_worker_is_meant(session: Any) -> None:
    there = thing(session, "second", store_as="there.a")
    assert session.call("probe_things.Thing", there).framework == "second"
    assert session.call("probe_things.Thing", [{"deep": there.item("size")}, 1]).framework == "second"
    assert session.call("stored.there.a.add", 1).framework == "second"
    assert session.retrieve("there.a").framework == "second"
    assert session.ref("there.a").framework == "second"
    assert session.store("again", there).framework == "second"
    first, last = Step("probe_things.Thing", there, store_as="step"), Step("stored.step.add", 1, omit=True)
    assert session.pipeline([first])[0].framework == "second"
    assert session.call("stored.step.size", attribute=True).framework == "second"
    session.delete_stored("step")
    with pytest.raises(RefNotFoundError):
        session.pipeline([last])
    with pytest.raises(RefNotFoundError):
        session.pipeline([first, Step("stored.nothing", there)])
    assert session.call("stored.step.size", attribute=True).framework == "second"
    session.delete_stored("again")


def test_a_ref_stays_with_its_worker_though_another_one_has_an_object_with_its_id(session: Any) -> None:
    here, there = thing(session, "probe", store_as="same"), thing(session, "second", store_as="same")
    assert here.call("add", 1).framework == "probe"
    here.release()
    assert there.call("add", 1).framework == "second"
    assert session.call("stored.same.size", attribute=True) == there.attribute("size")


def test_objects_of_two_workers_do_not_meet(session: Any) -> None:
    here, there = thing(session, store_as="here"), thing(session, "second", store_as="there")
    for use in (
        lambda: session.call("json.dumps", [here, there]),
        lambda: session.call("json.dumps", here, framework="second"),
        lambda: session.call("second.Thing", here),
        lambda: session.call("stored.here.add", there),
        lambda: here.call("add", there),
        lambda: session.pipeline([Step("stored.here.add", 1), Step("stored.there.add", 1)]),
    ):
        with pytest.raises(InvalidArgumentsError):
            use()


def test_lists_are_of_all_workers_that_were_used(session: Any) -> None:
    assert session.list_stored() == []
    thing(session, store_as="here")
    thing(session, "second", store_as="there")
    assert session.list_stored() == ["here", "there"]
    assert session.list_stored(framework="second") == ["there"]
    session.clear_session(framework="probe")
    assert session.list_stored() == ["there"]
    session.clear_session()
    assert session.list_stored() == []


def test_bytes_go_where_they_can(session: Any) -> None:
    assert session.call("probe_things.Thing", b"x").attribute("size") == b"x"
    there = thing(session, "second")
    for _ in range(2):
        with pytest.raises(InvalidArgumentsError):
            session.call("probe_things.Thing", [there, b"x"])
