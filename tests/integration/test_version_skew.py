"""Client and worker of different versions understand each other as long as both speak one version of the protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from peer import Peer
from skew.clients import Outcome, events_in, outcomes_in, overlaps, with_bridge, with_client
from skew.likeness import different, unlike
from skew.record import THEMES, record
from skew.replay import replay
from skew.transcripts import Line, Transcript, files, payload_of

from bridge_core import Bridge
from bridge_core.client import BlockingClient
from bridge_core.errors import RemoteError, UnsupportedProtocolError, WorkerCrashedError
from bridge_core.transports import WorkerProcess

FILES = {f"{path.parent.name}-{path.stem}": path for path in files()}
RECORDED = {name: Transcript.read(path) for name, path in FILES.items()}
OURS = [name for name, transcript in RECORDED.items() if transcript.client]
NEWEST = [name for name, path in FILES.items() if path.parent == [*FILES.values()][-1].parent]
TESTS = Path(__file__).parents[1]

Script = Callable[[Path], str]
Later = Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, Any]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return what makes an interpreter whose worker is a transcript's."""

    def written(path: Path) -> str:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{TESTS}" exec "{sys.executable}" -m skew.scripted "{path}"\n')
        python.chmod(0o755)
        return str(python)

    return written


def exactly(outcomes: list[Outcome]) -> list[str]:
    """Return outcomes as something that can be compared, also where they are not numbers."""
    return [repr(outcome) for outcome in outcomes]


@pytest.mark.parametrize("transport", ["stdio", "socket"])
@pytest.mark.parametrize("name", OURS)
def test_our_bridge_understands_an_older_worker(name: str, transport: str, script: Script) -> None:
    transcript = RECORDED[name]
    events: list[tuple[str, Any]] = []
    settings = {"python": script(FILES[name]), "transport": transport, "codec": transcript.codec}
    with Bridge({"probe": settings}, on_event=lambda name, data: events.append((name, data))) as bridge:
        got = with_bridge(transcript, bridge)
    assert exactly(got) == exactly(outcomes_in(transcript)[1:])
    assert events == events_in(transcript)


@pytest.mark.parametrize("name", [name for name in OURS if not overlaps(RECORDED[name])])
def test_our_blocking_client_understands_an_older_worker(name: str, script: Script) -> None:
    transcript = RECORDED[name]
    with BlockingClient(WorkerProcess(python=script(FILES[name])), codec=transcript.codec) as client:
        got = with_client(transcript, client)
    assert exactly(got) == exactly(outcomes_in(transcript))


def test_older_worker_that_is_asked_something_else_says_what_it_expected(script: Script) -> None:
    lines: list[str] = []
    settings = {"python": script(FILES["core-0.1.0-run"]), "transport": "stdio", "codec": "json"}
    with Bridge({"probe": settings}, on_stderr=lines.append) as bridge, pytest.raises(WorkerCrashedError) as caught:
        bridge.run("probe.echo", value="never recorded")
    assert caught.value.details["exit_code"] == 70
    assert lines == caught.value.details["stderr"]


@pytest.mark.parametrize("name", RECORDED)
def test_our_worker_answers_an_older_peer_as_the_older_worker_did(name: str) -> None:
    assert not unlike(RECORDED[name], replay(RECORDED[name]))


@pytest.mark.parametrize("name", NEWEST)
def test_both_our_ends_still_say_what_was_recorded(name: str) -> None:
    assert not unlike(RECORDED[name], record(RECORDED[name].theme))


def test_themes_are_not_dropped_and_files_are_as_they_were_written() -> None:
    assert {transcript.theme for transcript in RECORDED.values()} <= set(THEMES)
    assert {name: path.read_text("utf-8") for name, path in FILES.items()} == {
        name: transcript.write() for name, transcript in RECORDED.items()
    }


ANSWER = {"id": 1, "success": True, "result": {"status": "ok", "codecs": ["json"], "uptime": 0.5}, "timestamp": 1.0}


@pytest.mark.parametrize(
    ("new", "where"),
    [
        ({**ANSWER, "more": 1, "timestamp": 2.0}, None),
        ({**ANSWER, "result": {"status": "ok", "codecs": ["cbor", "json"], "uptime": 1.5}}, None),
        ({**ANSWER, "timestamp": 2}, "$.timestamp"),
        ({**ANSWER, "id": 1.0}, "$.id"),
        ({**ANSWER, "result": {"status": "fine", "codecs": ["json"], "uptime": 0.5}}, "$.result.status"),
        ({**ANSWER, "result": {"status": "ok", "codecs": ["cbor"], "uptime": 0.5}}, "$.result.codecs"),
        ({**ANSWER, "result": {"status": "ok", "codecs": ["json"]}}, "$.result.uptime"),
        ({**ANSWER, "result": None}, "$.result"),
    ],
)
def test_what_an_older_end_would_miss_is_seen(new: Any, where: str | None) -> None:
    assert [place.partition(":")[0] for place in different(ANSWER, new)] == ([] if where is None else [where])


