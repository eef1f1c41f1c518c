"""Operations: handlers whose signatures have been compiled into strict converters and schemas."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ._context import CallContext
from .errors import InvalidArgumentsError
from .hookspecs import Cancellable, Handler

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["Operation", "Place", "Signature", "parse_arguments"]

Place: TypeAlias = Literal["main", "thread", "async", "reader"]
"""Where an operation runs; "reader" is for the worker's own, which run no plugin code and never wait."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]+)`")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)


class Signature(msgspec.Struct, frozen=True, eq=False):
    """A handler's parameters as one msgspec type: what converts arguments and describes them."""

    wants_context: bool
    tolerant: bool
    """Whether unknown arguments are passed on, for handlers with `**extra`."""
    arguments: type[msgspec.Struct]
    known: frozenset[str]
    schemas: Mapping[str, Any]
    """The JSON Schemas of the `arguments` and of the `result`."""

    @classmethod
    def of(cls, handler: Handler) -> Signature:
        """Compile a handler's signature.

        Raises:
            TypeError: It cannot be a schema; the message says which parameter and why.
        """
        where = getattr(handler, "__qualname__", repr(handler))
        parameters = list(inspect.signature(handler).parameters.values())
        wants_context = bool(parameters) and parameters[0].kind in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        try:
            hints = typing.get_type_hints(handler, include_extras=True)
        except NameError as exc:
            raise TypeError(f"{where}: {exc}; its annotations must be importable at run time") from exc
        fields: list[Any] = []
        tolerant = False
        for parameter in parameters[wants_context:]:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                tolerant = True
                continue
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                raise TypeError(f"{where}: parameter {parameter.name!r} must be keyword-only (put it behind `*`)")
            if parameter.name not in hints:
                raise TypeError(f"{where}: parameter {parameter.name!r} has no annotation")
            field = (parameter.name, hints[parameter.name])
            fields.append(field if parameter.default is inspect.Parameter.empty else (*field, parameter.default))
        arguments = msgspec.defstruct(
            f"{where.rpartition('.')[2]}_arguments", fields, kw_only=True, forbid_unknown_fields=not tolerant
        )
        try:
            schemas = {"arguments": _schema(arguments)}
        except TypeError as exc:
            raise TypeError(f"{where}: a parameter's type has no JSON form: {exc}") from exc
        try:
            schemas["result"] = _schema(hints.get("return", Any))
        except TypeError:  # a framework's own class: bridge_serialize_result knows its form, the annotation does not
            schemas["result"] = {}
        return cls(wants_context, tolerant, arguments, frozenset(name for name, *_ in fields), schemas)

    def parse(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Convert a peer's arguments strictly.

        Raises:
            InvalidArgumentsError: They do not fit; the message begins with the path.
        """
        try:
            parsed = msgspec.structs.asdict(msgspec.convert(arguments, self.arguments))
        except msgspec.ValidationError as exc:
            raise _invalid(str(exc), self.known) from None
        if self.tolerant:
            parsed.update((name, arguments[name]) for name in arguments.keys() - self.known)
        return parsed


def _schema(kind: Any) -> dict[str, Any]:
    """Return a JSON Schema without references: keys beginning with `$` mean something else on our wire."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    inlined: dict[str, Any] = _inlined(schema, components, ())
    return inlined


def _inlined(schema: Any, components: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_inlined(one, components, inside) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _inlined(value, components, inside) for key, value in schema.items() if key != "$ref"}
    name = schema.get("$ref")
    if name is None:
        return plain
    if name in inside:  # a type that contains itself is described once
        return {"title": name, **plain}
    return {**_inlined(components[name], components, (*inside, name)), **plain}


def _invalid(message: str, known: frozenset[str]) -> InvalidArgumentsError:
    """Say where the arguments are wrong first, then what is wrong and what would be right."""
    match = _WHERE.match(message)
    assert match is not None  # the pattern matches every text
    what, path = match["what"], match["path"] or "$"
    if missing := _MISSING.fullmatch(what):
        path, what = f"{path}.{missing['field']}", "required, but missing"
    elif unknown := _UNKNOWN.fullmatch(what):
        hint = f"; known are: {', '.join(sorted(known)) or 'none'}" if path == "$" else ""
        path, what = f"{path}.{unknown['field']}", f"unknown{hint}"
    else:
        what = what[0].lower() + what[1:]
    return InvalidArgumentsError(f"{path}: {what}", path=path)


_signature_of = functools.lru_cache(maxsize=256)(Signature.of)


def parse_arguments(handler: Handler, arguments: Mapping[str, Any], /) -> dict[str, Any]:
    """Convert a mapping by a handler's signature, so that `bridge_configure` need not describe it again.

    Raises:
        InvalidArgumentsError: They do not fit; `details.path` says where.
    """
    return _signature_of(handler).parse(arguments)


class Operation(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A named thing that a peer can ask for."""

    framework: str | None
    """None for the worker's own operations."""
    name: str
    handler: Handler
    signature: Signature
    summary: str
    streaming: bool
    idempotent: bool
    stateless: bool
    configures: bool
    refers: bool
    """Whether what has no form in its result is kept in the session and referred to."""
    runs: Place
    cancellable: Cancellable
    full_name: str
    """`framework.name`, or the bare name of one of the worker's own operations."""

    @classmethod
    def of(
        cls,
        framework: str | None,
        name: str,
        handler: Handler,
        *,
        streaming: bool = False,
        idempotent: bool = False,
        stateless: bool = False,
        configures: bool = False,
        refers: bool = False,
        runs: Place | None = None,
        cancellable: Cancellable | None = None,
        summary: str | None = None,
    ) -> Operation:
        """Compile one registration.

        Raises:
            TypeError: The name, the signature or the combination of options is wrong.
        """
        if not _NAME.fullmatch(name):
            raise TypeError(f"operation {name!r}: a name is a lower-case identifier such as 'create_program'")
        is_async = inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler)
        runs = runs or ("async" if is_async else "main")
        places = ("async",) if is_async else ("main", "thread") if framework else ("main", "thread", "reader")
        if runs not in places:
            raise TypeError(f"operation {name!r}: runs={runs!r}, but this handler can run only in: {', '.join(places)}")
        cancellable = cancellable or ("python" if runs == "main" else "cooperative")
        if cancellable not in typing.get_args(Cancellable) or (cancellable == "python" and runs != "main"):
            raise TypeError(f"operation {name!r}: cancellable={cancellable!r} does not fit runs={runs!r}")
        summary = summary or (inspect.getdoc(handler) or "").partition("\n")[0]
        if not summary or not isinstance(summary, str):
            raise TypeError(f"operation {name!r}: give its handler a one-line docstring; peers see it as help")
        return cls(
            framework=framework,
            name=name,
            handler=handler,
            signature=Signature.of(handler),
            summary=summary,
            streaming=streaming,
            idempotent=idempotent,
            stateless=stateless,
            configures=configures,
            refers=refers,
            runs=runs,
            cancellable=cancellable,
            full_name=f"{framework}.{name}" if framework else name,
        )

    def call(self, ctx: CallContext, parsed: Mapping[str, Any]) -> Any:
        """Call the handler with arguments that `signature.parse` gave; an `async def` returns its coroutine."""
        return self.handler(ctx, **parsed) if self.signature.wants_context else self.handler(**parsed)

    def describe(self) -> dict[str, Any]:
        """Return name, summary, properties and schemas as a peer gets them."""
        return {
            "name": self.full_name,
            "summary": self.summary,
            "streaming": self.streaming,
            "idempotent": self.idempotent,
            "stateless": self.stateless,
            "configures": self.configures,
            "runs": self.runs,
            **self.signature.schemas,
        }
