"""One end of a connection as a state machine: bytes in, messages out, bytes to send out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bridge_core.errors import (
    BridgeError,
    DuplicateIdError,
    FrameTooLargeError,
    InternalError,
    MalformedMessageError,
    ResultTooLargeError,
    TooManyInFlightError,
    TruncatedFrameError,
    ValueTooComplexError,
)

from ._bounds import check_depth
from ._codecs import CODECS, JSON, MSGPACK, UNDECODABLE, detect
from ._frames import HEADER_SIZE, FrameDecoder, fill_in_header
from ._limits import Limits
from ._messages import (
    BadMessage,
    Chunk,
    Event,
    Failure,
    FromPeer,
    FromWorker,
    Negotiation,
    Request,
    Response,
    StreamCredit,
    ToolCall,
    answerable_id,
    explain,
    selected,
    to_wire,
)
from ._usual import Usual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._codecs import Codec
    from ._frames import Buffer
    from ._messages import Id, Message

__all__ = ["Connection"]

Role: TypeAlias = Literal["worker", "peer"]

# How JSON objects begin; no message in MessagePack does.
_TEXT = (b"{", b" ", b"\t", b"\r", b"\n")
_ANSWER = "answer"  # to the older greeting
_AS_THEY_ARE = frozenset({Request, Response})
_SENDS: dict[str, frozenset[type]] = {
    "worker": frozenset({Response, Failure, Chunk, ToolCall, Event}),
    "peer": frozenset({Request, StreamCredit, Response, Failure}),
}


class Connection:
    """What one end of a connection knows: the codec, the requests that are open, what the other end asked for.

    It does no I/O. One thread receives (`receive_data`, `next_message`, `data_to_send`, `accept_hello`); any thread may
    `send`: what both sides touch are single operations on a set or an attribute, which the GIL makes atomic.

    Args:
        role: "worker" receives requests and answers them; "peer" sends them.
        codec: "json", "msgpack", or "auto": the first frame that arrives decides, JSON until then.
    """

    def __init__(self, role: Role, *, limits: Limits | None = None, codec: str = "json") -> None:
        self._limits = Limits() if limits is None else limits
        # A level costs at least a byte, and so does a value.
        self._harmless = min(self._limits.max_depth, self._limits.max_nodes)
        self._is_worker = role == "worker"
        self._sends = _SENDS[role]
        self._frames = FrameDecoder(self._limits.max_frame_bytes)
        self._undecided = codec == "auto"
        self._use(JSON if self._undecided else CODECS[codec])
        self._first = True
        self._greeting: dict[str, bytearray] = {}
        self._open: set[Id] = set()
        self._wants: frozenset[str] = frozenset()
        self._safe_integers = False
        self._resolve_strings = True

    @property
    def codec(self) -> str:
        """The name of the codec in use."""
        return self._codec.name

    @property
    def open_ids(self) -> frozenset[Id]:
        """The ids of requests that were received and not yet answered (role worker)."""
        return frozenset(self._open)

    @property
    def wants(self) -> frozenset[str]:
        """The events that the peer asked for in its hello."""
        return self._wants

    @property
    def safe_integers(self) -> bool:
        """Whether the peer has said in its hello that it reads numbers as 64-bit floats."""
        return self._safe_integers

    @property
    def resolve_strings(self) -> bool:
        """Whether `stored.<id>` in arguments means the object: unless the peer has said hello, and not asked for it."""
        return self._resolve_strings

    @property
    def closed(self) -> bool:
        """Whether no message can come any more: the framing is lost, or the stream ended and all was taken."""
        return self._frames.exhausted

    @property
    def idle(self) -> bool:
        """Whether there is no message before more has been received: `next_message` would return None."""
        return self._frames.empty

    def accept_hello(
        self, *, want: Iterable[str] = (), safe_integers: bool = False, resolve_strings: bool = False
    ) -> None:
        """Remember what a peer asked for in a hello that is being answered."""
        self._wants = frozenset(want)
        self._safe_integers = safe_integers
        self._resolve_strings = resolve_strings

    def receive_data(self, data: Buffer | memoryview) -> None:
        """Take in what was read; nothing read (`b""`) is the end of the stream."""
        self._frames.receive_data(data)

    def next_message(self) -> Message | BadMessage | None:
        """Return the next message, or None until more has been received.

        Call `data_to_send` after it, before the message is acted on.
        """
        while True:
            try:
                payload = self._frames.next_frame()
            except (FrameTooLargeError, TruncatedFrameError) as exc:
                return BadMessage(id=None, error=exc.with_traceback(None), fatal=True)
            if payload is None:
                return None
            message = self._receive_first(payload) if self._first else self._decoded(payload)
            if isinstance(message, Request):
                return self._opened(message)
            if isinstance(message, Negotiation):
                return BadMessage(
                    id=None, error=MalformedMessageError("only the first message can negotiate the codec")
                )
            if message is not None:
                return message

    def data_to_send(self) -> Buffer:
        """Return what the protocol itself has to say (the answer to the older greeting), and forget it."""
        return self._greeting.pop(_ANSWER, b"")  # atomic: of two threads one gets it

    def send(self, message: Message, *, closes: bool = True) -> Buffer:
        """Return the message as one frame; as a worker, an answer closes its request.

        Args:
            closes: False for the answer to a `BadMessage`: it leaves alone what is open under the same id.

        Raises:
            ResultTooLargeError: An answer or chunk is longer than a frame may be; its request stays open.
            FrameTooLargeError: The same for any other message; nothing was sent.
            SerializeFailedError: The codec cannot express something in it; its request stays open.
            InternalError: This end does not send such messages, or the request is not open (any more).
        """
        kind = type(message)
        if kind not in self._sends:
            raise InternalError(f"this end of a connection does not send a {kind.__name__}")
        if not self._is_worker:
            return self._frame(message)
        about: Any = message  # of one of the kinds that have an id, where that is looked at
        if kind is ToolCall and not about.id.startswith("t-"):
            raise InternalError(f"the id of a tool call begins with 't-', not {about.id!r}")
        answers = closes and (kind is Response or kind is Failure)
        if (answers or kind is Chunk) and about.id not in self._open:
            raise _not_open(about)
        frame = self._frame(message)
        if answers:
            try:
                self._open.remove(about.id)  # not `discard`: of two threads that answer, one must fail
            except KeyError:
                raise _not_open(about) from None
        # Usually empty. Here so that nothing can overtake the answer to the greeting.
        return self.data_to_send() + frame if self._greeting else frame

    def _frame(self, message: Message) -> bytearray:
        frame = self._codec.encode(message if type(message) in _AS_THEY_ARE else to_wire(message))
        limit = self._limits.max_frame_bytes
        size = len(frame) - HEADER_SIZE
        if size > limit and isinstance(message, (Response, Failure, Chunk)):
            raise ResultTooLargeError(
                f"the result is {size} bytes long, a frame holds at most {limit}", size=size, limit=limit
            )
        fill_in_header(frame, limit)
        return frame

    def _use(self, codec: Codec) -> None:
        self._codec = codec
        self._decode: Callable[[Buffer], FromPeer | FromWorker]
        self._decode = codec.decoder(FromPeer) if self._is_worker else codec.decoder(FromWorker)
        self._usual = Usual(codec, at_worker=self._is_worker)

    def _opened(self, request: Request) -> Request | BadMessage:
        error: BridgeError
        if request.id in self._open:
            error = DuplicateIdError(f"a request with the id {request.id!r} is still open", id=request.id)
        elif len(self._open) >= self._limits.max_in_flight:
            limit = self._limits.max_in_flight
            error = TooManyInFlightError(f"{limit} requests are open; wait for answers first", limit=limit)
        else:
            self._open.add(request.id)
            return request
        return BadMessage(id=request.id, error=error)

    def _receive_first(self, payload: Buffer) -> Message | BadMessage | None:
        """Decode the payload that may decide the codec; None if it was the greeting, which has been answered."""
        self._first = False
        configured = self._codec
        if self._undecided:
            self._use(detect(payload))
        elif configured is MSGPACK and payload[:1] in _TEXT:
            self._use(JSON)  # it can only be the older greeting, which is JSON whatever codec was configured
        message = self._decoded(payload)
        if isinstance(message, Negotiation):
            self._select(message)
            return None
        if self._codec is not configured and not self._undecided:
            self._use(configured)
            return BadMessage(id=None, error=MalformedMessageError(f"this connection speaks {configured.name}"))
        return message

    def _decoded(self, payload: Buffer) -> Message | Negotiation | BadMessage:
        codec = self._codec
        wire: FromPeer | FromWorker | None = None
        error: BridgeError
        try:
            must_walk = len(payload) > self._harmless and codec.check(payload, self._limits, self._is_worker)
            if not must_walk and (usual := self._usual.decode(payload)) is not None:
                return usual
            wire = received = self._decode(payload)
            if must_walk:
                check_depth(received.values(), self._limits.max_depth)
            message = received.message()
            self._usual.expect(type(message))
            return message
        except (MalformedMessageError, ValueTooComplexError) as exc:
            error = exc.with_traceback(None)  # a message must not keep alive what its making has used
        except RecursionError:
            error = ValueTooComplexError("arrays and objects are nested too deeply", limit=self._limits.max_depth)
        except UNDECODABLE as exc:
            error = explain(exc)
        return BadMessage(id=codec.find_id(payload) if wire is None else answerable_id(wire), error=error)

    def _select(self, greeting: Negotiation) -> None:
        wanted = [greeting.preferred, *greeting.supported]
        codec = next((CODECS[name] for name in wanted if name in CODECS), JSON)
        answer = JSON.encode(selected(codec.name))
        fill_in_header(answer, self._limits.max_frame_bytes)
        self._greeting[_ANSWER] = answer
        self._use(codec)


def _not_open(message: Response | Failure | Chunk) -> InternalError:
    return InternalError(
        f"no request with the id {message.id!r} is open: a {type(message).__name__} cannot be sent for it"
    )
