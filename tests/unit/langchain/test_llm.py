"""Language models of sessions: names, providers, and no secret in any answer."""

from __future__ import annotations

from typing import Any

import pytest
from unit.langchain.calls import Peer

from bridge_core.errors import FrameworkUnavailableError, InvalidArgumentsError, NotConfiguredError

pytestmark = [pytest.mark.capability("B07")]

KEY = "sk-SECRET-0123456789"


def chat_of(peer: Peer, session: str = "a") -> Any:
    return peer.sessions.get(session).settings["langchain"].chat


@pytest.mark.parametrize(
    ("given", "provider", "name"),
    [
        ({"model": "openai:gpt-4o-mini"}, "openai", "gpt-4o-mini"),
        ({"model": "openai/gpt-4o-mini"}, "openai", "gpt-4o-mini"),
        ({"model": "gpt-4o-mini", "provider": "openai"}, "openai", "gpt-4o-mini"),
        ({"model": "openai:gpt-4o-mini", "provider": "openai"}, "openai", "gpt-4o-mini"),
        ({"model": "gpt-4o-mini", "provider": "OpenAI"}, "openai", "gpt-4o-mini"),
        ({"model": "meta/llama3:8b", "provider": "openai"}, "openai", "meta/llama3:8b"),
        ({"model": "openai:meta/llama3:8b"}, "openai", "meta/llama3:8b"),
    ],
)
def test_provider_and_model_are_found_in_every_spelling(given: dict[str, str], provider: str, name: str) -> None:
    peer = Peer(configured=False)
    answer = peer.call("configure_llm", **given, api_key=KEY)
    assert answer == {
        "status": "configured",
        "model": f"{provider}:{name}",
        "model_type": provider,
        "model_name": name,
    }
    assert chat_of(peer).model_name == name


@pytest.mark.parametrize("provider", ["google", "gemini", "google_genai", "google-genai"])
def test_provider_whose_package_is_absent_is_named_as_langchain_spells_it(provider: str) -> None:
    error = Peer().error("configure_llm", model=f"{provider}:gemini-2.5-flash", api_key=KEY)
    assert isinstance(error, FrameworkUnavailableError)
    assert error.details == {"framework": "langchain", "provider": "google_genai"}


@pytest.mark.parametrize("given", [{"model": "embedded"}, {"model": "embedded", "provider": "embedded"}])
def test_embedded_model_tolerates_connection_settings_that_peers_always_send(given: dict[str, str]) -> None:
    answer = Peer().call("configure_llm", **given, api_key=KEY, temperature=0.1)
    assert answer == {
        "status": "configured",
        "model": "embedded",
        "model_type": "embedded",
        "model_name": "embedded",
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"model": "gpt-4o"}, "$.model"),
        ({"model": "openai:"}, "$.model"),
        ({"model": ":gpt-4o"}, "$.model"),
        ({"model": "gpt-4o", "provider": "embedded"}, "$.model"),
        ({"model": ""}, "$.model"),
        ({}, "$.model"),
        ({"model": "nobody:x"}, "$"),
        ({"model": "embedded", "temperature": "hot"}, "$.temperature"),
        ({"model": "embedded", "temperature": -1}, "$.temperature"),
        ({"model": "embedded", "max_tokens": 0}, "$.max_tokens"),
        ({"model": "embedded", "cache": True}, "$.cache"),
        ({"model": "openai:x", "api_base": "http://[broken"}, "$.api_base"),
        ({"model": "openai:x", "api_key": "sk-SECRET\nline"}, "$.api_key"),
    ],
)
def test_wrong_settings_are_refused_and_the_old_model_stays(given: dict[str, Any], path: str) -> None:
    peer = Peer()
    before = chat_of(peer)
    for configure in (lambda: peer.call("configure_llm", **given), lambda: peer.configure(**given)):
        with pytest.raises(InvalidArgumentsError) as caught:
            configure()
        assert caught.value.details["path"] == path
        assert "SECRET" not in str(caught.value)
    assert chat_of(peer) is before


def test_settings_reach_the_model() -> None:
    peer = Peer()
    peer.call("configure_llm", model="openai:x", api_key=KEY, temperature=0.5, max_tokens=9, top_p=0.9, timeout=3)
    chat = chat_of(peer)
    assert (chat.temperature, chat.max_tokens, chat.top_p, chat.request_timeout) == (0.5, 9, 0.9, 3.0)
    assert chat.openai_api_key.get_secret_value() == KEY


def test_caller_owns_retries() -> None:
    peer = Peer()
    peer.call("configure_llm", model="openai:x", api_key=KEY)
    assert chat_of(peer).max_retries == 0


def test_configure_hook_and_operation_are_the_same_thing() -> None:
    peer = Peer()
    settings = {"model": "gpt-4o", "provider": "openai", "temperature": 0.0, "api_key": KEY}
    assert peer.configure(session="b", **settings) == peer.call("configure_llm", **settings)
    assert chat_of(peer).model_name == chat_of(peer, "b").model_name


def test_answer_and_kept_settings_show_no_secret() -> None:
    peer = Peer()
    base = "https://user:hidden-password@example.org/v1?token=hidden-token"
    answer = peer.call("configure_llm", model="openai:x", api_key=KEY, api_base=base)
    shown = f"{answer} {peer.sessions.get('a').settings['langchain']!r}"
    assert answer["api_base"] == "https://example.org/v1"
    assert not any(secret in shown for secret in (KEY, "hidden-password", "hidden-token"))


def test_missing_key_is_a_missing_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert isinstance(Peer().error("configure_llm", model="openai:gpt-4o-mini"), NotConfiguredError)


def test_sessions_have_models_of_their_own() -> None:
    peer = Peer()
    peer.call("configure_llm", model="openai:one", api_key=KEY)
    peer.call("configure_llm", model="openai:two", api_key=KEY, session="b")
    assert (chat_of(peer).model_name, chat_of(peer, "b").model_name) == ("one", "two")
