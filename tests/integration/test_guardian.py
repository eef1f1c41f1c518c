"""Nothing outlives the owner of a worker, and the worker's end is the guardian's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from peer import Peer, ends

OWNER = Path(__file__).parents[1] / "owner.py"


@contextmanager
def watching(pid: int) -> Iterator[int]:
    """Yield a descriptor that becomes readable when the process ends."""
    pidfd = os.pidfd_open(pid)
    try:
        yield pidfd
    finally:
        os.close(pidfd)


@contextmanager
def owner(job: str, fifo: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Run a program that owns a worker; yield it and what it says about its processes."""
    os.mkfifo(fifo)
    command = [sys.executable, str(OWNER), job, str(fifo), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        try:
            yield process, said
        finally:
            process.kill()
            if said["sibling"]:
                os.kill(said["sibling"], signal.SIGKILL)


@pytest.mark.capability("J10")
@pytest.mark.parametrize(
    ("job", "options"),
    [
        ("idle", []),
        ("idle", ["leak"]),
        ("swallow", []),
        ("hold", []),
        ("hold", ["leak"]),
        ("spawn", []),
        ("spawn", ["leak"]),
        ("daemon", []),
        ("starting", []),
        ("starting", ["leak"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(value) or "plain",
)
@pytest.mark.parametrize("face", ["pipes", "bridge"])
def test_nothing_outlives_an_owner_that_is_killed(tmp_path: Path, job: str, options: list[str], face: str) -> None:
    with owner(job, tmp_path / "fifo", face, *options) as (process, said), ExitStack() as stack:
        watched = {name: stack.enter_context(watching(pid)) for name, pid in said["mortal"].items()}
        process.kill()
        assert {name: ends(pidfd) for name, pidfd in watched.items()} == dict.fromkeys(watched, True)


def test_worker_whose_guardian_is_killed_ends_too() -> None:
    with Peer() as peer, watching(peer.result("probe.own_pid")) as worker:
        peer.signal(signal.SIGKILL)
        assert ends(worker)
        assert peer.wait() == -signal.SIGKILL


@pytest.mark.capability("J10")
@pytest.mark.parametrize("how", ["spawn", "daemon"])
@pytest.mark.parametrize("end", ["3", "SIGKILL", "SIGSEGV"])
def test_worker_that_dies_leaves_nothing_behind_and_its_guardian_dies_the_same_way(how: str, end: str) -> None:
    with Peer() as peer, watching(peer.result(f"probe.{how}")) as descendant:
        peer.send("probe.end", {"how": end})
        assert peer.rest() == []
        assert peer.wait() == (int(end) if end.isdigit() else -signal.Signals[end])
        assert ends(descendant)


def test_worker_that_holds_the_interpreters_lock_ends_with_its_input(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Peer() as peer, watching(peer.result("probe.own_pid")) as worker:
        peer.send("probe.hold", {"fifo": str(fifo)})
        assert fifo.read_text() == "holding"
        peer.close_input()
        assert ends(worker)
        assert peer.wait() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_worker_that_holds_the_interpreters_lock(tmp_path: Path, number: int) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Peer() as peer:
        peer.send("probe.hold", {"fifo": str(fifo)})
        assert fifo.read_text() == "holding"
        peer.signal(number)
        assert peer.wait() == -signal.SIGKILL


def test_thread_that_started_a_worker_may_end_without_it() -> None:
    started: list[Peer] = []
    thread = threading.Thread(target=lambda: started.append(Peer()))
    thread.start()
    thread.join()
    with started[0] as peer:
        assert peer.result("ping")["status"] == "ok"
        assert peer.end() == 0


def test_ctrl_c_of_a_terminal_reaches_the_worker_once() -> None:
    with Peer("--framework", "probe", "--debug") as peer:
        worker = peer.result("probe.own_pid")
        assert os.getsid(worker) == worker
        assert os.getpgid(worker) != os.getpgid(peer.process.pid)
        peer.signal(signal.SIGINT)
        assert peer.wait() == 0
        assert peer.log().count("ending: SIGINT") == 1


def test_handlers_may_use_pools_that_fork() -> None:
    with Peer() as peer:
        assert peer.result("probe.fork_pools", {"count": 60}) == list(range(60))
        assert peer.end() == 0


@pytest.mark.parametrize("how", ["end of input", "SIGKILL"])
def test_resource_trackers_may_end_by_themselves(how: str) -> None:
    with Peer() as peer:
        block = Path("/dev/shm") / peer.result("probe.share_memory")
        assert block.exists()
        if how == "SIGKILL":
            peer.send("probe.end", {"how": how})
        peer.close_input()
        assert peer.rest() == []
        peer.wait()
        assert not block.exists()


@pytest.mark.sentence("P-60", "P-62")
def test_input_that_ended_long_before_the_worker_serves_is_answered(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Peer(environment={"PROBE_STARTING": str(fifo)}) as peer:
        assert fifo.read_text() == "starting"
        asked = peer.send("probe.echo", {"value": 1})
        peer.close_input()
        with watching(peer.process.pid) as guardian:
            assert not ends(guardian, 1.5)  # longer than a worker that serves would be given
        fifo.write_text("go on")
        assert [(answer["id"], answer["result"]) for answer in peer.rest()] == [(asked, 1)]
        assert peer.wait() == 0


@pytest.mark.parametrize("blocked", [[signal.SIGCHLD], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]], ids=str)
def test_signals_that_the_owner_has_blocked_are_heard_all_the_same(blocked: list[signal.Signals]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        peer = Peer()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with peer:
        assert peer.result("ping")["status"] == "ok"
        peer.signal(signal.SIGTERM)
        assert peer.wait() == 0


def test_hang_up_of_the_terminal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        peer = Peer()
    finally:
        signal.signal(signal.SIGHUP, before)
    with peer:
        assert peer.result("ping")["status"] == "ok"
        peer.signal(signal.SIGHUP)
        assert peer.result("ping")["status"] == "ok"
        assert peer.end() == 0


@pytest.mark.parametrize(
    "number", [signal.SIGALRM, signal.SIGHUP, signal.SIGUSR2, signal.SIGXCPU, signal.SIGRTMIN], ids=str
)
def test_signal_that_ends_processes_ends_worker_and_descendants(number: signal.Signals) -> None:
    with Peer() as peer, watching(peer.result("probe.spawn")) as descendant:
        peer.signal(number)
        assert peer.wait() == -number
        assert ends(descendant)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_soon_after_the_start_is_an_orderly_end(number: signal.Signals) -> None:
    with Peer() as peer:
        children = Path(f"/proc/{peer.process.pid}/task/{peer.process.pid}/children")
        while not children.read_text():
            assert peer.process.poll() is None
        peer.signal(number)
        assert peer.rest() == []
        assert peer.wait() == 0


def test_guardian_does_not_keep_the_output_open() -> None:
    with Peer() as peer, watching(peer.result("probe.own_pid")) as worker:
        guardian = f"/proc/{peer.process.pid}/fd"
        assert os.readlink(f"{guardian}/1") == os.devnull
        peer.close_input()
        assert peer.rest() == []
        assert ends(worker)
