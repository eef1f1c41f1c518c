"""What configured a session is done again on the worker that takes the place of a dead one; objects are lost."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, at_once, opened, probe
from peer import PATIENCE, PLUGINS

from bridge_core import Bridge, BridgeError, Step
from bridge_core.errors import (
    CallTimeoutError,
    HandlerRaisedError,
    RefLostError,
    RefNotFoundError,
    WorkerCrashedError,
)


@pytest.fixture(params=WIRES[:2], ids="+".join)
def wire(request: pytest.FixtureRequest) -> Any:
    return request.param


def die(bridge: Bridge) -> None:
    """Have the worker die in the middle of a call."""
    with pytest.raises(WorkerCrashedError):
        bridge.session().run("end", how="SIGKILL")


def test_each_session_is_configured_as_it_was(wire: Wire) -> None:
    with opened(wire) as bridge:
        sessions = [bridge, *(bridge.session() for _ in range(3))]
        for number, session in enumerate(sessions):
            session.configure("probe", number=number)
            session.run("tune", name="number", value=number)
        for _ in range(2):
            die(bridge)
            for number, session in enumerate(sessions):
                assert session.run("due")["settings"] == {"number": number}
                assert session.run("tuned") == {"number": number}
        with bridge.session() as other:
            assert other.run("due")["settings"] is None


def test_configuration_of_the_bridge_is_every_sessions(wire: Wire) -> None:
    with opened(wire, configuration={"mode": "fast"}) as bridge:
        for _ in range(2):
            with bridge.session() as session:
                session.configure("probe", mode="slow")
                for one in (bridge, bridge.session()):
                    assert one.run("due")["settings"] == {"mode": "fast"}
                die(bridge)
                assert session.run("due")["settings"] == {"mode": "slow"}


def test_configuration_is_done_again_in_its_order_and_the_last_one_counts(wire: Wire) -> None:
    with opened(wire) as bridge:
        for name, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)):
            bridge.run("tune", name=name, value=value)
        for value in range(3):
            bridge.submit("configure", framework="probe", config={"value": value}).result()
        with pytest.raises(HandlerRaisedError):
            bridge.run("tune", name="refused", needs="/nowhere")
        die(bridge)
        assert bridge.run("due")["settings"] == {"value": 2}
        tuned = bridge.run("tuned")
        assert "refused" not in tuned
        assert tuned["b"] == 5


def test_clearing_a_session_is_done_again_in_its_turn(wire: Wire) -> None:
    with opened(wire) as bridge:
        session = bridge.session()
        session.configure("probe", value="before")
        session.run("tune", name="a", value=1)
        session.run("clear_session")
        session.run("tune", name="b", value=2)
        for _ in range(2):
            assert session.run("due")["settings"] is None
            assert session.run("tuned") == {"b": 2}
            die(bridge)


@pytest.mark.sentence("P-86")
def test_what_this_worker_has_let_go_was_not_lost_with_another(wire: Wire) -> None:
    with opened(wire) as bridge:
        session = bridge.session()
        session.run("put", value=1, id="lost")
        die(bridge)
        session.run("put", value=1, id="deleted")
        session.run("delete_stored", id="deleted")
        with pytest.raises(RefNotFoundError):
            session.run("get", id="deleted")
        with pytest.raises(RefLostError):
            session.run("get", id="lost")


def test_objects_are_lost_with_their_worker(wire: Wire) -> None:
    with opened(wire) as bridge:
        session = bridge.session()
        session.run("put", value=1, id="x")
        with pytest.raises(RefNotFoundError):
            session.run("get", id="y")
        die(bridge)
        for ask in (session.run, lambda *args, **more: session.submit(*args, **more).result()):
            with pytest.raises(RefLostError):
                ask("get", id="x")
        (outcome,) = session.batch([("get", {"id": "x"})])
        assert type(outcome) is RefLostError
        session.run("put", value=2, id="x")
        assert session.run("get", id="x") == 2
        with bridge.session() as later, pytest.raises(RefNotFoundError):
            later.run("get", id="x")


def test_session_that_was_never_used_has_lost_nothing(wire: Wire) -> None:
    with opened(wire) as bridge, bridge.session() as session:
        die(bridge)
        with pytest.raises(RefNotFoundError):
            session.run("get", id="x")


def test_session_closed_after_a_death_stays_closed(wire: Wire) -> None:
    with opened(wire) as bridge:
        session = bridge.session()
        session.run("put", value=1)
        die(bridge)
        session.close()
        with pytest.raises(BridgeError) as raised:
            session.run("echo", value=1)
        assert raised.value.reason == "SESSION_NOT_FOUND"
        assert bridge.run("echo", value=1) == 1


def test_configuring_again_that_fails_is_raised_and_tried_by_the_next_call(wire: Wire, tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    needed.touch()
    with opened(wire) as bridge, bridge.session() as session:
        session.run("tune", name="a", value=1, needs=str(needed))
        needed.unlink()
        die(bridge)
        for ask in (session.run, session.submit, session.stream):
            with pytest.raises(HandlerRaisedError):
                ask("tuned")
        assert bridge.run("echo", value=1) == 1
        needed.touch()
        assert session.run("tuned") == {"a": 1}


def test_worker_may_die_while_a_session_is_configured_again(wire: Wire, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened(wire) as bridge, bridge.session() as session:
        assert at_once(lambda: session.run("tune", name="a", value=1, told=str(fifo)), lambda: go_on(fifo))[0] == {
            "a": 1
        }
        die(bridge)
        outcomes = at_once(lambda: session.run("tuned"), lambda: (fifo.read_text(), die(bridge)))
        assert type(outcomes[0]) is WorkerCrashedError
        assert at_once(lambda: session.run("tuned"), lambda: go_on(fifo))[0] == {"a": 1}


def go_on(fifo: Path) -> None:
    """Let one `tune` go on that waits at the fifo."""
    assert fifo.read_text() == "tuning"
    fifo.write_text("go on")


def test_calls_of_a_session_wait_until_it_is_configured_again(wire: Wire, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened(wire) as bridge, bridge.session() as session:
        at_once(lambda: session.run("tune", name="a", value=1, told=str(fifo)), lambda: go_on(fifo))
        die(bridge)

        def in_time() -> Any:
            assert fifo.read_text() == "tuning"
            with pytest.raises(CallTimeoutError):
                session.run("tuned", timeout=0.05)
            assert bridge.run("echo", value=1) == 1
            fifo.write_text("go on")

        outcomes = at_once(in_time, *[lambda: session.run("tuned")] * 4)
        assert outcomes == [None, *[{"a": 1}] * 4]


def test_callback_may_use_a_session_that_another_thread_configures_again(wire: Wire, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened(wire) as bridge, bridge.session() as session:
        at_once(lambda: session.run("tune", name="a", value=1, told=str(fifo)), lambda: go_on(fifo))
        die(bridge)
        seen: queue.Queue[Any] = queue.Queue()
        future = bridge.submit("wait_thread", name="w")
        future.add_done_callback(lambda _: seen.put(session.run("tuned", timeout=PATIENCE)))

        def disturb() -> None:
            assert fifo.read_text() == "tuning"
            bridge.submit("release", name="w")  # who reads runs the callback, and waits for the other thread
            fifo.write_text("go on")
            while fifo.read_text() == "tuning":  # once more, if the other thread is the one that reads
                fifo.write_text("go on")

        disturbing = threading.Thread(target=disturb)
        disturbing.start()
        outcomes = at_once(future.result, lambda: session.run("tuned"))
        assert outcomes == ["w", {"a": 1}]
        assert seen.get(timeout=PATIENCE) == {"a": 1}
        fifo.write_text("enough")
        disturbing.join(PATIENCE)


def test_setting_that_can_no_longer_be_replayed_can_be_set_anew(wire: Wire, tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    needed.touch()
    with opened(wire) as bridge, bridge.session() as session:
        session.run("tune", name="a", value=1, needs=str(needed))
        needed.unlink()
        die(bridge)
        with pytest.raises(HandlerRaisedError):
            session.run("tuned")
        assert session.run("ping")["status"] == "ok"
        session.run("tune", name="a", value=2, needs=str(tmp_path))
        assert session.run("tuned") == {"a": 2}


def test_stream_after_a_death_is_of_a_configured_session(wire: Wire) -> None:
    with Bridge({"probe": probe(wire, configuration={"mode": "fast"})}, on_stderr=lambda line: None) as bridge:
        assert bridge.run("due")["settings"] == {"mode": "fast"}
        die(bridge)
        assert [one["session"] for one in bridge.stream("inside_stream")] == ["anonymous"] * 2
        assert bridge.run("due")["settings"] == {"mode": "fast"}


def second(**more: Any) -> Bridge:
    """Return a Bridge for a framework that dynamic calls configure."""
    folders = (Path(__file__).parents[1] / "plugins_second", PLUGINS)
    settings = {"second": probe(folders=folders, **more)}
    return Bridge(settings, policy={"allow": ["probe_things"]}, on_stderr=lambda line: None)


def test_dynamic_calls_that_configured_a_session_are_made_again() -> None:
    with second(configuration={"a": 0}) as bridge, bridge.session() as session:
        session.call("second.settings.configure", a=1, b={"$x": 1})
        session.call("second.settings.configure", e={"$env": "NOT_SET"})
        session.pipeline([Step("probe_things.Thing", 1), Step("second.settings.configure", c=2)])
        session.run("call", {"target": "second.settings.configure", "kwargs": {"d": 3}})
        session.call("second.settings.configure", c=4)
        session.call("probe_things.Thing", 1)
        before = session.run("settings")
        assert before == {"a": "1", "b": "{'$x': 1}", "c": "4", "d": "3", "e": "{'$env': 'NOT_SET'}"}
        for _ in range(2):
            with pytest.raises(WorkerCrashedError):
                bridge.session().run("end")
            assert session.run("settings") == before
        with bridge.session() as other:
            assert other.run("settings") == {"a": "0"}


def test_configuration_with_objects_is_lost_with_them() -> None:
    with second() as bridge:
        bridge.call("second.settings.configure", a=1)
        bridge.call("second.settings.configure", b=2)
        bridge.call("second.settings.configure", a=bridge.call("probe_things.Thing", 1))
        bridge.pipeline([made := Step("probe_things.Thing", 1), Step("second.settings.configure", c=[made])])
        assert len(bridge.run("settings")) == 3
        with pytest.raises(WorkerCrashedError):
            bridge.session().run("end")
        assert bridge.run("settings") == {"b": "2"}


def test_dynamic_call_says_that_a_setting_can_no_longer_be_replayed(tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    needed.touch()
    with opened(policy={"allow": ["json"]}) as bridge, bridge.session() as session:
        session.run("tune", name="a", value=1, needs=str(needed))
        needed.unlink()
        die(bridge)
        for ask in (lambda: session.run("call", {"target": "json.dumps"}), lambda: session.call("json.dumps", 1)):
            with pytest.raises(HandlerRaisedError):
                ask()
