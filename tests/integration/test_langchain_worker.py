"""LangChain in a worker process, over the raw wire: real chat models against a local server."""

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
CHAIN = {"chain_id": "say", "inputs": {"word": "hello"}}
AGENT = {"agent_id": "helper", "input": "6*7"}
RUNS = [("langchain.run_chain", CHAIN), ("langchain.run_agent", AGENT)]

REASONS = [
    ("status-400", "LANGCHAIN_LLM_REJECTED", "invalid_argument", False),
    ("status-401", "LANGCHAIN_LLM_AUTH", "unauthenticated", False),
    ("status-403", "LANGCHAIN_LLM_AUTH", "unauthenticated", False),
    ("status-404", "LANGCHAIN_LLM_REJECTED", "invalid_argument", False),
    ("status-408", "LANGCHAIN_LLM_TIMEOUT", "deadline_exceeded", True),
    ("status-429", "LANGCHAIN_LLM_RATE_LIMITED", "resource_exhausted", True),
    ("status-503", "LANGCHAIN_LLM_FAILED", "unavailable", True),
    ("quota", "LANGCHAIN_LLM_QUOTA", "resource_exhausted", False),
    ("context", "LANGCHAIN_CONTEXT_EXCEEDED", "invalid_argument", False),
]


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[LMServer, Peer]]:
    """A server and a worker for most tests: to import LangChain and a provider takes a worker two seconds."""
    with serving(closes=True) as server, started() as worker:
        yield server, worker


@pytest.fixture
def server(pair: tuple[LMServer, Peer]) -> LMServer:
    server, _ = pair
    server.requests.clear()
    server.authorizations.clear()
    server.hung_up.clear()
    server.hold = None
    return server


@pytest.fixture
def worker(pair: tuple[LMServer, Peer]) -> Peer:
    return pair[1]


