"""What the session keeps of LangChain's, under the ids by which peers name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bridge_core import BridgeError, Session
from bridge_core.errors import AgentNotFoundError, ChainNotFoundError, ProgramNotFoundError, RefNotFoundError

CHAIN, AGENT = "langchain.chain", "langchain.agent"
_MISSING: dict[str, type[BridgeError]] = {
    "agent": AgentNotFoundError,
    "chain": ChainNotFoundError,
    "program": ProgramNotFoundError,  # what peers call a chain that they use as they use any framework's
}


def find(session: Session, noun: str, id: str) -> Any:
    """Return the agent, chain or program with this id.

    Raises:
        AgentNotFoundError, ChainNotFoundError, ProgramNotFoundError: There is none.
    """
    try:
        return session.objects.get(id, kind=_kind(noun))
    except RefNotFoundError:
        raise _missing(noun, id) from None


def forget(session: Session, noun: str, id: str) -> dict[str, Any]:
    """Delete the agent, chain or program with this id and return what a peer is told; raises as `find` does."""
    try:
        session.objects.delete(id, kind=_kind(noun))
    except RefNotFoundError:
        raise _missing(noun, id) from None
    return {f"{noun}_id": id, "status": "deleted"}


def listed(session: Session, noun: str, describe: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return what a peer is told about all agents, chains or programs, in the order in which they were made."""
    described = [{f"{noun}_id": key, **describe(found)} for key, found in _each(session, _kind(noun))]
    return {f"{noun}s": described, "count": len(described)}


def _each(session: Session, kind: str) -> Iterator[tuple[str, Any]]:
    for key in session.objects.ids(kind=kind):
        try:
            yield key, session.objects.get(key, kind=kind)
        except RefNotFoundError:
            continue  # deleted by another call since


def _kind(noun: str) -> str:
    return AGENT if noun == "agent" else CHAIN


def _missing(noun: str, id: str) -> BridgeError:
    details: dict[str, Any] = {f"{noun}_id": id}
    return _MISSING[noun](f"the session has no {noun} {id!r}; list_{noun}s has those it has", **details)
