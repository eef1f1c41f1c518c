"""How the worker of a framework is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from bridge_core._handlers import parse_arguments
from bridge_core.config import configuration_of
from bridge_core.errors import InvalidArgumentsError, InvalidConfigError

__all__ = ["WorkerSettings", "operator_settings", "settings_by_framework"]


class WorkerSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How to start the worker of one framework."""

    python: str | None = None
    """The interpreter, possibly of another virtual environment; this one if None."""
    environment: dict[str, str | None] = {}
    """Variables set or, with None, removed for the worker."""
    configuration: dict[str, Any] = {}
    """What every new session is configured with."""
    transport: Literal["socket", "stdio"] = "socket"
    codec: Literal["msgpack", "json"] = "msgpack"
    start_timeout: float = 30.0
    """Seconds in which it must greet back."""

    def __repr__(self) -> str:
        """Say whose settings these are, and none of the values: they may be secrets."""
        return f"WorkerSettings(python={self.python!r}, …)"


def settings_by_framework(frameworks: str | Iterable[str] | Mapping[str, Any]) -> dict[str, WorkerSettings]:
    """Return the settings of each framework named, the default framework first.

    Raises:
        InvalidConfigError: There is none, or a setting is wrong; `details.path` says which.
    """
    if isinstance(frameworks, str):
        frameworks = [frameworks]
    if not isinstance(frameworks, Mapping):
        frameworks = {name: {} for name in frameworks}
    if not frameworks:
        raise InvalidConfigError("name at least one framework, as in Bridge('dspy')", path="$")
    return {name: _converted(name, given) for name, given in frameworks.items()}


def operator_settings(**sections: Mapping[str, Any] | None) -> str | None:
    """Return what the operator of the workers decides, as they are told it; None if nothing is decided.

    Raises:
        InvalidConfigError: Something in it is wrong; `details.path` says what.
    """
    given = {name: section for name, section in sections.items() if section is not None}
    if not given:
        return None
    configuration = configuration_of(given)
    return msgspec.json.encode({name: getattr(configuration, name) for name in given}).decode()


def _converted(framework: str, given: Any) -> WorkerSettings:
    try:
        settings: WorkerSettings = parse_arguments(_accept, {"settings": given})["settings"]
    except InvalidArgumentsError as exc:
        path = f"$.{framework}" + str(exc.details["path"]).removeprefix("$.settings")
        what = exc.message.partition(": ")[2]
        known = ", ".join(WorkerSettings.__struct_fields__)
        raise InvalidConfigError(f"{path}: {what}; a worker's settings are {known}", path=path) from None
    return settings


def _accept(*, settings: WorkerSettings) -> None:
    """Have a signature, by which settings are converted."""
