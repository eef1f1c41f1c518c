"""A library that nobody has written a plugin for."""

from __future__ import annotations

import time
from typing import Any

CALLS: list[str] = []
LIMIT = 3


class Account:
    """An account with a balance."""

    kind = "current"

    def __init__(self, owner: str, balance: int = 0) -> None:
        self.owner = owner
        self.balance = balance

    def pay(self, amount: int) -> Account:
        """Add to the balance."""
        self.balance += amount
        return self

    @classmethod
    def shared(cls, *owners: str) -> Account:
        return cls(" and ".join(owners))

    @staticmethod
    def fee(amount: int) -> int:
        return amount // 100

    @property
    def shown(self) -> str:
        return f"{self.owner}: {self.balance}"

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __len__(self) -> int:
        return self.balance

    def __call__(self, *, doubled: bool = False) -> int:
        return self.balance * 2 if doubled else self.balance


def note(text: str) -> list[str]:
    """Remember that it was called, and with what."""
    CALLS.append(text)
    return CALLS


def accounts(*owners: str) -> dict[str, Any]:
    """Return live objects inside of containers."""
    return {"all": [Account(owner) for owner in owners], "count": len(owners)}


def ring() -> list[Any]:
    """Return a list that is inside itself."""
    made: list[Any] = [1]
    made.append(made)
    return made


async def later(value: Any) -> Any:
    """Return the value from a coroutine."""
    return value


def slow(seconds: float) -> str:
    """Take a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return "done"


def broken(text: str) -> None:
    """Raise."""
    raise LookupError(text)


def leaves() -> None:
    """Try to end the process."""
    raise SystemExit(3)


def large(size: int) -> list[Any]:
    """Return a live object, and text that may be too long for a frame."""
    return [Account("large"), "x" * size]
