"""Classes that cannot be served end the worker's start with one complete error; what fails later fails alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from peer import PATIENCE, Message, Peer

pytestmark = [pytest.mark.capability("A08", "D09")]

BRIDGE = """
class Bridge:
    def _register_handlers(self):
        self.register_handler("predict", self.predict)
    def get_framework_info(self):
        return {"name": "odd"}
    def predict(self, args):
        return args
"""
REGISTERS = 'self.register_handler("predict", self.predict)'
INFO = 'return {"name": "odd"}'


def changed(before: str, after: str) -> str:
    assert before in BRIDGE
    return BRIDGE.replace(before, after)


FAULTS = {
    "exits when imported": ("import sys; sys.exit('no accelerator')", "import"),
    "raises when imported": ("import not_installed_anywhere", "import"),
    "is no Python": ("def", "import"),
    "has no such class": ("class Other: pass", "import"),
    "is no class": ("Bridge = 1", "import"),
    "has nothing of a bridge": ("class Bridge: pass", "hooks"),
    "initialises on a loop": (BRIDGE + "    async def _initialize_framework(self): pass", "hooks"),
    "constructor raises": (BRIDGE + "    def __init__(self): raise ValueError('no')", "import"),
    "constructor exits": (BRIDGE + "    def __init__(self): raise SystemExit(3)", "import"),
    "constructor needs more": (BRIDGE + "    def __init__(self, mode, path): pass", "import"),
    "stays abstract": (
        "import abc\n"
        + changed("class Bridge:", "class Bridge(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ..."),
        "import",
    ),
    "registering raises": (changed(REGISTERS, "raise ValueError('no')"), "handlers"),
    "registers nothing": (changed(REGISTERS, "pass"), "handlers"),
    "registers no function": (changed(REGISTERS, 'return {"predict": "predict"}'), "handlers"),
    "registers no name": (changed(REGISTERS, "return {1: self.predict}"), "handlers"),
    "registers what nobody can call": (changed("(self, args)", "(self, args, *, other)"), "handlers"),
    "describing raises": (changed(INFO, "raise ValueError('no')"), "framework_info"),
    "describes nothing": (changed(INFO, "return 'odd'"), "framework_info"),
    "has no name": ("class Bridge:\n    def load(self): pass", "framework_info"),
}


def brought(tmp_path: Path, source: str, *flags: str) -> Peer:
    file = tmp_path / "odd_bridge.py"
    file.write_text(source, encoding="utf-8")
    return Peer("--bridge", f"{file}:Bridge", *flags, folders=(), environment={"PYTHONDONTWRITEBYTECODE": "1"})


def refused(peer: Peer) -> Message:
    (said,) = peer.rest()
    assert said["id"] is None
    assert peer.wait() == 1
    lines = [line for line in peer.log().splitlines() if line.startswith("pybridge worker: ")]
    assert len(lines) == 1
    assert "Traceback" not in peer.log()
    info: Message = said["error_info"]
    return info


@pytest.mark.parametrize("name", FAULTS)
def test_class_that_cannot_be_served_says_where_it_failed_and_what_to_do(tmp_path: Path, name: str) -> None:
    source, stage = FAULTS[name]
    with brought(tmp_path, source) as peer:
        error = refused(peer)
        assert (error["reason"], error["details"]["stage"]) == ("PLUGIN_LOAD_FAILED", stage)
        assert error["details"]["cause"]
        assert error["details"]["remedy"]


@pytest.mark.parametrize(
    "label", ["no_such_module:Bridge", "no/such/file.py:Bridge", "json:JSONDecoder", "json", ":", "x:"]
)
def test_place_that_has_no_bridge_says_so(label: str) -> None:
    with Peer("--bridge", label, folders=()) as peer:
        assert refused(peer)["reason"] == "PLUGIN_LOAD_FAILED"


def test_module_in_the_current_folder_is_not_found_by_chance(tmp_path: Path) -> None:
    (tmp_path / "near_bridge.py").write_text(BRIDGE, encoding="utf-8")
    # Not `python -m`, which puts the current folder on the path before Python 3.11.
    command = [str(Path(sys.executable).with_name("pybridge")), "worker", "--bridge", "near_bridge:Bridge"]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert b"PLUGIN_LOAD_FAILED" in done.stdout
    assert b"FILE.py:CLASS" in done.stderr


def test_file_that_is_named_like_a_module_hides_it_from_nobody(tmp_path: Path) -> None:
    (tmp_path / "signal.py").write_text(BRIDGE, encoding="utf-8")
    with Peer(
        "--bridge", str(tmp_path / "signal.py"), folders=(), environment={"PYTHONDONTWRITEBYTECODE": "1"}
    ) as peer:
        assert peer.result("predict", {"x": 1}) == {"x": 1}
        peer.ask("shutdown")
        assert peer.end() == 0


def test_file_with_several_bridges_asks_which_is_meant(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(BRIDGE + BRIDGE.replace("Bridge", "Other"), encoding="utf-8")
    with Peer("--bridge", str(tmp_path / "two.py"), folders=(), environment={"PYTHONDONTWRITEBYTECODE": "1"}) as peer:
        remedy = refused(peer)["details"]["remedy"]
    assert "two.py:Bridge" in remedy
    assert "two.py:Other" in remedy


def test_name_that_a_plugin_has_too_is_a_conflict(tmp_path: Path) -> None:
    file = tmp_path / "twice.py"
    file.write_text(BRIDGE.replace('"odd"', '"probe"'), encoding="utf-8")
    with Peer("--framework", "probe", "--bridge", str(file), environment={"PYTHONDONTWRITEBYTECODE": "1"}) as peer:
        assert refused(peer)["reason"] == "PLUGIN_CONFLICT"


@pytest.mark.parametrize(
    ("initialise", "remedy"),
    [
        ("    def _initialize_framework(self): import not_installed_anywhere\n", "`_initialize_framework`"),
        ("    def _initialize_framework(self): raise RuntimeError('no accelerator')\n", "`_initialize_framework`"),
        ("", "`mode` and `worker_id`"),
    ],
    ids=["imports", "raises", "is missing"],
)
def test_constructor_that_initialises_is_told_what_would_do(tmp_path: Path, initialise: str, remedy: str) -> None:
    with brought(tmp_path, BRIDGE + "    def __init__(self): self._initialize_framework()\n" + initialise) as peer:
        assert remedy in refused(peer)["details"]["remedy"]


@pytest.mark.parametrize("how", ["raise ImportError('no module foo')", "raise SystemExit(1)", "return False"])
def test_framework_that_cannot_be_initialised_fails_each_call_and_nothing_else(tmp_path: Path, how: str) -> None:
    with brought(tmp_path, BRIDGE + f"    def _initialize_framework(self): {how}") as peer:
        assert peer.result("ping")["framework"] == "odd"
        assert [peer.reason("predict"), peer.reason("predict")] == ["FRAMEWORK_UNAVAILABLE"] * 2
        assert peer.result("describe", {"operation": "predict"})["name"] == "odd.predict"


def test_initialising_is_progress(tmp_path: Path) -> None:
    with brought(tmp_path, BRIDGE + "    def _initialize_framework(self): pass") as peer:
        peer.result("hello", {"want": ["progress"]})
        request = peer.send("predict")
        messages = [peer.receive() for _ in range(3)]
    events = [message for message in messages if message.get("event") == "progress"]
    assert [event["data"]["id"] if "data" in event else event["id"] for event in events] == [request, request]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (INFO, 'return {"name": "odd", "version": self.framework.__name__}'),
        (REGISTERS, 'self.register_handler("predict", self.predict); self.framework.__name__'),
        (REGISTERS, "pass"),
    ],
    ids=["describing", "registering", "registering only when initialised"],
)
def test_class_that_needs_its_framework_to_answer_gets_it_at_the_start(tmp_path: Path, before: str, after: str) -> None:
    initialise = "    def _initialize_framework(self):\n        import json\n        self.framework = json\n"
    initialise += '        self.register_handler("predict", self.predict)\n'
    with brought(tmp_path, changed(before, after) + initialise) as peer:
        assert peer.result("predict", {"x": 1}) == {"x": 1}


def test_plain_function_that_gives_a_coroutine_fails_its_call(tmp_path: Path) -> None:
    source = "async def later(args): pass\n" + changed("return args", "return later(args)")
    with brought(tmp_path, source) as peer:
        assert peer.reason("predict") == "HANDLER_RAISED"
        assert peer.result("ping")["status"] == "ok"


def test_object_cleans_up_when_the_worker_ends(tmp_path: Path) -> None:
    source = BRIDGE + "    def cleanup(self, args): print('cleaned up')\n"
    with brought(tmp_path, source) as peer:
        peer.result("predict")
        assert peer.end() == 0
        assert "cleaned up\n" in peer.log()
