"""Exceptions of LangChain and of its providers as ours: the one place where they are translated."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from bridge_core import BridgeError
from bridge_core.errors import NotConfiguredError
from bridge_core.secrets import Secrets

_TEXT_LIMIT = 2000


class LangchainLLMFailedError(BridgeError, code="unavailable", reason="LANGCHAIN_LLM_FAILED"):
    """The language model could not be reached or failed; `retryable` says whether it may work later."""


class LangchainLLMTimeoutError(BridgeError, code="deadline_exceeded", reason="LANGCHAIN_LLM_TIMEOUT", retryable=True):
    """The language model did not answer in time."""


class LangchainLLMRateLimitedError(
    BridgeError, code="resource_exhausted", reason="LANGCHAIN_LLM_RATE_LIMITED", retryable=True
):
    """The provider asks for fewer requests; `details.retry_after` has its advice in seconds, if it gave any."""


class LangchainLLMQuotaError(BridgeError, code="resource_exhausted", reason="LANGCHAIN_LLM_QUOTA"):
    """The provider's quota is used up or its bill unpaid; waiting does not help."""


class LangchainLLMAuthError(BridgeError, code="unauthenticated", reason="LANGCHAIN_LLM_AUTH"):
    """The provider refused the credentials."""


class LangchainLLMRejectedError(BridgeError, code="invalid_argument", reason="LANGCHAIN_LLM_REJECTED"):
    """The provider refused the request: a wrong model name, setting or input."""


class LangchainContextExceededError(BridgeError, code="invalid_argument", reason="LANGCHAIN_CONTEXT_EXCEEDED"):
    """The messages are longer than the model's context; shorten the inputs."""


class LangchainTurnsExceededError(BridgeError, code="resource_exhausted", reason="LANGCHAIN_TURNS_EXCEEDED"):
    """The agent has asked the model `max_turns` times and is still not done."""


_OF_STATUS: dict[int, type[BridgeError]] = {
    401: LangchainLLMAuthError,
    403: LangchainLLMAuthError,
    408: LangchainLLMTimeoutError,
    429: LangchainLLMRateLimitedError,
}
# By name: the providers' libraries are not all installed and have no class in common (LangChain's ModelError is younger
# than LangChain 1.0). OpenAI's and Anthropic's come from one generator, and below them is httpx.
_TIMEOUTS = {"APITimeoutError", "ModelTimeoutError", "TimeoutException"}
_CONNECTIONS = {"APIConnectionError", "ModelConnectionError", "TransportError"}
_MODELS = {"ModelError", "OpenAIError", "AnthropicError"}


class Translating:
    """A block that raises what LangChain raises about language models as errors of ours.

    No exception leaves it with a secret: what says nothing of a model passes as it is, unless it would show one.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(exc, Exception) or isinstance(exc, BridgeError):
            return
        translated = _translated(exc, self._secrets)
        if translated is not None:
            # A cause whose text has a secret would show it wherever tracebacks are shown.
            raise translated from (None if self._secrets else exc)
        redacted = self._secrets.redacted(exc)
        if redacted is not None:
            raise redacted from None


def _translated(exc: Exception, secrets: Secrets) -> BridgeError | None:
    """Choose by what the caller can do about it; None for what does not come from a language model."""
    names = {kind.__name__ for kind in type(exc).__mro__}
    status, code = getattr(exc, "status_code", None), getattr(exc, "code", None)
    if "GraphRecursionError" in names:
        return LangchainTurnsExceededError(
            "the agent is not done after `max_turns` turns; allow it more, or ask for less"
        )
    if not isinstance(status, int) and not names & (_MODELS | _TIMEOUTS | _CONNECTIONS):
        return None
    details: dict[str, Any] = {"exception": type(exc).__name__}
    if isinstance(status, int):
        details["status"] = status
    text = secrets.redact(str(exc) if isinstance(status, int) else _explained(exc))[:_TEXT_LIMIT]
    if code == "insufficient_quota":
        return LangchainLLMQuotaError(text, **details)
    if code == "context_length_exceeded" or "ContextOverflowError" in names:
        return LangchainContextExceededError(text, **details)
    if names & _TIMEOUTS:
        return LangchainLLMTimeoutError(text, **details)
    if not isinstance(status, int):
        if "Missing credentials" in text:
            return NotConfiguredError(f"{text} (give api_key to langchain.configure_llm)", **details)
        retryable = bool(names & _CONNECTIONS) or getattr(exc, "is_retryable", False) is True
        return LangchainLLMFailedError(text, retryable=retryable, **details)
    if status >= 500 or status == 409:
        return LangchainLLMFailedError(text, retryable=True, **details)
    return _OF_STATUS.get(status, LangchainLLMRejectedError)(text, **details, **_advice(exc, status))


def _explained(exc: Exception) -> str:
    """Return an exception's text and that of the first cause: the text of a lost connection is no more than that."""
    first: BaseException = exc
    while first.__cause__ is not None:
        first = first.__cause__
    said, why = str(exc), str(first)
    return said if not why or why in said else f"{said} ({why})"


def _advice(exc: Exception, status: int) -> dict[str, Any]:
    """Return the seconds that the provider asks to wait."""
    headers = getattr(getattr(exc, "response", None), "headers", {})
    try:
        return {"retry_after": float(headers["retry-after"])} if status == 429 else {}
    except (KeyError, TypeError, ValueError):  # no advice, or a date
        return {}
