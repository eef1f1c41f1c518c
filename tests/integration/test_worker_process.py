"""A worker started and ended by Python code, and the smallest client for it."""

from __future__ import annotations

import io
import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from peer import PATIENCE, PLUGINS, plugin_path

from bridge_core import BridgeError
from bridge_core.client import BlockingClient, exception_of
from bridge_core.errors import (
    CallTimeoutError,
    HandlerRaisedError,
    InvalidArgumentsError,
    RemoteError,
    SerializeFailedError,
    WorkerCrashedError,
)
from bridge_core.protocol import ErrorInfo, Failure
from bridge_core.transports import WorkerProcess

ENVIRONMENT = {"PYTHONPATH": plugin_path(PLUGINS)}


def started(*flags: str, **options: Any) -> BlockingClient:
    process = WorkerProcess(["--framework", "probe", *flags], environment=ENVIRONMENT)
    return BlockingClient(process, **options)


@pytest.fixture
def client() -> Iterator[BlockingClient]:
    with started() as running:
        yield running


def test_operations_run_one_after_the_other(client: BlockingClient) -> None:
    assert client.run("probe.echo", {"value": [1, None]}) == [1, None]
    assert client.run("echo", {"value": 2}, framework="probe", session_id="s", timeout=PATIENCE) == 2
    assert client.run("ping")["requests_handled"] == 3
    assert client.close() == 0


def test_stream_yields_its_chunks_and_returns_its_result(client: BlockingClient) -> None:
    def whole() -> Generator[int, None, None]:
        result = yield from client.stream("probe.count_thread", {"to": 3})
        assert result == {"counted": 3}

    assert list(whole()) == [0, 1, 2]


def test_stream_that_was_given_up_does_not_disturb_what_follows(client: BlockingClient) -> None:
    stream = client.stream("probe.count_thread", {"to": 50})
    assert next(stream) == 0
    stream.close()
    assert client.run("probe.echo", {"value": "next"}) == "next"


@pytest.mark.capability("C03")
def test_errors_come_back_as_the_classes_they_were(client: BlockingClient) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        client.run("probe.echo", {})
    assert caught.value.details == {"path": "$.value"}
    with pytest.raises(HandlerRaisedError):
        client.run("probe.fail", {"how": "value"})
    with pytest.raises(InvalidArgumentsError):
        client.run("probe.echo", {"value": object()})
    with pytest.raises(SerializeFailedError):
        client.run("probe.result", {"kind": "object"})
    with pytest.raises(RemoteError) as unknown:
        client.run("probe.fail", {"how": "typed"})
    error = unknown.value
    assert (error.reason, error.code, error.retryable) == ("PROBE_BROKEN", "unavailable", True)
    assert error.details == {"part": "lens"}


def test_failure_without_much_in_it_is_an_exception_all_the_same() -> None:
    error = exception_of(Failure(id=1, error="what", error_info=ErrorInfo(), timestamp=0.0))
    assert isinstance(error, RemoteError)
    assert (str(error), error.retryable) == ("what", False)


def test_operation_that_takes_too_long_is_given_up_and_its_late_answer_ignored(client: BlockingClient) -> None:
    with pytest.raises(CallTimeoutError):
        client.run("probe.wait_thread", {"name": "n"}, timeout=0.2)
    client.run("probe.release", {"name": "n"})
    assert client.run("probe.echo", {"value": 1}) == 1


def test_death_of_the_worker_is_said_with_its_exit_code(client: BlockingClient) -> None:
    assert isinstance(client.peer, WorkerProcess)
    with pytest.raises(WorkerCrashedError) as caught:
        client.run("probe.end", {"how": "SIGKILL"})
    assert caught.value.details == {
        "exit_code": None,
        "signal": "SIGKILL",
        "request": {"id": 1, "operation": "probe.end", "session_id": "anonymous"},
        "stderr": [],
    }
    assert client.peer.returncode() == -9


def test_frames_and_events_can_be_watched() -> None:
    seen: list[tuple[str, bytes]] = []
    heard: list[str] = []
    with started(
        watch=lambda direction, data: seen.append((direction, data)),
        on_event=lambda name, data: heard.append(f"{name} {data['message']}"),
    ) as client:
        client.run("hello", {"want": ["progress"]})
        client.run("probe.progress")
    assert heard[0] == "progress importing probe_framework"
    assert [direction for direction, _ in seen][:2] == ["→", "←"]
    assert b'"command":"hello"' in seen[0][1]


def test_process_can_be_waited_for_and_closed_twice() -> None:
    process = WorkerProcess(["--framework", "probe"], environment={**ENVIRONMENT, "HOME": None})
    assert process.returncode() is None
    assert process.pid > 0
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    assert process.close() == process.close() == process.returncode()


def test_worker_that_cannot_start_is_said_to_have_crashed() -> None:
    with pytest.raises(BridgeError) as caught, BlockingClient(WorkerProcess(["--codec", "xml"])) as client:
        client.run("ping")
    assert caught.value.reason == "WORKER_CRASHED"
    assert (caught.value.details["exit_code"], caught.value.details["signal"]) == (2, None)


def test_log_can_be_sent_elsewhere(tmp_path: Any) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert isinstance(log, io.BufferedWriter)
        WorkerProcess(["--nonsense"], stderr=log).close(PATIENCE)
    assert "ignored" in (tmp_path / "log").read_text()
