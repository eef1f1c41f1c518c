"""What old handlers answer: JSON as its encoder of the standard library writes it, failures among it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge_core.errors import HandlerRaisedError

__all__ = ["as_json", "checked"]

_LEAVES = (str, int, float)
# Deeper than results may be nested: from there on they are left as they are, and refused as any other such result.
_DEEPEST = 200


def checked(answer: Any, operation: str) -> Any:
    """Return an answer as JSON.

    Raises:
        HandlerRaisedError: It says that it is an error: `{"status": "error", …}` or `{"success": False, "error": …}`.
    """
    if isinstance(answer, Mapping) and _is_error(answer):
        text = next((str(answer[key]) for key in ("error", "message") if answer.get(key)), "")[:2000]
        kind = next((answer[key] for key in ("error_type", "type") if isinstance(answer.get(key), str)), None)
        details = {"text": text} if kind is None else {"exception": kind, "text": text}
        raise HandlerRaisedError(text or f"{operation} answered that it failed, and not why", **details)
    return as_json(answer)


def _is_error(answer: Mapping[Any, Any]) -> bool:
    return answer.get("status") == "error" or (answer.get("success") is False and "error" in answer)


def as_json(value: Any) -> Any:
    """Return a value with the types that JSON has, where the standard library's encoder would make them of others.

    Tuples become lists, keys become text, subclasses of the plain types become these. What that encoder would
    refuse is left as it is, and so is what refers to itself.
    """
    return _converted(value, {}, 0)


def _converted(value: Any, made: dict[int, Any], depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind in _LEAVES:
        return value
    if isinstance(value, _LEAVES):
        return next(leaf(value) for leaf in _LEAVES if isinstance(value, leaf))
    if not isinstance(value, (dict, list, tuple)) or depth > _DEEPEST:
        return value
    if id(value) in made:  # the same part again: shared, or a cycle, which stays one
        return made[id(value)]
    if isinstance(value, dict):
        members = made[id(value)] = {}
        for key, item in value.items():
            members[_key(key)] = _converted(item, made, depth + 1)
        return members
    items: list[Any] = []
    made[id(value)] = items
    items += [_converted(item, made, depth + 1) for item in value]
    return items


def _key(key: Any) -> Any:
    """Return a key as text, if the standard library's encoder would."""
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return _number(key) if isinstance(key, (int, float)) else key


def _number(key: float) -> str:
    return int.__repr__(key) if isinstance(key, int) else float.__repr__(key)
