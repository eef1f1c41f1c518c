"""What a conversation may have that an older one had not, and what it may not lack."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from skew.replay import whose
from skew.transcripts import Transcript, reason_of

__all__ = ["different", "unlike"]

# Never the same twice, or for people only: what counts is that they are there, with a value of the same type.
_FREE = frozenset(
    "arguments core_version error max_ms mean_ms message started summary text timeout_ms timestamp uptime".split()
)
# Arrays that may have more: what a worker can do.
_GROWING = frozenset(["codecs", "operations", "supported", "supported_operations"])
_RANDOM = re.compile(r"(probe:)[0-9a-f]{16,}")


def different(old: Any, new: Any, path: str = "$") -> list[str]:
    """Return the places where the new value is not what one who knows the old one expects; fields may be added."""
    name = path.rpartition(".")[2]
    if type(old) is not type(new) and not (name == "timeout_ms" and isinstance(new, (int, float))):
        return [f"{path}: {old!r} became {new!r}"]
    if name in _FREE:
        return []
    if isinstance(old, dict):
        lost = [f"{path}.{key}: is missing" for key in old if key not in new]
        both = [different(old[key], new[key], f"{path}.{key}") for key in old if key in new]
        return lost + [place for places in both for place in places]
    if isinstance(old, list):
        if name in _GROWING:
            lost = [item for item in old if all(different(item, one, f"{path}[*]") for one in new)]
            return [f"{path}: lacks {item!r}" for item in lost]
        if len(old) != len(new):
            return [f"{path}: {len(old)} items became {len(new)}"]
        return [place for i in range(len(old)) for place in different(old[i], new[i], f"{path}[{i}]")]
    if isinstance(old, str):
        old, new = _RANDOM.sub(r"\1", old), _RANDOM.sub(r"\1", new)
    return [] if old == new or old != old else [f"{path}: {old!r} became {new!r}"]


def unlike(old: Transcript, new: Transcript) -> list[str]:
    """Return where the new conversation is not what the ends of the old one expect.

    Answers to different requests may come in another order.
    """
    unknown = _unknown(old)
    ours, theirs = _by_subject(old), _by_subject(new)
    found = [f"{about}: there was none before" for about in theirs if about not in ours and about != "events"]
    for about, lines in ours.items():
        if about not in unknown:
            found += [f"{about}: {place}" for place in different(lines, theirs.get(about, []))]
    return found


def _by_subject(transcript: Transcript) -> dict[object, list[Any]]:
    """Return what was said: by the peer in order, by the worker in order about each subject."""
    found: dict[object, list[Any]] = defaultdict(list)
    for line in transcript.lines:
        if line.payload is None:
            found["ends"].append([line.sender, line.exit])
        elif line.sender == "peer":
            found["peer"].append(line.message)
        else:
            found[whose(line.message)].append(line.message)
    return found


def _unknown(transcript: Transcript) -> set[object]:
    """Return the requests for which the old worker had no operation of its own: a newer one may have it."""
    named = {whose(line.message): line.message["command"] for line in transcript.lines if _asks(line.message)}
    answers = [line.message for line in transcript.lines if line.sender == "worker" and line.payload is not None]
    return {
        whose(answer)
        for answer in answers
        if reason_of(answer) == "UNKNOWN_OPERATION" and "." not in named[whose(answer)]
    }


def _asks(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("command"), str)
