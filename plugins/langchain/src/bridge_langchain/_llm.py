"""The language model of a session: from settings to a chat model of LangChain's."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from msgspec import Meta

from bridge_core import CallContext, Session
from bridge_core.errors import FrameworkUnavailableError, InvalidArgumentsError, NotConfiguredError
from bridge_core.secrets import Credentials, Secrets

from ._errors import Translating

EMBEDDED = "embedded"
_FRAMEWORK = "langchain"
# What people call a provider and LangChain spells otherwise.
_PROVIDERS = {"google": "google_genai", "gemini": "google_genai", "azure": "azure_openai"}
# With a server of one's own these leave the usage out of streams unless they are asked for it.
_ASK_FOR_USAGE = {"openai", "azure_openai"}
_TEXT_LIMIT = 2000


class LanguageModel:
    """A session's language model; the object is private to the session and never leaves the worker."""

    def __init__(self, chat: Any, public: dict[str, Any], secrets: Secrets) -> None:
        self.chat = chat
        """LangChain's chat model, which all calls of the session share, with its pool of connections."""
        self.public = public
        """The effective settings without secrets."""
        self.secrets = secrets


def model_of(session: Session) -> LanguageModel | None:
    """Return the session's language model, or None before it has one."""
    model: LanguageModel | None = session.settings.get(_FRAMEWORK)
    return model


def required_model(session: Session) -> LanguageModel:
    """Return the session's language model.

    Raises:
        NotConfiguredError: It has none.
    """
    model = model_of(session)
    if model is None:
        raise NotConfiguredError("the session has no language model; call langchain.configure_llm first")
    return model


def configure_llm(
    ctx: CallContext,
    *,
    model: Annotated[str, Meta(min_length=1, description='"embedded", or "provider:name" as LangChain spells it')],
    provider: Annotated[str | None, Meta(description="for a model given without it")] = None,
    api_key: Annotated[str | None, Meta(description="the provider's key; default: its environment variable")] = None,
    api_base: Annotated[str | None, Meta(description="base URL of the provider or of a compatible server")] = None,
    temperature: Annotated[float, Meta(ge=0)] | None = None,
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None,
    max_tokens: Annotated[int, Meta(ge=1)] | None = None,
    timeout: Annotated[float, Meta(gt=0, description="seconds to wait for the model's next byte")] | None = None,
) -> dict[str, Any]:
    """Choose the language model that this session's chains and agents use."""
    return use_model(
        ctx.session,
        model=model,
        provider=provider,
        api_key=api_key,
        api_base=api_base,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        timeout=timeout,
    )


def use_model(
    session: Session, *, model: str, provider: str | None, api_key: str | None, api_base: str | None, **settings: Any
) -> dict[str, Any]:
    """Give the session a language model and return the effective settings without secrets.

    Raises:
        InvalidArgumentsError: LangChain refuses the settings; the session's model is the one it was.
        FrameworkUnavailableError: The provider's package is not installed.
        NotConfiguredError: There is no key.
    """
    provider, name = _named(model, provider)
    credentials = Credentials(api_key=api_key, api_base=api_base, environ=os.environ)
    if provider == EMBEDDED:
        from ._embedded import EmbeddedChatModel

        chat: Any = EmbeddedChatModel()
        public = {"model": EMBEDDED, "model_type": EMBEDDED, "model_name": EMBEDDED}
    else:
        given = {key: value for key, value in settings.items() if value is not None}
        chat = _make(provider, name, credentials, given)
        public = {"model": f"{provider}:{name}", "model_type": provider, "model_name": name, **given}
        if credentials.shown_base:
            public["api_base"] = credentials.shown_base
    session.settings[_FRAMEWORK] = LanguageModel(chat, public, credentials.secrets)
    return {"status": "configured", **public}


def _named(model: str, provider: str | None) -> tuple[str, str]:
    """Return provider and name of a model, the provider as LangChain spells it.

    Raises:
        InvalidArgumentsError: One of them is missing.
    """
    if model == EMBEDDED and provider in (None, EMBEDDED):
        return EMBEDDED, EMBEDDED
    # A name may have colons and slashes of its own: only what stands before the first one can be a provider.
    head, *rest = re.split("[:/]", model, maxsplit=1)
    wanted = _spelled(provider if provider else head if rest else "")
    name = rest[0] if rest and _spelled(head) == wanted else model
    if not wanted or not name or wanted == EMBEDDED:
        raise _invalid("$.model", f'expected "{EMBEDDED}", "provider:name" or a name beside `provider`, got {model!r}')
    return wanted, name


def _spelled(provider: str) -> str:
    name = provider.replace("-", "_").lower()
    return _PROVIDERS.get(name, name)


def _make(provider: str, name: str, credentials: Credentials, settings: dict[str, Any]) -> Any:
    """Construct the chat model; this does no I/O, so a wrong name or key shows at the first call."""
    from langchain.chat_models import init_chat_model

    access = {"api_key": credentials.api_key, "base_url": credentials.api_base}
    options = {**settings, **{key: value for key, value in access.items() if value is not None}}
    if provider in _ASK_FOR_USAGE:
        options["stream_usage"] = True
    redact = credentials.secrets.redact
    try:
        with Translating(credentials.secrets):
            # The caller owns retries: it knows the deadline, and hidden ones multiply with its own.
            return init_chat_model(name, model_provider=provider, max_retries=0, **options)
    except ImportError as exc:
        raise FrameworkUnavailableError(redact(str(exc)), framework=_FRAMEWORK, provider=provider) from None
    except (ValueError, TypeError) as exc:
        said = redact(str(exc))[:_TEXT_LIMIT]
        raise _invalid("$", f"LangChain refuses these settings: {said}") from None


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
