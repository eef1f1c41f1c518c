"""Chains and agents by dynamic calls: what the operations made is called like any object of the session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("C10")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "langchain", folders=()) as running:
        running.result("configure", {"config": {"model": "embedded"}})
        running.result("langchain.create_chain", {"template": "Say {word}", "id": "say"})
        running.result("langchain.create_agent", {"id": "helper"})
        yield running


def called(peer: Peer, target: str, *args: Any, **kwargs: Any) -> Any:
    return peer.result("call", {"target": target, "args": list(args), "kwargs": kwargs})["result"]


@pytest.mark.parametrize("target", ["stored.say", "stored.say.__call__"])
def test_calling_a_chain_is_running_it(peer: Peer, target: str) -> None:
    run = peer.result("langchain.run_chain", {"chain_id": "say", "inputs": {"word": "hello"}})
    assert {"chain_id": "say", **called(peer, target, word="hello")} == run


def test_calling_an_agent_is_running_it(peer: Peer) -> None:
    run = peer.result("langchain.run_agent", {"agent_id": "helper", "input": "hello"})
    assert {"agent_id": "helper", **called(peer, "stored.helper", "hello")} == run
    conversation = [{"role": "user", "content": "hello"}]
    assert {"agent_id": "helper", **called(peer, "stored.helper", input=conversation)} == run


@pytest.mark.parametrize(
    ("target", "args", "kwargs", "reason"),
    [
        ("stored.say", [], {}, "INVALID_ARGUMENTS"),
        ("stored.say", [], {"word": "x", "other": "y"}, "INVALID_ARGUMENTS"),
        ("stored.say", ["x"], {}, "HANDLER_RAISED"),
        ("stored.helper", [7], {}, "INVALID_ARGUMENTS"),
        ("stored.helper.tools", [], {}, "TARGET_NOT_ALLOWED"),
        ("stored.say.prompt", [], {}, "TARGET_NOT_ALLOWED"),
        ("langchain.chat_models.init_chat_model", ["openai:x"], {}, "TARGET_NOT_ALLOWED"),
    ],
)
def test_wrong_calls_are_refused_with_the_reason(
    peer: Peer, target: str, args: list[Any], kwargs: dict[str, Any], reason: str
) -> None:
    assert peer.reason("call", {"target": target, "args": args, "kwargs": kwargs}) == reason


def test_chain_of_a_session_without_a_model_says_so(peer: Peer) -> None:
    bare = {"session_id": "bare"}
    peer.result("langchain.create_chain", {"template": "Say {word}", "id": "say"}, **bare)
    assert peer.reason("call", {"target": "stored.say", "kwargs": {"word": "x"}}, **bare) == "NOT_CONFIGURED"
