"""What an operator decides, as `bridge.toml` says it: strict, so that a misspelt key is an error, not a surprise."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from ._handlers import parse_arguments
from .errors import InvalidArgumentsError, InvalidConfigError

__all__ = [
    "Configuration", "FrameworkSettings", "LimitSettings", "PolicySettings", "SecretSettings", "configuration_of",
    "read_configuration",
]  # fmt: skip

_Entry = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*(\.\*)?\Z")]
_Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z")]
_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(gt=0)]
_ENTRY_RULE = "expected a dotted name, perhaps with `.*` at its end; `allow_any = true` allows everything"
_VARIABLE_RULE = "expected the name of an environment variable: letters, digits and underscores, no digit in front"
_ANY_FRAMEWORK = "$.frameworks[...]"


class PolicySettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[policy]`: what dynamic calls may reach, besides the callables that plugins vouch for."""

    allow: tuple[_Entry, ...] = ()
    """Modules: `NAME` is that module, `NAME.*` its submodules too. A single callable may be named as well."""
    deny: tuple[_Entry, ...] = ()
    """Modules and callables, written alike, that stay out whatever allows them."""
    allow_any: bool = False
    """Whether any module may be imported and any callable called: a peer may then do what the worker's user may."""
    resolve_strings: bool = False
    """Whether `"stored.<id>"` in arguments means the object also for peers that said hello."""


class SecretSettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[secrets]`: what peers may refer to without seeing it."""

    env: tuple[_Variable, ...] = ()
    """The only environment variables that a peer may name as `{"$env": NAME}`."""


class LimitSettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[limits]`: how much one peer may hold."""

    max_frame_bytes: _Count = 64 * 1024 * 1024
    max_objects_per_session: _Count = 1000
    max_sessions: _Count = 10_000
    session_ttl: _Seconds | None = 3600.0
    """Seconds without a request after which a session expires; None (JSON's null) or `inf` for never."""
    object_ttl: _Seconds | None = None
    """Seconds after its last use when an object is released; None for never."""
    evict: bool = False
    """Whether a full session releases the object that was not used for longest, instead of refusing another one."""


class FrameworkSettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[frameworks.NAME]`: what concerns one framework."""

    distribution: str | None = None
    """Which distribution's plugin to take where several claim the name."""
    configuration: dict[str, Any] = field(default_factory=dict)
    """What every new session is configured with; may have `{"$env": NAME}` and `{"$file": PATH}` in place of values."""


class Configuration(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """All of `bridge.toml`."""

    default: str | None = None
    """The framework meant when a request names none."""
    policy: PolicySettings = PolicySettings()
    secrets: SecretSettings = SecretSettings()
    limits: LimitSettings = LimitSettings()
    frameworks: dict[str, FrameworkSettings] = {}


def read_configuration(source: str) -> Configuration:
    """Return the configuration in a file (TOML, or JSON if its name ends so) or, if it begins with `{`, in JSON itself.

    Raises:
        InvalidConfigError: It cannot be read, or something in it is wrong; `details.path` says what.
    """
    if source.lstrip().startswith("{"):
        return configuration_of(_parsed_json(source, "the configuration"))
    try:
        with open(source, encoding="utf-8-sig") as file:  # as editors on Windows write it
            text = file.read()
    except (OSError, ValueError) as exc:
        raise InvalidConfigError(f"{source!r} cannot be read: {exc}", path="$") from None
    given = _parsed_json(text, source) if source.endswith(".json") else _parsed_toml(text, source)
    return configuration_of(given, source=source)


def configuration_of(given: Mapping[str, Any], *, source: str | None = None) -> Configuration:
    """Return a configuration given as plain data.

    Raises:
        InvalidConfigError: Something in it is wrong; `details.path` says what.
    """
    try:
        configuration: Configuration = parse_arguments(_accept, {"configuration": given})["configuration"]
    except InvalidArgumentsError as exc:
        path = "$" + str(exc.details["path"]).removeprefix("$.configuration")
        what = exc.message.partition(": ")[2]
        where = f"{source}: " if source else ""
        if "regex" in what:
            what = _VARIABLE_RULE if path.startswith("$.secrets") else _ENTRY_RULE
        if path.startswith(_ANY_FRAMEWORK):
            path = f"$.frameworks.{_wrong_framework(given['frameworks'])}{path.removeprefix(_ANY_FRAMEWORK)}"
        raise InvalidConfigError(f"{where}{path}: {what}", path=path) from None
    return configuration


def _wrong_framework(given: Mapping[str, Any]) -> str:
    """Return the first framework whose settings do not convert: msgspec names no keys in its paths."""
    for name, settings in given.items():
        try:
            msgspec.convert(settings, FrameworkSettings)
        except msgspec.ValidationError:
            return name
    return "NAME"  # the name itself is no text


def _parsed_json(text: str, source: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InvalidConfigError(f"{source} is not JSON: {exc}", path="$") from None


def _parsed_toml(text: str, source: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib  # only for who has such a file
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidConfigError(f"{source} is not TOML: {exc}", path="$") from None


def _accept(*, configuration: Configuration) -> None:
    """Have a signature, by which the configuration is converted."""
