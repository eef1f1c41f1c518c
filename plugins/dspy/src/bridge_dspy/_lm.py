"""The language model of a session: from settings to a `dspy.LM`."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import attrs
from msgspec import Meta

from bridge_core import CallContext, Session
from bridge_core.errors import InvalidArgumentsError

from ._embedded import EMBEDDED, AsyncEmbeddedEngine, EmbeddedEngine
from ._secrets import Secrets, secrets_in_environment, secrets_in_url

_FRAMEWORK = "dspy"
# What people call a provider and DSPy spells otherwise.
_PROVIDERS = {"google": "gemini"}
# In a header they end the request in an error that shows the header.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


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


def use_model(session: Session, *, model: str, provider: str | None, **settings: Any) -> dict[str, Any]:
    """Give the session a language model and return the effective settings without secrets.

    Raises:
        InvalidArgumentsError: DSPy refuses the settings; the session's model is the one it was.
    """
    full_name = _full_name(model, provider)
    given = {name: value for name, value in settings.items() if value is not None}
    for name in ("api_key", "api_base"):
        if not (cleaned := _cleaned(name, given.pop(name, ""))):
            continue  # peers that always send it send "" for none
        given[name] = cleaned
    url = _parsed_url(given.get("api_base"))
    secrets = Secrets({given.get("api_key", ""), *secrets_in_url(url), *secrets_in_environment(os.environ)})
    options = {"model": full_name, **given}
    if full_name == EMBEDDED:
        # It has no connection, and DSPy refuses connection settings beside an engine of one's own.
        options = {"model": full_name, "cache": given["cache"]}
    made = _make(options, secrets)
    public = _public(options, url)
    session.settings[_FRAMEWORK] = LanguageModel(lm=made, options=options, public=public, secrets=secrets)
    return {"status": "configured", **public}


def _public(options: dict[str, Any], url: SplitResult) -> dict[str, Any]:
    """Return the settings that may be shown."""
    provider, _, name = options["model"].partition("/")
    shown = {key: value for key, value in options.items() if key not in ("model", "api_key")}
    if "api_base" in shown:
        shown["api_base"] = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))
    return {"model": options["model"], "model_type": provider, "model_name": name or provider, **shown}


def _cleaned(name: str, value: str) -> str:
    """Return a key or URL without the space around it, which comes with copying.

    Raises:
        InvalidArgumentsError: It has control characters inside; the error does not show it.
    """
    value = value.strip()
    if _CONTROL.search(value):
        raise _invalid(f"$.{name}", "it has control characters, such as a line break, inside")
    return value


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


def _parsed_url(given: str | None) -> SplitResult:
    """Split a URL, so that what is secret in it is known.

    Raises:
        InvalidArgumentsError: It is none; the error does not show it, and neither does it have the parser's words.
    """
    try:
        url = urlsplit(given or "")
        wrong = given is not None and (url.scheme not in ("http", "https") or not url.hostname or url.port == 0)
    except ValueError:
        wrong = True
    if wrong:
        raise _invalid("$.api_base", "expected a URL such as https://host:port/path")
    return url


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
