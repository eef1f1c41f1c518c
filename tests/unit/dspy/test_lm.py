"""Language models of sessions: names, providers, and no secret in any answer."""

from __future__ import annotations

from typing import Any

import pytest
from unit.dspy.calls import Peer

from bridge_core.errors import InvalidArgumentsError

pytestmark = [pytest.mark.capability("B07")]

KEY = "sk-SECRET-0123456789"


def model_in(peer: Peer, session: str = "a") -> Any:
    return peer.sessions.get(session).settings["dspy"].lm


@pytest.mark.parametrize(
    ("given", "full_name"),
    [
        ({"model": "openai/gpt-4o-mini"}, "openai/gpt-4o-mini"),
        ({"model": "gpt-4o-mini", "provider": "openai"}, "openai/gpt-4o-mini"),
        ({"model": "openai/gpt-4o-mini", "provider": "openai"}, "openai/gpt-4o-mini"),
        ({"model": "gemini-2.5-flash", "provider": "google"}, "gemini/gemini-2.5-flash"),
        ({"model": "google/gemini-2.5-flash"}, "gemini/gemini-2.5-flash"),
        ({"model": "gemini/gemini-2.5-flash", "provider": "google"}, "gemini/gemini-2.5-flash"),
        ({"model": "openrouter/meta/llama"}, "openrouter/meta/llama"),
        ({"model": "embedded"}, "embedded"),
        ({"model": "embedded", "provider": "embedded"}, "embedded"),
    ],
)
def test_provider_and_model_become_the_name_dspy_uses(given: dict[str, str], full_name: str) -> None:
    peer = Peer()
    answer = peer.call("configure_lm", **given)
    assert model_in(peer).model == full_name
    provider, _, name = full_name.partition("/")
    assert (answer["status"], answer["model"]) == ("configured", full_name)
    assert (answer["model_type"], answer["model_name"]) == (provider, name or provider)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"model": "openai/gpt-4o", "provider": "anthropic"}, "$.provider"),
        ({"model": "gpt-4o"}, "$.model"),
        ({"model": "openai/"}, "$.model"),
        ({"model": "/gpt-4o"}, "$.model"),
        ({"model": "gpt-4o", "provider": "embedded"}, "$.model"),
        ({"model": ""}, "$.model"),
        ({}, "$.model"),
        ({"model": "embedded", "temperature": "hot"}, "$.temperature"),
        ({"model": "embedded", "temperature": -1}, "$.temperature"),
        ({"model": "embedded", "max_tokens": 0}, "$.max_tokens"),
        ({"model": "embedded", "engine": "litellm"}, "$.engine"),
        ({"model": "openai/gpt-5", "temperature": 0.2}, "$"),
        ({"model": "openai/x", "api_base": "http://[broken"}, "$.api_base"),
    ],
)
def test_wrong_settings_are_refused_and_the_old_model_stays(given: dict[str, Any], path: str) -> None:
    peer = Peer()
    peer.call("configure_lm", model="embedded")
    before = model_in(peer)
    for configure in (lambda: peer.call("configure_lm", **given), lambda: peer.configure(**given)):
        with pytest.raises(InvalidArgumentsError) as caught:
            configure()
        assert caught.value.details["path"] == path
    assert model_in(peer) is before


def test_settings_reach_the_model() -> None:
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=KEY, temperature=0.5, max_tokens=9, top_p=0.9, timeout=3)
    lm = model_in(peer)
    assert lm.kwargs == {"temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "timeout": 3.0, "api_key": KEY}


def test_caller_owns_retries_and_nothing_is_cached_unless_asked() -> None:
    peer = Peer()
    peer.call("configure_lm", model="embedded")
    assert (model_in(peer).num_retries, model_in(peer).cache) == (0, False)
    peer.call("configure_lm", model="embedded", cache=True)
    assert model_in(peer).cache is True


def test_configure_hook_and_operation_are_the_same_thing() -> None:
    peer = Peer()
    settings = {"model": "gpt-4o", "provider": "openai", "temperature": 0.0}
    assert peer.configure(session="b", **settings) == peer.call("configure_lm", **settings)
    assert model_in(peer).model == model_in(peer, "b").model


def test_answer_and_kept_settings_show_no_secret() -> None:
    peer = Peer()
    base = "https://user:hidden-password@example.org/v1?token=hidden-token"
    answer = peer.call("configure_lm", model="openai/x", api_key=KEY, api_base=base)
    shown = f"{answer} {peer.sessions.get('a').settings['dspy']!r}"
    assert answer["api_base"] == "https://example.org/v1"
    assert not any(secret in shown for secret in (KEY, "hidden-password", "hidden-token"))


def test_embedded_model_tolerates_connection_settings_that_peers_always_send() -> None:
    peer = Peer()
    assert peer.call("configure_lm", model="embedded", api_key=KEY, temperature=0.1)["model"] == "embedded"


def test_sessions_have_models_of_their_own() -> None:
    peer = Peer()
    peer.call("configure_lm", model="openai/one")
    peer.call("configure_lm", model="openai/two", session="b")
    assert (model_in(peer).model, model_in(peer, "b").model) == ("openai/one", "openai/two")
