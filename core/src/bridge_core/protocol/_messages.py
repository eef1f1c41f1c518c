"""The messages, in our own words, and what they look like on the wire.

The wire's own names (`command`, `args`, …) appear in this file only. The classes are msgspec structs because the codecs
encode those fastest; they are values all the same: frozen, keyword-only, compared by content.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from bridge_core.errors import CODES, BridgeError, MalformedMessageError

__all__ = [
    "BadMessage", "Chunk", "ChunkWire", "ErrorInfo", "Event", "Failure", "FromPeer", "FromWorker", "Id", "Message",
    "Negotiation", "OnlyCredit", "OnlyId", "Request", "Response", "StreamCredit", "Tool", "ToolCall", "answerable_id",
    "explain", "is_id", "is_usual", "selected", "to_wire",
]  # fmt: skip

Id: TypeAlias = int | float | str

# About 31 years. More means the same, and no clock or lock has to survive it.
_MOST_TIMEOUT_MS = 1e12

# Ids are echoed in every message about a request: one that fills a frame could not even be refused.
_LONGEST_ID = 1024
_BEYOND = 10**_LONGEST_ID

_CREDIT = "stream_credit"
_NEGOTIATION = "protocol_negotiation"


def _no_arguments() -> dict[str, Any]:
    # Not the plain `dict`: a default made by that is left out of the encoding, and simple workers want to see `args`.
    return {}


class Request(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A peer asks for an operation."""

    id: Id
    operation: str = field(name="command")
    arguments: dict[str, Any] = field(name="args", default_factory=_no_arguments)
    session_id: str = "anonymous"
    framework: str | None = None
    timeout_ms: float | None = None
    stream: bool = False
    stream_window: int | None = None
    """How many chunks the peer takes before it gives credit; None means any number."""
    idempotency_key: str | None = None
    meta: dict[str, Any] | None = field(name="_meta", default=None)


class Response(Struct, kw_only=True, frozen=True):
    """The one answer to a request that went well; `timestamp` is 0.0 if the sender gave none."""

    id: Id
    success: bool = True
    result: Any
    timestamp: float


class ErrorInfo(Struct, kw_only=True, frozen=True):
    """The machine-readable half of an error; the defaults stand for a sender that gave none."""

    code: str = "unknown"
    reason: str = "REMOTE"
    details: dict[str, Any] = {}
    retryable: bool = False


class Failure(Struct, kw_only=True, frozen=True):
    """The one answer to a request that did not go well; `id` is None where no request could be made out."""

    id: Id | None
    success: bool = False
    error: str
    error_info: ErrorInfo
    timestamp: float

    @classmethod
    def of(cls, id: Id | None, exc: BridgeError, timestamp: float) -> Failure:
        """Describe an error of ours to the peer."""
        theirs: Any = exc  # plugins make classes of their own: what they got wrong must not cost the peer its answer
        info = ErrorInfo(
            code=theirs.code if theirs.code in CODES else "unknown",
            reason=str(exc.reason),
            details=dict(theirs.details) if isinstance(theirs.details, dict) else {},
            retryable=exc.retryable is True,
        )
        return cls(id=id, error=str(theirs.message or theirs), error_info=info, timestamp=timestamp)


class Chunk(Struct, kw_only=True, frozen=True):
    """A part of a streamed answer; one `Response` or `Failure` follows the last part."""

    id: Id
    number: int
    payload: Any
    final: bool


class Tool(Struct, kw_only=True, frozen=True):
    """Which of the peer's tools to call, and with what."""

    name: str
    positional: list[Any] = field(name="args", default_factory=list)
    keywords: dict[str, Any] = field(name="kwargs", default_factory=dict)


class ToolCall(Struct, kw_only=True, frozen=True):
    """A worker asks its peer to call a tool; the peer answers with a `Response` or `Failure` of this id (`t-…`)."""

    id: str
    tool: Tool
    request_id: Id
    session_id: str = "anonymous"
    timeout_ms: float | None = None


class Event(Struct, kw_only=True, frozen=True):
    """Something a peer asked in `hello` to be told about."""

    name: str = field(name="event")
    data: Any


class StreamCredit(Struct, kw_only=True, frozen=True):
    """A peer allows so many more chunks of the request with this id."""

    id: Id
    chunks: int


Message: TypeAlias = Request | Response | Failure | Chunk | ToolCall | Event | StreamCredit


class BadMessage(Struct, kw_only=True, frozen=True, eq=False):
    """Something arrived that must be answered with `Failure.of(id, error, …)`; if `fatal`, close after that."""

    id: Id | None
    error: BridgeError
    fatal: bool = False


