"""A transport over two descriptors: whoever writes can still read, and nobody waits for ever."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import attrs
import pytest

from bridge_core.errors import TransportClosedError
from bridge_core.transports import DescriptorTransport
from guards import BOUND

MEGABYTE = 1 << 20
either_way = pytest.mark.parametrize("spin", [False, True], ids=["sleeping", "spinning"])


def say(transport: DescriptorTransport, data: bytes) -> None:
    """Send as a call's own thread does: wait until there is room."""
    transport.keep(data)
    transport.drain()


@attrs.define(eq=False)
class Wire:
    """A transport and the raw other end."""

    transport: DescriptorTransport
    to_it: int
    from_it: int
    one_socket: bool = False

    def read(self, size: int) -> bytes:
        """Read so many bytes of what the transport has sent."""
        data = b""
        while len(data) < size:
            select.select([self.from_it], [], [], BOUND)
            more = os.read(self.from_it, size - len(data))
            if not more:
                break
            data += more
        return data


def over_pipes() -> Wire:
    (read_fd, to_it), (from_it, write_fd) = os.pipe(), os.pipe()
    return Wire(DescriptorTransport(read_fd, write_fd, max_pending=4 * MEGABYTE), to_it, from_it)


def over_pipes_that_cannot_be_told_not_to_wait() -> Wire:
    wire = over_pipes()
    wire.transport._no_wait = 0  # as with Linux before 6.4, and elsewhere
    return wire


def over_one_socket() -> Wire:
    ours, theirs = (end.detach() for end in socket.socketpair())
    transport = DescriptorTransport(ours, os.dup(ours), max_pending=4 * MEGABYTE)
    return Wire(transport, theirs, os.dup(theirs), one_socket=True)


def over_one_socket_on_one_cpu() -> Wire:
    wire = over_one_socket()
    wire.transport._spin = 0.0
    return wire


WIRES = [over_pipes, over_pipes_that_cannot_be_told_not_to_wait, over_one_socket, over_one_socket_on_one_cpu]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    made: Wire = request.param()
    yield made
    made.transport.close()
    for fd in (made.to_it, made.from_it):
        if fd >= 0:
            os.close(fd)


def hang_up(wire: Wire, *, reading: bool = False) -> None:
    """Close the other end of one pipe; of a socket there is only one."""
    if reading or wire.one_socket:
        os.close(wire.from_it)
        wire.from_it = -1
    if not reading or wire.one_socket:
        os.close(wire.to_it)
        wire.to_it = -1


@either_way
def test_bytes_arrive_as_they_were_sent(wire: Wire, spin: bool) -> None:
    os.write(wire.to_it, b"hello")
    assert wire.transport.receive(BOUND, spin=spin) == b"hello"
    say(wire.transport, b"good ")
    assert wire.transport.offer(b"bye")
    assert wire.read(8) == b"good bye"


@either_way
def test_much_arrives_in_large_parts(wire: Wire, spin: bool) -> None:
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(os.write, wire.to_it, b"x" * MEGABYTE)
        received = 0
        while received < MEGABYTE:
            received += len(wire.transport.receive(BOUND, spin=spin))
        assert sent.result(BOUND) == MEGABYTE


@either_way
def test_closed_input_is_the_end(wire: Wire, spin: bool) -> None:
    os.write(wire.to_it, b"last")
    hang_up(wire)
    assert wire.transport.receive(BOUND, spin=spin) == b"last"
    assert wire.transport.receive(BOUND, spin=spin) == b""
    assert wire.transport.receive(BOUND, spin=spin) == b""


@either_way
def test_waiting_for_bytes_has_an_end(wire: Wire, spin: bool) -> None:
    with pytest.raises(TimeoutError):
        wire.transport.receive(0.02, spin=spin)


def test_peer_that_no_longer_reads_is_gone(wire: Wire) -> None:
    hang_up(wire, reading=True)
    assert wire.transport.receive(BOUND) == b""
    with pytest.raises(TransportClosedError):
        say(wire.transport, b"x")
    assert wire.transport.offer(b"x"), "what nobody will read is not kept"


def test_what_does_not_fit_goes_out_while_waiting_for_bytes(wire: Wire) -> None:
    assert not wire.transport.offer(b"x" * 3 * MEGABYTE)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(wire.read, 3 * MEGABYTE)
        answered = threads.submit(os.write, wire.to_it, b"thanks")
        assert wire.transport.receive(BOUND) == b"thanks"
        assert len(read.result(BOUND)) == 3 * MEGABYTE
        assert answered.result(BOUND) == 6


