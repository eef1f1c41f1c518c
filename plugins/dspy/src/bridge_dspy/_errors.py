"""DSPy's exceptions as ours: the one place where they are translated."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import attrs

from bridge_core import BridgeError
from bridge_core.errors import NotConfiguredError
from bridge_core.secrets import Secrets

_TEXT_LIMIT = 2000


class DspyLMFailedError(BridgeError, code="unavailable", reason="DSPY_LM_FAILED"):
    """The language model could not be reached or failed; `retryable` says whether it may work later."""


class DspyLMTimeoutError(BridgeError, code="deadline_exceeded", reason="DSPY_LM_TIMEOUT", retryable=True):
    """The language model did not answer in time."""


class DspyLMRateLimitedError(BridgeError, code="resource_exhausted", reason="DSPY_LM_RATE_LIMITED", retryable=True):
    """The provider asks for fewer requests; `details.retry_after` has its advice in seconds, if it gave any."""


class DspyLMQuotaError(BridgeError, code="resource_exhausted", reason="DSPY_LM_QUOTA"):
    """The provider's quota is used up or its bill unpaid; waiting does not help."""


class DspyLMAuthError(BridgeError, code="unauthenticated", reason="DSPY_LM_AUTH"):
    """The provider refused the credentials."""


class DspyLMRejectedError(BridgeError, code="invalid_argument", reason="DSPY_LM_REJECTED"):
    """The provider, or DSPy for it, refused the request: a wrong model name, setting or input."""


class DspyContextExceededError(BridgeError, code="invalid_argument", reason="DSPY_CONTEXT_EXCEEDED"):
    """The prompt is longer than the model's context; shorten the inputs."""


class DspyParseFailedError(BridgeError, code="unknown", reason="DSPY_PARSE_FAILED"):
    """The model answered, but the answer does not have the signature's fields in their types."""


@attrs.frozen(eq=False)
class Translating:
    """A block that raises what DSPy raises about language models and their answers as errors of ours.

    No exception leaves it with a secret: what is no error of DSPy's passes as it is, unless it would show one.
    """

    secrets: Secrets

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        from dspy.utils.exceptions import AdapterParseError, LMError

        # A cause whose text has a secret would show it wherever tracebacks are shown.
        cause = None if self.secrets else exc
        if isinstance(exc, LMError):
            raise _translated(exc, self.secrets.redact(str(exc))[:_TEXT_LIMIT]) from cause
        if isinstance(exc, AdapterParseError):
            raise _unparsed(exc, self.secrets) from cause
        if isinstance(exc, Exception) and not isinstance(exc, BridgeError):
            redacted = self.secrets.redacted(exc)
            if redacted is not None:
                raise redacted from None


def _translated(exc: Any, text: str) -> BridgeError:
    """Choose by what the caller can do about it."""
    import dspy
    from dspy.utils import exceptions as theirs

    details: dict[str, Any] = {"exception": type(exc).__name__}
    if exc.status is not None:
        details["status"] = exc.status
    # Providers that DSPy reaches through litellm report these two as passing faults; they are not.
    if isinstance(exc, theirs.LMBillingError) or "insufficient_quota" in f"{exc.provider_code} {text}":
        return DspyLMQuotaError(text, **details)
    if isinstance(exc, theirs.LMNotConfiguredError) or "Missing credentials" in text:
        return NotConfiguredError(f"{text} (give api_key to dspy.configure_lm)", **details)
    if isinstance(exc, theirs.LMRateLimitError):
        advice = {} if exc.retry_after is None else {"retry_after": exc.retry_after}
        return DspyLMRateLimitedError(text, **details, **advice)
    for kind, ours in (
        (theirs.LMAuthError, DspyLMAuthError),
        (theirs.LMTimeoutError, DspyLMTimeoutError),
        (theirs.ContextWindowExceededError, DspyContextExceededError),
        (theirs.LMInvalidRequestError, DspyLMRejectedError),
        (theirs.LMUnsupportedFeatureError, DspyLMRejectedError),
        (theirs.LMConfigurationError, DspyLMRejectedError),
    ):
        if isinstance(exc, kind):
            return ours(text, **details)
    return DspyLMFailedError(text, retryable=dspy.is_retryable_lm_error(exc), **details)


def _unparsed(exc: Any, secrets: Secrets) -> DspyParseFailedError:
    expected = list(exc.signature.output_fields)
    names = ", ".join(expected)
    return DspyParseFailedError(
        f"the model's answer does not have {names} in the signature's types; try another model or signature",
        expected=expected,
        answer=secrets.redact(str(exc.lm_response))[:_TEXT_LIMIT],
    )
