"""A transport over two descriptors: whoever writes can still read, and nobody waits for ever."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import attrs
import pytest

from bridge_core.errors import TransportClosedError
from bridge_core.transports import DescriptorTransport
from guards import BOUND

MEGABYTE = 1 << 20


def say(transport: DescriptorTransport, data: bytes) -> None:
    """Send as a call's own thread does: wait until there is room."""
    transport.keep(data)
    transport.drain()


@attrs.define(eq=False)
class Pipes:
    """A transport and the raw other ends of its pipes."""

    transport: DescriptorTransport
    to_it: int
    from_it: int

    def read(self, size: int) -> bytes:
        """Read so many bytes of what the transport has sent."""
        data = b""
        while len(data) < size and (more := os.read(self.from_it, size - len(data))):
            data += more
        return data


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    (read_fd, to_it), (from_it, write_fd) = os.pipe(), os.pipe()
    made = Pipes(DescriptorTransport(read_fd, write_fd, max_pending=4 * MEGABYTE), to_it, from_it)
    yield made
    made.transport.close()
    for fd in (made.to_it, made.from_it):
        if fd >= 0:
            os.close(fd)


def hang_up(pipes: Pipes, *, reading: bool = False) -> None:
    """Close the other end of one pipe."""
    if reading:
        os.close(pipes.from_it)
        pipes.from_it = -1
    else:
        os.close(pipes.to_it)
        pipes.to_it = -1


def test_bytes_arrive_as_they_were_sent(pipes: Pipes) -> None:
    os.write(pipes.to_it, b"hello")
    assert pipes.transport.receive(BOUND) == b"hello"
    say(pipes.transport, b"good ")
    assert pipes.transport.offer(b"bye")
    assert pipes.read(8) == b"good bye"


def test_much_arrives_in_large_parts(pipes: Pipes) -> None:
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(os.write, pipes.to_it, b"x" * MEGABYTE)
        received = 0
        while received < MEGABYTE:
            received += len(pipes.transport.receive(BOUND))
        assert sent.result(BOUND) == MEGABYTE


def test_closed_input_is_the_end(pipes: Pipes) -> None:
    os.write(pipes.to_it, b"last")
    hang_up(pipes)
    assert pipes.transport.receive(BOUND) == b"last"
    assert pipes.transport.receive(BOUND) == b""
    assert pipes.transport.receive(BOUND) == b""


def test_waiting_for_bytes_has_an_end(pipes: Pipes) -> None:
    with pytest.raises(TimeoutError):
        pipes.transport.receive(0.01)


def test_peer_that_no_longer_reads_is_gone(pipes: Pipes) -> None:
    hang_up(pipes, reading=True)
    assert pipes.transport.receive(BOUND) == b""
    with pytest.raises(TransportClosedError):
        say(pipes.transport, b"x")
    assert pipes.transport.offer(b"x"), "what nobody will read is not kept"


def test_what_does_not_fit_goes_out_while_waiting_for_bytes(pipes: Pipes) -> None:
    assert not pipes.transport.offer(b"x" * 3 * MEGABYTE)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipes.read, 3 * MEGABYTE)
        answered = threads.submit(os.write, pipes.to_it, b"thanks")
        assert pipes.transport.receive(BOUND) == b"thanks"
        assert len(read.result(BOUND)) == 3 * MEGABYTE
        assert answered.result(BOUND) == 6


def test_nothing_is_read_while_too_much_waits_to_be_written(pipes: Pipes) -> None:
    pipes.transport.offer(b"x" * 6 * MEGABYTE)
    os.write(pipes.to_it, b"more")
    with pytest.raises(TimeoutError):
        pipes.transport.receive(0.01)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipes.read, 6 * MEGABYTE)
        assert pipes.transport.receive(BOUND) == b"more"
        pipes.transport.drain()
        assert len(read.result(BOUND)) == 6 * MEGABYTE


def test_room_is_waited_for_until_the_peer_reads(pipes: Pipes) -> None:
    assert pipes.transport.wait_for_room()
    pipes.transport.offer(b"x" * 6 * MEGABYTE)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipes.read, 6 * MEGABYTE)
        assert pipes.transport.wait_for_room()
        pipes.transport.drain()
        assert len(read.result(BOUND)) == 6 * MEGABYTE