class Negotiation(Struct, kw_only=True, frozen=True):
    """The older greeting; the connection answers it by itself."""

    supported: list[str]
    preferred: str | None = None


class _ChunkBody(Struct, kw_only=True, frozen=True):
    number: int = field(name="chunk_id")
    payload: Any = None
    final: bool = field(name="is_final", default=False)


class ChunkWire(Struct, kw_only=True, frozen=True):
    """A chunk as it is on the wire."""

    id: Id
    chunk: _ChunkBody


class OnlyId(Struct):
    """As little as must be read of a message to know whom to answer."""

    id: Id | None = None


class OnlyCredit(Struct):
    """What a payload can be decoded into if it is meant as a credit, whatever else is wrong with it."""

    operation: Literal["stream_credit"] = field(name="command")


class _Incoming(Struct, kw_only=True):
    # Only what every kind of message has is typed: what a kind does not know must not make it malformed.
    id: Id | UnsetType | None = UNSET
    success: Any = None
    result: Any = None
    error: Any = None
    error_info: Any = None
    timestamp: Any = None

    def reply(self) -> Response | Failure:
        timestamp = self.timestamp if type(self.timestamp) in (float, int) else 0.0
        if self.success is True:
            return Response(id=self.request_id(), result=self.result, timestamp=timestamp)
        if self.success is not False:
            raise _malformed("$.success", "expected true or false")
        try:
            info = msgspec.convert(self.error_info, ErrorInfo)
        except msgspec.ValidationError:
            info = ErrorInfo()
        text = self.error if isinstance(self.error, str) else "no readable error was given"
        # A worker answers with null what it could not make out; a peer has no reason to.
        request_id = None if self.id is None else self.request_id()
        return Failure(id=request_id, error=text, error_info=info, timestamp=timestamp)

    def request_id(self) -> Id:
        value = self.id
        if not is_id(value):
            raise _malformed("$.id", f"expected a string or a number of at most {_LONGEST_ID} characters")
        return value


class FromPeer(_Incoming):
    """Whatever a worker can receive: one struct for all kinds, so that a frame is decoded once."""

    operation: str | None = field(name="command", default=None)
    arguments: dict[str, Any] | None = field(name="args", default=None)
    session_id: str | None = None
    framework: str | None = None
    timeout_ms: Annotated[float, Meta(ge=0)] | None = None
    stream: bool | None = None
    stream_window: Annotated[int, Meta(ge=0)] | None = None
    idempotency_key: str | None = None
    meta: dict[str, Any] | None = field(name="_meta", default=None)
    type: Any = None
    supported: Any = None
    preferred: Any = None

    def message(self) -> Request | StreamCredit | Response | Failure | Negotiation:
        """Return the message this is.

        Raises:
            MalformedMessageError: It is none.
        """
        operation = self.operation
        if operation is None:
            return self._without_operation()
        if operation == _CREDIT:
            return self._credit()
        timeout = self.timeout_ms
        return Request(
            id=self.request_id(),
            operation=operation,
            arguments={} if self.arguments is None else self.arguments,
            session_id="anonymous" if self.session_id is None else self.session_id,
            framework=self.framework,
            timeout_ms=_MOST_TIMEOUT_MS if timeout is not None and timeout > _MOST_TIMEOUT_MS else timeout,
            stream=self.stream is True,
            stream_window=self.stream_window,
            idempotency_key=self.idempotency_key,
            meta=self.meta,
        )

    def values(self) -> tuple[Any, ...]:
        """Return what may be nested and is not thrown away."""
        return (self.arguments, self.result, self.error_info, self.meta)

    def _without_operation(self) -> Response | Failure | Negotiation:
        if self.success is not None:
            if self.id is None:
                raise _malformed("$.id", "expected a string or a number")
            return self.reply()
        if self.type == _NEGOTIATION:
            try:
                return msgspec.convert({"supported": self.supported, "preferred": self.preferred}, Negotiation)
            except msgspec.ValidationError as exc:
                raise explain(exc) from exc
        raise _malformed("$.command", "expected a string")

    def _credit(self) -> StreamCredit:
        arguments = self.arguments or {}
        stream: Any = arguments.get("id")
        chunks = arguments.get("chunks")
        if not is_id(stream):
            raise _malformed("$.args.id", "expected a string or a number")
        if type(chunks) is not int or chunks < 1:
            raise _malformed("$.args.chunks", "expected an integer, 1 or more")
        return StreamCredit(id=stream, chunks=chunks)


