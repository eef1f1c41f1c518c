"""Operations run where their authors said, and what needs no plugin is answered meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from peer import Peer


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def test_main_operations_run_in_order_on_the_main_thread(peer: Peer) -> None:
    ids = [peer.send("probe.inside") for _ in range(20)]
    answers = [peer.receive() for _ in ids]
    assert [answer["id"] for answer in answers] == ids
    assert {answer["result"]["main"] for answer in answers} == {True}


def test_thread_operations_run_elsewhere(peer: Peer) -> None:
    assert not peer.result("probe.inside_thread")["main"]


@pytest.mark.parametrize("operation", ["probe.meet", "probe.meet_async"])
def test_32_calls_that_wait_run_at_the_same_time(peer: Peer, operation: str) -> None:
    # Each returns only when all the others have begun.
    ids = [peer.send(operation) for _ in range(32)]
    assert all(peer.response(request)["success"] for request in ids)


@pytest.mark.sentence("P-53")
@pytest.mark.parametrize("place", ["wait", "wait_thread", "wait_async"])
def test_worker_answers_for_itself_while_a_handler_runs(peer: Peer, place: str) -> None:
    running = peer.run(f"probe.{place}", {"name": place})
    assert peer.result("ping")["status"] == "ok"
    assert peer.result("get_stats")["in_flight"] >= 2
    assert peer.result("describe", {"operation": "probe.echo"})["name"] == "probe.echo"
    assert "probe.echo" in peer.result("get_capabilities")["supported_operations"]
    assert peer.result("hello")["protocol"] == 1
    peer.result("probe.release", {"name": place})
    assert peer.response(running)["result"] == place


def test_answers_come_in_the_order_in_which_they_are_ready(peer: Peer) -> None:
    late = peer.run("probe.wait_thread", {"name": "late"})
    early = peer.send("probe.echo", {"value": 1})
    assert peer.receive()["id"] == early
    peer.result("probe.release", {"name": "late"})
    assert peer.response(late)["success"]


@pytest.mark.parametrize("operation", ["inside", "inside_thread"])
def test_call_context_is_entered_and_left_where_the_handler_runs(peer: Peer, operation: str) -> None:
    result = peer.result(f"probe.{operation}", session_id=f"context of {operation}")
    assert result["session"] == f"context of {operation}"
    visits = peer.result("probe.visits", {"of": f"context of {operation}"})
    assert visits == [["entered", result["thread"]], ["left", result["thread"]]]


@pytest.mark.parametrize("streamed", [True, False])
def test_call_context_is_around_the_consumption_of_a_stream_too(peer: Peer, streamed: bool) -> None:
    session = f"stream context {streamed}"
    if streamed:
        chunks, _ = peer.stream("probe.inside_stream", session_id=session)
        said = [chunk["payload"] for chunk in chunks[:-1]]
    else:
        said = peer.result("probe.inside_stream", session_id=session)
    assert [one["session"] for one in said] == [session, session]
    visits = peer.result("probe.visits", {"of": session})
    assert visits == [["entered", said[0]["thread"]], ["left", said[1]["thread"]]]


def test_call_context_is_left_when_the_handler_fails(peer: Peer) -> None:
    peer.reason("probe.fail", {"how": "value"}, session_id="failing")
    assert [step for step, _ in peer.result("probe.visits", {"of": "failing"})] == ["entered", "left"]


def test_arguments_that_do_not_fit_call_no_handler_wherever_it_runs(peer: Peer) -> None:
    reasons = [peer.reason(f"probe.{name}", {"wrong": 1}) for name in ("echo", "echo_thread", "echo_async")]
    assert reasons == ["INVALID_ARGUMENTS"] * 3
