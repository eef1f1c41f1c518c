"""DSPy in a worker process, over the raw wire: real `dspy.LM`s against a local server."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from integration.lm_server import LMServer, serving, unused_port
from peer import PATIENCE, Message, Peer

KEY = 'sk-SECRET/0123+456789="x'
INPUTS = {"program_id": "qa", "inputs": {"question": "Where?"}}


REASONS = [
    ("status-400", "DSPY_LM_REJECTED", "invalid_argument", False),
    ("status-401", "DSPY_LM_AUTH", "unauthenticated", False),
    ("status-404", "DSPY_LM_REJECTED", "invalid_argument", False),
    ("status-408", "DSPY_LM_TIMEOUT", "deadline_exceeded", True),
    ("status-429", "DSPY_LM_RATE_LIMITED", "resource_exhausted", True),
    ("status-503", "DSPY_LM_FAILED", "unavailable", True),
    ("quota", "DSPY_LM_QUOTA", "resource_exhausted", False),
    ("context", "DSPY_CONTEXT_EXCEEDED", "invalid_argument", False),
    ("garbage", "DSPY_PARSE_FAILED", "unknown", False),
]


@pytest.fixture
def server() -> Iterator[LMServer]:
    with serving() as running:
        yield running


@pytest.fixture
def worker(server: LMServer) -> Iterator[Peer]:
    """A worker that is gone before the server: while it lives, it keeps its connections."""
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def alone() -> Iterator[Peer]:
    """A worker for tests without a server."""
    with started() as running:
        yield running


def started(*flags: str, **environment: str) -> Peer:
    return Peer("--framework", "dspy", *flags, folders=(), environment={"LITELLM_LOG": "", **environment})


def prepare(peer: Peer, session: str, signature: str = "question -> answer", **config: Any) -> None:
    """Give a session a model and a program `qa`."""
    peer.result("dspy.configure_lm", config, session_id=session)
    peer.result("dspy.create_program", {"id": "qa", "signature": signature}, session_id=session)


def at(server: LMServer, model: str = "x") -> dict[str, str]:
    return {"model": f"openai/{model}", "api_base": server.base_url, "api_key": KEY}


def outputs(answer: Message) -> Any:
    assert answer["success"], answer
    return answer["result"]["outputs"]


@pytest.mark.capability("B01", "B08")
def test_plain_and_streamed_execution_reach_a_real_model(worker: Peer, server: LMServer) -> None:
    prepare(worker, "real", "question -> answer, count: int", **at(server))
    plain = worker.ask("dspy.execute_program", INPUTS, session_id="real")
    assert outputs(plain) == {"answer": "x says: Where?", "count": 7}
    assert plain["result"]["usage"]["openai/x"]["prompt_tokens"] == 11
    chunks, streamed = worker.stream("dspy.execute_program", INPUTS, session_id="real")
    assert streamed["result"] == plain["result"]
    assert [chunk["chunk_id"] for chunk in chunks] == list(range(len(chunks)))
    assert [chunk["is_final"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks.pop()["payload"] is None
    texts = [chunk["payload"]["text"] for chunk in chunks if chunk["payload"]["field"] == "answer"]
    assert len(texts) == 3
    assert "".join(texts) == "x says: Where?"


@pytest.mark.capability("B01")
def test_sessions_that_run_at_the_same_time_keep_their_models_and_servers() -> None:
    with serving() as server, serving() as other, started() as worker:
        servers = {"left": server, "right": other}
        for session, its in servers.items():
            prepare(worker, session, **at(its, f"model-of-{session}"))
        session_of = {}
        for number in range(40):
            for session in servers:
                inputs = {"program_id": "qa", "inputs": {"question": f"{session} {number}"}}
                stream = number % 4 == 0
                request = worker.send("dspy.execute_program", inputs, session_id=session, stream=stream)
                session_of[request] = (session, number)
        for request, (session, number) in session_of.items():
            assert outputs(worker.response(request))["answer"] == f"model-of-{session} says: {session} {number}"
        assert (len(server.requests), len(other.requests)) == (40, 40)
        assert {body["model"] for body in other.requests} == {"model-of-right"}


@pytest.mark.capability("B01")
def test_32_pipelined_executions_are_with_the_model_at_the_same_time(worker: Peer, server: LMServer) -> None:
    prepare(worker, "held", **at(server))
    server.hold = threading.Barrier(32)  # it breaks, and every call fails, unless all arrive
    requests = [worker.send("dspy.execute_program", INPUTS, session_id="held") for _ in range(32)]
    assert [outputs(worker.response(request)) for request in requests] == [{"answer": "x says: Where?"}] * 32


@pytest.mark.capability("B07")
def test_configure_and_configure_lm_are_the_same_thing(worker: Peer, server: LMServer) -> None:
    config = {**at(server, "same"), "temperature": 0.5}
    by_operation = worker.result("dspy.configure_lm", config, session_id="one")
    by_builtin = worker.result("configure", {"framework": "dspy", "config": config}, session_id="two")
    assert by_builtin["config"] == by_operation
    for session in ("one", "two"):
        worker.result("dspy.create_program", {"id": "qa", "signature": "question -> answer"}, session_id=session)
        answer = worker.ask("dspy.execute_program", INPUTS, session_id=session)
        assert outputs(answer) == {"answer": "same says: Where?"}
        assert server.requests[-1]["temperature"] == 0.5


@pytest.mark.capability("B07")
def test_wrong_settings_are_refused_alike_and_the_model_stays(alone: Peer) -> None:
    prepare(alone, "strict", model="embedded")
    config = {"model": "embedded", "temperature": -1}
    assert alone.reason("dspy.configure_lm", config, session_id="strict") == "INVALID_ARGUMENTS"
    builtin = {"framework": "dspy", "config": config}
    assert alone.reason("configure", builtin, session_id="strict") == "INVALID_ARGUMENTS"
    assert outputs(alone.ask("dspy.execute_program", INPUTS, session_id="strict"))


@pytest.mark.capability("B03")
@pytest.mark.parametrize("operation", ["execute_program", "get_program", "delete_program"])
def test_unknown_program_is_a_typed_error(alone: Peer, operation: str) -> None:
    more = {"inputs": {}} if operation == "execute_program" else {}
    answer = alone.ask(f"dspy.{operation}", {"program_id": "nobody", **more}, session_id="empty")
    assert (answer["error_info"]["reason"], answer["error_info"]["code"]) == ("PROGRAM_NOT_FOUND", "not_found")
    assert answer["error_info"]["details"] == {"program_id": "nobody"}


@pytest.mark.capability("B01")
def test_every_reason_reaches_the_wire_plain_and_streamed(worker: Peer, server: LMServer) -> None:
    for model, *expected in REASONS:
        prepare(worker, model, **at(server, model))
        for stream in (False, True):
            request = worker.send("dspy.execute_program", INPUTS, session_id=model, stream=stream)
            info = worker.response(request)["error_info"]
            assert [info["reason"], info["code"], info["retryable"]] == expected, (model, stream)


@pytest.mark.capability("B01")
def test_session_without_a_model_is_told_so(alone: Peer) -> None:
    alone.result("dspy.create_program", {"id": "qa", "signature": "question -> answer"}, session_id="bare")
    assert alone.reason("dspy.execute_program", INPUTS, session_id="bare") == "NOT_CONFIGURED"


def spelled(secret: str) -> set[str]:
    """Return the forms in which a secret might come back."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1], encoded}


