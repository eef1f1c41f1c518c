"""Arguments as they are sent: what JSON, or MessagePack, carries as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bridge_core.errors import InvalidArgumentsError, SerializeFailedError, ValueTooComplexError
from bridge_core.secrets._references import Marked
from bridge_core.serialize import NOT_PLAIN, Serializer, plain

__all__ = ["plain_arguments"]


def plain_arguments(operation: str, arguments: Mapping[str, Any], *, native: bool) -> dict[str, Any]:
    """Return a copy of the arguments.

    Args:
        operation: What they are for.
        arguments: By name.
        native: Whether the codec carries bytes and every float.

    Raises:
        InvalidArgumentsError: One of them has no such form; `details.path` says which.
    """
    given = arguments if type(arguments) is dict else dict(arguments)
    encoded = plain(given)
    if encoded is NOT_PLAIN:
        try:
            encoded = Serializer(_view if native else _nobody, native=native, tags=False).encode(given)
        except (SerializeFailedError, ValueTooComplexError) as exc:
            text = f"{operation}: {exc.message}"
            if isinstance(exc, SerializeFailedError):
                text += "; only JSON values (and bytes) can be arguments yet"
            raise InvalidArgumentsError(text, path=exc.details.get("path", "$")) from exc
    return cast("dict[str, Any]", encoded)


def _nobody(value: object, encode: object) -> Any:
    """Know no objects but secrets."""
    return value.form() if isinstance(value, Marked) else None


def _view(value: object, encode: object) -> Any:
    """Know what else is sent as bytes; it is copied when it is written."""
    if not isinstance(value, memoryview):
        return _nobody(value, encode)
    return value if value.c_contiguous else bytes(value)
