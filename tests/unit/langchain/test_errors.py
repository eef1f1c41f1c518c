"""Exceptions of providers and of LangChain become errors that say what to do, and show no secret."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest
from langgraph.errors import GraphRecursionError

from bridge_core import BridgeError
from bridge_core.errors import HandlerRaisedError, InvalidArgumentsError
from bridge_core.secrets import Secrets
from bridge_langchain._errors import Translating

KEY = "sk-SECRET-0123456789"


class ProviderError(Exception):
    """What a provider's library of any kind raises when it is answered with an error."""

    def __init__(self, status_code: int, code: str | None = None, **headers: str) -> None:
        super().__init__(f"answered {status_code} to {KEY}")
        self.status_code = status_code
        self.code = code
        self.response = SimpleNamespace(headers={name.replace("_", "-"): value for name, value in headers.items()})


class APITimeoutError(Exception):
    """As OpenAI's and Anthropic's are called."""


class ContextOverflowError(Exception):
    """As LangChain's is called."""

    status_code = 400


class ModelError(Exception):
    """As LangChain's is called."""

    is_retryable = True


def raised(exc: BaseException, *secrets: str) -> BaseException:
    """Raise in a block that translates and return what comes out."""
    with pytest.raises(BaseException) as caught, Translating(Secrets(secrets)):
        raise exc
    return caught.value


@pytest.mark.parametrize(
    ("exc", "reason", "code", "retryable"),
    [
        (ProviderError(400), "LANGCHAIN_LLM_REJECTED", "invalid_argument", False),
        (ProviderError(401), "LANGCHAIN_LLM_AUTH", "unauthenticated", False),
        (ProviderError(403), "LANGCHAIN_LLM_AUTH", "unauthenticated", False),
        (ProviderError(404), "LANGCHAIN_LLM_REJECTED", "invalid_argument", False),
        (ProviderError(408), "LANGCHAIN_LLM_TIMEOUT", "deadline_exceeded", True),
        (ProviderError(409), "LANGCHAIN_LLM_FAILED", "unavailable", True),
        (ProviderError(429), "LANGCHAIN_LLM_RATE_LIMITED", "resource_exhausted", True),
        (ProviderError(429, "insufficient_quota"), "LANGCHAIN_LLM_QUOTA", "resource_exhausted", False),
        (ProviderError(529), "LANGCHAIN_LLM_FAILED", "unavailable", True),
        (ProviderError(400, "context_length_exceeded"), "LANGCHAIN_CONTEXT_EXCEEDED", "invalid_argument", False),
        (ContextOverflowError(), "LANGCHAIN_CONTEXT_EXCEEDED", "invalid_argument", False),
        (APITimeoutError(), "LANGCHAIN_LLM_TIMEOUT", "deadline_exceeded", True),
        (httpx.ReadTimeout("slow"), "LANGCHAIN_LLM_TIMEOUT", "deadline_exceeded", True),
        (httpx.ReadError("gone"), "LANGCHAIN_LLM_FAILED", "unavailable", True),
        (ModelError(), "LANGCHAIN_LLM_FAILED", "unavailable", True),
        (openai.OpenAIError("odd"), "LANGCHAIN_LLM_FAILED", "unavailable", False),
        (GraphRecursionError("limit"), "LANGCHAIN_TURNS_EXCEEDED", "resource_exhausted", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_exception_is_translated_by_what_the_caller_can_do(
    exc: Exception, reason: str, code: str, retryable: bool
) -> None:
    error: Any = raised(exc, KEY)
    assert (error.reason, error.code, error.retryable) == (reason, code, retryable)
    assert KEY not in f"{error} {error.details}"


@pytest.mark.parametrize(
    ("headers", "advice"),
    [({"retry_after": "1.5"}, {"retry_after": 1.5}), ({"retry_after": "Fri, 20 Nov 2026"}, {}), ({}, {})],
)
def test_advice_to_wait_is_passed_on(headers: dict[str, str], advice: dict[str, float]) -> None:
    error: Any = raised(ProviderError(429, **headers))
    assert error.details == {"exception": "ProviderError", "status": 429, **advice}


def test_lost_connection_says_why() -> None:
    lost = httpx.ConnectError("Connection error.")
    lost.__cause__ = OSError("nobody listens")
    assert "nobody listens" in str(raised(lost))


def test_cause_is_kept_unless_there_are_secrets() -> None:
    exc = ProviderError(500)
    assert raised(exc, KEY).__cause__ is None
    assert raised(exc).__cause__ is exc


def test_any_other_exception_that_would_show_a_secret_is_described_without_it() -> None:
    error = raised(RuntimeError(f"with {KEY}"), KEY)
    assert isinstance(error, HandlerRaisedError)
    assert KEY not in f"{error} {error.details}"
    assert (error.__cause__, error.__suppress_context__) == (None, True)


@pytest.mark.parametrize("exc", [RuntimeError("no secret"), InvalidArgumentsError("ours"), KeyboardInterrupt()])
def test_every_other_exception_passes_as_it_is(exc: BaseException) -> None:
    assert raised(exc, KEY) is exc


def test_every_reason_begins_with_the_frameworks_name() -> None:
    from bridge_langchain import _errors

    ours = [kind for kind in vars(_errors).values() if isinstance(kind, type) and kind.__module__ == _errors.__name__]
    reasons = [kind.reason for kind in ours if issubclass(kind, BridgeError)]
    assert len(reasons) == 8
    assert all(reason.startswith("LANGCHAIN_") for reason in reasons)
