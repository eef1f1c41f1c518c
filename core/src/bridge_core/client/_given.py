"""What callers give to the verbs: arguments in two ways, and seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bridge_core.errors import InvalidArgumentsError

__all__ = ["check_at_once", "merged", "seconds_of", "until_of"]

_FOREVER = 1e9  # seconds; no lock takes more


def merged(arguments: Mapping[str, Any] | None, more: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments that were given as a mapping and those that were given as keywords."""
    if not arguments:
        return more
    if not isinstance(arguments, Mapping):
        raise InvalidArgumentsError(f"$: expected arguments by name, got {arguments!r:.100}", path="$")
    if twice := arguments.keys() & more.keys():
        raise InvalidArgumentsError(
            f"given twice, in the mapping and as a keyword: {', '.join(sorted(twice))}", path="$"
        )
    return {**arguments, **more}


def seconds_of(timeout: float | None, path: str = "$.timeout") -> float | None:
    """Return how many seconds there are; None for no end.

    Raises:
        InvalidArgumentsError: It is no number.
    """
    if timeout is None:
        return None
    given: Any = timeout
    if not isinstance(given, (int, float)) or given != given:
        raise InvalidArgumentsError(f"{path}: expected seconds or None, got {timeout!r}", path=path)
    return None if timeout > _FOREVER else timeout


def until_of(timeout: float | None) -> float | None:
    """Return the deadline that is so many seconds from now; raises as `seconds_of` does."""
    if timeout is None:
        return None
    seconds = seconds_of(timeout)
    return None if seconds is None else time.monotonic() + seconds


def check_at_once(at_once: int) -> None:
    """Refuse to send nothing at a time."""
    if at_once < 1:
        raise InvalidArgumentsError(f"$.at_once: expected 1 or more, got {at_once}", path="$.at_once")
