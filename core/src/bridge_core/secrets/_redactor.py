"""What a process has learnt to be secret, and texts and values without it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from msgspec import Struct

from bridge_core.errors import StoreFullError

if TYPE_CHECKING:
    from ._redaction import Secrets

__all__ = ["LONGEST", "SHORTEST", "Redactor"]

LONGEST = 16_384
"""Characters of the longest value that can be a secret."""
SHORTEST = 8
"""Characters from which on a value is redacted; shorter ones may be ordinary words."""
# No spelling that is looked for makes one character longer: `\\ud83d\\ude00`, with room for backslashes escaped again.
_SPELLED = 24
_DEEPEST = 128
_WORD = re.compile(r"[A-Za-z0-9]+")
# Of a field or a setting: by these an answer is read, and no provider's key is a word.
_NAME = re.compile(r"[a-z_]+")


class _Known(Struct, eq=False):
    """One secret."""

    length: int
    clues: tuple[str, ...]
    """Parts of its spellings of which a text that shows it has at least one; to search for these takes no time."""
    secrets: Secrets
    holders: WeakSet[Any]
    kept: bool
    """Whether it stays also when there are no holders."""


class Redactor:
    """Redacts what it has been told, in every spelling of `Secrets`; safe from any thread.

    It is false, and leaves everything as it is, as long as it knows nothing.

    Args:
        most: How many values it takes; each is searched for.
        room: How many characters they may have together; what is compiled takes memory.
    """

    def __init__(self, *, most: int = 1000, room: int = 262_144) -> None:
        self._most = most
        self._room = room
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._ordered: tuple[_Known, ...] = ()
        """The longest first: one may be a part of another. Only ever replaced."""

    def __bool__(self) -> bool:
        return bool(self._ordered)

    @property
    def reach(self) -> int:
        """How many characters, at most, a spelling of what is known takes."""
        known = self._ordered
        return known[0].length * _SPELLED if known else 0

    def add(self, value: str, *, holder: object = None) -> None:
        """Redact a value from now on; one of less than 8 characters may be an ordinary word, and is not.

        Args:
            value: The secret, of at most `LONGEST` characters. Of one with several lines, each is a secret too.
            holder: Who has it, such as a session; when there are many secrets, those whose holders are gone make
                room. Without a holder it is never forgotten.

        Raises:
            StoreFullError: There is no room: too many, or too long ones, are held.
        """
        value = value.strip()
        if len(value) < SHORTEST:
            return
        with self._lock:
            if self._hold(value, holder):
                return
        known = _compiled(value)  # outside of the lock: a long one takes its time
        with self._lock:
            if not self._hold(value, holder):
                self._make_room(len(value))
                self._known[value] = known
                self._ordered = tuple(sorted(self._known.values(), key=_length, reverse=True))
                self._hold(value, holder)

    def redact(self, text: str) -> str:
        """Return the text without the secrets."""
        for known in self._ordered:
            if not known.clues or any(clue in text for clue in known.clues):
                text = known.secrets.redact(text)
        return text

    def scrub(self, value: Any) -> Any:
        """Return plain data (mappings, lists, texts and what cannot be secret) without the secrets.

        Keys of lowercase letters and underscores are names, and stay.
        """
        return self._scrubbed(value, _DEEPEST) if self._ordered else value

    def _scrubbed(self, value: Any, deeper: int) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if not deeper:  # no wire carries that
            return value
        if isinstance(value, Mapping):
            return {self._key(key): self._scrubbed(item, deeper - 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._scrubbed(item, deeper - 1) for item in value]
        return value

    def _key(self, key: Any) -> Any:
        return self.redact(key) if isinstance(key, str) and not _NAME.fullmatch(key) else key

    def _hold(self, value: str, holder: object) -> bool:
        """Note who has a value; False if it is not known."""
        known = self._known.get(value)
        if known is None:
            return False
        if holder is None:
            known.kept = True
        else:
            known.holders.add(holder)
        return True

    def _make_room(self, length: int) -> None:
        if self._fits(length):
            return
        self._known = {value: known for value, known in self._known.items() if known.kept or known.holders}
        if not self._fits(length):
            raise StoreFullError(
                f"{len(self._known)} secrets are in use, and there is no room for another one; close sessions",
                limit=self._most,
            )

    def _fits(self, length: int) -> bool:
        return len(self._known) < self._most and sum(map(len, self._known)) + length <= self._room


def _length(known: _Known) -> int:
    return known.length


def _compiled(value: str) -> _Known:
    from ._redaction import Secrets  # most workers are told no secret, and need not start later for it

    return _Known(len(value), _clues(value), Secrets(_lines(value)), WeakSet(), False)


def _lines(value: str) -> list[str]:
    """Return a value and its lines: a log has each on a line of its own."""
    lines = [line.strip() for line in value.splitlines()]
    return [value, *(line for line in lines if len(line) >= SHORTEST)]


def _clues(value: str) -> tuple[str, ...]:
    """Return texts of which each spelling of a value, or of one of its lines, has at least one; none if unsure."""
    import base64

    clues = []
    # The outer digits depend on what is beside the value.
    for one in _lines(value):
        data = one.encode("utf-8", "surrogatepass")
        encoded = [base64.b64encode(bytes(before) + data).decode()[3:-4] for before in range(3)]
        for text in (one, *encoded):
            clue = max(_WORD.findall(text), key=len, default="")
            if len(clue) < 3:
                return ()
            clues.append(clue)
    return tuple(dict.fromkeys(clues))
