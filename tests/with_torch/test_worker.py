"""Transformers in a worker process, over the raw wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Message, Peer
from with_torch.models import SAYS

pytestmark = [pytest.mark.capability("B05")]

HELLO = {"model_id": "m", "prompt": "Hello?"}
ENDLESS = {"model_id": "m", "prompt": "go…", "max_new_tokens": 4090}


def started() -> Peer:
    return Peer("--framework", "transformers", folders=())


@pytest.fixture(scope="module")
def worker() -> Iterator[Peer]:
    """A worker for all: torch takes seconds to import."""
    with started() as running:
        yield running


@pytest.fixture
def session(worker: Peer, directory: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """A session that has the model `m`."""
    fields = {"session_id": request.node.name}
    worker.result("transformers.load_model", {"model": directory, "id": "m"}, **fields)
    return fields


def first_chunk(worker: Peer, request: Any) -> Any:
    message = worker.receive()
    assert (message["id"], message["chunk"]["chunk_id"]) == (request, 0)
    return message["chunk"]["payload"]


def reason(answer: Message) -> Any:
    assert not answer["success"], answer
    return answer["error_info"]["reason"]


def test_loading_tells_how_far_it_is_under_the_id_of_its_request(directory: str) -> None:
    with started() as fresh:
        fresh.result("hello", {"want": ["progress"]})
        request = fresh.send("transformers.load_model", {"model": directory})
        told = []
        while "event" in (message := fresh.receive()):
            told.append(message["data"])
        assert message["success"], message
    assert {data["id"] for data in told} == {request}
    assert [data["message"] for data in told][:2] == ["importing torch", "importing transformers"]
    fractions = [data["fraction"] for data in told if data["fraction"] is not None]
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert fractions == sorted(fractions)


def test_text_comes_in_chunks_and_as_a_result(worker: Peer, session: dict[str, str]) -> None:
    chunks, answer = worker.stream("transformers.generate", HELLO, **session)
    assert "".join(chunk["payload"]["text"] for chunk in chunks[:-1]) == SAYS
    assert chunks[-1] == {"chunk_id": len(chunks) - 1, "payload": None, "is_final": True}
    assert answer["result"] == worker.result("transformers.generate", HELLO, **session)


def test_main_thread_is_free_while_a_model_writes_and_can_unload_it(worker: Peer, session: dict[str, str]) -> None:
    request = worker.send("transformers.generate", ENDLESS, stream=True, **session)
    assert first_chunk(worker, request) == {"text": " on"}
    listing = worker.send("transformers.list_models", **session)
    unloading = worker.send("transformers.unload_model", {"model_id": "m"}, **session)
    answers = {}
    while len(answers) < 3:
        if "success" in (message := worker.receive()):
            answers[message["id"]] = message
    assert answers[listing]["result"]["count"] == 1
    assert answers[unloading]["result"]["status"] == "unloaded"
    assert reason(answers[request]) == "TRANSFORMERS_MODEL_UNLOADED"
    assert worker.reason("transformers.generate", HELLO, **session) == "MODEL_NOT_FOUND"


@pytest.mark.parametrize("stream", [False, True])
def test_deadline_stops_a_model_that_writes(worker: Peer, session: dict[str, str], stream: bool) -> None:
    ask: Any = worker.stream if stream else lambda *asked, **fields: ([], worker.ask(*asked, **fields))
    _, answer = ask("transformers.generate", ENDLESS, timeout_ms=100, **session)
    assert reason(answer) == "CALL_TIMEOUT"
    assert worker.result("transformers.generate", HELLO, **session)["text"] == SAYS


def test_what_is_loaded_in_one_session_is_not_there_in_another(worker: Peer, session: dict[str, str]) -> None:
    assert worker.result("transformers.list_models", **session)["count"] == 1
    assert worker.reason("transformers.generate", HELLO, session_id="other") == "MODEL_NOT_FOUND"


@pytest.mark.capability("B08")
def test_tensor_of_embeddings_is_tagged(worker: Peer, session: dict[str, str]) -> None:
    arguments = {"model_id": "m", "texts": ["a", "bc"], "form": "tensor"}
    tag = worker.result("transformers.embed", arguments, **session)["embeddings"]
    assert (tag["$type"], tag["dtype"], tag["shape"][0], tag["data"]["$type"]) == ("tensor", "float32", 2, "bytes")


def test_log_says_nothing_about_what_goes_well(worker: Peer, session: dict[str, str]) -> None:
    worker.result("transformers.generate", HELLO, **session)
    assert worker.log() == ""


def test_worker_ends_while_models_write(directory: str) -> None:
    with started() as fresh:
        fresh.result("transformers.load_model", {"model": directory, "id": "m"})
        owed = {fresh.send("transformers.generate", ENDLESS)}
        streamed = fresh.send("transformers.generate", ENDLESS, stream=True)
        assert first_chunk(fresh, streamed) == {"text": " on"}
        fresh.close_input()
        answers = [message for message in fresh.rest() if "success" in message]
        assert {answer["id"] for answer in answers} == {*owed, streamed}
        assert {reason(answer) for answer in answers} <= {"CALL_CANCELLED", "SHUTTING_DOWN"}
        assert fresh.wait() == 0
