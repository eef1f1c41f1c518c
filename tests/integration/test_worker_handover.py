"""Reading goes from the main thread to the watcher and back, and what is held back goes out: nothing is lost."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from peer import Message, Peer, frame

from bridge_core.worker._pace import STREAK

# Handlers shorter and longer than the watcher's look.
SECONDS = [0.0, 0.0001, 0.0005, 0.001, 0.002, 0.005, 0.015]
KINDS = ["echo"] * 40 + ["ping"] * 6 + ["pause", "pause_thread", "pause_async", "count_main", "count_thread", "wrong"]
IN_ORDER = {"echo", "pause", "count_main", "wrong"}


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def request(number: int, name: str, args: dict[str, Any], *, stream: bool = False) -> bytes:
    command = name if name == "ping" else f"probe.{name}"
    return frame({"id": number, "command": command, "args": args, "stream": stream})


def test_replies_do_not_wait_for_a_handler_that_has_always_been_quick_and_is_not(peer: Peer) -> None:
    peer.result("probe.release", {"name": "known"})
    quick = [request(number, "wait", {"name": "known"}) for number in range(2 * STREAK)]
    peer.send_bytes(b"".join(quick))
    assert all(peer.response(number)["success"] for number in range(len(quick)))
    peer.send_bytes(b"".join(quick) + request(-1, "wait", {"name": "unknown"}))
    assert all(peer.response(number)["success"] for number in range(len(quick)))
    peer.result("probe.release", {"name": "unknown"})
    assert peer.response(-1)["success"]


@pytest.mark.parametrize("count", [0, 1, STREAK - 1, STREAK, STREAK + 1, 2 * STREAK, 1000, 20_000])
def test_chunks_do_not_wait_for_a_generator_that_has_been_quick_and_is_not_any_more(peer: Peer, count: int) -> None:
    name = f"generator {count}"
    stream = peer.send("probe.count_and_wait", {"to": count, "name": name}, stream=True)
    chunks = [peer.receive() for _ in range(count)]
    assert [chunk["chunk"]["payload"] for chunk in chunks] == list(range(count))
    peer.result("probe.release", {"name": name})
    assert peer.response(stream)["success"]
    assert peer.receive()["chunk"]["is_final"]


def test_calls_that_came_while_a_handler_held_the_main_thread_run_in_their_order(peer: Peer) -> None:
    held = peer.run("probe.wait", {"name": "holder"})
    behind = [peer.send("probe.echo", {"value": number}) for number in range(200)]
    assert peer.result("ping")["status"] == "ok"
    peer.result("probe.release", {"name": "holder"})
    assert [peer.receive()["id"] for _ in range(201)] == [held, *behind]


@attrs.define(eq=False)
class Mix:
    """Requests of every kind, and what has come back for them."""

    choice: random.Random
    room: threading.Semaphore
    asked: dict[int, tuple[str, Any]] = attrs.field(factory=dict)
    chunks: dict[int, int] = attrs.field(factory=dict)
    answered: list[int] = attrs.field(factory=list)

    def send(self, peer: Peer, count: int) -> None:
        """Send so many requests, singly and in bursts, and never more at once than there is room for."""
        data = b""
        for number in range(count):
            if not self.room.acquire(blocking=False):
                peer.send_bytes(data)
                data = b""
                self.room.acquire()
            data += self.one(number)
            if self.choice.random() < 0.3:
                peer.send_bytes(data)
                data = b""
        peer.send_bytes(data)

    def one(self, number: int) -> bytes:
        kind, seconds = self.choice.choice(KINDS), self.choice.choice(SECONDS)
        computing = {"computing": self.choice.random() < 0.5} if kind in ("pause", "pause_thread") else {}
        args: dict[str, Any] = {
            "echo": {"value": [number, {"text": "x"}]},
            "ping": {},
            "wrong": {"valeu": 1},
            "count_main": {"to": number % 300},
            "count_thread": {"to": number % 50},
        }.get(kind, {"seconds": seconds, **computing})
        self.asked[number] = (kind, args.get("value", args.get("to", args.get("seconds"))))
        return request(number, "echo" if kind == "wrong" else kind, args, stream=kind.startswith("count"))

    def take(self, message: Message) -> None:
        """Check one message against what was asked."""
        number = message["id"]
        kind, value = self.asked[number]
        if "chunk" in message:
            assert number not in self.answered
            assert message["chunk"]["chunk_id"] == self.chunks.setdefault(number, 0)
            self.chunks[number] += 1
            return
        self.room.release()
        self.answered.append(number)
        assert message["success"] is (kind != "wrong"), message
        if kind.startswith("count"):
            assert (self.chunks[number], message["result"]) == (value + 1, {"counted": value})
        elif kind not in ("ping", "wrong"):
            assert message["result"] == value


@pytest.mark.sentence("P-20", "P-21", "P-30")
@pytest.mark.parametrize(("seed", "room"), [(1, 1), (2, 3), (3, 20), (4, 200), (5, 1000)])
def test_mixed_calls_each_have_one_answer_and_main_ones_in_order(peer: Peer, seed: int, room: int) -> None:
    count = 1500
    mix = Mix(random.Random(seed), threading.Semaphore(room))
    sender = threading.Thread(target=mix.send, args=(peer, count))
    sender.start()
    while len(mix.answered) < count:
        mix.take(peer.receive())
    sender.join()
    assert sorted(mix.answered) == list(range(count)), json.dumps(mix.answered[-20:])
    in_order = [number for number in mix.answered if mix.asked[number][0] in IN_ORDER]
    assert in_order == sorted(in_order)
    # A call in another thread is counted until a moment after its answer was written.
    assert any(peer.result("get_stats")["in_flight"] == 1 for _ in range(1000))
