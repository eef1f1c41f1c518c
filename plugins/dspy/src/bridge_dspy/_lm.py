"""The language model of a session: from settings to a `dspy.LM`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

import attrs
from msgspec import Meta

from bridge_core import CallContext, Session
from bridge_core.errors import InvalidArgumentsError
from bridge_core.secrets import Credentials, Secrets

from ._embedded import EMBEDDED, AsyncEmbeddedEngine, EmbeddedEngine

_FRAMEWORK = "dspy"
# What people call a provider and DSPy spells otherwise.
_PROVIDERS = {"google": "gemini"}


@attrs.frozen(eq=False, kw_only=True)
class LanguageModel:
    """A session's language model; the object is private to the session and never leaves the worker."""

    lm: Any
    """The `dspy.LM` that all calls of the session share, with its pool of connections."""
    options: dict[str, Any] = attrs.field(repr=False)
    public: dict[str, Any]
    """The effective settings without secrets."""
    secrets: Secrets = attrs.field(repr=False)

    def separate(self) -> Any:
        """Make an equal `dspy.LM` that shares no connection with this one, for a caller who will close it."""
        return _make(self.options, self.secrets)


def model_of(session: Session) -> LanguageModel | None:
    """Return the session's language model, or None before it has one."""
    model: LanguageModel | None = session.settings.get(_FRAMEWORK)
    return model


def configure_lm(
    ctx: CallContext,
    *,
    model: Annotated[str, Meta(min_length=1, description='"embedded", or "provider/name" as DSPy spells it')],
    provider: Annotated[str | None, Meta(description="joined with a model given without it")] = None,
    api_key: Annotated[str | None, Meta(description="the provider's key; default: its environment variable")] = None,
    api_base: Annotated[str | None, Meta(description="base URL of the provider or of a compatible server")] = None,
    api_version: Annotated[str | None, Meta(description="for providers that want one")] = None,
    temperature: Annotated[float, Meta(ge=0)] | None = None,
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None,
    max_tokens: Annotated[int, Meta(ge=1)] | None = None,
    timeout: Annotated[float, Meta(gt=0, description="seconds to wait for the model's next byte")] | None = None,
    cache: Annotated[bool, Meta(description="answer equal requests from DSPy's cache, which is also on disk")] = False,
) -> dict[str, Any]:
    """Choose the language model that this session's programs use."""
    return use_model(
        ctx.session,
        model=model,
        provider=provider,
        api_key=api_key,
        api_base=api_base,
        api_version=api_version,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        timeout=timeout,
        cache=cache,
    )


def use_model(session: Session, **settings: Any) -> dict[str, Any]:
    """Give the session a language model and return the effective settings without secrets.

    Args:
        session: The session.
        settings: Those of `configure_lm`.

    Raises:
        InvalidArgumentsError: DSPy refuses the settings; the session's model is the one it was.
    """
    return _use(session, make_model(**settings))


def use_object(session: Session, config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the session a `dspy.LM` that a dynamic call has made, as `dspy.configure(lm=…)` does.

    Raises:
        InvalidArgumentsError: It is none, or there are other settings.
    """
    import dspy

    lm = config["lm"]
    if not isinstance(lm, dspy.LM):
        raise _invalid("$.lm", f"expected a dspy.LM, got {type(lm).__qualname__}")
    if others := sorted(config.keys() - {"lm"}):
        raise _invalid(f"$.{others[0]}", "unknown beside lm: sessions have their own settings for the rest")
    kept = ("temperature", "top_p", "max_tokens", "timeout", "api_version")
    settings = {name: lm.kwargs[name] for name in kept if lm.kwargs.get(name) is not None}
    access = {name: lm.kwargs.get(name) for name in ("api_key", "api_base")}
    return _use(session, make_model(model=lm.model, provider=None, **access, **settings, cache=lm.cache, lm=lm))


def _use(session: Session, model: LanguageModel) -> dict[str, Any]:
    session.settings[_FRAMEWORK] = model
    return {"status": "configured", **model.public}


def make_model(
    *, model: str, provider: str | None, api_key: str | None, api_base: str | None, lm: Any = None, **settings: Any
) -> LanguageModel:
    """Return a language model and what may be shown of it.

    Args:
        model: As for `configure_lm`, like the next three.
        provider: See there.
        api_key: See there.
        api_base: See there.
        lm: A `dspy.LM` that has these settings, if there is one.
        settings: The others of `configure_lm`.

    Raises:
        InvalidArgumentsError: DSPy refuses the settings.
    """
    full_name = _full_name(model, provider)
    credentials = Credentials(api_key=api_key, api_base=api_base, environ=os.environ)
    access = {"api_key": credentials.api_key, "api_base": credentials.api_base}
    options = {name: value for name, value in {"model": full_name, **access, **settings}.items() if value is not None}
    if full_name == EMBEDDED:
        # It has no connection, and DSPy refuses connection settings beside an engine of one's own.
        options = {"model": full_name, "cache": settings["cache"]}
    made = _make(options, credentials.secrets) if lm is None else lm
    public = _public(options, credentials)
    return LanguageModel(lm=made, options=options, public=public, secrets=credentials.secrets)


def _public(options: dict[str, Any], credentials: Credentials) -> dict[str, Any]:
    """Return the settings that may be shown."""
    provider, _, name = options["model"].partition("/")
    shown = {key: value for key, value in options.items() if key not in ("model", "api_key")}
    if "api_base" in shown:
        shown["api_base"] = credentials.shown_base
    return {"model": options["model"], "model_type": provider, "model_name": name or provider, **shown}


def _full_name(model: str, provider: str | None) -> str:
    """Join provider and model the way DSPy spells them.

    Raises:
        InvalidArgumentsError: They contradict each other, or there is no provider.
    """
    if model == EMBEDDED and provider in (None, EMBEDDED):
        return EMBEDDED
    head, slash, rest = model.partition("/")
    own = _PROVIDERS.get(head, head) if slash else None
    wanted = _PROVIDERS.get(provider, provider) if provider else own
    if own is not None and wanted != own:
        raise _invalid("$.provider", f"{provider!r} contradicts the provider in {model!r}; give one of them")
    name = rest if slash else model
    if not wanted or not name or wanted == EMBEDDED:
        raise _invalid("$.model", f'expected "{EMBEDDED}" or "provider/name", got {model!r}')
    return f"{wanted}/{name}"


def _make(options: dict[str, Any], secrets: Secrets) -> Any:
    """Construct the `dspy.LM`; this does no I/O, so a wrong name or key shows at the first call.

    Raises:
        InvalidArgumentsError: DSPy refuses the settings.
    """
    import dspy

    engines = {}
    if options["model"] == EMBEDDED:
        engines = {"engine": EmbeddedEngine(), "async_engine": AsyncEmbeddedEngine()}
    try:
        # The caller owns retries: it knows the deadline, and hidden ones multiply with its own.
        return dspy.LM(**options, **engines, num_retries=0)
    except (ValueError, TypeError, dspy.LMError) as exc:
        raise _invalid("$", f"DSPy refuses these settings: {secrets.redact(str(exc))}") from None


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
