"""How old handlers want to be called: with one dict, as a rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from bridge_core._context import CallContext
from bridge_core.errors import InvalidArgumentsError

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Call", "call_of"]

Call: TypeAlias = Callable[[CallContext, "dict[str, Any]"], Any]
_SESSION = "session_id"
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def call_of(handler: Callable[..., Any]) -> Call:
    """Return a function that calls a handler with a call's context and arguments, by what its signature has:

    * one parameter, or further ones with defaults: `handler(arguments)`;
    * the same and `session_id`: `handler(arguments, session_id=…)`;
    * two or more without defaults, or only keyword-only ones or `**kwargs`: `handler(**arguments)`;
    * none: `handler()`.

    Raises:
        TypeError: It needs something else.
    """
    try:
        parameters = list(inspect.signature(handler).parameters.values())
    except ValueError:  # written in C, and its signature cannot be had
        return lambda ctx, arguments: handler(arguments)
    positional = [one for one in parameters if one.kind in _POSITIONAL]
    names = [one.name for one in parameters]
    needed = [one for one in positional if one.default is Parameter.empty and one.name != _SESSION]
    first = bool(positional) or any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    if len(needed) > 1 or (not first and parameters):
        return _by_name(handler, parameters)
    if not parameters:
        return lambda ctx, arguments: handler()
    if strange := [one.name for one in parameters if _is_needed(one)]:
        raise TypeError(f"nobody gives its keyword-only parameter {strange[0]!r}; give it a default")
    if _SESSION in names[1:]:
        return lambda ctx, arguments: handler(arguments, session_id=ctx.session.id)
    return lambda ctx, arguments: handler(arguments)


def _is_needed(parameter: Parameter) -> bool:
    return (
        parameter.kind is Parameter.KEYWORD_ONLY and parameter.default is Parameter.empty and parameter.name != _SESSION
    )


def _by_name(handler: Callable[..., Any], parameters: list[Parameter]) -> Call:
    signature = inspect.signature(handler)
    if nameless := [one.name for one in parameters if one.kind is Parameter.POSITIONAL_ONLY]:
        raise TypeError(f"its parameter {nameless[0]!r} cannot be given by name; take one dict instead")
    takes_session = any(one.name == _SESSION for one in parameters)

    def call(ctx: CallContext, arguments: dict[str, Any]) -> Any:
        given = {_SESSION: ctx.session.id, **arguments} if takes_session else arguments
        try:
            signature.bind(**given)
        except TypeError as exc:
            raise InvalidArgumentsError(f"$: {exc}", path="$") from None
        return handler(**given)

    return call
