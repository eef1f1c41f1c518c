"""A program that forks while it has a Bridge, to be run by tests: `python forker.py WIRE CODEC WHEN`.

WHEN says what the Bridge is doing then: `unused`, `idle`, `busy` (a future and a stream are open, and a thread reads)
or `ended` (its worker has been killed). What was seen goes to stdout as a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from bridge_core import Bridge, BridgeError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bridges import probe
from peer import PATIENCE, ends


def main() -> None:
    transport, codec, when = sys.argv[1:]
    bridge = Bridge({"probe": probe((transport, codec))}, on_stderr=lambda line: None)
    session = bridge.session()
    opened: dict[str, Any] = {"future": None, "stream": iter([1])}
    if when != "unused":
        session.run("put", value=1, id="mine")
    if when == "busy":
        opened = {"future": bridge.submit("wait_thread", name="a"), "stream": bridge.stream("hang_on")}
        next(opened["stream"])
        reader = threading.Thread(target=opened["future"].result)
        reader.start()
        assert bridge.run("reached", name="a")
    if when == "ended":
        pids = [bridge.run("own_pid"), bridge.pids()["probe"]]
        pidfds = [os.pidfd_open(pid) for pid in pids]
        os.kill(pids[0], signal.SIGKILL)
        assert all(ends(pidfd) for pidfd in pidfds)
    seen = in_child(lambda: try_all(bridge, session, opened))
    if when == "busy":
        bridge.run("release", name="a")
        reader.join()
    sys.stdout.write(json.dumps({"child": seen, "parent": tell(bridge, session)}) + "\n")


def in_child(job: Callable[[], Any]) -> Any:
    """Fork, return what the function returns in the child, which lives until the end; the parent goes on."""
    read_fd, write_fd = os.pipe()
    parent_lives, held = os.pipe()
    if not os.fork():
        os.close(held)
        with os.fdopen(write_fd, "w") as told:
            json.dump(job(), told)
        os.read(parent_lives, 1)
        os._exit(0)
    os.close(write_fd)
    with os.fdopen(read_fd) as told:
        return json.load(told)


def try_all(bridge: Bridge, session: Any, opened: dict[str, Any]) -> dict[str, str]:
    """Return the reason with which each verb refuses."""
    asks: dict[str, Callable[[], Any]] = {
        "run": lambda: bridge.run("echo", value=1),
        "submit": lambda: bridge.submit("echo", value=1),
        "stream": lambda: bridge.stream("squares"),
        "batch": lambda: raise_it(bridge.batch([("echo", {"value": 1})])[0]),
        "configure": lambda: bridge.configure("probe"),
        "info": bridge.info,
        "start": bridge.start,
        "session": lambda: session.run("get", id="mine"),
        "new session": lambda: bridge.session().run("echo", value=1),
        "in time": lambda: bridge.run("echo", value=1, timeout=PATIENCE),
        "open stream": lambda: next(opened["stream"]),
        "open future": lambda: opened["future"] and opened["future"].result(PATIENCE),
        "pids": bridge.pids,
        "close session": session.close,
        "close": bridge.close,
        "close again": bridge.close,
    }
    return {name: reason_of(ask) for name, ask in asks.items()}


def raise_it(outcome: Any) -> None:
    raise outcome


def reason_of(ask: Callable[[], Any]) -> str:
    try:
        return repr(ask())
    except BridgeError as exc:
        return exc.reason


def tell(bridge: Bridge, session: Any) -> dict[str, Any]:
    """Return how the parent fares, and whether its worker ends with it."""
    result = bridge.run("echo", value=1)
    kept = reason_of(lambda: session.run("get", id="mine"))
    pidfds = [os.pidfd_open(pid) for pid in (bridge.run("own_pid"), bridge.pids()["probe"])]
    bridge.close()
    return {"result": result, "kept": kept, "ends": [ends(pidfd) for pidfd in pidfds]}


if __name__ == "__main__":
    main()