@pytest.mark.capability("B07", "K10")
def test_no_secret_is_in_any_answer_nor_in_the_log(server: LMServer) -> None:
    gone = f"127.0.0.1:{unused_port()}/v1"
    here = server.base_url.removeprefix("http://")
    setups: list[dict[str, str]] = [
        *({**at(server, model), "api_key": KEY} for model in ("status-400", "status-401", "status-503", "quota", "x")),
        {**at(server, "status-401"), "api_key": f" {KEY}\n"},
        {**at(server), "api_key": "sk-SECRET-BROKEN\nline"},
        {"model": "openai/x", "api_key": KEY, "api_base": f"http://{gone}"},
        {"model": "openai/x", "api_key": KEY, "api_base": f"http://SECRETTOKEN@{gone}"},
        {"model": "openai/x", "api_key": KEY, "api_base": f"http://SECRETUSER:SECRET%40PASS@{here}"},
        {"model": "openai/x", "api_key": KEY, "api_base": f"http://{gone}?key=SECRETQUERY"},
        {"model": "openai/x", "api_key": KEY, "api_base": "http://SECRETUSER:SECRET%40PASS@[broken"},
        {"model": "openai/x", "api_key": KEY, "api_base": f"SECRETTOKEN@{gone}"},
        {"model": "openai/x", "api_key": KEY, "api_base": "http://127.0.0.1:99999/v1?key=SECRETQUERY"},
        {"model": "openai/gpt-5", "api_key": KEY, "api_base": f"http://{gone}"},
        {"model": "openai/status-401", "api_base": server.base_url},
    ]
    with started("--debug", OPENAI_API_KEY="sk-SECRETENVIRONMENT") as worker:
        answers: list[Any] = []
        for number, config in enumerate(setups):
            session = f"s{number}"
            answers.append(worker.ask("dspy.configure_lm", config, session_id=session))
            worker.result("dspy.create_program", {"id": "qa", "signature": "question -> answer"}, session_id=session)
            answers.append(worker.ask("dspy.execute_program", INPUTS, session_id=session))
            answers.append(worker.stream("dspy.execute_program", INPUTS, session_id=session))
        answers.append(worker.ask("get_stats"))
        assert worker.end() == 0
        log = worker.log()
    shown = json.dumps(answers, ensure_ascii=False)
    secrets = {KEY, "sk-SECRET-BROKEN", "SECRET%40PASS", "SECRET@PASS", "sk-SECRETENVIRONMENT"}
    secrets |= {"SECRETTOKEN", "SECRETUSER", "SECRETQUERY", "SECRETUSER:SECRET%40PASS", "SECRETUSER:SECRET@PASS"}
    for secret in secrets:
        for form in spelled(secret):
            assert form not in shown
            assert form not in log
    assert "[redacted]" in shown
    assert {f"Bearer {KEY}", "Bearer sk-SECRETENVIRONMENT"} <= set(server.authorizations)


@pytest.mark.capability("B01")
def test_peer_that_goes_away_in_the_middle_of_a_stream_leaves_nothing() -> None:
    with serving() as endless, started() as worker:
        prepare(worker, "a", **at(endless, "endless"))
        worker.send("dspy.execute_program", INPUTS, session_id="a", stream=True, stream_window=4)
        assert worker.receive()["chunk"]["payload"] == {"field": "answer", "text": "more"}
        worker.close_input()
        last = worker.rest()[-1]
        worker.wait()
        assert not last["success"]
        assert endless.hung_up.wait(PATIENCE), "the model still writes"
