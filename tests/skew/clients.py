"""Our clients, asking what was recorded, and what they deliver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from skew.transcripts import Transcript

from bridge_core import Bridge, BridgeError
from bridge_core.client import BlockingClient, BridgeSession
from bridge_core.errors import by_reason

__all__ = ["Outcome", "events_in", "outcomes_in", "overlaps", "with_bridge", "with_client"]


@attrs.frozen
class Outcome:
    """What a call gave: chunks, and then a result or an error."""

    chunks: list[Any]
    result: Any = None
    error: dict[str, Any] | None = None


def outcomes_in(transcript: Transcript) -> list[Outcome]:
    """Return what a transcript's requests gave, in the order of the requests."""
    found = []
    for request in _said("peer", transcript):
        about = [message for message in _said("worker", transcript) if message.get("id") == request["id"]]
        chunks = [one["chunk"]["payload"] for one in about if "chunk" in one and not one["chunk"]["is_final"]]
        answer = about[-1]
        if answer["success"]:
            found.append(Outcome(chunks, answer["result"]))
        else:
            info = answer["error_info"]
            found.append(Outcome(chunks, error=_error(by_reason(info["reason"]), answer["error"], info)))
    return found


def events_in(transcript: Transcript) -> list[tuple[str, Any]]:
    """Return the events of a transcript."""
    said = [message for message in _said("worker", transcript) if "event" in message]
    return [(message["event"], message["data"]) for message in said]


def overlaps(transcript: Transcript) -> bool:
    """Whether a request was sent while another was open."""
    is_open = False
    for line in transcript.lines:
        if line.payload is not None and (line.sender == "peer" or "success" in line.message):
            if is_open and line.sender == "peer":
                return True
            is_open = line.sender == "peer"
    return False


def with_bridge(transcript: Transcript, bridge: Bridge) -> list[Outcome]:
    """Ask what was recorded, each request before the answers that came after it; the greeting is the bridge's own."""
    asked: dict[Any, Callable[[], Outcome]] = {}
    outcomes: dict[Any, Outcome] = {}
    sessions: dict[str, BridgeSession] = {"anonymous": bridge}
    _, *lines = [line for line in transcript.lines if line.payload is not None]
    for line in lines:
        about = line.message.get("id")
        if line.sender == "peer":
            name = line.message.get("session_id", "anonymous")
            session = sessions[name] if name in sessions else sessions.setdefault(name, bridge.session(name))
            asked[about] = _ask(session, line.message)
        elif "success" in line.message and about in asked:
            outcomes[about] = asked[about]()
    for session in sessions.values():
        if session is not bridge:
            session.close()
    return [outcomes[about] for about in asked]


def with_client(transcript: Transcript, client: BlockingClient) -> list[Outcome]:
    """Ask what was recorded, one request after the other."""
    return [_run(client, request) for request in _said("peer", transcript)]


def _said(sender: str, transcript: Transcript) -> list[dict[str, Any]]:
    return [line.message for line in transcript.lines if line.sender == sender and line.payload is not None]


def _ask(session: BridgeSession, request: dict[str, Any]) -> Callable[[], Outcome]:
    chunks: list[Any] = []
    if not request.get("stream"):
        future = session.submit(request["command"], request["args"])
        return lambda: _outcome(chunks, future.result)
    stream = session.stream(request["command"], request["args"])

    def take() -> Any:
        chunks.extend(stream)
        return stream.result

    return lambda: _outcome(chunks, take)


def _run(client: BlockingClient, request: dict[str, Any]) -> Outcome:
    to = {"session_id": request.get("session_id", "anonymous")}
    chunks: list[Any] = []

    def take() -> Any:
        if not request.get("stream"):
            return client.run(request["command"], request["args"], **to)
        stream = client.stream(request["command"], request["args"], **to)
        while True:
            try:
                chunks.append(next(stream))
            except StopIteration as stop:
                return stop.value

    return _outcome(chunks, take)


def _outcome(chunks: list[Any], take: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(chunks, take())
    except BridgeError as exc:
        info = {"code": exc.code, "reason": exc.reason, "details": exc.details, "retryable": exc.retryable}
        return Outcome(chunks, error=_error(type(exc), exc.message, info))


def _error(kind: type[BridgeError], text: str, info: dict[str, Any]) -> dict[str, Any]:
    return {"class": kind.__name__, "message": text, **info}
