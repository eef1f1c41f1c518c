"""Real DSPy with a real `dspy.LM` against a local server that speaks the OpenAI chat API."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from integration.lm_server import LMServer, serving, unused_port
from unit.dspy.calls import Peer

from bridge_core import BridgeError
from bridge_core.errors import CallCancelledError, CallTimeoutError, NotConfiguredError
from guards import BOUND

pytestmark = [pytest.mark.capability("B01")]

KEY = "sk-SECRET-0123456789"


@pytest.fixture
def server() -> Iterator[LMServer]:
    with serving() as running:
        yield running


def peer_for(server: LMServer, model: str = "x", *, signature: str = "question -> answer") -> Peer:
    peer = Peer()
    configure(peer, server, model)
    peer.call("create_program", id="qa", signature=signature)
    return peer


def configure(peer: Peer, server: LMServer, model: str, session: str = "a") -> None:
    peer.call("configure_lm", session=session, model=f"openai/{model}", api_base=server.base_url, api_key=KEY)


def ask(peer: Peer, question: str = "Where?", session: str = "a") -> Any:
    return peer.call("execute_program", session=session, program_id="qa", inputs={"question": question})


def failure(peer: Peer) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        ask(peer)
    return caught.value


def test_program_runs_against_a_chat_server(server: LMServer) -> None:
    result = ask(peer_for(server))
    assert result["outputs"] == {"answer": "x says: Where?"}
    assert result["usage"]["openai/x"]["prompt_tokens"] == 11
    assert server.authorizations == [f"Bearer {KEY}"]


def test_typed_outputs_come_as_values(server: LMServer) -> None:
    peer = peer_for(server, signature="question -> answer: int, sure: bool, words: list[str]")
    assert ask(peer)["outputs"] == {"answer": 7, "sure": True, "words": ["one", "two"]}


def test_repeated_question_reaches_the_model_again(server: LMServer) -> None:
    peer = peer_for(server)
    assert ask(peer) == ask(peer)
    assert len(server.requests) == 2


def test_streamed_and_plain_execution_give_the_same_result(server: LMServer) -> None:
    peer = peer_for(server, signature="question -> answer, note, count: int")
    chunks, streamed = peer.streamed("execute_program", program_id="qa", inputs={"question": "Why a b c?"})
    assert streamed == ask(peer, "Why a b c?")
    for field in ("answer", "note"):
        texts = [chunk["text"] for chunk in chunks if chunk["field"] == field]
        assert len(texts) == 6
        assert "".join(texts) == streamed["outputs"][field]


def test_answer_that_comes_in_one_piece_is_one_chunk_a_field(server: LMServer) -> None:
    peer = peer_for(server, "one-piece", signature="question -> answer, count: int")
    chunks, result = peer.streamed("execute_program", program_id="qa", inputs={"question": "Why?"})
    assert chunks == [{"field": "answer", "text": "one-piece says: Why?"}]
    assert result["outputs"] == {"answer": "one-piece says: Why?", "count": 7}


def test_chunks_arrive_while_the_model_is_still_writing(server: LMServer) -> None:
    stream = peer_for(server, "endless").stream("execute_program", program_id="qa", inputs={"question": "?"})
    assert next(stream) == {"field": "answer", "text": "more"}
    assert not server.hung_up.is_set()
    stream.close()
    assert server.hung_up.wait(BOUND), "the connection is still open"


def test_stream_that_is_closed_early_leaves_no_thread(server: LMServer) -> None:
    stream = peer_for(server, "endless").stream("execute_program", program_id="qa", inputs={"question": "?"})
    before = {thread for thread in threading.enumerate() if "process_request" not in thread.name}
    next(stream)
    stream.close()
    assert {thread for thread in threading.enumerate() if "process_request" not in thread.name} == before


def test_stream_of_a_silent_model_can_be_cancelled() -> None:
    with serving(delay=BOUND) as silent:
        peer = peer_for(silent)
        ctx = peer.context("execute_program")
        stream = peer.stream("execute_program", ctx=ctx, program_id="qa", inputs={"question": "?"})
        ctx.cancelled = True
        with pytest.raises(CallCancelledError):
            next(stream)


def test_stream_of_a_silent_model_ends_at_the_deadline() -> None:
    with serving(delay=BOUND) as silent:
        peer = peer_for(silent)
        ctx = peer.context("execute_program")
        ctx.deadline = time.monotonic() + 0.05
        with pytest.raises(CallTimeoutError):
            next(peer.stream("execute_program", ctx=ctx, program_id="qa", inputs={"question": "?"}))


@pytest.mark.parametrize(
    ("model", "reason", "code", "retryable"),
    [
        ("status-400", "DSPY_LM_REJECTED", "invalid_argument", False),
        ("status-401", "DSPY_LM_AUTH", "unauthenticated", False),
        ("status-403", "DSPY_LM_AUTH", "unauthenticated", False),
        ("status-404", "DSPY_LM_REJECTED", "invalid_argument", False),
        ("status-408", "DSPY_LM_TIMEOUT", "deadline_exceeded", True),
        ("status-429", "DSPY_LM_RATE_LIMITED", "resource_exhausted", True),
        ("status-500", "DSPY_LM_FAILED", "unavailable", True),
        ("status-503", "DSPY_LM_FAILED", "unavailable", True),
        ("quota", "DSPY_LM_QUOTA", "resource_exhausted", False),
        ("context", "DSPY_CONTEXT_EXCEEDED", "invalid_argument", False),
        ("garbage", "DSPY_PARSE_FAILED", "unknown", False),
    ],
)
def test_fault_of_the_model_has_its_own_reason(
    server: LMServer, model: str, reason: str, code: str, retryable: bool
) -> None:
    error = failure(peer_for(server, model))
    assert (error.reason, error.code, error.retryable) == (reason, code, retryable)


def test_fault_while_streaming_has_the_same_reason(server: LMServer) -> None:
    with pytest.raises(BridgeError) as caught:
        peer_for(server, "status-401").streamed("execute_program", program_id="qa", inputs={"question": "?"})
    assert caught.value.reason == "DSPY_LM_AUTH"


def test_failed_request_is_not_repeated_behind_the_callers_back(server: LMServer) -> None:
    failure(peer_for(server, "status-503"))
    assert len(server.requests) == 1


def test_server_that_is_not_there_may_be_tried_again() -> None:
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=KEY, api_base=f"http://127.0.0.1:{unused_port()}/v1")
    peer.call("create_program", id="qa", signature="question -> answer")
    error = failure(peer)
    assert (error.reason, error.retryable) == ("DSPY_LM_FAILED", True)


def test_missing_key_is_a_missing_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    peer = Peer()
    peer.call("configure_lm", model="openai/gpt-4o-mini")
    peer.call("create_program", id="qa", signature="question -> answer")
    error = failure(peer)
    assert isinstance(error, NotConfiguredError)
    assert not error.retryable


@pytest.mark.capability("B07")
@pytest.mark.parametrize("model", ["status-401", "status-500", "status-400"])
def test_key_that_the_provider_repeats_never_reaches_the_peer(server: LMServer, model: str) -> None:
    error = failure(peer_for(server, model))
    assert server.authorizations == [f"Bearer {KEY}"]
    assert KEY not in f"{error} {error.details} {error.__cause__}"
    assert "[redacted]" in str(error)


def test_parse_failure_shows_what_the_model_said(server: LMServer) -> None:
    error = failure(peer_for(server, "garbage"))
    assert error.details == {"expected": ["answer"], "answer": "I would rather talk about the weather."}


def test_sessions_that_run_at_the_same_time_keep_their_models(server: LMServer) -> None:
    peer = Peer()
    sessions = [f"s{number}" for number in range(8)]
    for session in sessions:
        configure(peer, server, f"model-of-{session}", session)
        peer.call("create_program", session=session, id="qa", signature="question -> answer")
    together = threading.Barrier(len(sessions))

    def run(session: str) -> list[str]:
        together.wait(BOUND)
        plain = [ask(peer, session=session)["outputs"]["answer"] for _ in range(3)]
        _, streamed = peer.streamed("execute_program", session=session, program_id="qa", inputs={"question": "Where?"})
        return [*plain, streamed["outputs"]["answer"]]

    with ThreadPoolExecutor(len(sessions)) as pool:
        answers = list(pool.map(run, sessions))
    assert answers == [[f"model-of-{session} says: Where?"] * 4 for session in sessions]


def test_32_calls_are_with_the_model_at_the_same_time() -> None:
    with serving() as server:
        peer = peer_for(server)
        server.hold = threading.Barrier(32)
        with ThreadPoolExecutor(32) as pool:
            results = list(pool.map(lambda number: ask(peer, f"q{number}"), range(32)))
    assert [result["outputs"]["answer"] for result in results] == [f"x says: q{number}" for number in range(32)]
