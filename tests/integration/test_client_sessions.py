"""Sessions of a Python program: apart from each other, and forgotten when they are closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bridges import WIRES, opened

from bridge_core import Bridge
from bridge_core.errors import RefNotFoundError, SessionNotFoundError


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


def test_objects_and_settings_of_sessions_are_apart(bridge: Bridge) -> None:
    with bridge.session() as one, bridge.session() as two:
        for session, value in ((one, 1), (two, 2), (bridge, 3)):
            session.run("put", value=value, id="same")
            session.configure("probe", value=value)
        for session, value in ((one, 1), (two, 2), (bridge, 3)):
            assert session.run("get", id="same") == value
            assert session.run("due")["settings"] == {"value": value}
    with bridge.session() as other, pytest.raises(RefNotFoundError):
        other.run("get", id="same")


def test_every_verb_of_a_session_is_in_it(bridge: Bridge) -> None:
    with bridge.session("mine") as session:
        assert session.id == "mine"
        assert session.run("due")["session"] == "mine"
        assert session.submit("due").result()["session"] == "mine"
        assert [one["session"] for one in session.stream("inside_stream")] == ["mine", "mine"]
        assert [one["session"] for one in session.batch([("due", {}), ("due", {})])] == ["mine", "mine"]
        assert session.info()["framework"] == "probe"
    assert bridge.run("due")["session"] == "anonymous"


def test_sessions_have_names_that_nobody_can_guess(bridge: Bridge) -> None:
    names = {bridge.session().id for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 32


@pytest.mark.capability("F03")
def test_closed_session_refuses_and_the_worker_has_forgotten_it(bridge: Bridge) -> None:
    before = bridge.run("ping")["stored_objects"]
    with bridge.session("closed") as session:
        session.run("put", value=1)
        stream = session.stream("count_main", to=3)
        assert bridge.run("ping")["stored_objects"] == before + 1
    session.close()
    assert [*stream] == [0, 1, 2]
    for ask in (session.run, session.submit, session.stream):
        with pytest.raises(SessionNotFoundError):
            ask("echo", value=1)
    with pytest.raises(SessionNotFoundError):
        session.info()
    assert [type(one) for one in session.batch([("echo", {"value": 1})])] == [SessionNotFoundError]
    bridge.run("echo", value=1)  # on the main thread, as what forgets the session: after it
    assert bridge.run("ping")["stored_objects"] == before
    with bridge.session("closed") as again, pytest.raises(SessionNotFoundError):
        again.run("echo", value=1)


def test_session_that_was_never_used_is_closed_without_a_word(bridge: Bridge) -> None:
    before = bridge.run("ping")["requests_handled"]
    with bridge.session():
        pass
    assert bridge.run("ping")["requests_handled"] == before + 1