def test_answer_too_few_or_too_many_and_another_exit_code_are_seen_and_another_order_is_not() -> None:
    old = RECORDED["core-0.1.0-overlapping"]
    said = old.lines[:-2]
    answers = [line for line in said if line.sender == "worker"]
    asked = [line for line in said if line.sender == "peer"]
    assert not unlike(old, attrs.evolve(old, lines=[*asked, *reversed(answers[-2:]), *answers[:-2], *old.lines[-2:]]))
    for lines in (
        [*asked, *answers[1:], *old.lines[-2:]],
        [*said, answers[0], *old.lines[-2:]],
        [*said, old.lines[-2], Line(sender="worker", exit=1)],
        said,
    ):
        assert unlike(old, attrs.evolve(old, lines=lines))


HELLO: dict[str, Any] = {"id": 1, "success": True, "result": {"protocol": 1, "frameworks": ["probe"]}, "timestamp": 1.0}
FAILURE = {"id": 2, "success": False, "error": "all is lost", "timestamp": 1.0}


@pytest.fixture
def later(tmp_path: Path, script: Script) -> Later:
    """Return what makes the settings of a worker newer than this: what it says to a greeting, and to an echo."""

    def settings(greeting: list[dict[str, Any]], answers: list[dict[str, Any]]) -> dict[str, Any]:
        said = [("peer", {"id": 1, "command": "hello"})] + [("worker", message) for message in greeting]
        if answers:
            said += [("peer", {"id": 2, "command": "probe.echo", "args": {"value": 1}})]
            said += [("worker", message) for message in answers]
        lines = [Line(sender=sender, payload=payload_of(message)) for sender, message in said]
        newer = Transcript(theme="later", protocol=2, core="9", flags=[], codec="json", client=True, lines=lines)
        path = tmp_path / "later.jsonl"
        path.write_text(newer.write(), "utf-8")
        return {"python": script(path), "transport": "stdio", "codec": "json"}

    return settings


def test_worker_of_a_later_protocol_is_refused_with_both_ranges_at_every_call(later: Later) -> None:
    details = {"ours": [2, 3], "theirs": [1, 1]}
    info = {"code": "failed_precondition", "reason": "UNSUPPORTED_PROTOCOL", "details": details, "retryable": False}
    with Bridge({"probe": later([{**FAILURE, "id": 1, "error_info": info}], [])}) as bridge:
        for _ in range(2):
            with pytest.raises(UnsupportedProtocolError) as caught:
                bridge.run("probe.echo", value=1)
            assert (caught.value.details, caught.value.retryable) == (details, False)
            assert bridge.pids() == {}


@pytest.mark.sentence("P-10")
def test_what_a_later_worker_adds_is_passed_over(later: Later) -> None:
    event = {"event": "weather", "data": {"id": 2, "sunny": True}, "new": 1}
    greeting = {
        **HELLO,
        "result": {**HELLO["result"], "moods": ["good"], "configures": ["configure", "tune"]},
        "new": 1,
    }
    answer = {"id": 2, "success": True, "result": 1, "timestamp": 1.0, "cost": {"tokens": 7}, "tool": None}
    events: list[tuple[str, Any]] = []
    settings = later([greeting], [event, answer])
    with Bridge({"probe": settings}, on_event=lambda name, data: events.append((name, data))) as bridge:
        assert bridge.run("probe.echo", value=1) == 1
        assert [name for name, _ in events] == ["weather"]


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (
            {"code": "sad", "reason": "NEVER_HEARD_OF", "details": {"a": 1}, "retryable": True, "new": 1},
            ("unknown", "NEVER_HEARD_OF", {"a": 1}, True),
        ),
        ({"code": "aborted", "reason": "NEVER_HEARD_OF"}, ("aborted", "NEVER_HEARD_OF", {}, False)),
        (None, ("unknown", "REMOTE", {}, False)),
        ("sad", ("unknown", "REMOTE", {}, False)),
    ],
    ids=["unknown code and reason", "unknown reason", "no words for programs", "other words"],
)
def test_error_that_we_do_not_know_is_complete_all_the_same(info: Any, told: tuple[Any, ...], later: Later) -> None:
    settings = later([HELLO], [{**FAILURE, "error_info": info}])
    with Bridge({"probe": settings}) as bridge, pytest.raises(RemoteError) as caught:
        bridge.run("probe.echo", value=1)
    error = caught.value
    assert (error.code, error.reason, error.details, error.retryable) == told
    assert error.message == FAILURE["error"]


@pytest.mark.sentence("P-35")
def test_our_worker_refuses_a_peer_of_a_later_protocol_and_serves_on() -> None:
    with Peer() as peer:
        info = peer.ask("hello", {"protocol": [2, 2], "peer": "later"})["error_info"]
        assert info == {
            "code": "failed_precondition",
            "reason": "UNSUPPORTED_PROTOCOL",
            "details": {"ours": [1, 1], "theirs": [2, 2]},
            "retryable": False,
        }
        assert peer.result("probe.echo", {"value": 1}) == 1
        assert peer.result("hello", {"protocol": [1, 2]})["protocol"] == 1
