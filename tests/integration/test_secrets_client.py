"""Secrets in the Python client: a program is the operator of its own workers, and shows nobody what it gives them."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, opened, probe
from canary import KEY, OTHER, assert_unseen
from peer import PATIENCE, plugin_path

from bridge_core import AsyncBridge, Bridge, BridgeError
from bridge_core.errors import InvalidConfigError, WorkerCrashedError

pytestmark = [pytest.mark.capability("K10")]

REFERENCE = {"$env": "BRIDGE_TEST_KEY"}
ENVIRONMENT = {"BRIDGE_TEST_KEY": KEY}


@pytest.fixture(params=WIRES[:2], ids="+".join)
def wire(request: pytest.FixtureRequest) -> Any:
    return request.param


class Lines:
    """What a worker writes to its stderr."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, line: str) -> None:
        with self._changed:
            self._seen.append(line)
            self._changed.notify_all()

    def until(self, enough: Callable[[str], bool]) -> str:
        """Return all that was written, once it is enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.text()), PATIENCE), self._seen
            return self.text()

    def text(self) -> str:
        return "\n".join(self._seen)


def all_of(error: BaseException) -> str:
    """Return all that an exception shows."""
    details = getattr(error, "details", None)
    return "".join(traceback.format_exception(error)) + f"{error} {error!r} {error.args} {details!r}"


def test_references_are_resolved_by_this_program(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{OTHER}\n", "utf-8")
    with opened(wire, environment=ENVIRONMENT, configuration={"key": REFERENCE}) as bridge:
        assert bridge.run("settings")["settings"] == {"key": KEY}
        session = bridge.session()
        answer = session.configure("probe", key={"$file": str(tmp_path / "key")}, more=[REFERENCE])
        assert answer["config"] == {"key": "[redacted]", "more": ["[redacted]"]}
        assert session.run("settings")["settings"] == {"key": OTHER, "more": [KEY]}
        assert session.run("adopt", key=REFERENCE)["key"] == "[redacted]"
        assert session.run("settings")["settings"] == {"key": KEY}
        assert session.run("echo", value="plain") == "plain"


def test_environment_of_the_settings_is_laid_over_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_TEST_KEY", OTHER)
    monkeypatch.setenv("BRIDGE_TEST_GONE", OTHER)
    with opened(environment={"BRIDGE_TEST_GONE": None}, configuration={"key": REFERENCE}) as bridge:  # type: ignore[dict-item]
        assert bridge.run("settings")["settings"] == {"key": OTHER}
        with pytest.raises(InvalidConfigError) as caught:
            bridge.configure("probe", key={"$env": "BRIDGE_TEST_GONE"})
        assert caught.value.details == {"path": "$.key"}


def test_replay_takes_the_value_that_holds_then(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY, "utf-8")
    with opened(wire) as bridge:
        bridge.configure("probe", key={"$file": str(path)})
        path.write_text(OTHER, "utf-8")
        with pytest.raises(WorkerCrashedError):
            bridge.session().run("end", how="SIGKILL")
        assert bridge.run("settings")["settings"] == {"key": OTHER}
        with pytest.raises(BridgeError) as caught:
            bridge.run("slip", how="every spelling")
        assert_unseen(all_of(caught.value), OTHER)
        path.unlink()
        with pytest.raises(WorkerCrashedError):
            bridge.session().run("end", how="SIGKILL")
        with pytest.raises(InvalidConfigError):
            bridge.run("settings")
        path.write_text(KEY, "utf-8")
        assert bridge.run("settings")["settings"] == {"key": KEY}


def test_what_is_remembered_only_refers(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(environment=ENVIRONMENT, configuration={"key": REFERENCE}) as bridge:
        session = bridge.session()
        session.configure("probe", key=REFERENCE)
        session.run("adopt", key=REFERENCE)
        remembered = [binding._configured for one in (bridge, session) for binding in one._bindings.values()]
        assert_unseen(repr(remembered))


@pytest.mark.parametrize("how", ["message", "args", "every spelling", "cause", "own", "at the cut", "unserializable"])
def test_exception_shows_no_secret(wire: Wire, how: str) -> None:
    with opened(wire, environment=ENVIRONMENT) as bridge:
        bridge.configure("probe", key=REFERENCE)
        for ask in (
            lambda: bridge.run("slip", how=how),
            lambda: bridge.submit("slip_thread", how=how).result(),
            lambda: (
                list(bridge.stream("slip_stream", how=how)) if how != "unserializable" else bridge.run("fail", how="")
            ),
        ):
            with pytest.raises(BridgeError) as caught:
                ask()
            assert_unseen(all_of(caught.value))


@pytest.mark.parametrize("how", ["python", "printf", "child", "by the byte", "long line", "no end"])
def test_stderr_shows_no_secret_and_neither_does_the_death_of_a_worker(how: str) -> None:
    lines = Lines()
    with opened(on_stderr=lines, environment=ENVIRONMENT) as bridge:
        bridge.configure("probe", key=REFERENCE)
        with pytest.raises(WorkerCrashedError) as caught:
            bridge.run("mumble", how=how, die=True)
        assert caught.value.details["exit_code"] == 9
        assert_unseen(all_of(caught.value))
        assert "[redacted]" in "".join(map(str, caught.value.details["stderr"]))
        # On the worker that takes its place, and was configured again, too.
        seen = lines.text()
        bridge.run("mumble", how=how)
        text = lines.until(lambda text: how == "no end" or text[len(seen) :].count("[redacted]") > 0)
    assert_unseen(lines.text())
    assert_unseen(text)


def test_line_from_before_a_secret_was_known_is_not_repeated_afterwards() -> None:
    lines = Lines()
    with opened(on_stderr=lines, environment=ENVIRONMENT) as bridge:
        bridge.configure("probe", key=KEY)  # as it is: nobody knows that it is secret
        bridge.run("mumble", how="printf")
        lines.until(lambda text: "C says" in text)
        bridge.configure("probe", key=REFERENCE)
        with pytest.raises(WorkerCrashedError) as caught:
            bridge.run("end", how="SIGKILL")
        assert caught.value.details["stderr"]
        assert_unseen(all_of(caught.value))


def test_events_logs_and_reprs_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []
    caplog.set_level(logging.DEBUG)
    settings = probe(environment=ENVIRONMENT, configuration={"key": REFERENCE})
    with (
        Bridge({"probe": settings}, on_stderr=Lines(), on_event=lambda *event: told.append(event)) as bridge,
        bridge.session() as session,
    ):
        session.run("slip", how="tells")
        session.run("slip", how="logs")
        future = session.submit("slip", how="message")
        assert future.exception() is not None
        stream = session.stream("slip_stream", how="message")
        slot = session._bindings["probe"].slot
        shown = [bridge, session, future, stream, slot, slot.settings, slot.current, vars(slot), vars(session)]
        assert_unseen("\n".join(map(repr, shown)))
        stream.close()
        assert_unseen(repr([session.info(), session.run("describe", framework="probe"), session.run("get_stats")]))
    assert any("using [redacted]" in str(data) for _, data in told)
    assert_unseen(repr(told))
    assert_unseen(caplog.text)


def test_it_holds_for_asyncio_too() -> None:
    async def converse() -> None:
        lines = Lines()
        settings = probe(environment=ENVIRONMENT, configuration={"key": REFERENCE})
        async with AsyncBridge({"probe": settings}, on_stderr=lines) as bridge:
            for _ in range(2):
                assert (await bridge.run("settings"))["settings"] == {"key": KEY}
                assert (await bridge.configure("probe", key=REFERENCE))["config"] == {"key": "[redacted]"}
                with pytest.raises(WorkerCrashedError) as caught:
                    await bridge.run("mumble", how="python", die=True)
                assert_unseen(all_of(caught.value))
        assert_unseen(lines.text())

    asyncio.run(converse())


def test_secrets_of_sessions_that_are_gone_make_room() -> None:
    with opened() as bridge:
        for number in range(1100):
            with bridge.session() as session:
                session.configure("probe", key={"$secret": f"sk-{number:020}"})
            del session
            if number % 500 == 499:
                gc.collect()
        bridge.configure("probe", key={"$secret": OTHER})
        with pytest.raises(BridgeError) as caught:
            bridge.run("slip", how="message")
        assert_unseen(all_of(caught.value), OTHER)


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["quiet", "debugging"])
def test_command_line_refers_and_shows_nothing(tmp_path: Path, debug: tuple[str, ...]) -> None:
    (tmp_path / "key").write_text(KEY, "utf-8")
    config = json.dumps({"key": REFERENCE, "other": {"$file": str(tmp_path / "key")}})
    for steps in (
        ["configure", "framework=probe", f"config={config}"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}", "then", "probe.slip", "how=every spelling"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}", "then", "probe.slip", "how=logs"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}", "then", "probe.mumble", "how=python"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}", "then", "probe.mumble", "how=printf", "die=true"],
        ["probe.adopt", f"key={json.dumps(REFERENCE)}", f"mode={json.dumps(REFERENCE)}"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "bridge_core", *debug, "call", *steps],
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": plugin_path(Path(__file__).parents[1] / "plugins")},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        text = (ran.stdout + ran.stderr).decode()
        assert "[redacted]" in text, text
        assert_unseen(text)
        fails = any(step.startswith(("how=every spelling", "die=", "mode=")) for step in steps)
        assert ran.returncode == fails, text