@pytest.mark.parametrize("reading", [True, False])
def test_peer_that_hangs_up_instead_of_reading_is_noticed(pipes: Pipes, reading: bool) -> None:
    pipes.transport.offer(b"x" * 6 * MEGABYTE)
    os.write(pipes.to_it, b"more")
    with ThreadPoolExecutor(1) as threads:
        room = threads.submit(pipes.transport.wait_for_room)
        hang_up(pipes, reading=reading)
        assert not room.result(BOUND) or reading
    assert pipes.transport.receive(BOUND) in ({b"more", b""} if reading else {b""})


def test_writers_in_several_threads_do_not_mix_their_bytes(pipes: Pipes) -> None:
    sizes = [1, 5000, 200_000, 3] * 4
    with ThreadPoolExecutor(len(sizes) + 1) as threads:
        read = threads.submit(pipes.read, sum(sizes))
        for number, size in enumerate(sizes):
            threads.submit(say, pipes.transport, bytes([number]) * size)
        data = read.result(BOUND)
    runs = [data.count(bytes([number])) for number in range(len(sizes))]
    assert runs == sizes
    assert sum(a != b for a, b in pairwise(data)) == len(sizes) - 1


def test_descriptors_that_were_made_non_blocking_work_too(pipes: Pipes) -> None:
    os.set_blocking(pipes.to_it, False)
    for fd in (pipes.transport._read_fd, pipes.transport._write_fd):
        os.set_blocking(fd, False)
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(say, pipes.transport, b"x" * 3 * MEGABYTE)
        assert len(pipes.read(3 * MEGABYTE)) == 3 * MEGABYTE
        sent.result(BOUND)
    with pytest.raises(TimeoutError):
        pipes.transport.receive(0.01)


def test_socket_serves_with_a_duplicate_of_itself() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = DescriptorTransport(os.dup(ours.fileno()), os.dup(ours.fileno()))
        try:
            say(transport, b"ping")
            assert theirs.recv(4) == b"ping"
            theirs.sendall(b"pong")
            assert transport.receive(BOUND) == b"pong"
            transport.offer(b"unread")
            theirs.close()
            assert transport.receive(BOUND) == b""
        finally:
            transport.close()


def test_call_of_one_thread_does_not_wait_for_the_blocked_write_of_another(pipes: Pipes) -> None:
    blocked = threading.Thread(target=say, args=(pipes.transport, b"x" * 3 * MEGABYTE))
    blocked.start()
    first = pipes.read(MEGABYTE)
    pipes.transport.offer(b"y")
    os.write(pipes.to_it, b"z")
    assert pipes.transport.receive(BOUND) == b"z"
    rest = pipes.read(2 * MEGABYTE)
    blocked.join(BOUND)
    pipes.transport.drain()
    assert (first + rest, pipes.read(1)) == (b"x" * 3 * MEGABYTE, b"y")


CLAIM = """
import os, sys
from bridge_core.transports import claim_standard_streams
wire_in, wire_out = claim_standard_streams()
print("printed")
os.write(1, b"written")
os.write(wire_out, f"{sys.stdin.read()!r} {os.read(0, 9)!r} {os.read(wire_in, 9)!r} ".encode())
os.write(wire_out, f"{os.get_inheritable(wire_in)} {os.get_inheritable(wire_out)}".encode())
"""


@pytest.mark.capability("A14")
@pytest.mark.parametrize("stderr", [subprocess.PIPE, None])
def test_wire_is_claimed_and_what_else_uses_it_finds_the_log(stderr: int | None) -> None:
    closed = "import os; os.close(2)\n" if stderr is None else ""
    done = subprocess.run(
        [sys.executable, "-c", closed + CLAIM], input=b"frames", stdout=subprocess.PIPE, stderr=stderr, timeout=60
    )
    assert done.stdout == b"'' b'' b'frames' False False"
    assert done.stderr in (None, b"printed\nwritten")