def test_nothing_is_read_while_too_much_waits_to_be_written(wire: Wire) -> None:
    wire.transport.offer(b"x" * 6 * MEGABYTE)
    os.write(wire.to_it, b"more")
    with pytest.raises(TimeoutError):
        wire.transport.receive(0.01)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(wire.read, 6 * MEGABYTE)
        assert wire.transport.receive(BOUND) == b"more"
        wire.transport.drain()
        assert len(read.result(BOUND)) == 6 * MEGABYTE


def test_room_is_waited_for_until_the_peer_reads(wire: Wire) -> None:
    assert wire.transport.wait_for_room()
    wire.transport.offer(b"x" * 6 * MEGABYTE)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(wire.read, 6 * MEGABYTE)
        assert wire.transport.wait_for_room()
        wire.transport.drain()
        assert len(read.result(BOUND)) == 6 * MEGABYTE


@pytest.mark.parametrize("reading", [True, False])
def test_peer_that_hangs_up_instead_of_reading_is_noticed(wire: Wire, reading: bool) -> None:
    wire.transport.offer(b"x" * 6 * MEGABYTE)
    os.write(wire.to_it, b"more")
    with ThreadPoolExecutor(1) as threads:
        room = threads.submit(wire.transport.wait_for_room)
        hang_up(wire, reading=reading)
        assert not room.result(BOUND) or reading
    assert wire.transport.receive(BOUND) in ({b"more", b""} if reading else {b""})


def test_writers_in_several_threads_do_not_mix_their_bytes(wire: Wire) -> None:
    sizes = [1, 5000, 200_000, 3] * 4
    with ThreadPoolExecutor(len(sizes) + 1) as threads:
        read = threads.submit(wire.read, sum(sizes))
        for number, size in enumerate(sizes):
            threads.submit(say, wire.transport, bytes([number]) * size)
        data = read.result(BOUND)
    runs = [data.count(bytes([number])) for number in range(len(sizes))]
    assert runs == sizes
    assert sum(a != b for a, b in pairwise(data)) == len(sizes) - 1


@either_way
def test_descriptors_that_were_made_non_blocking_work_too(wire: Wire, spin: bool) -> None:
    os.set_blocking(wire.to_it, False)
    for fd in (wire.transport._read_fd, wire.transport._write_fd):
        os.set_blocking(fd, False)
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(say, wire.transport, b"x" * 3 * MEGABYTE)
        assert len(wire.read(3 * MEGABYTE)) == 3 * MEGABYTE
        sent.result(BOUND)
    with pytest.raises(TimeoutError):
        wire.transport.receive(0.02, spin=spin)


@either_way
def test_end_with_bytes_that_nobody_has_read_is_the_end(wire: Wire, spin: bool) -> None:
    wire.transport.offer(b"unread")
    hang_up(wire)
    assert wire.transport.receive(BOUND, spin=spin) == b""


@either_way
def test_bytes_are_waited_for_without_an_end(wire: Wire, spin: bool) -> None:
    with ThreadPoolExecutor(1) as threads:
        received = threads.submit(wire.transport.receive, spin=spin)
        os.write(wire.to_it, b"hello")
        assert received.result(BOUND) == b"hello"
        received = threads.submit(wire.transport.receive, spin=spin)
        hang_up(wire)
        assert received.result(BOUND) == b""


def test_what_was_kept_goes_before_what_is_offered(wire: Wire) -> None:
    wire.transport.keep(b"first ")
    wire.transport.keep(b"")
    assert wire.transport.offer(b"second ")
    assert wire.transport.offer(b"third")
    assert wire.read(18) == b"first second third"


def test_rest_of_what_is_offered_goes_before_what_is_kept_later(wire: Wire) -> None:
    assert not wire.transport.offer(b"x" * 3 * MEGABYTE)
    assert not wire.transport.offer(b"y")
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(wire.read, 3 * MEGABYTE + 1)
        wire.transport.drain()
        assert read.result(BOUND) == b"x" * 3 * MEGABYTE + b"y"


