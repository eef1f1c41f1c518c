"""Bridges of an older kind, served unchanged by a real worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peer import PATIENCE, Message, Peer, frame

pytestmark = [pytest.mark.capability("A08", "D09")]

SAMPLES = Path(__file__).parents[1] / "compat_samples"
OWN_BASE = f"{SAMPLES / 'custom_bridge.py'}:CustomBridge"


@pytest.fixture(scope="module")
def custom() -> Iterator[Peer]:
    with Peer("--bridge", OWN_BASE, "--mode", "pool-worker", "--worker-id", "w-1", folders=()) as running:
        yield running


@pytest.fixture(scope="module")
def commands() -> Iterator[Peer]:
    with Peer("--bridge", str(SAMPLES / "commands_bridge.py"), "--worker-id", "w-2", folders=()) as running:
        yield running


@pytest.fixture(scope="module")
def frames() -> Iterator[Peer]:
    with Peer("--bridge", "frames_plugin:FramesPlugin", folders=(SAMPLES,)) as running:
        yield running


def test_bridge_with_a_base_of_its_own_answers_under_its_names(custom: Peer) -> None:
    assert custom.result("load_model", {"model_id": "m", "labels": ["a"]})["model_id"] == "m"
    answer = custom.result("predict", {"model_id": "m", "rows": [1, 2], "verbose": True, "more": None})
    assert answer == {"predictions": [2, 4], "mode": "pool-worker"}


def test_what_it_prints_goes_to_the_log(custom: Peer) -> None:
    assert "custom framework initialised\n" in custom.log()


def test_framework_is_what_it_calls_itself(custom: Peer) -> None:
    assert custom.result("ping")["framework"] == "custom_ml"
    described = custom.result("describe", {"framework": "custom_ml"})
    assert (described["version"], described["capabilities"]) == ("1.0.0", ["models", "training"])
    summaries = {one["name"]: one["summary"] for one in described["operations"]}
    assert summaries["custom_ml.predict"] == "Scale some rows."
    assert "do-it" in summaries["custom_ml.do_it"]


@pytest.mark.parametrize("name", ["do-it", "do_it", "custom_ml.do_it", "custom_ml:do-it", "Custom-ML:do-it"])
def test_name_that_no_operation_may_have_still_works(custom: Peer, name: str) -> None:
    assert custom.result(name, {"x": 1}) == {"done": ["x"]}
    assert custom.result("describe", {"operation": name})["name"] == "custom_ml.do_it"


def test_answers_are_as_the_standard_library_would_have_written_them(custom: Peer) -> None:
    assert custom.result("getShape") == {"shape": [2, 3], "columns": {"1": "a", "null": "b"}}


def test_answer_that_says_it_is_an_error_is_an_error_response(custom: Peer) -> None:
    answer = custom.ask("refuse")
    assert not answer["success"]
    assert answer["error_info"]["reason"] == "HANDLER_RAISED"
    assert answer["error_info"]["details"] == {"exception": "ValueError", "text": "Missing 'target' parameter"}


def test_answer_with_a_field_named_error_is_none(custom: Peer) -> None:
    assert custom.result("evaluate") == {"error": 0.25, "threshold": 0.5}


def test_handler_that_raises_and_a_result_without_a_form_are_error_responses(custom: Peer) -> None:
    answer = custom.ask("predict", {"model_id": "nobody"})
    assert answer["error_info"]["details"]["exception"] == "custom_bridge.ModelError"
    assert custom.reason("odd") == "SERIALIZE_FAILED"
    assert custom.reason("nothing_like_it") == "UNKNOWN_OPERATION"


def test_generator_streams_when_asked(custom: Peer) -> None:
    chunks, answer = custom.stream("train", {"epochs": 2})
    assert [chunk["payload"] for chunk in chunks] == [{"epoch": 0}, {"epoch": 1}, None]
    assert answer["result"] == custom.result("train", {"epochs": 2}) == {"status": "ok", "epochs": 2}
    assert custom.reason("predict", {}, stream=True) == "STREAMING_UNSUPPORTED"


def test_operations_of_the_worker_hide_those_of_the_same_name(custom: Peer) -> None:
    assert "said_by" not in custom.result("ping")
    assert custom.result("custom_ml.ping")["said_by"] == "the old base"
    assert custom.reason("describe", {"x": 1}) == "INVALID_ARGUMENTS"
    assert custom.result("custom_ml.describe", {"x": 1}) == {"described": {"x": 1}}
    warnings = [line for line in custom.log().splitlines() if "WARNING" in line]
    assert ["custom_ml.describe" in line for line in warnings] == [True]
    assert "custom_ml.ping" not in warnings[0]


def test_bridge_on_our_base_is_initialised_once_and_only_when_it_is_needed(commands: Peer) -> None:
    assert commands.result("started") == {"started": ["w-2"], "mode": "standalone"}
    assert commands.result("started") == {"started": ["w-2"], "mode": "standalone"}


def test_handlers_are_called_as_their_signatures_say(commands: Peer) -> None:
    assert commands.result("whose", {"a": 1}, session_id="s") == {"session": "s", "args": {"a": 1}}
    assert commands.result("add", {"a": 1, "b": 2, "scale": 3}) == {"sum": 9}
    assert commands.result("anything", {"ctx": 1, "self_": 2}) == {"ctx": 1, "self_": 2}
    assert commands.reason("add", {"a": 1}) == "INVALID_ARGUMENTS"


def test_async_handlers_run_on_the_loop_and_stream(commands: Peer) -> None:
    assert commands.result("wait") == {"waited": True}
    assert commands.result("describe", {"operation": "wait"})["runs"] == "async"
    chunks, answer = commands.stream("count", {"to": 2})
    assert [chunk["payload"] for chunk in chunks] == [{"number": 0}, {"number": 1}, None]
    assert answer["success"]


def test_framework_plugin_serialises_and_is_configured(frames: Peer) -> None:
    expected = {"type": "Frame", "shape": [2, 1], "head": {"0": 0}}
    assert frames.result("make") == {"frame": expected}
    settings = {"rows": 5, "api_key": "sk-0123456789"}
    configured = frames.result("configure", {"config": settings})
    assert configured["config"] == {"rows": 5, "api_key": "[redacted]"}
    assert frames.result("make") == {"frame": {**expected, "shape": [5, 1]}}
    assert frames.result("loaded") is True


def test_configuration_that_it_refuses_shows_no_key(frames: Peer) -> None:
    answer = frames.ask("configure", {"config": {"rows": "many", "api_key": "sk-0123456789"}})
    assert answer["error_info"]["reason"] == "HANDLER_RAISED"
    assert "sk-0123456789" not in str(answer)


def test_bridge_comes_beside_frameworks_that_are_asked_for() -> None:
    with Peer("--bridge", OWN_BASE, "--framework", "probe") as peer:
        assert peer.result("ping")["frameworks_available"] == ["custom_ml", "probe"]
        assert peer.result("ping")["framework"] == "probe"
        assert peer.result("echo", {"value": 1}) == 1
        assert peer.result("do-it") == {"done": []}


@pytest.mark.parametrize("loop", ["the base's own loop", "a worker"])
def test_old_launcher_gets_a_worker_when_the_base_is_ours(tmp_path: Path, loop: str) -> None:
    source = (SAMPLES / "custom_bridge.py").read_text("utf-8")
    if loop == "a worker":
        source = source.replace("from base_bridge import", "from bridge_core.compat import")
    (tmp_path / "custom_bridge.py").write_text(source, encoding="utf-8")
    (tmp_path / "base_bridge.py").write_text((SAMPLES / "base_bridge.py").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "tiny_ml.py").write_text("", encoding="utf-8")
    source = source.replace('print("custom framework initialised")', "pass")  # its own loop cannot bear it
    (tmp_path / "custom_bridge.py").write_text(source, encoding="utf-8")
    requests: list[Message] = [
        {"id": 1, "command": "do-it", "args": {}},
        {"id": 2, "command": "getShape", "args": {}},
    ]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "custom_bridge.py")],
        input=b"".join(map(frame, requests)),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b'{"done":[]}' in done.stdout.replace(b" ", b"")
    assert b'"shape":[2,3]' in done.stdout.replace(b" ", b"")
