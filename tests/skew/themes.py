"""What is said in the conversations that are recorded: by a client of ours, or byte for byte by a peer of another make.

Themes are only ever added, with what a version has brought: the older ones are compared with older recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from skew.replay import Listener
from skew.transcripts import payload_of

from bridge_core.client import BlockingClient
from bridge_core.errors import BridgeError

__all__ = ["PACKED", "RAW", "SAID"]

_HELLO = {"protocol": [1, 1], "peer": "bridge_core", "want": ["progress"]}
_VALUES = [
    None,
    True,
    -7,
    2**53 + 1,
    0.5,
    "",
    'ü "\\\n\u2028😀',
    [],
    {},
    [1, [2.5, {"a": None}]],
    {"a b": {"c": [False]}},
]
_TAGGED = "nan floats big bigger widest bytes tuple set frozenset numbers dollar date point".split()


def _attempt(client: BlockingClient, operation: str, arguments: dict[str, Any], **options: Any) -> None:
    """Run an operation that may fail; what it says is recorded."""
    with suppress(BridgeError):
        client.run(operation, arguments, **options)


def _hello(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    client.run("ping")
    client.run("ping", {"initialization": True, "worker_id": "pool-7", "unknown": [1]})
    client.run("get_capabilities")
    client.run("describe", {"operation": "probe.echo"})
    client.run("describe", {"framework": "probe"})
    client.run("get_stats")


def _run(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    for operation in ("probe.echo", "probe.echo_thread", "probe.echo_async", "echo"):
        client.run(operation, {"value": 1})
    for value in _VALUES:
        client.run("probe.echo", {"value": value})
    for kind in _TAGGED:
        client.run("probe.result", {"kind": kind})
    client.run("probe.progress")
    client.run("probe.echo", {"value": "x" * 3000}, timeout=60.0)


def _errors(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    for operation, arguments in [
        ("nonsense", {}),
        ("probe.nonsense", {}),
        ("probe.echo", {}),
        ("probe.echo", {"value": 1, "more": 2}),
        ("probe.count_main", {"to": "three"}),
        ("probe.get", {"id": "nowhere"}),
        ("describe", {}),
        *(("probe.fail", {"how": how}) for how in ("value", "typed", "exit", "interrupt", "live_details", "mute")),
        ("probe.fail_async", {"how": "value"}),
        *(("probe.result", {"kind": kind}) for kind in ("object", "nested_object", "cycle", "bad", "surrogate")),
        ("probe.deep", {"depth": 1000}),
    ]:
        _attempt(client, operation, arguments)
    client.run("probe.echo", {"value": "still here"})


def _stream(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    for operation, arguments in [
        ("probe.count_main", {"to": 3}),
        ("probe.count_thread", {"to": 3}),
        ("probe.count_async", {"to": 3}),
        ("probe.count_main", {"to": 0}),
        ("probe.silent", {}),
        ("probe.squares", {}),
        ("probe.break_off", {}),
        ("probe.break_off_async", {}),
        ("probe.odd", {"name": "odd"}),
        ("probe.no_iterator", {}),
        ("probe.echo", {"value": 1}),
        ("probe.nonsense", {}),
    ]:
        with suppress(BridgeError):
            for _ in client.stream(operation, arguments):
                continue
    client.run("probe.count_main", {"to": 3})


def _sessions(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    client.run("configure", {"framework": "probe", "config": {"depth": 3, "secret": "s3cret"}}, session_id="a")
    for session in ("a", "b", "anonymous"):
        client.run("probe.due", session_id=session)
        client.run("probe.put", {"value": session, "id": "mine"}, session_id=session)
        client.run("probe.get", {"id": "mine"}, session_id=session)
    client.run("probe.put", {"value": [1], "id": "only-in-a"}, session_id="a")
    _attempt(client, "probe.get", {"id": "only-in-a"}, session_id="b")
    _attempt(client, "probe.put", {"value": 2, "id": "mine"}, session_id="a")
    client.run("probe.put", {"value": "nameless"}, session_id="b")
    _attempt(client, "configure", {"framework": "probe", "config": "deep"})
    client.run("ping")


def _shutdown(client: BlockingClient) -> None:
    client.run("hello", _HELLO)
    client.run("probe.echo", {"value": 1})
    client.run("shutdown")


SAID: dict[str, Callable[[BlockingClient], None]] = {
    "errors": _errors,
    "hello": _hello,
    "run": _run,
    "sessions": _sessions,
    "shutdown": _shutdown,
    "stream": _stream,
}
"""Said by the client."""


def _ask(listener: Listener, id: Any, command: str, args: Any = None, **more: Any) -> None:
    """Send a request and wait for its answer."""
    _send(listener, id, command, args, **more)
    listener.hear((type(id), id))


def _send(listener: Listener, id: Any, command: str, args: Any = None, **more: Any) -> None:
    listener.say(payload_of({"id": id, "command": command, "args": args or {}, **more}))


def _overlapping(listener: Listener) -> None:
    _ask(listener, 1, "hello", {"protocol": [1, 1], "peer": "bridge_core", "want": []})
    _send(listener, 2, "probe.wait_thread", {"name": "w"})
    _send(listener, 3, "probe.wait_async", {"name": "v"})
    _ask(listener, 4, "probe.reached", {"name": "w"})
    _ask(listener, 5, "probe.reached", {"name": "v"})
    _ask(listener, 6, "ping")
    _ask(listener, 7, "probe.release", {"name": "v"})
    listener.hear((int, 3))
    _ask(listener, 8, "probe.count_thread", {"to": 2}, stream=True)
    _ask(listener, 9, "probe.release", {"name": "w"})
    listener.hear((int, 2))


def _additions(listener: Listener) -> None:
    hello = {
        "protocol": [1, 9],
        "peer": "later",
        "codecs": ["cbor", "json"],
        "want": ["progress", "news"],
        "new": {"x": 1},
    }
    _ask(listener, "h", "hello", hello, new=[1])
    _ask(listener, 1, "probe.echo", {"value": 1}, unknown={"x": []}, priority=9)
    _ask(listener, 2, "probe.echo", {"value": 2}, session_id=None, framework=None, timeout_ms=None, stream=None)
    _ask(listener, 3, "echo", {"value": 3}, framework="probe", timeout_ms=60_000, idempotency_key="k")
    _ask(listener, 4, "probe.echo", {"value": 4}, _meta={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-01-01"})
    _ask(listener, 5, "probe.count_main", {"to": 3}, stream=True, stream_window=1)
    listener.say(b'{"command":"stream_credit","args":{"id":5,"chunks":2}}')
    later = "call cancel close_session get_session list_sessions open_session pipeline register_tools retrieve store"
    for command in later.split():
        _ask(listener, command, command, {"id": "x"}, session_id="later")
    _ask(listener, 6, "probe.echo", {"value": 6})


def _ids(listener: Listener) -> None:
    for name in (0, -1, 1, 1.0, 1.5, 2**70, "", "1", "ü\n"):
        _ask(listener, name, "probe.echo", {"value": 1})
    listener.say(b' {"id" : 1e0, "command" : "first", "command": "ping"}\n')


def _refusals(listener: Listener) -> None:
    _ask(listener, 1, "hello", {"protocol": [2, 3]})
    _ask(listener, 2, "hello", {"protocol": "1"})
    _ask(listener, 3, "configure", {"framework": "nobody", "config": {}})
    _ask(listener, 4, "echo", {"value": 1}, framework="nobody")
    _ask(listener, 5, "nobody.echo", {"value": 1})
    _ask(listener, 6, "probe.echo", {"value": 1}, timeout_ms=0)
    _send(listener, 7, "probe.wait_thread", {"name": "w"})
    _ask(listener, 7, "ping")
    _ask(listener, 8, "probe.release", {"name": "w"})
    listener.hear((int, 7), 2)
    for about, payload in [
        (None, b""),
        (None, b"{nonsense"),
        (None, b"[1,2]"),
        (None, b'{"command":"ping"}'),
        (None, b'{"id":null,"command":"ping"}'),
        ("a", b'{"id":"a","args":{}}'),
        ("b", b'{"id":"b","command":"\xff"}'),
        ("c", b'{"id":"c","command":"ping","args":[1]}'),
        ("d", b'{"id":"d","command":"ping","timeout_ms":-1}'),
        (None, b'{"type":"protocol_negotiation","supported":["msgpack"]}'),
    ]:
        _refused(listener, about, payload)
    _ask(listener, 9, "ping")


def _refused(listener: Listener, id: Any, payload: bytes) -> None:
    """Send something that is answered with an error, and wait for that."""
    about = (type(id), id)
    before = sum(line.sender == "worker" and line.message.get("id") == id for line in listener.lines)
    listener.say(payload)
    listener.hear(about, before + 1)


def _greeting(listener: Listener) -> None:
    listener.say(b'{"type":"protocol_negotiation","supported":["msgpack","json"],"preferred":"msgpack"}')
    _packed(listener, 0, "ping", {"initialization": True, "worker_id": "pool-7"})
    for number, value in enumerate((b"\x00\xff", [1, "a", None]), start=1):
        _packed(listener, number, "probe.echo", {"value": value})
    for number in range(3):
        listener.hear((int, number))


def _packed(listener: Listener, id: Any, command: str, args: dict[str, Any]) -> None:
    listener.say(msgspec.msgpack.encode({"id": id, "command": command, "args": args}))


RAW: dict[str, Callable[[Listener], None]] = {
    "additions": _additions,
    "greeting": _greeting,
    "ids": _ids,
    "overlapping": _overlapping,
    "refusals": _refusals,
}
"""Said by a peer of another make, in JSON at first."""


def _bytes(listener: Listener) -> None:
    said: list[tuple[str, dict[str, Any]]] = [
        ("hello", {"protocol": [1, 1], "peer": "bridge_core", "want": []}),
        *(
            ("probe.echo", {"value": value})
            for value in (b"", b"\x00\xff", [b"a", {"b": b"c"}], "text", 0.5, 2**64 - 1)
        ),
        *(
            ("probe.result", {"kind": kind})
            for kind in ("bytes", "bytearray", "nan", "inf", "floats", "bigger", "tuple")
        ),
        ("probe.get", {"id": "nowhere"}),
    ]
    for number, (command, args) in enumerate(said, start=1):
        _packed(listener, number, command, args)
        listener.hear((int, number))


PACKED: dict[str, Callable[[Listener], None]] = {"bytes": _bytes}
"""Said by a peer of another make, in MessagePack."""