class FromWorker(_Incoming):
    """Whatever a peer can receive: one struct for all kinds, so that a frame is decoded once."""

    chunk: _ChunkBody | None = None
    tool: Tool | None = None
    event: str | None = None
    data: Any = None
    # Of a tool call.
    request: Any = field(name="request_id", default=None)
    session_id: Any = None
    timeout_ms: Any = None

    def message(self) -> Response | Failure | Chunk | ToolCall | Event:
        """Return the message this is.

        Raises:
            MalformedMessageError: It is none.
        """
        if self.success is not None:
            return self.reply()
        if self.chunk is not None:
            body = self.chunk
            return Chunk(id=self.request_id(), number=body.number, payload=body.payload, final=body.final)
        if self.tool is not None:
            return self._tool_call()
        if self.event is not None:
            return Event(name=self.event, data=self.data)
        raise _malformed("$", "expected `success`, `chunk`, `tool` or `event`")

    def values(self) -> tuple[Any, ...]:
        """Return what may be nested and is not thrown away."""
        payload = None if self.chunk is None else self.chunk.payload
        tool = () if self.tool is None else (self.tool.positional, self.tool.keywords)
        return (self.result, self.error_info, self.data, payload, *tool)

    def _tool_call(self) -> ToolCall:
        fields = {"id": self.id, "tool": self.tool, "request_id": self.request, "timeout_ms": self.timeout_ms}
        if self.session_id is not None:
            fields["session_id"] = self.session_id
        try:
            return msgspec.convert(fields, ToolCall)
        except msgspec.ValidationError as exc:
            raise explain(exc) from exc


def to_wire(message: Message) -> object:
    """Return what a codec must encode for the message."""
    if type(message) is Chunk:
        body = _ChunkBody(number=message.number, payload=message.payload, final=message.final)
        return ChunkWire(id=message.id, chunk=body)
    if type(message) is StreamCredit:
        return {"command": _CREDIT, "args": {"id": message.id, "chunks": message.chunks}}
    return message


def selected(codec: str) -> dict[str, str]:
    """Return the answer to the older greeting."""
    return {"type": "protocol_selected", "protocol": codec}


def is_usual(request: Request) -> bool:
    """Whether a request that was decoded as such holds nothing that only `FromPeer` looks at."""
    if request.operation == _CREDIT or request.stream_window is not None:
        return False
    timeout = request.timeout_ms
    return is_id(request.id) and (timeout is None or 0 <= timeout <= _MOST_TIMEOUT_MS)


def answerable_id(message: FromPeer | FromWorker) -> Id | None:
    """Return the id under which a bad message is answered, None if it has none that is one."""
    # A credit has no answer, and the id beside it may be that of an open request, whose only answer this must not be.
    if isinstance(message, FromPeer) and message.operation == _CREDIT:
        return None
    value: Any = message.id
    return value if is_id(value) else None


def is_id(value: object) -> TypeGuard[Id]:
    """Whether the value can be the id of a request: a string or a number that JSON can express, and not too long."""
    if isinstance(value, int):
        return type(value) is int and -_BEYOND < value < _BEYOND
    if isinstance(value, str):
        return len(value) <= _LONGEST_ID
    return isinstance(value, float) and math.isfinite(value)


_EXPECTED = {
    "$": "an object",
    "$.id": "a string or a number",
    "$.command": "a string",
    "$.args": "an object",
    "$.timeout_ms": "a number, 0 or more",
    "$.stream": "true or false",
    "$.stream_window": "an integer, 0 or more",
    "$._meta": "an object",
}


def explain(error: Exception) -> MalformedMessageError:
    """Say in our own words why something could not be decoded, with the path where the decoder knows it."""
    if not isinstance(error, msgspec.ValidationError):
        return MalformedMessageError(f"the frame holds no message: {error}")
    text, _, where = str(error).partition(" - at ")
    path = "$" + where.rpartition("`$")[2].rstrip("`")
    got = re.search(r", got (`.*`)", text)
    if where.startswith("`key`"):
        return _malformed(path, f"{text[0].lower()}{text[1:]} as a key")
    if text.startswith("Expected") and path in _EXPECTED:
        return _malformed(path, f"expected {_EXPECTED[path]}{f', got {got[1]}' if got else ''}")
    return _malformed(path, f"{text[0].lower()}{text[1:]}")


def _malformed(path: str, what: str) -> MalformedMessageError:
    return MalformedMessageError(f"{path}: {what}", path=path)
