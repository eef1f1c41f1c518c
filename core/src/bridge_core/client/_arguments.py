"""Arguments as they are sent: what JSON, or MessagePack, carries as it is, and what names a live object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from bridge_core.errors import InvalidArgumentsError, SerializeFailedError, ValueTooComplexError
from bridge_core.secrets._references import Marked
from bridge_core.serialize import NOT_PLAIN, Serializer, plain

__all__ = ["SentArguments", "dynamic_arguments", "literal_arguments", "names_objects", "plain_arguments"]

_TEXT = frozenset([str])
_MARKS = frozenset(["$ref", "$step"])
Form = Callable[[object], Any]


class SentArguments(dict[str, Any]):
    """Arguments in the form in which they are sent: nothing is left to be done to them."""


def plain_arguments(operation: str, arguments: Mapping[str, Any], *, native: bool) -> dict[str, Any]:
    """Return a copy of the arguments; those that have their form already are returned as they are.

    Args:
        operation: What they are for.
        arguments: By name.
        native: Whether the codec carries bytes and every float.

    Raises:
        InvalidArgumentsError: One of them has no such form; `details.path` says which.
    """
    if type(arguments) is SentArguments:
        return arguments
    given = arguments if type(arguments) is dict else dict(arguments)
    encoded: dict[str, Any] = plain(given)
    if encoded is not NOT_PLAIN:  # as nearly always
        return encoded
    return _sent(operation, given, Serializer(_view if native else _nobody, native=native, tags=False))


def literal_arguments(operation: str, arguments: Mapping[str, Any], *, native: bool) -> SentArguments:
    """Return a copy in which keys that begin with `$` mean what they mean on the wire: `{"$ref": "x"}` is the object.

    Raises:
        InvalidArgumentsError: See `plain_arguments`.
    """
    return SentArguments(_sent(operation, arguments, _MarkedSerializer(_nobody, native=native, literal=True)))


def dynamic_arguments(operation: str, arguments: Mapping[str, Any], form: Form, *, native: bool) -> SentArguments:
    """Return the arguments of an operation that takes live objects; no other value is mistaken for one.

    Args:
        operation: See `plain_arguments`.
        arguments: See `plain_arguments`.
        form: Returns what names a live object, None for what is none.
        native: See `plain_arguments`.

    Raises:
        InvalidArgumentsError: See `plain_arguments`; or `form` refuses an object.
    """
    return SentArguments(_sent(operation, arguments, _MarkedSerializer(form, native=native)))


def names_objects(sent: Any) -> bool:
    """Whether something in arguments as they are sent names a live object."""
    if isinstance(sent, dict):
        return "$value" not in sent and (not _MARKS.isdisjoint(sent) or any(map(names_objects, sent.values())))
    return isinstance(sent, list) and any(map(names_objects, sent))


def _sent(operation: str, arguments: Mapping[str, Any], serializer: Serializer) -> dict[str, Any]:
    given = arguments if type(arguments) is dict else dict(arguments)
    encoded = plain(given)
    if encoded is NOT_PLAIN:
        try:
            encoded = serializer.encode(given)
        except (InvalidArgumentsError, SerializeFailedError, ValueTooComplexError) as exc:
            text = f"{operation}: {exc.message}"
            if isinstance(exc, SerializeFailedError):
                text += "; only JSON values (and bytes) can be arguments yet"
            raise InvalidArgumentsError(text, path=exc.details.get("path", "$")) from exc
    return cast("dict[str, Any]", encoded)


class _MarkedSerializer(Serializer):
    """Sends what names a live object, and data that looks like it as `{"$value": …}`, or with `literal` as it is."""

    def __init__(self, form: Form, *, native: bool, literal: bool = False) -> None:
        view: Callable[[object, object], Any] = _view if native else _nobody
        super().__init__(lambda value, encode: self._named(value, view), native=native, tags=False)
        self._form = form
        self._literal = literal

    def encode(self, value: object) -> Any:
        """Return the form of an argument; see Serializer."""
        if type(value) is dict and _looks_marked(value):
            if self._literal:
                return self._nested(value, self._members)
            return self._nested(value, self._unmarked, levels=2)
        return super().encode(value)

    def _unmarked(self, items: dict[str, Any]) -> Any:
        self._literal = True  # who reads it looks for nothing inside
        try:
            return {"$value": self._members(items)}
        finally:
            self._literal = False

    def _named(self, value: object, view: Callable[[object, object], Any]) -> Any:
        sent = view(value, None)
        if sent is not None:
            return sent
        try:
            form = self._form(value)
        except InvalidArgumentsError as exc:
            raise self._error(InvalidArgumentsError, exc.message) from None
        if form is not None and self._literal:
            text = "an object cannot be sent inside a dict with keys that begin with `$`"
            raise self._error(InvalidArgumentsError, text)
        return form


def _looks_marked(value: dict[Any, Any]) -> bool:
    return set(map(type, value)) == _TEXT and any(key.startswith("$") for key in value)


def _nobody(value: object, encode: object = None) -> Any:
    """Know no objects but secrets."""
    return value.form() if isinstance(value, Marked) else None


def _view(value: object, encode: object) -> Any:
    """Know what else is sent as bytes; it is copied when it is written."""
    if not isinstance(value, memoryview):
        return _nobody(value, encode)
    return value if value.c_contiguous else bytes(value)