@pytest.fixture
def session(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def started(*flags: str, **environment: str) -> Peer:
    return Peer("--framework", "langchain", *flags, folders=(), environment=environment)


def prepare(peer: Peer, session: str, **config: Any) -> None:
    """Give a session a model, a chain `say` and an agent `helper`."""
    peer.result("langchain.configure_llm", config, session_id=session)
    peer.result("langchain.create_chain", {"id": "say", "template": "Say {word}."}, session_id=session)
    peer.result("langchain.create_agent", {"id": "helper", "tools": ["calculator"], "max_turns": 3}, session_id=session)


def at(server: LMServer, model: str = "x") -> dict[str, str]:
    return {"model": f"openai:{model}", "api_base": server.base_url, "api_key": KEY}


def output(answer: Message) -> Any:
    assert answer["success"], answer
    return answer["result"]["output"]


@pytest.mark.capability("B02")
def test_plain_and_streamed_chain_reach_a_real_model(worker: Peer, server: LMServer, session: str) -> None:
    prepare(worker, session, **at(server))
    plain = worker.ask("langchain.run_chain", CHAIN, session_id=session)
    assert output(plain) == "x says: Say hello."
    assert plain["result"]["usage"] == {
        "openai:x": {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15},
    }
    chunks, streamed = worker.stream("langchain.run_chain", CHAIN, session_id=session)
    assert streamed["result"] == plain["result"]
    assert chunks.pop()["payload"] is None
    assert [chunk["payload"]["text"] for chunk in chunks] == ["x", " says:", " Say", " hello."]
    assert server.authorizations == [f"Bearer {KEY}"] * 2


@pytest.mark.capability("B02")
def test_agent_lets_a_real_model_call_a_tool_of_the_worker(worker: Peer, server: LMServer, session: str) -> None:
    prepare(worker, session, **at(server))
    plain = worker.ask("langchain.run_agent", AGENT, session_id=session)
    assert output(plain) == "x says: 42"
    assert plain["result"]["usage"] == {
        "openai:x": {"prompt_tokens": 22, "completion_tokens": 3, "total_tokens": 25},
    }
    assert [message["role"] for message in plain["result"]["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert [tool["function"]["name"] for tool in server.requests[0]["tools"]] == ["calculator"]
    chunks, streamed = worker.stream("langchain.run_agent", AGENT, session_id=session)
    assert streamed["result"] == plain["result"]
    assert [chunk["payload"] for chunk in chunks] == [
        {"tool_call": {"id": "call_1", "name": "calculator", "arguments": {"expression": "6*7"}}},
        {"tool_result": {"id": "call_1", "name": "calculator", "content": "42"}},
        {"text": "x"},
        {"text": " says:"},
        {"text": " 42"},
        None,
    ]


@pytest.mark.capability("B02")
def test_answer_that_comes_in_one_piece_is_one_chunk(worker: Peer, server: LMServer, session: str) -> None:
    prepare(worker, session, **at(server, "one-piece"))
    for operation, arguments in RUNS:
        chunks, streamed = worker.stream(operation, arguments, session_id=session)
        texts = [chunk["payload"]["text"] for chunk in chunks if "text" in (chunk["payload"] or {})]
        assert texts == [streamed["result"]["output"]]


@pytest.mark.capability("B02")
def test_agent_that_never_comes_to_an_end_is_ended(worker: Peer, server: LMServer, session: str) -> None:
    prepare(worker, session, **at(server, "caller"))
    for stream in (False, True):
        request = worker.send("langchain.run_agent", AGENT, session_id=session, stream=stream)
        assert worker.response(request)["error_info"]["reason"] == "LANGCHAIN_TURNS_EXCEEDED"
    assert len(server.requests) == 2 * 3


@pytest.mark.capability("B11")
def test_program_is_driven_as_any_frameworks(worker: Peer, server: LMServer, session: str) -> None:
    inputs = {"program_id": "qa", "inputs": {"question": "Where?"}}
    worker.result("configure", {"framework": "langchain", "config": at(server)}, session_id=session)
    worker.result("langchain.create_program", {"id": "qa", "signature": "question -> answer"}, session_id=session)
    executed = worker.result("langchain.execute_program", inputs, session_id=session)
    assert executed["outputs"] == {"answer": "x says: question: Where?"}
    assert server.requests[-1]["messages"][0]["role"] == "system"


@pytest.mark.capability("B02")
@pytest.mark.parametrize(("operation", "arguments"), RUNS, ids=["chain", "agent"])
def test_32_pipelined_runs_are_with_the_model_at_the_same_time(
    worker: Peer, server: LMServer, session: str, operation: str, arguments: dict[str, Any]
) -> None:
    prepare(worker, session, **at(server))
    server.hold = threading.Barrier(32)  # it breaks, and every call fails, unless all arrive
    requests = [worker.send(operation, arguments, session_id=session) for _ in range(32)]
    assert len({output(worker.response(request)) for request in requests}) == 1


@pytest.mark.capability("B02")
def test_sessions_that_run_at_the_same_time_keep_their_models_and_servers(worker: Peer, server: LMServer) -> None:
    with serving(closes=True) as other:
        servers = {"left": server, "right": other}
        for session, its in servers.items():
            prepare(worker, session, **at(its, f"model-of-{session}"))
        session_of = {}
        for number in range(40):
            for session in servers:
                inputs = {"chain_id": "say", "inputs": {"word": f"{session} {number}"}}
                request = worker.send("langchain.run_chain", inputs, session_id=session, stream=number % 4 == 0)
                session_of[request] = (session, number)
        for request, (session, number) in session_of.items():
            assert output(worker.response(request)) == f"model-of-{session} says: Say {session} {number}."
        assert {body["model"] for body in server.requests} == {"model-of-left"}
        assert {body["model"] for body in other.requests} == {"model-of-right"}


@pytest.mark.capability("B02")
def test_every_reason_reaches_the_wire_plain_and_streamed(worker: Peer, server: LMServer, session: str) -> None:
    prepare(worker, session, model="embedded")
    for model, *expected in REASONS:
        worker.result("langchain.configure_llm", at(server, model), session_id=session)
        for operation, arguments in RUNS:
            for stream in (False, True):
                request = worker.send(operation, arguments, session_id=session, stream=stream)
                info = worker.response(request)["error_info"]
                assert [info["reason"], info["code"], info["retryable"]] == expected, (model, operation, stream)
    assert len(server.requests) == 4 * len(REASONS), "something was repeated behind the caller's back"


@pytest.mark.capability("B02")
def test_silent_model_and_absent_server_may_be_tried_again(worker: Peer) -> None:
    with serving(delay=PATIENCE) as silent:
        prepare(worker, "silent", **at(silent), timeout=0.05)
        prepare(worker, "absent", model="openai:x", api_key=KEY, api_base=f"http://127.0.0.1:{unused_port()}/v1")
        for session, reason in (("silent", "LANGCHAIN_LLM_TIMEOUT"), ("absent", "LANGCHAIN_LLM_FAILED")):
            info = worker.ask("langchain.run_chain", CHAIN, session_id=session)["error_info"]
            assert (info["reason"], info["retryable"]) == (reason, True)


@pytest.mark.capability("B02")
@pytest.mark.parametrize(("operation", "arguments"), RUNS, ids=["chain", "agent"])
def test_stream_past_its_deadline_ends_and_hangs_up(
    worker: Peer, server: LMServer, session: str, operation: str, arguments: dict[str, Any]
) -> None:
    prepare(worker, session, model="embedded")
    worker.result(operation, arguments, session_id=session)  # imports what it needs, before the deadline begins
    worker.result("langchain.configure_llm", at(server, "endless"), session_id=session)
    _, answer = worker.stream(operation, arguments, session_id=session, timeout_ms=500)
    assert answer["error_info"]["reason"] == "CALL_TIMEOUT"
    assert server.hung_up.wait(PATIENCE), "the model still writes"


@pytest.mark.capability("B02")
def test_peer_that_goes_away_in_the_middle_of_a_stream_leaves_nothing() -> None:
    with serving() as endless, started() as worker:
        prepare(worker, "a", **at(endless, "endless"))
        worker.send("langchain.run_agent", AGENT, session_id="a", stream=True, stream_window=4)
        assert worker.receive()["chunk"]["payload"] == {"text": "more "}
        worker.close_input()
        last = worker.rest()[-1]
        worker.wait()
        assert not last["success"]
        assert endless.hung_up.wait(PATIENCE), "the model still writes"


def spelled(secret: str) -> set[str]:
    """Return the forms in which a secret might come back."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1], encoded}


@pytest.mark.capability("B07", "K10")
def test_no_secret_is_in_any_answer_nor_in_the_log(server: LMServer) -> None:
    gone = f"127.0.0.1:{unused_port()}/v1"
    here = server.base_url.removeprefix("http://")
    setups: list[dict[str, str]] = [
        *(at(server, model) for model in ("status-400", "status-401", "status-503", "quota", "x")),
        {**at(server), "api_key": "sk-SECRET-BROKEN\nline"},
        {"model": "openai:x", "api_key": KEY, "api_base": f"http://SECRETTOKEN@{gone}"},
        {"model": "openai:x", "api_key": KEY, "api_base": f"http://SECRETUSER:SECRET%40PASS@{here}"},
        {"model": "openai:x", "api_key": KEY, "api_base": f"http://{gone}?key=SECRETQUERY"},
        {"model": "openai:x", "api_key": KEY, "api_base": "http://SECRETUSER:SECRET%40PASS@[broken"},
        {"model": "nobody:x", "api_key": KEY, "api_base": f"http://SECRETTOKEN@{gone}"},
        {"model": "google:x", "api_key": KEY, "api_base": f"http://SECRETTOKEN@{gone}"},
        {"model": "openai:status-401", "api_base": server.base_url},
    ]
    with started("--debug", OPENAI_API_KEY="sk-SECRETENVIRONMENT") as worker:
        answers: list[Any] = []
        for number, config in enumerate(setups):
            session = f"s{number}"
            prepare(worker, session, model="embedded")
            answers.append(worker.ask("langchain.configure_llm", config, session_id=session))
            for operation, arguments in RUNS:
                answers.append(worker.ask(operation, arguments, session_id=session))
                answers.append(worker.stream(operation, arguments, session_id=session))
        assert worker.end() == 0
        log = worker.log()
    shown = json.dumps(answers, ensure_ascii=False)
    secrets = {KEY, "sk-SECRET-BROKEN", "sk-SECRETENVIRONMENT", "SECRETTOKEN", "SECRETUSER", "SECRETQUERY"}
    for secret in secrets | {"SECRET%40PASS", "SECRET@PASS", "SECRETUSER:SECRET%40PASS", "SECRETUSER:SECRET@PASS"}:
        for form in spelled(secret):
            assert form not in shown
            assert form not in log
    assert "[redacted]" in shown
    assert {f"Bearer {KEY}", "Bearer sk-SECRETENVIRONMENT"} <= set(server.authorizations)
