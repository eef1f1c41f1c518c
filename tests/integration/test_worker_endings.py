"""Whoever asks for it, a worker ends in one ordered way, answers what it owes and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from peer import Peer, ends, frame

pytestmark = [pytest.mark.sentence("P-60")]

RUNNING = ["wait", "wait_thread", "wait_async", "swallow", "swallow_thread"]
ORDERS = ["end of input", "shutdown", "SIGTERM", "SIGINT"]


@contextmanager
def watched(pid: int) -> Iterator[int]:
    """Yield a pidfd, which tells when the process has ended, whoever its parent is by then."""
    pidfd = os.pidfd_open(pid)
    try:
        yield pidfd
    finally:
        os.close(pidfd)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def journaling(journal: Path) -> Peer:
    return Peer("--framework", "probe", "--worker-id", "w", environment={"PROBE_JOURNAL": str(journal)})


def order(peer: Peer, how: str) -> None:
    if how == "end of input":
        peer.close_input()
    elif how == "shutdown":
        peer.result("shutdown")
    else:
        peer.signal(signal.Signals[how])


@pytest.mark.capability("A05")
@pytest.mark.parametrize("how", ORDERS)
def test_idle_worker_ends_in_order(journal: Path, how: str) -> None:
    with journaling(journal) as peer:
        peer.result("ping")
        order(peer, how)
        assert peer.rest() == []
        assert peer.wait() == 0
    assert journal.read_text().splitlines() == ["loaded", "shutdown"]


@pytest.mark.capability("A05")
@pytest.mark.sentence("P-62")
@pytest.mark.parametrize("running", RUNNING)
def test_end_of_input_ends_the_worker_and_its_children_while_a_handler_runs(running: str) -> None:
    with Peer() as peer, watched(peer.result("probe.spawn")) as child:
        owed = peer.run(f"probe.{running}", {"name": "n"})
        peer.close_input()
        (answer,) = peer.rest()
        assert answer["id"] == owed
        assert answer["error_info"]["reason"] in {"SHUTTING_DOWN", "CALL_CANCELLED"}
        assert peer.wait() == 0
        assert ends(child)


@pytest.mark.parametrize("how", ORDERS)
def test_children_in_sessions_of_their_own_end_with_the_worker(how: str) -> None:
    with Peer() as peer, watched(peer.result("probe.spawn", {"new_session": True})) as child:
        order(peer, how)
        assert peer.wait() == 0
        assert ends(child)


@contextmanager
def releasable(peer: Peer, running: str, folder: Path) -> Iterator[Callable[[], None]]:
    """Have a handler wait, and yield what lets it go on when the worker takes no requests any more."""
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    peer.run(running, {"name": "n"}, id="owed")
    peer.run("probe.release_when", {"name": "release n", "fifo": str(fifo)}, id="release")
    released = []

    def release() -> None:
        released.append(os.open(fifo, os.O_WRONLY))

    yield release
    for fd in released:
        os.close(fd)


@pytest.mark.parametrize("how", ["shutdown", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("running", ["wait", "wait_thread", "wait_async"])
def test_running_work_is_finished_and_answered_before_the_end(journal: Path, how: str, running: str) -> None:
    with journaling(journal) as peer, releasable(peer, f"probe.{running}", journal.parent) as release:
        peer.result("hello", {"want": ["goodbye"]})
        order(peer, how)
        assert peer.receive()["event"] == "goodbye"
        release()
        assert {answer["id"]: answer["success"] for answer in peer.rest()} == {"owed": True, "release": True}
        assert peer.wait() == 0
    assert journal.read_text().splitlines()[-1] == "shutdown"


@pytest.mark.sentence("P-61")
def test_work_that_does_not_end_in_time_is_answered_and_left_alone(journal: Path) -> None:
    with journaling(journal) as peer:
        owed = peer.run("probe.swallow_thread", {"name": "n"})
        queued = peer.run("probe.wait", {"name": "q"}), peer.send("probe.note", {"line": "never"})
        peer.signal(signal.SIGTERM)
        answers = {answer["id"]: answer["error_info"]["reason"] for answer in peer.rest()}
        assert answers == dict.fromkeys([owed, *queued], "SHUTTING_DOWN")
        assert peer.wait() == 0
    assert journal.read_text().splitlines() == ["loaded"], "an abandoned plugin is not told"


def test_plugin_with_a_thread_left_running_is_not_told_to_shut_down(journal: Path) -> None:
    with journaling(journal) as peer:
        peer.run("probe.swallow_thread", {"name": "n"})
        assert peer.end() == 0
    assert journal.read_text().splitlines() == ["loaded"]


@pytest.mark.capability("A05")
@pytest.mark.parametrize("how", ORDERS)
def test_nobody_waits_until_all_that_a_framework_has_made_is_freed(tmp_path: Path, how: str) -> None:
    with Peer() as peer:
        peer.result("probe.cling", {"note": str(tmp_path / "note")})
        order(peer, how)
        assert peer.wait() == 0
    assert (tmp_path / "note").read_text() == "exit"


def test_handler_that_looks_whether_it_is_still_wanted_stops_by_itself() -> None:
    with Peer() as peer:
        owed = peer.run("probe.look_up_when_cancelled", {"name": "n"})
        peer.close_input()
        (answer,) = peer.rest()
        assert (answer["id"], answer["result"]) == (owed, "stopped")
        assert peer.wait() == 0


@pytest.mark.sentence("P-6", "P-21")
def test_everything_sent_before_the_end_of_input_is_answered() -> None:
    names = ["probe.echo", "probe.echo_thread", "probe.echo_async"] * 10
    wire = b"".join(frame({"id": i, "command": n, "args": {"value": i}}) for i, n in enumerate(names))
    with Peer() as peer:
        peer.send_bytes(wire)
        peer.close_input()
        answers = peer.rest()
        assert sorted(answer["id"] for answer in answers) == list(range(30))
        assert all(answer["result"] == answer["id"] for answer in answers)
        assert peer.wait() == 0


@pytest.mark.sentence("P-61")
def test_requests_behind_a_shutdown_are_refused(tmp_path: Path) -> None:
    with Peer() as peer, releasable(peer, "probe.wait", tmp_path) as release:
        names = ["shutdown", "probe.echo", "probe.echo_thread", "configure", "ping"]
        peer.send_bytes(b"".join(frame({"id": name, "command": name}) for name in names))
        answers = {name: peer.response(name) for name in names}
        reasons = {name: answer.get("error_info", {}).get("reason") for name, answer in answers.items()}
        refused = dict.fromkeys(["probe.echo", "probe.echo_thread", "configure"], "SHUTTING_DOWN")
        assert reasons == {"shutdown": None, "ping": None, **refused}
        release()
        assert {answer["id"] for answer in peer.rest() if answer["success"]} == {"owed", "release"}
        assert peer.wait() == 0


@pytest.mark.parametrize("name", ["count_main", "count_thread", "count_async"])
def test_stream_under_way_ends_with_the_number_of_its_chunks(name: str) -> None:
    with Peer() as peer:
        owed = peer.send(f"probe.{name}", {"to": 10**9}, stream=True)
        peer.close_input()
        *chunks, last = peer.rest()
        assert all("chunk" in message for message in chunks)
        # The handler cannot stop while it waits for this peer, which reads slowly.
        assert (last["id"], last["error_info"]["reason"] in {"CALL_CANCELLED", "SHUTTING_DOWN"}) == (owed, True)
        assert last["error_info"]["details"].get("chunks", len(chunks)) == len(chunks)
        assert peer.wait() == 0


@pytest.mark.sentence("P-31")
def test_nothing_of_a_stream_follows_its_terminal_response() -> None:
    with Peer() as peer:
        owed = peer.send("probe.late_word", stream=True)
        assert peer.receive()["chunk"]["payload"] == "first"
        peer.signal(signal.SIGTERM)
        *before, last = [message for message in peer.rest() if message["id"] == owed]
        assert all("chunk" in message for message in before)
        assert last["success"] is False


@pytest.mark.parametrize("name", ["count_main", "count_thread", "count_async"])
def test_peer_that_goes_while_it_is_sent_something_ends_the_worker(name: str) -> None:
    with Peer("--framework", "probe", "--debug") as peer:
        peer.send(f"probe.{name}", {"to": 10**9}, stream=True)
        assert peer.receive()["chunk"]["chunk_id"] == 0
        peer.output.close()
        assert peer.wait() == 0


@pytest.mark.sentence("P-61")
@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_worker_ends_while_its_main_thread_is_in_c(how: str) -> None:
    with Peer() as peer:
        owed = peer.run("probe.compute", {"name": "n"})
        order(peer, how)
        assert [(answer["id"], answer["error_info"]["reason"]) for answer in peer.rest()] == [(owed, "SHUTTING_DOWN")]
        assert peer.wait() == 0


def test_signal_for_a_forked_child_ends_the_child_and_not_the_worker() -> None:
    with Peer() as peer:
        assert peer.result("probe.terminate_fork") == signal.SIGTERM
        assert peer.result("probe.echo", {"value": "still here"}) == "still here"


def test_forked_child_has_no_share_in_the_wire() -> None:
    with Peer() as peer:
        child = peer.result("probe.speak_in_fork")
        assert peer.result("probe.echo", {"value": "still here"}) == "still here"
        assert child != peer.result("probe.own_pid")
        peer.close_input()
        assert peer.rest() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_before_serving_begins_ends_a_worker_that_then_is_ready(tmp_path: Path, number: signal.Signals) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Peer(environment={"PROBE_STARTING": str(fifo)}) as peer:
        assert fifo.read_text() == "starting"
        peer.signal(number)
        fifo.write_text("go on")
        assert peer.rest() == []
        assert peer.wait() == 0


def test_further_signals_change_nothing_up_to_the_last_moment(journal: Path) -> None:
    with journaling(journal) as peer:
        peer.result("ping")
        for _ in range(1_000_000):
            if peer.process.poll() is not None:
                break
            peer.signal(signal.SIGTERM)
            peer.signal(signal.SIGINT)
        assert peer.process.returncode == 0
    assert journal.read_text().splitlines() == ["loaded", "shutdown"]


def test_end_of_input_during_an_ending_changes_nothing() -> None:
    with Peer() as peer:
        owed = peer.run("probe.wait_thread", {"name": "n"})
        peer.send("shutdown")
        peer.close_input()
        assert len(peer.rest()) == 2
        assert owed
        assert peer.wait() == 0


@pytest.mark.sentence("P-21")
def test_peer_that_is_gone_ends_the_worker() -> None:
    with Peer() as peer:
        peer.run("probe.swallow", {"name": "n"})
        peer.output.close()
        assert peer.wait() == 0


@pytest.mark.sentence("P-36")
def test_goodbye_is_said_to_those_who_asked() -> None:
    with Peer() as peer:
        peer.result("hello", {"want": ["goodbye"]})
        peer.signal(signal.SIGTERM)
        assert peer.rest() == [{"event": "goodbye", "data": {"reason": "SIGTERM"}}]