@pytest.mark.parametrize("send", [DescriptorTransport.flush, DescriptorTransport.drain])
def test_many_pieces_of_any_size_go_out_as_one_stream(
    wire: Wire, send: Callable[[DescriptorTransport], object]
) -> None:
    pieces = [bytes([number % 256]) * size for number, size in enumerate([1, 9, 5000, 30_000, 70_000, 7] * 3)]
    for piece in pieces:
        wire.transport.keep(piece)
    send(wire.transport)
    assert wire.read(sum(map(len, pieces))) == b"".join(pieces)


def test_descriptors_block_as_before(wire: Wire) -> None:
    wire.transport.offer(b"x" * 3 * MEGABYTE)
    assert os.get_blocking(wire.transport._write_fd)
    assert os.get_blocking(wire.transport._read_fd)


def test_timeout_that_a_program_sets_for_its_sockets_is_not_that_of_the_wire() -> None:
    ours, theirs = (end.detach() for end in socket.socketpair())
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(BOUND)
    try:
        transport = DescriptorTransport(ours, os.dup(ours))
    finally:
        socket.setdefaulttimeout(before)
    assert os.get_blocking(ours)
    assert not transport.offer(b"x" * 3 * MEGABYTE)
    transport.close()
    os.close(theirs)


@either_way
def test_waiting_can_be_ended_by_another_thread(wire: Wire, spin: bool) -> None:
    wire.transport.wake()  # not yet
    wire.transport.be_wakeable()
    with ThreadPoolExecutor(1) as threads:
        received = threads.submit(wire.transport.receive, spin=spin)
        wire.transport.wake()
        assert isinstance(received.exception(BOUND), InterruptedError)
    os.write(wire.to_it, b"hello")
    assert wire.transport.receive(BOUND, spin=spin) == b"hello"
    wire.transport.offer(b"x" * 6 * MEGABYTE)
    wire.transport.wake()
    with pytest.raises(InterruptedError):
        wire.transport.wait_for_room()


def test_what_is_kept_while_a_thread_spins_goes_out_all_the_same(wire: Wire) -> None:
    wire.transport.be_wakeable()

    def read() -> bytes:
        while True:
            with suppress(InterruptedError):
                return wire.transport.receive(BOUND, spin=True)

    with ThreadPoolExecutor(1) as threads:
        received = threads.submit(read)
        wire.transport.keep(b"kept")
        wire.transport.wake()
        assert wire.read(4) == b"kept"
        os.write(wire.to_it, b"hello")
        assert received.result(BOUND) == b"hello"


def test_hang_up_is_seen_without_reading(wire: Wire) -> None:
    assert not wire.transport.hung_up()
    os.write(wire.to_it, b"last")
    assert not wire.transport.hung_up()
    hang_up(wire)
    assert wire.transport.hung_up()
    assert wire.transport.receive(BOUND) == b"last"


def test_peer_sees_the_end_and_can_still_answer(wire: Wire) -> None:
    say(wire.transport, b"bye")
    wire.transport.hang_up()
    assert wire.read(4) == b"bye"
    os.write(wire.to_it, b"good bye")
    assert wire.transport.receive(BOUND) == b"good bye"
    assert not wire.transport.hung_up()


def test_wire_is_at_its_end_for_who_disowns_it_and_the_peer_does_not_hear_of_it(wire: Wire) -> None:
    wire.transport.disown()
    assert wire.transport.offer(b"from a forked child")
    assert wire.transport.receive() == b""
    assert wire.read(1) == b""


def test_room_comes_also_from_another_thread_that_drains(wire: Wire) -> None:
    wire.transport.offer(b"x" * 6 * MEGABYTE)
    with ThreadPoolExecutor(2) as threads:
        drained = threads.submit(wire.transport.drain)
        read = threads.submit(wire.read, 6 * MEGABYTE)
        assert wire.transport.wait_for_room()
        assert len(read.result(BOUND)) == 6 * MEGABYTE
        drained.result(BOUND)


def test_call_of_one_thread_does_not_wait_for_the_blocked_write_of_another(wire: Wire) -> None:
    blocked = threading.Thread(target=say, args=(wire.transport, b"x" * 3 * MEGABYTE))
    blocked.start()
    first = wire.read(MEGABYTE)
    wire.transport.offer(b"y")
    os.write(wire.to_it, b"z")
    assert wire.transport.receive(BOUND) == b"z"
    rest = wire.read(2 * MEGABYTE)
    blocked.join(BOUND)
    wire.transport.drain()
    assert (first + rest, wire.read(1)) == (b"x" * 3 * MEGABYTE, b"y")


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
