"""A peer that does not read slows down what it asked for, and nothing else."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from peer import PATIENCE, PLUGINS, Peer, ends, frame, plugin_path

MEGABYTE = 1 << 20


def filled(peer: Peer, message: bytes) -> None:
    """Send the same frame until the worker takes no more."""
    os.set_blocking(peer.input.fileno(), False)
    rest = b""
    while select.select([], [peer.input], [], 0.3)[1]:
        rest = rest or message
        rest = rest[peer.input.write(rest) or 0 :]


def test_peer_that_asks_much_before_it_reads_gets_every_answer() -> None:
    with Peer() as peer:
        ids = [peer.send("ping") for _ in range(10_000)]
        assert [peer.receive()["id"] for _ in ids] == ids


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_peer_that_asks_for_ever_and_never_reads_does_not_keep_the_worker_from_ending(how: str) -> None:
    with Peer() as peer:
        peer.result("ping")
        filled(peer, frame({"command": "x" * 200_000, "id": 1}))
        if how == "SIGTERM":
            peer.signal(signal.SIGTERM)
        else:
            peer.close_input()
        assert peer.wait() == 0


@pytest.mark.capability("A05")
@pytest.mark.parametrize("name", ["blocks", "blocks_async"])
def test_stream_that_nobody_reads_does_not_keep_the_worker_from_ending(name: str) -> None:
    with Peer() as peer:
        peer.send(f"probe.{name}", {"count": 1000, "size": MEGABYTE}, stream=True)
        assert select.select([peer.output], [], [], PATIENCE)[0]
        peer.close_input()
        assert peer.wait() == 0


@pytest.mark.parametrize("name", ["blocks", "blocks_async"])
def test_stream_that_is_larger_than_every_buffer_arrives_whole(name: str) -> None:
    with Peer() as peer:
        request = peer.send(f"probe.{name}", {"count": 40, "size": MEGABYTE}, stream=True)
        assert select.select([peer.output], [], [], PATIENCE)[0]
        ping = peer.send("ping")
        chunks, answered = 0, []
        while len(answered) < 2:
            message = peer.receive()
            if "chunk" in message:
                assert message["chunk"]["chunk_id"] == chunks
                chunks += 1
            else:
                answered.append(message["id"])
        assert (chunks, set(answered)) == (41, {request, ping})


def test_stream_that_nobody_reads_holds_up_no_other_handler() -> None:
    with Peer() as peer:
        streams = [peer.send("probe.blocks", {"count": 40, "size": MEGABYTE}, stream=True) for _ in range(2)]
        assert select.select([peer.output], [], [], PATIENCE)[0]
        assert peer.result("probe.inside")["main"]
        assert all(peer.response(stream)["success"] for stream in streams)


@contextmanager
def log_unread() -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker whose stderr is a pipe that nobody reads."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge_core", "worker", "--framework", "probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": plugin_path(PLUGINS)},
        bufsize=0,
    )
    with process:
        yield process
        process.kill()


@pytest.mark.capability("A05", "A14")
@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_log_that_nobody_reads_does_not_keep_the_worker_from_ending(how: str) -> None:
    with log_unread() as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(frame({"id": 1, "command": "probe.flood", "args": {"size": MEGABYTE}}))
        assert select.select([process.stderr], [], [], PATIENCE)[0]
        if how == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        pidfd = os.pidfd_open(process.pid)
        ended = ends(pidfd)
        os.close(pidfd)
        assert ended
        assert process.wait() == 0
