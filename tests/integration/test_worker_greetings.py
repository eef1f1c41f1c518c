"""How a conversation may begin: with hello, with an older greeting, or with none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from peer import Peer, frame

import bridge_core

ALL = ["json", "msgpack"]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "probe", "--worker-id", "w-1") as running:
        yield running


def unframed(wire: bytes) -> list[bytes]:
    """Cut frames out of bytes."""
    payloads = []
    while wire:
        end = 4 + int.from_bytes(wire[:4], "big")
        payloads.append(wire[4:end])
        wire = wire[end:]
    return payloads


def packed(id: Any, command: str, **args: Any) -> bytes:
    return frame(msgspec.msgpack.encode({"id": id, "command": command, "args": args}))


@pytest.mark.sentence("P-34", "P-74")
def test_hello_says_what_the_worker_is(peer: Peer) -> None:
    result = peer.result("hello", {"protocol": [1, 3], "peer": "tests", "codecs": ["json"], "resolve_strings": True})
    limits = result.pop("limits")
    assert result == {
        "protocol": 1,
        "worker_id": "w-1",
        "core_version": bridge_core.__version__,
        "codecs": ALL,
        "frameworks": ["probe"],
        "configures": ["clear_session", "configure", "probe.adopt", "probe.tune"],
    }
    assert limits["max_frame_bytes"] == 64 << 20


@pytest.mark.sentence("P-34")
def test_everything_in_hello_is_optional(peer: Peer) -> None:
    assert peer.result("hello")["protocol"] == 1


@pytest.mark.sentence("P-35")
@pytest.mark.parametrize("protocol", [[2, 3], [0, 0], [3, 1]])
def test_hello_without_a_common_version_is_refused(peer: Peer, protocol: list[int]) -> None:
    assert peer.reason("hello", {"protocol": protocol}) == "UNSUPPORTED_PROTOCOL"


@pytest.mark.parametrize("protocol", ["1", [1], {"min": 1}, [1.5, 2]])
def test_hello_that_makes_no_sense_is_refused(peer: Peer, protocol: Any) -> None:
    assert peer.reason("hello", {"protocol": protocol}) == "INVALID_ARGUMENTS"


@pytest.mark.capability("A10")
@pytest.mark.sentence("P-40")
def test_initialization_ping_comes_back_ok() -> None:
    with Peer("--worker-id", "w-7", "--framework", "probe") as peer:
        result = peer.result("ping", {"initialization": True, "worker_id": "pool-7"}, id=0)
        assert (result["status"], result["worker_id"]) == ("ok", "w-7")


@pytest.mark.capability("A17")
@pytest.mark.sentence("P-37", "P-38")
def test_requests_may_be_pipelined_behind_a_negotiation_that_selects_messagepack() -> None:
    greeting = {"type": "protocol_negotiation", "supported": ["msgpack", "json"], "preferred": "msgpack"}
    with Peer() as peer:
        peer.send_bytes(
            frame(greeting) + packed(1, "probe.echo", value=b"\x00\xff") + packed(2, "probe.result", kind="floats")
        )
        peer.close_input()
        first, *rest = unframed(peer.output.read())
        assert msgspec.json.decode(first) == {"type": "protocol_selected", "protocol": "msgpack"}
        binary, floats = (msgspec.msgpack.decode(payload) for payload in rest)
        assert (binary["id"], binary["result"]) == (1, b"\x00\xff")
        assert floats["result"][0] == 0.5
        assert floats["result"][1] != floats["result"][1]
        assert peer.wait() == 0


@pytest.mark.capability("A17")
@pytest.mark.sentence("P-37")
@pytest.mark.parametrize(
    ("supported", "preferred", "selected"),
    [(["json"], "json", "json"), (["cbor", "json"], "cbor", "json"), (["cbor"], "cbor", "json"), ([], None, "json")],
)
def test_negotiation_falls_back_to_what_both_know(supported: list[str], preferred: str | None, selected: str) -> None:
    with Peer() as peer:
        peer.send_bytes(frame({"type": "protocol_negotiation", "supported": supported, "preferred": preferred}))
        assert peer.receive() == {"type": "protocol_selected", "protocol": selected}
        assert peer.result("ping")["status"] == "ok"


@pytest.mark.sentence("P-9")
@pytest.mark.parametrize("codec", ["msgpack", "auto"])
def test_worker_told_so_speaks_messagepack_at_once(codec: str) -> None:
    with Peer("--framework", "probe", "--codec", codec) as peer:
        peer.send_bytes(packed(1, "ping"))
        peer.close_input()
        (answer,) = unframed(peer.output.read())
        assert msgspec.msgpack.decode(answer)["result"]["status"] == "ok"


@pytest.mark.sentence("P-9")
def test_worker_that_may_choose_answers_json_with_json() -> None:
    with Peer("--framework", "probe", "--codec", "auto") as peer:
        assert peer.result("ping")["status"] == "ok"
